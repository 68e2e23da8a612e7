"""A receipt of the till into an order of ours: key, signs, voids, times and the figures of quality. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, Literal

from connectors.pos.goods import Goods, goods_of
from connectors.pos.receipt import TillAccount, TillDiscount, TillLink, TillReceipt, TillTender
from connectors.pos.terms import Terms
from models.consent import Channel, ConsentEvent
from models.landing import Reason
from models.loyalty import EntryKind, LoyaltyEntry, LoyaltyMember
from models.orders import Discount, Money, Order, PaymentStatus, Tax, Tender
from models.records import ContactPoint, Person

Kind = Literal["sale", "return", "exchange", "void"]

_CHANNELS: Final[Mapping[str, tuple[Channel, ...]]] = {"email": ("email",), "phone": ("phone", "sms")}
_PAYMENT: Final[Mapping[Kind, PaymentStatus]] = {
    "sale": "paid",
    "exchange": "paid",
    "return": "refunded",
    "void": "unknown",
}


def receipt_key(store: str, till: str, business_day: date, sequence: str) -> str:
    """The name of a receipt. Counters of tills wrap, so the day is part of it; zeros in front are kept."""
    return f"{store}-{till}-{business_day.isoformat()}-{sequence}"


def order_of(receipt: TillReceipt, terms: Terms) -> Order | tuple[Reason, ...]:
    """The order that a receipt tells, or every reason why it tells none."""
    currency = receipt.currency or terms.default_currency
    goods = goods_of(receipt.lines, currency) if currency else None
    day = business_day_of(receipt, terms)
    reasons = [] if currency else [Reason(path="currency", problem="no currency, neither here nor in the settings")]
    reasons += [] if day else [Reason(path="business_day", problem="neither a business day nor a time")]
    reasons += goods.reasons if goods else ()
    if reasons or currency is None or goods is None or day is None:
        return tuple(reasons)
    return _order(receipt, terms, currency, goods, day)


def business_day_of(receipt: TillReceipt, terms: Terms) -> date | None:
    """The business day as told, else the day on which it happened."""
    if receipt.business_day or receipt.at is None:
        return receipt.business_day
    return terms.day(receipt.at, receipt.store)


def _order(receipt: TillReceipt, terms: Terms, currency: str, goods: Goods, day: date) -> Order:
    kind: Kind = "void" if receipt.post_voids is not None else goods.kind
    key = receipt_key(receipt.store, receipt.till, day, receipt.sequence)
    at = placed_at(receipt, terms, day)
    brand = terms.brands.get(receipt.store)
    reverses = (_named(receipt.post_voids, receipt, day) or key) if receipt.post_voids is not None else None
    total, total_from = _total(receipt, goods, kind)
    return Order(
        number=key,
        transaction=kind,
        status=receipt.status or "not stated",
        payment_status=_PAYMENT[kind],
        placed_at=at,
        channel="pos",
        brand=brand,
        store=receipt.store,
        till=receipt.till,
        cashier=receipt.cashier,
        business_day=day,
        sequence=receipt.sequence,
        currency=currency,
        person=None if receipt.person is None else _person(receipt, receipt.person, terms, at, brand),
        loyalty_number=receipt.accounts[0].account if receipt.accounts else None,
        total=Money(amount=total, currency=currency),
        lines=goods.lines,
        discounts=tuple(_discount(discount, currency) for discount in receipt.discounts),
        taxes=tuple(_taxes(receipt, currency, goods, total)),
        tenders=tuple(_tender(tender, currency) for tender in receipt.tenders),
        loyalty=tuple(_entries(receipt, terms, _Moved(key, kind, at, reverses))) if receipt.points else (),
        reverses=reverses,
        attributes=receipt.attributes | _quality(receipt, goods, total, total_from),
    )


def placed_at(receipt: TillReceipt, terms: Terms, day: date) -> datetime:
    """When it happened; of a receipt without any time, the first moment of its day."""
    return terms.moment(receipt.at or datetime.combine(day, time.min), receipt.store)


def _named(link: TillLink, receipt: TillReceipt, day: date) -> str | None:
    """The key of a linked receipt; what the link leaves out is as on this one."""
    if link.sequence is None:
        return link.transaction_id
    return receipt_key(link.store or receipt.store, link.till or receipt.till, link.business_day or day, link.sequence)


def _total(receipt: TillReceipt, goods: Goods, kind: Kind) -> tuple[Decimal, str]:
    """What the till says was owed, else what was paid, else net and tax, else the lines; and which of them."""
    paid = sum((-t.amount.copy_abs() if t.paid_back else t.amount for t in receipt.tenders), Decimal(0))
    if receipt.total is not None:
        told, where = receipt.total, "till"
    elif receipt.tenders:
        told, where = paid, "tenders"
    elif receipt.net_total is not None and receipt.tax_total is not None:
        told, where = receipt.net_total + receipt.tax_total, "net_and_tax"
    else:
        return goods.sum, "lines"
    unsigned = abs(told) == abs(goods.sum) and goods.sum < 0
    return (-abs(told) if kind == "return" or unsigned else told), where


def _quality(receipt: TillReceipt, goods: Goods, total: Decimal, total_from: str) -> dict[str, str]:
    told = {
        "line_sum": str(goods.sum),
        "line_difference": str(total - goods.sum),
        "total_from": total_from if total_from != "till" else None,
        "business_day_from": None if receipt.business_day else "time",
        "time_from": None if receipt.at else "business_day",
        "voided_lines": ",".join(goods.voided) or None,
        "adjustments": ",".join(goods.adjustments) or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _discount(told: TillDiscount, currency: str) -> Discount:
    return Discount(
        code=told.code, name=told.name, amount=Money(amount=abs(told.amount), currency=told.currency or currency)
    )


def _taxes(receipt: TillReceipt, currency: str, goods: Goods, total: Decimal) -> Sequence[Tax]:
    """Taxes of the receipt; unless the till says it, they are included if the lines reach the total without them."""
    if not receipt.taxes and not receipt.tax_total:
        return ()
    reduced = sum((abs(discount.amount) for discount in receipt.discounts), Decimal(0))
    reached = abs(goods.sum) - reduced >= abs(total)
    if not receipt.taxes and receipt.tax_total:
        return (Tax(amount=Money(amount=receipt.tax_total, currency=currency), included=reached),)
    return [
        Tax(
            name=tax.name,
            rate=tax.rate,
            amount=Money(amount=tax.amount, currency=tax.currency or currency),
            included=reached if tax.included is None else tax.included,
        )
        for tax in receipt.taxes
    ]


def _tender(told: TillTender, currency: str) -> Tender:
    amount = -abs(told.amount) if told.paid_back else told.amount
    return Tender(
        tender=told.tender, amount=Money(amount=amount, currency=told.currency or currency), reference=told.reference
    )


def _person(receipt: TillReceipt, told: dict[str, Any], terms: Terms, at: datetime, brand: str | None) -> Person:
    refusals = [
        ConsentEvent(contact_point=point.value, channel=channel, brand=brand, status="opt_out", at=at)
        for point in (told.get("contact_points", ()) if receipt.opted_out else ())
        for channel in _channels(point)
    ]
    accounts = tuple(_member(account, terms) for account in receipt.accounts)
    return Person(**told, brand=brand, consents=tuple(refusals), loyalty=accounts)


def _channels(point: ContactPoint) -> tuple[Channel, ...]:
    return _CHANNELS[point.kind]


def _member(account: TillAccount, terms: Terms) -> LoyaltyMember:
    return LoyaltyMember(account=account.account, programme=terms.programme(account.programme), balance=account.balance)


@dataclass(frozen=True, slots=True)
class _Moved:
    """Which receipt moved points, and how."""

    key: str
    kind: Kind
    at: datetime
    reverses: str | None


def _entries(receipt: TillReceipt, terms: Terms, moved: _Moved) -> Iterator[LoyaltyEntry]:
    """Points of the receipt, summed by movement, on the account that was shown first."""
    movements: tuple[Literal["earn", "redeem"], ...] = ("earn", "redeem") if receipt.accounts else ()
    for movement in movements:
        told = [points.points for points in receipt.points if points.movement == movement]
        points = _signed(sum(told), movement, moved.kind)
        if points:
            account = receipt.accounts[0]
            yield LoyaltyEntry(
                account=account.account,
                programme=terms.programme(account.programme),
                external_id=f"pos:{moved.key}:{movement}" + (":void" if moved.reverses == moved.key else ""),
                movement=_movement(points, movement),
                points=points,
                at=moved.at,
                order=moved.key,
                reverses=f"pos:{moved.reverses}:{movement}" if moved.reverses else None,
            )


def _signed(points: int, movement: str, kind: Kind) -> int:
    """Earned points add and redeemed points take; a return and a void do the opposite, whatever sign the till wrote."""
    if kind in ("return", "void"):
        return -abs(points) if movement == "earn" else abs(points)
    return points if movement == "earn" else -abs(points)


def _movement(points: int, movement: Literal["earn", "redeem"]) -> EntryKind:
    if movement == "earn":
        return "earn" if points > 0 else "reverse_earn"
    return "redeem" if points < 0 else "reverse_redeem"
