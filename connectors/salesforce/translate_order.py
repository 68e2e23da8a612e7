"""Orders in our words. Parts are plain values that become our models in one go, as with persons."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from connectors.salesforce.catalogue import address
from connectors.salesforce.org import Org
from connectors.salesforce.payloads import (
    Unreadable,
    VendorLine,
    VendorOrder,
    VendorPayment,
    VendorShipment,
    blank_is_none,
)
from connectors.salesforce.translate_person import addresses_of
from models.base import Words
from models.landing import Reason
from models.orders import Order

_VOID = {"cancelled", "canceled"}
_ADDRESSES = (("billing", address("Billing")), ("shipping", address("Shipping")))


def order(vendor: VendorOrder, told: Mapping[str, Any], org: Org) -> Order:
    """An order with its positions. `told` is the whole payload: it holds custom fields and addresses."""
    currency = vendor.get("currency_iso_code") or org.currency
    if currency is None:
        problem = "the order tells no currency, as in an org with a single one: name it as `org.currency`"
        raise Unreadable(Reason(path="CurrencyIsoCode", problem=problem))
    fields = org.fields
    lines = tuple(_line(place, each, currency) for place, each in enumerate(vendor.get("order_items", ())))
    return Order.model_validate(
        {
            "number": vendor["order_number"],
            "transaction": _transaction(vendor),
            "status": vendor["status"],
            "placed_at": _placed_at(vendor),
            "channel": _channel(vendor, told, org),
            "brand": blank_is_none(told, fields.order_brand) or org.brand,
            "store": blank_is_none(told, fields.order_store),
            "currency": currency,
            "customer": _customer(vendor),
            "person": _person(vendor, told),
            "loyalty_number": blank_is_none(told, fields.order_loyalty_number),
            "total": _money(_total(vendor, lines), currency),
            "lines": lines,
            "taxes": tuple(_tax(vendor.get("total_tax_amount"), currency)),
            "tenders": tuple(_tenders(vendor.get("order_payment_summaries", ()), currency)),
            "fulfilments": tuple(_fulfilment(each) for each in vendor.get("shipments", ())),
            "returns": tuple(_returns(vendor)),
            "refunds": tuple(_refunds(vendor.get("order_payment_summaries", ()), currency)),
            "attributes": _attributes(vendor),
        }
    )


def _money(amount: Decimal, currency: str) -> Words:
    return {"amount": amount, "currency": currency}


def _transaction(vendor: VendorOrder) -> str:
    if vendor["status"].lower() in _VOID:
        return "void"
    return "return" if vendor.get("is_reduction_order") else "sale"


def _customer(vendor: VendorOrder) -> str | None:
    """The person account, or the contact who is billed; an account of a company or a bucket is nobody."""
    if vendor.get("account_is_person"):
        return vendor.get("account_id")
    return vendor.get("bill_to_contact_id") or vendor.get("customer_authorized_by_id")


def _placed_at(vendor: VendorOrder) -> datetime:
    """OrderedDate, which Order Management keeps; else when it was entered, unless that was on another day."""
    if ordered := vendor.get("ordered_date"):
        return ordered
    day, entered = vendor.get("effective_date"), vendor.get("created_date")
    if entered and day in (None, entered.date()):
        return entered
    if day is None:
        raise Unreadable(Reason(path="EffectiveDate", problem="no time at which the order was placed"))
    return datetime.combine(day, time(), UTC)


def _channel(vendor: VendorOrder, told: Mapping[str, Any], org: Org) -> str:
    said = blank_is_none(told, org.fields.order_channel) or vendor.get("sales_channel")
    return org.channels.get(said, org.channel) if said else org.channel


def _total(vendor: VendorOrder, lines: Sequence[Words]) -> Decimal:
    """What was owed with taxes, where the org tells it; TotalAmount is a roll-up of the positions."""
    whole, rolled_up = vendor.get("grand_total_amount"), vendor.get("total_amount")
    if whole is not None:
        return whole
    if rolled_up is not None:
        return rolled_up + (vendor.get("total_tax_amount") or 0)
    return sum((each["amount"]["amount"] for each in lines), Decimal(0))


def _line(place: int, told: VendorLine, currency: str) -> Words:
    price = told.get("unit_price")
    return {
        "line_id": told["id"],
        "sku": told.get("product_code"),
        "name": told.get("product_name") or told.get("description"),
        "quantity": told["quantity"],
        "unit_price": None if price is None else _money(price, currency),
        "amount": _money(_amount(place, told), currency),
        "discounts": tuple(_discounts(told, currency)),
        "taxes": tuple(_taxes(told, currency)),
    }


def _amount(place: int, told: VendorLine) -> Decimal:
    """TotalLineAmount is told before the adjustments of the line, TotalPrice after them."""
    before, after, price = told.get("total_line_amount"), told.get("total_price"), told.get("unit_price")
    if before is not None:
        return sum((each["amount"] for each in told.get("order_item_adjustment_line_items", ())), before)
    if after is not None:
        return after
    if price is not None:
        return price * told["quantity"]
    raise Unreadable(Reason(path=f"OrderItems[{place}].TotalPrice", problem="neither an amount nor a price"))


def _discounts(told: VendorLine, currency: str) -> Iterator[Words]:
    """Adjustments that take something off; surcharges are in the amount alone."""
    for each in told.get("order_item_adjustment_line_items", ()):
        if each["amount"] < 0:
            yield {"name": each.get("name") or each.get("description"), "amount": _money(-each["amount"], currency)}


def _taxes(told: VendorLine, currency: str) -> Iterator[Words]:
    """One by one where they are told so, else their sum."""
    taxes = told.get("order_item_tax_line_items", ())
    if not taxes:
        yield from _tax(told.get("total_tax_amount"), currency)
    for each in taxes:
        yield {"name": each.get("name"), "rate": each.get("rate"), "amount": _money(each["amount"], currency)}


def _tax(amount: Decimal | None, currency: str) -> Iterator[Words]:
    if amount:
        yield {"amount": _money(amount, currency)}


def _tenders(payments: Sequence[VendorPayment], currency: str) -> Iterator[Words]:
    """What was captured; what was authorised, as long as nothing is."""
    for each in payments:
        amount = each.get("captured_amount") or each.get("authorized_amount")
        if amount:
            money = _money(amount, currency)
            yield {
                "tender": each.get("type") or "unknown",
                "amount": money,
                "reference": each["id"],
                "at": each.get("created_date"),
            }


def _refunds(payments: Sequence[VendorPayment], currency: str) -> Iterator[Words]:
    """The sum of what went back on each means of payment; when is not told."""
    for each in payments:
        if amount := each.get("refunded_amount"):
            yield {"refund_id": each["id"], "amount": _money(abs(amount), currency)}


def _fulfilment(told: VendorShipment) -> Words:
    return {
        "fulfilment_id": told["id"],
        "method": told.get("method"),
        "carrier": told.get("provider"),
        "tracking_number": told.get("tracking_number"),
        "status": told.get("status"),
        "at": told.get("actual_delivery_date") or told.get("created_date"),
    }


def _returns(vendor: VendorOrder) -> Iterator[Words]:
    for each in vendor.get("return_orders", ()):
        for line in each.get("return_order_line_items", ()):
            yield {
                "return_id": line["id"],
                "line": line.get("order_item_id"),
                "quantity": line.get("quantity_returned", 0),
                "state": each.get("status"),
                "reason": line.get("reason"),
                "at": each.get("created_date"),
            }


def _person(vendor: VendorOrder, told: Mapping[str, Any]) -> Words | None:
    """Who bought, as the order itself tells it."""
    points = []
    if email := vendor.get("buyer_email"):
        points.append({"kind": "email", "value": email, "label": "billing", "primary": True})
    if phone := vendor.get("buyer_phone"):
        points.append({"kind": "phone", "value": phone, "label": "billing", "primary": True})
    addresses = tuple(each for label, names in _ADDRESSES if (each := addresses_of(told, label, names)))
    if not points and not addresses and not vendor.get("buyer_last_name"):
        return None
    return {
        "given_name": vendor.get("buyer_first_name"),
        "family_name": vendor.get("buyer_last_name"),
        "contact_points": tuple(points),
        "addresses": addresses,
    }


def _attributes(vendor: VendorOrder) -> dict[str, str]:
    told = {
        "reference": vendor.get("order_reference_number"),
        "purchase_order": vendor.get("po_number"),
        "type": vendor.get("type"),
        "account": vendor.get("account_id"),
        "sales_channel": vendor.get("sales_channel"),
    }
    return {name: value for name, value in told.items() if value}
