"""Orders in our words."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from connectors.salesforce.org import Org
from connectors.salesforce.payloads import Unreadable, VendorLine, VendorOrder, blank_is_none
from connectors.salesforce.translate_person import addresses_of
from models.landing import Reason
from models.orders import Money, Order, OrderLine, Tax
from models.records import ContactPoint, Person

_VOID = {"cancelled", "canceled"}


def order(vendor: VendorOrder, told: Mapping[str, Any], org: Org) -> Order:
    """An order with its positions. `told` is the whole payload: it holds custom fields and addresses."""
    currency = vendor.currency_iso_code or org.currency
    if currency is None:
        problem = "the order tells no currency, as in an org with a single one: name it as `org.currency`"
        raise Unreadable(Reason(path="CurrencyIsoCode", problem=problem))
    lines = tuple(_line(place, each, currency) for place, each in enumerate(vendor.order_items))
    return Order(
        number=vendor.order_number,
        transaction="void" if vendor.status.lower() in _VOID else "return" if vendor.is_reduction_order else "sale",
        status=vendor.status,
        placed_at=_placed_at(vendor),
        channel=_channel(vendor, told, org),
        brand=blank_is_none(told, org.fields.order_brand) or org.brand,
        store=blank_is_none(told, org.fields.order_store),
        currency=currency,
        customer=_customer(vendor),
        person=_person(vendor, told),
        loyalty_number=blank_is_none(told, org.fields.order_loyalty_number),
        total=Money(amount=_total(vendor, lines), currency=currency),
        lines=lines,
        taxes=tuple(_taxes(vendor.total_tax_amount, currency)),
        attributes=_attributes(vendor),
    )


def _customer(vendor: VendorOrder) -> str | None:
    """The person account, or the contact who is billed; an account of a company or a bucket is nobody."""
    if vendor.account_is_person:
        return vendor.account_id
    return vendor.bill_to_contact_id or vendor.customer_authorized_by_id


def _placed_at(vendor: VendorOrder) -> datetime:
    """OrderedDate, which Order Management keeps; else when it was entered, unless that was on another day."""
    if vendor.ordered_date:
        return vendor.ordered_date
    day, entered = vendor.effective_date, vendor.created_date
    if entered and day in (None, entered.date()):
        return entered
    if day is None:
        raise Unreadable(Reason(path="EffectiveDate", problem="no time at which the order was placed"))
    return datetime.combine(day, time(), UTC)


def _channel(vendor: VendorOrder, told: Mapping[str, Any], org: Org) -> Any:  # noqa: ANN401  one of OrderChannel
    said = blank_is_none(told, org.fields.order_channel) or vendor.sales_channel
    return org.channels.get(said, org.channel) if said else org.channel


def _total(vendor: VendorOrder, lines: tuple[OrderLine, ...]) -> Decimal:
    """What was owed with taxes, where the org tells it; TotalAmount is a roll-up of the positions."""
    if vendor.grand_total_amount is not None:
        return vendor.grand_total_amount
    if vendor.total_amount is not None:
        return vendor.total_amount + (vendor.total_tax_amount or 0)
    return sum((each.amount.amount for each in lines), Decimal(0))


def _line(place: int, told: VendorLine, currency: str) -> OrderLine:
    amount = next((each for each in (told.total_line_amount, told.total_price) if each is not None), None)
    if amount is None and told.unit_price is not None:
        amount = told.unit_price * told.quantity
    if amount is None:
        raise Unreadable(Reason(path=f"OrderItems[{place}].TotalPrice", problem="neither an amount nor a price"))
    return OrderLine(
        line_id=told.id,
        sku=told.product_code,
        name=told.product_name or told.description,
        quantity=told.quantity,
        unit_price=None if told.unit_price is None else Money(amount=told.unit_price, currency=currency),
        amount=Money(amount=amount, currency=currency),
        taxes=tuple(_taxes(told.total_tax_amount, currency)),
    )


def _taxes(amount: Decimal | None, currency: str) -> Iterator[Tax]:
    if amount:
        yield Tax(amount=Money(amount=amount, currency=currency))


def _person(vendor: VendorOrder, told: Mapping[str, Any]) -> Person | None:
    """Who bought, as the order itself tells it."""
    points = []
    if vendor.buyer_email:
        points.append(ContactPoint(kind="email", value=vendor.buyer_email, label="billing", primary=True))
    if vendor.buyer_phone:
        points.append(ContactPoint(kind="phone", value=vendor.buyer_phone, label="billing", primary=True))
    addresses = (*addresses_of(told, "billing", "Billing"), *addresses_of(told, "shipping", "Shipping"))
    if not points and not addresses and not vendor.buyer_last_name:
        return None
    return Person(
        given_name=vendor.buyer_first_name,
        family_name=vendor.buyer_last_name,
        contact_points=tuple(points),
        addresses=addresses,
    )


def _attributes(vendor: VendorOrder) -> dict[str, str]:
    told = {
        "reference": vendor.order_reference_number,
        "purchase_order": vendor.po_number,
        "type": vendor.type,
        "account": vendor.account_id,
        "sales_channel": vendor.sales_channel,
    }
    return {name: value for name, value in told.items() if value}
