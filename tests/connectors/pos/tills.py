"""Receipts to test with, written by hand, and the shortest ways to have them read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.pos.reading import read_receipt
from connectors.pos.receipt import Unposted
from connectors.pos.source import Settings, connect
from connectors.pos.terms import Terms
from models.landing import Refusal, SourceRecord, Window
from models.orders import Order
from models.ports import Source
from tests.connectors.conformance import PassingTime, Read, read

FIXTURES = Path(__file__).parents[3] / "data" / "fixtures" / "pos"
TERMS = Terms(default_zone="Europe/London")
UNTIL = datetime(2037, 1, 1, tzinfo=UTC)

SALE = "<LineItem><SequenceNumber>1</SequenceNumber><Sale><ItemID>A</ItemID>{}</Sale></LineItem>"
ONE_LINE = SALE.format("<ExtendedAmount>10.00</ExtendedAmount><Quantity>1</Quantity>")
TLOG_HEADER = (
    "Store ID,Workstation ID,Transaction Number,Line Sequence Number,Transaction Date,Type,Quantity,Amount,Currency"
)


def transaction(
    body: str = ONE_LINE, *, total: str | None = "10.00", head: Mapping[str, str] | None = None, **flags: str
) -> str:
    """A transaction with these parts of a RetailTransaction; `head` replaces parts of its head.

    An empty text drops a part. Flags are attributes of the transaction; `status` is that of the RetailTransaction.
    """
    parts = {
        "RetailStoreID": "7",
        "WorkstationID": "2",
        "SequenceNumber": "0031",
        "BusinessDayDate": "2026-03-14",
        "EndDateTime": "2026-03-14T12:00:00Z",
        "CurrencyCode": "GBP",
    } | dict(head or {})
    status = f' TransactionStatus="{flags.pop("status")}"' if "status" in flags else ""
    attributes = "".join(f' {name}="{value}"' for name, value in flags.items())
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items() if value)
    grand = f'<Total TotalType="TransactionGrandAmount">{total}</Total>' if total is not None else ""
    return (
        f"<Transaction{attributes}>{inside}<RetailTransaction{status}>{body}{grand}</RetailTransaction></Transaction>"
    )


def poslog(*transactions: str) -> str:
    """A file."""
    return f'<?xml version="1.0" encoding="UTF-8"?><POSLog>{"".join(transactions)}</POSLog>'


def order(raw: str, terms: Terms = TERMS) -> Order:
    """The order in a payload that must be good."""
    outcome = read_receipt(raw, terms)
    assert isinstance(outcome, SourceRecord), outcome
    assert isinstance(outcome.body, Order)
    return outcome.body


def refusal(raw: str, terms: Terms = TERMS) -> Refusal:
    """The refusal of a payload that must be bad."""
    outcome = read_receipt(raw, terms)
    assert isinstance(outcome, Refusal), outcome
    return outcome


def unposted(raw: str, terms: Terms = TERMS) -> str:
    """Why a payload is no purchase."""
    outcome = read_receipt(raw, terms)
    assert isinstance(outcome, Unposted), outcome
    return outcome.why


def tills(folder: Path, **settings: Any) -> Source:
    """The source over a folder."""
    time = PassingTime()
    made = Settings(**{"folder": folder, "default_zone": "Europe/London", **settings})
    return connect(made, clock=time.clock, sleep=time.sleep)


def landed(folder: Path, **settings: Any) -> Read:
    """Everything in a folder."""
    return read(tills(folder, **settings), Window(until=UNTIL))
