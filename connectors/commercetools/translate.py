"""commercetools' payloads in our words. Pure: the same payload gives the same record."""

from collections.abc import Callable

import orjson
from pydantic import ValidationError

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
from models.landing import Deletion, Reason, Refusal, SourceRecord
from models.records import RecordKey

SOURCE = "commercetools"
Reader = Callable[[str, ShopFields], SourceRecord]


def translate(object: str, raw: str, shop: ShopFields) -> SourceRecord | Refusal:  # noqa: A002
    """Read one resource. `object` is one of OBJECTS, `raw` one JSON object; ValueError for another object.

    A message that its resource is deleted gives the record of the resource, not its own.
    """
    read = _READERS.get(object)
    if read is None:
        raise ValueError(f"{SOURCE} tells {', '.join(OBJECTS)}, not {object!r}")
    try:
        return _deletion(object, raw) if is_tombstone(raw) else read(raw, shop)
    except ValidationError as error:
        return _refusal(object, raw, reasons(error))
    except Unreadable as error:
        return _refusal(object, raw, error.reasons)


def _customer(raw: str, shop: ShopFields) -> SourceRecord:
    vendor = VendorCustomer.model_validate_json(raw)
    body = person(vendor, shop)
    return SourceRecord(key=_key("customer", vendor.id), raw=raw, body=body, changed_at=vendor.last_modified_at)


def _order(raw: str, shop: ShopFields) -> SourceRecord:
    vendor = VendorOrder.model_validate_json(raw)
    body = order(vendor, shop)
    return SourceRecord(key=_key("order", vendor.id), raw=raw, body=body, changed_at=vendor.last_modified_at)


def _payment(raw: str, _shop: ShopFields) -> SourceRecord:
    vendor = VendorPayment.model_validate_json(raw)
    body = settlement(vendor)
    return SourceRecord(key=_key("payment", vendor.id), raw=raw, body=body, changed_at=vendor.last_modified_at)


def _cart(raw: str, shop: ShopFields) -> SourceRecord:
    vendor = VendorCart.model_validate_json(raw)
    body = cart(vendor, shop)
    return SourceRecord(key=_key("cart", vendor.id), raw=raw, body=body, changed_at=vendor.last_modified_at)


def _store(raw: str, shop: ShopFields) -> SourceRecord:
    vendor = VendorStore.model_validate_json(raw)
    body = store(vendor, shop)
    return SourceRecord(key=_key("store", vendor.id), raw=raw, body=body, changed_at=vendor.last_modified_at)


def _group(raw: str, _shop: ShopFields) -> SourceRecord:
    vendor = VendorGroup.model_validate_json(raw)
    return SourceRecord(
        key=_key("customer_group", vendor.id), raw=raw, body=group(vendor), changed_at=vendor.last_modified_at
    )


def _message(raw: str, _shop: ShopFields) -> SourceRecord:
    vendor = VendorMessage.model_validate_json(raw)
    if vendor.type in DELETES:
        stone = tombstone(vendor.resource.id, at=vendor.created_at.isoformat(), message=vendor.id)
        return _deletion(DELETES[vendor.type], stone)
    return SourceRecord(key=_key("message", vendor.id), raw=raw, body=notice(vendor), changed_at=vendor.created_at)


_READERS: dict[str, Reader] = {
    "customer": _customer,
    "order": _order,
    "payment": _payment,
    "cart": _cart,
    "store": _store,
    "customer_group": _group,
    "message": _message,
}
OBJECTS = tuple(_READERS)


def _deletion(object: str, raw: str) -> SourceRecord:  # noqa: A002
    stone = Tombstone.model_validate_json(raw)
    at = stone.gone.at
    return SourceRecord(key=_key(object, stone.id), raw=raw, body=Deletion(at=at), changed_at=at)


def _key(object: str, source_id: str) -> RecordKey:  # noqa: A002
    return RecordKey(source=SOURCE, object=object, source_id=source_id)


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
