"""What is rendered for the CRM: pure, stable, in order, and never what the CRM owns."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.aptos.destination import AptosDestination, read_map
from connectors.operations import Operations
from connectors.payload import parsed
from models.consent import ConsentEvent
from models.ports import Message
from models.profiles import ProfileDocument

FIXTURES = Path(__file__).parents[3] / "data" / "fixtures" / "aptos"
NOBODY: Any = None


@cache
def rendering(path: Path | None = None) -> AptosDestination:
    """Rendering asks nobody, so there is nobody to ask."""
    operations: Operations = NOBODY
    return AptosDestination(read_map(path), operations)


def by_object(messages: Any, name: str) -> list[Message]:
    return [message for message in messages if message.object == name]


def test_the_messages_of_the_fixtures_are_these(documents: dict[str, ProfileDocument]) -> None:
    told = {
        name: [
            message.model_dump(mode="json") | {"payload": parsed(message.payload)}
            for message in rendering().render(document)
        ]
        for name, document in documents.items()
    }
    assert told == orjson.loads((FIXTURES / "messages.json").read_bytes())


@given(seed=st.integers(0, 10_000))
def test_the_order_in_which_a_profile_is_told_does_not_matter(seed: int) -> None:
    told = orjson.loads((FIXTURES / "documents.json").read_bytes())["member"]
    document, shuffled = ProfileDocument.model_validate(told), ProfileDocument.model_validate(_shuffled(told, seed))
    assert rendering().render(document) == rendering().render(shuffled)


def _shuffled(value: Any, seed: int) -> Any:
    """Every list and table in another order."""
    draw = random.Random(seed)
    if isinstance(value, dict):
        return {key: _shuffled(value[key], seed) for key in draw.sample(sorted(value), len(value))}
    return [_shuffled(item, seed) for item in draw.sample(value, len(value))] if isinstance(value, list) else value


def test_customer_goes_before_transactions_before_loyalty(member: ProfileDocument) -> None:
    messages = rendering().render(member)
    assert [message.rank for message in messages] == sorted(message.rank for message in messages)
    assert [message.object for message in messages][::5] == ["customer", "loyalty"]
    assert {message.object for message in messages if message.write_once} == {"transaction"}


def test_keys_never_meet(member: ProfileDocument, guest: ProfileDocument) -> None:
    messages = [*rendering().render(member), *rendering().render(guest)]
    assert len({(message.object, message.target_key) for message in messages}) == len(messages)


def test_what_the_crm_owns_is_never_sent(member: ProfileDocument) -> None:
    assert member.profile.home_store == "0147"
    for path in (None, FIXTURES / "renamed.toml"):
        for message in by_object(rendering(path).render(member), "customer"):
            assert not {"storeOfRecord", "cards", "modifiedAt"} & parsed(message.payload).keys()


def test_only_allowed_facts_are_sent(member: ProfileDocument) -> None:
    customer = parsed(rendering().render(member)[0].payload)
    assert customer["attributes"] == {"orders_12m": "2"}


@given(st.lists(st.tuples(st.sampled_from(["opt_in", "opt_out", "pending"]), st.booleans()), max_size=6))
def test_a_refusal_is_always_told(answers: list[tuple[Any, bool]]) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    consents = tuple(
        ConsentEvent(contact_point=f"{n}@example.com", channel="email", status=status, at=at if dated else None)
        for n, (status, dated) in enumerate(answers)
    )
    told = orjson.loads((FIXTURES / "documents.json").read_bytes())
    for name in ("guest", "retired"):
        document = ProfileDocument.model_validate(told[name]).model_copy(update={"consents": consents})
        sent = parsed(rendering().render(document)[0].payload)["consents"]
        assert {one["contactPoint"] for one in sent if one["status"] == "opt_out"} == {
            one.contact_point for one in consents if one.status == "opt_out"
        }


def test_an_undated_refusal_is_told_too(member: ProfileDocument) -> None:
    consents = parsed(rendering().render(member)[0].payload)["consents"]
    undated = [one for one in consents if one["contactPoint"] == "old.fixture@example.com"]
    assert [(one["status"], one["capturedAt"]) for one in undated] == [("opt_out", "1970-01-01T00:00:00Z")]


def test_a_receipt_has_the_natural_key_of_its_till(member: ProfileDocument) -> None:
    keys = [message.target_key for message in by_object(rendering().render(member), "transaction")]
    assert "0147/3/2026-03-14/8801" in keys


def test_a_web_order_has_its_shop_source_day_and_number_as_key(member: ProfileDocument) -> None:
    keys = [message.target_key for message in by_object(rendering().render(member), "transaction")]
    assert keys[0] == "brand_a/bigcommerce/2026-03-10/W-5512"
    assert keys[1:3] == [f"{keys[0]}-refund-R1", f"{keys[0]}-return-RMA-7"]


def _web_transactions(document: ProfileDocument, **changes: Any) -> dict[str, str]:
    web = document.orders[1]
    order = web.order.model_copy(update=changes)
    moved = document.model_copy(update={"orders": (web.model_copy(update={"order": order}),)})
    return {message.target_key: message.payload for message in by_object(rendering().render(moved), "transaction")}


_HISTORIES: list[dict[str, Any]] = [
    {"status": "Awaiting Shipment", "payment_status": "authorised"},
    {"status": "Completed", "tenders": (), "fulfilments": ()},
    {"customer": None, "person": None},
    {"returns": (), "refunds": ()},
    {"status": "Cancelled"},
]


@pytest.mark.parametrize("changes", _HISTORIES, ids="+".join)
def test_what_may_still_happen_to_an_order_never_changes_a_transaction_already_told(
    member: ProfileDocument, changes: dict[str, Any]
) -> None:
    before, after = _web_transactions(member), _web_transactions(member, **changes)
    assert all(after[key] == payload for key, payload in before.items() if key in after)
    assert "brand_a/bigcommerce/2026-03-10/W-5512" in after


def test_the_profile_is_not_part_of_a_transaction(member: ProfileDocument) -> None:
    other = member.profile.model_copy(update={"profile": "P-999999"})
    moved = rendering().render(member.model_copy(update={"profile": other}))
    assert by_object(moved, "transaction") == by_object(rendering().render(member), "transaction")


def test_goods_and_money_that_came_back_are_not_counted_twice(member: ProfileDocument) -> None:
    transactions = [parsed(payload) for payload in _web_transactions(member).values()]
    back = [one for one in transactions if one["type"] == "return"]
    assert sum(Decimal(one.get("totals", {}).get("gross", "0")) for one in back) == Decimal("-34.90")
    assert sum(Decimal(line["amount"]) for one in back for line in one["lines"]) == 0
    assert [line["quantity"] for one in back for line in one["lines"]] == ["-1"]


def test_goods_that_are_only_announced_are_not_told_as_returned(member: ProfileDocument) -> None:
    returned = member.orders[1].order.returns[0].model_copy(update={"state": "Advised"})
    assert not any("-return-" in key for key in _web_transactions(member, returns=(returned,)))


def test_an_abandoned_checkout_is_no_transaction(member: ProfileDocument) -> None:
    assert _web_transactions(member, status="Incomplete") == {}


def test_a_cancelled_order_is_a_sale_and_a_void_without_money(guest: ProfileDocument) -> None:
    sale, void = (parsed(message.payload) for message in by_object(rendering().render(guest), "transaction"))
    assert (sale["type"], sale["totals"]["gross"]) == ("sale", "20.00")
    assert (void["type"], void["lines"], "totals" in void) == ("void", [], False)


def test_two_currencies_in_one_order_are_refused_and_not_added(member: ProfileDocument) -> None:
    web = member.orders[1].order
    odd = web.lines[0].model_copy(update={"amount": web.total.model_copy(update={"currency": "EUR"})})
    mixed = member.orders[1].model_copy(update={"order": web.model_copy(update={"lines": (odd, web.lines[1])})})
    messages = by_object(rendering().render(member.model_copy(update={"orders": (mixed,)})), "transaction")
    assert [reason["path"] for reason in parsed(messages[0].payload)["unmapped"]] == ["lines[0].amount"]


@pytest.mark.parametrize(
    ("told", "currency", "sent"),
    [("55", "GBP", "55.00"), ("55.0000", "GBP", "55.00"), ("0.125", "GBP", "0.125"), ("1200", "JPY", "1200")],
)
def test_equal_amounts_are_equal_texts(member: ProfileDocument, told: str, currency: str, sent: str) -> None:
    web = member.orders[1].order
    money = web.total.model_copy(update={"amount": Decimal(told), "currency": currency})
    line = web.lines[0].model_copy(update={"amount": money, "discounts": ()})
    changes = {"lines": (line,), "total": money, "currency": currency, "taxes": (), "returns": (), "refunds": ()}
    payload = parsed(next(iter(_web_transactions(member, **changes).values())))
    assert payload["lines"][0]["amount"] == payload["totals"]["gross"] == sent


def test_points_below_nought_are_never_told(member: ProfileDocument) -> None:
    account = member.loyalty[0].model_copy(update={"balance": -12})
    message = rendering().render(member.model_copy(update={"loyalty": (account,)}))[-1]
    assert parsed(message.payload)["pointsBalance"] == 0


def test_each_account_is_told(member: ProfileDocument) -> None:
    second = member.loyalty[0].model_copy(update={"account": "LC-2", "status": "merged", "balance": 0})
    messages = rendering().render(member.model_copy(update={"loyalty": (second, *member.loyalty)}))
    accounts = by_object(messages, "loyalty")
    assert [message.target_key for message in accounts] == ["LC-0000456", "LC-2"]
    assert parsed(accounts[1].payload)["membershipStatusKey"] == "M"


def test_a_retired_profile_is_marked_and_carries_nothing_to_write_to(retired: ProfileDocument) -> None:
    (message,) = rendering().render(retired)
    payload = parsed(message.payload)
    assert message.target_key == "golden/P-000003"
    assert (payload["status"], payload["mergedInto"]) == ("merged", "P-000001")
    assert payload["emails"] == payload["phones"] == payload["addresses"] == []


def test_a_slash_in_a_number_stays_inside_its_part(member: ProfileDocument) -> None:
    keys = list(_web_transactions(member, number="2026/55", returns=(), refunds=()))
    assert keys == ["brand_a/bigcommerce/2026-03-10/2026%2F55"]


def test_long_names_are_cut_and_short_ones_are_not(member: ProfileDocument) -> None:
    profile = member.profile.model_copy(update={"given_name": "A" * 80})
    payload = parsed(rendering().render(member.model_copy(update={"profile": profile}))[0].payload)
    assert payload["firstName"] == "A" * 50
    assert payload["lastName"] == "Fixture-O'Neil"


def test_a_house_number_stands_where_the_country_writes_it(guest: ProfileDocument, member: ProfileDocument) -> None:
    lines = [parsed(rendering().render(one)[0].payload)["addresses"][0]["line1"] for one in (guest, member)]
    assert lines == ["Musterweg 1", "1 Sample Row"]
