"""Slips as lines of a delimited transaction log."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from connectors.pos.sandbox_slips import Slip, SlipLine, clock_text

HEADER: Final = (
    "Store ID",
    "Workstation ID",
    "Transaction Number",
    "Line Sequence Number",
    "Transaction Date",
    "Business Date",
    "Type",
    "Item ID",
    "Item Description",
    "Quantity",
    "Unit Price",
    "Amount",
    "Discount",
    "Tax",
    "Currency",
    "Transaction Total",
    "Tender Type",
    "Operator ID",
    "Operator Name",
    "Customer Number",
    "Loyalty Card",
    "Points Earned",
    "Points Redeemed",
    "First Name",
    "Last Name",
    "Customer Name",
    "Email",
    "Phone",
    "Address",
    "Postcode",
    "City",
    "Country",
    "Original Store ID",
    "Original Workstation ID",
    "Original Business Date",
    "Original Transaction Number",
    "Original Line Sequence Number",
    "Transaction ID",
    "Status Code",
)
_GUEST: Final = (
    "given_name",
    "family_name",
    "full_name",
    "email",
    "phone",
    "address_line",
    "postcode",
    "city",
    "country",
)


def rows(slip: Slip) -> Iterator[list[str]]:
    """A row per line of the receipt; what belongs to the whole receipt is repeated."""
    for line in slip.lines:
        yield [
            *_head(slip, line),
            *_goods(slip, line),
            *_people(slip),
            *(slip.original or ("",) * 5),
            slip.number,
            "COMPLETE",
        ]


def _head(slip: Slip, line: SlipLine) -> list[str]:
    kind = "RETN" if slip.original else "SALE"
    return [slip.store, slip.till, slip.sequence, line.line, clock_text(slip), slip.business_day, kind]


def _goods(slip: Slip, line: SlipLine) -> list[str]:
    goods = [line.sku, line.name, str(line.quantity), str(line.unit_price), str(line.amount)]
    reductions = [_some(line.discount), _some(line.tax)]
    tender = slip.tenders[-1][0] if slip.tenders else ""
    return [*goods, *reductions, slip.currency, str(slip.total), tender, slip.cashier, f"OPERATOR {slip.cashier}"]


def _people(slip: Slip) -> list[str]:
    guest = slip.guest or {}
    moved = [str(slip.earned or ""), str(slip.redeemed or "")]
    return [slip.customer or "", slip.loyalty_number or "", *moved, *(guest.get(name) or "" for name in _GUEST)]


def _some(amount: Decimal) -> str:
    return str(amount) if amount else ""
