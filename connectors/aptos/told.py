"""What the CRM tells, under our words, before it becomes a record; the field map says where each word stands."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    PlainValidator,
    StringConstraints,
)
from pydantic_core import CoreSchema, core_schema

from connectors.payload import named_by_others
from models.consent import Channel
from models.engagement import Activity
from models.loyalty import EntryKind
from models.orders import Currency, OrderChannel


def _moment(value: object) -> datetime:
    """Only text by ISO 8601: a bare number could be seconds, milliseconds or a day."""
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError("expected a moment by ISO 8601")
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a moment by ISO 8601") from None


def _day(value: object) -> date:
    """The day of a day or of a moment."""
    try:
        if isinstance(value, str):
            return date.fromisoformat(value.strip()[:10])
    except ValueError:
        pass
    raise ValueError("expected a day by ISO 8601")


def _exact(number: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - the type Decimal
    """A finite decimal number as text or as JSON writes it."""
    return core_schema.custom_error_schema(
        handler(number), custom_error_type="decimal", custom_error_message="expected a decimal number"
    )


Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
When = Annotated[datetime, PlainValidator(_moment)]
Day = Annotated[date, PlainValidator(_day)]
Exact = Annotated[Decimal, GetPydanticSchema(_exact)]
Scalar = str | int | float | bool | None
Attributes = Annotated[Mapping[str, Scalar], named_by_others("expected a text, a number, true or false by each name")]


class Told(BaseModel):
    """Numbers are taken as text where text is meant; anything else of another type is a reason to refuse."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class ToldKey(Told):
    """How another system knows the customer."""

    system: Id
    value: Id


class ToldContact(Told):
    """An e-mail address or a phone number."""

    value: str
    label: str | None = None
    primary: bool = False


class ToldAddress(Told):
    """A postal address."""

    label: str | None = None
    line1: str | None = None
    line2: str | None = None
    postcode: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    primary: bool = False


class ToldCard(Told):
    """A card; `kind` is an identifier's kind, or `none` for a card that must not identify anybody."""

    number: Id
    kind: str = "loyalty_number"


class ToldConsent(Told):
    """An answer about being written to."""

    channel: Channel
    status: Literal["opt_in", "opt_out", "pending", "unknown"]
    contact_point: str | None = None
    brand: str | None = None
    purpose: str = "marketing"
    at: When | None = None
    confirmed_at: When | None = None
    """When the person said yes a second time, to a mail that asked."""
    proof: str | None = None


class ToldCustomer(Told):
    """A customer."""

    id: Id
    state: Literal["active", "inactive", "merged", "deleted"] = "active"
    merged_into: str | None = None
    title: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    family_name: str | None = None
    full_name: str | None = None
    sex: str | None = None
    birth_date: str | None = None
    language: str | None = None
    brand: str | None = None
    store: str | None = None
    household: str | None = None
    alternate_keys: tuple[ToldKey, ...] = ()
    emails: tuple[ToldContact, ...] = ()
    phones: tuple[ToldContact, ...] = ()
    addresses: tuple[ToldAddress, ...] = ()
    cards: tuple[ToldCard, ...] = ()
    consents: tuple[ToldConsent, ...] = ()
    attributes: Attributes = Field(default_factory=dict)
    created_at: When | None = None
    modified_at: When | None = None


class ToldLine(Told):
    """A position of a transaction."""

    seq: Id
    item: str | None = None
    description: str | None = None
    quantity: Exact
    amount: Exact
    kind: Literal["sale", "return"] = "sale"


class ToldTender(Told):
    """A payment."""

    tender: str = "unknown"
    amount: Exact


class ToldTransaction(Told):
    """A transaction, known by store, till, day and sequence."""

    store: Id
    till: Id
    business_day: Day
    sequence: Id
    type: Literal["sale", "return", "exchange", "void"]
    status: str
    channel: OrderChannel = "pos"
    occurred_at: When
    currency: Currency
    customer: str | None = None
    own_key: str | None = None
    """System of a customer key that only we write: then the transaction is one that we posted."""
    card: str | None = None
    cashier: str | None = None
    brand: str | None = None
    order_reference: str | None = None
    original: str | None = None
    original_store: str | None = None
    original_till: str | None = None
    original_day: str | None = None
    original_sequence: str | None = None
    gross: Exact | None = None
    net: Exact | None = None
    tax: Exact | None = None
    discount: Exact | None = None
    lines: tuple[ToldLine, ...] = ()
    tenders: tuple[ToldTender, ...] = ()
    modified_at: When | None = None


class ToldAccount(Told):
    """The state of a loyalty account."""

    account: Id
    plan: Id
    status: Literal["active", "merged", "closed"] = "active"
    customer: str | None = None
    tier: str | None = None
    tier_expires_on: Day | None = None
    balance: int | None = None
    points_pending: int | None = None
    card_numbers: tuple[str, ...] = ()
    """Every card of the account; the customer tells the same as cards of its own."""
    enrolled_at: When | None = None
    modified_at: When | None = None


class ToldEntry(Told):
    """Points that moved."""

    account: Id
    external_id: Id
    plan: str | None = None
    movement: EntryKind
    points: int
    at: When
    expires_on: Day | None = None
    reason: str | None = None
    transaction: str | None = None
    reverses: str | None = None
    modified_at: When | None = None


class ToldInteraction(Told):
    """What an associate noted, planned or did."""

    kind: Literal["note", "task", "appointment", "outreach"]
    external_id: Id
    customer: Id
    associate: Id
    occurred_at: When
    store: str | None = None
    brand: str | None = None
    subject: str | None = None
    text: str | None = None
    important: bool = False
    status: Literal["open", "in_progress", "completed", "cancelled", "deferred", "no_show"] | None = None
    priority: Literal["low", "normal", "high"] | None = None
    channel: str | None = None
    direction: Literal["outbound", "inbound"] | None = None
    outcome: str | None = None
    due_at: When | None = None
    start_at: When | None = None
    end_at: When | None = None
    modified_at: When | None = None

    def activity(self) -> dict[str, Any]:
        """What an Activity is made of."""
        words = {name: getattr(self, name) for name in Activity.model_fields if name in type(self).model_fields}
        told = {name: value for name, value in words.items() if value is not None and name != "kind"}
        return {**told, "activity": self.kind}


OBJECTS: Mapping[str, type[Told]] = {
    "customer": ToldCustomer,
    "transaction": ToldTransaction,
    "loyalty_account": ToldAccount,
    "loyalty_entry": ToldEntry,
    "interaction": ToldInteraction,
}
"""What can be read, in the order in which it lands."""

PARTS: Mapping[str, type[Told]] = {
    "alternate_keys": ToldKey,
    "emails": ToldContact,
    "phones": ToldContact,
    "addresses": ToldAddress,
    "cards": ToldCard,
    "consents": ToldConsent,
    "lines": ToldLine,
    "tenders": ToldTender,
}
"""The lists, by word."""

ESSENTIAL: Mapping[str, str | None] = {
    "alternate_keys": "value",
    "emails": "value",
    "phones": "value",
    "addresses": None,
    "cards": "number",
    "consents": "status",
    "lines": "amount",
    "tenders": "amount",
}
"""Without this word an item that was put together from columns is none: the columns were empty."""
