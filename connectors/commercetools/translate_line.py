"""The lines of an order: goods and custom lines, with their discounts and taxes."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from connectors.commercetools.payloads import known_as
from connectors.commercetools.payloads_order import (
    CustomLine,
    DiscountPortion,
    GoodsLine,
    TaxPortion,
    VendorLine,
    VendorOrder,
    VendorPrice,
)
from connectors.commercetools.reading import localised, money
from models.base import Words


def lines(told: VendorOrder) -> list[Words]:
    """OrderLines: goods first, then custom lines, in the order's own sequence."""
    locale = told.get("locale")
    goods = [_goods(line, locale) for line in told.get("line_items", ())]
    return goods + [_custom(line, locale) for line in told.get("custom_line_items", ())]


def portions(included: Iterable[DiscountPortion], pieces: int) -> Iterator[Words]:
    """What each discount took off so many pieces, as Discounts."""
    for portion in included:
        off, discount = money(portion["discounted_amount"]), portion["discount"]
        amount = {"amount": abs(off.amount) * pieces, "currency": off.currency}
        yield {"code": known_as(discount), "name": discount.get("type_id"), "amount": amount}


def _goods(line: GoodsLine, locale: str | None) -> Words:
    price = line.get("price")
    return {
        "line_id": line["id"],
        "sku": line["variant"].get("sku") or line.get("product_id"),
        "name": localised(line.get("name"), locale),
        "quantity": line["quantity"],
        "unit_price": money(price["value"]) if price else None,
        "amount": money(line["total_price"]),
        "discounts": [*_product_discount(price, line["quantity"]), *_cart_discounts(line)],
        "taxes": _taxes(line),
    }


def _custom(line: CustomLine, locale: str | None) -> Words:
    return {
        "line_id": line["id"],
        "sku": line.get("slug"),
        "name": localised(line.get("name"), locale),
        "quantity": line["quantity"],
        "unit_price": money(line["money"]),
        "amount": money(line["total_price"]),
        "discounts": _cart_discounts(line),
        "taxes": _taxes(line),
    }


def _product_discount(price: VendorPrice | None, pieces: int) -> Iterator[Words]:
    """A product discount lowers the price before the cart's discounts do."""
    lowered = price.get("discounted") if price else None
    if price and lowered:
        full, discount = money(price["value"]), lowered["discount"]
        off = (full.amount - money(lowered["value"]).amount) * pieces
        amount = {"amount": off, "currency": full.currency}
        yield {"code": known_as(discount), "name": discount.get("type_id"), "amount": amount}


def _cart_discounts(line: VendorLine) -> list[Words]:
    return [
        discount
        for part in line.get("discounted_price_per_quantity", ())
        for discount in portions(part["discounted_price"].get("included_discounts", ()), part["quantity"])
    ]


def percent(rate: Decimal) -> Decimal:
    """A rate of the vendor, which is a share: 0.19 is 19 percent."""
    return rate * 100


def tax(portion: TaxPortion, *, included: bool) -> Words:
    """A Tax, of a line or of the whole order."""
    return {
        "name": portion.get("name"),
        "rate": percent(portion["rate"]),
        "amount": money(portion["amount"]),
        "included": included,
    }


def _taxes(line: VendorLine) -> list[Words]:
    taxed, rate = line.get("taxed_price"), line.get("tax_rate")
    if not taxed:
        return []
    included = rate["included_in_price"] if rate else taxed["total_gross"] == line["total_price"]
    if told := taxed.get("tax_portions"):
        return [tax(portion, included=included) for portion in told]
    whole = taxed.get("total_tax")
    if not rate or not whole:
        return []
    return [{"name": rate.get("name"), "rate": percent(rate["amount"]), "amount": money(whole), "included": included}]
