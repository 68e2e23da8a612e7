"""Rows that tell the very same: till receipts and orders repeat a customer many times.

Identified rows (an e-mail address, an id, a name with a phone, a birth date or an address) that agree in every column
are one record told again; they are linked once. Rows that say no more than a common name are never collapsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from resolver.warehouse import queries

WORTH_IT = 0.7
IDENTIFYING: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("email",),),
    (("loyalty_number",),),
    (("national_id",),),
    (("given_name", "full_name"), ("phone",)),
    (("given_name", "full_name"), ("family_name", "full_name"), ("birth_date",)),
    (("given_name", "full_name"), ("family_name", "full_name"), ("address_line", "street"), ("postcode",)),
)


@dataclass(frozen=True)
class Collapsed:
    """`people` with every repeated row once; `place[i]` is where row i of the original stands in it, `row[j]` which row
    of the original its row j is."""

    people: pa.Table
    place: NDArray[np.int64]
    row: NDArray[np.int64]


def collapsed(people: pa.Table, threads: int) -> Collapsed:
    """Identical identified rows as one, when enough of them are; the row with the smallest record id stands for
    the rest."""
    everything = np.arange(people.num_rows)
    told = people.drop_columns(["record", "source"])
    if not told.num_columns:
        return Collapsed(people, everything, everything)
    row_hash = row_hashes(told, threads)
    identified = _identified(people)
    if not identified.any() or _distinct(row_hash[identified]) > WORTH_IT * people.num_rows:
        return Collapsed(people, everything, everything)
    order = np.lexsort((_ranks(people["record"]), row_hash))
    starts = np.ones(order.size, np.bool_)
    starts[1:] = (row_hash[order][1:] != row_hash[order][:-1]) | ~identified[order][1:]
    number = np.empty(order.size, np.int64)
    number[order] = np.cumsum(starts) - 1
    return Collapsed(people.take(pa.array(order[starts])), number, order[starts])


def row_hashes(told: pa.Table, threads: int) -> NDArray[np.uint64]:
    """One hash per row over all its columns."""
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.register("linkage_told", told)
        return np.asarray(connection.execute(queries("linkage")["row_hashes"]).fetchnumpy()["hash"])


def _distinct(hashes: NDArray[np.uint64]) -> int:
    ordered = np.sort(hashes)
    return 1 + int((ordered[1:] != ordered[:-1]).sum())


def _ranks(records: pa.ChunkedArray) -> NDArray[np.int64]:
    order = np.asarray(pc.sort_indices(records)).astype(np.int64)
    ranks = np.empty(order.size, np.int64)
    ranks[order] = np.arange(order.size)
    return ranks


def _identified(people: pa.Table) -> NDArray[np.bool_]:
    """The rows that hold one of the combinations that identify a person."""

    def told(fields: tuple[str, ...]) -> NDArray[np.bool_]:
        there = [np.asarray(pc.is_valid(people[field])) for field in fields if field in people.column_names]
        return reduce(np.logical_or, there, np.zeros(people.num_rows, np.bool_))

    combinations = [reduce(np.logical_and, [told(fields) for fields in parts]) for parts in IDENTIFYING]
    return np.asarray(reduce(np.logical_or, combinations))
