"""From the payload of one receipt to a source record, the same way for files and for quarantine."""

import hashlib
from typing import Any, Final

import orjson
from pydantic import ValidationError

from connectors.drops import Damaged
from connectors.pos.delimited import told_by_lines
from connectors.pos.dialect import told_by
from connectors.pos.poslog import Transaction, transaction_of
from connectors.pos.receipt import Unposted, reasons_of, receipt_of
from connectors.pos.terms import Terms
from connectors.pos.translate import order_of
from models.landing import Reason, Refusal, SourceRecord
from models.orders import Order
from models.records import RecordKey

Outcome = SourceRecord | Refusal | Unposted

SOURCE: Final = "pos"
RECEIPT: Final = "receipt"

_CONFLICT_OPENS: Final = "<!--conflicts with "
_CONFLICT_ENDS: Final = "-->\n"


def read_transaction(transaction: Transaction, terms: Terms) -> Outcome:
    """A receipt out of POSLog."""
    return _outcome(told_by(transaction.element), transaction.raw, terms)


def read_lines(raw: str, terms: Terms) -> Outcome:
    """A receipt out of a delimited drop."""
    return _outcome(told_by_lines(raw, terms), raw, terms)


def read_receipt(raw: str, terms: Terms) -> Outcome:
    """A receipt from its payload alone, as it was landed or refused."""
    first, payload = _conflict_of(raw)
    outcome = _read_payload(payload, terms)
    if first is None or not isinstance(outcome, SourceRecord):
        return outcome
    return as_conflict(outcome, first)


def as_conflict(record: SourceRecord, first: str) -> SourceRecord:
    """The same receipt under an id of its own, because `first` already tells something else under its key.

    The id ends in the beginning of the content's hash; the payload opens with a line that names `first`, so that it is
    read the same way from the ledger. Points keep the key of the receipt: nobody earns twice.
    """
    assert isinstance(record.body, Order)
    mark = hashlib.sha256(record.raw.encode()).hexdigest()[:8]
    body = record.body.model_copy(update={"attributes": record.body.attributes | {"conflicts_with": first}})
    return SourceRecord(
        key=RecordKey(source=SOURCE, object=RECEIPT, source_id=f"{record.key.source_id}-{mark}"),
        raw=f"{_CONFLICT_OPENS}{first}{_CONFLICT_ENDS}{record.raw}",
        body=body,
        changed_at=record.changed_at,
    )


def damage(drop: str, read: int, problem: str, object_name: str) -> Refusal:
    """The rest of a file that could not be read. What it holds is not kept: it may be anything, and the till has it."""
    raw = orjson.dumps({"file": drop, "problem": problem, "read": read}, option=orjson.OPT_SORT_KEYS).decode()
    return Refusal(
        source=SOURCE, object=object_name, source_id=None, raw=raw, reasons=(Reason(path=drop, problem=problem),)
    )


def read_damage(raw: str, object_name: str) -> Refusal:
    """A damaged file again: only a new drop can mend it."""
    told = orjson.loads(raw)
    return damage(str(told["file"]), int(told["read"]), str(told["problem"]), object_name)


def _conflict_of(raw: str) -> tuple[str | None, str]:
    if not raw.startswith(_CONFLICT_OPENS):
        return None, raw
    first, _, payload = raw.removeprefix(_CONFLICT_OPENS).partition(_CONFLICT_ENDS)
    return first, payload


def _read_payload(payload: str, terms: Terms) -> Outcome:
    if payload.startswith('{"file":'):
        return read_damage(payload, RECEIPT)
    if not payload.startswith("<"):
        return read_lines(payload, terms)
    try:
        return read_transaction(transaction_of(payload, terms.bounds), terms)
    except Damaged as problem:
        return _refused(payload, (Reason(path="", problem=str(problem)),), None)


def _outcome(told: dict[str, Any] | Unposted | tuple[Reason, ...], raw: str, terms: Terms) -> Outcome:
    if isinstance(told, Unposted):
        return told
    if isinstance(told, tuple):
        return _refused(raw, told, None)
    order = _order(told, terms)
    if isinstance(order, tuple):
        return _refused(raw, order, _source_id(told))
    return SourceRecord(
        key=RecordKey(source=SOURCE, object=RECEIPT, source_id=order.number),
        raw=raw,
        body=order,
        changed_at=order.placed_at,
    )


def _order(told: dict[str, Any], terms: Terms) -> Order | tuple[Reason, ...]:
    """What the receipt tells, or why it tells nothing: prices may be plausible and their product absurd."""
    receipt = receipt_of(told)
    try:
        return receipt if isinstance(receipt, tuple) else order_of(receipt, terms)
    except ValidationError as error:
        return reasons_of(error)


def _source_id(told: dict[str, Any]) -> str | None:
    parts = [told.get(part) for part in ("store", "till", "business_day", "sequence")]
    return "-".join(map(str, parts)) if all(parts) else None


def _refused(raw: str, reasons: tuple[Reason, ...], source_id: str | None) -> Refusal:
    return Refusal(source=SOURCE, object=RECEIPT, source_id=source_id, raw=raw, reasons=reasons)
