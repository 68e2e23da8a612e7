"""What belongs to a record is told with it: consent at single contact points, parts of orders, journals, whole notes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.salesforce.ids import long_id
from connectors.salesforce.org import Org as Settings
from connectors.salesforce.sandbox_org import Org
from connectors.salesforce.translate import translate
from models.engagement import Activity
from models.landing import SourceRecord, Window
from models.orders import Money, Order
from models.records import Person
from tests.connectors.conformance import read
from tests.connectors.salesforce.world import (
    ANA,
    BEA,
    EVERYTHING,
    NOW,
    Clock,
    by_key,
    fixture_org,
    missed,
    object_read,
    reading,
)

AT = datetime(2026, 2, 1, 8, tzinfo=UTC)
INDIVIDUAL = long_id("0PK5g0000000AnA")
ORDER = long_id("8015g0000000001")
LINE = long_id("8025g0000000001")
NOTE = long_id("0695g0000000001")
LATER = Window(since=NOW, until=NOW.replace(hour=18))
STAMPS = {"CreatedDate": AT, "LastModifiedDate": AT, "SystemModstamp": AT}


def stamped(id_: str, **fields: Any) -> dict[str, Any]:
    return {"Id": long_id(id_), **STAMPS, **fields}


def with_contact_points(org: Org) -> Org:
    """Ana has a second mailbox, a phone and an address of their own, and answered at each."""
    parent = {"ParentId": INDIVIDUAL}
    org.load("ContactPointEmail", [stamped("9Vl5g0000000001", EmailAddress="ana@work.example", **parent)])
    org.load("ContactPointEmail", [stamped("9Vl5g0000000002", EmailAddress="Ana.Muster@mail.example", **parent)])
    phone = {"TelephoneNumber": "+49 171 5550109", "PhoneType": "Mobile", **parent}
    org.load("ContactPointPhone", [stamped("9Vp5g0000000001", **phone)])
    place = {"Street": "Am Markt 9", "City": "Bremen", "PostalCode": "28195", "CountryCode": "DE", **parent}
    org.load("ContactPointAddress", [stamped("8lW5g0000000001", AddressType="Shipping", **place)])
    for number, (point, status) in enumerate(
        [("9Vl5g0000000001", "OptIn"), ("9Vp5g0000000001", "OptOut"), ("8lW5g0000000001", "OptIn")], start=1
    ):
        told = {"ContactPointId": long_id(point), "PrivacyConsentStatus": status, "CaptureDate": AT}
        org.load("ContactPointConsent", [stamped(f"0ZY5g000000000{number}", CaptureSource=f"desk-{number}", **told)])
    return org


def person(told: Mapping[str, SourceRecord], key: str) -> Person:
    body = told[key].body
    assert isinstance(body, Person)
    return body


def ana_of(org: Org, clock: Clock, **settings: Any) -> Person:
    with reading(org, clock, **settings) as source:
        return person(by_key(object_read(source, "contact")), f"contact:{ANA}")


@pytest.mark.parametrize("settings", [{}, {"bulk_above": 0}])
def test_answers_at_single_contact_points_are_about_these(settings: dict[str, Any]) -> None:
    clock = Clock()
    ana = ana_of(with_contact_points(fixture_org(clock)), clock, **settings)
    answered = [c for c in ana.consents if (c.proof or "").startswith("desk-")]
    assert [(c.channel, c.status, c.contact_point, c.at) for c in answered] == [
        ("email", "opt_in", "ana@work.example", AT),
        ("phone", "opt_out", "+49 171 5550109", AT),
        ("post", "opt_in", "Am Markt 9, 28195, Bremen, DE", AT),
    ]
    added = [(each.kind, each.value) for each in ana.contact_points if each.label in {"contact point", "mobile"}]
    assert ("email", "ana@work.example") in added
    assert ("phone", "+49 171 5550109") in added
    assert [each.value.lower() for each in ana.contact_points].count("ana.muster@mail.example") == 1
    assert [each.line1 for each in ana.addresses][-1] == "Am Markt 9"


def test_an_answer_at_a_contact_point_brings_the_person_in_the_next_delta() -> None:
    clock = Clock()
    org = with_contact_points(fixture_org(clock))
    org.touch("ContactPointConsent", long_id("0ZY5g0000000001"), PrivacyConsentStatus="OptOut")
    with reading(org, clock) as source:
        told = by_key(read(source, LATER))
    assert set(told) == {f"contact:{ANA}"}
    changed = [c.status for c in person(told, f"contact:{ANA}").consents if c.proof == "desk-1"]
    assert changed == ["opt_out"]
    assert (
        told[f"contact:{ANA}"].changed_at
        == org.find("ContactPointConsent", long_id("0ZY5g0000000001"))["SystemModstamp"]
    )  # type: ignore[index]


def test_who_refuses_to_be_solicited_refuses_on_every_channel() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.touch("Individual", INDIVIDUAL, HasOptedOutSolicit=True, ShouldForget=True)
    with reading(org, clock) as source:
        told = by_key(read(source, LATER))
    assert set(told) == {f"contact:{ANA}"}, "the refusal alone brings the person"
    ana = person(told, f"contact:{ANA}")
    refused = {(c.channel, c.contact_point) for c in ana.consents if c.proof == "HasOptedOutSolicit"}
    assert {channel for channel, _ in refused} == {"email", "phone", "sms", "post"}
    assert ("email", "ana.muster@mail.example") in refused
    assert all(c.status == "opt_out" and c.at is None for c in ana.consents if c.proof == "HasOptedOutSolicit")
    assert ana.attributes["should_forget"] == "true"


def test_an_individual_that_refuses_nothing_says_nothing() -> None:
    clock = Clock()
    ana = ana_of(fixture_org(clock), clock)
    assert not [c for c in ana.consents if c.proof == "HasOptedOutSolicit"]
    assert "should_forget" not in ana.attributes


def managed(org: Org) -> Org:
    """Order Management is switched on: adjustments, taxes, a payment, a shipment and a return."""
    org.load("OrderItemAdjustmentLineItem", [stamped("4jA5g0000000001", OrderItemId=LINE, Name="WINTER", Amount=-2)])
    taxes = {"OrderItemId": LINE, "Name": "VAT", "Rate": 19, "Amount": 1.5}
    org.load("OrderItemTaxLineItem", [stamped("4tA5g0000000001", **taxes)])
    org.touch("OrderItem", LINE, TotalLineAmount=19.98)
    org.load("OrderSummary", [stamped("1Os5g0000000001", OriginalOrderId=ORDER)])
    summary = {"OrderSummaryId": long_id("1Os5g0000000001")}
    paid = {"Type": "CardPayment", "Method": "Visa - 1111", "CapturedAmount": 119.87, "RefundedAmount": 19.98}
    org.load("OrderPaymentSummary", [stamped("0bM5g0000000001", **summary, **paid)])
    org.load("OrderDeliveryMethod", [stamped("2Dm5g0000000001", Name="Parcel")])
    sent = {
        "Provider": "DHL",
        "TrackingNumber": "JD1",
        "Status": "Shipped",
        "DeliveryMethodId": long_id("2Dm5g0000000001"),
    }
    org.load("Shipment", [stamped("0OB5g0000000001", **summary, **sent)])
    org.load("ReturnOrder", [stamped("0SR5g0000000001", OrderId=ORDER, Status="Closed")])
    back = {
        "ReturnOrderId": long_id("0SR5g0000000001"),
        "OrderItemId": LINE,
        "QuantityReturned": 1,
        "ReasonForReturn": "too small",
    }
    org.load("ReturnOrderLineItem", [stamped("0SL5g0000000001", **back)])
    return org


def order_of(told: Mapping[str, SourceRecord]) -> Order:
    body = told[f"order:{ORDER}"].body
    assert isinstance(body, Order)
    return body


def test_an_order_tells_discounts_taxes_tenders_shipments_returns_and_refunds() -> None:
    clock = Clock()
    with reading(managed(fixture_org(clock)), clock) as source:
        order = order_of(by_key(object_read(source, "order")))
    line = order.lines[0]
    assert line.amount.amount == Decimal("17.98")
    assert [(each.name, each.amount) for each in line.discounts] == [("WINTER", euro("2"))]
    assert [(each.name, each.rate, each.amount) for each in line.taxes] == [("VAT", Decimal(19), euro("1.5"))]
    assert [(each.tender, each.amount, each.at) for each in order.tenders] == [("CardPayment", euro("119.87"), AT)]
    assert [each.amount for each in order.refunds] == [euro("19.98")]
    [sent] = order.fulfilments
    assert (sent.method, sent.carrier, sent.tracking_number, sent.status) == ("Parcel", "DHL", "JD1", "Shipped")
    [back] = order.returns
    assert (back.line, back.quantity, back.state, back.at) == (LINE, Decimal(1), "Closed", AT)
    assert back.reason == "too small"


def euro(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def test_the_digits_of_cards_are_not_even_asked_for() -> None:
    clock = Clock()
    with reading(managed(fixture_org(clock)), clock) as source:
        assert "1111" not in by_key(object_read(source, "order"))[f"order:{ORDER}"].raw


@pytest.mark.parametrize(
    ("object_", "id_", "change"),
    [
        ("OrderItemTaxLineItem", "4tA5g0000000001", {"Amount": 2}),
        ("OrderPaymentSummary", "0bM5g0000000001", {"RefundedAmount": 30}),
        ("Shipment", "0OB5g0000000001", {"Status": "Delivered"}),
        ("ReturnOrderLineItem", "0SL5g0000000001", {"QuantityReturned": 2}),
    ],
)
def test_a_part_that_changes_brings_its_order(object_: str, id_: str, change: dict[str, Any]) -> None:
    clock = Clock()
    org = managed(fixture_org(clock))
    with reading(org, clock) as source:
        before = by_key(object_read(source, "order"))[f"order:{ORDER}"]
        clock.now = NOW.replace(hour=14)
        org.touch(object_, long_id(id_), **change)
        told = object_read(source, "order", Window(since=NOW.replace(hour=13), until=NOW.replace(hour=18)))
    assert told.ids("order") == [ORDER]
    assert told.records[0].body != before.body


def test_an_order_without_order_management_is_read_without_its_parts() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.lack("OrderSummary", "OrderItemTaxLineItem", "OrderItemAdjustmentLineItem", "ReturnOrder")
    with reading(org, clock) as source:
        order = order_of(by_key(object_read(source, "order")))
    assert [each.amount.amount for each in order.lines[0].taxes] == [Decimal("1.8")]
    assert not order.tenders


def test_a_journal_that_changes_brings_its_posting() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.touch("TransactionJournal", long_id("0lV5g0000000002"), JournalReason="voucher SPRING", TransactionAmount=20)
    with reading(org, clock) as source:
        told = by_key(read(source, LATER))
    [(key, posting)] = told.items()
    assert key == f"entry:{long_id('0lL5g0000000002')}"
    assert getattr(posting.body, "reason", None) == "voucher SPRING"
    assert '"TransactionJournal.TransactionAmount":20' in posting.raw
    assert posting.changed_at
    assert LATER.holds(posting.changed_at)


def test_a_members_vouchers_are_kept_without_the_code_that_spends_them() -> None:
    clock = Clock()
    org = fixture_org(clock)
    told = {"LoyaltyProgramMemberId": long_id("0lM5g0000000001"), "VoucherCode": "SPEND-ME", "VoucherNumber": "V-1"}
    org.load("Voucher", [stamped("0kD5g0000000001", FaceValue=10, Status="Issued", **told)])
    with reading(org, clock) as source:
        raw = by_key(object_read(source, "member"))[f"member:{long_id('0lM5g0000000001')}"].raw
    assert '"VoucherNumber":"V-1"' in raw
    assert "SPEND-ME" not in raw


def noted(org: Org, text: str, html: str | None = None) -> None:
    content = html or f"<p>{text}</p>"
    org.recalculate("ContentNote", NOTE, TextPreview=text[:255], Content=content, ContentSize=len(content.encode()))


def texts(org: Org, clock: Clock, **settings: Any) -> set[str | None]:
    with reading(org, clock, **settings) as source:
        return {each.body.text for each in object_read(source, "note").records if isinstance(each.body, Activity)}


LONG = "Wears 39, wool only. " * 30


def test_a_note_that_is_longer_than_its_preview_is_read_to_its_end() -> None:
    clock = Clock()
    org = fixture_org(clock)
    noted(org, LONG, "<p>First &amp; foremost:</p><ul><li>wool</li><li>size 39</li></ul>" + f"<p>{LONG}</p>")
    assert texts(org, clock) == {f"First & foremost:\nwool\nsize 39\n{LONG.strip()}"}
    with reading(org, clock) as source:
        told = object_read(source, "note").records[0]
        assert source.translate("note", told.raw) == told


def test_a_short_note_costs_no_request_of_its_own() -> None:
    clock = Clock()
    org = fixture_org(clock)
    assert texts(org, clock) == {"Shoes 39, likes wool."}
    assert not [each for each in org.asked if each.endswith("/Content")]


@pytest.mark.parametrize("longest", [0, 300])
def test_a_note_beyond_the_limit_keeps_its_preview(longest: int) -> None:
    clock = Clock()
    org = fixture_org(clock)
    noted(org, LONG)
    assert texts(org, clock, longest_note=longest) == {LONG[:255]}
    assert not [each for each in org.asked if each.endswith("/Content")], "its size was told"
    org.recalculate("ContentNote", NOTE, ContentSize=10)  # whatever size the vendor tells
    assert texts(org, clock, longest_note=longest) == {LONG[:255]}


def test_a_note_that_goes_while_it_is_read_keeps_its_preview() -> None:
    clock = Clock()
    org = fixture_org(clock)
    noted(org, LONG)

    def gone(object_: str) -> None:
        if object_ == "ContentDocumentLink" and org.find("ContentNote", NOTE):
            org.vanish("ContentNote", NOTE)

    org.before_answer = gone
    assert texts(org, clock) == {LONG[:255]}


def test_belongings_of_which_there_are_none_are_not_asked_for_record_by_record() -> None:
    clock = Clock()
    org = fixture_org(clock)
    with reading(org, clock) as source:
        object_read(source, "contact", EVERYTHING)
        assert "ContactPointEmail" not in " ".join(org.asked)
        assert "ContactPointTypeConsent" in " ".join(org.asked)
        assert not missed(source, "contact", [ANA]).refused


def test_a_nested_payload_that_is_deeper_than_anybody_writes_is_refused() -> None:
    for depth in (300, 900):
        deep = '{"Id":"003","x":' + '{"y":' * depth + "1" + "}" * depth + "}"
        listed = '{"Id":"003","x":' + "[" * depth + "{" + '"y":null}' + "]" * depth + "}"
        for raw in (deep, listed):
            answer = translate("contact", raw, Settings())
            assert isinstance(answer, SourceRecord) or answer.reasons[0].problem == "nested too deeply"


def test_a_person_accounts_contact_points_hang_on_its_individual() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.load("Individual", [stamped("0PK5g0000000BeA")])
    org.recalculate("Account", BEA, PersonIndividualId=long_id("0PK5g0000000BeA"))
    told = {"ParentId": long_id("0PK5g0000000BeA"), "EmailAddress": "bea@work.example"}
    org.load("ContactPointEmail", [stamped("9Vl5g0000000009", **told)])
    with reading(org, clock) as source:
        bea = person(by_key(object_read(source, "account")), f"account:{BEA}")
    assert "bea@work.example" in {each.value for each in bea.contact_points}
