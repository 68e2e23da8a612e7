"""What was bought for how much: lines, discounts, taxes, and what came back. Money in minor units, as integers."""

from dataclasses import dataclass

import numpy as np

from connectors.sandbox.population.block import DAY, Block
from connectors.sandbox.population.draws import Bools, Floats, Ints
from connectors.sandbox.population.goods import CODES, catalogue
from connectors.sandbox.population.texts import Texts
from connectors.sandbox.population.visits import Visits

NONE = -1


@dataclass(frozen=True)
class Lines:
    """A row per line, in the order of the orders. `amount` is after the line's discount, without tax."""

    order: Ints
    number: Ints
    product: Ints
    quantity: Ints
    unit_price: Ints
    discount: Ints
    share: Ints
    """The line's share in the order's discount."""
    tax: Ints

    @property
    def amount(self) -> Ints:
        return self.quantity * self.unit_price - self.discount

    @property
    def paid(self) -> Ints:
        """What the customer paid for the line in the end."""
        return self.amount - self.share + self.tax


@dataclass(frozen=True)
class Baskets:
    """A row per order, and its lines. Returns name a row of the lines, NONE without."""

    lines: Lines
    code: Ints
    """Place in CODES, NONE without."""
    discount: Ints
    tax: Ints
    total: Ints
    cancelled: Bools
    returned_line: Ints
    returned_quantity: Ints
    returned_amount: Ints
    returned_at: Ints
    goodwill: Ints
    refunded_at: Ints

    @property
    def refunded(self) -> Ints:
        """All money that went back."""
        return np.where(self.cancelled, self.total, self.returned_amount + self.goodwill)


def fill(block: Block, visits: Visits, home: Ints) -> Baskets:
    """Fill the basket of every visit. `home` is the buyer's country, a row per visit."""
    n = len(visits)
    code = np.where(
        block.draws.chance("order discount", 0.15, n), block.draws.below("discount code", len(CODES), n), NONE
    )
    lines = _lines(block, home, code, n)
    starts = np.searchsorted(lines.order, np.arange(n))
    cancelled = block.draws.chance("cancelled", 0.03, n) & (visits.branch < 0)
    total = _sums(lines.paid, starts)
    line, quantity, at = _returns(block, visits, lines, starts, cancelled)
    returned = np.where(line >= 0, lines.paid[line] * quantity // lines.quantity[line], 0)
    goodwill = (
        block.draws.chance("goodwill", 0.01, n) & ~cancelled & (line < 0) & (visits.placed < block.end - 10 * DAY)
    )
    later = np.select([line >= 0, goodwill], [at + 3_600_000, visits.placed + 5 * DAY], visits.placed + 1_800_000)
    return Baskets(
        lines=lines,
        code=code,
        discount=_sums(lines.share, starts),
        tax=_sums(lines.tax, starts),
        total=total,
        cancelled=cancelled,
        returned_line=line,
        returned_quantity=quantity,
        returned_amount=returned,
        returned_at=at,
        goodwill=np.where(goodwill, total // 10, 0),
        refunded_at=np.minimum(later, block.end),
    )


def _sums(values: Ints, starts: Ints) -> Ints:
    """Sums per order; every order has a line."""
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0, dtype=np.int64)


def _lines(block: Block, home: Ints, code: Ints, orders: int) -> Lines:
    per_order = 1 + np.minimum(block.draws.stream("lines").poisson(0.9, orders), 5)
    order = np.repeat(np.arange(orders), per_order)
    n = len(order)
    number = np.arange(n) - np.repeat(np.cumsum(per_order) - per_order, per_order) + 1
    product = block.draws.pick("product", catalogue().popularity, n)
    quantity = 1 + block.draws.stream("quantity").poisson(0.2, n)
    price = _prices(block, home[order], product)
    percent = np.where(
        block.draws.chance("line discount", 0.1, n), block.draws.below("line percent", 3, n) * 10 + 10, 0
    )
    discount = quantity * price * percent // 100
    amount = quantity * price - discount
    off = np.array([*(percent for _, percent in CODES), 0])[code[order]]
    share = amount * off // 100
    rate = np.array([land.tax_basis_points for land in block.countries])[home[order]]
    return Lines(order, number, product, quantity, price, discount, share, ((amount - share) * rate + 5_000) // 10_000)


def _prices(block: Block, home: Ints, product: Ints) -> Ints:
    """Prices in minor units of the country's currency; whole tens where it has no minor unit."""
    factor = np.array([land.minor_per_price for land in block.countries])[home]
    whole = np.array([land.decimals == 0 for land in block.countries])[home]
    price: Floats = catalogue().price[product] * factor
    prices: Ints = np.where(whole, np.round(price / 10) * 10, np.round(price)).astype(np.int64)
    return prices


def _returns(block: Block, visits: Visits, lines: Lines, starts: Ints, cancelled: Bools) -> tuple[Ints, Ints, Ints]:
    """For one order in fourteen: which line came back, how many of it, when."""
    n = len(visits)
    old = visits.placed < block.end - 30 * DAY
    comes = block.draws.chance("returned", 0.07, n) & old & ~cancelled
    count = np.diff(np.append(starts, len(lines.order)))
    line = starts + (block.draws.uniform("line returned", n) * count).astype(np.int64)
    quantity = 1 + (block.draws.uniform("quantity returned", n) * lines.quantity[line]).astype(np.int64)
    days = 2 + block.draws.below("days until return", 24, n)
    at = visits.placed + days * DAY
    return np.where(comes, line, NONE), np.where(comes, quantity, 0), at


def product_words(lines: Lines) -> tuple[Texts, Texts]:
    """SKU and name of each line."""
    goods = catalogue()
    return goods.sku[lines.product], goods.name[lines.product]
