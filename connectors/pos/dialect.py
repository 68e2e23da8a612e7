"""What a transaction of a POSLog says, in whichever dialect: versions 2 to 6 and the vendors' habits between."""

from typing import Any, Final
from xml.etree.ElementTree import Element

from connectors.pos.capture import captured
from connectors.pos.elements import attribute, child, children, flagged, says_yes, text, told_currency, without_prefix
from connectors.pos.links import business_day_of, linked, store_of
from connectors.pos.positions import positions
from connectors.pos.receipt import Unposted

Told = dict[str, Any]

_UNPOSTED: Final = {
    "canceled": "Canceled",
    "cancelled": "Canceled",
    "voided": "Voided",
    "transactionvoided": "Voided",
    "suspended": "Suspended",
}


def unposted_status(status: str | None) -> str | None:
    """Why a transaction with this status is no purchase; None if it is one."""
    return _UNPOSTED.get((without_prefix(status) or "").casefold())


def told_by(transaction: Element) -> Told | Unposted:
    """The texts of a posted transaction by our names, or why it is not posted."""
    retail = child(transaction, "RetailTransaction")
    why = _why_unposted(transaction, retail)
    if why is not None:
        return Unposted(why=why)
    told = _head(transaction, retail) | _totals(retail) | positions(retail) | captured(retail)
    told["currency"] = told_currency(text(transaction, "CurrencyCode")) or _currency_of_amounts(retail)
    return told


def _why_unposted(transaction: Element, retail: Element | None) -> str | None:
    if retail is None:
        return next((part.tag[:40] for part in transaction if part.tag.endswith("Transaction")), None)
    if flagged(transaction, "TrainingModeFlag"):
        return "training"
    if flagged(transaction, "CancelFlag"):
        return "Canceled"
    return unposted_status(attribute(retail, "TransactionStatus"))


def _head(transaction: Element, retail: Element | None) -> Told:
    status = attribute(retail, "TransactionStatus")
    return {
        "store": store_of(transaction),
        "till": text(transaction, "WorkstationID"),
        "sequence": text(transaction, "SequenceNumber"),
        "business_day": business_day_of(transaction),
        "transaction_id": text(transaction, "TransactionID"),
        "status": status,
        "at": _at(transaction, retail),
        "cashier": text(transaction, "OperatorID"),
        "post_voids": _post_voids(transaction, retail) if without_prefix(status) == "PostVoided" else None,
        "attributes": _attributes(transaction),
    }


def _at(transaction: Element, retail: Element | None) -> str | None:
    """The end of the transaction; a message's own time only where there is nothing better."""
    logged = {attribute(moment, "TypeCode"): text(moment) for moment in children(transaction, "POSLogDateTime")}
    told = (
        text(transaction, "EndDateTime"),
        logged.get("Transaction"),
        logged.get(None),
        text(transaction, "ReceiptDateTime"),
        text(retail, "ReceiptDateTime"),
        text(transaction, "BeginDateTime"),
        *logged.values(),
    )
    return next((moment for moment in told if moment), None)


def _post_voids(transaction: Element, retail: Element | None) -> Told:
    found = child(retail, "TransactionLink")
    return linked(found if found is not None else child(transaction, "TransactionLink")) or {}


def _attributes(transaction: Element) -> dict[str, str]:
    told = {
        "transaction_id": text(transaction, "TransactionID"),
        "receipt_number": text(transaction, "ReceiptNumber"),
        "offline": "true" if says_yes(attribute(transaction, "OfflineFlag")) else None,
    }
    return {name: value for name, value in told.items() if value}


def _totals(retail: Element | None) -> Told:
    by_type = {without_prefix(attribute(total, "TotalType")): text(total) for total in children(retail, "Total")}
    return {
        "total": by_type.get("TransactionGrandAmount"),
        "net_total": by_type.get("TransactionNetAmount"),
        "tax_total": by_type.get("TransactionTaxAmount"),
    }


def _currency_of_amounts(retail: Element | None) -> str | None:
    """Where the transaction names no currency: that of its totals, else of its first amount that has one."""
    parts = [*children(retail, "Total"), *(part for line in children(retail, "LineItem") for part in line.iter())]
    named = (told_currency(attribute(part, "CurrencyCode", "Currency")) for part in parts)
    return next((currency for currency in named if currency), None)
