"""Every dialect that we have an example of is read as the example's own answers say."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.drops import Damaged
from connectors.pos.delimited import receipts as receipts_in
from connectors.pos.dialect import told_by
from connectors.pos.poslog import Bounds, transactions
from connectors.pos.reading import read_lines
from connectors.pos.receipt import TillReceipt, Unposted, receipt_of
from connectors.pos.tables import table_of
from connectors.pos.translate import order_of, receipt_key
from models.landing import Refusal, SourceRecord
from models.orders import Order
from models.records import Person
from tests.connectors.pos.tills import FIXTURES, TERMS

TLOG = "TLOG_EXAMPLE_20260316020000.csv"
ANSWERS = [json.loads(line) for line in (FIXTURES / "expected.jsonl").read_text().splitlines()]
READABLE = sorted({answer["file"] for answer in ANSWERS if "error" not in answer})
DAMAGED = sorted({answer["file"] for answer in ANSWERS if "error" in answer})


def receipts(file: str) -> list[TillReceipt | Unposted]:
    found = []
    with (FIXTURES / file).open("rb") as opened:
        for transaction in transactions(opened, Bounds()):
            told = told_by(transaction.element)
            receipt = told if isinstance(told, Unposted) else receipt_of(told)
            assert not isinstance(receipt, tuple)
            found.append(receipt)
    return found


@pytest.mark.parametrize("file", READABLE)
def test_a_file_is_read_as_expected(file: str) -> None:
    answers = [answer for answer in ANSWERS if answer["file"] == file]
    for told, answer in zip(receipts(file), answers, strict=True):
        if isinstance(told, Unposted):
            assert (answer["post"], told.why) == (False, answer["why"])
        else:
            assert answer["post"]
            check_receipt(told, answer)
            ordered = order_of(told, TERMS)
            assert isinstance(ordered, Order)
            check_order(ordered, answer)


@pytest.mark.parametrize("file", DAMAGED)
def test_a_file_that_must_be_refused_is_refused(file: str) -> None:
    with pytest.raises(Damaged):
        receipts(file)


def check_receipt(told: TillReceipt, answer: Mapping[str, Any]) -> None:
    assert (told.store, told.till, told.sequence) == (answer["store"], answer["workstation"], answer["sequence"])
    assert (told.status, told.transaction_id) == (answer["status"], answer["transaction_id"])
    assert (told.business_day is None) == (answer["business_day_from"] == "derived")
    assert told.at == datetime.fromisoformat(answer["when"])
    assert told.total == Decimal(answer["grand_total"])
    void = {line.line_id for line in told.lines if line.dropped} | {line.voids for line in told.lines}
    flags = [{"seq": line.line_id, "void": line.line_id in void, "voids": line.voids} for line in told.lines]
    assert flags == [{name: line[name] for name in ("seq", "void", "voids")} for line in answer["lines"]]


def check_order(ordered: Order, answer: Mapping[str, Any]) -> None:
    day = datetime.fromisoformat(answer["business_day"]).date()
    assert ordered.business_day == day
    assert ordered.number == receipt_key(answer["store"], answer["workstation"], day, answer["sequence"])
    when = datetime.fromisoformat(answer["when"])
    assert ordered.placed_at == (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(TERMS.default_zone)))
    assert ordered.currency == answer["currency"]
    assert (ordered.transaction == "void") == answer["reversal"]
    assert ordered.attributes["line_sum"] == answer["line_net"]
    assert abs(ordered.total.amount) == abs(Decimal(answer["grand_total"]))
    lines = [line for line in answer["lines"] if not line["void"]]
    assert [(line.line_id, line.sku, str(line.quantity), str(line.amount.amount)) for line in ordered.lines] == [
        (line["seq"], line["item"], line["qty"], line["amount"]) for line in lines
    ]
    assert [line.returns_line for line in ordered.lines] == [link_text(line["link"]) for line in lines]
    check_person(ordered.person, answer)


def link_text(link: Mapping[str, str] | None) -> str | None:
    if link is None:
        return None
    if "transaction_id" in link:
        return link["transaction_id"]
    return "-".join(link[part] for part in ("store", "workstation", "business_day", "sequence")) + "/4"


def check_person(person: Person | None, answer: Mapping[str, Any]) -> None:
    customer, numbers = answer["customer"] or {}, answer["loyalty"]
    assert (person is None) == (not customer and not numbers)
    told = person or Person()
    found = [(one.kind, one.value) for one in told.identifiers]
    ids = [("pos_customer", customer["customer_id"])] if customer else []
    assert found == ids + [("loyalty_number", number) for number in numbers]
    names = (told.given_name, told.family_name, told.full_name)
    assert names == (customer.get("first"), customer.get("last"), customer.get("full"))
    contacts = {point.kind: point.value for point in told.contact_points}
    assert contacts == {kind: customer[kind] for kind in ("email", "phone") if kind in customer}
    for address, expected in zip(told.addresses, [customer["address"]] if "address" in customer else [], strict=True):
        assert [address.line1] == expected["line"]
        assert (address.city, address.postcode) == (expected["city"], expected["postal"])
        assert address.country == expected["country"]
    if "birth_year" in customer:
        assert told.birth_date == f"{customer['birth_year']}-{customer['birth_month_day']}"


def test_the_delimited_example_lands_three_receipts_refuses_two_and_skips_one() -> None:
    """What is skipped is an adjustment of the stock. The e-mail that is none is not ours to judge: the date is."""
    with (FIXTURES / TLOG).open("rb") as opened:
        table = table_of(TLOG, opened, Bounds(), ("utf-8",))
        outcomes = [read_lines(raw, TERMS) for raw in receipts_in(TLOG, table, TERMS.receipt_headers())]
    orders = [one.body for one in outcomes if isinstance(one, SourceRecord) and isinstance(one.body, Order)]
    refused = [one for one in outcomes if isinstance(one, Refusal)]
    kinds = {order.number: (order.transaction, str(order.total.amount), len(order.lines)) for order in orders}
    assert kinds == {
        "0147-3-2026-03-14-8801": ("sale", "48.00", 1),
        "0147-1-2026-03-16-411": ("return", "-24.00", 1),
        "0147-1-2026-03-16-414": ("exchange", "31.00", 2),
    }
    assert [(one.source_id, one.reasons[0].path) for one in refused] == [
        ("0147-1-2026-03-16-416", "at"),
        ("0147-1-2026-03-16-417", "lines[0].quantity"),
    ]
    assert [one.why for one in outcomes if isinstance(one, Unposted)] == ["ADJU"]
