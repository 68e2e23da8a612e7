"""Land what a source says: raw, append-only, once.

-> ledger.source_record, ledger.quarantine, ledger.landing, ledger.reconciliation
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import orjson
import pyarrow as pa

from models.errors import Forgotten, OutsideError, Rejected, SignInAgain, TryLater
from models.landing import Bulk, Deletion, Page, Refusal, SourceRecord, Window
from models.ports import Source
from resolver import bulk
from resolver.run import Run
from resolver.warehouse import offered, queries, transaction

_QUERIES = queries("land")

_RECORD_ROWS = pa.schema(
    [
        ("position", pa.int64()),
        *[
            (name, pa.string())
            for name in ("record", "source", "object", "source_id", "content_hash", "raw", "kind", "body")
        ],
        ("changed_at", pa.timestamp("us", "UTC")),
    ]
)
_REFUSAL_ROWS = pa.schema(
    [
        ("position", pa.int64()),
        *[(n, pa.string()) for n in ("source", "object", "source_id", "content_hash", "raw", "reasons")],
    ]
)


_READ_AGAIN = 500
"""Refused payloads that are read again in one transaction."""
_FEW = 10
"""So many records may vanish at once, however small the source is."""


@dataclass(frozen=True)
class Landed:
    """What a page or a window added: new records, new refusals, and records that were known already."""

    pages: int = 0
    landed: int = 0
    refused: int = 0
    known: int = 0

    def __add__(self, other: "Landed") -> "Landed":
        return Landed(
            self.pages + other.pages, self.landed + other.landed, self.refused + other.refused, self.known + other.known
        )


def records(run: Run, source: Source) -> Landed:
    """Bring in what changed since the last complete window. A source that is down is a trouble of the run.

    What landed before stays; the watermark does not move, so that the next run reads the window again.
    """
    return _each(run, source, lambda name: _delta(run, source, name))


def everything(run: Run, source: Source) -> Landed:
    """Bring in all that the source has, whatever the watermarks say, and compare it with what had landed.

    The comparison (what a delta had missed, what the source no longer has) is a row of ledger.reconciliation.
    """
    return _each(run, source, lambda name: _compared(run, source, name))


def again(run: Run, source: Source) -> Landed:
    """Read the payloads in quarantine again, without asking the source: after a fix of mapping or code."""
    total = Landed()
    waiting = run.warehouse.execute(_QUERIES["waiting_refusals"], {"source": source.name}).fetchall()
    for begin in range(0, len(waiting), _READ_AGAIN):
        total += _read_again(run, source, [fact for (fact,) in waiting[begin : begin + _READ_AGAIN]])
        run.progress(f"read {source.name} again", min(begin + _READ_AGAIN, len(waiting)), len(waiting))
    return total


def _read_again(run: Run, source: Source, facts: Sequence[int]) -> Landed:
    """What can be read of these refused payloads by now, and that it was read, in one transaction."""
    payloads = run.warehouse.execute(_QUERIES["refused_payloads"], {"facts": facts}).fetchall()
    answers = [(fact, source.translate(name, raw)) for fact, name, raw in payloads]
    read = {fact: answer for fact, answer in answers if isinstance(answer, SourceRecord)}
    page = Page(records=tuple(read.values()), correlation_id=run.run_id)
    _keep_up(run)
    with _offered(run, page), transaction(run.warehouse):
        landed = _insert(run, source, page)
        run.warehouse.execute(
            _QUERIES["accept"], {"facts": list(read), "recorded_at": run.clock(), "run_id": run.run_id}
        )
    return landed


def _each(run: Run, source: Source, bring: Callable[[str], Landed]) -> Landed:
    """Bring in one object after the other, until the source no longer answers. One that it refuses is passed over."""
    total = Landed()
    for name in source.objects:
        try:
            total += bring(name)
        except OutsideError as error:
            run.trouble(f"{source.name} {name}: {_sentence(error)} What landed before stays; {_rest(error)}")
            if not isinstance(error, Rejected):
                break
    return total


def _sentence(error: OutsideError) -> str:
    return f"{str(error).rstrip('.')}."


def _rest(error: OutsideError) -> str:
    """What becomes of what did not land: only what is down or busy comes back by itself."""
    if isinstance(error, TryLater):
        return "the next run reads the rest."
    if isinstance(error, SignInAgain):
        return "the rest is read once the credentials, and what they may read, are put right."
    return "the rest is read once that is put right."


def _delta(run: Run, source: Source, name: str) -> Landed:
    """What changed since the watermark; where the source has forgotten it, everything, and the run says so."""
    try:
        return _window(run, source, name, _since(run, source.name, name), partial(_append, run, source))
    except Forgotten as error:
        run.trouble(f"{source.name} {name}: {_sentence(error)} Everything is read instead.")
        return sum(
            (_compared(run, source, each) for each in source.objects if each in {*source.listed, name}), Landed()
        )


def _since(run: Run, source: str, name: str) -> datetime | None:
    """Where the next delta begins: the watermark less the overlap; None before the first complete window."""
    found = run.warehouse.execute(_QUERIES["watermark"], {"source": source, "object": name}).fetchall()
    return found[0][0] - timedelta(seconds=run.policy.landing.overlap_seconds) if found else None


def _window(run: Run, source: Source, name: str, since: datetime | None, append: Callable[[Page], "Landed"]) -> Landed:
    window = Window(since=since, until=run.clock() - timedelta(seconds=run.policy.landing.lag_seconds))
    total = Landed()
    for told in source.pages(name, window):
        total += _append_bulk(run, source, told, append) if isinstance(told, Bulk) else append(told)
        run.progress(f"land {source.name} {name}", total.landed + total.known, None)
    run.warehouse.execute(
        _QUERIES["close_window"],
        {
            "source": source.name, "object": name, "since": window.since, "until": window.until, "pages": total.pages,
            "landed": total.landed, "refused": total.refused, "known": total.known,
            "run_id": run.run_id, "recorded_at": run.clock(),
        },
    )  # fmt: skip
    source.landed(name, window)
    return total


def _compared(run: Run, source: Source, name: str) -> Landed:
    """One full read, and what it tells beside its records."""
    since = _since(run, source.name, name)
    if name in source.listed:
        run.warehouse.execute(_QUERIES["begin_full_read"])
        total = _window(run, source, name, None, partial(_append_noting, run, source))
    else:
        total = _window(run, source, name, None, partial(_append, run, source))
    found = {"run_id": run.run_id, "source": source.name, "object": name}
    [(missed,)] = run.warehouse.execute(_QUERIES["missed"], {**found, "watermark": since}).fetchall()
    swept = _swept(run, source, name) if name in source.listed else Swept()
    run.warehouse.execute(
        _QUERIES["reconcile"],
        {**found, "missed": missed, "vanished": swept.vanished, "unlisted": swept.unlisted, "recorded_at": run.clock()},
    )
    return total + swept.landed


@dataclass(frozen=True)
class Swept:
    """What became of the records that a full read did not bring."""

    landed: Landed = field(default_factory=Landed)
    vanished: int = 0
    unlisted: int = 0


def _swept(run: Run, source: Source, name: str) -> Swept:
    """Ask the source for each record that its full read did not bring, and land the answers."""
    found = run.warehouse.execute(_QUERIES["absent"], {"source": source.name, "object": name}).fetchall()
    if not found:
        return Swept()
    pages = list(source.missing(name, [source_id for source_id, _ in found]))
    told = [record for page in pages for record in page.records]
    vanished = sum(isinstance(record.body, Deletion) for record in told)
    limit = run.policy.landing.vanish_limit
    if vanished > max(_FEW, limit * found[0][1]):
        run.trouble(
            f"{source.name} {name}: {vanished} of {found[0][1]} records seem to be gone, more than "
            f"landing.vanish_limit = {limit} allows. None of them was ended. See whether the account may still read "
            "them all; if they are gone, raise the limit in policy.toml and read everything again."
        )
        return Swept()
    landed = sum((_append(run, source, page) for page in pages), Landed())
    return Swept(landed, vanished, len(told) - vanished)


def _append(run: Run, source: Source, page: Page) -> Landed:
    """One page in one transaction: all of it or none of it."""
    _keep_up(run)
    with _offered(run, page), transaction(run.warehouse):
        return _insert(run, source, page)


def _keep_up(run: Run) -> None:
    """Let `known` hear of what has landed, before a transaction that may be rolled back."""
    [(seen,)] = run.warehouse.execute(_QUERIES["seen"]).fetchall()
    run.warehouse.execute(_QUERIES["keep_up"], {"seen": seen})


@contextmanager
def _offered(run: Run, page: Page) -> Iterator[None]:
    with (
        offered(run.warehouse, "page_records", _record_rows(page.records)),
        offered(run.warehouse, "page_refusals", _refusal_rows(page.refused)),
    ):
        yield


def _insert(run: Run, source: Source, page: Page) -> Landed:
    stamp = {"fetched_at": run.clock(), "run_id": run.run_id, "correlation_id": page.correlation_id}
    landed = _inserted(run, "append_records", {**stamp, "is_live": source.is_live}) if page.records else 0
    refused = _inserted(run, "append_refusals", stamp) if page.refused else 0
    return Landed(pages=1, landed=landed, refused=refused, known=len(page.records) - landed)


def _inserted(run: Run, query: str, stamp: dict[str, object]) -> int:
    [(count,)] = run.warehouse.execute(_QUERIES[query], stamp).fetchall()
    return int(count)


def _append_bulk(run: Run, source: Source, told: Bulk, append: Callable[[Page], Landed]) -> Landed:
    """A stretch of a file in one transaction; a page at a time if DuckDB cannot read it, or its ids are to be noted."""
    if told.object in source.listed:
        return sum(map(append, told.pages()), Landed())
    try:
        outcomes = bulk.read(run, told, source.translate)
        rest = Page(
            records=tuple(one for one in outcomes if isinstance(one, SourceRecord)),
            refused=tuple(one for one in outcomes if isinstance(one, Refusal)),
            correlation_id=told.correlation_id,
        )
        _keep_up(run)
        with _offered(run, rest), transaction(run.warehouse):
            landed, known = bulk.append(run, told)
            return _insert(run, source, rest) + Landed(landed=landed, known=known)
    except bulk.Unreadable:
        return sum(map(append, told.pages()), Landed())
    finally:
        bulk.done(run)


def _append_noting(run: Run, source: Source, page: Page) -> Landed:
    """The same, and note which records the full read has brought."""
    ids = [one.key.source_id for one in page.records] + [one.source_id for one in page.refused]
    with offered(run.warehouse, "page_ids", pa.table({"source_id": pa.array(ids, pa.string())})):
        run.warehouse.execute(_QUERIES["note_brought"])
    return _append(run, source, page)


def _record_rows(page: Sequence[SourceRecord]) -> pa.Table:
    return pa.Table.from_pylist([_record_row(i, r) for i, r in enumerate(page)], schema=_RECORD_ROWS)


def _record_row(position: int, record: SourceRecord) -> dict[str, object]:
    return {
        "position": position,
        "record": str(record.key),
        "source": record.key.source,
        "object": record.key.object,
        "source_id": record.key.source_id,
        "content_hash": content_hash(record.raw),
        "raw": record.raw,
        "kind": record.body.kind,
        "body": record.body.model_dump_json(exclude_defaults=True, exclude={"kind"}),
        "changed_at": record.changed_at,
    }


def _refusal_rows(page: Sequence[Refusal]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "position": i,
                "source": refusal.source,
                "object": refusal.object,
                "source_id": refusal.source_id,
                "content_hash": content_hash(refusal.raw),
                "raw": refusal.raw,
                "reasons": orjson.dumps([reason.model_dump() for reason in refusal.reasons]).decode(),
            }
            for i, refusal in enumerate(page)
        ],
        schema=_REFUSAL_ROWS,
    )


def content_hash(raw: str) -> str:
    """What tells two payloads apart: SHA-256 of the text, hexadecimal."""
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
