"""What practitioners lose with Salesforce, one by one, is not lost here."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.salesforce import sandbox
from connectors.salesforce.ids import long_id
from connectors.salesforce.sandbox import serving
from connectors.salesforce.sandbox_org import Org
from connectors.salesforce.source import Settings
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.errors import Rejected, SignInAgain, TryLater
from models.landing import Deletion, Window
from models.loyalty import LoyaltyMember
from models.orders import Order
from models.records import Person
from tests.connectors.conformance import read
from tests.connectors.salesforce.world import (
    ANA,
    EVERYTHING,
    GONE,
    MERGED,
    NOW,
    Clock,
    by_key,
    contacts,
    deletions,
    fixture_org,
    fixture_read,
    key_pair,
    object_read,
    reading,
    source_of,
)

AT = datetime(2026, 3, 10, 8, tzinfo=UTC)
LATER = Window(since=NOW - timedelta(hours=6), until=NOW + timedelta(hours=1))


def queries(org: Org) -> Iterable[str]:
    return (each for each in org.asked if "?q=" in each)


def test_rest_and_bulk_tell_the_same_records_in_the_same_texts() -> None:
    rest, bulk = fixture_read(), fixture_read(bulk_above=0, bulk_page=2)
    assert rest.texts() == bulk.texts()
    assert rest.records
    assert {key: each.body for key, each in by_key(rest).items()} == {k: each.body for k, each in by_key(bulk).items()}


def test_bulk_is_chosen_by_the_number_of_records() -> None:
    clock = Clock()
    org = fixture_org(clock)
    with reading(org, clock, bulk_above=3) as source:
        read(source, EVERYTHING)
    assert {job.found.object for job in org.jobs.values()} == {"Contact", "LoyaltyLedger"}


def test_bulk_follows_its_locators_to_the_word_null() -> None:
    clock = Clock()
    org = Org(clock)
    org.load("Contact", contacts(11, AT))
    with reading(org, clock, bulk_above=0, bulk_page=3) as source:
        told = object_read(source, "contact")
    assert len(told.ids("contact")) == len(set(told.ids("contact"))) == 11
    assert sum("/results?" in each for each in org.asked) == 4
    assert clock.slept, "the job was looked at again after a pause"


@pytest.mark.parametrize("settings", [{}, {"bulk_above": 0, "bulk_page": 2}])
def test_a_transaction_that_is_open_while_we_read_is_told_by_the_overlap(settings: dict[str, Any]) -> None:
    clock = Clock(AT + timedelta(minutes=1))
    org = Org(clock)
    org.load("Contact", [*contacts(3, AT - timedelta(hours=1)), *contacts(1, AT, start=9)])
    faults = Faults(2, {"late_commit": 1.0}, in_a_row=99)
    until = AT + timedelta(seconds=30)
    with reading(org, clock, faults, **settings) as source:
        first = object_read(source, "contact", Window(until=until))
    assert faults.injected["late_commit"]
    with reading(org, clock) as source:
        window = Window(since=until - timedelta(seconds=600), until=until + timedelta(seconds=30))
        second = object_read(source, "contact", window)
        calm = object_read(source, "contact", Window(until=until))
    assert len(first.ids("contact")) == 3
    assert {**first.latest(), **second.latest()} == calm.latest()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bulk_brings_the_same_rows_whatever_fails(seed: int) -> None:
    clock = Clock()
    org = Org(clock, page_sizes=(4, 7))
    org.load("Contact", contacts(45, AT))
    rates = {"job_failed": 0.1, "locator_forgotten": 0.1, "dropped": 0.05, "gateway": 0.05, "session_expired": 0.05}
    faults = Faults(seed, rates)
    with reading(org, clock, faults, bulk_above=0, bulk_page=6) as source:
        told = object_read(source, "contact")
    assert sum(faults.injected.values())
    with reading(org, clock) as source:
        assert told.texts() == object_read(source, "contact").texts()


@pytest.mark.parametrize("refused", ["job_failed", "not_in_bulk"])
def test_what_bulk_does_not_do_goes_on_by_rest(refused: str, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    org = fixture_org(clock)
    caplog.set_level(logging.INFO)
    faults = Faults(1, {"job_failed": 1.0}, in_a_row=99) if refused == "job_failed" else Faults()
    if refused == "not_in_bulk":
        org.not_in_bulk.add("Contact")
    with reading(org, clock, faults, bulk_above=0) as source:
        told = object_read(source, "contact")
    assert told.texts() == [(key, text) for key, text in fixture_read().texts() if ":contact:" in key]
    assert "going on from the last record by REST" in caplog.text


def test_what_rest_refuses_too_ends_the_run() -> None:
    clock = Clock()
    org = fixture_org(clock)
    with reading(org, clock, bulk_above=0) as source:
        object_read(source, "contact")
        org.schema["Contact"]["LastName"].filterable = False
        del org.schema["Contact"]["LastName"]
        with pytest.raises(Rejected) as caught:
            object_read(source, "contact")
    assert caught.value.code == "INVALID_FIELD"


def test_words_that_look_like_nothing_are_names_and_empty_cells_are_nothing() -> None:
    clock = Clock()
    org = Org(clock)
    names = ["#N/A", "N/A", "NA", "null", "None", "nan", "-"]
    org.load(
        "Contact",
        [{**each, "LastName": name} for each, name in zip(contacts(len(names), AT), names, strict=True)],
    )
    for settings in ({}, {"bulk_above": 0, "bulk_page": 3}):
        with reading(org, clock, **settings) as source:
            bodies = [each.body for each in object_read(source, "contact").records]
        assert [body.family_name for body in bodies if isinstance(body, Person)] == names
        assert {body.middle_name for body in bodies if isinstance(body, Person)} == {None}


def test_late_commits_come_with_the_overlap() -> None:
    clock = Clock()
    org = Org(clock)
    org.load("Contact", contacts(3, AT))
    [late] = contacts(1, AT - timedelta(minutes=5), start=50)
    org.commit_late("Contact", late)
    with reading(org, clock) as source:
        first = object_read(source, "contact", Window(until=AT + timedelta(minutes=1)))
        org.commit()
        again = object_read(source, "contact", Window(since=AT - timedelta(minutes=9), until=AT + timedelta(minutes=9)))
    assert late["Id"] not in first.ids("contact")
    assert late["Id"] in again.ids("contact")


@pytest.mark.parametrize("settings", [{}, {"bulk_above": 0, "bulk_page": 7}])
def test_a_load_with_one_stamp_is_read_whole_though_locators_are_forgotten(settings: dict[str, Any]) -> None:
    clock = Clock()
    org = Org(clock, page_sizes=(7, 2, 5))
    org.load("Contact", contacts(40, AT))
    pages = {"seen": 0}

    def forget(object_: str) -> None:
        pages["seen"] += object_ == "Contact"
        if pages["seen"] in {3, 5}:
            org.forget_locators()

    org.before_answer = forget
    with reading(org, clock, **settings) as source:
        told = object_read(source, "contact")
    assert told.ids("contact") == sorted(each["Id"] for each in org.all("Contact"))


def test_a_locator_that_is_always_forgotten_ends_the_run_with_its_code() -> None:
    clock = Clock()
    org = Org(clock, page_sizes=(1,))
    org.load("Contact", contacts(3, AT))
    with reading(org, clock, Faults(1, {"locator_forgotten": 1.0}, in_a_row=99)) as source:
        told = object_read(source, "contact")
    assert len(told.ids("contact")) == 3, "each first page brings the walk further"


def test_counts_agree_whatever_the_sizes_of_the_pages() -> None:
    clock = Clock()
    org = Org(clock, page_sizes=(3, 1, 4, 1, 5))
    org.load("Contact", contacts(29, AT))
    with reading(org, clock) as source:
        assert len(set(object_read(source, "contact").ids("contact"))) == 29


def test_an_object_without_a_filterable_systemmodstamp_is_read_by_its_last_change() -> None:
    clock = Clock()
    org = fixture_org(clock)
    asked = Window(since=datetime(2026, 2, 12, tzinfo=UTC), until=NOW)
    org.schema["Task"]["SystemModstamp"].filterable = False
    with reading(org, clock) as source:
        assert object_read(source, "task", asked).ids("task") == []
        assert len(object_read(source, "task").ids("task")) == 2
        assert len(object_read(source, "note", asked).ids("note")) == 2, "notes have none at all"


def test_an_object_whose_changes_cannot_be_found_is_said_and_one_that_belongs_comes_all_the_same() -> None:
    clock = Clock()
    org = fixture_org(clock)
    for object_ in ("LoyaltyMemberTier", "Task"):
        for name in ("SystemModstamp", "LastModifiedDate", "CreatedDate"):
            org.schema[object_][name].filterable = False
    org.touch("LoyaltyMemberCurrency", long_id("0lN5g0000000001"), PointsBalance=90)
    with reading(org, clock) as source:
        [member] = object_read(source, "member", LATER).records
        assert isinstance(member.body, LoyaltyMember)
        assert member.body.tier is not None
        with pytest.raises(Rejected) as caught:
            object_read(source, "task")
    assert caught.value.code == "no_stamp"


def test_nobody_is_recognised_by_a_formula(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    org = fixture_org(clock)
    for name in ("Loyalty_Number__c", "Home_Store__c"):
        org.schema["Contact"][name].calculated = True
    org.recalculate("Contact", ANA, Loyalty_Number__c="LC9", Home_Store__c="0999")
    with reading(org, clock) as source:
        assert object_read(source, "contact", LATER).records == [], "no stamp tells"
        ana = by_key(object_read(source, "contact"))[f"contact:{ANA}"]
    assert "LC9" not in ana.raw
    assert "0999" not in ana.raw
    assert isinstance(ana.body, Person)
    assert ana.body.brand == "harbour", "a custom field that is none is read"
    assert "Contact.Home_Store__c is a formula" in caplog.text


def test_nothing_is_asked_that_changes_without_a_stamp_or_that_bulk_refuses() -> None:
    clock = Clock()
    org = fixture_org(clock)
    with reading(org, clock) as source:
        read(source, EVERYTHING)
    asked = " ".join(queries(org))
    assert "Address%2C" not in asked.replace("EmailAddress%2C", "")
    assert "MailingStreet" in asked


def test_merged_and_deleted_contacts_are_told_by_full_and_delta_reads() -> None:
    clock = Clock()
    org = fixture_org(clock)
    with reading(org, clock) as source:
        full = deletions(object_read(source, "contact"))
        since = Window(since=datetime(2026, 2, 3, tzinfo=UTC), until=datetime(2026, 2, 5, tzinfo=UTC))
        delta = deletions(object_read(source, "contact", since))
    assert full == delta
    assert full[MERGED].merged_into == ANA
    assert full[GONE].merged_into is None


def test_a_record_that_left_the_recycle_bin_is_told_as_deleted() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.purge("Contact", ANA)
    with reading(org, clock) as source:
        told = object_read(source, "contact", LATER)
    assert deletions(told) == {ANA: Deletion(at=NOW)}
    assert source.translate("contact", told.records[0].raw) == told.records[0]


def test_too_many_deletions_are_asked_for_by_halves() -> None:
    clock = Clock()
    org = Org(clock)
    org.load("Contact", contacts(8, AT))
    org.largest_deletion_list = 3
    for number, record in enumerate(org.all("Contact")):
        clock.now = AT + timedelta(minutes=10 * number)
        org.purge("Contact", record["Id"])
    clock.now = NOW
    with reading(org, clock) as source:
        told = object_read(source, "contact", LATER)
    assert len(deletions(told)) == 8
    assert len(told.ids("contact")) == 8


def test_deletions_beyond_the_vendors_memory_are_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with reading(fixture_org(clock), clock) as source:
        object_read(source, "contact", Window(since=NOW - timedelta(days=40), until=NOW))
    assert "a full read finds them" in caplog.text


def test_an_emptied_log_of_deletions_is_said_and_does_not_stop_the_run(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.deletions_known_since = NOW - timedelta(minutes=1)
    org.touch("Contact", ANA, LastName="Neu")
    with reading(org, clock) as source:
        assert object_read(source, "contact", LATER).ids("contact") == [ANA]
    assert "not all deletions of Contact are remembered; a full read finds them" in caplog.text


def test_a_deletion_that_is_told_after_its_time_is_not_lost() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.purged.append(("Contact", ANA, NOW - timedelta(hours=1)))  # by a transaction that has only now ended
    org.vanish("Contact", ANA)
    with reading(org, clock) as source:
        told = object_read(source, "contact", Window(since=NOW - timedelta(minutes=15), until=NOW))
    assert deletions(told) == {ANA: Deletion(at=NOW - timedelta(hours=1))}


def test_belongings_that_change_bring_what_they_belong_to() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.touch("OrderItem", long_id("8025g0000000001"), Quantity=3)
    org.touch("LoyaltyMemberCurrency", long_id("0lN5g0000000001"), PointsBalance=90)
    org.touch("ContactPointTypeConsent", long_id("0ZX5g0000000001"), PrivacyConsentStatus="OptOut")
    with reading(org, clock) as source:
        told = by_key(read(source, LATER))
    order, member, contact = (
        told[key].body
        for key in (f"order:{long_id('8015g0000000001')}", f"member:{long_id('0lM5g0000000001')}", f"contact:{ANA}")
    )
    assert isinstance(order, Order)
    assert isinstance(member, LoyaltyMember)
    assert isinstance(contact, Person)
    assert [int(line.quantity) for line in order.lines] == [3, 1]
    assert member.balance == 90
    assert [c.status for c in contact.consents if c.channel == "email"] == ["opt_out"]
    assert set(told) == {str(each.key).partition(":")[2] for each in told.values()}
    assert len(told) == 3
    assert all(each.changed_at and LATER.holds(each.changed_at) for each in told.values())


def test_a_deleted_position_leaves_its_order() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.delete("OrderItem", long_id("8025g0000000002"))
    with reading(org, clock) as source:
        told = by_key(object_read(source, "order", LATER))
    [body] = [each.body for each in told.values()]
    assert isinstance(body, Order)
    assert [line.sku for line in body.lines] == ["MUG-1"]


def test_a_deleted_note_is_deleted_for_each_person_that_it_was_about() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.delete("ContentNote", long_id("0695g0000000001"))
    with reading(org, clock) as source:
        gone = deletions(object_read(source, "note", LATER))
    assert set(gone) == {long_id("06A5g0000000001"), long_id("06A5g0000000002")}


def test_ids_of_15_characters_are_found_under_their_18() -> None:
    clock = Clock()
    org = Org(clock)
    [told] = contacts(1, AT)
    org.load("Contact", [told | {"Id": "0035g0000000AnA"}])
    with reading(org, clock) as source:
        assert object_read(source, "contact").ids("contact") == [ANA]


def test_an_org_without_the_loyalty_licence_is_read_without_loyalty(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    org = fixture_org(clock)
    loyalty = [name for name in org.schema if name.startswith(("Loyalty", "TransactionJournal"))]
    org.lack(*loyalty, "ContactPointTypeConsent")
    caplog.set_level(logging.INFO)
    with reading(org, clock) as source:
        told = read(source, EVERYTHING)
    assert told.ids("member") == told.ids("entry") == []
    assert len(told.ids("contact")) == 4
    assert "this org has no LoyaltyProgramMember (licence)" in caplog.text


def test_an_org_without_person_accounts_and_custom_fields_is_read_all_the_same() -> None:
    clock = Clock()
    org = fixture_org(clock)
    for fields in org.schema.values():
        for name in [name for name in fields if "__" in name or name == "IsPersonAccount"]:
            del fields[name]
    with reading(org, clock) as source:
        told = read(source, EVERYTHING)
    assert told.ids("account") == []
    assert len(told.ids("contact")) == 5, "what was a person account's contact is a contact like others"


def test_a_session_that_ended_is_replaced_in_mid_run() -> None:
    clock = Clock()
    org = Org(clock, page_sizes=(3,))
    org.load("Contact", contacts(12, AT))
    org.before_answer = lambda object_: org.end_all_sessions()
    with reading(org, clock) as source:
        assert len(object_read(source, "contact").ids("contact")) == 12


def test_a_signed_assertion_opens_the_org() -> None:
    clock = Clock()
    private, public = key_pair()
    jwt = {"client_secret": None, "username": sandbox.USERNAME, "private_key": private}
    with reading(fixture_org(clock), clock, certificate=public, **jwt) as source:
        assert object_read(source, "contact").ids("contact")


@pytest.mark.parametrize("wrong", [{"username": "somebody@else.example"}, {"audience": "https://test.example"}, {}])
def test_an_assertion_by_another_key_or_about_another_user_opens_nothing(wrong: dict[str, str]) -> None:
    clock = Clock()
    (private, public), (_, foreign) = key_pair(), key_pair()
    jwt = {"client_secret": None, "username": sandbox.USERNAME, "private_key": private, **wrong}
    certificate = public if wrong else foreign
    with reading(fixture_org(clock), clock, certificate=certificate, **jwt) as source, pytest.raises(SignInAgain):
        object_read(source, "contact")


def test_a_wrong_secret_is_a_matter_for_a_person() -> None:
    clock = Clock()
    with reading(fixture_org(clock), clock, client_secret="wrong") as source, pytest.raises(SignInAgain):
        object_read(source, "contact")


def test_an_assertion_is_made_by_the_clock_that_was_given() -> None:
    org_clock, clock = Clock(), Clock(NOW - timedelta(hours=1))
    private, public = key_pair()
    jwt = {"client_secret": None, "username": sandbox.USERNAME, "private_key": private}
    with reading(fixture_org(org_clock), clock, certificate=public, **jwt) as source, pytest.raises(SignInAgain):
        object_read(source, "contact")


def test_a_spent_allowance_is_403_and_ends_the_run_for_now() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.used = org.allowance
    with reading(org, clock, reserve=0.0) as source, pytest.raises(TryLater) as caught:
        object_read(source, "contact")
    assert caught.value.code == "REQUEST_LIMIT_EXCEEDED"
    assert sum(clock.slept) >= 120


def test_the_last_tenth_of_the_allowance_is_left_to_others() -> None:
    clock = Clock()
    org = Org(clock, page_sizes=(1,))
    org.load("Contact", contacts(30, AT))
    org.allowance, org.used = 100, 80
    with reading(org, clock, reserve=0.1) as source, pytest.raises(TryLater) as caught:
        object_read(source, "contact")
    assert caught.value.code == "told_to_wait"
    assert org.used == 90


def test_a_refusal_by_the_vendor_carries_its_code_and_not_its_words() -> None:
    clock = Clock()
    org = fixture_org(clock)
    with reading(org, clock) as source:
        object_read(source, "contact")
        del org.schema["Contact"]["LastName"]  # after we asked what there is
        with pytest.raises(Rejected) as caught:
            object_read(source, "contact")
    assert caught.value.code == "INVALID_FIELD"
    assert "LastName" not in str(caught.value)


def test_a_next_page_elsewhere_is_not_followed() -> None:
    clock = Clock()
    org = Org(clock, page_sizes=(1,))
    org.load("Contact", contacts(2, AT))
    app = serving(org, Faults())
    keep = org.keep
    org.keep = lambda found, place: "/../../" + keep(found, place)  # type: ignore[method-assign]
    with running({"salesforce": app}) as urls:
        source = source_of(urls["salesforce"], clock)
        with pytest.raises(Rejected):
            object_read(source, "contact")


def test_a_job_that_takes_too_long_is_tried_later() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.looks_until_complete = 10_000
    with reading(org, clock, bulk_above=0, job_patience=120.0) as source, pytest.raises(TryLater):
        object_read(source, "contact")
    assert 120 <= sum(clock.slept) < 240


def test_two_reads_without_a_change_are_equal() -> None:
    assert fixture_read().texts() == fixture_read().texts()


def test_one_way_in_is_asked_for_and_no_address_without_tls() -> None:
    told = {"login_url": "https://shop.my.salesforce.com", "client_id": "x"}
    with pytest.raises(ValidationError, match="give either"):
        Settings.model_validate(told)
    with pytest.raises(ValidationError, match="give either"):
        Settings.model_validate({**told, "client_secret": "x", "username": "x", "private_key": "x"})
    with pytest.raises(ValueError, match="not encrypted"):
        source_of("http://shop.my.salesforce.com", Clock())
