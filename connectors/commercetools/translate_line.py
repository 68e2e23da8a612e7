"""The lines of an order: goods and custom lines, with their discounts and taxes."""

from collections.abc import Iterator
from decimal import Decimal

from connectors.commercetools.payloads_order import CustomLine, DiscountPortion, GoodsLine, VendorLine, VendorOrder
from connectors.commercetools.reading import Words, localised, money


def lines(told: VendorOrder) -> Iterator[Words]:
    """OrderLines: goods first, then custom lines, in the order's own sequence."""
    for goods in told.line_items:
        yield _goods(goods, told.locale)
    for custom in told.custom_line_items:
        yield _custom(custom, told.locale)


def portions(included: list[DiscountPortion], pieces: int) -> Iterator[Words]:
    """What each discount took off so many pieces, as Discounts."""
    for portion in included:
        off = money(portion.discounted_amount)
        amount = {"amount": abs(off.amount) * pieces, "currency": off.currency}
        yield {"code": portion.discount.known_as, "name": portion.discount.type_id, "amount": amount}


def _goods(line: GoodsLine, locale: str | None) -> Words:
    return {
        "line_id": line.id,
        "sku": line.variant.sku or line.product_id,
        "name": localised(line.name, locale),
        "quantity": line.quantity,
        "unit_price": money(line.price.value) if line.price else None,
        "amount": money(line.total_price),
        "discounts": [*_product_discount(line), *_cart_discounts(line)],
        "taxes": list(_taxes(line)),
    }


def _custom(line: CustomLine, locale: str | None) -> Words:
    return {
        "line_id": line.id,
        "sku": line.slug,
        "name": localised(line.name, locale),
        "quantity": line.quantity,
        "unit_price": money(line.money),
        "amount": money(line.total_price),
        "discounts": list(_cart_discounts(line)),
        "taxes": list(_taxes(line)),
    }


def _product_discount(line: GoodsLine) -> Iterator[Words]:
    """A product discount lowers the price before the cart's discounts do."""
    if line.price and line.price.discounted:
        full, lowered = money(line.price.value), line.price.discounted
        off = (full.amount - money(lowered.value).amount) * line.quantity
        amount = {"amount": off, "currency": full.currency}
        yield {"code": lowered.discount.known_as, "name": lowered.discount.type_id, "amount": amount}


def _cart_discounts(line: VendorLine) -> Iterator[Words]:
    for part in line.discounted_price_per_quantity:
        yield from portions(part.discounted_price.included_discounts, part.quantity)


def percent(rate: Decimal | None) -> Decimal | None:
    """A rate of the vendor, which is a share: 0.19 is 19 percent."""
    return None if rate is None else rate * 100


def _taxes(line: VendorLine) -> Iterator[Words]:
    taxed, rate = line.taxed_price, line.tax_rate
    if not taxed:
        return
    included = rate.included_in_price if rate else taxed.total_gross == line.total_price
    for portion in taxed.tax_portions:
        yield {
            "name": portion.name,
            "rate": percent(portion.rate),
            "amount": money(portion.amount),
            "included": included,
        }
    if not taxed.tax_portions and rate and taxed.total_tax:
        yield {"name": rate.name, "rate": percent(rate.amount), "amount": money(taxed.total_tax), "included": included}
