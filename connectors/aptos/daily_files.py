"""The CRM's daily files: in the order of their days and numbers, each read only if its trailer agrees with its rows."""

import csv
import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from connectors.aptos.source_map import Files, Layout
from connectors.drops import Damaged, Drop, DropFolder, lines, opened
from connectors.payload import canonical
from models.errors import TryLater
from models.landing import Window

log = logging.getLogger(__name__)

_LONGEST_LINE = 1024**2
_LARGEST_FILE = 16 * 1024**3


@dataclass(frozen=True, slots=True)
class DailyFiles:
    """The files of one object in a folder; those that belong to another object are left to it."""

    folder: DropFolder
    layout: Layout
    files: Files
    others: Sequence[Layout] = ()

    def new(self, window: Window) -> list[Drop]:
        """The files that came in the window, by day and number. Raises TryLater without the folder."""
        found = self.folder.new(self._is_ours, window)
        return sorted(found, key=lambda drop: self._order(drop.path.name) or ())

    def payloads(self, drop: Drop, whole: list[Drop]) -> Iterator[str]:
        """The raw payload of each row; a single one that says why, where the file is refused whole.

        A file that was read to its end is added to `whole`.
        """
        try:
            with opened(drop) as file:
                count = self._checked(file, drop)
                file.seek(0)
                yield from self._rows(file, drop, count)
            whole.append(drop)
        except Damaged as problem:
            log.warning("aptos: %s is refused whole: %s", drop.name, problem)
            yield canonical({"file": drop.name, "problem": str(problem), "size": drop.size})
        except OSError as error:
            raise TryLater("aptos: a daily file cannot be read from its disk", code=type(error).__name__) from error

    def _is_ours(self, name: str) -> bool:
        return self._order(name) is not None and all(other.order_of(name) is None for other in self.others)

    def _order(self, name: str) -> tuple[str, int] | None:
        return self.layout.order_of(name)

    def _checked(self, file: BinaryIO, drop: Drop) -> int:
        """How many rows the file holds. Raises Damaged where its trailer is missing or disagrees."""
        if drop.size > _LARGEST_FILE:
            raise Damaged(f"the file is longer than {_LARGEST_FILE} bytes")
        digest, count, last = hashlib.sha256(), -self._heads, b""
        for number, line in lines(file, _LONGEST_LINE):
            if line is None:
                raise Damaged(f"line {number} is longer than {_LONGEST_LINE} bytes")
            if last:
                count += 1
                if count > 0:
                    digest.update(last)
            last = line
        told = self.files.trailer_pattern.fullmatch(last.decode("ascii", "replace").strip())
        if told is None or count < 0:
            raise Damaged("there is no trailer: the file is cut off, or something else")
        if int(told["count"]) != count:
            raise Damaged(f"the trailer counts {int(told['count'])} rows, the file holds {count}")
        if told["sha256"].lower() != digest.hexdigest():
            raise Damaged("the SHA-256 of the trailer is not that of the rows")
        return count

    @property
    def _heads(self) -> int:
        """Lines before the first row."""
        return 1 if self.layout.form == "delimited" else 0

    def _rows(self, file: BinaryIO, drop: Drop, count: int) -> Iterator[str]:
        header: list[str] = []
        for number, line in lines(file, _LONGEST_LINE):
            if number > count + self._heads:
                return
            text = None if line is None else _decoded(line, self.layout.encoding)
            if self._heads and number == 1:
                header = self._header(text)
            elif text is None:
                yield _unread(drop, number, "the line is not written in the encoding of the map")
            elif self.layout.form == "ndjson":
                yield _of_json(text, drop, number)
            else:
                yield self._of_cells(header, text, drop, number)

    def _header(self, text: str | None) -> list[str]:
        header = None if text is None else self._cells(text)
        if header is None:
            raise Damaged("the header cannot be read")
        missing = sorted({str(pick.source) for pick in self.layout.fields if pick.source} - set(header))
        if missing:
            raise Damaged(f"there is no column {', '.join(missing)}")
        return header

    def _of_cells(self, header: list[str], text: str, drop: Drop, number: int) -> str:
        cells = self._cells(text)
        if cells is None or len(cells) != len(header):
            found = "no delimited text" if cells is None else f"expected {len(header)} cells, found {len(cells)}"
            return _unread(drop, number, found)
        told: Mapping[str, str] = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
        return canonical({"row": told})

    def _cells(self, text: str) -> list[str] | None:
        """The cells of a line; a record never goes over several lines, or the trailer could not count them."""
        try:
            return next(csv.reader([text], delimiter=self.layout.delimiter, strict=True), None)
        except csv.Error:
            return None


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError:
        return None


def _of_json(text: str, drop: Drop, number: int) -> str:
    try:
        told: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _unread(drop, number, "not a JSON object")
    return canonical(told) if isinstance(told, dict) else _unread(drop, number, "not a JSON object")


def _unread(drop: Drop, number: int, problem: str) -> str:
    return canonical({"file": drop.name, "line": number, "problem": problem})
