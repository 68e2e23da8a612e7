"""Orders and receipts of a block as a table, with everything that belongs to each in nested lists."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl
import pyarrow as pa

from connectors.sandbox.population.accounts import HOUR
from connectors.sandbox.population.baskets import NONE, Baskets, product_words
from connectors.sandbox.population.block import DAY, Block
from connectors.sandbox.population.draws import Ints
from connectors.sandbox.population.goods import CODES
from connectors.sandbox.population.points import Points
from connectors.sandbox.population.receipts import RETURNS, Lanes, brand_of, name_receipts
from connectors.sandbox.population.records import Records, moments, words
from connectors.sandbox.population.texts import Texts, digits, either, keep, texts
from connectors.sandbox.population.visits import GUEST, Visits

PAYMENTS = ("card", "paypal", "invoice", "cash")
LOYALTY_TENDER, GIFT_CARD = "loyalty", "gift_card"


@dataclass(frozen=True)
class Trade:
    """Everything about the purchases of a block, a row per order.

    `home` is the buyer's country, `buyer` the true buyer's id, `row` the record that the order names (-1 without).
    """

    block: Block
    visits: Visits
    baskets: Baskets
    points: Points
    records: Records
    home: Ints
    buyer: Texts

    def __len__(self) -> int:
        return len(self.visits)

    @property
    def row(self) -> Ints:
        roll = self.records.roll
        row = self.visits.account.copy()
        row[roll.guest_visits] = np.arange(len(roll.guest_visits)) + roll.accounts
        return row

    @property
    def sent(self) -> Ints:
        """When a shop's order went out, 0 where it did not."""
        at = self.visits.placed + 6 * HOUR + self.block.draws.below("sent", 3 * 86_400, len(self)) * 1000
        goes = (self.visits.branch < 0) & ~self.baskets.cancelled & (at < self.block.end)
        return np.where(goes, at, 0)


def order_table(trade: Trade) -> pl.DataFrame:
    """The orders as a table."""
    return pl.DataFrame({**_heads(trade), **_sums(trade), **_lists(trade), **_loyalty(trade)})


def _heads(trade: Trade) -> dict[str, pl.Series]:
    visits, records = trade.visits, trade.records
    row, at_till = trade.row, visits.branch >= 0
    columns = records.sheet.columns
    names = texts(system.name for system in records.roll.systems)
    by_app = trade.block.draws.chance("by app", 0.25, len(trade))
    clerk = trade.block.draws.below("cashier", 6, len(trade)) + visits.branch * 10 + 2_001
    guest = visits.manner == GUEST
    return {
        "system": words(names[visits.system]),
        "order_id": words(visits.order_id),
        "number": words(visits.number),
        "customer": words(keep(visits.account >= 0, records.roll.source_id[visits.account])),
        "guest": words(keep(guest, visits.order_id)),
        "person_id": words(trade.buyer),
        "placed_at": moments(visits.placed),
        "modified_at": moments(_modified(trade)),
        "status": words(_statuses(trade)),
        "channel": words(either(at_till, "pos", either(by_app, "app", "web"))),
        "brand": words(either(at_till, brand_of(visits.branch), columns["brand"][row])),
        "store": words(either(at_till, visits.store, columns["store"][row])),
        "till": words(keep(at_till, digits(visits.till))),
        "cashier": words(keep(at_till, digits(clerk))),
        "business_day": pl.Series((visits.placed // DAY).astype("datetime64[D]")).set(pl.Series(~at_till), None),
        "sequence": words(visits.sequence),
        "currency": words(texts(land.currency for land in trade.block.countries)[trade.home]),
        "decimals": pl.Series(np.array([land.decimals for land in trade.block.countries])[trade.home], dtype=pl.Int8),
        "locale": words(texts(land.locale for land in trade.block.countries)[trade.home]),
        "loyalty_number": words(keep(trade.points.card >= 0, columns["loyalty_number"][trade.points.card])),
        "captured_email": words(keep(guest, columns["email"][row])),
        "captured_phone": words(keep(guest, columns["phone"][row])),
        "captured_name": words(keep(guest, columns["full_name"][row])),
    }


def _sums(trade: Trade) -> dict[str, pl.Series]:
    baskets = trade.baskets
    return {
        "lines_total_minor": pl.Series(baskets.total - baskets.tax + baskets.discount),
        "discount_minor": pl.Series(baskets.discount),
        "tax_minor": pl.Series(baskets.tax),
        "total_minor": pl.Series(baskets.total),
    }


def _lists(trade: Trade) -> dict[str, pl.Series]:
    return {
        "lines": _lines(trade),
        "discounts": _discounts(trade),
        "taxes": _taxes(trade),
        "tenders": _tenders(trade),
        "fulfilments": _fulfilments(trade),
        "returns": _returns(trade),
        "refunds": _refunds(trade),
    }


def _loyalty(trade: Trade) -> dict[str, pl.Series]:
    rows = np.flatnonzero(trade.visits.staff)
    return {
        "points_earned": pl.Series(trade.points.earned),
        "points_redeemed": pl.Series(trade.points.redeemed),
        "difficulties": nested(rows, len(trade), pl.Series(["staff_card"] * len(rows), dtype=pl.String)),
    }


def nested(order: Ints, orders: int, items: pl.Series) -> pl.Series:
    """A list per order from items that are sorted by order; empty where an order has none."""
    offsets = pa.array(np.searchsorted(order, np.arange(orders + 1)).astype(np.int32))
    lists = pa.ListArray.from_arrays(offsets, items.to_arrow(compat_level=pl.CompatLevel.oldest()))
    return cast(pl.Series, pl.from_arrow(lists))


def _nest(order: Ints, trade: Trade, columns: dict[str, pl.Series]) -> pl.Series:
    return nested(order, len(trade), pl.DataFrame(columns).to_struct())


def _modified(trade: Trade) -> Ints:
    baskets, sent, end = trade.baskets, trade.sent, trade.block.end
    refunded = np.where(baskets.refunded > 0, baskets.refunded_at, 0)
    arrived = np.where(sent > 0, np.minimum(sent + 3 * DAY, end), 0)
    return np.maximum(np.maximum(trade.visits.placed, arrived), refunded)


def _statuses(trade: Trade) -> Texts:
    baskets, sent = trade.baskets, trade.sent
    refunded = baskets.refunded
    arrived = (sent > 0) & (sent < trade.block.end - 3 * DAY)
    return np.select(
        [
            baskets.cancelled,
            (refunded > 0) & (refunded >= baskets.total),
            refunded > 0,
            (trade.visits.branch >= 0) | arrived,
            sent > 0,
        ],
        ["cancelled", "refunded", "partially_refunded", "completed", "shipped"],
        "awaiting_fulfilment",
    ).astype(object)


def _lines(trade: Trade) -> pl.Series:
    lines = trade.baskets.lines
    sku, name = product_words(lines)
    columns = {
        "line": words(digits(lines.number)),
        "sku": words(sku),
        "name": words(name),
        "quantity": pl.Series(lines.quantity),
        "unit_price_minor": pl.Series(lines.unit_price),
        "discount_minor": pl.Series(lines.discount),
        "tax_minor": pl.Series(lines.tax),
        "amount_minor": pl.Series(lines.amount),
    }
    return _nest(lines.order, trade, columns)


def _discounts(trade: Trade) -> pl.Series:
    baskets = trade.baskets
    rows = np.flatnonzero(baskets.discount > 0)
    codes = texts(code for code, _ in CODES)[baskets.code[rows]]
    return _nest(rows, trade, {"code": words(codes), "amount_minor": pl.Series(baskets.discount[rows])})


def _taxes(trade: Trade) -> pl.Series:
    countries = trade.block.countries
    columns = {
        "name": words(texts(land.tax_name for land in countries)[trade.home]),
        "rate": pl.Series(np.array([land.tax_basis_points for land in countries])[trade.home] / 10_000),
        "amount_minor": pl.Series(trade.baskets.tax),
    }
    return _nest(np.arange(len(trade)), trade, columns)


def _tenders(trade: Trade) -> pl.Series:
    """Points first, then for one order in twenty a gift card for half of the rest, then what people pay with."""
    n, draws, points = len(trade), trade.block.draws, trade.points
    rest = trade.baskets.total - points.value
    gift = np.where(draws.chance("gift card", 0.05, n), rest // 2, 0)
    choice = draws.uniform("payment", n)
    in_shop = np.select([choice < 0.6, choice < 0.85], [0, 1], 2)
    kind = np.where(trade.visits.branch >= 0, np.where(choice < 0.7, 0, 3), in_shop)
    amounts = np.column_stack([points.value, gift, rest - gift]).ravel()
    kinds = np.column_stack([texts([LOYALTY_TENDER] * n), texts([GIFT_CARD] * n), texts(PAYMENTS)[kind]]).ravel()
    serial = draws.below("tender reference", 10**9, 3 * n)
    some = np.flatnonzero(amounts > 0)
    columns = {
        "kind": words(kinds[some]),
        "amount_minor": pl.Series(amounts[some]),
        "reference": pl.Series([f"T{number:09d}" for number in serial[some]], dtype=pl.String),
    }
    return _nest(some // 3, trade, columns)


def _fulfilments(trade: Trade) -> pl.Series:
    n, draws, sent = len(trade), trade.block.draws, trade.sent
    rows = np.flatnonzero(sent)
    pickup = draws.chance("picked up", 0.15, n)[rows]
    carriers = np.array([land.carriers for land in trade.block.countries], dtype=object)
    carrier = carriers[trade.home[rows], draws.below("carrier", carriers.shape[1], n)[rows]]
    tracking = texts(f"{number:012d}" for number in draws.below("tracking number", 10**12, n)[rows])
    columns = {
        "id": words(trade.visits.number[rows] + "-F1"),
        "method": words(either(pickup, "pickup", "delivery")),
        "carrier": words(keep(~pickup, carrier)),
        "tracking_number": words(keep(~pickup, tracking)),
        "status": words(either(sent[rows] < trade.block.end - 3 * DAY, "delivered", "shipped")),
        "at": moments(sent[rows]),
    }
    return _nest(rows, trade, columns)


def _returns(trade: Trade) -> pl.Series:
    """Goods that came back; at a till that is a receipt of its own, in the store where they were bought."""
    visits, baskets = trade.visits, trade.baskets
    rows = np.flatnonzero(baskets.returned_line != NONE)
    ids = visits.number[rows] + "-R1"
    till = visits.branch[rows] >= 0
    here = rows[till]
    lanes = Lanes(trade.home[here], visits.branch[here], visits.till[here], baskets.returned_at[here])
    ids[till] = name_receipts(trade.block, lanes, RETURNS).key
    columns = {
        "id": words(ids),
        "line": words(digits(baskets.lines.number[baskets.returned_line[rows]])),
        "quantity": pl.Series(baskets.returned_quantity[rows]),
        "amount_minor": pl.Series(baskets.returned_amount[rows]),
        "at": moments(baskets.returned_at[rows]),
    }
    return _nest(rows, trade, columns)


def _refunds(trade: Trade) -> pl.Series:
    baskets = trade.baskets
    refunded = baskets.refunded
    rows = np.flatnonzero(refunded > 0)
    reason = either(baskets.cancelled, "cancelled", either(baskets.returned_line >= 0, "return", "goodwill"))
    columns = {
        "id": words(trade.visits.number[rows] + "-X1"),
        "amount_minor": pl.Series(refunded[rows]),
        "reason": words(reason[rows]),
        "at": moments(baskets.refunded_at[rows]),
    }
    return _nest(rows, trade, columns)
