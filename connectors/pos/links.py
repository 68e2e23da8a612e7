"""Which store a part of a POSLog belongs to, and which other transaction it names."""

from typing import Any
from xml.etree.ElementTree import Element

from connectors.pos.elements import attribute, children, text, without_prefix


def store_of(element: Element | None) -> str | None:
    """RetailStoreID, else the unit that says it is a store, else the one that says nothing."""
    flat = text(element, "RetailStoreID")
    if flat:
        return flat
    units = list(children(element, "BusinessUnit"))
    ids = [unit_id for unit in units for unit_id in children(unit, "UnitID")]
    by_type = {without_prefix(attribute(unit_id, "TypeCode")): text(unit_id) for unit_id in reversed(ids)}
    return by_type.get("RetailStore") or by_type.get(None) or next((text(unit) for unit in units if text(unit)), None)


def business_day_of(element: Element | None) -> str | None:
    """The business day, written flat or in an element of its own."""
    return text(element, "BusinessDayDate") or text(element, "BusinessDayDate", "Date")


def linked(link: Element | None) -> dict[str, Any] | None:
    """Another transaction, as far as a TransactionLink names it."""
    if link is None:
        return None
    return {
        "store": store_of(link),
        "till": text(link, "WorkstationID"),
        "business_day": business_day_of(link),
        "sequence": text(link, "SequenceNumber"),
        "transaction_id": text(link, "TransactionID"),
        "line": text(link, "LineItemSequenceNumber"),
    }
