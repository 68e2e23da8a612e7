"""Which files the engine may read by itself, in which stretches, and where our words stand in them.

A file that is not plain (other encodings, odd quoting, columns that must not land ...) is read a page at a time.
What is plain, of files and of rows, is decided here alone; `tests/resolver/test_bulk.py` proves that both ways land
the same.
"""

import os
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import BinaryIO, Literal, Self

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.drops import Damaged
from connectors.files.columns import ADDRESS, LOYALTY, PERSONAL, ConsentColumns, Pattern
from connectors.files.tables import Bounds, header_of, object_of
from models.consent import Channel
from models.landing import ConsentPlaces, People

_STRETCH = 128 * 1024**2
"""Bytes of text, or of unpacked Parquet, that land in one transaction."""
_BLOCK = 1024**2
"""Bytes of text that are looked at together: few enough to stay near the processor."""
_LOOKED_AT = 200
"""Lines from whose keys the columns of NDJSON are known."""
_PLAIN_NAME = re.compile(r'[^"\\:{}\[\],\x00-\x1f]+')
"""Names of columns that need no care in a JSON path or beside other names."""
_MOST = {"email": 3, "phone": 3, "identifiers": 8, "consents": 6}
"""More columns than these have no place in the statement of the engine."""
_WHOLE = ("id", "created_at", "changed_at", *PERSONAL, *ADDRESS, *LOYALTY)
_ABOUT: Mapping[Channel, Literal["email", "phone"]] = {"email": "email", "sms": "phone", "phone": "phone"}
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a file that is plain, with whole rows."""

    path: str
    header: tuple[str, ...]
    rows: int
    delimiter: str = ","
    line: Callable[[int], bytes] = lambda position: b""
    """Line of the row at this position, of NDJSON."""


def stretches(file: BinaryIO, pattern: Pattern, bounds: Bounds) -> Iterator[Stretch | None]:
    """The file in stretches, from its beginning; None in place of the first that is not plain, and nothing after it."""
    if not _suits(pattern) or not hasattr(os, "memfd_create") or os.fstat(file.fileno()).st_size > bounds.file_bytes:
        yield None
        return
    file.seek(0)
    readers = {"csv": _csv, "ndjson": _ndjson, "parquet": _parquet}
    try:
        yield from readers[pattern.shape](file, pattern, bounds)
    except Damaged:
        yield None


def _suits(pattern: Pattern) -> bool:
    """Whether the statement of the engine has a place for all that the map names."""
    consents = pattern.consents
    return (
        not pattern.dropped
        and pattern.encodings[0].casefold().replace("_", "-") == "utf-8"
        and all(len(pattern.columns_of(word)) <= _MOST[word] for word in ("email", "phone"))
        and len(pattern.known_by) <= _MOST["identifiers"]
        and len(consents) <= _MOST["consents"]
        and not any(one.channel == "push" and one.contact_point is None for one in consents)
    )


# ---- text ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Block:
    """Whole rows that are plain text."""

    data: bytes
    rows: int


def _ndjson(file: BinaryIO, pattern: Pattern, bounds: Bounds) -> Iterator[Stretch | None]:
    header = _keys(file.read(_BLOCK))
    if not _has_plain_names(header):
        yield None
        return
    file.seek(0)
    for held in _held(_ndjson_blocks(file, bounds)):
        yield None if held is None else Stretch(held.path, header, held.rows, line=held.line)


def _ndjson_blocks(file: BinaryIO, bounds: Bounds) -> Iterator[_Block | None]:
    for data in _blocks(file, bounds, quoted=False):
        lines = data.split(b"\n")
        yield _Block(data, sum(map(bool, map(bytes.strip, lines)))) if _is_text(data, lines, bounds) else None


def _csv(file: BinaryIO, pattern: Pattern, bounds: Bounds) -> Iterator[Stretch | None]:
    start = file.read(bounds.row_bytes)
    header, delimiter = header_of(start, pattern, bounds)
    first, end = start.partition(b"\n")[:2]
    if not end or len(header) < 2 or not _is_plainly_quoted(first, delimiter) or not _has_plain_names(header):
        yield None
        return
    file.seek(len(first) + 1)
    for held in _held(_csv_blocks(file, delimiter.encode(), len(header), bounds)):
        yield None if held is None else Stretch(held.path, header, held.rows, delimiter)


def _csv_blocks(file: BinaryIO, delimiter: bytes, width: int, bounds: Bounds) -> Iterator[_Block | None]:
    for block in _blocks(file, bounds, quoted=True):
        data = block if b'"' in block else block.replace(b"\r\n", b"\n")  # in a cell the end of a line is content
        lines = data.split(b"\n")
        is_plain = _is_text(data, lines, bounds) and b"\r" not in data and not _is_oddly_quoted(data)
        rows = _csv_rows(lines, delimiter, width) if is_plain else None
        yield None if rows is None else _Block(data, rows)


def _is_plainly_quoted(first: bytes, delimiter: str) -> bool:
    """Whether the header ends with its line, each cell either quoted as a whole or not at all."""
    between = re.escape(delimiter.encode())
    cell = rb'(?:"[^"\r]*"|[^"\r%b]*)' % between
    line = first.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\r")
    return re.fullmatch(rb"%b(?:%b%b)*" % (cell, between, cell), line) is not None


def _blocks(file: BinaryIO, bounds: Bounds, quoted: bool) -> Iterator[bytes]:
    """The rest of the file in blocks of whole lines; where cells may be quoted, of lines whose quotes are closed."""
    while block := file.read(min(_BLOCK, _STRETCH)):
        if file.tell() == len(block):
            block = block.removeprefix(b"\xef\xbb\xbf")
        yield block + _rest(file, block, bounds, quoted)


def _rest(file: BinaryIO, block: bytes, bounds: Bounds, quoted: bool) -> bytes:
    """What the last row of a block lacks; not all of it if that is longer than a row may be."""
    rest, is_open = b"", quoted and block.count(b'"') % 2 == 1
    while (is_open or not (rest or block).endswith(b"\n")) and len(rest) <= bounds.row_bytes:
        line = file.readline(bounds.row_bytes + 1)
        if not line:
            break
        rest += line
        is_open ^= quoted and line.count(b'"') % 2 == 1
    return rest


def _is_text(data: bytes, lines: Sequence[bytes], bounds: Bounds) -> bool:
    """Whether this is UTF-8 in lines that are short enough."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data and max(map(len, lines)) <= bounds.row_bytes


def _is_oddly_quoted(data: bytes) -> bool:
    """Whether readers may differ: quotes that stay open, or with blanks before them."""
    return b'"' in data and (data.count(b'"') % 2 == 1 or b' "' in data or b'\t"' in data)


def _csv_rows(lines: Sequence[bytes], delimiter: bytes, width: int) -> int | None:
    """How many rows there are; None if one may end with empty cells beyond the columns, which DuckDB lets pass."""
    rows, empty = 0, (delimiter, delimiter + b'""')
    for row in _csv_row(lines):
        rows += 1
        if row.endswith(empty) and _cells(row, delimiter) != width:
            return None
    return rows


def _cells(row: bytes, delimiter: bytes) -> int | None:
    """How many cells a row has; None if a quote stands in the middle of one, so that readers may differ."""
    if b'"' not in row:
        return row.count(delimiter) + 1
    between = re.escape(delimiter)
    bare = re.sub(rb'(?<=%b)"(?:[^"]|"")*"(?=%b|\Z)' % (between, between), b"", delimiter + row)
    return None if b'"' in bare else bare.count(delimiter)


def _csv_row(lines: Sequence[bytes]) -> Iterator[bytes]:
    """A row ends with its line, unless a quote is open; blank lines are none."""
    begun: list[bytes] = []
    for line in lines:
        turns = line.count(b'"') % 2 == 1
        if begun or turns:
            begun.append(line)
        elif line:
            yield line
        if turns and len(begun) > 1:
            yield b"\n".join(begun)
            begun = []


class _Held:
    """Rows in memory, under a name that leads nowhere else."""

    def __init__(self) -> None:
        self._file = os.fdopen(os.memfd_create("stretch", os.MFD_CLOEXEC), "w+b")
        self.size = self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._file.close()

    @property
    def path(self) -> str:
        """Where others read it."""
        self._file.flush()
        return f"/dev/fd/{self._file.fileno()}"

    def add(self, block: _Block) -> None:
        """Put more rows behind the others."""
        self._file.write(block.data)
        self.size += len(block.data)
        self.rows += block.rows

    def line(self, position: int) -> bytes:
        """Line of the row at this position, where each has one; blank lines are none."""
        self._file.seek(self._begins[position])
        return self._file.readline().removesuffix(b"\n")

    @cached_property
    def _begins(self) -> Sequence[int]:
        begins, end = array("Q"), 0
        self._file.seek(0)
        for line in self._file:
            if line.strip():
                begins.append(end)
            end += len(line)
        return begins


def _held(blocks: Iterable[_Block | None]) -> Iterator[_Held | None]:
    """So many blocks at a time as make a stretch; None in place of one with a block that is not plain, and the end."""
    coming = iter(blocks)
    for first in coming:
        with _Held() as held:
            for block in chain([first], coming):
                if block is None:
                    yield None
                    return
                held.add(block)
                if held.size >= _STRETCH:
                    break
            yield held


def _keys(start: bytes) -> tuple[str, ...]:
    """The keys of the first lines, in the order of the line that has most of them."""
    lines = start.removeprefix(b"\xef\xbb\xbf").split(b"\n", _LOOKED_AT)[:_LOOKED_AT]
    rows = [list(_row(line)) for line in lines]
    longest = max(rows, key=len, default=[])
    return tuple(dict.fromkeys([*longest, *(key for row in rows for key in row)]))


def _row(line: bytes) -> Mapping[str, object]:
    try:
        return object_of(line.decode())
    except (Damaged, UnicodeDecodeError):
        return {}


def _has_plain_names(header: Sequence[str]) -> bool:
    """Whether the names differ in more than upper and lower case, and need no care."""
    return len({name.casefold() for name in header}) == len(header) and all(map(_PLAIN_NAME.fullmatch, header))


# ---- Parquet -------------------------------------------------------------------------------------------------------
def _parquet(file: BinaryIO, pattern: Pattern, bounds: Bounds) -> Iterator[Stretch | None]:
    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowException, OSError):
        yield None
        return
    header = tuple(table.schema_arrow.names)
    groups = [table.metadata.row_group(number) for number in range(table.metadata.num_row_groups)]
    plain = (
        pattern.named <= set(header)
        and len(header) <= bounds.columns
        and _has_plain_names(header)
        and all(any(is_one(kind) for is_one in _TEXTS) for kind in table.schema_arrow.types)
        and sum(group.total_byte_size for group in groups) <= _STRETCH
    )
    yield Stretch(f"/dev/fd/{file.fileno()}", header, table.metadata.num_rows) if plain else None


# ---- which rows are plain beyond doubt -----------------------------------------------------------------------------
_BLANK = r"\s\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_SAID = rf'[^"\\{_BLANK}](?:[^"\\]*[^"\\{_BLANK}])?'
_WHOLE_NUMBER = "(?:0|-?[1-9][0-9]{0,14})"
_FRACTION = r"-?(?:0\.(?:[0-9]{0,2}[1-9]|0)|[1-9][0-9]{0,11}\.(?:[0-9]{0,3}[1-9]|0))"
_DAY = (
    "[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_TIME = r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{3}(?:[0-9]{3})?)?"
_TEXT = f'(?:"(?:{_SAID})?"|{_WHOLE_NUMBER}|{_FRACTION}|true|false|null)'
"""A value that says the same in JSON and as text, with no blank at its ends; fractions as every writer writes them."""
_OTHER = r'(?:"[^"\\]*"|-?[0-9][0-9.eE+-]*|true|false|null)'
"""A value that stays in the raw payload."""


def plain_rows(pattern: Pattern, people: People, header: Sequence[str]) -> str:
    """What a row of this map looks like that no reader could take for another, in RE2's language.

    Each known column at most once, in order, whatever it lacks; a moment is in ISO 8601, an answer one that is known.
    """
    moment = rf"{_DAY}{_TIME}Z" if pattern.zone != "UTC" else rf"{_DAY}(?:{_TIME}Z?)?"
    told = dict.fromkeys((*people.columns, *people.attributes), _TEXT)
    strict = _strict(pattern, moment, people.answers)
    values = [(name, strict.get(name) or told.get(name, _OTHER)) for name in header]
    cells = ((name, rf'"{re.escape(name)}": ?{value}(?:, ?|\}})') for name, value in values)
    return r"^\{" + "".join(cell if name == pattern.id else f"(?:{cell})?" for name, cell in cells) + "$"


def _strict(pattern: Pattern, moment: str, answers: Mapping[str, str]) -> Mapping[str, str]:
    """Column -> its values, where not every text will do. One that must be two things at once is never plain."""
    bare = "|".join(re.escape(word) for word in answers if re.fullmatch("true|false|[0-9]", word))
    answer = (
        _one_of("|".join(map(re.escape, answers)))
        if not bare
        else f"(?:{_one_of('|'.join(map(re.escape, answers)))}|{bare})"
    )
    dated = [pattern.columns_of(word) for word in ("created_at", "loyalty_enrolled_at")]
    asked: list[tuple[str | None, str]] = [
        (pattern.id, f'(?:"{_SAID}"|{_WHOLE_NUMBER})'),
        *((name, _one_of(moment)) for names in dated for name in names),
        (pattern.changed_at, _one_of(moment)),
        *((name, _one_of(_DAY)) for name in pattern.columns_of("loyalty_tier_expires")),
        *((name, f"(?:{_one_of(_WHOLE_NUMBER)}|{_WHOLE_NUMBER})") for name in pattern.columns_of("loyalty_points")),
        *((one.status, answer) for one in pattern.consents),
        *((one.at, _one_of(moment)) for one in pattern.consents),
    ]
    found: dict[str, str] = {}
    for name, value in asked:
        if name is not None:
            found[name] = value if found.setdefault(name, value) == value else r"\z.\z"
    return found


def _one_of(said: str) -> str:
    """A text of this kind, or nothing said."""
    return f'(?:"(?:{said})?"|null)'


# ---- where our words stand -----------------------------------------------------------------------------------------
def people_of(pattern: Pattern, header: Sequence[str]) -> People:
    """Where the words of this map stand in rows with these columns."""
    columns = tuple(sorted(pattern.named))
    place = {name: number for number, name in enumerate(columns, start=1)}
    words = {word: pattern.columns_of(word)[:1] for word in _WHOLE}
    words |= {"id": (pattern.id,), "changed_at": (pattern.changed_at,) if pattern.changed_at else ()}
    chosen = [name for name in header if name not in place] if pattern.attributes == "rest" else pattern.attributes
    kept = [name for name in chosen if name in header]
    several = {kind: tuple((place[name], label) for name, label in told) for kind, told in pattern.contacts.items()}
    return People(
        columns=columns,
        words={word: place[name] for word, names in words.items() for name in names},
        emails=several["email"],
        phones=several["phone"],
        verified=frozenset(pattern.verified),
        identifiers=tuple((place[column], kind) for kind, column in pattern.known_by.items()),
        consents=tuple(_consent(one, pattern, place) for one in pattern.consents),
        answers={form: status for told, status in pattern.answers.items() for form in _written(told)},
        attributes=tuple(dict.fromkeys(kept)),
        brand=pattern.brand,
        programme=pattern.programme,
    )


def _consent(one: ConsentColumns, pattern: Pattern, place: Mapping[str, int]) -> ConsentPlaces:
    about = (one.contact_point,) if one.contact_point else pattern.columns_of(_ABOUT.get(one.channel, ""))
    return ConsentPlaces(
        status=place[one.status],
        about=tuple(place[name] for name in about),
        at=place[one.at] if one.at else None,
        proof=place[one.proof] if one.proof else None,
        channel=one.channel,
        brand=one.brand,
        purpose=one.purpose,
    )


def _written(answer: str) -> Iterator[str]:
    """How an answer is mostly written. Other ways are left to `translate`, which knows them all."""
    yield from {answer, answer.upper(), answer.capitalize()} if answer.isascii() else {}
