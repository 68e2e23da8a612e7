"""The records of one linkage, in a database of their own, numbered in the order of their ids."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from resolver.linkage import scoring
from resolver.linkage.blocking import Keys
from resolver.linkage.bounds import Outline, Text, digits
from resolver.linkage.comparisons import ALL, Comparison
from resolver.linkage.frequencies import Values
from resolver.warehouse import queries

BY_COUNTRY = ("given", "family")


@dataclass(frozen=True)
class Records:
    """People to link: `ids[i]` is the record id of number i, `parts` the hashed parts for blocking and frequencies."""

    connection: duckdb.DuckDBPyConnection
    ids: pa.StringArray
    parts: Mapping[str, Keys]
    comparisons: tuple[Comparison, ...]

    @property
    def count(self) -> int:
        return len(self.ids)

    @property
    def all_pairs(self) -> float:
        return max(self.count * (self.count - 1) / 2, 1.0)

    @functools.cached_property
    def values(self) -> dict[str, Values]:
        """The different values of every field with term frequencies."""
        wanted = {field for c in self.comparisons for level in c.levels for field in level.frequency}
        named = (self.parts["given"] != 0) | (self.parts["family"] != 0)
        country = np.unique(self.parts["country"], return_inverse=True)[1].astype(np.int64)
        everywhere = np.zeros(self.count, np.int64)
        return {
            field: Values.of(self.parts[field], named, country if field in BY_COUNTRY else everywhere)
            for field in sorted(wanted)
        }

    @functools.cached_property
    def value_hashes(self) -> dict[str, Keys]:
        """For every field and value a hash that is the same on every machine and with every version."""
        sizes = [v.first.size for v in self.values.values()]
        fields = pa.array(np.repeat(np.array(list(self.values), object), sizes), pa.string())
        first = np.concatenate([v.first for v in self.values.values()]).astype(np.int32)
        hashes = self._hashed(pa.table({"field": fields, "unique_id": first}))
        ends = np.cumsum(sizes)
        return dict(zip(self.values, np.split(hashes, ends[:-1]), strict=True))

    def _hashed(self, wanted: pa.Table) -> Keys:
        self.connection.register("linkage_wanted", wanted.append_column("place", pa.array(np.arange(wanted.num_rows))))
        found = self.connection.execute(queries("linkage")["value_hashes"]).fetchnumpy()
        self.connection.unregister("linkage_wanted")
        hashes = np.empty(wanted.num_rows, np.uint64)
        hashes[found["place"]] = found["hash"]
        return hashes

    @functools.cached_property
    def outline(self) -> Outline:
        """What rules pairs out before they are compared."""
        texts = self._columns("texts")
        numbers = self._columns("digits")
        return Outline(
            self.parts,
            {name: Text.of(texts[name].combine_chunks()) for name in texts.column_names},
            {name: digits(numbers[name].combine_chunks()) for name in numbers.column_names},
        )

    def _columns(self, query: str) -> pa.Table:
        return self.connection.sql(queries("linkage")[query]).to_arrow_table()

    @functools.cached_property
    def comparer(self) -> scoring.Comparer:
        """What compares pairs of these records."""
        return scoring.Comparer(self.connection, self.comparisons)


def load(connection: duckdb.DuckDBPyConnection, people: str, threads: int) -> Records:
    """Copy the persons of the standardised table `people` (no companies, no placeholders) into a scratch database."""
    scratch = duckdb.connect(config={"threads": threads})
    scratch.register("linkage_arriving", connection.table(people).to_arrow_reader(100_000))
    scratch.execute(queries("linkage")["people"])
    scratch.unregister("linkage_arriving")
    return within(scratch)


def within(scratch: duckdb.DuckDBPyConnection) -> Records:
    """The persons of the standardised table `linkage_people` of a database that is the linkage's own; the table is
    dropped."""
    q = queries("linkage")
    for step in ("numbers", "records", "people_away", "parts_macro"):
        scratch.execute(q[step])
    ids = scratch.sql(q["record_names"]).to_arrow_table()["record"].combine_chunks()
    filled = dict(zip(*_first_row(scratch, q["filled"]), strict=True))
    comparisons = tuple(c for c in ALL if filled[c.name] > 1)
    return Records(scratch, ids, _columns(scratch, q["parts"]), comparisons)


def _columns(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Keys]:
    """The columns of a query, in the order of the records' numbers."""
    found = connection.execute(query).fetchnumpy()
    number = found.pop("unique_id")
    columns = {name: np.empty(number.size, np.uint64) for name in found}
    for name, column in columns.items():
        column[number] = found[name]
    return columns


def _first_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], tuple[int, ...]]:
    found = connection.execute(query)
    names = [column[0] for column in found.description or []]
    return names, found.fetchall()[0]


def numbers_of(ids: pa.StringArray, wanted: pa.ChunkedArray) -> NDArray[np.int64]:
    """The record numbers of some ids; -1 for an id that is not there."""
    found = pa.compute.index_in(wanted, value_set=ids)
    return np.asarray(found.fill_null(-1)).astype(np.int64)
