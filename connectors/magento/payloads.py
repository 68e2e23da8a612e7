"""The vendor's shapes as far as we read them: values, customers. Lenient as PHP is: `[]` may be an empty object."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator


def told_time(value: object) -> datetime | None:
    """`2026-01-31 23:59:59`, without a zone: the shop's setting says which. Raises ValueError."""
    if value is None or value in {"", "0000-00-00 00:00:00"}:
        return None
    if not isinstance(value, str):
        raise ValueError("expected a date and time as text")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("expected a date and time as YYYY-MM-DD HH:MM:SS") from None


def listed(value: object) -> object:
    """PHP tells a list with gaps in its numbering as a table."""
    return list(value.values()) if isinstance(value, dict) else value


def lines(value: object) -> object:
    """A street of one line may be told as text."""
    return [value] if isinstance(value, str) else listed(value)


Text = str | None
Id = Annotated[str, StringConstraints(min_length=1)]
Told = Annotated[datetime | None, BeforeValidator(told_time)]
ToldAlways = Annotated[datetime, BeforeValidator(told_time)]
Amount = Annotated[Decimal, Field(allow_inf_nan=False, gt=-(10**16), lt=10**16)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

NOTHING, _FOUR_DECIMALS = Decimal(0), Decimal("0.0001")
_SILENT: tuple[object, ...] = (None, "", [])


class Shape(BaseModel):
    """Fields that we do not know stay in the raw payload. Null, an empty text and an empty list say nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _what_is_said(cls, told: object) -> object:
        if not isinstance(told, dict):
            return told
        return {name: value for name in cls.__pydantic_fields__ if (value := told.get(name)) not in _SILENT}


def kept(amount: Decimal) -> Decimal:
    """The amount as the vendor keeps it, with four decimals; digits behind them are dust of PHP's floats."""
    return amount.quantize(_FOUR_DECIMALS)


class CustomAttribute(Shape):
    """A value that the shop keeps about a customer."""

    attribute_code: str
    value: Any = None


class Region(Shape):
    """A state or province."""

    region: Text = None
    region_code: Text = None


class CustomerAddress(Shape):
    """An address in a customer's book."""

    id: Text = None
    firstname: Text = None
    lastname: Text = None
    company: Text = None
    street: Annotated[tuple[str, ...], BeforeValidator(lines)] = ()
    postcode: Text = None
    city: Text = None
    region: Region = Region()
    country_id: Text = None
    telephone: Text = None
    vat_id: Text = None
    default_billing: bool | None = None
    default_shipping: bool | None = None


class CustomerExtension(Shape):
    """What modules add to a customer."""

    is_subscribed: bool | None = None
    """Absent in some answers: then nothing is said about it."""


class Balance(Shape):
    """Store credit on one website."""

    amount: Amount
    base_currency_code: Text = None


class CustomerApart(Shape):
    """Added by us to a customer: what was read apart from the list."""

    is_subscribed: bool | None = None
    balance: Balance | None = None


class Customer(Shape):
    """A registered customer of one website."""

    id: Id
    email: Text = None
    firstname: Text = None
    middlename: Text = None
    lastname: Text = None
    prefix: Text = None
    suffix: Text = None
    dob: Text = None
    gender: Text = None
    group_id: Text = None
    taxvat: Text = None
    confirmation: Text = None
    """A key as long as the customer has not confirmed the e-mail address."""
    website_id: Text = None
    store_id: Text = None
    created_in: Text = None
    created_at: Told = None
    updated_at: Told = None
    addresses: Annotated[tuple[CustomerAddress, ...], BeforeValidator(listed)] = ()
    custom_attributes: Annotated[tuple[CustomAttribute, ...], BeforeValidator(listed)] = ()
    extension_attributes: CustomerExtension = CustomerExtension()
    read_apart: CustomerApart = CustomerApart()
