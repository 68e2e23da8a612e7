"""Carts as events; stores and customer groups, which other records name."""

from connectors.commercetools.payloads_project import VendorCart, VendorGroup, VendorStore
from connectors.commercetools.reading import (
    ShopFields,
    localised,
    money,
    other_fields,
    own_fields,
    plain_fields,
    text,
    without_blanks,
)
from models.engagement import Event
from models.landing import Other


def cart(told: VendorCart, shop: ShopFields) -> Event:
    """The latest that happened to the cart: it was filled, or it became an order."""
    custom, found = own_fields(told.get("custom")), told.get("store")
    store = found["key"] if found else None
    total, state = told["total_price"], told["cart_state"]
    known: dict[str, str | None] = {
        "state": state,
        "currency": total["currency_code"],
        "total": str(money(total).amount),
        "skus": " ".join([sku for line in told.get("line_items", ()) if (sku := line["variant"].get("sku"))]),
        "brand": shop.brand_of(custom, store),
        "loyalty_number": text(custom.get(shop.loyalty_number)),
        "country": told.get("country"),
        "locale": told.get("locale"),
        "origin": told.get("origin"),
    }
    return Event(
        event="checkout" if state == "Ordered" else "cart",
        at=told["last_modified_at"],
        customer=told.get("customer_id") or None,
        anonymous=told.get("anonymous_id") or None,
        channel=text(custom.get(shop.channel)),
        store=store,
        attributes=without_blanks(known) | other_fields(custom, shop),
    )


def store(told: VendorStore, shop: ShopFields) -> Other:
    """A storefront with the name that people know it by."""
    key, custom = told["key"], own_fields(told.get("custom"))
    known: dict[str, str | None] = {
        "brand": shop.brand_of(custom, key),
        "languages": " ".join(told.get("languages", ())),
        "countries": " ".join([country["code"] for country in told.get("countries", ())]),
    }
    attributes = without_blanks(known) | plain_fields(custom)
    return Other(what="store", code=key, name=localised(told.get("name"), None), attributes=attributes)


def group(told: VendorGroup) -> Other:
    """A customer group with its name."""
    attributes = plain_fields(own_fields(told.get("custom")))
    return Other(what="customer-group", code=told.get("key"), name=told["name"], attributes=attributes)
