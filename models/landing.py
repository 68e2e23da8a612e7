"""What a connector hands over: source records, and refusals as values."""

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


class Window(Frozen):
    """Which changes to read: those with since <= changed_at < until. `since` None reads everything."""

    since: Moment | None = None
    until: Moment

    def holds(self, moment: datetime) -> bool:
        """Whether a change at this moment belongs to the window."""
        return moment < self.until and (self.since is None or moment >= self.since)
