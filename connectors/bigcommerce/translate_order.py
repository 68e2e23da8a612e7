"""Orders with their lines, payments and parcels; refunds as settlements."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal, get_args

from connectors.bigcommerce import payloads as told_by
from connectors.bigcommerce.payloads import OrderAddress, OrderFields, OrderProduct, currency_of, latest
from models.base import Words
from models.landing import Deletion
from models.loyalty import EntryKind, LoyaltyEntry
from models.orders import Order, OrderChannel, PaymentStatus, Refund, Return, Settlement, Tax, money

_PAYMENT: Mapping[str, PaymentStatus] = {
    "authorized": "authorised",
    "held for review": "authorised",
    "captured": "paid",
    "paid": "paid",
    "capture pending": "pending",
    "pending": "pending",
    "partially refunded": "part_refunded",
    "refunded": "refunded",
    "declined": "failed",
    "void": "failed",
    "void pending": "failed",
}
_CHANNELS: Mapping[str, OrderChannel] = {"iphone": "app", "ipad": "app", "android": "app", "manual": "phone"}
_MONEY_CAME = {"purchase", "capture", "settled"}
_COUPONS = ("item discount", "percentage", "order discount", "shipping discount", "free shipping", "promotion")


_Cost = Literal["shipping_cost_inc_tax", "handling_cost_inc_tax", "wrapping_cost_inc_tax"]
_COSTS: tuple[_Cost, ...] = get_args(_Cost)
_Reference = Literal["external_source", "external_id", "external_order_id", "cart_id"]
_REFERENCES: tuple[_Reference, ...] = get_args(_Reference)
_NO_CONSIGNMENTS: told_by.Consignments = {}
_POINTS: Mapping[str, tuple[EntryKind, str]] = {"pointsEarned": ("earn", ""), "pointsRedeemed": ("redeem", "-")}


def order_body(told: OrderFields, brands: Mapping[str, str]) -> Order | Deletion:
    """An order, or its deletion: the vendor keeps an archived order readable and marks it."""
    if told.get("is_deleted"):
        return Deletion(at=told.get("date_modified"))
    currency, brand = currency_of(told), brands.get(told.get("channel_id") or "")
    notes = {field["key"]: field.get("value") or None for field in reversed(told.get("metafields", ()))}
    card = notes.get("loyaltyNumber")
    customer, billed = told.get("customer_id"), told.get("billing_address")
    products = _products(told)
    return Order.model_validate(
        {
            "number": told["id"],
            "status": told["status"],
            "payment_status": _PAYMENT.get((told.get("payment_status") or "").lower(), "unknown"),
            "placed_at": told["date_created"],
            "channel": _channel(told),
            "brand": brand,
            "store": told.get("channel_id") or None,
            "currency": currency,
            "locale": told.get("customer_locale") or None,
            "customer": customer if customer not in {None, "", "0"} else None,
            "person": _buyer(told, billed, brand) if billed is not None else None,
            "loyalty_number": card,
            "total": money(told["total_inc_tax"], currency),
            "lines": [*_lines(told, products, currency), *[_fee(fee, currency) for fee in told.get("fees", ())]],
            "discounts": list(_discounts(told, products, currency)),
            "taxes": list(_taxes(told, currency)),
            "tenders": list(_tenders(told, currency)),
            "fulfilments": [*_parcels(told), *_collections(told)],
            "loyalty": list(_points(told, notes, card)) if card else [],
            "attributes": dict(_leftovers(told, currency)),
        }
    )


def order_changed_at(told: OrderFields) -> datetime | None:
    """When it or a metafield of it was last changed."""
    return latest(told, told.get("metafields", ()))


def refund_body(told: told_by.Refund, _: Mapping[str, str]) -> Settlement:
    """A refund, in the currency of its order; products in it are returns. What a provider declined never went back."""
    declined = [Decimal(part["amount"]) for part in told.get("payments", ()) if part.get("is_declined")]
    amount = Decimal(told["total_amount"]) - sum(declined)
    refund = Refund(
        refund_id=told["id"],
        amount=money(str(amount), currency_of(told["order"])),
        reason=told.get("reason") or None,
        at=told["created"],
    )
    return Settlement(
        order=told["order_id"],
        refunds=() if declined and amount <= 0 else (refund,),
        returns=tuple(
            Return(
                return_id=f"{told['id']}:{item.get('item_id')}",
                line=item.get("item_id") or None,
                quantity=Decimal(item.get("quantity") or 1),
                at=told["created"],
            )
            for item in told.get("items", ())
            if item["item_type"] == "PRODUCT"
        ),
    )


def _charged(amount: str | None) -> bool:
    return bool(amount) and float(amount or 0) > 0


def _channel(told: OrderFields) -> OrderChannel:
    source = (told.get("order_source") or "").lower()
    if source == "pos" or (told.get("external_source") or "").upper() == "POS":
        return "pos"
    return _CHANNELS.get(source, "web")


def _buyer(told: OrderFields, billed: OrderAddress, brand: str | None) -> Words:
    """Who is billed."""
    contacts: list[Words] = []
    if email := billed.get("email"):
        contacts.append({"kind": "email", "value": email, "label": "billing", "primary": True})
    if phone := billed.get("phone"):
        contacts.append({"kind": "phone", "value": phone, "label": "billing", "primary": True})
    return {
        "given_name": billed.get("first_name") or None,
        "family_name": billed.get("last_name") or None,
        "organisation": billed.get("company") or None,
        "locale": told.get("customer_locale") or None,
        "brand": brand,
        "contact_points": contacts,
        "addresses": _addresses(told, billed),
        "consents": [_opted_in(told, email, brand)] if email and told.get("is_email_opt_in") else [],
    }


def _opted_in(told: OrderFields, email: str, brand: str | None) -> Words:
    """A tick at the checkout is a yes; no tick is no answer."""
    at = told["date_created"]
    return {"contact_point": email, "channel": "email", "brand": brand, "status": "opt_in", "at": at}


def _addresses(told: OrderFields, billed: OrderAddress) -> list[Words]:
    """Where the buyer is billed, and where goods went if it bears the buyer's name; each place once."""
    name, addresses = _name(billed), []
    if billed.get("street_1") or billed.get("zip") or billed.get("city"):
        addresses.append(_address(billed, "billing"))
    for place in _sent_to(told):
        if place.get("street_1") and _name(place) == name:
            address = _address(place, "shipping")
            if address not in addresses:
                addresses.append(address)
    return addresses


def _sent_to(told: OrderFields) -> Iterator[OrderAddress]:
    yield from told.get("shipping_addresses", ())
    yield from told.get("consignments", _NO_CONSIGNMENTS).get("shipping", ())


def _name(address: OrderAddress) -> tuple[str, str]:
    return (address.get("first_name") or "").casefold(), (address.get("last_name") or "").casefold()


def _address(told: OrderAddress, label: str) -> Words:
    return {
        "label": label,
        "line1": told.get("street_1") or None,
        "line2": told.get("street_2") or None,
        "postcode": told.get("zip") or None,
        "city": told.get("city") or None,
        "region": told.get("state") or None,
        "country": told.get("country_iso2") or told.get("country") or None,
        "primary": label == "billing",
    }


def _products(told: OrderFields) -> list[OrderProduct]:
    """Positions, from the list of products or from the parts of the order, whichever was read; each once."""
    found = told.get("products") or _consigned(told.get("consignments", _NO_CONSIGNMENTS))
    return sorted(
        {product["id"]: product for product in found}.values(), key=lambda product: (len(product["id"]), product["id"])
    )


def _consigned(parts: told_by.Consignments) -> list[OrderProduct]:
    certificates = parts.get("email", {}).get("gift_certificates", ())
    grouped = (*parts.get("shipping", ()), *parts.get("pickups", ()), *parts.get("downloads", ()), *certificates)
    return [product for part in grouped for product in part.get("line_items", ())]


def _lines(told: OrderFields, products: Iterable[OrderProduct], currency: str) -> Iterator[Words]:
    taxes: defaultdict[str | None, list[Tax]] = defaultdict(list)
    for tax in told.get("taxes", ()):
        if tax.get("line_item_type") == "item":
            taxes[tax.get("order_product_id")].append(_tax(tax.get("name"), tax["rate"], tax["line_amount"], currency))
    for product in products:
        yield _line(product, taxes[product["id"]], currency)


def _line(product: OrderProduct, taxes: Sequence[Tax], currency: str) -> Words:
    """Amounts include tax. Discounts of the whole order are not taken off here."""
    own = [discount for discount in product.get("applied_discounts", ()) if discount.get("target") != "order"]
    amount = product["total_inc_tax"]
    if own:
        amount = str(Decimal(amount) - sum(Decimal(discount["amount"]) for discount in own))
    return {
        "line_id": product["id"],
        "sku": product.get("sku") or None,
        "name": product.get("name") or None,
        "quantity": product["quantity"],
        "unit_price": money(product["price_inc_tax"], currency),
        "amount": money(amount, currency),
        "discounts": [
            {"code": one.get("code") or None, "name": one.get("name") or None, "amount": money(one["amount"], currency)}
            for one in own
        ],
        "taxes": taxes,
    }


@lru_cache(maxsize=20_000)
def _tax(name: str | None, rate: str, amount: str, currency: str) -> Tax:
    """A tax that is contained in the price. Prices and rates repeat, and so do taxes."""
    return Tax(name=name or None, rate=Decimal(rate), amount=money(amount, currency), included=True)


def _fee(fee: told_by.Fee, currency: str) -> Words:
    return {
        "line_id": f"fee-{fee['id']}",
        "name": fee.get("display_name_customer") or None,
        "quantity": 1,
        "amount": money(fee["cost_inc_tax"], currency),
    }


def _discounts(told: OrderFields, products: Iterable[OrderProduct], currency: str) -> Iterator[Words]:
    """Coupons that no line has taken already, and what the shop took off by hand or by rule."""
    of_lines = {
        discount.get("code")
        for product in products
        for discount in product.get("applied_discounts", ())
        if discount.get("target") != "order"
    }
    for coupon in told.get("coupons", ()):
        code, kind = coupon.get("code") or None, coupon.get("type")
        if code is None or code not in of_lines:
            name = _COUPONS[kind] if kind is not None and kind < len(_COUPONS) else None
            yield {"code": code, "name": name, "amount": money(coupon["discount"], currency)}
    taken = told.get("discount_amount")
    if taken and _charged(taken):
        yield {"name": "order discount", "amount": money(taken, currency)}


def _taxes(told: OrderFields, currency: str) -> Iterator[Tax]:
    """Per name and rate over the whole order; the bare total where no details were read. All contained in the total."""
    sums: defaultdict[tuple[str | None, str], Decimal] = defaultdict(Decimal)
    for tax in told.get("taxes", ()):
        sums[tax.get("name"), tax["rate"]] += Decimal(tax["line_amount"])
    for (name, rate), amount in sums.items():
        yield _tax(name, rate, str(amount), currency)
    total = told.get("total_tax")
    if not sums and total and _charged(total):
        yield Tax(amount=money(total, currency), included=True)


def _tenders(told: OrderFields, currency: str) -> Iterator[Words]:
    """Money that came, as the payment provider tells it, else as the order does."""
    movements = told.get("transactions", ())
    for movement in movements:
        if movement["event"] in _MONEY_CAME and movement.get("status") != "error":
            yield {
                "tender": movement["method"],
                "amount": money(movement["amount"], movement["currency"]),
                "reference": movement.get("gateway_transaction_id") or movement["id"],
                "at": movement.get("date_created"),
            }
    if not movements:
        yield from _tenders_of_order(told, currency)


def _tenders_of_order(told: OrderFields, currency: str) -> Iterator[Words]:
    vouchers = {
        "store_credit": Decimal(told.get("store_credit_amount") or 0),
        "gift_certificate": Decimal(told.get("gift_certificate_amount") or 0),
    }
    rest = Decimal(told["total_inc_tax"]) - sum(vouchers.values())
    for name, amount in ((told.get("payment_method"), rest), *vouchers.items()):
        if name and amount > 0:
            yield {"tender": name, "amount": money(str(amount), currency)}


def _parcels(told: OrderFields) -> Iterator[Words]:
    for parcel in told.get("shipments", ()):
        yield {
            "fulfilment_id": parcel["id"],
            "method": parcel.get("shipping_method") or None,
            "carrier": parcel.get("tracking_carrier") or parcel.get("shipping_provider") or None,
            "tracking_number": parcel.get("tracking_number") or None,
            "status": "shipped",
            "at": parcel.get("date_created"),
            "lines": [item["order_product_id"] for item in parcel.get("items", ())],
        }


def _collections(told: OrderFields) -> Iterator[Words]:
    for pickup in told.get("consignments", _NO_CONSIGNMENTS).get("pickups", ()):
        lines = [product["id"] for product in pickup.get("line_items", ())]
        method = pickup.get("pickup_method_display_name") or "pickup"
        yield {"fulfilment_id": f"pickup-{pickup.get('id') or None}", "method": method, "lines": lines}


def _points(told: OrderFields, notes: Mapping[str, str | None], card: str) -> Iterator[LoyaltyEntry]:
    """Points that the order earned and used, kept by the loyalty app in metafields of the order.

    Apps write what was used with or without a minus; a refusal of what is no whole number names the path `points`.
    """
    for key, (movement, sign) in _POINTS.items():
        points = notes.get(key)
        if points is not None:
            yield LoyaltyEntry(
                account=card,
                external_id=f"bigcommerce:{told['id']}:{movement}",
                movement=movement,
                points=sign + points.strip().lstrip("+-"),
                at=told["date_created"],
                order=told["id"],
            )


def _leftovers(told: OrderFields, currency: str) -> Iterator[tuple[str, str]]:
    """What has no field of ours."""
    for cost in _COSTS:
        if (amount := told.get(cost)) and _charged(amount):
            yield cost, amount
    for reference in _REFERENCES:
        if value := told.get(reference):
            yield reference, value
    method = next((way for place in _sent_to(told) if (way := place.get("shipping_method"))), None)
    if method:
        yield "shipping_method", method
    if store := _collected_at(told):
        yield "pickup_store", store
    display = told.get("currency_code")
    if display and display != currency:
        yield "display_currency", display


def _collected_at(told: OrderFields) -> str | None:
    """The store where goods are collected, by its code if it has one."""
    pickups = told.get("consignments", _NO_CONSIGNMENTS).get("pickups", ())
    places = [place for pickup in pickups if (place := pickup.get("location"))]
    return next((name for place in places if (name := place.get("code") or place.get("name"))), None)
