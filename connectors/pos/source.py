"""What we read from tills: receipts, members and points, out of files that are dropped into a watched folder."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from connectors.drops import Damaged, Drop, DropFolder, opened
from connectors.pos.columns import Columns
from connectors.pos.delimited import receipts
from connectors.pos.entries import ENTRY, read_entry
from connectors.pos.exports import payloads
from connectors.pos.members import MEMBER, read_member
from connectors.pos.poslog import transactions
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
from connectors.pos.shapes import Shape, shape_of
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
    archive: Path | None = Field(
        default=None,
        description="Where drops go, with their markers, once all in them is landed; below the folder or on another "
        "disk. Then the folder holds what is not landed yet, and a drop that is damaged stays in it. `--full` reads "
        "the archive again. Without an archive drops stay where they are.",
    )
    look_back_days: int = Field(
        default=7,
        ge=0,
        description="How far back a delta run compares: older drops whose receipts a new one may repeat or contradict.",
    )
    key_zeros: Literal["kept", "stripped"] = Field(
        default="kept", description="`stripped` if 0147 and 147 are the same store when receipts are compared."
    )

    @model_validator(mode="after")
    def _archive_is_another_folder(self) -> Self:
        if self.archive is not None and self.archive.absolute() == self.folder.absolute():
            raise ValueError("archive: must be another folder than the watched one, e.g. one below it")
        return self

    @property
    def drops(self) -> DropFolder:
        """The watched folder and its archive."""
        return DropFolder(SOURCE, self.folder, self.done_suffix, self.archive)


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
        self._whole: dict[str, list[Drop]] = {}
        """By object: the drops that the latest reading has read to their end."""

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
        """No object. Tills tell what happened, not what there is: a receipt, a member or an entry that no drop tells
        any more has not ended by that. Receipts end by a void, members by what an export says of them.
        """
        return ()

    @property
    def is_live(self) -> bool:
        """Drops tell what was written once."""
        return False

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        """Everything in the drops that arrived in the window, 500 records a page. Raises TryLater, Rejected."""
        whole = self._whole[object] = []
        if object == RECEIPT:
            return _paged(_Receipts(self._settings, whole).read(window))
        return _paged(_exported(self._settings, window, _export(object), whole))

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """Nothing: no object is listed."""
        return iter(())

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Move the drops that were read whole into the archive, if there is one. Raises TryLater."""
        self._settings.drops.put_away(self._whole.pop(object, ()))

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
    number = 0
    while told := list(islice(found, _PAGE)):
        number += 1
        yield Page(
            records=tuple(item for _, item in told if isinstance(item, SourceRecord)),
            refused=tuple(item for _, item in told if isinstance(item, Refusal)),
            correlation_id=told[-1][0].correlation_id(SOURCE, number),
        )


def _table_in(drop: Drop, settings: Settings) -> Table:
    with opened(drop) as file:
        return table_of(drop.path.name, file, settings.bounds, settings.encodings)


def _exported(settings: Settings, window: Window, export: _Export, whole: list[Drop]) -> Iterator[Found]:
    for drop in settings.drops.new(lambda name: shape_of(name) == export.shape, window):
        read = 0
        try:
            for raw in payloads(drop.name, _table_in(drop, settings), export.headers(settings)):
                yield drop, export.read(raw, settings)
                read += 1
            whole.append(drop)
        except Damaged as problem:
            yield drop, damage(drop.name, read, str(problem), export.object)
        except OSError as error:
            raise _disk_failed(error) from error
        _log.info("pos: %s of %s: %d rows", export.shape, drop.name, read)


def _disk_failed(error: OSError) -> TryLater:
    """The file may be whole: no refusal, another try."""
    return TryLater("pos: a drop cannot be read from its disk", code=type(error).__name__)


class _Receipts:
    """One reading of the folder: each content once, and a second content of one key under an id of its own."""

    def __init__(self, settings: Settings, whole: list[Drop]) -> None:
        self._settings = settings
        self._whole = whole
        self._told: dict[str, tuple[str, bytes]] = {}
        """By key, in the form in which keys are compared: the first id, and the hash of its content."""
        self._others: dict[str, set[bytes]] = {}
        """By key: the hashes of its other contents."""
        self._counts: Counter[str] = Counter()

    def read(self, window: Window) -> Iterator[Found]:
        """What is new. What earlier runs have landed is read before it and not handed on: it holds its keys."""
        new = self._settings.drops.new(_is_receipts, window)
        look_back = timedelta(days=self._settings.look_back_days)
        for drop in self._settings.drops.earlier(_is_receipts, window, look_back) if new else ():
            for item in self._outcomes(drop):
                self._settled(item)
        self._counts.clear()
        for drop in new:
            for item in self._outcomes(drop):
                told = self._settled(item)
                if told is not None:
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
            self._whole.append(drop)
        except Damaged as problem:
            yield damage(drop.name, read, str(problem), RECEIPT)
        except OSError as error:
            raise _disk_failed(error) from error

    def _read(self, drop: Drop) -> Iterator[Outcome]:
        settings = self._settings
        if shape_of(drop.path.name) == "receipts":
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
        known = self._told.get(key)
        if known is None:
            self._told[key] = (outcome.key.source_id, content)
            return outcome
        first, first_content = known
        others = self._others.setdefault(key, set()) if content != first_content else {content}
        if content in others:
            self._counts["repeated"] += 1
            return None
        others.add(content)
        self._counts["contradicting"] += 1
        return as_conflict(outcome, first)

    def _compared(self, record: SourceRecord) -> str:
        assert isinstance(record.body, Order)
        order = record.body
        if self._settings.key_zeros == "kept":
            return order.number
        parts = (order.store, order.till, str(order.business_day), order.sequence)
        return "-".join((part or "").lstrip("0") for part in parts)


def _is_receipts(name: str) -> bool:
    return shape_of(name) in ("poslog", "receipts")


def _voids_itself(record: SourceRecord) -> bool:
    """A receipt that was voided after it was posted and is told again under its own key: a new version, no conflict."""
    return isinstance(record.body, Order) and record.body.reverses == record.body.number
