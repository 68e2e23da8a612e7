"""Salesforce's records in our words. Pure: the same payload gives the same record."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from connectors.salesforce.catalogue import OBJECTS
from connectors.salesforce.ids import ACCOUNT, CONTACT, long_id
from connectors.salesforce.org import Org
from connectors.salesforce.payloads import (
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

SOURCE = "salesforce"
Told = Mapping[str, Any]


def translate(object: str, raw: str, org: Org) -> SourceRecord | Refusal:  # noqa: A002
    """Read one record. `object` is one of OBJECTS, `raw` one JSON object as REST or our reader tells it.

    Raises ValueError for another object.
    """
    read = _READERS.get(object)
    if read is None:
        raise ValueError(f"{SOURCE} tells {', '.join(OBJECTS)}, not {object!r}")
    try:
        told, text = _payload(raw)
        if told.get("IsDeleted") is True:
            read = _GONE
        vendor, body = read(told, text, org)
        key = {"source": SOURCE, "object": object, "source_id": _source_id(object, vendor)}
        return SourceRecord.model_validate({"key": key, "raw": raw, "body": body, "changed_at": _latest(vendor)})
    except ValidationError as error:
        return _refusal(object, raw, reasons(error))
    except Unreadable as error:
        return _refusal(object, raw, error.reasons)


def about_each_person(told: Told) -> Iterator[dict[str, Any]]:
    """A note once for each person that it is about; users and companies with whom it is shared are left out."""
    for link in told.get("ContentDocumentLinks", ()):
        if str(link.get("LinkedEntityId", "")).startswith((CONTACT, ACCOUNT)):
            yield {**told, "ContentDocumentLinks": [link]}


def _payload(raw: str) -> tuple[Told, str]:
    """The payload with dotted names and without nulls, as values and as text."""
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Unreadable(Reason(path="", problem="no JSON")) from error
    if not isinstance(told, dict):
        raise Unreadable(Reason(path="", problem="no JSON object"))
    try:
        if _is_flat(told):  # as our reader writes it
            return told, raw
        told = flat(told)
        return told, orjson.dumps(told).decode()
    except (RecursionError, orjson.JSONEncodeError) as error:
        raise Unreadable(Reason(path="", problem="nested too deeply")) from error


def _is_flat(told: Told) -> bool:
    """Whether it has no nulls, and no records but those in lists."""
    for name, value in told.items():
        kind = type(value)
        if value is None or (kind is dict and name != "attributes"):
            return False
        if kind is list and not all(type(each) is dict and _is_flat(each) for each in value):
            return False
    return True


Read = Callable[[Told, str, Org], tuple[Told, Body]]
"""Reads a payload, given as values and as text. As text it is validated: there a number is no time."""


def _reader(shape: Any, body: Callable[[Any, Told, Org], Body]) -> Read:  # noqa: ANN401  one of the vendor's shapes
    told_as = TypeAdapter(shape)

    def read(told: Told, text: str, org: Org) -> tuple[Told, Body]:
        vendor = told_as.validate_json(text)
        return vendor, body(vendor, told, org)

    return read


def _deletion(vendor: VendorGone, _told: Told, _org: Org) -> Deletion:
    return Deletion(at=_stamp(vendor), merged_into=vendor.get("master_record_id"))


_GONE = _reader(VendorGone, _deletion)
_READERS: Mapping[str, Read] = {
    "contact": _reader(VendorPerson, person),
    "account": _reader(VendorPerson, person),
    "member": _reader(VendorMember, lambda vendor, _told, org: member(vendor, org)),
    "entry": _reader(VendorEntry, lambda vendor, _told, org: entry(vendor, org)),
    "order": _reader(VendorOrder, order),
    "task": _reader(VendorTask, lambda vendor, _told, _org: task(vendor)),
    "event": _reader(VendorEvent, lambda vendor, _told, _org: event(vendor)),
    "note": _reader(VendorNote, lambda vendor, _told, _org: note(vendor)),
}


def _source_id(object_: str, vendor: Told) -> str:
    """A note about two persons is two records: each is known by the link between note and person."""
    links = vendor.get("content_document_links") if object_ == "note" else None
    known_by: str = links[0]["id"] if links else vendor["id"]
    return known_by


def _stamp(vendor: Told) -> datetime | None:
    """The time by which changes are found: SystemModstamp, or the last change by a person on objects without."""
    return vendor.get("system_modstamp") or vendor.get("last_modified_date")


def _latest(vendor: Told) -> datetime | None:
    """The latest of the record's own change, that of a record told with it, and those of what belongs to it."""
    latest = _later(_stamp(vendor), vendor.get("related_modstamp"))
    for value in vendor.values():
        if type(value) is list:
            for each in value:
                latest = _later(latest, _latest(each))
    return latest


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)


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
