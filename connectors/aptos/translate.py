"""Our words to the subjects that the Aptos field map picks from. Pure: the same document gives the same subjects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.payload import Payload
from connectors.transforms import record_system
from models.base import Moment
from models.landing import Reason
from models.orders import Money, Order, OrderLine, Refund, Return
from models.profiles import AttachedOrder, ProfileDocument
from models.records import RecordKey

_NO_MINOR_UNIT = {"CLP", "ISK", "JPY", "KRW", "VND"}


@dataclass(frozen=True)
class Transaction:
    """One posting: its natural key, its content, and what forbids sending it."""

    key: Payload
    content: Payload
    problems: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class OrderWords:
    """The sources' own words, in lower case, that decide which postings an order makes."""

    unplaced: frozenset[str]
    cancelled: frozenset[str]
    return_expected: frozenset[str]


def customer(document: ProfileDocument) -> Payload:
    """The document with its facts by name, and every record key by which a transaction may refer to the profile."""
    told = document.model_dump(mode="json", exclude={"orders"})
    keys = {*document.records, *(attached.record for attached in document.orders)}
    return {
        **told,
        "facts": {fact.name: fact.value for fact in document.facts},
        "record_keys": sorted(keys),
        "no_keys": [],
    }


def loyalty(document: ProfileDocument, plans: Mapping[str, Any]) -> list[Payload]:
    """One subject per account. Accounts are few, transactions many: only these are told again when a profile moves."""
    key = {"system": "golden", "value": document.profile.profile}
    members = sorted(document.loyalty, key=lambda member: (member.programme, member.account))
    return [
        {**member.model_dump(mode="json"), "plan": plans.get(member.programme), "customer_key": key}
        for member in members
    ]


def transactions(orders: Sequence[AttachedOrder], words: OrderWords) -> Iterator[Transaction]:
    """The postings of all orders, oldest first.

    A posting is written once. What may still change about an order (its status, its returns and refunds, the profile
    it belongs to) is therefore never inside one: it becomes a posting of its own, or follows from the record's key.
    """
    for attached in sorted(orders, key=lambda attached: (attached.order.placed_at, attached.record)):
        if attached.order.status.lower() not in words.unplaced:
            yield _sale(attached)
            if attached.order.channel != "pos":
                yield from _aftermath(attached, words)


def _aftermath(attached: AttachedOrder, words: OrderWords) -> Iterator[Transaction]:
    """What followed a web order. At a till it would be a receipt of its own."""
    order = attached.order
    for refund in sorted(order.refunds, key=lambda refund: refund.refund_id):
        yield _refund(attached, refund)
    for returned in sorted(order.returns, key=lambda returned: returned.return_id):
        if (returned.state or "").lower() not in words.return_expected:
            yield _return(attached, returned)
    if order.status.lower() in words.cancelled:
        yield _void(attached)


def _sale(attached: AttachedOrder) -> Transaction:
    order = attached.order
    lines = sorted(order.lines, key=lambda line: (len(line.line_id), line.line_id))
    told = {
        "type": order.transaction,
        "status": "post_voided" if order.transaction == "void" else "finished",
        "card_number": order.loyalty_number,
        "original": None if order.reverses is None else {"number": order.reverses},
        "totals": _totals(order),
        "lines": [_line(seq, line) for seq, line in enumerate(lines, start=1)],
        "tenders": _tenders(order),
    }
    return Transaction(_key(attached), _about(attached, order.placed_at) | told, _foreign_money(order))


def _refund(attached: AttachedOrder, refund: Refund) -> Transaction:
    """Money that went back; the goods are told by the return."""
    paid_back = _amount(Money(amount=-refund.amount.amount, currency=refund.amount.currency))
    told = {
        "type": "return",
        "original": _original(attached),
        "totals": {"gross": paid_back},
        "lines": [],
        "tenders": [{"tender": "refund", "amount": paid_back}],
    }
    content = _about(attached, refund.at or attached.order.placed_at) | told | {"currency": refund.amount.currency}
    return Transaction(_key(attached, "refund", refund.refund_id), content)


def _return(attached: AttachedOrder, returned: Return) -> Transaction:
    """Goods that came back; the money is told by the refund, so the amount is nought and never counts twice."""
    order = attached.order
    line = next((line for line in order.lines if line.line_id == returned.line), None)
    item = {
        "seq": 1,
        "item": (line.sku or line.line_id) if line is not None else (returned.line or returned.return_id),
        "description": None if line is None else line.name,
        "quantity": _plain(-returned.quantity),
        "amount": _amount(Money(amount=Decimal(0), currency=order.currency)),
        "kind": "return",
    }
    told = {"type": "return", "original": _original(attached), "lines": [item]}
    return Transaction(
        _key(attached, "return", returned.return_id), _about(attached, returned.at or order.placed_at) | told
    )


def _void(attached: AttachedOrder) -> Transaction:
    """The sale does not count any more. It carries no money, so refunds told before or after are not counted twice."""
    order = attached.order
    told = {"type": "void", "status": "post_voided", "original": _original(attached), "lines": []}
    return Transaction(_key(attached, "void"), _about(attached, order.placed_at) | told)


def _about(attached: AttachedOrder, occurred_at: Moment) -> Payload:
    """What all postings of an order share. The customer is the record's own key: it stays when profiles merge."""
    return {
        "status": "finished",
        "channel": attached.order.channel,
        "occurred_at": _moment(occurred_at),
        "currency": attached.order.currency,
        "customer_key": record_system(RecordKey.parse(attached.record)),
        "order_reference": attached.order.number,
    }


def _key(attached: AttachedOrder, *suffix: str) -> Payload:
    """Store, workstation, day and sequence of the sale; what follows a sale adds to its sequence and keeps its day.

    The day must not depend on when a return is told, or the same return could be posted under two keys.
    """
    order, source = attached.order, RecordKey.parse(attached.record).source
    at_till = order.channel == "pos"
    sequence = (order.sequence or order.number) if at_till else order.number
    return {
        "store": (order.store if at_till else order.brand) or order.channel,
        "workstation": (order.till if at_till else None) or source,
        "business_day": _day(order.business_day if at_till else None, order.placed_at),
        "sequence": "-".join([sequence, *suffix]),
    }


def _day(business_day: date | None, placed_at: Moment) -> str:
    return (business_day or placed_at.date()).isoformat()


def _original(attached: AttachedOrder) -> Payload:
    return {"number": attached.order.number, **_key(attached)}


def _line(seq: int, line: OrderLine) -> Payload:
    return {
        "seq": seq,
        "item": line.sku or line.line_id,
        "description": line.name,
        "quantity": _plain(line.quantity),
        "amount": _amount(line.amount),
        "kind": "return" if line.quantity < 0 else "sale",
    }


def _tenders(order: Order) -> list[Payload] | None:
    """Payments of a receipt. Those of a web order go on changing after it was placed, so they are not told."""
    if order.channel != "pos":
        return None
    return [{"tender": tender.tender, "amount": _amount(tender.amount)} for tender in order.tenders]


def _totals(order: Order) -> Payload:
    tax = _sum(order, (tax.amount for tax in order.taxes))
    of_lines = (discount.amount for line in order.lines for discount in line.discounts)
    discount = _sum(order, (*of_lines, *(discount.amount for discount in order.discounts)))
    net = Money(amount=order.total.amount - tax.amount, currency=order.currency)
    return {"gross": _amount(order.total), "net": _amount(net), "tax": _amount(tax), "discount": _amount(discount)}


def _sum(order: Order, amounts: Iterable[Money]) -> Money:
    own = (money.amount for money in amounts if money.currency == order.currency)
    return Money(amount=sum(own, Decimal(0)), currency=order.currency)


def _foreign_money(order: Order) -> tuple[Reason, ...]:
    """A posting has one currency; an order that mixes them is not sent rather than added up."""
    told = [("total", order.total), *((f"lines[{n}].amount", line.amount) for n, line in enumerate(order.lines))]
    told += [(f"taxes[{n}].amount", tax.amount) for n, tax in enumerate(order.taxes)]
    told += [(f"discounts[{n}].amount", discount.amount) for n, discount in enumerate(order.discounts)]
    told += [
        (f"tenders[{n}].amount", tender.amount) for n, tender in enumerate(order.tenders) if order.channel == "pos"
    ]
    wrong = (path for path, money in told if money.currency != order.currency)
    return tuple(Reason(path=path, problem="not in the currency of the order") for path in wrong)


def _moment(at: Moment) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _plain(number: Decimal) -> str:
    """Without exponent and without zeros that say nothing: 1 and 1.000 are the same quantity."""
    text = format(number + 0, "f")  # adding nought takes the sign off nought
    return text.rstrip("0").rstrip(".") if "." in text else text


def _amount(money: Money) -> str:
    """With the currency's usual decimals, more only where they are needed."""
    places = 0 if money.currency in _NO_MINOR_UNIT else 2
    exact = _plain(money.amount)
    decimals = len(exact.partition(".")[2])
    return exact if decimals >= places else format(money.amount, f".{places}f")
