"""The line items of a RetailTransaction: sales, returns, tenders, taxes, discounts and rewards."""

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element

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
)
from connectors.pos.links import linked

Told = dict[str, Any]

_GOODS: Final = re.compile("(Sale|Return)(For.*)?")
"""Not every element that begins so is goods: vendors put the like of `SalesPersonID` and `ReturnReason` beside them."""
_DROPPED: Final = ("VoidFlag", "CancelFlag", "DeleteFlag")


def positions(retail: Parts) -> Told:
    """Everything that the line items of a transaction say, by our names."""
    items = [(item, parts(item), flagged(item, *_DROPPED)) for item in retail.get("LineItem", ())]
    kept = [of for _, of, dropped in items if not dropped]
    return {
        "lines": [line for index, item in enumerate(items, start=1) for line in _goods(*item, index)],
        "tenders": [told for of in kept for tender in of.get("Tender", ()) for told in _tenders(tender)],
        "taxes": [_tax(tax) for of in kept for tax in of.get("Tax", ())],
        "discounts": [discount for of in kept for discount in _reductions(of)],
    }


def _goods(item: Element, item_parts: Parts, dropped: bool, index: int) -> Iterator[Told]:
    for name, found in item_parts.items():
        if _GOODS.fullmatch(name):
            for goods in found:
                yield _line(item_parts, goods, dropped, index)


def _line(item: Parts, goods: Element, dropped: bool, index: int) -> Told:
    of = parts(goods)
    item_id, extended = first(of, "ItemID"), first(of, "ExtendedAmount")
    told: Told = {
        "line_id": said(item, "SequenceNumber") or str(index),
        "kind": "return" if goods.tag.startswith("Return") else "sale",
        "sku": text(item_id) or text(first(of, "POSIdentity"), "POSItemID"),
        "name": said(of, "Description") or attribute(item_id, "Name"),
        "unit_price": said(of, "ActualSalesUnitPrice") or said(of, "RegularSalesUnitPrice"),
        "amount": text(extended),
        "currency": told_currency(attribute(extended, "Currency")),
        "discounts": list(_line_discounts(of)),
        "taxes": [_tax(tax) for tax in of.get("Tax", ())],
        "link": linked(first(of, "TransactionLink")),
        "dropped": dropped,
        "voids": _voids(item, of) if dropped else None,
    }
    quantity = said(of, "Quantity")
    if quantity is not None:  # one piece is meant where the till does not say
        told["quantity"] = quantity
    return told


def _voids(item: Parts, goods: Parts) -> str | None:
    """The line that a voided line takes back; a link on any other line only says that two belong together."""
    for of in (item, goods):
        link = first(of, "ItemLink")
        named = text(link) or text(link, "LineItemSequenceNumber") or text(link, "SequenceNumber")
        if named:
            return named
    return None


def _line_discounts(goods: Parts) -> Iterator[Told]:
    """The modifiers one by one; where there are none, their sum."""
    modifiers = [part for part in goods.get("RetailPriceModifier", ()) if not flagged(part, *_DROPPED)]
    for modifier in modifiers:
        amount = child(modifier, "Amount")
        if amount is not None and attribute(amount, "Action") != "Add":
            yield _discount(modifier, amount)
    total = first(goods, "ExtendedDiscountAmount")
    if total is not None and not modifiers and (text(total) or "0").strip("0.+-"):
        yield {"amount": text(total), "currency": told_currency(attribute(total, "Currency"))}


def _discount(holder: Element, amount: Element) -> Told:
    return {
        "code": text(holder, "PromotionID") or text(holder, "ReasonCode"),
        "name": text(holder, "Description") or text(holder, "PriceDerivationRule", "Name"),
        "amount": text(amount),
        "currency": told_currency(attribute(amount, "Currency")),
    }


def _reductions(item: Parts) -> Iterator[Told]:
    """Discounts and rewards of the whole receipt. A reward may move points only, and then it reduces nothing."""
    for holder in (*item.get("Discount", ()), *item.get("LoyaltyReward", ())):
        amounts = list(children(holder, "Amount", "RewardAmount", "ExtendedRewardAmount"))
        if amounts:
            yield _discount(holder, amounts[0])


def _tax(tax: Element) -> Told:
    flag = attribute(tax, "TaxIncludedInPricesFlag", "IncludedInPriceFlag")
    return {
        "name": attribute(tax, "TaxType"),
        "rate": text(tax, "Percent"),
        "amount": text(tax, "Amount"),
        "currency": told_currency(attribute(child(tax, "Amount"), "Currency")),
        "included": None if flag is None else says_yes(flag),
    }


def _tenders(tender: Element) -> Iterator[Told]:
    """A payment, and the change that was given for it."""
    of = parts(tender)
    amount = first(of, "Amount")
    yield {
        "tender": attribute(tender, "TenderType") or "Tender",
        "amount": text(amount),
        "currency": told_currency(attribute(amount, "Currency")),
        "reference": text(first(of, "Authorization"), "AuthorizationCode"),
        "paid_back": attribute(tender, "TypeCode") == "Refund",
    }
    for change in of.get("TenderChange", ()):
        back = child(change, "Amount")
        yield {
            "tender": "TenderChange",
            "amount": text(back),
            "currency": told_currency(attribute(back, "Currency")),
            "paid_back": True,
        }
