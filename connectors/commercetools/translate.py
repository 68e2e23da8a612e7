"""commercetools' payloads in our words. Pure: the same payload gives the same record."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from connectors.commercetools.payloads import VendorCustomer, VendorPayment
from connectors.commercetools.payloads_order import VendorOrder
from connectors.commercetools.payloads_project import VendorCart, VendorGroup, VendorMessage, VendorStore
from connectors.commercetools.reading import ShopFields, Unreadable, reasons
from connectors.commercetools.tombstone import Tombstone, is_tombstone, tombstone
from connectors.commercetools.translate_customer import person
from connectors.commercetools.translate_message import DELETES, notice
from connectors.commercetools.translate_order import order
from connectors.commercetools.translate_payment import settlement
from connectors.commercetools.translate_project import cart, group, store
from models.landing import Body, Deletion, Reason, Refusal, SourceRecord
from models.records import RecordKey

SOURCE = "commercetools"
_MESSAGE = TypeAdapter(VendorMessage)
_TOMBSTONE = TypeAdapter(Tombstone)
_RESOURCES: Mapping[str, tuple[TypeAdapter[Any], Callable[[Any, ShopFields], Body]]] = {
    "customer": (TypeAdapter(VendorCustomer), person),
    "order": (TypeAdapter(VendorOrder), order),
    "payment": (TypeAdapter(VendorPayment), lambda told, _: settlement(told)),
    "cart": (TypeAdapter(VendorCart), cart),
    "store": (TypeAdapter(VendorStore), store),
    "customer_group": (TypeAdapter(VendorGroup), lambda told, _: group(told)),
}
"""Object -> the shape of its payload, and how that becomes a body."""
OBJECTS = (*_RESOURCES, "message")


def translate(object: str, raw: str, shop: ShopFields) -> SourceRecord | Refusal:  # noqa: A002
    """Read one resource. `object` is one of OBJECTS, `raw` one JSON object; ValueError for another object.

    A message that its resource is deleted gives the record of the resource, not its own.
    """
    if object not in OBJECTS:
        raise ValueError(f"{SOURCE} tells {', '.join(OBJECTS)}, not {object!r}")
    try:
        if is_tombstone(raw):
            return _deletion(object, raw)
        return _message(raw) if object == "message" else _resource(object, raw, shop)
    except ValidationError as error:
        return _refusal(object, raw, reasons(error))
    except Unreadable as error:
        return _refusal(object, raw, error.reasons)


def _resource(object: str, raw: str, shop: ShopFields) -> SourceRecord:  # noqa: A002
    shape, body = _RESOURCES[object]
    told = shape.validate_json(raw)
    key = RecordKey(source=SOURCE, object=object, source_id=told["id"])
    return SourceRecord(key=key, raw=raw, body=body(told, shop), changed_at=told["last_modified_at"])


def _message(raw: str) -> SourceRecord:
    told = _MESSAGE.validate_json(raw)
    if told["type"] in DELETES:
        stone = tombstone(told["resource"]["id"], at=told["created_at"].isoformat(), message=told["id"])
        return _deletion(DELETES[told["type"]], stone)
    key = RecordKey(source=SOURCE, object="message", source_id=told["id"])
    return SourceRecord(key=key, raw=raw, body=notice(told), changed_at=told["created_at"])


def _deletion(object: str, raw: str) -> SourceRecord:  # noqa: A002
    stone = _TOMBSTONE.validate_json(raw)
    key, at = RecordKey(source=SOURCE, object=object, source_id=stone["id"]), stone["gone"].get("at")
    return SourceRecord(key=key, raw=raw, body=Deletion(at=at), changed_at=at)


def _refusal(object: str, raw: str, why: tuple[Reason, ...]) -> Refusal:  # noqa: A002
    return Refusal(source=SOURCE, object=object, source_id=_id_of(raw), raw=raw, reasons=why)


def _id_of(raw: str) -> str | None:
    """The id, if there is one to be found; it lets a corrected payload find its refusal."""
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    found = told.get("id") if isinstance(told, dict) else None
    return str(found) if isinstance(found, (str, int)) and str(found).strip() else None
