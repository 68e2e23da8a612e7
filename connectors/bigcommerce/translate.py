"""BigCommerce's words into ours. Pure: a payload gives the same record, or the same refusal, every time."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from connectors.bigcommerce import payloads
from connectors.bigcommerce.translate_customer import customer_body, customer_changed_at, subscriber_body
from connectors.bigcommerce.translate_order import order_body, order_changed_at, refund_body
from models.landing import Body, Deletion, Reason, Refusal, SourceRecord
from models.records import RecordKey

SOURCE = "bigcommerce"


class _Reading(NamedTuple):
    """How one object is read: its shape, its body and when it changed."""

    shape: TypeAdapter[Any]
    body: Callable[[Any, Mapping[str, str]], Body]
    changed_at: Callable[[Any], datetime | None]


_GONE = _Reading(TypeAdapter(payloads.Gone), lambda *_: Deletion(), lambda _: None)
_READINGS: Mapping[str, _Reading] = {
    "customer": _Reading(TypeAdapter(payloads.Customer), customer_body, customer_changed_at),
    "subscriber": _Reading(TypeAdapter(payloads.Subscriber), subscriber_body, lambda told: told.get("date_modified")),
    "order": _Reading(TypeAdapter(payloads.Order), order_body, order_changed_at),
    "refund": _Reading(TypeAdapter(payloads.Refund), refund_body, lambda told: told["created"]),
}
OBJECTS = tuple(_READINGS)
_SAID = {
    f"String should match pattern '{pattern}'": "expected an amount, as a number or as text"
    for pattern in (payloads.NUMBER, payloads.NUMBER_OR_NOTHING)
}


def translate(object: str, raw: str, brands: Mapping[str, str]) -> SourceRecord | Refusal:  # noqa: A002
    """Read one payload. `brands`: channel id -> brand. Raises KeyError for an object that this vendor does not have."""
    reading = _READINGS[object]
    source_id: str | None = None
    try:
        payload = orjson.loads(raw)
        source_id = _own_id(payload)
        if isinstance(payload, dict) and "gone" in payload:
            reading = _GONE
        told = reading.shape.validate_python(payload)
        body = reading.body(told, brands)
        changed_at = reading.changed_at(told)
        key = RecordKey(source=SOURCE, object=object, source_id=str(source_id))
        return SourceRecord(key=key, raw=raw, body=body, changed_at=changed_at)
    except orjson.JSONDecodeError:
        reasons: tuple[Reason, ...] = (Reason(path="", problem="expected JSON"),)
    except ValidationError as error:
        reasons = _reasons(error)
    return Refusal(source=SOURCE, object=object, source_id=source_id, raw=raw, reasons=reasons)


def _own_id(payload: object) -> str | None:
    told = payload.get("id") if isinstance(payload, dict) else None
    return str(told) if isinstance(told, int | str) and told != "" else None


def _reasons(error: ValidationError) -> tuple[Reason, ...]:
    """Where and what, without the value that was found."""
    return tuple(
        Reason(path=_path(detail["loc"]), problem=_SAID.get(detail["msg"], detail["msg"]).removeprefix("Value error, "))
        for detail in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
