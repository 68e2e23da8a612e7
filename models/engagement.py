"""What people did and what associates noted about them."""

from typing import Literal

from pydantic import Field

from models.base import Frozen, Moment

EventKind = Literal[
    "registration", "login", "product_view", "cart", "checkout", "order", "return", "refund", "cancellation"
]


class Event(Frozen):
    """Something a person did, told by a source."""

    kind: Literal["event"] = "event"
    event: EventKind
    at: Moment
    customer: str | None = None
    """source_id of the customer in the same source; None for a visitor nobody knows."""
    anonymous: str | None = None
    order: str | None = None
    channel: str | None = None
    store: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)


class Activity(Frozen):
    """Clienteling: a note, task, appointment or outreach by an associate. Both times and the author are kept."""

    kind: Literal["activity"] = "activity"
    activity: Literal["note", "task", "appointment", "outreach"]
    customer: str
    associate: str
    store: str | None = None
    brand: str | None = None
    subject: str | None = None
    text: str | None = None
    important: bool = False
    status: Literal["open", "in_progress", "completed", "cancelled", "deferred", "no_show"] = "open"
    priority: Literal["low", "normal", "high"] = "normal"
    channel: str | None = None
    direction: Literal["outbound", "inbound"] | None = None
    outcome: str | None = None
    occurred_at: Moment
    modified_at: Moment | None = None
    due_at: Moment | None = None
    start_at: Moment | None = None
    end_at: Moment | None = None
