"""What the service desk hears over HTTP, and what becomes of it: for two contracts, without a change of code."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.sandbox.faults import Faults
from models.errors import SignInAgain, TryLater
from models.profiles import ProfileDocument

Desk = Any
DeskWith = Callable[..., Any]


def merged(document: ProfileDocument, into: str) -> ProfileDocument:
    return ProfileDocument(profile=document.profile, status="merged", merged_into=into)


def joined(desk: Desk) -> dict[str, str]:
    """External id -> external id of the contact it is joined to."""
    external = {id_: contact["externalId"] for id_, contact in desk.shop.contacts.items()}
    return {external[target]: external[source] for target, source in desk.shop.joined.items()}


def test_an_agent_sees_the_person_with_orders_and_points(desk: Desk, member: ProfileDocument) -> None:
    assert {receipt.state for receipt in desk.tell(member)} == {"accepted"}
    contact = next(iter(desk.contacts_of("P-000001").values()))
    assert contact["name"] == "Testa Fixture-O'Neil"
    assert contact["custom"]["loyaltyPoints"] == 340
    assert any(order["number"] == "W-5512" for order in contact["custom"]["orders"])


def test_telling_twice_changes_nothing(desk: Desk, member: ProfileDocument) -> None:
    desk.tell(member)
    effects = dict(desk.journal.effects)
    assert {receipt.state for receipt in desk.tell(member, sequence=2)} == {"accepted"}
    assert dict(desk.journal.effects) == effects


def test_what_we_no_longer_hold_is_cleared_there(desk: Desk, member: ProfileDocument) -> None:
    desk.tell(member)
    desk.tell(member.model_copy(update={"loyalty": (), "facts": ()}))
    for contact in desk.contacts_of("P-000001").values():
        assert not {"loyaltyTier", "loyaltyPoints", "orders12m"} & contact["custom"].keys()


def test_a_merge_joins_and_an_unmerge_releases_and_nothing_is_deleted(
    desk: Desk, member: ProfileDocument, guest: ProfileDocument
) -> None:
    desk.tell(member)
    desk.tell(guest)
    before = set(desk.shop.contacts)
    assert {receipt.state for receipt in desk.tell(merged(guest, "P-000001"))} == {"accepted"}
    assert joined(desk) == {"P-000002": "P-000001"}
    desk.tell(guest, sequence=2)
    assert joined(desk) == {}
    desk.tell(merged(guest, "P-000001"), sequence=3)
    assert joined(desk) == {"P-000002": "P-000001"}
    assert set(desk.shop.contacts) == before


def test_states_of_a_relation_have_different_payloads(desk: Desk, guest: ProfileDocument) -> None:
    active, gone, elsewhere = (
        {message.target_key: message.payload for message in desk.destination.render(document)}
        for document in (guest, merged(guest, "P-000001"), merged(guest, "P-000009"))
    )
    for key, payload in active.items():
        assert len({payload, gone[key], elsewhere[key]}) == 3


def test_a_second_merge_moves_the_link(desk: Desk, member: ProfileDocument, guest: ProfileDocument) -> None:
    third = guest.model_copy(update={"profile": guest.profile.model_copy(update={"profile": "P-000004"})})
    for document in (member, guest, third, merged(guest, "P-000004"), merged(guest, "P-000001")):
        desk.tell(document)
    assert joined(desk) == {"P-000002": "P-000001"}


def test_a_retired_profile_nobody_was_told_of_makes_no_contact(desk: Desk, guest: ProfileDocument) -> None:
    receipts = desk.tell(merged(guest, "P-000001"))
    assert {receipt.code for receipt in receipts} == {"never_told"}
    assert sum(desk.journal.writes.values()) == 0


def test_a_merge_before_the_survivor_is_told_waits_and_then_succeeds(
    desk: Desk, member: ProfileDocument, guest: ProfileDocument
) -> None:
    desk.tell(guest)
    with pytest.raises(TryLater, match="not there yet"):
        desk.tell(merged(guest, "P-000001"))
    desk.tell(member)
    assert "accepted" in {receipt.state for receipt in desk.tell(merged(guest, "P-000001"))}
    assert joined(desk) == {"P-000002": "P-000001"}


def test_read_back_compares_contact_and_relation(desk: Desk, member: ProfileDocument, guest: ProfileDocument) -> None:
    desk.tell(member)
    desk.tell(guest)
    gone, active = desk.destination.render(merged(guest, "P-000001")), desk.destination.render(guest)
    assert [desk.destination.read_back(message) is not None for message in active] == [True] * len(active)
    held = [message for message in gone if desk.destination.read_back(message) is None]
    assert len(held) == 1
    desk.tell(merged(guest, "P-000001"))
    assert all(desk.destination.read_back(message) is not None for message in gone)
    assert any(desk.destination.read_back(message) is None for message in active)


def test_faults_are_ridden_out_and_each_message_has_one_effect(
    desk_with: DeskWith, member: ProfileDocument, guest: ProfileDocument
) -> None:
    rates = {"throttled": 0.15, "unavailable": 0.15, "dropped": 0.2, "hung_up": 0.1, "token_expired": 0.1}
    with desk_with(Faults(7, rates, in_a_row=1)) as desk:
        for document in (member, guest, merged(guest, "P-000001")):
            assert {receipt.state for receipt in desk.tell(document)} == {"accepted"}
        assert joined(desk) == {"P-000002": "P-000001"}
        assert sum(desk.faults.injected.values()) > 0
        assert desk.journal.effects["join"] == 1


def test_an_answer_that_never_comes_is_unknown_and_can_be_read_back(
    desk_with: DeskWith, member: ProfileDocument, guest: ProfileDocument
) -> None:
    with desk_with(Faults(1, in_a_row=100)) as desk:
        desk.tell(guest)
        message = desk.destination.render(member)[0]
        assert desk.destination.read_back(message) is None
        desk.faults.rates["dropped"] = 1.0
        assert desk.send(message).state == "unknown"
        desk.faults.rates.clear()
        receipt = desk.destination.read_back(message)
        assert receipt is not None
        assert receipt.state == "accepted"


def test_two_requests_a_second_until_told_otherwise(desk: Desk, member: ProfileDocument) -> None:
    for sequence in range(24):
        desk.tell(member, sequence)
    requests = 24 * len(desk.destination.render(member))
    assert desk.clock.slept == pytest.approx((requests - 4) / 2, abs=1.0)


def test_refused_credentials_stop_everything(desk_with: DeskWith, member: ProfileDocument) -> None:
    with desk_with(secret="wrong") as desk, pytest.raises(SignInAgain):
        desk.tell(member)


def test_a_token_that_ends_before_its_time_is_renewed(desk_with: DeskWith, member: ProfileDocument) -> None:
    with desk_with(Faults(1, {"token_expired": 1.0}, in_a_row=100)) as desk:
        assert {receipt.state for receipt in (desk.tell(member) + desk.tell(member))} == {"accepted"}
        assert sum(desk.journal.effects.values()) == len(desk.destination.render(member))


def test_a_token_that_ends_is_renewed(desk_with: DeskWith, member: ProfileDocument) -> None:
    with desk_with(token_seconds=100.0) as desk:
        desk.tell(member)
        desk.clock.sleep(3600)
        assert {receipt.state for receipt in desk.tell(member)} == {"accepted"}


def test_a_refused_contact_is_a_rejection(desk_with: DeskWith, member: ProfileDocument) -> None:
    with desk_with(reject_rate=1.0) as desk:
        receipts = desk.tell(member)
        assert {(receipt.state, receipt.code) for receipt in receipts} == {("rejected", "refused_by_rule")}
        assert desk.shop.contacts == {}
