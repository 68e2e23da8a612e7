"""Invoices, shipments and credit memos: what becomes of an order, told apart from it and later."""

from collections.abc import Iterator
from decimal import Decimal

from connectors.magento.payloads import exact, told_money
from connectors.magento.payloads_order import (
    CreditMemo,
    FollowsOrder,
    Invoice,
    ReturnRequest,
    Shipment,
    Transaction,
)
from connectors.magento.terms import Terms
from models.engagement import Event
from models.orders import Fulfilment, Refund, Return, Settlement, Tender

_PAID, _CANCELED = 2, 3


def invoice_body(told: Invoice, terms: Terms) -> Settlement:
    """Money that came, if it did: an invoice may be open or canceled. How it was paid only the order knows."""
    if told.get("state") != _PAID or exact(told["grand_total"]) <= 0:
        return Settlement(order=told["order_id"])
    order = told.get("read_apart", {}).get("order")
    payment = order.get("payment", {}) if order else {}
    came = Tender(
        tender=payment.get("method") or "unknown",
        amount=told_money(told["grand_total"], told["order_currency_code"]),
        reference=told.get("transaction_id") or None,
        at=terms.moment(told.get("created_at")),
    )
    return Settlement(order=told["order_id"], tenders=(came,))


def credit_memo_body(told: CreditMemo, terms: Terms) -> Settlement:
    """Money that went back, vouchers included, and the goods that it was for. A canceled one did nothing."""
    if told.get("state") == _CANCELED:
        return Settlement(order=told["order_id"])
    at, vouchers = terms.moment(told.get("created_at")), told.get("extension_attributes", {})
    credit, cards = exact(vouchers.get("customer_balance_amount")), exact(vouchers.get("gift_cards_amount"))
    back = exact(told["grand_total"]) + credit + cards
    refund = Refund(
        refund_id=told["entity_id"],
        amount=told_money(back, told["order_currency_code"]),
        reason=next((comment for remark in told.get("comments", ()) if (comment := remark.get("comment"))), None),
        at=at,
    )
    return Settlement(
        order=told["order_id"],
        refunds=(refund,) if back > 0 else (),
        returns=tuple(
            Return(return_id=f"{told['entity_id']}:{line}", line=line, quantity=quantity, at=at)
            for line, quantity in _pieces(told).items()
            if quantity > 0
        ),
    )


def shipment_body(told: Shipment, terms: Terms) -> Settlement:
    """One fulfilment per parcel; a shipment without a parcel is one too."""
    return Settlement(order=told["order_id"], fulfilments=tuple(_parcels(told, terms)))


def transaction_body(told: Transaction, terms: Terms) -> Settlement:
    """To which order it belongs. It has no amount: the money is told by invoices and credit memos."""
    return Settlement(order=told["order_id"])


def return_body(told: ReturnRequest, terms: Terms) -> Event:
    """That somebody asked to bring goods back. Not yet a return: the same goods would count twice, here and there."""
    told_apart = {
        "number": told.get("increment_id"),
        "status": told.get("status"),
        "lines": ", ".join(
            f"{one['order_item_id']}: {exact(one.get('qty_requested'))}" for one in told.get("items", ())
        ),
    }
    return Event(
        event="return",
        at=terms.in_utc(told["date_requested"]),
        customer=told.get("customer_id") or None if told.get("customer_id") != "0" else None,
        order=told["order_id"],
        channel=terms.view(told.get("store_id")).channel,
        store=told.get("store_id") or None,
        attributes={name: value for name, value in told_apart.items() if value},
    )


def _parcels(told: Shipment, terms: Terms) -> Iterator[Fulfilment]:
    lines, left, parcels = tuple(_pieces(told)), terms.moment(told.get("created_at")), told.get("tracks", ())
    if not parcels:
        yield Fulfilment(fulfilment_id=told["entity_id"], status="shipped", at=left, lines=lines)
    for place, parcel in enumerate(parcels):
        yield Fulfilment(
            fulfilment_id=f"{told['entity_id']}-{parcel.get('entity_id') or place}",
            method=parcel.get("carrier_code") or None,
            carrier=parcel.get("title") or parcel.get("carrier_code") or None,
            tracking_number=parcel.get("track_number") or None,
            status="shipped",
            at=terms.moment(parcel.get("created_at")) or left,
            lines=lines,
        )


def _pieces(told: FollowsOrder) -> dict[str, Decimal]:
    """Pieces by line of the order. The item below a configurable one is the same goods told again.

    Where only parts of a bundle are told, the bundle's line stands for them, with the most of any part.
    Without the order, what has a price counts by itself.
    """
    order, items = told.get("read_apart", {}).get("order"), told.get("items", ())
    if order is None:
        priced = [item for item in items if exact(item.get("price")) > 0] or items
        return {item["order_item_id"]: exact(item.get("qty")) for item in priced}
    parents = {item["item_id"]: parent for item in order.get("items", ()) if (parent := item.get("parent_item_id"))}
    own = {item["order_item_id"]: exact(item.get("qty")) for item in items if item["order_item_id"] not in parents}
    below: dict[str, Decimal] = {}
    for item in items:
        parent = parents.get(item["order_item_id"])
        if parent is not None and parent not in own:
            below[parent] = max(below.get(parent, Decimal(0)), exact(item.get("qty")))
    return own | below
