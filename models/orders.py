"""Orders and receipts: what was bought, paid, sent, brought back and refunded. Money is Decimal with its currency."""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from models.base import Frozen, Moment
from models.loyalty import LoyaltyEntry
from models.records import Person

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
OrderChannel = Literal["web", "app", "pos", "phone"]
PaymentStatus = Literal["pending", "authorised", "paid", "part_refunded", "refunded", "failed", "unknown"]


LARGEST_AMOUNT = 10**13
"""From here on it is no price in any currency, and soon no number that a warehouse can hold."""


class Money(Frozen):
    """An amount and its ISO 4217 currency. Amounts of two currencies are never added."""

    amount: Annotated[Decimal, Field(gt=-LARGEST_AMOUNT, lt=LARGEST_AMOUNT)]
    currency: Currency

    def __add__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added")
        return Money(amount=self.amount + other.amount, currency=self.currency)


@lru_cache(maxsize=10_000)
def money(amount: str, currency: str) -> Money:
    """An amount written as a source writes it, e.g. `19.9900`. Prices repeat, so a recent one is made only once.

    By its text and not as a Decimal: 1.5 and 1.50 are equal and yet not written alike; which of them came first must
    not show in what is stored. Raises ValidationError for what is no finite number or no ISO 4217 code.
    """
    return Money.model_validate({"amount": amount, "currency": currency})


class Discount(Frozen):
    """A reduction, positive amount."""

    code: str | None = None
    name: str | None = None
    amount: Money


class Tax(Frozen):
    """A tax that is contained in or added to the total; `included` says which."""

    name: str | None = None
    rate: Decimal | None = None
    """In percent: 19 is 19 %."""
    amount: Money
    included: bool = False


class OrderLine(Frozen):
    """One position. A return line has a negative quantity and a negative amount."""

    line_id: str
    sku: str | None = None
    name: str | None = None
    quantity: Decimal
    unit_price: Money | None = None
    amount: Money
    """What the line adds to the order's total before order-level discounts."""
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    returns_line: str | None = None
    """For a return at the till: order and line it brings back, where the receipt says."""


class Tender(Frozen):
    """A payment. Card numbers never appear here, masked or not."""

    tender: str
    """card, cash, voucher, loyalty, invoice ... in the source's own word."""
    amount: Money
    reference: str | None = None
    at: Moment | None = None


class Fulfilment(Frozen):
    """A shipment or a collection."""

    fulfilment_id: str
    method: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    status: str | None = None
    at: Moment | None = None
    lines: tuple[str, ...] = ()
    """line_ids; empty means the whole order."""


class Return(Frozen):
    """Goods that came back."""

    return_id: str
    line: str | None = None
    quantity: Decimal
    state: str | None = None
    reason: str | None = None
    at: Moment | None = None


class Refund(Frozen):
    """Money that went back, positive amount."""

    refund_id: str
    amount: Money
    reason: str | None = None
    at: Moment | None = None


class Order(Frozen):
    """An order of a shop or a receipt of a till, current as of its record."""

    kind: Literal["order"] = "order"
    number: str
    """What the customer sees: order number, or store-till-day-sequence of a receipt."""
    transaction: Literal["sale", "return", "exchange", "void"] = "sale"
    status: str
    """The source's own word."""
    payment_status: PaymentStatus = "unknown"
    placed_at: Moment
    channel: OrderChannel
    brand: str | None = None
    store: str | None = None
    till: str | None = None
    cashier: str | None = None
    business_day: date | None = None
    sequence: str | None = None
    """Receipt number at the till, as text: leading zeros count."""
    currency: Currency
    locale: str | None = None
    customer: str | None = None
    """source_id of a customer of the same source; None for a guest."""
    person: Person | None = None
    """Who bought, as captured on the order or at the till."""
    loyalty_number: str | None = None
    total: Money
    """What the customer owed in the end, taxes included. Negative for a return at the till."""
    lines: tuple[OrderLine, ...] = ()
    discounts: tuple[Discount, ...] = ()
    """Reductions of the whole order, not those of its lines."""
    taxes: tuple[Tax, ...] = ()
    tenders: tuple[Tender, ...] = ()
    fulfilments: tuple[Fulfilment, ...] = ()
    returns: tuple[Return, ...] = ()
    refunds: tuple[Refund, ...] = ()
    loyalty: tuple[LoyaltyEntry, ...] = ()
    settlements: tuple[str, ...] = ()
    """source_ids of settlements that a source keeps apart from the order."""
    reverses: str | None = None
    """number of the receipt that this one voids."""
    attributes: dict[str, str] = Field(default_factory=dict)


class Settlement(Frozen):
    """Tenders, fulfilments and refunds that a source tells apart from the order, and that change without it."""

    kind: Literal["settlement"] = "settlement"
    order: str | None = None
    """source_id of the order; None where the order refers to the settlement instead."""
    tenders: tuple[Tender, ...] = ()
    fulfilments: tuple[Fulfilment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    returns: tuple[Return, ...] = ()
