"""The line items of a RetailTransaction: sales, returns, tenders, taxes, discounts and rewards."""

from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element

from connectors.pos.elements import attribute, child, children, flagged, says_yes, text, told_currency
from connectors.pos.links import linked

Told = dict[str, Any]

_DROPPED: Final = ("VoidFlag", "CancelFlag", "DeleteFlag")


def positions(retail: Element | None) -> Told:
    """Everything that the line items of a transaction say, by our names."""
    items = list(children(retail, "LineItem"))
    kept = [item for item in items if not flagged(item, *_DROPPED)]
    return {
        "lines": [line for index, item in enumerate(items, start=1) for line in _goods(item, index)],
        "tenders": [tender for item in kept for tender in _tenders(item)],
        "taxes": [_tax(tax) for item in kept for tax in children(item, "Tax")],
        "discounts": [discount for item in kept for discount in _reductions(item)],
    }


def _goods(item: Element, index: int) -> Iterator[Told]:
    for goods in item:
        if goods.tag.startswith(("Sale", "Return")):
            yield _line(item, goods, index)


def _line(item: Element, goods: Element, index: int) -> Told:
    extended = child(goods, "ExtendedAmount")
    told = {
        "line_id": text(item, "SequenceNumber") or str(index),
        "kind": "return" if goods.tag.startswith("Return") else "sale",
        "sku": text(goods, "ItemID") or text(goods, "POSIdentity", "POSItemID"),
        "name": text(goods, "Description") or attribute(child(goods, "ItemID"), "Name"),
        "quantity": text(goods, "Quantity"),
        "unit_price": text(goods, "ActualSalesUnitPrice") or text(goods, "RegularSalesUnitPrice"),
        "amount": text(goods, "ExtendedAmount"),
        "currency": told_currency(attribute(extended, "Currency")),
        "discounts": list(_line_discounts(goods)),
        "taxes": [_tax(tax) for tax in children(goods, "Tax")],
        "link": linked(child(goods, "TransactionLink")),
        "dropped": flagged(item, *_DROPPED),
        "voids": _voids(item, goods),
    }
    return {name: value for name, value in told.items() if value is not None}


def _voids(item: Element, goods: Element) -> str | None:
    """The line that a voided line takes back; a link on any other line only says that two belong together."""
    if not flagged(item, *_DROPPED):
        return None
    for holder in (item, goods):
        link = child(holder, "ItemLink")
        named = text(link) or text(link, "LineItemSequenceNumber") or text(link, "SequenceNumber")
        if named:
            return named
    return None


def _line_discounts(goods: Element) -> Iterator[Told]:
    """The modifiers one by one; where there are none, their sum."""
    modifiers = [part for part in children(goods, "RetailPriceModifier") if not flagged(part, *_DROPPED)]
    for modifier in modifiers:
        amount = child(modifier, "Amount")
        if amount is not None and attribute(amount, "Action") != "Add":
            yield _discount(modifier, amount)
    total = child(goods, "ExtendedDiscountAmount")
    if not modifiers and (text(total) or "0").strip("0.+-"):
        yield {"amount": text(total), "currency": told_currency(attribute(total, "Currency"))}


def _discount(holder: Element, amount: Element) -> Told:
    return {
        "code": text(holder, "PromotionID") or text(holder, "ReasonCode"),
        "name": text(holder, "Description") or text(holder, "PriceDerivationRule", "Name"),
        "amount": text(amount),
        "currency": told_currency(attribute(amount, "Currency")),
    }


def _reductions(item: Element) -> Iterator[Told]:
    """Discounts and rewards of the whole receipt. A reward may move points only, and then it reduces nothing."""
    for holder in children(item, "Discount", "LoyaltyReward"):
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


def _tenders(item: Element) -> Iterator[Told]:
    for tender in children(item, "Tender"):
        amount = child(tender, "Amount")
        yield {
            "tender": attribute(tender, "TenderType") or "Tender",
            "amount": text(amount),
            "currency": told_currency(attribute(amount, "Currency")),
            "reference": text(tender, "Authorization", "AuthorizationCode"),
            "paid_back": attribute(tender, "TypeCode") == "Refund",
        }
        for change in children(tender, "TenderChange"):
            back = child(change, "Amount")
            yield {
                "tender": "TenderChange",
                "amount": text(back),
                "currency": told_currency(attribute(back, "Currency")),
                "paid_back": True,
            }
