"""What the CRM hears over HTTP, and what becomes of it: for two contracts, without a change of code."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connectors.sandbox.faults import Faults
from models.errors import SignInAgain, TryLater
from models.orders import Refund
from models.ports import Message
from models.profiles import ProfileDocument

Crm = Any
CrmWith = Callable[..., Any]


def test_a_person_arrives_with_orders_and_points(crm: Crm, member: ProfileDocument) -> None:
    receipts = crm.tell(member)
    assert {receipt.state for receipt in receipts} == {"accepted"}
    number = crm.shop.number_of("golden", "P-000001")
    customer = crm.shop.customers[number]
    assert (customer["firstName"], customer["lastName"]) == ("Testa", "Fixture-O'Neil")
    assert crm.shop.accounts["LC-0000456"]["pointsBalance"] == 340
    assert len(crm.shop.transactions) == 4
    assert receipts[0].target_id == number


def test_every_transaction_belongs_to_the_customer_it_came_with(crm: Crm, member: ProfileDocument) -> None:
    crm.tell(member)
    owners = {crm.shop.get_transaction(key).body["customerNumber"] for key in crm.shop.transactions}
    assert owners == {crm.shop.number_of("golden", "P-000001")}


def test_after_a_merge_transactions_belong_to_the_survivor_without_being_told_again(
    crm: Crm, member: ProfileDocument, guest: ProfileDocument
) -> None:
    crm.tell(guest)
    before = [message for message in crm.destination.render(guest) if message.object == "transaction"]
    joined = member.model_copy(
        update={"records": (*member.records, *guest.records), "orders": (*member.orders, *guest.orders)}
    )
    gone = ProfileDocument(profile=guest.profile, status="merged", merged_into="P-000001")
    messages = crm.destination.render(joined)
    assert {(one.target_key, one.payload) for one in before} <= {(one.target_key, one.payload) for one in messages}
    for message in (*crm.destination.render(gone), *messages):
        assert crm.send(message).state == "accepted"
    owners = {crm.shop.get_transaction(key).body["customerNumber"] for key in crm.shop.transactions}
    assert owners == {crm.shop.number_of("golden", "P-000001")}
    assert crm.journal.effects["transaction"] == 6


def test_a_retired_profile_points_at_its_survivor_and_can_come_back(
    crm: Crm, member: ProfileDocument, guest: ProfileDocument
) -> None:
    crm.tell(member)
    crm.tell(guest)
    number = crm.shop.number_of("golden", "P-000002")
    crm.tell(ProfileDocument(profile=guest.profile, status="merged", merged_into="P-000001"))
    held = crm.shop.customers[number]
    assert (held["status"], held["mergedInto"], held["emails"]) == ("merged", "P-000001", [])
    assert crm.shop.number_of("golden", "P-000002") == crm.shop.number_of("golden", "P-000001")
    for message in crm.destination.render(guest):
        crm.send(message, sequence=3)
    assert crm.shop.customers[number]["status"] == "active"
    assert "mergedInto" not in crm.shop.customers[number]


def test_what_we_no_longer_hold_is_cleared_there(crm: Crm, member: ProfileDocument) -> None:
    crm.tell(member)
    poorer = member.profile.model_copy(update={"birth_date": None, "phones": (), "phone": None, "title": None})
    crm.tell(member.model_copy(update={"profile": poorer}))
    customer = crm.shop.customers[crm.shop.number_of("golden", "P-000001")]
    assert customer["phones"] == []
    assert not {"birthDate", "title"} & customer.keys()


def test_telling_twice_changes_nothing(crm: Crm, member: ProfileDocument) -> None:
    crm.tell(member)
    effects, changes = dict(crm.journal.effects), len(crm.shop.changes)
    for message in crm.destination.render(member):
        assert crm.send(message, sequence=2).state == "accepted"
    assert dict(crm.journal.effects) == effects
    assert len(crm.shop.changes) == changes


def test_the_same_transaction_with_other_content_is_a_rejection_that_says_so(crm: Crm, member: ProfileDocument) -> None:
    crm.tell(member)
    message = next(one for one in crm.destination.render(member) if one.target_key.startswith("0147/3/"))
    changed = message.model_copy(update={"payload": message.payload.replace('"48.00"', '"47.00"')})
    receipt = crm.send(changed)
    assert (receipt.state, receipt.code) == ("rejected", "key_content_conflict")
    assert crm.destination.read_back(changed) is None
    assert crm.destination.read_back(message) is not None


def test_a_later_refund_is_a_new_transaction_and_the_sale_stays_as_it_was(crm: Crm, member: ProfileDocument) -> None:
    crm.tell(member)
    web = member.orders[1]
    refund = Refund(
        refund_id="R2", amount=web.order.total.model_copy(update={"amount": Decimal("5.00")}), at=web.order.placed_at
    )
    order = web.order.model_copy(update={"refunds": (*web.order.refunds, refund), "status": "Refunded"})
    later = member.model_copy(update={"orders": (member.orders[0], web.model_copy(update={"order": order}))})
    assert {receipt.state for receipt in crm.tell(later)} == {"accepted"}
    assert crm.journal.effects["transaction"] == 5


def test_refusals_name_the_field_and_never_the_value(crm: Crm, member: ProfileDocument) -> None:
    message = crm.destination.render(member)[0]
    sent = message.model_copy(update={"payload": message.payload.replace("1984-02-29", "2031-02-30")})
    receipt = crm.send(sent)
    assert (receipt.state, receipt.code) == ("rejected", "invalid_value")
    assert receipt.reason is not None
    assert "/birthDate" in receipt.reason
    assert "2031" not in receipt.reason


def test_an_account_that_would_go_below_nought_is_refused_there(crm: Crm, member: ProfileDocument) -> None:
    crm.tell(member)
    loyalty = crm.destination.render(member)[-1]
    receipt = crm.send(loyalty.model_copy(update={"payload": loyalty.payload.replace("340", "-5")}))
    assert (receipt.state, receipt.code) == ("rejected", "negative_balance")


def test_a_transaction_before_its_customer_is_refused(crm: Crm, member: ProfileDocument) -> None:
    transaction = crm.destination.render(member)[1]
    assert crm.send(transaction).code == "unknown_customer"


def test_what_the_map_cannot_fill_is_rejected_without_a_call(crm: Crm, member: ProfileDocument) -> None:
    account = member.loyalty[0].model_copy(update={"programme": "nobody_mapped_this"})
    message = crm.destination.render(member.model_copy(update={"loyalty": (account,)}))[-1]
    receipt = crm.send(message)
    assert (receipt.state, receipt.code) == ("rejected", "unmapped")
    assert "plan.key" in str(receipt.reason)
    assert crm.destination.read_back(message) is None
    assert crm.journal.writes["loyalty"] == 0


def test_faults_are_ridden_out_and_each_message_has_one_effect(crm_with: CrmWith, member: ProfileDocument) -> None:
    rates = {"throttled": 0.15, "unavailable": 0.15, "dropped": 0.2, "hung_up": 0.1, "token_expired": 0.1}
    with crm_with(Faults(11, rates, in_a_row=1)) as crm:
        receipts = crm.tell(member)
        assert {receipt.state for receipt in receipts} == {"accepted"}
        assert sum(crm.faults.injected.values()) > 0
        assert sum(crm.journal.effects.values()) == len(receipts) == len(crm.shop.changes)


def test_an_answer_that_never_comes_is_unknown_and_can_be_read_back(crm_with: CrmWith, member: ProfileDocument) -> None:
    with crm_with(Faults(1, in_a_row=100)) as crm:
        messages = crm.destination.render(member)
        assert crm.send(messages[0]).state == "accepted"
        crm.faults.rates["dropped"] = 1.0
        assert [crm.send(message).state for message in messages[1:3]] == ["unknown", "unknown"]
        crm.faults.rates.clear()
        crm.clock.sleep(60)
        assert all(_state(crm, message) == "accepted" for message in messages[:3])
        assert all(_state(crm, message) is None for message in messages[3:])
        assert crm.journal.effects["transaction"] == 2


def _state(crm: Crm, message: Message) -> str | None:
    receipt = crm.destination.read_back(message)
    return None if receipt is None else receipt.state


def test_a_change_that_did_not_arrive_is_not_taken_for_one_that_did(crm: Crm, member: ProfileDocument) -> None:
    crm.tell(member)
    renamed = member.profile.model_copy(update={"given_name": "Tessa"})
    changed = crm.destination.render(member.model_copy(update={"profile": renamed}))[0]
    assert crm.destination.read_back(changed) is None


def test_a_crm_that_stays_down_is_an_error_to_come_back_for(crm_with: CrmWith, member: ProfileDocument) -> None:
    with crm_with(Faults(1, {"hung_up": 1.0}, in_a_row=100)) as crm, pytest.raises(TryLater):
        crm.tell(member)


def test_refused_credentials_stop_everything(crm_with: CrmWith, member: ProfileDocument) -> None:
    with crm_with(secret="wrong") as crm, pytest.raises(SignInAgain):
        crm.tell(member)


def test_a_token_that_ends_before_its_time_is_renewed(crm_with: CrmWith, member: ProfileDocument) -> None:
    with crm_with(Faults(1, {"token_expired": 1.0}, in_a_row=100)) as crm:
        assert {receipt.state for receipt in (crm.tell(member) + crm.tell(member))} == {"accepted"}
        assert sum(crm.journal.effects.values()) == len(crm.destination.render(member))


def test_a_token_that_ends_is_renewed(crm_with: CrmWith, member: ProfileDocument) -> None:
    with crm_with(token_seconds=100.0) as crm:
        crm.tell(member)
        crm.clock.sleep(3600)
        assert {receipt.state for receipt in crm.tell(member)} == {"accepted"}


def test_a_poisoned_record_does_not_block_the_others(crm_with: CrmWith, member: ProfileDocument) -> None:
    with crm_with(reject_rate=0.4, seed=22) as crm:
        codes = {receipt.code for receipt in crm.tell(member)}
        assert "refused_by_rule" in codes
        assert "written" in codes
        again = {receipt.code for receipt in crm.tell(member)}
        assert again == codes


def test_no_contact_no_account_and_no_token_is_logged(
    crm_with: CrmWith, member: ProfileDocument, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with crm_with(Faults(5, {"unavailable": 0.3, "dropped": 0.2}, in_a_row=1)) as crm:
        for message in crm.destination.render(member):
            crm.send(message)
            crm.destination.read_back(message)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("connectors")]
    assert len(ours) > 12
    for personal in ("example.com", "+4477", "LC-0000456", "sandbox-token", "sandbox-secret", "Fixture"):
        assert not any(personal in line for line in ours)
