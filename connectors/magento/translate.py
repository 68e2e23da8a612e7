"""Magento's words into ours. Pure: a payload gives the same record, or the same refusal, every time."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from connectors.magento import payloads_order as sold
from connectors.magento.payloads import Customer, Shape
from connectors.magento.terms import Terms
from connectors.magento.translate_customer import customer_body
from connectors.magento.translate_order import order_body
from connectors.magento.translate_settlement import credit_memo_body, invoice_body, shipment_body
from connectors.payload import canonical
from models.landing import Body, Deletion, Reason, Refusal, SourceRecord
from models.records import RecordKey

SOURCE = "magento"


class _Reading(NamedTuple):
    """How one object is read: its shape and its body, and where its id stands."""

    shape: type[Shape]
    body: Callable[[Any, Terms], Body]
    id_field: str = "entity_id"


_READINGS: Mapping[str, _Reading] = {
    "customer": _Reading(Customer, customer_body, "id"),
    "order": _Reading(sold.Order, order_body),
    "invoice": _Reading(sold.Invoice, invoice_body),
    "shipment": _Reading(sold.Shipment, shipment_body),
    "creditmemo": _Reading(sold.CreditMemo, credit_memo_body),
}
OBJECTS = tuple(_READINGS)


def translate(object: str, raw: str, terms: Terms) -> SourceRecord | Refusal:  # noqa: A002
    """Read one payload. Raises KeyError for an object that this vendor does not have."""
    reading = _READINGS[object]
    source_id: str | None = None
    try:
        payload = orjson.loads(raw)
        source_id = _own_id(payload, reading.id_field)
        if source_id is not None and _is_ours(payload):
            return _of_ours(object, raw, source_id, payload)
        told = reading.shape.model_validate(payload)
        return SourceRecord(
            key=RecordKey(source=SOURCE, object=object, source_id=str(source_id)),
            raw=raw,
            body=reading.body(told, terms),
            changed_at=terms.moment(getattr(told, "updated_at", None)),
        )
    except orjson.JSONDecodeError:
        reasons: tuple[Reason, ...] = (Reason(path="", problem="expected JSON"),)
    except ValidationError as error:
        reasons = _reasons(error)
    return Refusal(source=SOURCE, object=object, source_id=source_id, raw=raw, reasons=reasons)


def deletion(object: str, source_id: str) -> SourceRecord:  # noqa: A002
    """The vendor has no words for what is gone; these are ours."""
    raw = canonical({_READINGS[object].id_field: int(source_id), "deleted": True})
    return _gone(object, raw, source_id)


def unloadable(object: str, number: int) -> str:  # noqa: A002
    """Nor for a row that is there and cannot be loaded; a payload in its place, which is refused."""
    return canonical({_READINGS[object].id_field: number, "unloadable": True})


def _is_ours(payload: dict[str, Any]) -> bool:
    return len(payload) == 2 and (payload.get("deleted") is True or payload.get("unloadable") is True)


def _of_ours(object: str, raw: str, source_id: str, payload: dict[str, Any]) -> SourceRecord | Refusal:  # noqa: A002
    if "deleted" in payload:
        return _gone(object, raw, source_id)
    reasons = (Reason(path="", problem="the shop has this row and cannot load it; its own log says why"),)
    return Refusal(source=SOURCE, object=object, source_id=source_id, raw=raw, reasons=reasons)


def _gone(object: str, raw: str, source_id: str) -> SourceRecord:  # noqa: A002
    return SourceRecord(key=RecordKey(source=SOURCE, object=object, source_id=source_id), raw=raw, body=Deletion())


def _own_id(payload: object, field: str) -> str | None:
    told = payload.get(field) if isinstance(payload, dict) else None
    return str(told) if isinstance(told, int | str) and told != "" else None


def _reasons(error: ValidationError) -> tuple[Reason, ...]:
    """Where and what, without the value that was found."""
    return tuple(
        Reason(path=_path(detail["loc"]), problem=detail["msg"].removeprefix("Value error, "))
        for detail in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
