"""commercetools' payloads in our words. Pure: the same payload gives the same record."""

from collections.abc import Callable

import orjson
from pydantic import ValidationError

from connectors.commercetools.payloads import VendorCustomer, VendorPayment
from connectors.commercetools.payloads_order import VendorOrder
from connectors.commercetools.reading import ShopFields, Unreadable, reasons
from connectors.commercetools.translate_customer import person
from connectors.commercetools.translate_order import order
from connectors.commercetools.translate_payment import settlement
from models.landing import Body, Reason, Refusal, SourceRecord
from models.records import RecordKey

SOURCE = "commercetools"
OBJECTS = ("customer", "order", "payment")


def translate(object: str, raw: str, shop: ShopFields) -> SourceRecord | Refusal:  # noqa: A002
    """Read one resource. `object` is one of OBJECTS, `raw` one JSON object; ValueError for another object."""
    read = _readers().get(object)
    if read is None:
        raise ValueError(f"{SOURCE} tells {', '.join(OBJECTS)}, not {object!r}")
    try:
        vendor, body = read(raw, shop)
    except ValidationError as error:
        return _refusal(object, raw, reasons(error))
    except Unreadable as error:
        return _refusal(object, raw, error.reasons)
    key = RecordKey(source=SOURCE, object=object, source_id=vendor.id)
    return SourceRecord(key=key, raw=raw, body=body, changed_at=vendor.last_modified_at)


Vendor = VendorCustomer | VendorOrder | VendorPayment


def _readers() -> dict[str, Callable[[str, ShopFields], tuple[Vendor, Body]]]:
    return {"customer": _customer, "order": _order, "payment": _payment}


def _customer(raw: str, shop: ShopFields) -> tuple[Vendor, Body]:
    vendor = VendorCustomer.model_validate_json(raw)
    return vendor, person(vendor, shop)


def _order(raw: str, shop: ShopFields) -> tuple[Vendor, Body]:
    vendor = VendorOrder.model_validate_json(raw)
    return vendor, order(vendor, shop)


def _payment(raw: str, shop: ShopFields) -> tuple[Vendor, Body]:
    vendor = VendorPayment.model_validate_json(raw)
    return vendor, settlement(vendor)


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
