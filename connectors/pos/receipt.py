"""A receipt in the till's own words, whichever shape it came in. Only here do texts become numbers and times."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    StringConstraints,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema

from models.landing import Reason
from models.orders import Currency

_NUMBER: Final = r"^[+-]?([0-9]{1,13}(\.[0-9]{0,8})?|\.[0-9]{1,8})$"
_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(T[\d:.]+)?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
Moment = TypeVar("Moment", date, datetime)

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)


def _from_digits(number: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - Decimal or int
    """A number out of plain digits, checked without a call of Python: receipts are full of them."""
    plain = core_schema.str_schema(strip_whitespace=True, pattern=_NUMBER)
    told = core_schema.custom_error_schema(
        plain, custom_error_type="plain_number", custom_error_message="expected a plain decimal number"
    )
    return core_schema.chain_schema([told, handler(number)])


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _DAY.fullmatch(value.strip())
    if found is None:
        raise ValueError("expected a day as YYYY-MM-DD")
    return found[1]


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _TIME.fullmatch(value.strip()):
        raise ValueError("expected a time as YYYY-MM-DDThh:mm:ss, with or without a zone")
    try:
        return datetime.fromisoformat(value.strip().replace(",", "."))
    except ValueError:
        raise ValueError("there is no such time") from None


def _of_our_days(value: Moment) -> Moment:
    """Far from both ends of the calendar, where a change of zones would fall off it."""
    if not 1900 <= value.year <= 2200:
        raise ValueError("expected a year between 1900 and 2200")
    return value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Number = Annotated[Decimal, GetPydanticSchema(_from_digits)]
WholeNumber = Annotated[int, GetPydanticSchema(_from_digits)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]
"""A part of a key: it is written into logs."""
Day = Annotated[date, BeforeValidator(_day)]
BusinessDay = Annotated[Day, AfterValidator(_of_our_days)]
TillTime = Annotated[datetime, BeforeValidator(_time), AfterValidator(_of_our_days)]
"""With its zone if the till wrote one; the store's zone is the caller's to add."""


class Till(BaseModel):
    """Ground of the words of the till: frozen, and what we have no word for is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TillLink(Till):
    """Another receipt, as far as this one names it."""

    store: Code | None = None
    till: Code | None = None
    business_day: Day | None = None
    sequence: Code | None = None
    transaction_id: Text | None = None
    line: Text | None = None


class TillDiscount(Till):
    """A reduction of a line or of the receipt; the sign is the till's."""

    code: Text | None = None
    name: Text | None = None
    amount: Number
    currency: Currency | None = None


class TillTax(Till):
    """A tax; `included` None where the till does not say."""

    name: Text | None = None
    rate: Number | None = None
    amount: Number
    currency: Currency | None = None
    included: bool | None = None


class TillLine(Till):
    """A position as told, before signs and voids are settled."""

    line_id: Text
    kind: Literal["sale", "return", "adjustment"]
    sku: Text | None = None
    name: Text | None = None
    quantity: Number = Decimal(1)
    unit_price: Number | None = None
    amount: Number | None = None
    currency: Currency | None = None
    discounts: tuple[TillDiscount, ...] = ()
    taxes: tuple[TillTax, ...] = ()
    link: TillLink | None = None
    dropped: bool = False
    """Voided, cancelled or deleted by the cashier."""
    voids: Text | None = None
    """line_id of the line that this one takes back."""


class TillTender(Till):
    """A payment, or with `paid_back` money that left the till."""

    tender: Text
    amount: Number
    currency: Currency | None = None
    reference: Text | None = None
    paid_back: bool = False


class TillAccount(Till):
    """A loyalty account as captured."""

    account: Text
    programme: Text | None = None
    balance: WholeNumber | None = None


class TillPoints(Till):
    """Points that the receipt says were earned or redeemed."""

    movement: Literal["earn", "redeem"]
    points: WholeNumber


class TillReceipt(Till):
    """One transaction that may be posted."""

    store: Code
    till: Code
    sequence: Code
    business_day: BusinessDay | None = None
    transaction_id: Text | None = None
    status: Text | None = None
    at: TillTime | None = None
    cashier: Text | None = None
    currency: Currency | None = None
    total: Number | None = None
    net_total: Number | None = None
    tax_total: Number | None = None
    lines: tuple[TillLine, ...] = ()
    discounts: tuple[TillDiscount, ...] = ()
    taxes: tuple[TillTax, ...] = ()
    tenders: tuple[TillTender, ...] = ()
    person: dict[str, Any] | None = None
    """What a Person is made of."""
    opted_out: bool = False
    accounts: tuple[TillAccount, ...] = ()
    points: tuple[TillPoints, ...] = ()
    post_voids: TillLink | None = None
    """The receipt that this one voids; without any part in it, the receipt of the same key."""
    attributes: dict[str, str] = Field(default_factory=dict)


class Unposted(Till):
    """A transaction that is no purchase: opening a drawer, training, a cancelled or suspended sale."""

    why: str


def receipt_of(told: dict[str, Any]) -> TillReceipt | tuple[Reason, ...]:
    """Check what a reader found. Reasons name paths and problems, never values."""
    try:
        return TillReceipt.model_validate(told)
    except ValidationError as error:
        return reasons_of(error)


def reasons_of(error: ValidationError) -> tuple[Reason, ...]:
    """What pydantic found, as reasons that may be logged."""
    return tuple(
        Reason(path=_path(problem["loc"]), problem=problem["msg"].removeprefix("Value error, "))
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _path(parts: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")
