"""What a connector hands over: source records, and refusals as values."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from models.base import Frozen, Moment
from models.engagement import Activity, Event
from models.loyalty import LoyaltyEntry, LoyaltyMember
from models.orders import Order, Settlement
from models.records import Person, RecordKey


class Deletion(Frozen):
    """The source no longer has this record, or says that it is deleted."""

    kind: Literal["deletion"] = "deletion"
    at: Moment | None = None
    merged_into: str | None = None
    """source_id of the record that took its place, where the source merged two."""


class Other(Frozen):
    """A record that none of our words fits: a store, a customer group, a notice of a change. Nobody is judged by it."""

    kind: Literal["other"] = "other"
    what: str
    """The source's own word for it: `store`, `customer-group`, `CustomerEmailVerified` ..."""
    code: str | None = None
    """By which other records name it, where that is not its source_id."""
    name: str | None = None
    customer: str | None = None
    """source_id of the customer of the same source that it is about."""
    order: str | None = None
    """source_id of the order that it is about."""
    attributes: dict[str, str] = Field(default_factory=dict)


Body = Annotated[
    Person | Order | Settlement | LoyaltyMember | LoyaltyEntry | Event | Activity | Other | Deletion,
    Field(discriminator="kind"),
]


class SourceRecord(Frozen):
    """One record as one source tells it: the payload untouched, and the same in our words."""

    key: RecordKey
    raw: str
    """The payload exactly as received (JSON text, XML text, a delimited line); its hash decides what is new."""
    body: Body
    changed_at: Moment | None = None
    """The source's own time of change."""


class Reason(Frozen):
    """Why a field was refused. Carries no value of the record, so that it may be logged."""

    path: str
    """Where: `billing_address.email`, `lines[2].quantity`, or empty for the whole payload."""
    problem: str
    """What is wrong and what was expected."""


class Refusal(Frozen):
    """A payload that could not be read. It waits in quarantine with its reasons; its neighbours land."""

    source: str
    object: str
    source_id: str | None
    raw: str
    reasons: tuple[Reason, ...]


class Page(Frozen):
    """What one request or one stretch of a file brought."""

    records: tuple[SourceRecord, ...] = ()
    refused: tuple[Refusal, ...] = ()
    correlation_id: str


class ConsentPlaces(Frozen):
    """Where an answer about being written to stands in a row; places as in `People`."""

    status: int
    about: tuple[int, ...] = ()
    """The first of these that says something is what the answer is about; none means the address in one line."""
    at: int | None = None
    proof: int | None = None
    channel: str
    brand: str | None = None
    purpose: str


class People(Frozen):
    """Where our words of a person stand in the rows of a file. A place is a position in `columns`, from 1."""

    columns: tuple[str, ...]
    """The columns that the words need, each once."""
    words: Mapping[str, int]
    """Word of a person, an address or a loyalty account, `id`, `created_at`, `changed_at` -> place."""
    emails: tuple[tuple[int, str | None], ...] = ()
    """Place and label; the first that says something is the primary one."""
    phones: tuple[tuple[int, str | None], ...] = ()
    verified: frozenset[str] = frozenset()
    """email, phone: kinds that the source has checked."""
    identifiers: tuple[tuple[int, str], ...] = ()
    """Place and kind."""
    consents: tuple[ConsentPlaces, ...] = ()
    answers: Mapping[str, str]
    """Answer as it is written -> opt_in, opt_out or pending."""
    attributes: tuple[str, ...] = ()
    """Columns that are kept under their own name."""
    brand: str | None = None
    """Of rows that name none."""
    programme: str


class Bulk(Frozen):
    """A stretch of a file that the engine may read by itself: people, a row each.

    The engine takes the rows that are plain beyond doubt and asks `translate` about each of the others, or it takes
    `pages`: the records and the refusals are the same.
    """

    source: str
    object: str
    correlation_id: str
    path: str
    """Where to read it; good until the next page is asked for."""
    form: Literal["csv", "ndjson", "parquet"]
    header: tuple[str, ...]
    """Every column of a csv or Parquet, in order. Of NDJSON the keys that its lines are known to have."""
    delimiter: str = ","
    rows: int
    """So many rows there are. A reader that finds more or fewer has not read it."""
    longest: int
    """Bytes of a line."""
    id_prefix: str
    """What stands before the value of `id` in the id of a record."""
    before: str
    """The raw payload of a plain row is `before`, the row as a JSON object, and `}`."""
    people: People
    plain: str
    """Regular expression, in RE2's language, of the rows (as JSON objects) that are plain beyond doubt: nothing in them
    needs an escape, a strip or a second look."""
    payload: Callable[[int, str | None], str]
    """The raw payload of the row at this position (from 0), given as JSON object or, if it is none, as None."""
    pages: Callable[[], Iterator[Page]]
    """All of the file a page at a time, and nothing more of it in bulk."""


class Window(Frozen):
    """Which changes to read: those with since <= changed_at < until. `since` None reads everything."""

    since: Moment | None = None
    until: Moment

    def holds(self, moment: datetime) -> bool:
        """Whether a change at this moment belongs to the window."""
        return moment < self.until and (self.since is None or moment >= self.since)
