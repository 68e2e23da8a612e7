"""Salesforce's records in our words. Pure: the same payload gives the same record."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, get_origin

import orjson
from pydantic import ValidationError

from connectors.salesforce.catalogue import OBJECTS
from connectors.salesforce.ids import ACCOUNT, CONTACT, long_id
from connectors.salesforce.org import Org
from connectors.salesforce.payloads import (
    Recorded,
    Unreadable,
    VendorEntry,
    VendorEvent,
    VendorGone,
    VendorMember,
    VendorNote,
    VendorOrder,
    VendorPerson,
    VendorTask,
    reasons,
)
from connectors.salesforce.rows import flat
from connectors.salesforce.translate_activity import event, note, task
from connectors.salesforce.translate_loyalty import entry, member
from connectors.salesforce.translate_order import order
from connectors.salesforce.translate_person import person
from models.landing import Body, Deletion, Reason, Refusal, SourceRecord
from models.records import RecordKey

SOURCE = "salesforce"
Told = Mapping[str, Any]
Vendor = TypeVar("Vendor", bound=Recorded)


def translate(object: str, raw: str, org: Org) -> SourceRecord | Refusal:  # noqa: A002
    """Read one record. `object` is one of OBJECTS, `raw` one JSON object as REST or our reader tells it.

    Raises ValueError for another object.
    """
    read = _READERS.get(object)
    if read is None:
        raise ValueError(f"{SOURCE} tells {', '.join(OBJECTS)}, not {object!r}")
    try:
        told = _payload(raw)
        vendor, body = _deletion(told) if told.get("IsDeleted") is True else read(told, org)
    except ValidationError as error:
        return _refusal(object, raw, reasons(error))
    except Unreadable as error:
        return _refusal(object, raw, error.reasons)
    key = RecordKey(source=SOURCE, object=object, source_id=_source_id(object, vendor))
    return SourceRecord(key=key, raw=raw, body=body, changed_at=_changed_at(vendor))


def about_each_person(told: Told) -> Iterator[dict[str, Any]]:
    """A note once for each person that it is about; users and companies with whom it is shared are left out."""
    for link in told.get("ContentDocumentLinks", ()):
        if str(link.get("LinkedEntityId", "")).startswith((CONTACT, ACCOUNT)):
            yield {**told, "ContentDocumentLinks": [link]}


def _payload(raw: str) -> Told:
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Unreadable(Reason(path="", problem="no JSON")) from error
    if not isinstance(told, dict):
        raise Unreadable(Reason(path="", problem="no JSON object"))
    return flat(told)


def _deletion(told: Told) -> tuple[Recorded, Body]:
    vendor = _read(VendorGone, told)
    return vendor, Deletion(at=vendor.stamp, merged_into=vendor.master_record_id)


def _person(told: Told, org: Org) -> tuple[Recorded, Body]:
    vendor = _read(VendorPerson, told)
    return vendor, person(vendor, told, org)


def _member(told: Told, org: Org) -> tuple[Recorded, Body]:
    vendor = _read(VendorMember, told)
    return vendor, member(vendor, org)


def _entry(told: Told, org: Org) -> tuple[Recorded, Body]:
    vendor = _read(VendorEntry, told)
    return vendor, entry(vendor, org)


def _order(told: Told, org: Org) -> tuple[Recorded, Body]:
    vendor = _read(VendorOrder, told)
    return vendor, order(vendor, told, org)


def _task(told: Told, _org: Org) -> tuple[Recorded, Body]:
    vendor = _read(VendorTask, told)
    return vendor, task(vendor)


def _event(told: Told, _org: Org) -> tuple[Recorded, Body]:
    vendor = _read(VendorEvent, told)
    return vendor, event(vendor)


def _note(told: Told, _org: Org) -> tuple[Recorded, Body]:
    vendor = _read(VendorNote, told)
    return vendor, note(vendor)


_READERS: Mapping[str, Callable[[Told, Org], tuple[Recorded, Body]]] = {
    "contact": _person,
    "account": _person,
    "member": _member,
    "entry": _entry,
    "order": _order,
    "task": _task,
    "event": _event,
    "note": _note,
}


def _read(model: type[Vendor], told: Told) -> Vendor:
    return model.model_validate_json(orjson.dumps(told))  # as JSON: there a number is no time


def _source_id(object_: str, vendor: Recorded) -> str:
    """A note about two persons is two records: each is known by the link between note and person."""
    if object_ == "note" and isinstance(vendor, VendorNote | VendorGone) and vendor.content_document_links:
        return vendor.content_document_links[0].id
    return vendor.id


def _changed_at(vendor: Recorded) -> datetime | None:
    """The latest of the record's own change and those of what belongs to it."""
    stamps = [vendor.stamp]
    for name in _lists(type(vendor)):
        stamps += [each.system_modstamp for each in getattr(vendor, name)]
    return max((each for each in stamps if each), default=None)


@cache
def _lists(model: type[Recorded]) -> tuple[str, ...]:
    """The fields that hold what belongs to a record."""
    return tuple(name for name, field in model.model_fields.items() if get_origin(field.annotation) is tuple)


def _refusal(object_: str, raw: str, why: tuple[Reason, ...]) -> Refusal:
    return Refusal(source=SOURCE, object=object_, source_id=_id_of(raw), raw=raw, reasons=why)


def _id_of(raw: str) -> str | None:
    """The id, if there is one to be found; it lets a corrected payload find its refusal."""
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    found = told.get("Id") if isinstance(told, dict) else None
    return long_id(found) if isinstance(found, str) and found.strip() else None
