"""What we read from tills: receipts, members and points, out of files that are dropped into a folder and stay so."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from connectors.pos.columns import Columns
from connectors.pos.delimited import receipts
from connectors.pos.drops import Drop, Shape, drops, opened
from connectors.pos.entries import ENTRY, read_entry
from connectors.pos.exports import payloads
from connectors.pos.members import MEMBER, read_member
from connectors.pos.poslog import Damaged, transactions
from connectors.pos.reading import (
    RECEIPT,
    SOURCE,
    Outcome,
    as_conflict,
    damage,
    read_lines,
    read_receipt,
    read_transaction,
)
from connectors.pos.receipt import Unposted
from connectors.pos.tables import Table, table_of
from connectors.pos.terms import Terms
from models.errors import Rejected, TryLater
from models.landing import Page, Reason, Refusal, SourceRecord, Window
from models.orders import Order
from models.ports import Source

_log = logging.getLogger(__name__)
_PAGE: Final = 500


class Settings(Terms):
    """Where the drops lie and how this retailer's tills write."""

    folder: Path = Field(description="The watched folder. Only files that lie directly in it are read.")
    done_suffix: str | None = Field(
        default=None, description="A drop is read once a file with its name and this ending lies beside it, e.g. .done"
    )
    look_back_days: int = Field(
        default=7,
        ge=0,
        description="How far back a delta run compares: older drops whose receipts a new one may repeat or contradict.",
    )
    key_zeros: Literal["kept", "stripped"] = Field(
        default="kept", description="`stripped` if 0147 and 147 are the same store when receipts are compared."
    )


@dataclass(frozen=True, slots=True)
class _Export:
    """What the till exports beside receipts, a row a record."""

    object: str
    shape: Shape
    headers: Callable[[Terms], Columns]
    read: Callable[[str, Terms], SourceRecord | Refusal]


_EXPORTS: Final = {
    MEMBER: _Export(MEMBER, "members", Terms.member_headers, read_member),
    ENTRY: _Export(ENTRY, "points", Terms.entry_headers, read_entry),
}


def _export(object_: str) -> _Export:
    if object_ not in _EXPORTS:
        raise Rejected(f"pos: there is no object {object_}")
    return _EXPORTS[object_]


def connect(settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> Source:
    """The tills of a retailer. Files need neither a clock nor patience; the parameters are those of every source."""
    return Tills(settings)


class Tills:
    """A source over a folder of drops."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        """The folder's name among the connectors."""
        return SOURCE

    @property
    def objects(self) -> Sequence[str]:
        """Members before what they did."""
        return (MEMBER, RECEIPT, ENTRY)

    @property
    def listed(self) -> Collection[str]:
        """No object: what a full read does not bring may still be there."""
        return ()

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        """Everything in the drops that arrived in the window, 500 records a page. Raises TryLater, Rejected."""
        if object == RECEIPT:
            return _paged(_Receipts(self._settings).read(window))
        return _paged(_exported(self._settings, window, _export(object)))

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """Nothing: no object is listed."""
        return iter(())

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Nothing is kept only until it has landed."""

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        """Read a payload again. Raises Rejected for an object that tills do not have."""
        if object != RECEIPT:
            return _export(object).read(raw, self._settings)
        outcome = read_receipt(raw, self._settings)
        if isinstance(outcome, Unposted):
            reason = Reason(path="", problem=f"not a purchase: {outcome.why}")
            return Refusal(source=SOURCE, object=RECEIPT, source_id=None, raw=raw, reasons=(reason,))
        return outcome


Found = tuple[Drop, SourceRecord | Refusal]


def _paged(found: Iterator[Found]) -> Iterator[Page]:
    records: list[SourceRecord] = []
    refused: list[Refusal] = []
    number = 0
    drop = None
    for drop, item in found:
        if isinstance(item, SourceRecord):
            records.append(item)
        else:
            refused.append(item)
        if len(records) + len(refused) == _PAGE:
            number += 1
            yield Page(records=tuple(records), refused=tuple(refused), correlation_id=_correlation_id(drop, number))
            records, refused = [], []
    if drop is not None and (records or refused):
        yield Page(records=tuple(records), refused=tuple(refused), correlation_id=_correlation_id(drop, number + 1))


def _correlation_id(drop: Drop, number: int) -> str:
    """The same stretch of the same file has the same id."""
    stretch = f"{drop.name}:{drop.size}:{drop.written_ns}:{number}"
    return f"pos-{hashlib.sha256(stretch.encode()).hexdigest()[:16]}"


def _is_new(drop: Drop, window: Window) -> bool:
    return window.since is None or drop.arrived >= window.since


def _table_in(drop: Drop, settings: Settings) -> Table:
    with opened(drop) as file:
        return table_of(drop.path.name, file, settings.bounds, settings.encodings)


def _exported(settings: Settings, window: Window, export: _Export) -> Iterator[Found]:
    found = [drop for drop in drops(settings.folder, settings.done_suffix) if drop.shape == export.shape]
    for drop in (drop for drop in found if _is_new(drop, window)):
        read = 0
        try:
            for raw in payloads(drop.name, _table_in(drop, settings), export.headers(settings)):
                yield drop, export.read(raw, settings)
                read += 1
        except (Damaged, OSError) as problem:
            yield drop, damage(drop.name, read, _reason(problem), export.object)
        _log.info("pos: %s of %s: %d rows", export.shape, drop.name, read)


def _reason(problem: Damaged | OSError) -> str:
    """A refusal for what a new drop can mend. Raises TryLater where the disk failed and the file may be whole."""
    if isinstance(problem, Damaged):
        return str(problem)
    if isinstance(problem, (PermissionError, FileNotFoundError)):
        return "the file may not be opened, or is gone"
    raise TryLater("pos: a drop cannot be read from its disk", code=type(problem).__name__) from problem


class _Receipts:
    """One reading of the folder: each content once, and a second content of one key under an id of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._told: dict[str, tuple[str, set[bytes]]] = {}
        """By key, in the form in which keys are compared: the first id, and the hashes of all contents."""
        self._counts: Counter[str] = Counter()

    def read(self, window: Window) -> Iterator[Found]:
        found = [
            d for d in drops(self._settings.folder, self._settings.done_suffix) if d.shape in ("poslog", "receipts")
        ]
        new = [drop for drop in found if _is_new(drop, window)]
        earliest = window.since - timedelta(days=self._settings.look_back_days) if window.since else None
        for drop in found if new else ():
            if earliest is None or drop.arrived >= earliest:
                for item in self._outcomes(drop):
                    told = self._settled(item)
                    if told is not None and _is_new(drop, window):
                        self._counts["landed" if isinstance(told, SourceRecord) else "refused"] += 1
                        yield drop, told
        counts = ", ".join(f"{what} {count}" for what, count in sorted(self._counts.items()))
        _log.info("pos: receipts of %d drops: %s", len(new), counts or "none")

    def _outcomes(self, drop: Drop) -> Iterator[Outcome]:
        read = 0
        try:
            for outcome in self._read(drop):
                yield outcome
                read += 1
        except (Damaged, OSError) as problem:
            yield damage(drop.name, read, _reason(problem), RECEIPT)

    def _read(self, drop: Drop) -> Iterator[Outcome]:
        settings = self._settings
        if drop.shape == "receipts":
            for raw in receipts(drop.name, _table_in(drop, settings), settings.receipt_headers()):
                yield read_lines(raw, settings)
            return
        with opened(drop) as file:
            for transaction in transactions(file, settings.bounds):
                yield read_transaction(transaction, settings)

    def _settled(self, outcome: Outcome) -> SourceRecord | Refusal | None:
        """What is handed on: nothing for what is no purchase and for what was already told."""
        if isinstance(outcome, Unposted):
            self._counts[f"skipped ({outcome.why})"] += 1
            return None
        if isinstance(outcome, Refusal) or _voids_itself(outcome):
            return outcome
        content = hashlib.sha256(outcome.raw.encode()).digest()
        key = self._compared(outcome)
        first, contents = self._told.setdefault(key, (outcome.key.source_id, set()))
        if content in contents:
            self._counts["repeated"] += 1
            return None
        contents.add(content)
        if len(contents) == 1:
            return outcome
        self._counts["contradicting"] += 1
        return as_conflict(outcome, first)

    def _compared(self, record: SourceRecord) -> str:
        assert isinstance(record.body, Order)
        order = record.body
        if self._settings.key_zeros == "kept":
            return order.number
        parts = (order.store, order.till, str(order.business_day), order.sequence)
        return "-".join((part or "").lstrip("0") for part in parts)


def _voids_itself(record: SourceRecord) -> bool:
    """A receipt that was voided after it was posted and is told again under its own key: a new version, no conflict."""
    return isinstance(record.body, Order) and record.body.reverses == record.body.number
