"""Tables of people from anywhere: files, frames, Arrow; each row with its source and id."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resolver.linkage.columns import Understood, understood
from resolver.linkage.repeats import row_hashes


class Frame(Protocol):
    """A data frame that speaks Arrow (polars, pandas, DuckDB relations, record batches)."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


People: TypeAlias = str | Path | Sequence[str | Path] | pa.Table | Frame


class Unreadable(ValueError):
    """A file or frame that is no table of people."""


@dataclass(frozen=True)
class Told:
    """People as told (see standard_form), with `source` and `id` of every row in input order, and what was
    understood."""

    people: pa.Table
    source: pa.StringArray
    id: pa.StringArray
    understood: Understood


def read(
    given: People,
    *,
    id: str | None = None,  # noqa: A002  the word that people use for it
    source: str | None = None,
    columns: Mapping[str, str] | None = None,
    also: Sequence[str] = (),
) -> Told:
    """Read a path, several paths, or a frame (polars, pandas, Arrow). Raises Unreadable or columns.UnknownField."""
    rows = _rows(given)
    wanted = [*(columns or {}).items(), *([(id, "record")] if id else []), *([(source, "source")] if source else [])]
    told = [column for column in rows.column_names if column != FILE]
    if len(set(told)) < len(told):
        raise Unreadable(f"two columns have one name; there are: {', '.join(told)}")
    nested = [column for column in told if pa.types.is_nested(rows[column].type)]
    known = understood([column for column in told if column not in nested], wanted, also)
    known = replace(known, warnings=[f"{column} holds several values in one: it is not read" for column in nested])
    if not set(known.fields) - {"record", "source"} and not known.others:
        numbered = all(NUMBERED.fullmatch(column) for column in told)
        raise Unreadable(
            f"no column says anything about a person; there are: {', '.join(told)}"
            + (" (the first line names none, so they are numbered; --map says what they hold)" if numbered else "")
        )
    return _told(rows, known)


FILE = "__file__"
SHAPES = {
    "email": "@",
    "phone": r"\d{4}",
    "birth_date": r"\d{4}|\d{2}\D\d{2}",
    "birth_year": r"\d{4}",
    "age": r"^\d{1,3}$",
}
IDENTIFYING = ("email", "phone", "national_id", "loyalty_number")
CROWD, CROWD_SHARE = 20, 0.005
LOOKED_AT = 10_000
DELIMITERS = ",;\t|"
NUMBERED = re.compile(r"column\d+")
MADE_UP = (["column0"], ["json"])
"""The columns that DuckDB finds in a CSV or JSON file in which nothing stands."""


def _rows(given: People) -> pa.Table:
    if isinstance(given, str | Path):
        return _file(Path(given))
    if isinstance(given, pa.Table):
        return given
    if isinstance(given, Sequence) and given:
        return _stacked([_file(Path(path)) for path in given])
    if hasattr(given, "to_arrow"):
        return given.to_arrow()
    if hasattr(given, "iloc"):
        return pa.Table.from_pandas(given, preserve_index=False)
    if hasattr(given, "__arrow_c_stream__"):
        return pa.table(given)
    raise Unreadable(f"a {type(given).__name__} is no table of people: give a path, several, or a data frame")


def _stacked(tables: Sequence[pa.Table]) -> pa.Table:
    """One table below the other; a column that is a number in one and text in another is text."""
    kinds: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for field in table.schema:
            kinds.setdefault(field.name, set()).add(field.type)
    mixed = {name for name, types in kinds.items() if len(types) > 1 and not any(map(pa.types.is_nested, types))}
    alike = [
        pa.table({name: _text(table[name]) if name in mixed else table[name] for name in table.column_names})
        for table in tables
    ]
    try:
        return pa.concat_tables(alike, promote_options="default")
    except pa.ArrowTypeError as error:
        raise Unreadable(f"the files do not go together: {error}") from error


def _file(path: Path) -> pa.Table:
    connection = duckdb.connect()
    kind = "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]).lower().removesuffix(".gz")
    try:
        if kind in (".parquet", ".pq"):
            rows = connection.read_parquet(str(path)).to_arrow_table()
        elif kind in (".json", ".ndjson", ".jsonl"):
            rows = connection.read_json(str(path)).to_arrow_table()
        elif kind in (".csv", ".tsv", ".txt"):
            rows = _csv(connection, path)
        else:
            raise Unreadable(f"{path}: neither CSV, Parquet nor NDJSON by its name")
    except duckdb.Error as error:
        raise Unreadable(f"{path}: {_reason(error)}") from error
    if rows.column_names in MADE_UP and not any(str(value or "").strip() for value in rows[0].to_pylist()):
        raise Unreadable(f"{path} is empty")
    stem = pa.array([path.name.split(".")[0]], pa.string())
    return rows.append_column(FILE, pc.take(stem, pa.array([0] * rows.num_rows, pa.int32())))


def _csv(connection: duckdb.DuckDBPyConnection, path: Path) -> pa.Table:
    """The rows of a CSV. DuckDB takes lines of different lengths for a file of one column: they are no table."""
    rows = connection.read_csv(str(path), all_varchar=True, skiprows=0)
    delimiter = next((one for one in DELIMITERS if one in rows.columns[0]), None)
    if delimiter is None or len(rows.columns) > 1:
        return rows.to_arrow_table()
    names = dict.fromkeys(rows.columns[0].split(delimiter), "VARCHAR")
    strict = connection.read_csv(str(path), delimiter=delimiter, header=True, auto_detect=False, columns=names)
    return strict.to_arrow_table()


def _reason(error: duckdb.Error) -> str:
    """What DuckDB says is wrong, without the row that it shows and the settings that it suggests."""
    lines = str(error).partition("Possible")[0].splitlines()
    return " ".join(line.strip() for line in lines if line.strip() and not line.startswith("Original Line"))


def _told(rows: pa.Table, known: Understood) -> Told:
    fields = {name: _text(rows[column]) for name, column in known.fields.items()}
    warnings = list(known.warnings)
    ids = fields.pop("record", None)
    if ids is None:
        warnings.append("no column of ids: rows are numbered")
        ids = pa.nulls(rows.num_rows, pa.string())
    source = fields.pop("source", None)
    if source is None:
        source = _text(rows[FILE]) if FILE in rows.column_names else pa.nulls(rows.num_rows, pa.string())
    source = pc.fill_null(source, "")
    if "age" in fields:
        age = fields.pop("age")
        if "birth_year" not in fields and "birth_date" not in fields:
            fields["birth_year"] = _year_of(age)
    for number, column in enumerate(known.others, 1):
        fields[f"other_{number}"] = _text(rows[column])
    warnings += _useless(known, fields) + _dangerous(known, fields)
    people = pa.table({"source": source, **fields})
    record = _record_ids(source, ids, people, warnings)
    numbers = pc.cast(pa.array(np.arange(rows.num_rows)), pa.string())
    return Told(
        people.add_column(0, "record", record),
        _plain(source),
        _plain(pc.coalesce(ids, numbers)),
        replace(known, warnings=warnings),
    )


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        whole = pc.cast(column, pa.int64(), safe=False)
        if pc.all(pc.or_kleene(pc.is_null(column), pc.equal(pc.cast(whole, column.type), column))).as_py():
            column = whole
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.date32(), safe=False)
    return pc.cast(column, pa.string())


def _plain(column: pa.ChunkedArray | pa.Array) -> pa.StringArray:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _record_ids(source: pa.Array, ids: pa.Array, people: pa.Table, warnings: list[str]) -> pa.Array:
    """A name that is the row's own: its id, with the source before it and what it tells behind it where it must be.

    Never its place: the same rows in another order are the same records.
    """
    for candidate in (ids, pc.binary_join_element_wise(source, ids, ":")):
        if not candidate.null_count and pc.count_distinct(candidate).as_py() == len(candidate):
            return candidate
    if ids.null_count < len(ids):
        warnings.append("ids are missing or not unique, even within a source: rows are told apart by what they tell")
    return pc.binary_join_element_wise(source, pc.fill_null(ids, ""), _contents(people), ":")


def _contents(people: pa.Table) -> pa.Array:
    """A hash of what each row tells, and which of those that tell the very same it is."""
    hashes = row_hashes(people, threads=1)
    order = np.argsort(hashes, kind="stable")
    first = np.r_[True, hashes[order][1:] != hashes[order][:-1]] if order.size else np.empty(0, np.bool_)
    repeat = np.empty(order.size, np.int64)
    repeat[order] = np.arange(order.size) - np.maximum.accumulate(np.where(first, np.arange(order.size), 0))
    return pa.array(
        [f"{value:016x}-{n}" for value, n in zip(hashes.tolist(), repeat.tolist(), strict=True)], pa.string()
    )


def _year_of(age: pa.Array) -> pa.Array:
    years = pc.cast(pc.if_else(pc.match_substring_regex(age, r"^\d{1,3}$"), age, None), pa.int32())
    return pc.cast(pc.subtract(2000, years), pa.string())


def _useless(known: Understood, fields: Mapping[str, pa.Array]) -> list[str]:
    """Columns with nothing in them, or with the same in every row."""
    found = []
    for name, values in fields.items():
        ends = pc.min_max(values).as_py()
        if ends["min"] == ends["max"] and len(values) > 1:
            column = known.fields.get(name, name)
            found.append(
                f"{column} says {'nothing' if ends['min'] is None else 'the same in every row'}: it is of no use"
            )
    return found


def _dangerous(known: Understood, fields: Mapping[str, pa.Array]) -> list[str]:
    """Columns that do not hold what their name says, and values that a crowd shares as if they identified somebody."""
    found = []
    for name, values in fields.items():
        column, told = known.fields.get(name, name), pc.drop_null(values)
        some = told[:LOOKED_AT]
        shape = SHAPES.get(name)
        if shape and len(some) and 2 * pc.sum(pc.match_substring_regex(some, shape)).as_py() < len(some):
            found.append(f"{column} is read as {name}, but most of it does not look like that; --map says otherwise")
        if name in IDENTIFYING and len(told):
            crowd = pc.max(pc.value_counts(told).field("counts")).as_py()
            if crowd >= CROWD and crowd > CROWD_SHARE * len(told):
                found.append(
                    f"{column}: one value stands in {crowd:,} rows; it counts as common, not as a person's own"
                )
    return found
