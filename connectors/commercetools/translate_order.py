"""An order, with who bought, what, at which price, sent how, and what came back."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast, get_args

from connectors.commercetools.payloads import Payload, VendorAddress
from connectors.commercetools.payloads_order import ShippingInfo, VendorOrder
from connectors.commercetools.reading import (
    ShopFields,
    Unreadable,
    money,
    other_fields,
    own_fields,
    text,
    told_in,
    without_blanks,
)
from connectors.commercetools.translate_address import contacts, is_for, one_line, postal, unique
from connectors.commercetools.translate_consent import Reached, consents
from connectors.commercetools.translate_line import lines, portions
from models.landing import Reason
from models.loyalty import LoyaltyEntry
from models.orders import Discount, Fulfilment, Order, OrderChannel, PaymentStatus, Return, Tax
from models.records import ContactPoint, Identifier, Person

_PAYMENT: dict[str | None, PaymentStatus] = {
    "BalanceDue": "pending",
    "Pending": "pending",
    "Failed": "failed",
    "Paid": "paid",
    "CreditOwed": "paid",  # more than paid: the shop owes the customer
}
_CHANNEL: dict[str | None, OrderChannel] = {"Merchant": "phone"}  # an associate placed it for the customer


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
    return Order(
        number=told.order_number or told.id,
        status=told.order_state,
        payment_status=_PAYMENT.get(told.payment_state, "unknown"),
        placed_at=told.completed_at or told.created_at,
        channel=_channel(told, custom, shop),
        brand=brand,
        store=store,
        currency=told.total_price.currency_code,
        locale=told.locale,
        customer=told.customer_id or None,
        person=_person(told, custom, shop, brand),
        loyalty_number=card,
        total=money(told.taxed_price.total_gross if told.taxed_price else told.total_price),
        lines=tuple(lines(told)),
        discounts=tuple(_discounts(told)),
        taxes=tuple(_taxes(told)),
        fulfilments=tuple(_fulfilments(told)),
        returns=tuple(_returns(told)),
        loyalty=tuple(_points(told, custom, shop, card)),
        settlements=tuple(payment.id for payment in told.payment_info.payments) if told.payment_info else (),
        attributes=_attributes(told, custom, shop),
    )


def _channel(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields) -> OrderChannel:
    said = text(custom.get(shop.channel))
    if said in get_args(OrderChannel):
        return cast("OrderChannel", said)
    return _CHANNEL.get(told.origin, "web")


def _person(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields, brand: str | None) -> Person | None:
    """Who bought, as captured: named by the billing address, else by a shipping address; None if nothing was."""
    receivers = _receivers(told)
    payer = told.billing_address or next(iter(receivers), None)
    points = unique(_contact_points(told, payer, receivers))
    if payer is None and not points and not told.anonymous_id:
        return None
    reached = Reached(points, post=one_line(payer) if payer else None, push=None)
    visitor = (Identifier(kind="anonymous_id", value=told.anonymous_id),) if told.anonymous_id else ()
    billed = [postal(payer, label="billing", primary=True)] if payer and payer is told.billing_address else []
    sent = [postal(each, label="shipping", primary=each is payer) for each in receivers]
    return Person(
        title=(payer.title or payer.salutation) if payer else None,
        given_name=payer.first_name if payer else None,
        family_name=payer.last_name if payer else None,
        organisation=payer.company if payer else None,
        locale=told.locale,
        contact_points=points,
        addresses=(*billed, *sent),
        identifiers=visitor,
        consents=tuple(consents(custom, shop, reached, brand)),
    )


def _receivers(told: VendorOrder) -> list[VendorAddress]:
    """Where the order goes: one address, or one for each way of sending."""
    each = (told.shipping_address, *(part.shipping_address for part in told.shipping))
    return [address for address in each if address is not None]


def _contact_points(
    told: VendorOrder, payer: VendorAddress | None, receivers: list[VendorAddress]
) -> Iterator[ContactPoint]:
    """The buyer's. The phone of somebody else who receives the parcel is not the buyer's."""
    if told.customer_email:
        yield ContactPoint(kind="email", value=told.customer_email, label="order", primary=True)
    if payer is None:
        return
    if payer is told.billing_address:
        yield from contacts(payer, "billing")
    for receiver in receivers:
        if is_for(receiver, payer.first_name, payer.last_name):
            yield from contacts(receiver, "shipping")


def _discounts(told: VendorOrder) -> Iterator[Discount]:
    whole = told.discount_on_total_price
    if whole and whole.included_discounts:
        yield from portions(whole.included_discounts, Decimal(1))
    elif whole:
        yield Discount(amount=money(whole.discounted_amount))


def _taxes(told: VendorOrder) -> Iterator[Tax]:
    if not told.taxed_price:
        return
    rates = {
        (line.tax_rate.name, line.tax_rate.amount): line.tax_rate.included_in_price
        for line in (*told.line_items, *told.custom_line_items)
        if line.tax_rate
    }
    gross_is_total = told.taxed_price.total_gross.amount == told.total_price.amount
    for portion in told.taxed_price.tax_portions:
        included = rates.get((portion.name, portion.rate), gross_is_total)
        yield Tax(name=portion.name, rate=portion.rate, amount=money(portion.amount), included=included)


def _shipments(told: VendorOrder) -> Iterator[tuple[str, ShippingInfo]]:
    """Each way of sending with its key; an order with a single one has no key for it."""
    if told.shipping_info:
        yield "shipping", told.shipping_info
    for part in told.shipping:
        yield part.shipping_key, part.shipping_info


def _fulfilments(told: VendorOrder) -> Iterator[Fulfilment]:
    """A fulfilment per parcel, else per delivery, else one that only says how it will be sent."""
    for key, info in _shipments(told):
        method, status = info.shipping_method_name, told.shipment_state
        if not info.deliveries:
            yield Fulfilment(fulfilment_id=key, method=method, status=status)
        for delivery in info.deliveries:
            held = tuple(item.id for item in delivery.items)
            if not delivery.parcels:
                yield Fulfilment(
                    fulfilment_id=delivery.id, method=method, status=status, at=delivery.created_at, lines=held
                )
            for parcel in delivery.parcels:
                tracking = parcel.tracking_data
                yield Fulfilment(
                    fulfilment_id=parcel.id,
                    method=method,
                    carrier=tracking.carrier if tracking else None,
                    tracking_number=tracking.tracking_id if tracking else None,
                    status="Return" if tracking and tracking.is_return else status,
                    at=parcel.created_at or delivery.created_at,
                    lines=tuple(item.id for item in parcel.items) or held,
                )


def _returns(told: VendorOrder) -> Iterator[Return]:
    for info in told.return_info:
        for item in info.items:
            yield Return(
                return_id=item.id,
                line=item.line_item_id or item.custom_line_item_id,
                quantity=Decimal(item.quantity),
                state=item.shipment_state,
                at=info.return_date or item.created_at,
            )


def _points(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields, card: str | None) -> Iterator[LoyaltyEntry]:
    names = {"earned": shop.points_earned, "redeemed": shop.points_redeemed}
    points = told_in(PointsTold, custom, names)
    if card is None:
        return
    shared: dict[str, Any] = {
        "account": card,
        "programme": shop.programme,
        "at": told.completed_at or told.created_at,
        "order": told.id,
    }
    if points.earned:
        yield LoyaltyEntry(external_id=f"commercetools:{told.id}:earn", movement="earn", points=points.earned, **shared)
    if points.redeemed:
        spent = f"commercetools:{told.id}:redeem"
        yield LoyaltyEntry(external_id=spent, movement="redeem", points=-abs(points.redeemed), **shared)


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
        "shipping_amount": str(sum((cost.amount for cost in costs), Decimal(0))) if costs else None,
        "discount_codes": " ".join(code.discount_code.known_as for code in told.discount_codes),
        "return_tracking": " ".join(info.return_tracking_id for info in told.return_info if info.return_tracking_id),
    }
    return without_blanks(known) | other_fields(custom, shop)


def _check_currencies(told: VendorOrder) -> None:
    """Amounts of two currencies are never added, so an order has one."""
    stated = {
        **{f"lineItems[{n}].totalPrice": line.total_price for n, line in enumerate(told.line_items)},
        **{f"customLineItems[{n}].totalPrice": line.total_price for n, line in enumerate(told.custom_line_items)},
        **({"taxedPrice.totalGross": told.taxed_price.total_gross} if told.taxed_price else {}),
        **({"shippingInfo.price": told.shipping_info.price} if told.shipping_info else {}),
    }
    wrong = [where for where, amount in stated.items() if amount.currency_code != told.total_price.currency_code]
    if wrong:
        problem = "another currency than the order's total"
        raise Unreadable([Reason(path=f"{where}.currencyCode", problem=problem) for where in wrong])
