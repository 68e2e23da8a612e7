"""The protocols by which the engine knows the outside world, and nothing else."""

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, Protocol

from models.base import Frozen
from models.landing import Bulk, Page, Refusal, SourceRecord, Window
from models.profiles import ProfileDocument


class Source(Protocol):
    """Where records come from."""

    @property
    def name(self) -> str:
        """The vendor's folder name; the first part of every record key."""
        ...

    @property
    def objects(self) -> Sequence[str]:
        """What can be read, in the order in which it should land (customers before orders)."""
        ...

    @property
    def listed(self) -> Collection[str]:
        """The objects of which a full read brings all that there is, so that what it does not bring may be gone."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether it tells how its records are now, as an API does, and not what was written down once, as drops do.

        What a live source tells again after it has told something else is a change back, even if the time of change
        did not move; what a drop tells again is the same old news.
        """
        ...

    def pages(self, object: str, window: Window) -> Iterator[Page | Bulk]:  # noqa: A002
        """Every record of this object that changed in the window, a page at a time, each at least once.

        A stretch of a file may come as `Bulk`, for the engine to read.

        Raises connectors.http errors when the source is down or refuses us; bad records are values in the page.
        """
        ...

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """What became of known records of a listed object that a full read did not bring.

        A `Deletion` without a time for each that the source no longer has; the record itself where it still has it.
        Raises as `pages` does.
        """
        ...

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """All that `pages` brought for this window is on disk. Drops may be archived now; most sources do nothing."""
        ...

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        """Read a payload again, e.g. from quarantine after a fix. The same payload gives the same record."""
        ...


class Message(Frozen):
    """One mapped payload for a destination, before anything is sent."""

    object: str
    """customer, transaction, loyalty, contact, relation ... in the destination's words."""
    target_key: str
    """By what the destination knows it; the same key always means the same thing there."""
    rank: int
    """Messages of one profile go in ascending rank: profile before transaction before loyalty."""
    payload: str
    """Canonical JSON, sorted keys, without volatile fields: its hash decides what changed."""
    write_once: bool = False
    """Ledger-like at the destination: sent once, a later version with other content is a conflict."""


class Receipt(Frozen):
    """What a destination answered."""

    state: Literal["accepted", "rejected", "unknown"]
    """unknown: the answer never came after sending; read back before sending again."""
    code: str
    target_id: str | None = None
    reason: str | None = None


class Destination(Protocol):
    """Who hears profiles."""

    @property
    def name(self) -> str:
        """The vendor's folder name."""
        ...

    @property
    def mapping(self) -> str:
        """Version of the field map, e.g. its hash: when it changes, every profile is rendered anew."""
        ...

    def render(self, document: ProfileDocument) -> Sequence[Message]:
        """The messages this profile needs at the destination, mapped by its field map. Pure: no I/O."""
        ...

    def send(self, message: Message, idempotency_key: str, correlation_id: str) -> Receipt:
        """Deliver one message. Rejection is a receipt; an unreachable destination raises connectors.http errors."""
        ...

    def read_back(self, message: Message) -> Receipt | None:
        """After an unknown outcome: accepted if the destination holds this payload, None if it does not."""
        ...
