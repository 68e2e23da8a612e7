"""What a transaction of a POSLog says, in whichever dialect: versions 2 to 6 and the vendors' habits between."""

from typing import Any, Final
from xml.etree.ElementTree import Element

from connectors.pos.capture import captured
from connectors.pos.elements import (
    Parts,
    attribute,
    child,
    children,
    first,
    flagged,
    parts,
    said,
    says_yes,
    text,
    told_currency,
    without_prefix,
)
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
    head = parts(transaction)
    retail = first(head, "RetailTransaction")
    why = _why_unposted(transaction, retail)
    if why is not None:
        return Unposted(why=why)
    of = parts(retail)
    told = _head(transaction, head, retail) | _totals(of) | positions(of) | captured(of)
    told["currency"] = told_currency(said(head, "CurrencyCode")) or _currency_of_amounts(retail)
    return told


def _why_unposted(transaction: Element, retail: Element | None) -> str | None:
    if retail is None:
        return next((part.tag[:40] for part in transaction if part.tag.endswith("Transaction")), None)
    if flagged(transaction, "TrainingModeFlag"):
        return "training"
    if flagged(transaction, "CancelFlag"):
        return "Canceled"
    return unposted_status(attribute(retail, "TransactionStatus"))


def _head(transaction: Element, head: Parts, retail: Element | None) -> Told:
    status = attribute(retail, "TransactionStatus")
    return {
        "store": store_of(transaction),
        "till": said(head, "WorkstationID"),
        "sequence": said(head, "SequenceNumber"),
        "business_day": business_day_of(transaction),
        "transaction_id": said(head, "TransactionID"),
        "status": status,
        "at": _at(transaction, head, retail),
        "cashier": said(head, "OperatorID"),
        "post_voids": _post_voids(transaction, retail) if without_prefix(status) == "PostVoided" else None,
        "attributes": _attributes(transaction, head),
    }


def _at(transaction: Element, head: Parts, retail: Element | None) -> str | None:
    """The end of the transaction; a message's own time only where there is nothing better."""
    ended = said(head, "EndDateTime")
    if ended:
        return ended
    logged = {attribute(moment, "TypeCode"): text(moment) for moment in children(transaction, "POSLogDateTime")}
    told = (
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


def _attributes(transaction: Element, head: Parts) -> dict[str, str]:
    told = {
        "transaction_id": said(head, "TransactionID"),
        "receipt_number": said(head, "ReceiptNumber"),
        "offline": "true" if says_yes(attribute(transaction, "OfflineFlag")) else None,
    }
    return {name: value for name, value in told.items() if value}


def _totals(retail: Parts) -> Told:
    by_type = {without_prefix(attribute(total, "TotalType")): text(total) for total in retail.get("Total", ())}
    return {
        "total": by_type.get("TransactionGrandAmount"),
        "net_total": by_type.get("TransactionNetAmount"),
        "tax_total": by_type.get("TransactionTaxAmount"),
    }


def _currency_of_amounts(retail: Element | None) -> str | None:
    """Where the transaction names no currency: that of its totals, else of its first amount that has one."""
    amounts = [*children(retail, "Total"), *(part for line in children(retail, "LineItem") for part in line.iter())]
    named = (told_currency(attribute(amount, "CurrencyCode", "Currency")) for amount in amounts)
    return next((currency for currency in named if currency), None)
