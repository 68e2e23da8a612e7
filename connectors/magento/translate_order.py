"""Orders with their positions, discounts, taxes and buyers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal, get_args

from connectors.magento.payloads import NOTHING, Number, exact, kept, told_money
from connectors.magento.payloads_order import Order as Told
from connectors.magento.payloads_order import OrderAddress, OrderExtension, OrderItem, Payment, Shipping
from connectors.magento.terms import StoreView, Terms
from connectors.magento.translate_customer import SEXES, rest_of
from models.base import Words
from models.orders import Discount, Order, PaymentStatus, Tax

Below = Mapping[str, Sequence[OrderItem]]

_Extra = Literal[
    "state",
    "coupon_code",
    "shipping_description",
    "store_name",
    "ext_order_id",
    "ext_customer_id",
    "original_increment_id",
    "relation_parent_real_id",
    "customer_group_id",
    "customer_taxvat",
]
_EXTRA: tuple[_Extra, ...] = get_args(_Extra)
_Part = Literal[
    "row_total", "discount_amount", "tax_amount", "discount_tax_compensation_amount", "weee_tax_applied_row_amount"
]
_PARTS: tuple[_Part, ...] = get_args(_Part)
_NOWHERE: OrderAddress = {}


def order_body(told: Told, terms: Terms) -> Order:
    """An order as it stands. Invoices, shipments and credit memos tell what became of it, apart."""
    view, extension = terms.view(told.get("store_id")), told.get("extension_attributes", {})
    card, currency = extension.get("loyalty_number") or None, told["order_currency_code"]
    below, vouchers, payment = _below(told), _vouchers(extension), told.get("payment", {})
    sent = _sent(extension)
    placed_at = terms.in_utc(told["created_at"])
    return Order.model_validate(
        {
            "number": told["increment_id"],
            "status": told["status"],
            "payment_status": _payment_status(told, payment),
            "placed_at": placed_at,
            "channel": view.channel,
            "brand": view.brand,
            "store": told.get("store_id") or None,
            "currency": currency,
            "locale": view.locale,
            "customer": _customer(told),
            "person": _buyer(told, sent, view),
            "loyalty_number": card,
            "total": told_money(_with(told["grand_total"], vouchers), currency),
            "lines": [_line(told, item, below.get(item["item_id"], ())) for item in _tops(told, below)],
            "discounts": list(_discounts(told)),
            "taxes": list(_taxes(told, extension)),
            "tenders": list(_tenders(told, payment, vouchers)),
            "loyalty": list(_points(told, extension, card, placed_at)) if card else [],
            "attributes": _leftovers(told, extension, payment, sent),
        }
    )


def _customer(told: Told) -> str | None:
    """A guest has no id; an order whose customer was deleted lost it."""
    customer = told.get("customer_id")
    return customer or None if told.get("customer_is_guest") != 1 and customer != "0" else None


def _payment_status(told: Told, payment: Payment) -> PaymentStatus:
    """From the amounts; the vendor has no word for it. Nothing to pay is paid."""
    paid, refunded = exact(told.get("total_paid")), exact(told.get("total_refunded"))
    if refunded > 0:
        return "refunded" if refunded >= paid else "part_refunded"
    if paid >= exact(told["grand_total"]):
        return "paid"
    if told.get("state") == "canceled":
        return "failed"
    return "authorised" if exact(payment.get("amount_authorized")) > 0 else "pending"


def _below(told: Told) -> Below:
    """Items by the item that they belong to."""
    below: dict[str, list[OrderItem]] = {}
    for item in told["items"]:
        if parent := item.get("parent_item_id"):
            below.setdefault(parent, []).append(item)
    return below


def _tops(told: Told, below: Below) -> Sequence[OrderItem]:
    """Items that count by themselves: each that belongs to no other, or to one that is not told."""
    if not below:
        return told["items"]
    known = {item["item_id"] for item in told["items"]}
    return [item for item in told["items"] if item.get("parent_item_id") not in known]


def _line(told: Told, item: OrderItem, below: Sequence[OrderItem]) -> Words:
    """A position with all that was chosen below it, once. Amounts include tax and leave out the line's discounts."""
    currency = told["order_currency_code"]
    row, off, tax, compensation, fixed = _amounts(item, below)
    taxes = [_tax(None, _percent(item, below), tax, currency)] if tax else []
    if fixed:
        taxes.append(_tax("fixed product tax", None, fixed, currency))
    return {
        "line_id": item["item_id"],
        "sku": item.get("sku") or None,
        "name": item.get("name") or None,
        "quantity": exact(item.get("qty_ordered", 1.0)),
        "unit_price": told_money(item.get("price_incl_tax") or item.get("price") or 0.0, currency),
        "amount": told_money(row + tax + compensation + fixed - off, currency),
        "discounts": [
            _discount(told.get("coupon_code") or None, told.get("discount_description") or None, off, currency)
        ]
        if off
        else [],
        "taxes": taxes,
    }


def _amounts(item: OrderItem, below: Sequence[OrderItem]) -> Sequence[Decimal]:
    """Goods, discount, tax, its compensation, fixed tax: as told with the position, or else with the parts of it.

    The simple product below a configurable one costs nothing; below a bundle the parts may carry tax and discount.
    """
    own = [exact(item.get(name)) for name in _PARTS]
    if not below or all(own):
        return own
    return [
        amount or sum((exact(part.get(name)) for part in below), start=NOTHING)
        for amount, name in zip(own, _PARTS, strict=True)
    ]


def _percent(item: OrderItem, below: Sequence[OrderItem]) -> Number | None:
    """The rate of a position in percent; None where its parts have several."""
    if not below:
        return item.get("tax_percent") or None
    rates = {rate for one in (item, *below) if (rate := one.get("tax_percent"))}
    return rates.pop() if len(rates) == 1 else None


@lru_cache(maxsize=20_000)
def _tax(name: str | None, rate: Number | None, amount: Number, currency: str) -> Tax:
    """A tax that is contained in the price. Prices and rates repeat, and so do taxes."""
    return Tax(
        name=name, rate=None if rate is None else exact(rate), amount=told_money(amount, currency), included=True
    )


@lru_cache(maxsize=20_000)
def _discount(code: str | None, name: str | None, amount: Number, currency: str) -> Discount:
    return Discount(code=code, name=name, amount=told_money(amount, currency))


def _discounts(told: Told) -> Iterator[Discount]:
    """The vendor spreads every discount over the items, save for the one on shipping."""
    off = told.get("shipping_discount_amount")
    if off and off > 0:
        yield _discount(told.get("coupon_code") or None, "shipping discount", off, told["order_currency_code"])


def _taxes(told: Told, extension: OrderExtension) -> Iterator[Tax]:
    """By name and rate over the whole order; the bare total where the shop does not tell them. All are contained."""
    applied, currency, whole = extension.get("applied_taxes"), told["order_currency_code"], told.get("tax_amount")
    for tax in applied or ():
        yield _tax(tax.get("title") or tax.get("code") or None, tax.get("percent"), tax["amount"], currency)
    if not applied and whole and whole > 0:
        yield _tax(None, None, whole, currency)


def _vouchers(extension: OrderExtension) -> Mapping[str, Number]:
    """What was paid before the vendor worked out its `grand_total`, which leaves it out."""
    amounts = {
        "store_credit": extension.get("customer_balance_amount"),
        "gift_card": extension.get("gift_cards_amount"),
        "reward_points": extension.get("reward_currency_amount"),
    }
    return {name: amount for name, amount in amounts.items() if amount}


def _with(amount: Number, vouchers: Mapping[str, Number]) -> Number:
    return sum(map(exact, vouchers.values()), start=exact(amount)) if vouchers else amount


def _tenders(told: Told, payment: Payment, vouchers: Mapping[str, Number]) -> Iterator[Words]:
    """Vouchers, and money that came without an invoice. Money with an invoice is the invoice's to tell."""
    for name, amount in vouchers.items():
        if amount > 0:
            yield {"tender": name, "amount": told_money(amount, told["order_currency_code"])}
    rest = exact(told.get("total_paid")) - exact(told.get("total_invoiced"))
    if rest > 0:
        yield {
            "tender": payment.get("method") or "unknown",
            "amount": told_money(rest, told["order_currency_code"]),
            "reference": payment.get("last_trans_id") or None,
        }


def _sent(extension: OrderExtension) -> Sequence[Shipping]:
    """Where the parts of the order go and how; core shops have one."""
    return [one.get("shipping", {}) for one in extension.get("shipping_assignments", ())]


def _buyer(told: Told, sent: Sequence[Shipping], view: StoreView) -> Words | None:
    """Who ordered. An address that goods went to is the buyer's only if it bears the name that was billed."""
    billed = told.get("billing_address") or _NOWHERE
    contacts: list[Words] = []
    if email := told.get("customer_email") or billed.get("email"):
        contacts.append({"kind": "email", "value": email, "primary": True})
    if phone := billed.get("telephone"):
        contacts.append({"kind": "phone", "value": phone, "label": "billing", "primary": True})
    said = {
        "title": told.get("customer_prefix") or billed.get("prefix"),
        "given_name": told.get("customer_firstname") or billed.get("firstname"),
        "middle_name": told.get("customer_middlename") or billed.get("middlename"),
        "family_name": told.get("customer_lastname") or billed.get("lastname"),
        "name_suffix": told.get("customer_suffix") or billed.get("suffix"),
        "organisation": billed.get("company"),
        "sex": SEXES.get(told.get("customer_gender") or ""),
        "birth_date": told.get("customer_dob"),
        "contact_points": contacts,
        "addresses": list(_addresses(billed, sent)),
    }
    known: Words = {name: value for name, value in said.items() if value}
    return {"locale": view.locale, "brand": view.brand, **known} if known else None


def _name(address: OrderAddress) -> tuple[str, str]:
    return (address.get("firstname") or "").casefold(), (address.get("lastname") or "").casefold()


def _addresses(billed: OrderAddress, sent: Sequence[Shipping]) -> Iterator[Words]:
    """Each place once, by what it says and not by what it was used for."""
    seen: list[Words] = []
    if where := _place(billed):
        seen.append(where)
        yield {"label": "billing", "primary": True, **where}
    for address in (address for one in sent if (address := one.get("address"))):
        where = _place(address)
        if where and where not in seen and _name(address) == _name(billed):
            seen.append(where)
            yield {"label": "shipping", **where}


def _place(told: OrderAddress) -> Words | None:
    """A PostalAddress; None where the address names no place."""
    street, postcode, city = told.get("street", ()), told.get("postcode") or None, told.get("city") or None
    line1 = (street[0] or None) if street else None
    if not (line1 or postcode or city):
        return None
    return {
        "line1": line1,
        "line2": rest_of(street),
        "postcode": postcode,
        "city": city,
        "region": told.get("region") or None,
        "country": told.get("country_id") or None,
    }


def _points(told: Told, extension: OrderExtension, card: str, at: datetime) -> Iterator[Words]:
    """Points that the order earned and used, kept by the shop's loyalty module."""
    number = told["entity_id"]
    shared = {"account": card, "at": at, "order": number}
    if earned := extension.get("loyalty_points_earned"):
        yield {"external_id": f"magento:{number}:earn", "movement": "earn", "points": abs(earned), **shared}
    if used := extension.get("loyalty_points_redeemed"):
        yield {"external_id": f"magento:{number}:redeem", "movement": "redeem", "points": -abs(used), **shared}


def _leftovers(told: Told, extension: OrderExtension, payment: Payment, sent: Sequence[Shipping]) -> dict[str, str]:
    """What has no field of ours."""
    left: dict[str, str] = {name: value for name in _EXTRA if (value := told.get(name))}
    shipping = told.get("shipping_incl_tax") or told.get("shipping_amount")
    if shipping and shipping > 0:
        left["shipping_incl_tax"] = str(kept(shipping))
    if way := next((way for one in sent if (way := one.get("method"))), None):
        left["shipping_method"] = way
    if method := payment.get("method"):
        left["payment_method"] = method
    if place := extension.get("pickup_location_code"):
        left["pickup_location_code"] = place
    if points := extension.get("reward_points_balance"):
        left["reward_points_balance"] = points
    return left
