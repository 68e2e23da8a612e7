"""Each field of the CRM finds its word, and each that cannot be read is named by its place, never by its content."""

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from connectors.aptos.source import Settings, connect
from models.engagement import Activity
from models.landing import Deletion, Refusal, SourceRecord
from models.loyalty import LoyaltyEntry, LoyaltyMember
from models.orders import Order
from models.records import Person
from tests.connectors.aptos import crm
from tests.connectors.conformance import PassingTime

TIME = PassingTime()
SOURCE = connect(
    Settings(base_url="http://127.0.0.1:1", client_id="x", client_secret=SecretStr("x")),
    clock=TIME.clock,
    sleep=TIME.sleep,
)
BODIES = {
    "customer": crm.customer(3),
    "transaction": {"store": "0147", "workstation": "3", "businessDate": "2026-01-02", "sequence": "0003"}
    | crm.transaction(3),
    "loyalty_account": crm.account(3),
    "loyalty_entry": {"accountId": "LC0003", "externalId": "earn-3"} | crm.entry(3),
    "interaction": {"kind": "note", "externalId": "n3"} | crm.note(3),
}


def told(object_: str, **more: Any) -> SourceRecord | Refusal:
    body = {**BODIES[object_], "modifiedAt": "2026-01-02T18:00:00+01:00", **more}
    return SOURCE.translate(object_, orjson.dumps(body).decode())


def body(object_: str, **more: Any) -> Any:
    record = told(object_, **more)
    assert isinstance(record, SourceRecord), record
    return record.body


def problems(object_: str, **more: Any) -> dict[str, str]:
    refusal = told(object_, **more)
    assert isinstance(refusal, Refusal)
    return {reason.path: reason.problem for reason in refusal.reasons}


def test_a_customer_is_a_person() -> None:
    record = told("customer")
    assert isinstance(record, SourceRecord)
    assert (str(record.key), str(record.changed_at)) == ("aptos:customer:A000003", "2026-01-02 17:00:00+00:00")
    person = record.body
    assert isinstance(person, Person)
    assert (person.given_name, person.family_name, person.birth_date, person.store) == (
        "Given3", "Family3", "1980-02-03", "0147",
    )  # fmt: skip
    assert [(point.kind, point.label, point.primary) for point in person.contact_points] == [
        ("email", "HOME", True), ("phone", "MOBILE", True),
    ]  # fmt: skip
    assert person.addresses[0].postcode == "BS1 1AA"
    assert {(one.kind, one.value) for one in person.identifiers} == {
        ("loyalty_number", "LC0003"), ("bigcommerce_customer", "3"),
    }  # fmt: skip
    assert person.attributes == {"preferred_category": "lamps", "vip": "true"}


def test_an_answer_belongs_to_its_contact_point_and_keeps_its_proof() -> None:
    (consent,) = body("customer").consents
    assert (consent.contact_point, consent.channel, consent.brand, consent.status, consent.proof) == (
        "shopper3@mail.example", "email", "harbour", "opt_in", "doi-1",
    )  # fmt: skip


def test_an_answer_without_a_contact_point_is_about_all_of_its_channel() -> None:
    phones = [{"value": "1"}, {"value": "2"}]
    answers = [{"channel": "sms", "status": "opt_out", "capturedAt": "1970-01-01T00:00:00Z"}]
    consents = body("customer", phones=phones, consents=answers).consents
    assert [(one.contact_point, one.status, one.at) for one in consents] == [
        ("1", "opt_out", None),
        ("2", "opt_out", None),
    ]


@pytest.mark.parametrize(("status", "at"), [("opt_in", "2026-01-03"), ("opt_out", "2026-01-02")])
def test_a_yes_that_was_confirmed_is_of_that_day(status: str, at: str) -> None:
    asked = {"channel": "email", "status": status, "contactPoint": "shopper3@mail.example"}
    dated = {"capturedAt": "2026-01-02T10:00:00Z", "doubleOptInAt": "2026-01-03T10:00:00Z"}
    [consent] = body("customer", consents=[asked | dated]).consents
    assert (consent.status, str(consent.at)[:10]) == (status, at)


def test_an_account_tells_all_its_cards_and_the_points_that_wait() -> None:
    member = body("loyalty_account", cardNumbers=["LC0003", "LC0009"], pointsPending=40)
    assert member.attributes == {"card_numbers": "LC0003 LC0009", "points_pending": "40"}


def test_an_answer_about_nothing_is_kept_as_an_attribute_and_an_unknown_one_is_none() -> None:
    answers = [{"channel": "post", "status": "opt_out"}, {"channel": "email", "status": "unknown"}]
    person = body("customer", consents=answers)
    assert (person.consents, person.attributes["consent.post"]) == ((), "opt_out")


def test_a_customer_that_was_merged_points_at_the_one_that_stays() -> None:
    gone = body("customer", status="merged", mergedInto="A000001")
    assert isinstance(gone, Deletion)
    assert gone.merged_into == "A000001"


def test_a_customer_that_we_published_holds_nobody_together() -> None:
    keys = [
        {"system": "golden", "value": "P-1"},
        {"system": "pos:member", "value": "C1"},
        {"system": "bigcommerce:customer", "value": "42"},
        {"system": "bigcommerce:order", "value": "1001"},
    ]
    identifiers = {(one.kind, one.value) for one in body("customer", alternateKeys=keys, cards=[]).identifiers}
    assert identifiers == {
        ("golden", "P-1"),
        ("bigcommerce_customer", "42"),
        ("alternate_key", "pos:member:C1"),
        ("alternate_key", "bigcommerce:order:1001"),
    }


def test_a_transaction_is_an_order_of_a_till() -> None:
    order = body("transaction")
    assert isinstance(order, Order)
    assert (order.number, order.store, order.till, order.sequence) == ("0147-3-2026-01-02-0003", "0147", "3", "0003")
    assert (order.business_day, order.channel, order.customer, order.loyalty_number) == (
        date(2026, 1, 2), "pos", "A000001", "LC0001",
    )  # fmt: skip
    assert (order.total.amount, order.total.currency, order.taxes[0].amount.amount) == (
        Decimal("55.00"),
        "GBP",
        Decimal("9.17"),
    )
    assert [(line.quantity, line.amount.amount) for line in order.lines] == [
        (Decimal(2), Decimal("80.00")),
        (Decimal(-1), Decimal("-25.00")),
    ]
    assert order.tenders[0].tender == "card"


def test_a_void_and_a_return_name_what_they_take_back() -> None:
    original = {"store": "0147", "workstation": "3", "businessDate": "2026-01-01", "sequence": "0001"}
    void = body("transaction", type="void", original=original, lines=[], totals={})
    assert (void.reverses, void.total.amount) == ("0147-3-2026-01-01-0001", 0)
    assert body("transaction", type="return", original={"number": "R-1"}).lines[1].returns_line == "R-1"


def test_an_account_is_a_member_of_our_programme() -> None:
    member = body("loyalty_account")
    assert isinstance(member, LoyaltyMember)
    assert (member.programme, member.status, member.customer, member.balance) == ("main", "active", "A000003", 360)
    assert member.tier is not None
    assert (member.tier.code, member.tier.expires_on) == ("gold", date(2026, 12, 31))
    assert body("loyalty_account", planKey="CLUB").programme == "CLUB"


def test_points_keep_their_id_their_day_and_what_they_take_back() -> None:
    entry = body("loyalty_entry", kind="reverse_earn", points=-55, reverses="earn-1")
    assert isinstance(entry, LoyaltyEntry)
    assert (entry.account, entry.external_id, entry.points, entry.reverses) == (
        "LC0003",
        "aptos:earn-3",
        -55,
        "aptos:earn-1",
    )
    assert (entry.order, entry.expires_on) == ("0147-3-2026-01-02-0003", date(2028, 1, 31))


def test_a_note_keeps_its_author_and_both_times() -> None:
    note = body("interaction")
    assert isinstance(note, Activity)
    assert (note.activity, note.customer, note.associate, note.important, note.text) == (
        "note", "A000003", "77", True, "Likes lamps.",
    )  # fmt: skip
    assert (str(note.occurred_at), str(note.modified_at)) == ("2026-01-02 17:01:45+00:00", "2026-01-02 17:00:00+00:00")


@pytest.mark.parametrize(
    ("object_", "more", "path"),
    [
        ("customer", {"customerNumber": None}, "customerNumber"),
        ("customer", {"emails": [{"value": "a@x"}, {"type": "HOME"}]}, "emails[1].value"),
        ("customer", {"emails": "a@x"}, "emails"),
        ("customer", {"emails": ["a@x"]}, "emails[0]"),
        ("customer", {"status": "asleep"}, "status"),
        ("customer", {"consents": [{"channel": "pigeon", "status": "opt_in"}]}, "consents[0].channel"),
        ("customer", {"createdAt": 1700000000}, "createdAt"),
        ("transaction", {"totals": {"gross": "a lot"}}, "totals.gross"),
        ("transaction", {"lines": [{"seq": 1, "quantity": "1", "amount": "NaN"}]}, "lines[0].amount"),
        ("transaction", {"currency": "gbp"}, "currency"),
        ("transaction", {"occurredAt": "2026-01-02T17:01:45"}, "occurredAt"),
        ("transaction", {"type": "loan"}, "type"),
        ("loyalty_account", {"membershipStatusKey": "X"}, "membershipStatusKey"),
        ("loyalty_account", {"tierExpiresOn": "soon"}, "tierExpiresOn"),
        ("loyalty_entry", {"points": 1.5}, "points"),
        ("loyalty_entry", {"accountId": " "}, "accountId"),
        ("interaction", {"associateId": None}, "associateId"),
        ("interaction", {"kind": "poem"}, "kind"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(object_: str, more: dict[str, Any], path: str) -> None:
    assert list(problems(object_, **more)) == [path]


def test_reasons_never_quote_the_person() -> None:
    wrong = {"birthDate": {"Testa": 1}, "emails": [{"value": ["testa@mail.example"]}], "status": "Testa"}
    assert not [problem for problem in problems("customer", **wrong).values() if "esta" in problem]


def test_a_record_may_have_fields_called_file_and_problem() -> None:
    assert isinstance(body("interaction", file="complaint.pdf", problem="the zip is stuck"), Activity)
    assert list(problems("interaction", file="complaint.pdf", problem="the zip is stuck", associateId=None)) == [
        "associateId"
    ]


def test_what_is_wrong_under_a_name_that_others_chose_is_told_of_the_whole() -> None:
    wrong = {"ana@mail.example": ["x"], "size": {}}
    assert problems("customer", attributes=wrong) == {
        "attributes": "expected a text, a number, true or false by each name"
    }


@pytest.mark.parametrize("raw", ["", "[]", "null", "{", '"x"', "1"])
def test_a_payload_that_is_no_object_is_refused(raw: str) -> None:
    refusal = SOURCE.translate("customer", raw)
    assert isinstance(refusal, Refusal)
    assert refusal.reasons[0].problem == "not a JSON object"


def test_our_own_posting_asked_for_by_its_payload_says_so() -> None:
    assert problems("transaction", customerKey={"system": "pos:member", "value": "C1"}) == {
        "": "our own posting, which its own source tells"
    }
