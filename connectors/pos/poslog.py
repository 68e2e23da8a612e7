"""Transactions out of a POSLog file, one at a time and by local name, from a document that nobody vouches for.

A DOCTYPE is refused, nothing external is fetched, and size and depth are bounded. Nothing is validated against a schema
and no schema default is applied: the published schema would make every customer male and every amount a dollar.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final, NoReturn
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse, tostring

from connectors.drops import Damaged
from models.base import Frozen

_CARD_DATA: Final = ("PrimaryAccountNumber", "Track1Data", "Track2Data", "Track3Data", "CardSecurityCode")
_OPERATOR_NAME: Final = "OperatorName"


class Bounds(Frozen):
    """How much of a file is read before it is refused."""

    file_bytes: int = 2 * 1024**3
    transaction_bytes: int = 4 * 1024**2
    """Also what may stand between two transactions."""
    depth: int = 64
    table_bytes: int = 256 * 1024**2
    """Of a delimited or columnar drop, which is read in one piece."""
    table_rows: int = 5_000_000


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
        for element in _outermost(metered, bounds):
            metered.mark()
            yield transaction(element)
    except ParseError as error:
        line, column = error.position
        raise Damaged(f"not well-formed XML at line {line}, column {column}") from None
    except DefusedXmlException:
        raise Damaged("a DOCTYPE or an entity is refused") from None
    except (LookupError, UnicodeError, ValueError):
        raise Damaged("the encoding that the document names cannot be read") from None


def transaction_of(raw: str, bounds: Bounds) -> Transaction:
    """One transaction from its own text. Raises Damaged as `transactions` does, and when there is none."""
    for found in transactions(BytesIO(raw.encode()), bounds):
        return found
    raise Damaged("the text holds no transaction")


def transaction(element: Element) -> Transaction:
    """Drop what must not land and indentation that says nothing, keep the rest as text, then forget the namespaces.

    The same content gives the same text, however it was indented and whichever prefixes it used.
    """
    element.tail = None
    for part in element.iter():
        _clean(part)
    raw = str(tostring(element, encoding="unicode"))
    for part in element.iter():
        _forget_namespaces(part)
    return Transaction(element=element, raw=raw)


def _clean(part: Element) -> None:
    """A loyalty card may stay; a payment card may not, masked or not."""
    for name in [name for name in part.attrib if name.endswith(_OPERATOR_NAME)] if part.attrib else ():
        del part.attrib[name]
    if part.text and part.text.isspace():
        part.text = None
    for child in part:
        if child.tail and child.tail.isspace():
            child.tail = None
    cards = [child for child in part if child.tag.endswith(_CARD_DATA)] if len(part) else ()
    for card in cards if not part.tag.endswith("LoyaltyCard") else ():
        part.remove(card)


def _forget_namespaces(part: Element) -> None:
    part.tag = part.tag.rpartition("}")[2]
    for name in [name for name in part.attrib if name.startswith("{")] if part.attrib else ():
        part.attrib.setdefault(name.rpartition("}")[2], part.attrib[name])


def _outermost(metered: _Metered, bounds: Bounds) -> Iterator[Element]:
    """Transactions that stand in no other; what was handed out, and what stands between, is forgotten."""
    open_elements: list[Element] = []
    within = 0
    for event, element in iterparse(metered, events=("start", "end"), forbid_dtd=True):
        is_transaction = element.tag.endswith("Transaction") and _named(element, "Transaction")
        if event == "start":
            if not open_elements and not is_transaction and not _named(element, "POSLog"):
                _refuse_root()
            open_elements.append(element)
            if len(open_elements) > bounds.depth:
                raise Damaged(f"elements are nested more than {bounds.depth} deep")
            within += is_transaction
            continue
        open_elements.pop()
        within -= is_transaction
        if within == 0:
            if is_transaction:
                yield element
            if open_elements:
                del open_elements[-1][:]


def _named(element: Element, name: str) -> bool:
    return element.tag.rpartition("}")[2] == name


def _refuse_root() -> NoReturn:
    raise Damaged("the root is neither POSLog nor Transaction")
