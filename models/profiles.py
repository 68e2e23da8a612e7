"""Golden profiles, where each value came from, and the document that a destination receives."""

from datetime import date
from typing import Literal

from pydantic import Field

from models.base import Frozen, Moment
from models.consent import ConsentEvent
from models.loyalty import LoyaltyMember
from models.orders import Order
from models.records import PostalAddress


class FieldProvenance(Frozen):
    """Which record a value came from, by which rule of survivorship."""

    field: str
    record: str
    rule: str
    changed_at: Moment | None = None


class GoldenProfile(Frozen):
    """What we believe about one person."""

    profile: str
    """Persistent id; after a merge it still resolves, through the crosswalk, to the survivor."""
    title: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    family_name: str | None = None
    name_suffix: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    language: str | None = None
    email: str | None = None
    phone: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    address: PostalAddress | None = None
    home_store: str | None = None
    brand: str | None = None
    provenance: tuple[FieldProvenance, ...] = ()

    @property
    def display_name(self) -> str:
        """The name a person reads; falls back to a contact and then to the id."""
        name = " ".join(part for part in (self.given_name, self.family_name, self.name_suffix) if part)
        return name or self.email or self.phone or self.profile


class Fact(Frozen):
    """A derived statement about a profile that a destination may show, e.g. orders of the last year."""

    name: str
    value: str


class AttachedOrder(Frozen):
    """An order with the record that tells it."""

    record: str
    order: Order


class ProfileDocument(Frozen):
    """Everything a destination may receive about one profile. Field maps choose; nothing else is sent."""

    profile: GoldenProfile
    status: Literal["active", "merged"] = "active"
    merged_into: str | None = None
    records: tuple[str, ...] = ()
    """Record keys of the members, sorted."""
    consents: tuple[ConsentEvent, ...] = ()
    """The effective answer per contact point, channel, brand and purpose."""
    loyalty: tuple[LoyaltyMember, ...] = ()
    """One per account, `balance` being the sum of its entries in our ledger."""
    orders: tuple[AttachedOrder, ...] = ()
    """Newest first."""
    facts: tuple[Fact, ...] = Field(default=())
