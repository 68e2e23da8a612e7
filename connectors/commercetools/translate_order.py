"""An order, with who bought, what, at which price, sent how, and what came back."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast, get_args

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors.commercetools.payloads import VendorAddress, VendorMoney, as_told, known_as
from connectors.commercetools.payloads_order import Delivery, Parcel, ShippingInfo, VendorOrder
from connectors.commercetools.reading import (
    ShopFields,
    Unreadable,
    money,
    other_fields,
    own_fields,
    path,
    text,
    told_in,
    without_blanks,
)
from connectors.commercetools.translate_address import contacts, is_for, postal, unique
from connectors.commercetools.translate_consent import Reached, consents
from connectors.commercetools.translate_line import lines, portions, tax
from models.base import Words
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


@as_told
class PointsTold(TypedDict):
    """Points of one order, from its custom fields."""

    earned: int | None
    redeemed: int | None


_POINTS = TypeAdapter(PointsTold)


def order(told: VendorOrder, shop: ShopFields) -> Order:
    """Raises Unreadable for amounts of several currencies or points that are no number."""
    _check_currencies(told)
    custom = own_fields(told.get("custom"))
    found, taxed = told.get("store"), told.get("taxed_price")
    store = found["key"] if found else None
    brand = shop.brand_of(custom, store)
    card = text(custom.get(shop.loyalty_number))
    shipments = _shipments(told)
    return Order.model_validate(
        {
            "number": told.get("order_number") or told["id"],
            "status": told["order_state"],
            "payment_status": _PAYMENT.get(told.get("payment_state"), "unknown"),
            "placed_at": told.get("completed_at") or told["created_at"],
            "channel": _channel(told, custom, shop),
            "brand": brand,
            "store": store,
            "currency": told["total_price"]["currency_code"],
            "locale": told.get("locale"),
            "customer": told.get("customer_id") or None,
            "person": _person(told, custom, shop, brand),
            "loyalty_number": card,
            "total": money(taxed["total_gross"] if taxed else told["total_price"]),
            "lines": lines(told),
            "discounts": _discounts(told),
            "taxes": _taxes(told),
            "fulfilments": list(_fulfilments(told, shipments)),
            "returns": _returns(told),
            "loyalty": list(_points(told, custom, shop, card)),
            "settlements": _settlements(told),
            "attributes": _attributes(told, shipments, custom, shop),
        }
    )


def _channel(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields) -> OrderChannel:
    said = text(custom.get(shop.channel))
    if said in _CHANNELS:
        return cast("OrderChannel", said)
    return _CHANNEL.get(told.get("origin"), "web")


def _person(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields, brand: str | None) -> Words | None:
    """The Person as captured: named by the billing address, else by a shipping address; None if nothing was."""
    receivers, billed, visitor = _receivers(told), told.get("billing_address"), told.get("anonymous_id")
    payer = receivers[0] if billed is None and receivers else billed
    points = unique(_contact_points(told, payer, receivers))
    if payer is None and not points and not visitor:
        return None
    reached = Reached(points, post=payer, push=None)
    addresses = [] if billed is None else [postal(billed, label="billing", primary=True)]
    addresses += [postal(each, label="shipping", primary=each is payer) for each in receivers]
    return {
        **(_named(payer) if payer is not None else {}),
        "locale": told.get("locale"),
        "contact_points": points,
        "addresses": addresses,
        "identifiers": [{"kind": "anonymous_id", "value": visitor}] if visitor else [],
        "consents": list(consents(custom, shop, reached, brand)),
    }


def _named(payer: VendorAddress) -> Words:
    return {
        "title": payer.get("title") or payer.get("salutation"),
        "given_name": payer.get("first_name"),
        "family_name": payer.get("last_name"),
        "organisation": payer.get("company"),
    }


def _receivers(told: VendorOrder) -> list[VendorAddress]:
    """Where the order goes: one address, or one for each way of sending."""
    each = (told.get("shipping_address"), *[part.get("shipping_address") for part in told.get("shipping", ())])
    return [address for address in each if address is not None]


def _contact_points(told: VendorOrder, payer: VendorAddress | None, receivers: list[VendorAddress]) -> Iterator[Words]:
    """The buyer's. The phone of somebody else who receives the parcel is not the buyer's."""
    if email := told.get("customer_email"):
        yield {"kind": "email", "value": email, "label": "order", "primary": True}
    if payer is None:
        return
    if payer is told.get("billing_address"):
        yield from contacts(payer, "billing")
    for receiver in receivers:
        if is_for(receiver, payer.get("first_name"), payer.get("last_name")):
            yield from contacts(receiver, "shipping")


def _discounts(told: VendorOrder) -> list[Words]:
    whole = told.get("discount_on_total_price")
    if not whole:
        return []
    included = whole.get("included_discounts")
    return list(portions(included, 1)) if included else [{"amount": money(whole["discounted_amount"])}]


def _taxes(told: VendorOrder) -> list[Words]:
    taxed = told.get("taxed_price")
    if not taxed or not (told_taxes := taxed.get("tax_portions")):
        return []
    rates = {
        (rate.get("name"), rate["amount"]): rate["included_in_price"]
        for line in (*told.get("line_items", ()), *told.get("custom_line_items", ()))
        if (rate := line.get("tax_rate"))
    }
    gross_is_total = money(taxed["total_gross"]).amount == money(told["total_price"]).amount
    return [
        tax(portion, included=rates.get((portion.get("name"), portion["rate"]), gross_is_total))
        for portion in told_taxes
    ]


def _shipments(told: VendorOrder) -> Sequence[tuple[str, ShippingInfo]]:
    """Each way of sending with its key; an order with a single one has no key for it."""
    several = [(part["shipping_key"], part["shipping_info"]) for part in told.get("shipping", ())]
    single = told.get("shipping_info")
    return [("shipping", single), *several] if single else several


def _fulfilments(told: VendorOrder, shipments: Sequence[tuple[str, ShippingInfo]]) -> Iterator[Words]:
    """A Fulfilment per parcel, else per delivery, else one that only says how it will be sent."""
    for key, info in shipments:
        sent = {"method": info.get("shipping_method_name"), "status": told.get("shipment_state")}
        deliveries = info.get("deliveries")
        if not deliveries:
            yield {"fulfilment_id": key, **sent}
            continue
        for delivery in deliveries:
            held = [item["id"] for item in delivery.get("items", ())]
            parcels = delivery.get("parcels")
            if not parcels:
                yield {"fulfilment_id": delivery["id"], **sent, "at": delivery.get("created_at"), "lines": held}
                continue
            for parcel in parcels:
                yield {**sent, **_parcel(parcel, delivery, held)}


def _parcel(parcel: Parcel, delivery: Delivery, held: Sequence[str]) -> Words:
    """What a parcel says by itself; where it does not say what is in it, all of the delivery is."""
    tracking = parcel.get("tracking_data") or {}
    return {
        "fulfilment_id": parcel["id"],
        "carrier": tracking.get("carrier"),
        "tracking_number": tracking.get("tracking_id"),
        **({"status": "Return"} if tracking.get("is_return") else {}),
        "at": parcel.get("created_at") or delivery.get("created_at"),
        "lines": [item["id"] for item in parcel.get("items", ())] or held,
    }


def _returns(told: VendorOrder) -> list[Words]:
    return [
        {
            "return_id": item["id"],
            "line": item.get("line_item_id") or item.get("custom_line_item_id"),
            "quantity": item["quantity"],
            "state": item.get("shipment_state"),
            "reason": item.get("comment") or None,
            "at": info.get("return_date") or item.get("created_at"),
        }
        for info in told.get("return_info", ())
        for item in info.get("items", ())
    ]


def _settlements(told: VendorOrder) -> list[str]:
    found = told.get("payment_info")
    return [payment["id"] for payment in found.get("payments", ())] if found else []


def _points(told: VendorOrder, custom: Mapping[str, Any], shop: ShopFields, card: str | None) -> Iterator[Words]:
    points = told_in(_POINTS, custom, {"earned": shop.points_earned, "redeemed": shop.points_redeemed})
    if points is None or card is None:
        return
    shared: Words = {
        "account": card,
        "programme": shop.programme,
        "at": told.get("completed_at") or told["created_at"],
        "order": told["id"],
    }
    if earned := points["earned"]:
        yield {"external_id": f"commercetools:{told['id']}:earn", "movement": "earn", "points": earned, **shared}
    if redeemed := points["redeemed"]:
        spent = f"commercetools:{told['id']}:redeem"
        yield {"external_id": spent, "movement": "redeem", "points": -abs(redeemed), **shared}


def _attributes(
    told: VendorOrder, shipments: Sequence[tuple[str, ShippingInfo]], custom: Mapping[str, Any], shop: ShopFields
) -> dict[str, str]:
    unit, group = told.get("business_unit"), told.get("customer_group")
    known: dict[str, str | None] = {
        "origin": told.get("origin"),
        "country": told.get("country"),
        "anonymous_id": told.get("anonymous_id"),
        "purchase_order_number": told.get("purchase_order_number"),
        "business_unit": unit["key"] if unit else None,
        "customer_group": known_as(group) if group else None,
        "shipment_state": told.get("shipment_state"),
        "payment_state": told.get("payment_state"),
        "shipping_amount": _shipping_amount(shipments) if shipments else None,
        "discount_codes": " ".join([known_as(code["discount_code"]) for code in told.get("discount_codes", ())]),
        "return_tracking": " ".join(
            [number for info in told.get("return_info", ()) if (number := info.get("return_tracking_id"))]
        ),
    }
    return without_blanks(known) | other_fields(custom, shop)


def _shipping_amount(shipments: Sequence[tuple[str, ShippingInfo]]) -> str:
    """What sending costs after discounts, all ways together."""
    costs = [lowered["value"] if (lowered := info.get("discounted_price")) else info["price"] for _, info in shipments]
    return str(sum([money(cost).amount for cost in costs], Decimal(0)))


def _check_currencies(told: VendorOrder) -> None:
    """Amounts of two currencies are never added, so an order has one."""
    currency = told["total_price"]["currency_code"]
    wrong = [where for where, amount in _stated(told) if amount["currency_code"] != currency]
    if wrong:
        problem = "another currency than the order's total"
        raise Unreadable([Reason(path=f"{where}.currencyCode", problem=problem) for where in map(path, wrong)])


def _stated(told: VendorOrder) -> Iterator[tuple[tuple[str | int, ...], VendorMoney]]:
    """The amounts that are added, with where they stand."""
    for number, line in enumerate(told.get("line_items", ())):
        yield ("lineItems", number, "totalPrice"), line["total_price"]
    for number, custom in enumerate(told.get("custom_line_items", ())):
        yield ("customLineItems", number, "totalPrice"), custom["total_price"]
    if taxed := told.get("taxed_price"):
        yield ("taxedPrice", "totalGross"), taxed["total_gross"]
    if sent := told.get("shipping_info"):
        yield ("shippingInfo", "price"), sent["price"]
    for number, part in enumerate(told.get("shipping", ())):
        yield ("shipping", number, "shippingInfo", "price"), part["shipping_info"]["price"]
