"""Magento's words into ours. Pure: a payload gives the same record, or the same refusal, every time."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from connectors.magento import payloads_order as sold
from connectors.magento.payloads import Customer, meant
from connectors.magento.terms import Terms
from connectors.magento.translate_customer import customer_body
from connectors.magento.translate_order import order_body
from connectors.magento.translate_settlement import (
    credit_memo_body,
    invoice_body,
    return_body,
    shipment_body,
    transaction_body,
)
from connectors.payload import bounded, canonical
from models.landing import Body, Deletion, Reason, Refusal, SourceRecord
from models.records import RecordKey

SOURCE = "magento"
Told = Mapping[str, Any]


class _Reading(NamedTuple):
    """How one object is read: its shape and its body, and where its id and the time of its change stand."""

    shape: TypeAdapter[Any]
    body: Callable[[Any, Terms], Body]
    id_field: str = "entity_id"
    changed: str | None = "updated_at"
    """None where the vendor dates no changes: then what was read last is what holds."""


_READINGS: Mapping[str, _Reading] = {
    "customer": _Reading(TypeAdapter(Customer), customer_body, "id"),
    "order": _Reading(TypeAdapter(sold.Order), order_body),
    "invoice": _Reading(TypeAdapter(sold.Invoice), invoice_body),
    "shipment": _Reading(TypeAdapter(sold.Shipment), shipment_body),
    "creditmemo": _Reading(TypeAdapter(sold.CreditMemo), credit_memo_body),
    "transaction": _Reading(TypeAdapter(sold.Transaction), transaction_body, "transaction_id", "created_at"),
    "return": _Reading(TypeAdapter(sold.ReturnRequest), return_body, changed=None),
}
OBJECTS = tuple(_READINGS)
_GONE, _UNLOADABLE = '{"deleted":true,', ',"unloadable":true}'
"""How payloads of our own begin, or end."""


def translate(object: str, raw: str, terms: Terms) -> SourceRecord | Refusal:  # noqa: A002
    """Read one payload. Raises KeyError for an object that this vendor does not have."""
    reading = _READINGS[object]
    if raw.startswith(_GONE) or raw.endswith(_UNLOADABLE):
        return _of_ours(object, raw)
    try:
        return _record(object, raw, reading, _told(reading, raw), terms)
    except ValidationError as error:
        reasons = _reasons(error)
    return Refusal(source=SOURCE, object=object, source_id=_own_id(raw, reading), raw=raw, reasons=reasons)


def _told(reading: _Reading, raw: str) -> Told:
    """The payload in its shape; what does not fit is put into JSON's words first, which takes three times as long."""
    told: Told
    try:
        told = reading.shape.validate_json(raw)
    except ValidationError as error:
        try:
            told = meant(bounded(orjson.loads(raw)))
        except orjson.JSONDecodeError:
            raise error from None
        told = reading.shape.validate_python(told)
    return told


def _record(object: str, raw: str, reading: _Reading, told: Told, terms: Terms) -> SourceRecord:  # noqa: A002
    return SourceRecord(
        key=RecordKey(source=SOURCE, object=object, source_id=told[reading.id_field]),
        raw=raw,
        body=reading.body(told, terms),
        changed_at=terms.moment(told.get(reading.changed)) if reading.changed else None,
    )


def deletion(object: str, source_id: str) -> SourceRecord:  # noqa: A002
    """The vendor has no words for what is gone; these are ours."""
    raw = canonical({_READINGS[object].id_field: int(source_id), "deleted": True})
    return _gone(object, raw, source_id)


def unloadable(object: str, number: int) -> str:  # noqa: A002
    """Nor for a row that is there and cannot be loaded; a payload in its place, which is refused."""
    return canonical({_READINGS[object].id_field: number, "unloadable": True})


def _of_ours(object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
    source_id = str(orjson.loads(raw)[_READINGS[object].id_field])
    if raw.startswith(_GONE):
        return _gone(object, raw, source_id)
    reasons = (Reason(path="", problem="the shop has this row and cannot load it; its own log says why"),)
    return Refusal(source=SOURCE, object=object, source_id=source_id, raw=raw, reasons=reasons)


def _gone(object: str, raw: str, source_id: str) -> SourceRecord:  # noqa: A002
    return SourceRecord(key=RecordKey(source=SOURCE, object=object, source_id=source_id), raw=raw, body=Deletion())


def _own_id(raw: str, reading: _Reading) -> str | None:
    """The id in a payload that cannot be read otherwise."""
    try:
        payload = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    told = payload.get(reading.id_field) if isinstance(payload, dict) else None
    return str(told) if isinstance(told, int | str) and told != "" else None


def _reasons(error: ValidationError) -> tuple[Reason, ...]:
    """Where and what, without the value that was found."""
    if any(detail["type"] == "json_invalid" for detail in error.errors(include_url=False)):
        return (Reason(path="", problem="expected JSON"),)
    return tuple(
        Reason(path=_path(detail["loc"]), problem=detail["msg"])
        for detail in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
