"""An order, with who bought, what, at which price, sent how, and what came back."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast, get_args

from connectors.commercetools.payloads import Payload, VendorAddress, VendorMoney
from connectors.commercetools.payloads_order import ShippingInfo, VendorOrder
from connectors.commercetools.reading import (
    ShopFields,
    Unreadable,
    Words,
    money,
    other_fields,
    own_fields,
    path,
    text,
    told_in,
    without_blanks,
)
from connectors.commercetools.translate_address import contacts, is_for, one_line, postal, unique
from connectors.commercetools.translate_consent import Reached, consents
from connectors.commercetools.translate_line import lines, percent, portions
from models.landing import Reason
from models.orders import Order, OrderChannel, PaymentStatus

_PAYMENT: dict[str | None, PaymentStatus] = {
    "BalanceDue": "pending",
    "Pending": "pending",
    "Failed": "failed",
    "Paid": "paid",
    "CreditOwed": "paid",  # more than paid: the shop owes the customer
}
_CHANNEL: dict[str | None, OrderChannel] = {"Merchant": "phone"}  # an associate placed it for the customer
_CHANNELS = frozenset(get_args(OrderChannel))


class PointsTold(Payload):
    """Points of one order, from its custom fields."""

    earned: int | None = None
    redeemed: int | None = None


def order(told: VendorOrder, shop: ShopFields) -> Order:
    """Raises Unreadable for amounts of several currencies or points that are no number."""
    _check_currencies(told)
    custom = own_fields(told.custom)
    store = told.store.key if told.store else None
    brand = shop.brand_of(custom, store)
    card = text(custom.get(shop.loyalty_number))
    return Order.model_validate(
        {
            "number": told.order_number or told.id,
            "status": told.order_state,
            "payment_status": _PAYMENT.get(told.payment_state, "unknown"),
            "placed_at": told.completed_at or told.created_at,
            "channel": _channel(told, custom, shop),
            "brand": brand,
            "store": store,
            "currency": told.total_price.currency_code,
            "locale": told.locale,
            "customer": told.customer_id or None,
            "person": _person(told, custom, shop, brand),
            "loyalty_number": card,
            "total": money(told.taxed_price.total_gross if told.taxed_price else told.total_price),
            "lines": list(lines(told)),
            "discounts": list(_discounts(told)),
            "taxes": list(_taxes(told)),
            "fulfilments": list(_fulfilments(told)),
            "returns": list(_returns(told)),
            "loyalty": list(_points(told, custom, shop, card)),
            "settlements": [payment.id for payment in told.payment_info.payments] if told.payment_info else [],
            "attributes": _attributes(told, custom, shop),
        }
    )


def _channel(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields) -> OrderChannel:
    said = text(custom.get(shop.channel))
    if said in _CHANNELS:
        return cast("OrderChannel", said)
    return _CHANNEL.get(told.origin, "web")


def _person(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields, brand: str | None) -> Words | None:
    """The Person as captured: named by the billing address, else by a shipping address; None if nothing was."""
    receivers = _receivers(told)
    payer = told.billing_address or next(iter(receivers), None)
    points = unique(_contact_points(told, payer, receivers))
    if payer is None and not points and not told.anonymous_id:
        return None
    reached = Reached(points, post=one_line(payer) if payer else None, push=None)
    visitor = [{"kind": "anonymous_id", "value": told.anonymous_id}] if told.anonymous_id else []
    billed = [postal(payer, label="billing", primary=True)] if payer and payer is told.billing_address else []
    sent = [postal(each, label="shipping", primary=each is payer) for each in receivers]
    named = (
        {
            "title": payer.title or payer.salutation,
            "given_name": payer.first_name,
            "family_name": payer.last_name,
            "organisation": payer.company,
        }
        if payer
        else {}
    )
    return {
        **named,
        "locale": told.locale,
        "contact_points": points,
        "addresses": [*billed, *sent],
        "identifiers": visitor,
        "consents": list(consents(custom, shop, reached, brand)),
    }


def _receivers(told: VendorOrder) -> list[VendorAddress]:
    """Where the order goes: one address, or one for each way of sending."""
    each = (told.shipping_address, *(part.shipping_address for part in told.shipping))
    return [address for address in each if address is not None]


def _contact_points(told: VendorOrder, payer: VendorAddress | None, receivers: list[VendorAddress]) -> Iterator[Words]:
    """The buyer's. The phone of somebody else who receives the parcel is not the buyer's."""
    if told.customer_email:
        yield {"kind": "email", "value": told.customer_email, "label": "order", "primary": True}
    if payer is None:
        return
    if payer is told.billing_address:
        yield from contacts(payer, "billing")
    for receiver in receivers:
        if is_for(receiver, payer.first_name, payer.last_name):
            yield from contacts(receiver, "shipping")


def _discounts(told: VendorOrder) -> Iterator[Words]:
    whole = told.discount_on_total_price
    if whole and whole.included_discounts:
        yield from portions(whole.included_discounts, 1)
    elif whole:
        yield {"amount": money(whole.discounted_amount)}


def _taxes(told: VendorOrder) -> Iterator[Words]:
    if not told.taxed_price or not told.taxed_price.tax_portions:
        return
    rates = {
        (line.tax_rate.name, line.tax_rate.amount): line.tax_rate.included_in_price
        for line in (*told.line_items, *told.custom_line_items)
        if line.tax_rate
    }
    gross_is_total = money(told.taxed_price.total_gross).amount == money(told.total_price).amount
    for portion in told.taxed_price.tax_portions:
        included = rates.get((portion.name, portion.rate), gross_is_total)
        yield {
            "name": portion.name,
            "rate": percent(portion.rate),
            "amount": money(portion.amount),
            "included": included,
        }


def _shipments(told: VendorOrder) -> Iterator[tuple[str, ShippingInfo]]:
    """Each way of sending with its key; an order with a single one has no key for it."""
    if told.shipping_info:
        yield "shipping", told.shipping_info
    for part in told.shipping:
        yield part.shipping_key, part.shipping_info


def _fulfilments(told: VendorOrder) -> Iterator[Words]:
    """A Fulfilment per parcel, else per delivery, else one that only says how it will be sent."""
    for key, info in _shipments(told):
        sent = {"method": info.shipping_method_name, "status": told.shipment_state}
        if not info.deliveries:
            yield {"fulfilment_id": key, **sent}
        for delivery in info.deliveries:
            held = [item.id for item in delivery.items]
            if not delivery.parcels:
                yield {"fulfilment_id": delivery.id, **sent, "at": delivery.created_at, "lines": held}
            for parcel in delivery.parcels:
                tracking = parcel.tracking_data
                tracked = {"carrier": tracking.carrier, "tracking_number": tracking.tracking_id} if tracking else {}
                yield {
                    "fulfilment_id": parcel.id,
                    **sent,
                    **tracked,
                    **({"status": "Return"} if tracking and tracking.is_return else {}),
                    "at": parcel.created_at or delivery.created_at,
                    "lines": [item.id for item in parcel.items] or held,
                }


def _returns(told: VendorOrder) -> Iterator[Words]:
    for info in told.return_info:
        for item in info.items:
            yield {
                "return_id": item.id,
                "line": item.line_item_id or item.custom_line_item_id,
                "quantity": item.quantity,
                "state": item.shipment_state,
                "at": info.return_date or item.created_at,
            }


def _points(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields, card: str | None) -> Iterator[Words]:
    names = {"earned": shop.points_earned, "redeemed": shop.points_redeemed}
    points = told_in(PointsTold, custom, names)
    if card is None:
        return
    shared: Words = {
        "account": card,
        "programme": shop.programme,
        "at": told.completed_at or told.created_at,
        "order": told.id,
    }
    if points.earned:
        earned = f"commercetools:{told.id}:earn"
        yield {"external_id": earned, "movement": "earn", "points": points.earned, **shared}
    if points.redeemed:
        spent = f"commercetools:{told.id}:redeem"
        yield {"external_id": spent, "movement": "redeem", "points": -abs(points.redeemed), **shared}


def _attributes(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields) -> dict[str, str]:
    costs = [info.discounted_price.value if info.discounted_price else info.price for _, info in _shipments(told)]
    known: dict[str, str | None] = {
        "origin": told.origin,
        "country": told.country,
        "anonymous_id": told.anonymous_id,
        "purchase_order_number": told.purchase_order_number,
        "business_unit": told.business_unit.key if told.business_unit else None,
        "customer_group": told.customer_group.known_as if told.customer_group else None,
        "shipment_state": told.shipment_state,
        "payment_state": told.payment_state,
        "shipping_amount": str(sum((money(cost).amount for cost in costs), Decimal(0))) if costs else None,
        "discount_codes": " ".join(code.discount_code.known_as for code in told.discount_codes),
        "return_tracking": " ".join(info.return_tracking_id for info in told.return_info if info.return_tracking_id),
    }
    return without_blanks(known) | other_fields(custom, shop)


def _check_currencies(told: VendorOrder) -> None:
    """Amounts of two currencies are never added, so an order has one."""
    wrong = [where for where, amount in _stated(told) if amount.currency_code != told.total_price.currency_code]
    if wrong:
        problem = "another currency than the order's total"
        raise Unreadable([Reason(path=f"{where}.currencyCode", problem=problem) for where in map(path, wrong)])


def _stated(told: VendorOrder) -> Iterator[tuple[tuple[str | int, ...], VendorMoney]]:
    """The amounts that are added, with where they stand."""
    for number, line in enumerate(told.line_items):
        yield ("lineItems", number, "totalPrice"), line.total_price
    for number, custom in enumerate(told.custom_line_items):
        yield ("customLineItems", number, "totalPrice"), custom.total_price
    if told.taxed_price:
        yield ("taxedPrice", "totalGross"), told.taxed_price.total_gross
    if told.shipping_info:
        yield ("shippingInfo", "price"), told.shipping_info.price
