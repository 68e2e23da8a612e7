"""The lines of an order: goods and custom lines, with their discounts and taxes."""

from collections.abc import Iterator
from decimal import Decimal

from connectors.commercetools.payloads_order import CustomLine, DiscountPortion, GoodsLine, VendorLine, VendorOrder
from connectors.commercetools.reading import localised, money
from models.orders import Discount, Money, OrderLine, Tax


def lines(told: VendorOrder) -> Iterator[OrderLine]:
    """Goods first, then custom lines, in the order's own sequence."""
    for goods in told.line_items:
        yield _goods(goods, told.locale)
    for custom in told.custom_line_items:
        yield _custom(custom, told.locale)


def portions(included: list[DiscountPortion], pieces: Decimal) -> Iterator[Discount]:
    """What each discount took off so many pieces."""
    for portion in included:
        off = money(portion.discounted_amount)
        amount = Money(amount=abs(off.amount) * pieces, currency=off.currency)
        yield Discount(code=portion.discount.known_as, name=portion.discount.type_id, amount=amount)


def _goods(line: GoodsLine, locale: str | None) -> OrderLine:
    return OrderLine(
        line_id=line.id,
        sku=line.variant.sku or line.product_id,
        name=localised(line.name, locale),
        quantity=Decimal(line.quantity),
        unit_price=money(line.price.value) if line.price else None,
        amount=money(line.total_price),
        discounts=(*_product_discount(line), *_cart_discounts(line)),
        taxes=tuple(_taxes(line)),
    )


def _custom(line: CustomLine, locale: str | None) -> OrderLine:
    return OrderLine(
        line_id=line.id,
        sku=line.slug,
        name=localised(line.name, locale),
        quantity=Decimal(line.quantity),
        unit_price=money(line.money),
        amount=money(line.total_price),
        discounts=tuple(_cart_discounts(line)),
        taxes=tuple(_taxes(line)),
    )


def _product_discount(line: GoodsLine) -> Iterator[Discount]:
    """A product discount lowers the price before the cart's discounts do."""
    if line.price and line.price.discounted:
        full, lowered = line.price.value, line.price.discounted
        off = (full.amount - lowered.value.amount) * line.quantity
        amount = Money(amount=off, currency=full.currency_code)
        yield Discount(code=lowered.discount.known_as, name=lowered.discount.type_id, amount=amount)


def _cart_discounts(line: VendorLine) -> Iterator[Discount]:
    for part in line.discounted_price_per_quantity:
        yield from portions(part.discounted_price.included_discounts, Decimal(part.quantity))


def _taxes(line: VendorLine) -> Iterator[Tax]:
    if not line.taxed_price:
        return
    included = line.tax_rate.included_in_price if line.tax_rate else line.taxed_price.total_gross == line.total_price
    for portion in line.taxed_price.tax_portions:
        yield Tax(name=portion.name, rate=portion.rate, amount=money(portion.amount), included=included)
    if not line.taxed_price.tax_portions and line.tax_rate and line.taxed_price.total_tax:
        rate, tax = line.tax_rate, line.taxed_price.total_tax
        yield Tax(name=rate.name, rate=rate.amount, amount=money(tax), included=included)
