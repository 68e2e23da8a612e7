"""Receipts of a till: which number each gets, and what it is called."""

from dataclasses import dataclass

import numpy as np

from connectors.sandbox.population.block import DAY, Block, rank_within
from connectors.sandbox.population.draws import Ints
from connectors.sandbox.population.systems import BRANDS, STORES_PER_COUNTRY, TILLS_PER_STORE, till_store
from connectors.sandbox.population.texts import Texts, texts

SALES, RETURNS = 10, 110
"""Where the numbers of a till's day start; those below belong to the protagonists."""
PER_DAY = 200
"""Numbers that a block keeps for each till and day, half for sales and half for returns."""


@dataclass(frozen=True)
class Lanes:
    """Where and when receipts were printed, a row each: country, branch in it, till, moment."""

    country: Ints
    branch: Ints
    till: Ints
    at: Ints

    def take(self, rows: Ints) -> "Lanes":
        """The lanes at those rows."""
        return Lanes(self.country[rows], self.branch[rows], self.till[rows], self.at[rows])


@dataclass(frozen=True)
class ReceiptNames:
    """`store`, `sequence`, and made of them `key` (`0103|2|2026-03-14|000012`) and `transaction` (with hyphens)."""

    store: Texts
    sequence: Texts
    key: Texts
    transaction: Texts


def name_receipts(block: Block, lanes: Lanes, start: int) -> ReceiptNames:
    """Count receipts per till and day, from the block's own start. Raises ValueError where a day is full."""
    place = (lanes.country * STORES_PER_COUNTRY + lanes.branch) * (TILLS_PER_STORE + 1) + lanes.till
    rank = rank_within(place * 100_000 + lanes.at // DAY)
    if len(rank) and int(rank.max()) >= PER_DAY // 2:
        raise ValueError(f"more than {PER_DAY // 2} receipts of one till on one day in one block")
    sequence = [f"{number:06d}" for number in start + block.number * PER_DAY + rank]
    stores = np.array(
        [[till_store(land.code, branch) for branch in range(STORES_PER_COUNTRY)] for land in block.countries],
        dtype=object,
    )[lanes.country, lanes.branch]
    days = (lanes.at // DAY).astype("datetime64[D]").astype(str)
    rows = list(zip(stores, lanes.till, days, sequence, strict=True))
    return ReceiptNames(
        store=stores,
        sequence=texts(sequence),
        key=texts(f"{store}|{till}|{day}|{number}" for store, till, day, number in rows),
        transaction=texts(f"{store}-{till}-{day.replace('-', '')}-{number}" for store, till, day, number in rows),
    )


def brand_of(branch: Ints) -> Texts:
    """The brand of a till's store."""
    result: Texts = texts(BRANDS)[branch % len(BRANDS)]
    return result
