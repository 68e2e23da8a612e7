"""Slips as POSLog of version 6."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

from connectors.pos.sandbox_slips import Slip, SlipLine, clock_text

OPENS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/" MajorVersion="6" MinorVersion="0" FixVersion="0">\n'
)
CLOSES = "</POSLog>\n"


def transaction(slip: Slip, *, status: str = "Finished") -> Element:
    """A RetailTransaction with its head, its lines and who was captured."""
    element = Element("Transaction")
    _put(_put(element, "BusinessUnit"), "UnitID", slip.store, TypeCode="RetailStore")
    _put(element, "WorkstationID", slip.till, TypeCode="POS")
    _put(element, "SequenceNumber", slip.sequence)
    _put(element, "TransactionID", slip.number)
    _put(element, "OperatorID", slip.cashier, OperatorName=f"OPERATOR {slip.cashier}")
    _put(element, "CurrencyCode", slip.currency)
    retail = _put(element, "RetailTransaction", TransactionStatus=status)
    _lines(retail, slip)
    _put(retail, "Total", str(slip.total), TotalType="TransactionGrandAmount")
    _people(retail, slip)
    _put(element, "BusinessDayDate", slip.business_day)
    _put(element, "EndDateTime", clock_text(slip))
    return element


def written(element: Element) -> str:
    """A transaction on a line of its own."""
    return tostring(element, encoding="unicode") + "\n"


def training() -> Element:
    """What a till writes besides purchases: here a new clerk who practises."""
    element = Element("Transaction", TrainingModeFlag="true")
    retail = _put(element, "RetailTransaction", TransactionStatus="Finished")
    _put(retail, "Total", "1.00", TotalType="TransactionGrandAmount")
    return element


def _put(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    element = SubElement(parent, name, attributes)
    element.text = text
    return element


def _lines(retail: Element, slip: Slip) -> None:
    for line in slip.lines:
        _goods(retail, slip, line)
    number = len(slip.lines)
    for code, amount in slip.discounts:
        number += 1
        discount = _put(_item(retail, number), "Discount")
        _put(discount, "Amount", str(amount))
        _put(discount, "PromotionID", code)
    for name, rate, amount in slip.taxes:
        number += 1
        tax = _put(_item(retail, number), "Tax", TaxType=name)
        _put(tax, "Amount", str(amount))
        _put(tax, "Percent", f"{rate:f}")
    for kind, amount, reference in slip.tenders:
        number += 1
        tender = _put(_item(retail, number), "Tender", TenderType=kind, TypeCode="Refund" if slip.original else "Sale")
        _put(tender, "Amount", str(amount), Currency=slip.currency)
        _put(_put(tender, "Authorization"), "AuthorizationCode", reference)


def _item(retail: Element, number: int) -> Element:
    item = _put(retail, "LineItem")
    _put(item, "SequenceNumber", str(number))
    return item


def _goods(retail: Element, slip: Slip, line: SlipLine) -> None:
    goods = _put(_item(retail, int(line.line)), "Return" if slip.original else "Sale", ItemType="Stock")
    _put(goods, "ItemID", line.sku)
    _put(goods, "Description", line.name)
    _put(goods, "ActualSalesUnitPrice", str(line.unit_price))
    _put(goods, "ExtendedAmount", str(line.amount))
    if line.discount:
        _put(goods, "ExtendedDiscountAmount", str(line.discount))
    _put(goods, "Quantity", str(line.quantity))
    if line.tax:
        _put(_put(goods, "Tax"), "Amount", str(line.tax))
    if slip.original:
        _link(goods, slip.original)


def _link(goods: Element, original: Iterable[str]) -> None:
    store, till, day, sequence, line = original
    link = _put(goods, "TransactionLink", ReasonCode="Return")
    _put(_put(link, "BusinessUnit"), "UnitID", store, TypeCode="RetailStore")
    _put(link, "WorkstationID", till)
    _put(link, "BusinessDayDate", day)
    _put(link, "SequenceNumber", sequence)
    _put(link, "LineItemSequenceNumber", line)


def _people(retail: Element, slip: Slip) -> None:
    if slip.customer or slip.guest:
        customer = _put(retail, "Customer")
        if slip.customer:
            _put(customer, "CustomerID", slip.customer)
        if slip.guest:
            _guest(customer, {name: value for name, value in slip.guest.items() if value})
    if slip.loyalty_number:
        holder = _put(retail, "LoyaltyAccount")
        _put(_put(holder, "LoyaltyCard"), "PrimaryAccountNumber", slip.loyalty_number)
        moved = (("PointsEarned", slip.earned), ("PointsRedeemed", slip.redeemed))
        for kind, points in moved:
            if points:
                _put(_put(holder, "LoyaltyAccount"), "Points", str(points), Type=kind)


def _guest(customer: Element, told: dict[str, str]) -> None:
    name = _put(customer, "Name")
    if "full_name" in told:
        _put(name, "OfficialName", told["full_name"])
    for word, place in (("given_name", "First"), ("family_name", "Last")):
        if word in told:
            _put(name, "Name", told[word], Location=place)
    if "address_line" in told or "city" in told:
        address = _put(customer, "Address", AddressType="Home")
        for word, part in (("address_line", "AddressLine"), ("city", "City"), ("postcode", "PostalCode")):
            if word in told:
                _put(address, part, told[word])
        if "country" in told:
            _put(address, "Country", Code=told["country"])
    if "phone" in told:
        _put(_put(customer, "TelephoneNumber"), "FullTelephoneNumber", told["phone"])
    if "email" in told:
        _put(_put(customer, "EMail"), "EMailAddress", told["email"])
