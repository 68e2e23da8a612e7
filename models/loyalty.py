"""Loyalty: accounts, the entries that move points, the lots they make."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from models.base import Frozen, Moment

MOST_POINTS = 10**15
Points = Annotated[int, Field(gt=-MOST_POINTS, lt=MOST_POINTS)]
"""So many that nobody has them; a warehouse can still add them up."""

EntryKind = Literal[
    "earn", "redeem", "expire", "adjust", "transfer_in", "transfer_out", "reverse_earn", "reverse_redeem"
]


class Tier(Frozen):
    """A level of membership."""

    code: str
    expires_on: date | None = None


class LoyaltyMember(Frozen):
    """An account in a programme, as a source tells it."""

    kind: Literal["member"] = "member"
    account: str
    programme: str = "main"
    status: Literal["active", "merged", "closed"] = "active"
    tier: Tier | None = None
    balance: Points | None = None
    """Points the source says are spendable; our own sum of entries is compared with it, never replaced by it."""
    enrolled_at: Moment | None = None
    customer: str | None = None
    """source_id of the customer in the same source, where the member is a record of its own."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """What else the source keeps about the membership and we have no word for."""


class LoyaltyEntry(Frozen):
    """Points moved on an account. Unique by (programme, account, external_id); never changed."""

    kind: Literal["entry"] = "entry"
    account: str
    programme: str = "main"
    external_id: str
    movement: EntryKind
    points: Points
    """Signed: positive adds to the balance, negative takes from it."""
    at: Moment
    expires_on: date | None = None
    order: str | None = None
    """source_id of the order that caused it."""
    reverses: str | None = None
    """external_id of the entry that this one takes back."""
    reason: str | None = None


class Lot(Frozen):
    """Points of one earning that expire together."""

    account: str
    programme: str
    points: int
    expires_on: date | None = None
