"""What a source tells about one person, as it tells it: translated into our words, never cleaned."""

from typing import Literal

from pydantic import Field

from models.base import Frozen, Moment
from models.consent import ConsentEvent
from models.loyalty import LoyaltyMember


class RecordKey(Frozen):
    """Names one record of one source. `str(key)` is the form that tables, logs and commands use."""

    source: str
    object: str
    source_id: str

    def __str__(self) -> str:
        return f"{self.source}:{self.object}:{self.source_id}"

    @classmethod
    def parse(cls, text: str) -> "RecordKey":
        """Read `source:object:source_id`; the id itself may hold colons. Raises ValueError otherwise."""
        parts = text.split(":", 2)
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{text!r} is no record key; write SOURCE:OBJECT:ID, e.g. bigcommerce:customer:42")
        return cls(source=parts[0], object=parts[1], source_id=parts[2])


class ContactPoint(Frozen):
    """An e-mail address or a phone number, as told."""

    kind: Literal["email", "phone"]
    value: str
    label: str | None = None
    """What the source calls it: home, work, mobile, billing ..."""
    primary: bool = False
    verified: bool | None = None
    """Whether the source checked that the person answers there; None where the source does not say."""


class PostalAddress(Frozen):
    """A postal address as told. Either `line1` or `street` and `house_number`, whichever the source keeps."""

    label: str | None = None
    line1: str | None = None
    line2: str | None = None
    house_number: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    """ISO 3166 alpha-2 where the source has a code, else its own text."""
    primary: bool = False


class Identifier(Frozen):
    """A value by which another system knows this person: `loyalty_number`, `pos_customer`, `crm_contact` ..."""

    kind: str
    value: str


class Person(Frozen):
    """One person as one source record tells it."""

    kind: Literal["person"] = "person"
    title: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    family_name: str | None = None
    full_name: str | None = None
    name_suffix: str | None = None
    organisation: str | None = None
    sex: str | None = None
    birth_date: str | None = None
    """As told; `standardise` turns it into a date."""
    birth_year: str | None = None
    language: str | None = None
    locale: str | None = None
    brand: str | None = None
    store: str | None = None
    """Store of registration or preference, by the source's own code."""
    contact_points: tuple[ContactPoint, ...] = ()
    addresses: tuple[PostalAddress, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    consents: tuple[ConsentEvent, ...] = ()
    loyalty: tuple[LoyaltyMember, ...] = ()
    created_at: Moment | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    """What else the source keeps about the person and we have no word for."""
