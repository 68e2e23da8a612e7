"""Tell destinations what changed, with one effect each. -> ledger.rendering, ledger.publication

Two halves: `queue` writes intents to the outbox, in the warehouse that holds the profiles; `deliver` sends them and
keeps the receipts. A crash inside either half or between them loses nothing and repeats nothing that took effect.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any

import duckdb
import pyarrow as pa

from models.errors import OutsideError, SignInAgain, TryLater
from models.ports import Destination, Message, Receipt
from models.profiles import ProfileDocument
from resolver import warehouse
from resolver.run import Run
from resolver.warehouse import offered, queries, transaction

_QUERIES = queries("publish")
_DOCUMENTS_AT_ONCE = 500

_RENDERED = pa.schema(
    [
        ("position", pa.int64()), ("object", pa.string()), ("target_key", pa.string()), ("profile", pa.string()),
        ("message_rank", pa.int64()), ("write_once", pa.bool_()),
        ("payload_hash", pa.string()), ("payload", pa.string()),
    ]
)  # fmt: skip
_NEW = _RENDERED.append(pa.field("sequence", pa.int64())).append(pa.field("correlation_id", pa.string()))
_RENDERING = pa.schema([("profile", pa.string()), ("document_hash", pa.string()), ("messages", pa.int64())])
_RECEIPT = pa.schema(
    [
        ("position", pa.int64()), ("object", pa.string()), ("target_key", pa.string()), ("profile", pa.string()),
        ("sequence", pa.int64()), ("message_rank", pa.int64()), ("write_once", pa.bool_()),
        ("payload_hash", pa.string()), ("idempotency_key", pa.string()), ("correlation_id", pa.string()),
        ("state", pa.string()), ("code", pa.string()), ("reason", pa.string()), ("target_id", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """A message that would be sent, beside what the destination holds under its key (None: nothing yet)."""

    object: str
    target_key: str
    profile: str
    payload: str
    held: str | None


@dataclass(frozen=True)
class _Queued:
    """A message of the outbox."""

    wave: int
    object: str
    target_key: str
    profile: str
    sequence: int
    message_rank: int
    write_once: bool
    payload_hash: str
    payload: str
    idempotency_key: str
    state: str
    correlation_id: str
    run_id: str

    @property
    def message(self) -> Message:
        return Message(
            object=self.object, target_key=self.target_key, rank=self.message_rank, payload=self.payload,
            write_once=self.write_once,
        )  # fmt: skip


def to(run: Run, destination: Destination) -> None:
    """Queue what changed for this destination and deliver it."""
    queue(run, destination)
    deliver(run, destination)


def rejected_to(run: Run, destination: Destination) -> None:
    """Render the refused messages again, from what we believe today, and deliver them."""
    run.warehouse.execute(_QUERIES["documents"])
    _queue(run, destination, "rejected_documents", untold=["rejected"])
    deliver(run, destination)


def queue(run: Run, destination: Destination) -> None:
    """Append an intent for every message that the destination has not been told. Sends nothing."""
    run.warehouse.execute(_QUERIES["documents"])
    _queue(run, destination, "changed_documents", untold=[])


def plan(connection: duckdb.DuckDBPyConnection, destination: Destination) -> list[Planned]:
    """What `to` would send, what waits from before included: queued by the same classification, then taken back."""
    connection.execute(_QUERIES["documents"])
    new: list[dict[str, Any]] = []
    for documents in _documents(connection, destination, "changed_documents"):
        new += _classified(connection, destination, _render(destination, documents), untold=[])
    intents = pa.Table.from_pylist([{**row, "correlation_id": ""} for row in new], schema=_NEW)
    stamp = {"destination": destination.name, "run_id": "", "recorded_at": datetime.min.replace(tzinfo=UTC)}
    with offered(connection, "publish_new", intents):
        connection.execute("begin")
        try:
            connection.execute(_QUERIES["append_queued"], stamp)
            found = warehouse.rows(connection, _QUERIES["planned"], {"destination": destination.name})
        finally:
            connection.execute("rollback")
    return [Planned(**row) for row in found]


def _queue(run: Run, destination: Destination, which: str, *, untold: Sequence[str]) -> None:
    done = 0
    for documents in _documents(run.warehouse, destination, which):
        rendered = _render(destination, documents)
        new = [
            {**row, "correlation_id": secrets.token_hex(8)}
            for row in _classified(run.warehouse, destination, rendered, untold=untold)
        ]
        _append_intents(run, destination, new, documents, rendered)
        done += len(documents)
        run.progress(f"render {destination.name}", done, None)


def _append_intents(
    run: Run,
    destination: Destination,
    new: list[dict[str, Any]],
    documents: Sequence[tuple[str, str, str]],
    rendered: pa.Table,
) -> None:
    counted = rendered.group_by("profile").aggregate([("position", "count")])
    messages = dict(zip(counted["profile"].to_pylist(), counted["position_count"].to_pylist(), strict=True))
    renderings = pa.Table.from_pylist(
        [{"profile": p, "document_hash": h, "messages": messages.get(p, 0)} for p, _, h in documents], schema=_RENDERING
    )
    stamp = _stamp(run, destination)
    with (
        offered(run.warehouse, "publish_new", pa.Table.from_pylist(new, schema=_NEW)),
        offered(run.warehouse, "publish_rendering", renderings),
        transaction(run.warehouse),
    ):
        run.warehouse.execute(_QUERIES["append_queued"], stamp)
        run.warehouse.execute(_QUERIES["append_renderings"], stamp)


def _stamp(run: Run, destination: Destination) -> dict[str, object]:
    return {"destination": destination.name, "run_id": run.run_id, "recorded_at": run.clock()}


def _documents(
    connection: duckdb.DuckDBPyConnection, destination: Destination, which: str
) -> Iterator[list[tuple[str, str, str]]]:
    """(profile, document as JSON, hash of document and field map), some at a time."""
    found: pa.Table = connection.sql(
        _QUERIES[which], params={"destination": destination.name, "mapping": destination.mapping}
    ).to_arrow_table()
    for batch in found.to_batches(max_chunksize=_DOCUMENTS_AT_ONCE):
        columns = (batch.column(name).to_pylist() for name in ("profile", "document", "document_hash"))
        yield list(zip(*columns, strict=True))


def _render(destination: Destination, documents: Iterable[tuple[str, str, str]]) -> pa.Table:
    rows: list[dict[str, object]] = []
    for profile, text, _ in documents:
        for message in destination.render(ProfileDocument.model_validate_json(text)):
            rows.append(
                {
                    "position": len(rows), "object": message.object, "target_key": message.target_key,
                    "profile": profile, "message_rank": message.rank, "write_once": message.write_once,
                    "payload": message.payload, "payload_hash": hashlib.sha256(message.payload.encode()).hexdigest(),
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=_RENDERED)


def _classified(
    connection: duckdb.DuckDBPyConnection, destination: Destination, rendered: pa.Table, *, untold: Sequence[str]
) -> list[dict[str, Any]]:
    with offered(connection, "publish_rendered", rendered):
        return warehouse.rows(
            connection, _QUERIES["classify"], {"destination": destination.name, "untold": list(untold)}
        )


def deliver(run: Run, destination: Destination) -> None:
    """Send what is in the outbox: one profile's messages in order, profiles side by side.

    A destination that is down, or refuses our credentials, is a trouble of the run; its messages stay in the outbox.
    """
    rows = warehouse.rows(run.warehouse, _QUERIES["outbox"], {"destination": destination.name})
    outbox = [_Queued(**row) for row in rows]
    by_profile = [list(messages) for _, messages in groupby(outbox, key=lambda message: message.profile)]
    receipts: list[tuple[_Queued, Receipt]] = []
    silent: list[OutsideError] = []
    sent = 0
    for answers in _wave_after_wave(run, destination, by_profile):
        receipts.extend((message, answer) for message, answer in answers if isinstance(answer, Receipt))
        silent += [answer for _, answer in answers if isinstance(answer, OutsideError)]
        sent += len(answers)
        if len(receipts) >= run.policy.publishing.receipts_per_commit:
            _keep_receipts(run, destination, receipts)
            receipts = []
        run.progress(f"publish {destination.name}", sent, len(outbox))
    _keep_receipts(run, destination, receipts)
    if silent:
        run.trouble(
            f"{destination.name} was not told everything: {silent[0]}. "
            f"{len(outbox) - sent + len(silent)} messages wait in the outbox for the next run."
        )


_Answer = tuple[_Queued, Receipt | OutsideError]


def _wave_after_wave(
    run: Run, destination: Destination, by_profile: Sequence[Sequence[_Queued]]
) -> Iterator[list[_Answer]]:
    """A wave begins when the one before has been answered; none begins after an answer that ends the delivery."""
    ended = False
    for _, wave in groupby(by_profile, key=lambda messages: messages[0].wave):
        for answers in _in_flight(run, destination, list(wave)):
            ended = ended or any(_ends_delivery(answer) for _, answer in answers)
            yield answers
        if ended:
            return


def _in_flight(run: Run, destination: Destination, by_profile: Sequence[Sequence[_Queued]]) -> Iterator[list[_Answer]]:
    """The answers profile by profile, as they come; stops handing out work when the credentials are refused."""
    work = iter(by_profile)
    with ThreadPoolExecutor(run.policy.publishing.workers) as pool:
        flying: set[Future[list[_Answer]]] = set()
        refused = False
        while True:
            if not refused:
                free = 2 * run.policy.publishing.workers - len(flying)
                flying |= {pool.submit(_tell, run.run_id, destination, messages) for messages in islice(work, free)}
            if not flying:
                return
            done, flying = wait(flying, return_when=FIRST_COMPLETED)
            for future in done:
                answers = future.result()
                refused = refused or any(_ends_delivery(answer) for _, answer in answers)
                yield answers


def _ends_delivery(answer: Receipt | OutsideError) -> bool:
    return isinstance(answer, SignInAgain) or (isinstance(answer, TryLater) and answer.code == "circuit_open")


def _tell(run_id: str, destination: Destination, messages: Sequence[_Queued]) -> list[_Answer]:
    """Send one profile's messages in order; stop where there is no answer, and before what depends on a refused one."""
    answers: list[_Answer] = []
    refused_rank: int | None = None
    for message in messages:
        if refused_rank is not None and message.message_rank > refused_rank:
            break
        answer = _send(run_id, destination, message)
        answers.append((message, answer))
        if isinstance(answer, OutsideError) or answer.state == "unknown":
            break
        if answer.state == "rejected" and refused_rank is None:
            refused_rank = message.message_rank
    return answers


def _send(run_id: str, destination: Destination, message: _Queued) -> Receipt | OutsideError:
    """Send one message. What may have arrived before, in a run that was cut off, is read back first."""
    try:
        if message.state == "unknown" or message.run_id != run_id:
            found = destination.read_back(message.message)
            if found is not None:
                return found
        return destination.send(message.message, message.idempotency_key, message.correlation_id)
    except TryLater as error:
        if error.maybe_done:
            return Receipt(state="unknown", code=error.code or "no answer", reason=str(error))
        return error
    except SignInAgain as error:
        return error
    except OutsideError as error:
        return Receipt(state="rejected", code=error.code or type(error).__name__, reason=str(error))


def _keep_receipts(run: Run, destination: Destination, receipts: Sequence[tuple[_Queued, Receipt]]) -> None:
    if not receipts:
        return
    rows = [
        {
            "position": i, "object": m.object, "target_key": m.target_key, "profile": m.profile, "sequence": m.sequence,
            "message_rank": m.message_rank, "write_once": m.write_once, "payload_hash": m.payload_hash,
            "idempotency_key": m.idempotency_key, "correlation_id": m.correlation_id, **receipt.model_dump(),
        }
        for i, (m, receipt) in enumerate(receipts)
    ]  # fmt: skip
    with (
        offered(run.warehouse, "publish_receipt", pa.Table.from_pylist(rows, schema=_RECEIPT)),
        transaction(run.warehouse),
    ):
        run.warehouse.execute(_QUERIES["append_receipts"], _stamp(run, destination))
