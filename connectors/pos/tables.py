"""Rows of text out of CSV, NDJSON and Parquet: encodings, quotes and torn ends are settled here."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import PurePath
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.drops import Damaged
from connectors.pos.poslog import Bounds

_DELIMITERS: Final = ",;\t|"
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it came, or why it could not be read."""

    number: int
    """Counted from 1, the header not counted."""
    cells: tuple[str, ...] = ()
    problem: str | None = None
    torn: bool = False
    """The file ends within this row, so that the one before may lack something too."""


@dataclass(frozen=True, slots=True)
class Table:
    """A header and its rows."""

    header: tuple[str, ...]
    rows: Iterable[Row]


def table_of(name: str, file: BinaryIO, bounds: Bounds, encodings: Sequence[str]) -> Table:
    """The table of a file, by the ending of its name. Raises Damaged where there is none."""
    data = file.read(bounds.table_bytes + 1)
    if len(data) > bounds.table_bytes:
        raise Damaged(f"the file is longer than {bounds.table_bytes} bytes")
    ending = PurePath(name).suffix.casefold()
    if ending == ".parquet":
        return _parquet(data, bounds)
    text, whole = _decoded(data, encodings)
    return _ndjson(text) if ending in (".ndjson", ".jsonl") else delimited(text, ends_whole=whole)


def delimited(text: str, *, ends_whole: bool = True) -> Table:
    """A table in delimited text; the delimiter is the one that the header uses most."""
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = tuple(name.strip() for name in next(reader, []))
    except csv.Error:
        raise Damaged("the header cannot be read") from None
    if not any(header) or header[0].startswith(("<", "{", "[")):
        raise Damaged("there is no header of a delimited drop")
    return Table(header=header, rows=_delimited_rows(reader, len(header), ends_whole))


def written(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Delimited text: commas, quotes only where they are needed, one line feed a row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def _decoded(data: bytes, encodings: Sequence[str]) -> tuple[str, bool]:
    """The text, and whether it ends with a whole character."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_with(data, encoding) or _undecodable()
    for encoding in encodings:
        found = _decode_with(data, encoding)
        if found is not None:
            return found
    return _undecodable()


def _decode_with(data: bytes, encoding: str) -> tuple[str, bool] | None:
    try:
        return data.decode(encoding), True
    except UnicodeDecodeError as error:
        if error.end == len(data) and ("end of data" in error.reason or "truncated" in error.reason):
            return data[: error.start].decode(encoding), False
        return None


def _undecodable() -> tuple[str, bool]:
    raise Damaged("the text is in none of the encodings of the settings")


def _delimited_rows(reader: Iterator[list[str]], width: int, ends_whole: bool) -> Iterator[Row]:
    number = 0
    while True:
        number += 1
        try:
            cells = tuple(next(reader))
        except StopIteration:
            break
        except csv.Error as error:
            ended = "end of data" in str(error)
            yield Row(number=number, problem="a quote is not closed" if ended else "not delimited text", torn=ended)
            continue
        if len(cells) == width:
            yield Row(number=number, cells=cells)
        elif any(cells):
            problem = f"expected {width} cells, found {len(cells)}"
            yield Row(number=number, cells=cells, problem=problem, torn=len(cells) < width)
    if not ends_whole:
        yield Row(number=number, problem="the file ends within a character", torn=True)


def _ndjson(text: str) -> Table:
    """Objects of plain values; the header is every name in the order in which it first comes."""
    lines = [line for line in text.split("\n") if line.strip()]
    objects = [_plain_object(line) for line in lines]
    header = tuple(dict.fromkeys(name for found in objects if found for name in found))
    if lines and not header:
        raise Damaged("no line is a JSON object of plain values")
    return Table(header=header, rows=_ndjson_rows(header, objects))


def _plain_object(line: str) -> dict[str, str] | None:
    try:
        found = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
        json.dumps(found, ensure_ascii=False).encode()  # half a character, written as an escape, is no text
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or any(isinstance(value, (dict, list)) for value in found.values()):
        return None
    return {str(name): _as_text(value) for name, value in found.items()}


def _ndjson_rows(header: Sequence[str], objects: Sequence[dict[str, str] | None]) -> Iterator[Row]:
    for number, found in enumerate(objects, start=1):
        if found is None:
            yield Row(number=number, problem="not a JSON object of plain values", torn=number == len(objects))
        else:
            yield Row(number=number, cells=tuple(found.get(name, "") for name in header))


def _parquet(data: bytes, bounds: Bounds) -> Table:
    try:
        file = pq.ParquetFile(io.BytesIO(data))
    except (pa.ArrowException, OSError):
        raise Damaged("not a Parquet file, or cut off") from None
    if file.metadata.num_rows > bounds.table_rows:
        raise Damaged(f"the file holds more than {bounds.table_rows} rows")
    return Table(header=tuple(file.schema_arrow.names), rows=_parquet_rows(file, bounds.unpacked_bytes))


def _parquet_rows(file: pq.ParquetFile, unpacked_bytes: int) -> Iterator[Row]:
    number = unpacked = 0
    try:
        for batch in file.iter_batches(batch_size=1_000):
            unpacked += batch.nbytes
            if unpacked > unpacked_bytes:
                raise Damaged(f"the file unpacks to more than {unpacked_bytes} bytes")
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                number += 1
                yield Row(number=number, cells=tuple(_as_text(value) for value in values))
    except (pa.ArrowException, OSError, UnicodeError):
        raise Damaged(f"the Parquet file cannot be read beyond row {number}") from None


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, (datetime, date, time)) else str(value)
