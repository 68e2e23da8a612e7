"""Records in our words: nothing lost, nothing cleaned, what cannot be read is refused with a path."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from connectors.salesforce.ids import long_id
from connectors.salesforce.org import Org
from connectors.salesforce.rows import flat, from_csv, typed
from connectors.salesforce.translate import translate
from models.engagement import Activity
from models.landing import Deletion, Refusal, SourceRecord
from models.loyalty import LoyaltyEntry, LoyaltyMember, Tier
from models.orders import Money, Order
from models.records import Identifier, Person
from tests.connectors.salesforce.world import ANA, BEA, BEA_CONTACT, GONE, MERGED, NULL, by_key, fixture_read

SPENT = Org(spendable="Points", programmes={"Rewards": "main"}, entry_ids="journal")


@pytest.fixture(scope="module")
def told() -> Mapping[str, SourceRecord]:
    return by_key(fixture_read())


def person(told: Mapping[str, SourceRecord], key: str) -> Person:
    body = told[key].body
    assert isinstance(body, Person)
    return body


def raw(**fields: Any) -> str:
    return orjson.dumps(fields).decode()


def refused(object_: str, org: Org | None = None, **fields: Any) -> dict[str, str]:
    answer = translate(object_, raw(**fields), org or Org())
    assert isinstance(answer, Refusal)
    return {reason.path: reason.problem for reason in answer.reasons}


def entry(**fields: Any) -> LoyaltyEntry:
    base = {"Id": "0lL5g0000000009", "ActivityDate": "2026-01-01T00:00:00.000Z", "Points": 10}
    answer = translate("entry", raw(**{**base, "LoyaltyProgramMember.MembershipNumber": "LC1", **fields}), Org())
    assert isinstance(answer, SourceRecord)
    assert isinstance(answer.body, LoyaltyEntry)
    return answer.body


def test_ids_of_15_characters_become_the_18_that_tell_capitals() -> None:
    assert long_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"  # Salesforce's own documentation of the algorithm
    assert long_id("a00E0000004D5ls") == "a00E0000004D5lsIAC"
    assert long_id("0035g0000000aaa") != long_id("0035g0000000AAA")
    assert long_id(long_id("0035g0000000AnA")) == long_id("0035g0000000AnA")
    assert long_id("no record id") == "no record id"


def test_a_contact_tells_name_birth_and_preferences(told: Mapping[str, SourceRecord]) -> None:
    ana = person(told, f"contact:{ANA}")
    assert (ana.title, ana.given_name, ana.middle_name, ana.family_name) == ("Frau", "Ana", "Maria", "Muster")
    assert (ana.name_suffix, ana.birth_date, ana.sex) == ("MBA", "1988-07-14", "Female")
    assert (ana.brand, ana.store, ana.locale) == ("harbour", "0101", "de-DE")
    assert ana.created_at == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert ana.attributes["job_title"] == "Buyer"
    assert ana.attributes["account_name"] == "Consumers"
    assert ana.organisation is None


def test_addresses_come_by_component_and_streets_of_two_lines_stay_two(told: Mapping[str, SourceRecord]) -> None:
    mailing, other = person(told, f"contact:{ANA}").addresses
    assert (mailing.line1, mailing.line2, mailing.postcode) == ("Hafenstraße 7", "Hinterhaus", "20457")
    assert (mailing.city, mailing.region, mailing.country, mailing.primary) == ("Hamburg", "Hamburg", "DE", True)
    assert (other.label, other.line1, other.city, other.primary) == ("other", "Am Markt 1", "Bremen", False)


def test_every_phone_comes_with_its_label_the_mobile_first(told: Mapping[str, SourceRecord]) -> None:
    points = person(told, f"contact:{ANA}").contact_points
    assert [(each.kind, each.label, each.primary) for each in points] == [
        ("email", "email", True),
        ("phone", "mobile", True),
        ("phone", "business", False),
        ("phone", "home", False),
    ]


def test_surnames_that_look_like_nothing_survive(told: Mapping[str, SourceRecord]) -> None:
    null = person(told, f"contact:{NULL}")
    assert (null.given_name, null.family_name, null.name_suffix) == ("Na", "Null", "None")
    assert null.addresses[0].city == "NA"
    assert null.attributes["department"] == "N/A"


def test_ticked_boxes_are_undated_refusals_and_empty_ones_say_nothing(told: Mapping[str, SourceRecord]) -> None:
    ana, null = person(told, f"contact:{ANA}"), person(told, f"contact:{NULL}")
    assert [(c.contact_point, c.channel, c.status, c.at) for c in null.consents] == [
        ("na@null.example", "email", "opt_out", None)
    ]
    undated = [(c.contact_point, c.channel) for c in ana.consents if c.at is None]
    assert undated == [("0151 5550101", "phone"), ("+49 40 5550100", "phone"), ("+49 40 5550102", "phone")]


def test_answers_about_kinds_of_contact_points_become_consents(told: Mapping[str, SourceRecord]) -> None:
    dated = [c for c in person(told, f"contact:{ANA}").consents if c.at is not None]
    assert [(c.channel, c.status, c.contact_point) for c in dated] == [
        ("email", "opt_in", "ana.muster@mail.example"),
        ("sms", "opt_out", "0151 5550101"),
        ("post", "pending", "Hafenstraße 7, Hinterhaus, 20457, Hamburg, Hamburg, DE"),
    ]
    assert (dated[0].brand, dated[0].purpose, dated[0].proof) == ("harbour", "newsletter", "doi-7")
    assert dated[0].at == datetime(2026, 1, 10, 9, tzinfo=UTC)


CAPTURED, CONFIRMED, ENDED = "2026-01-01T10:00:00.000Z", "2026-01-02T10:00:00.000Z", "2026-02-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("answer", "status", "at"),
    [
        ({}, "opt_in", CAPTURED),
        ({"DoubleConsentCaptureDate": CONFIRMED}, "opt_in", CONFIRMED),
        ({"EffectiveTo": ENDED, "SystemModstamp": CAPTURED}, "opt_in", CAPTURED),
        ({"EffectiveTo": ENDED, "SystemModstamp": "2026-02-03T00:00:00.000Z"}, "opt_out", ENDED),
        ({"PrivacyConsentStatus": "OptOut", "DoubleConsentCaptureDate": CONFIRMED}, "opt_out", CAPTURED),
    ],
)
def test_a_yes_is_of_the_day_of_its_confirmation_and_a_no_once_it_has_ended(
    answer: dict[str, str], status: str, at: str
) -> None:
    usual = {
        "Id": "0ZY5g0000000001AAA",
        "ContactPointType": "Email",
        "PrivacyConsentStatus": "OptIn",
        "CaptureDate": CAPTURED,
    }
    told = {"Id": ANA, "Email": "ana@mail.example", "ContactPointTypeConsents": [{**usual, **answer}]}
    record = translate("contact", orjson.dumps(told).decode(), Org())
    assert isinstance(record, SourceRecord)
    assert isinstance(record.body, Person)
    [consent] = record.body.consents
    assert (consent.status, consent.at) == (status, datetime.fromisoformat(at))


def test_the_first_of_a_persons_contact_points_is_the_one_that_is_called_so() -> None:
    emails = [
        {"Id": "0ZX5g0000000001AAA", "EmailAddress": "old@mail.example", "IsPrimary": False},
        {"Id": "0ZX5g0000000002AAA", "EmailAddress": "new@mail.example", "IsPrimary": True},
    ]
    for own, primary in ((None, "new@mail.example"), ("own@mail.example", "own@mail.example")):
        told = {"Id": ANA, "Email": own, "ContactPointEmails": emails}
        record = translate("contact", orjson.dumps(told).decode(), Org())
        assert isinstance(record, SourceRecord)
        assert isinstance(record.body, Person)
        assert [point.value for point in record.body.contact_points if point.primary] == [primary]


def test_what_a_membership_tells_besides_is_kept_under_its_own_names() -> None:
    told = {
        "Id": "0lM5g0000000001AAA", "MembershipNumber": "LC1", "MemberType": "Individual", "EnrollmentChannel": "POS",
        "CanReceivePromotions": True, "CanReceivePartnerPromotions": False, "MembershipEndDate": "2027-01-31",
    }  # fmt: skip
    record = translate("member", orjson.dumps(told).decode(), Org())
    assert isinstance(record, SourceRecord)
    assert isinstance(record.body, LoyaltyMember)
    assert record.body.attributes == {
        "member_type": "Individual", "enrollment_channel": "POS", "membership_end_date": "2027-01-31",
        "can_receive_promotions": "true", "can_receive_partner_promotions": "false",
    }  # fmt: skip


def test_memberships_identify_the_contact(told: Mapping[str, SourceRecord]) -> None:
    ana = person(told, f"contact:{ANA}")
    assert [each.value for each in ana.identifiers] == ["LC0000010009", "LC0000010025"]
    assert [(each.account, each.status) for each in ana.loyalty] == [
        ("LC0000010009", "active"),
        ("LC0000010025", "merged"),
    ]


def test_a_person_account_is_one_person_and_its_contact_is_not_told_twice(told: Mapping[str, SourceRecord]) -> None:
    bea = person(told, f"account:{BEA}")
    assert (bea.given_name, bea.family_name, bea.birth_date) == ("Bea", "Beispiel", "1990-01-31")
    assert [each.value for each in bea.contact_points] == ["bea@mail.example", "+43 660 5550103"]
    assert [(each.label, each.line1) for each in bea.addresses] == [("mailing", "Ring 3"), ("billing", "Ring 4")]
    assert [each.status for each in bea.consents] == ["opt_out"]
    assert Identifier(kind="salesforce_customer", value=BEA_CONTACT) in bea.identifiers
    assert [each.account for each in bea.loyalty] == ["LC0000010017"]
    assert f"contact:{BEA_CONTACT}" not in told
    assert [key for key in told if key.startswith("account:")] == [f"account:{BEA}"]


def test_a_merged_contact_says_where_it_went_and_keeps_nothing_of_the_person(told: Mapping[str, SourceRecord]) -> None:
    assert told[f"contact:{MERGED}"].body == Deletion(at=datetime(2026, 2, 4, 9, tzinfo=UTC), merged_into=ANA)
    assert told[f"contact:{GONE}"].body == Deletion(at=datetime(2026, 2, 3, 9, tzinfo=UTC))
    assert "gone.away" not in told[f"contact:{GONE}"].raw


def test_a_member_tells_tier_balance_and_customer(told: Mapping[str, SourceRecord]) -> None:
    body = told[f"member:{long_id('0lM5g0000000001')}"].body
    assert body == LoyaltyMember(
        account="LC0000010009",
        tier=Tier(code="gold", expires_on=date(2027, 5, 5)),
        balance=180,
        enrolled_at=datetime(2024, 5, 6, tzinfo=UTC),
        customer=ANA,
        attributes={
            "member_type": "Individual",
            "enrollment_channel": "Store",
            "can_receive_promotions": "false",
            "can_receive_partner_promotions": "false",
        },
    )
    suspended = told[f"member:{long_id('0lM5g0000000003')}"].body
    assert isinstance(suspended, LoyaltyMember)
    assert (suspended.status, suspended.customer) == ("closed", BEA)


def test_a_merged_membership_says_where_it_went_until_the_merge_is_undone(told: Mapping[str, SourceRecord]) -> None:
    key = f"member:{long_id('0lM5g0000000002')}"
    body = told[key].body
    assert isinstance(body, Deletion)
    assert body.merged_into == long_id("0lM5g0000000001")
    undone = translate("member", told[key].raw.replace('"Status":"Merged"', '"Status":"Unmerged"'), Org())
    assert isinstance(undone, SourceRecord)
    assert isinstance(undone.body, LoyaltyMember)


def test_without_a_word_which_currency_is_spent_no_balance_is_told(told: Mapping[str, SourceRecord]) -> None:
    answer = translate("member", told[f"member:{long_id('0lM5g0000000001')}"].raw, Org())
    assert isinstance(answer, SourceRecord)
    assert isinstance(answer.body, LoyaltyMember)
    assert answer.body.balance is None


def test_postings_are_signed_by_their_event_and_named_by_their_journal(told: Mapping[str, SourceRecord]) -> None:
    bodies = [record.body for key, record in sorted(told.items()) if key.startswith("entry:")]
    entries = [body for body in bodies if isinstance(body, LoyaltyEntry)]
    assert [(each.movement, each.points, each.programme) for each in entries] == [
        ("earn", 300, "main"),
        ("redeem", -100, "main"),
        ("reverse_earn", -30, "main"),
        ("adjust", 10, "main"),
        ("expire", -5, "main"),
        ("earn", 300, "main/Tier Points"),
    ]
    earned, redeemed = entries[:2]
    assert (earned.expires_on, earned.at) == (date(2027, 2, 8), datetime(2026, 2, 8, 8, tzinfo=UTC))
    assert (redeemed.order, redeemed.reason) == (long_id("8015g0000000001"), "voucher")
    assert redeemed.external_id == f"salesforce:{long_id('0lL5g0000000002')}"


def test_a_posting_that_another_system_made_keeps_that_systems_number(told: Mapping[str, SourceRecord]) -> None:
    numbers = {}
    for key, record in told.items():
        if key.startswith("entry:"):
            answer = translate("entry", record.raw, SPENT)
            assert isinstance(answer, SourceRecord)
            assert isinstance(answer.body, LoyaltyEntry)
            numbers[answer.body.external_id] = answer.body.reverses
    assert numbers["pos:0101-2-2026-02-08-000012:earn"] is None
    assert numbers["pos:return-1:earn"] == "pos:0101-2-2026-02-08-000012:earn"


@pytest.mark.parametrize(
    ("event", "journal", "points", "expected"),
    [
        ("Credit", None, 10, ("earn", 10)),
        ("Credit", "Redemption", 10, ("reverse_redeem", 10)),
        ("Debit", None, -10, ("redeem", -10)),
        ("Debit", "Manual Points Adjustment", 10, ("adjust", -10)),
        ("Transfer", None, -4, ("transfer_out", -4)),
        ("Transfer", None, 4, ("transfer_in", 4)),
    ],
)
def test_event_and_journal_say_what_moved(
    event: str, journal: str | None, points: int, expected: tuple[str, int]
) -> None:
    made = entry(EventType=event, Points=points, **{"TransactionJournal.JournalType.Name": journal})
    assert (made.movement, made.points) == expected


def test_an_order_tells_money_lines_and_who_bought(told: Mapping[str, SourceRecord]) -> None:
    body = told[f"order:{long_id('8015g0000000001')}"].body
    assert isinstance(body, Order)
    assert (body.number, body.channel, body.customer, body.loyalty_number) == ("00000101", "phone", ANA, "LC0000010009")
    assert body.total == Money(amount=Decimal("119.87"), currency="EUR")
    assert [(each.sku, each.name, each.quantity, each.amount.amount) for each in body.lines] == [
        ("MUG-1", "Mug", Decimal(2), Decimal("19.98")),
        ("LAMP-2", "Lamp", Decimal(1), Decimal("89.99")),
    ]
    assert [each.amount.amount for each in (*body.taxes, *body.lines[0].taxes)] == [Decimal("9.9"), Decimal("1.8")]
    assert body.placed_at == datetime(2026, 2, 8, 8, 30, tzinfo=UTC)
    assert body.person is not None
    assert body.person.contact_points[0].value == "ana.muster@mail.example"
    assert body.attributes["reference"] == "WEB-9"


def test_a_person_accounts_order_belongs_to_the_account(told: Mapping[str, SourceRecord]) -> None:
    body = told[f"order:{long_id('8015g0000000002')}"].body
    assert isinstance(body, Order)
    assert (body.customer, body.transaction, body.placed_at) == (BEA, "void", datetime(2026, 2, 7, tzinfo=UTC))
    assert [(each.name, each.amount.amount) for each in body.lines] == [("Gift wrap", Decimal(20))]


def test_activities_tell_author_and_both_times(told: Mapping[str, SourceRecord]) -> None:
    call = told[f"task:{long_id('00T5g0000000001')}"].body
    assert isinstance(call, Activity)
    assert (call.activity, call.channel, call.direction, call.outcome) == ("outreach", "phone", "outbound", "reached")
    assert (call.customer, call.associate, call.status, call.priority) == (ANA, "E417", "completed", "high")
    assert call.occurred_at == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert call.modified_at == datetime(2026, 2, 11, 9, tzinfo=UTC)
    swatches = told[f"task:{long_id('00T5g0000000002')}"].body
    assert isinstance(swatches, Activity)
    assert (swatches.activity, swatches.customer, swatches.status) == ("task", BEA, "in_progress")
    assert swatches.due_at == datetime(2026, 3, 1, tzinfo=UTC)
    fitting = told[f"event:{long_id('00U5g0000000001')}"].body
    assert isinstance(fitting, Activity)
    assert (fitting.activity, fitting.customer, fitting.start_at) == (
        "appointment",
        BEA,
        datetime(2026, 3, 2, 10, tzinfo=UTC),
    )


def test_a_note_is_told_once_for_each_person_that_it_is_about(told: Mapping[str, SourceRecord]) -> None:
    notes = [record.body for key, record in sorted(told.items()) if key.startswith("note:")]
    assert [(n.customer, n.text) for n in notes if isinstance(n, Activity)] == [
        (ANA, "Shoes 39, likes wool."),
        (BEA, "Shoes 39, likes wool."),
    ]


def test_tasks_about_leads_are_not_asked_for(told: Mapping[str, SourceRecord]) -> None:
    assert f"task:{long_id('00T5g0000000003')}" not in told


def test_both_spellings_of_a_record_give_one_text() -> None:
    types = {"SystemModstamp": "datetime", "IsDeleted": "boolean", "PointsBalance": "double", "Program.Name": "string"}
    rest = {
        "attributes": {"type": "X", "url": "/services/data/v62.0/sobjects/X/1"},
        "SystemModstamp": "2026-03-14T08:15:23.000+0000",
        "IsDeleted": False,
        "PointsBalance": 12.0,
        "Program": {"attributes": {"type": "LoyaltyProgram"}, "Name": "Null"},
        "LastName": None,
    }
    bulk = '"SystemModstamp","IsDeleted","PointsBalance","Program.Name","LastName"\n"2026-03-14T08:15:23.000Z","false","12","Null",""\n'
    [row] = from_csv(bulk, "X")
    assert typed(flat(rest), types) == typed(row, types)
    assert typed(row, types)["Program.Name"] == "Null"


def test_fields_with_commas_quotes_and_lines_survive_csv() -> None:
    [row] = from_csv('"Id","Street"\n"1","Hof ""7"", links\nhinten"\n', "X")
    assert row["Street"] == 'Hof "7", links\nhinten'


@pytest.mark.parametrize("text", ['"Id","Name"\n"1","A', '"Id","Name"\n"1"\n', '"Id"\n"1","A"\n', '"Id"\n"1"x\n'])
def test_csv_that_is_torn_or_of_another_width_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"CSV|argument"):
        list(from_csv(text, "X"))


def test_nested_rest_records_translate_as_they_are() -> None:
    nested = {
        "attributes": {"type": "Order", "url": "/x"},
        "Id": "8015g0000000001",
        "OrderNumber": "7",
        "Status": "Draft",
        "CreatedDate": "2026-01-01T00:00:00.000+0000",
        "SystemModstamp": "2026-01-02T00:00:00.000+0000",
        "CurrencyIsoCode": "EUR",
        "OrderItems": {
            "totalSize": 1,
            "done": True,
            "records": [{"Id": "8025g0000000001", "Quantity": 1, "UnitPrice": 4.5}],
        },
    }
    answer = translate("order", raw(**nested), Org())
    assert isinstance(answer, SourceRecord)
    assert isinstance(answer.body, Order)
    assert answer.body.total.amount == Decimal("4.5")
    assert answer.key.source_id == long_id("8015g0000000001")


def test_what_cannot_be_read_is_refused_with_its_path_and_without_its_value() -> None:
    assert set(refused("entry", Id="1", EventType="Credit", Points="many")) == {
        "Points",
        "LoyaltyProgramMember.MembershipNumber",
    }
    number = {"LoyaltyProgramMember.MembershipNumber": "LC1"}
    assert list(refused("entry", Id="1", EventType="Credit", Points=1, **number)) == ["ActivityDate"]
    half = refused("entry", Id="1", EventType="Credit", Points=1.5, CreatedDate="2026-01-01T00:00:00Z", **number)
    assert half == {"Points": "points are whole numbers"}
    assert list(refused("entry", Id="1", EventType="Gift", Points=1, CreatedDate="2026-01-01T00:00:00Z", **number)) == [
        "EventType"
    ]
    assert list(refused("contact", Id="003", CreatedDate="yesterday")) == ["CreatedDate"]
    assert list(refused("order", Id="801", OrderNumber="1", Status="x")) == ["CurrencyIsoCode"]
    lines = [{"Id": "802", "Quantity": 1}]
    dated = {"Id": "801", "OrderNumber": "1", "Status": "x", "EffectiveDate": "2026-01-01", "CurrencyIsoCode": "EUR"}
    assert list(refused("order", OrderItems=lines, **dated)) == ["OrderItems[0].TotalPrice"]
    lines[0]["Quantity"] = "some"
    assert list(refused("order", OrderItems=lines, **dated)) == ["OrderItems[0].Quantity"]
    task = {"Id": "00T", "CreatedById": "005", "CreatedDate": "2026-01-01T00:00:00Z"}
    assert list(refused("task", WhoId="00Q000000000000", **task)) == ["WhoId"]


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '"x"', '{"Id": 7}'])
def test_any_text_is_a_record_or_a_refusal(text: str) -> None:
    assert isinstance(translate("member", text, Org()), Refusal)


def test_an_unknown_object_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="not 'lead'"):
        translate("lead", "{}", Org())
