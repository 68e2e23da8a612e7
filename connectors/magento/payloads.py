"""The vendor's shapes as far as we read them: values, customers.

Fields are of types that the validator knows by itself, so that a payload is read in one go. What PHP writes otherwise
(an empty list for an empty object, nothing as an empty text) does not fit them and is put into JSON's words first.
Shapes are checked dictionaries, which cost half of what models would.
"""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Required

from pydantic import ConfigDict, GetPydanticSchema, StringConstraints, with_config
from pydantic_core import core_schema
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from models.orders import Money, money

NOTHING, _FOUR_DECIMALS = Decimal(0), Decimal("0.0001")
_NO_TIME = "0000-00-00 00:00:00"
_SILENT: tuple[object, ...] = (None, "", [], {}, _NO_TIME)
_LARGEST = 10**16


def told_time(value: object) -> datetime | None:
    """`2026-01-31 23:59:59`, without a zone: the shop's setting says which. Raises ValueError."""
    if value is None or (isinstance(value, str) and value in {"", _NO_TIME}):
        return None
    if not isinstance(value, str):
        raise ValueError("expected a date and time as text")
    return datetime.fromisoformat(value)


def meant(told: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The same in JSON's words: what says nothing is left out, and a list is a list.

    PHP tells a list with gaps in its numbering as a table, and a street of one line as text.
    """
    if isinstance(told, list):
        return [meant(one) for one in told]
    if not isinstance(told, dict):
        return told
    if told and all(name.isdecimal() for name in told):
        return [meant(one) for one in told.values()]
    kept = {name: value for name, one in told.items() if (value := meant(one)) not in _SILENT}
    if isinstance(kept.get("street"), str):
        kept["street"] = [kept["street"]]
    return kept


def _amount() -> core_schema.CoreSchema:
    """A number as JSON has it or, more slowly, as text; never a truth value."""
    return core_schema.union_schema(
        [
            core_schema.float_schema(strict=True, allow_inf_nan=False, gt=-_LARGEST, lt=_LARGEST),
            core_schema.decimal_schema(allow_inf_nan=False, gt=Decimal(-_LARGEST), lt=Decimal(_LARGEST)),
        ],
        mode="left_to_right",
        custom_error_type="amount",
        custom_error_message="expected an amount",
    )


def _time() -> core_schema.CoreSchema:
    """A date and time as text; a bare number is none."""
    text = core_schema.str_schema(strict=True, pattern=r"^\d{4}-\d\d-\d\d[ T]")
    return core_schema.custom_error_schema(
        core_schema.chain_schema([text, core_schema.datetime_schema()]),
        custom_error_type="time",
        custom_error_message="expected a date and time as YYYY-MM-DD HH:MM:SS",
    )


Text = str | None
Id = Annotated[str, StringConstraints(min_length=1)]
Number = float | Decimal
Amount = Annotated[Number, GetPydanticSchema(lambda _, __: _amount())]
Time = Annotated[datetime, GetPydanticSchema(lambda _, __: _time())]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


as_told = with_config(ConfigDict(extra="ignore", coerce_numbers_to_str=True))
"""Fields that we do not know stay in the raw payload. A text may be empty where the vendor has nothing to say."""


@lru_cache(maxsize=50_000)
def exact(amount: Number | None) -> Decimal:
    """The number as it was told, without zeros at its end; nothing is 0. Equal numbers are written alike.

    Most numbers of a shop (0, prices, rates) come again and again: they are found, not made.
    """
    told = amount if isinstance(amount, Decimal) else Decimal(repr(amount or 0.0))
    return Decimal(int(told)) if told == int(told) else told.normalize()


def kept(amount: Number) -> Decimal:
    """The amount as the vendor keeps it, with four decimals; digits behind them are dust of PHP's floats."""
    return exact(amount).quantize(_FOUR_DECIMALS)


@lru_cache(maxsize=50_000)
def told_money(amount: Number, currency: str) -> Money:
    """The amount as the vendor keeps it, in its currency."""
    return money(str(kept(amount)), currency)


@as_told
class CustomAttribute(TypedDict, total=False):
    """A value that the shop keeps about a customer."""

    attribute_code: Required[str]
    value: Any


@as_told
class Region(TypedDict, total=False):
    """A state or province."""

    region: Text
    region_code: Text


@as_told
class CustomerAddress(TypedDict, total=False):
    """An address in a customer's book."""

    company: Text
    street: list[str]
    postcode: Text
    city: Text
    region: Region
    country_id: Text
    telephone: Text
    default_billing: bool | None
    default_shipping: bool | None


@as_told
class CustomerExtension(TypedDict, total=False):
    """What modules add to a customer."""

    is_subscribed: bool | None
    """Absent in some answers: then nothing is said about it."""


@as_told
class Balance(TypedDict, total=False):
    """Store credit on one website."""

    amount: Required[Amount]
    base_currency_code: Text


@as_told
class CustomerApart(TypedDict, total=False):
    """Added by us to a customer: what was read apart from the list."""

    is_subscribed: bool | None
    balance: Balance | None


@as_told
class Customer(TypedDict, total=False):
    """A registered customer of one website."""

    id: Required[Id]
    email: Text
    firstname: Text
    middlename: Text
    lastname: Text
    prefix: Text
    suffix: Text
    dob: Text
    gender: Text
    group_id: Text
    taxvat: Text
    confirmation: Text
    """A key as long as the customer has not confirmed the e-mail address."""
    website_id: Text
    store_id: Text
    created_in: Text
    created_at: Time | None
    updated_at: Time | None
    addresses: list[CustomerAddress]
    custom_attributes: list[CustomAttribute]
    extension_attributes: CustomerExtension
    read_apart: CustomerApart
