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
    custom = own_fields(told.custom)
    store = told.store.key if told.store else None
    known: dict[str, str | None] = {
        "state": told.cart_state,
        "currency": told.total_price.currency_code,
        "total": str(money(told.total_price).amount),
        "skus": " ".join(line.variant.sku for line in told.line_items if line.variant.sku),
        "brand": shop.brand_of(custom, store),
        "loyalty_number": text(custom.get(shop.loyalty_number)),
        "country": told.country,
        "locale": told.locale,
        "origin": told.origin,
    }
    return Event(
        event="checkout" if told.cart_state == "Ordered" else "cart",
        at=told.last_modified_at,
        customer=told.customer_id or None,
        anonymous=told.anonymous_id or None,
        channel=text(custom.get(shop.channel)),
        store=store,
        attributes=without_blanks(known) | other_fields(custom, shop),
    )


def store(told: VendorStore, shop: ShopFields) -> Other:
    """A storefront with the name that people know it by."""
    known: dict[str, str | None] = {
        "brand": shop.brand_of(own_fields(told.custom), told.key),
        "languages": " ".join(told.languages),
        "countries": " ".join(country.code for country in told.countries),
    }
    name = localised(told.name, None) if told.name else None
    attributes = without_blanks(known) | plain_fields(own_fields(told.custom))
    return Other(what="store", code=told.key, name=name, attributes=attributes)


def group(told: VendorGroup) -> Other:
    """A customer group with its name."""
    return Other(what="customer-group", code=told.key, name=told.name, attributes=plain_fields(own_fields(told.custom)))
