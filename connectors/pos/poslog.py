"""Transactions out of a POSLog file, one at a time and by local name, from a document that nobody vouches for.

A DOCTYPE is refused, nothing external is fetched, and size and depth are bounded. Nothing is validated against a schema
and no schema default is applied: the published schema would make every customer male and every amount a dollar.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final, NoReturn
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

import defusedxml.ElementTree
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from connectors.drops import Damaged
from connectors.pos.written import forget_namespaces, written
from models.base import Frozen

_CHUNK: Final = 64 * 1024
_PARSER_RAISES: Final = (ParseError, LookupError, UnicodeError, ValueError)
"""Refusals of defusedxml are ValueErrors."""


class Bounds(Frozen):
    """How much of a file is read before it is refused."""

    file_bytes: int = 2 * 1024**3
    transaction_bytes: int = 4 * 1024**2
    """Also what may stand between two transactions."""
    depth: int = 64
    table_bytes: int = 256 * 1024**2
    """Of a delimited or columnar drop, which is read in one piece."""
    table_rows: int = 5_000_000
    unpacked_bytes: int = 1024**3
    """Of a columnar drop: little of it on disk may be very much in memory."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction without card numbers and names of operators: its text, and the element with local names."""

    element: Element
    raw: str


class _Metered:
    """A file that refuses to be longer than agreed, in all or between two marks."""

    def __init__(self, file: BinaryIO, bounds: Bounds) -> None:
        self._file = file
        self._bounds = bounds
        self._all = 0
        self._since_mark = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._all += len(data)
        self._since_mark += len(data)
        if self._all > self._bounds.file_bytes:
            raise Damaged(f"the file is longer than {self._bounds.file_bytes} bytes")
        if self._since_mark > self._bounds.transaction_bytes:
            raise Damaged(f"more than {self._bounds.transaction_bytes} bytes without the end of a transaction")
        return data

    def mark(self) -> None:
        self._since_mark = 0


def transactions(file: BinaryIO, bounds: Bounds) -> Iterator[Transaction]:
    """Every complete transaction in the order of the file.

    Raises Damaged at the first byte that is not well-formed, after what stands before it was handed out; also for a
    DOCTYPE, for a document beyond the bounds and for one that is no POSLog.
    """
    metered = _Metered(file, bounds)
    try:
        for element in _outermost(_events(metered), bounds.depth):
            metered.mark()
            raw = written(element)
            forget_namespaces(element)
            yield Transaction(element=element, raw=raw)
    except _PARSER_RAISES as error:
        raise _damage(error) from None


def transaction_of(raw: str, bounds: Bounds) -> Transaction:
    """One transaction from its own text, which stays as it is. Raises Damaged as `transactions` does, or for none."""
    try:
        root = _root(raw)
    except _PARSER_RAISES as error:
        raise _damage(error) from None
    element = root if _is_transaction(root.tag) else next(filter(_is_named_transaction, root.iter()), None)
    if element is None:
        raise Damaged("the text holds no transaction")
    if raw.count("</") >= bounds.depth:  # nothing is nested deeper than there are elements with an end of their own
        _check_depth(element, bounds.depth)
    if "xmlns" in raw:
        forget_namespaces(element)
    return Transaction(element=element, raw=raw)


def _root(raw: str) -> Element:
    """The document, read by the parser in C; by the slow one, which refuses a DOCTYPE, where there could be one.

    Text is read as UTF-8 whatever it declares, and as UTF-16 only with a NUL in it: nothing else hides the letters.
    """
    if "<!DOCTYPE" not in raw and "\0" not in raw:
        return ElementTree.fromstring(raw)  # noqa: S314 (no DOCTYPE)
    root: Element = defusedxml.ElementTree.fromstring(raw.encode(), forbid_dtd=True)
    return root


def _damage(error: Exception) -> Damaged:
    """What a parser raised, without a word of the document."""
    if isinstance(error, DefusedXmlException):
        return Damaged("a DOCTYPE or an entity is refused")
    if isinstance(error, ParseError):
        line, column = error.position
        return Damaged(f"not well-formed XML at line {line}, column {column}")
    return Damaged("the encoding that the document names cannot be read")


def _events(file: _Metered) -> Iterator[tuple[str, Element]]:
    """Where elements begin and end. A DOCTYPE stands before the root: until there, a parser that refuses it goes ahead.

    It is written in Python and slow; what follows the root's beginning is left to the one in C.
    """
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    gate: DefusedXMLParser | None = DefusedXMLParser(forbid_dtd=True)
    while data := file.read(_CHUNK):
        if gate is not None:
            with suppress(ParseError):  # the parser below says so too, after what stands before it
                gate.feed(data)
        parser.feed(data)
        for event in _read(parser):
            gate = None
            yield event
    parser.close()
    yield from _read(parser)


def _read(parser: "XMLPullParser[Element]") -> Iterator[tuple[str, Element]]:
    return parser.read_events()  # type: ignore[return-value]  # of starts and ends only


def _outermost(events: Iterator[tuple[str, Element]], depth: int) -> Iterator[Element]:
    """Transactions that stand in no other; what was handed out, and what stands between, is forgotten."""
    open_elements: list[Element] = []
    within = 0
    for event, element in events:
        if event == "start":
            if not open_elements:
                _check_root(element.tag)
            open_elements.append(element)
            if len(open_elements) > depth:
                _refuse_depth(depth)
            within += _is_transaction(element.tag)
            continue
        open_elements.pop()
        within -= _is_transaction(element.tag)
        if within == 0:
            if _is_transaction(element.tag):
                yield element
            if open_elements:
                del open_elements[-1][:]


def _check_depth(element: Element, depth: int) -> None:
    level = [element]
    for _ in range(depth):
        level = [child for part in level for child in part]
        if not level:
            return
    _refuse_depth(depth)


def _refuse_depth(depth: int) -> NoReturn:
    raise Damaged(f"elements are nested more than {depth} deep")


def _check_root(tag: str) -> None:
    if not _is_transaction(tag) and tag.rpartition("}")[2] != "POSLog":
        raise Damaged("the root is neither POSLog nor Transaction")


def _is_named_transaction(element: Element) -> bool:
    return _is_transaction(element.tag)


def _is_transaction(tag: str) -> bool:
    return tag.endswith("Transaction") and tag.rpartition("}")[2] == "Transaction"
