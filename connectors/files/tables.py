"""Rows out of CSV, NDJSON and Parquet, one after the other: memory follows the longest row, not the file."""

import csv
import io
import json
import math
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from pydantic import Field

from connectors.drops import Damaged, lines
from connectors.files.columns import Pattern
from models.base import Frozen

Payload = dict[str, Any]
"""What becomes the raw payload: `row` with the cells by column or as it is written, or what is there in place of one.
See translate.py."""

_DELIMITERS = ",;\t|"
_BATCH = 5_000
_EVERY_BYTE = "latin-1"
"""Reads and writes any byte as it is."""
_WITH_DIGITS = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda name: None)
_HALF = re.compile(r"\\u[dD]")
"""Begins an escape that may be half a character."""


class Bounds(Frozen):
    """How much is read before a file is refused."""

    file_bytes: int = Field(default=64 * 1024**3, gt=0)
    row_bytes: int = Field(default=1024**2, gt=0)
    """Of one row of text; a longer line of NDJSON is refused alone, a longer row of CSV with all that follows."""
    row_group_bytes: int = Field(default=2 * 1024**3, gt=0)
    """Of one row group of Parquet, unpacked: it is the unit that is held in memory."""
    columns: int = Field(default=2_000, gt=0)


@dataclass(frozen=True, slots=True)
class Undecodable(Exception):
    """Text in none of the encodings."""

    problem: str = "the text is in none of the encodings of the settings"


def payloads(file: BinaryIO, pattern: Pattern, bounds: Bounds) -> Iterator[Payload]:
    """One payload a row, in the order of the file but for torn rows of CSV, which come after their neighbours.

    Raises Damaged at the place from which nothing can be read any more.
    """
    if file.seek(0, io.SEEK_END) > bounds.file_bytes:
        raise Damaged(f"the file is longer than {bounds.file_bytes} bytes")
    file.seek(0)
    readers = {"csv": _csv, "ndjson": _ndjson, "parquet": _parquet}
    return readers[pattern.shape](file, pattern, bounds)


def decoded(data: bytes, encodings: Sequence[str]) -> str:
    """The text in the first encoding that fits. Raises Undecodable."""
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Undecodable


def object_of(line: str) -> Payload:
    """The JSON object of a line; numbers keep the digits with which they are written. Raises Damaged."""
    try:
        found = _WITH_DIGITS.decode(line)
        written = json.dumps(found, ensure_ascii=False) if _HALF.search(line) else line
        written.encode()  # half a character is no text
        if isinstance(found, dict):
            return dict(_told(found))
    except UnicodeEncodeError:
        raise Damaged("half a character, which is no text") from None
    except (ValueError, RecursionError):
        pass
    raise Damaged("not a JSON object")


def _check_object(line: str) -> None:
    """Raises Damaged if the line is no JSON object. Most are one to orjson too, which is stricter and much faster."""
    try:
        is_one = isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        is_one = False
    if not is_one:
        object_of(line)


# ---- NDJSON --------------------------------------------------------------------------------------------------------
def _ndjson(file: BinaryIO, pattern: Pattern, bounds: Bounds) -> Iterator[Payload]:
    for number, line in lines(file, bounds.row_bytes):
        if line is None:
            yield {"line": number, "problem": f"the line is longer than {bounds.row_bytes} bytes"}
        elif line.strip():
            payload = row_of_line(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line, pattern)
            yield _without_content(payload, number) if pattern.dropped else payload


def row_of_line(line: bytes, pattern: Pattern) -> Payload:
    """What a line of NDJSON is."""
    try:
        text = decoded(line, pattern.encodings).strip()
    except Undecodable:
        return {"bytes": b64encode(line).decode()}
    try:
        if pattern.dropped:
            return {"row": _without_dropped(object_of(text), pattern)}
        _check_object(text)
    except Damaged:
        return {"text": text}
    return {"row": text}


def _without_dropped(row: Mapping[str, Any], pattern: Pattern) -> Payload:
    """The cells that may land and say something: nulls and empty texts are the same in every form."""
    return {name: value for name, value in row.items() if value not in (None, "") and name not in pattern.dropped}


def _without_content(payload: Payload, number: int) -> Payload:
    """What cannot be taken apart may hold what must never land."""
    if "row" in payload:
        return payload
    return {"line": number, "problem": "the line cannot be read, and may hold what must not land"}


# ---- CSV -----------------------------------------------------------------------------------------------------------
def _csv(file: BinaryIO, pattern: Pattern, bounds: Bounds) -> Iterator[Payload]:
    start = file.read(bounds.row_bytes)
    file.seek(0)
    wide = _wide(start)
    header, delimiter = header_of(start, pattern, bounds)
    read = _read_wide if wide else _read_narrow
    torn: list[Payload] = []

    def set_aside(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow has no types
        problem = f"expected {row.expected_columns} cells, found {row.actual_columns}"
        kept = {} if pattern.dropped else {"cells": row.text}  # of a torn row nobody knows which cell is which
        torn.append({"line": row.number, "problem": problem, **kept})
        return "skip"

    try:
        for batch in _batches(file, len(header), delimiter, wide or _EVERY_BYTE, bounds, set_aside):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield read(header, values, pattern)
            yield from torn
            torn.clear()
    except pa.ArrowInvalid as error:
        raise Damaged(_said_of(error, bounds)) from None
    except UnicodeError:
        raise Damaged("the rest of the file is no text in UTF-16") from None
    yield from torn


def header_of(start: bytes, pattern: Pattern, bounds: Bounds) -> tuple[tuple[str, ...], str]:
    """The names of the columns and the delimiter, from the beginning of a CSV. Raises Damaged."""
    header, delimiter = _header(_text_of(start, _wide(start), pattern), pattern.delimiter)
    _check_header(header, pattern, bounds)
    return header, delimiter


def _wide(start: bytes) -> str | None:
    return "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else None


def _batches(
    file: BinaryIO, width: int, delimiter: str, encoding: str, bounds: Bounds, set_aside: Callable[[Any], str]
) -> Iterator[Any]:
    names = [f"c{number}" for number in range(width)]
    reading = pcsv.ReadOptions(
        use_threads=False,
        block_size=bounds.row_bytes,
        column_names=names,
        skip_rows_after_names=1,
        encoding=encoding,
    )
    parsing = pcsv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=set_aside)
    kinds = pcsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    with pcsv.open_csv(file, reading, parsing, kinds) as reader:
        yield from reader


def _read_wide(header: Sequence[str], values: Sequence[str], pattern: Pattern) -> Payload:
    return {"row": _kept(dict(zip(header, values, strict=True)), pattern)}


def _read_narrow(header: Sequence[str], values: Sequence[str], pattern: Pattern) -> Payload:
    """One cell that is no text spoils its own row only: what came as bytes is decoded row by row."""
    told = _kept(dict(zip(header, values, strict=True)), pattern)
    row = {name: value and value.encode(_EVERY_BYTE) for name, value in told.items()}
    for encoding in pattern.encodings:
        try:
            return {"row": {name: value and value.decode(encoding) for name, value in row.items()}}
        except UnicodeDecodeError:
            continue
    return {"bytes": {name: b64encode(value).decode() for name, value in row.items() if value}}


def _kept(row: Mapping[str, str], pattern: Pattern) -> Payload:
    """The cells that may land, in the order of the file. In a CSV an empty text is no text."""
    return {name: value or None for name, value in row.items() if name not in pattern.dropped}


def _text_of(start: bytes, wide: str | None, pattern: Pattern) -> str:
    """The beginning of the file as text: enough for the header."""
    if wide:
        return start[: len(start) // 2 * 2].decode(wide, "replace")
    first = start.removeprefix(b"\xef\xbb\xbf")
    for encoding in pattern.encodings:
        try:
            return first.partition(b"\n")[0].decode(encoding) + "\n" if b'"' not in first else first.decode(encoding)
        except UnicodeDecodeError:
            continue
    return first.decode("utf-8", "replace")


def _header(text: str, delimiter: str | None) -> tuple[tuple[str, ...], str]:
    chosen = delimiter or max(_DELIMITERS, key=text.partition("\n")[0].count)
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=chosen), [])
    except csv.Error:
        raise Damaged("the header cannot be read") from None
    return tuple(name.strip() for name in header), chosen


def _check_header(header: Sequence[str], pattern: Pattern, bounds: Bounds) -> None:
    """A column that is missing, or there twice, would be lost without a word on every row. Raises Damaged."""
    if not any(header):
        raise Damaged("there is no header")
    if len(header) > bounds.columns:
        raise Damaged(f"more than {bounds.columns} columns")
    missing = sorted(pattern.named - set(header))
    if missing:
        raise Damaged(f"there is no column {', '.join(missing)}")
    if len(set(header)) < len(header):
        raise Damaged("two columns have the same name")


def _said_of(error: pa.ArrowInvalid, bounds: Bounds) -> str:
    """What pyarrow says may quote the row."""
    if "straddling" in str(error):
        return f"a row is longer than {bounds.row_bytes} bytes"
    return "the rest of the file is no delimited text"


# ---- Parquet -------------------------------------------------------------------------------------------------------
def _parquet(file: BinaryIO, pattern: Pattern, bounds: Bounds) -> Iterator[Payload]:
    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowException, OSError):
        raise Damaged("not a Parquet file, or cut off") from None
    header = table.schema_arrow.names
    _check_header(header, pattern, bounds)
    groups = (table.metadata.row_group(number) for number in range(table.metadata.num_row_groups))
    if any(group.total_byte_size > bounds.row_group_bytes for group in groups):
        raise Damaged(f"a row group is larger than {bounds.row_group_bytes} bytes")
    try:
        for batch in table.iter_batches(batch_size=_BATCH, use_threads=False):
            for values in zip(*map(_values, batch.columns), strict=True):
                row = zip(header, values, strict=True)
                yield {"row": {name: value for name, value in row if name not in pattern.dropped}}
    except (pa.ArrowException, OSError, UnicodeError):
        raise Damaged("the rest of the Parquet file cannot be read") from None


def _values(column: pa.Array) -> list[Any]:
    """The cells of a column. Nanoseconds become microseconds: Python's times hold no more."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return [_told(value) for value in column.to_pylist()]


def _told(value: object) -> Any:  # noqa: ANN401 - text, or a list or table of texts
    """A value as a text file would hold it; lists and tables keep their shape."""
    if isinstance(value, Mapping):
        return {str(name): item if item.__class__ is str else _told(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_told(item) for item in value]
    return _plain(value)


def _plain(value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return _of_bytes(value) if isinstance(value, bytes) else str(value)


def _of_bytes(value: bytes) -> str:
    """Older writers of Parquet mark no column as text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
