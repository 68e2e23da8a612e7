"""The lines of a receipt after voids and signs are settled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connectors.pos.receipt import TillDiscount, TillLine, TillTax
from models.landing import Reason
from models.orders import Discount, Money, OrderLine, Tax


@dataclass(frozen=True, slots=True)
class Goods:
    """What was bought and brought back."""

    lines: tuple[OrderLine, ...]
    sum: Decimal
    """Of the lines in the currency of the receipt."""
    kind: Literal["sale", "return", "exchange"]
    voided: tuple[str, ...]
    """line_ids that the cashier took back."""
    adjustments: tuple[str, ...]
    """line_ids that corrected the stock and moved no money."""
    reasons: tuple[Reason, ...]


def goods_of(told: Sequence[TillLine], currency: str) -> Goods:
    """Drop voided lines together with the lines they take back, and give every return its sign."""
    dropped = [line for line in told if line.dropped]
    void = {line.line_id for line in dropped} | {line.voids for line in dropped if line.voids}
    adjustments = tuple(line.line_id for line in told if _is_stock_only(line))
    left_out = void.union(adjustments)
    reasons = []
    lines = []
    total = Decimal(0)
    for index, line in enumerate(told):
        if line.line_id in left_out:
            continue
        amount = _amount(line)
        if amount is None:
            reasons.append(Reason(path=f"lines[{index}].amount", problem="neither an amount nor a unit price"))
            continue
        found = _order_line(line, amount, currency)
        lines.append(found)
        total += found.amount.amount if found.amount.currency == currency else 0
    return Goods(tuple(lines), total, _kind(lines), tuple(sorted(void)), adjustments, tuple(reasons))


def _is_stock_only(line: TillLine) -> bool:
    return line.kind == "adjustment" and not line.amount


def _amount(line: TillLine) -> Decimal | None:
    if line.amount is None and line.unit_price is not None:
        return line.unit_price * line.quantity
    return line.amount


def _is_return(line: TillLine, amount: Decimal) -> bool:
    return line.kind == "return" or line.quantity < 0 or amount < 0


def _order_line(line: TillLine, amount: Decimal, currency: str) -> OrderLine:
    """Some tills write a return with one negative sign, some with two, some with none."""
    back = _is_return(line, amount) and line.kind != "adjustment"
    money = line.currency or currency
    return OrderLine(
        line_id=line.line_id,
        sku=line.sku,
        name=line.name,
        quantity=-abs(line.quantity) if back else line.quantity,
        unit_price=None if line.unit_price is None else Money(amount=abs(line.unit_price), currency=money),
        amount=Money(amount=-abs(amount) if back else amount, currency=money),
        discounts=tuple(_discounts(line.discounts, money)) if line.discounts else (),
        taxes=tuple(_taxes(line.taxes, money)) if line.taxes else (),
        returns_line=_returned(line) if back else None,
    )


def _discounts(told: Iterable[TillDiscount], currency: str) -> Iterable[Discount]:
    for discount in told:
        money = Money(amount=abs(discount.amount), currency=discount.currency or currency)
        yield Discount(code=discount.code, name=discount.name, amount=money)


def _taxes(told: Iterable[TillTax], currency: str) -> Iterable[Tax]:
    for tax in told:
        money = Money(amount=tax.amount, currency=tax.currency or currency)
        yield Tax(name=tax.name, rate=tax.rate, amount=money, included=bool(tax.included))


def _returned(line: TillLine) -> str | None:
    """`receipt/line` of what was bought, as far as the till says: the whole key, or its own transaction id."""
    link = line.link
    if link is None:
        return None
    receipt = link.transaction_id
    if link.store and link.till and link.business_day and link.sequence:
        receipt = f"{link.store}-{link.till}-{link.business_day.isoformat()}-{link.sequence}"
    return f"{receipt}/{link.line}" if receipt and link.line else receipt


def _kind(lines: Sequence[OrderLine]) -> Literal["sale", "return", "exchange"]:
    signs = {line.quantity < 0 for line in lines}
    if signs == {True}:
        return "return"
    return "exchange" if len(signs) == 2 else "sale"
