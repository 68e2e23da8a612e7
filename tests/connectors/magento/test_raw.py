"""Payloads are the vendor's own bytes: nothing is written anew, card data is cut out, what is ours stands apart."""

import json
import re
from collections.abc import Iterator

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.answer import Answer
from connectors.magento.cards import without_card_data
from connectors.magento.rows import answered, with_changed, with_member, without
from connectors.magento.sandbox import serving
from connectors.magento.sandbox_auth import TOKEN
from connectors.magento.sandbox_habits import Habits
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.errors import TryLater
from models.landing import SourceRecord, Window
from models.records import Person
from tests.connectors.conformance import PassingTime, read
from tests.connectors.magento.scenario import CUT, world
from tests.connectors.magento.test_source import source_at


def answer(content: str) -> Answer:
    return Answer("magento: GET /orders", 200, httpx.Headers(), content.encode(), "id-1")


PRETTY = """
{ "search_criteria" : {"filter_groups": []},
  "items" : [ {"entity_id":1 , "grand_total": 69.1500, "name":"K\\u00fche \\"]}, "},
              {"entity_id": 2,"tax":1.0E-2,"a":[{"b":[]}], "dup":1, "dup":2}
            ],
  "total_count" : 2 }
"""


def test_rows_are_as_they_were_sent_blanks_digits_escapes_and_all() -> None:
    first, second = answered(answer(PRETTY)).rows
    assert first.text == '{"entity_id":1 , "grand_total": 69.1500, "name":"K\\u00fche \\"]}, "}'
    assert second.text == '{"entity_id": 2,"tax":1.0E-2,"a":[{"b":[]}], "dup":1, "dup":2}'
    assert first.told == {"entity_id": 1, "grand_total": 69.15, "name": 'Kühe "]}, '}


PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)
VALUES = PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(st.text(max_size=3), PLAIN, max_size=2)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=3), st.booleans())
def test_rows_of_any_answer_are_pieces_of_it(items: list[dict[str, object]], pretty: bool) -> None:
    text = json.dumps({"items": items, "total_count": len(items)}, indent=2 if pretty else None)
    rows = answered(answer(text)).rows
    assert [row.told for row in rows] == items
    assert all(row.text in text for row in rows)
    for row in rows:
        more = json.loads(with_member(row.text, "read_apart", '{"a":1}'))
        assert more == {**row.told, "read_apart": {"a": 1}}
        assert with_changed(row.text, {}) == row.text
        assert without(row.text, lambda _: False) == row.text
        assert without(row.text, lambda _: True) == "{}" or not row.told


@pytest.mark.parametrize(
    "text",
    [
        "", "nothing", '"items"', "[1]", '{"items"', '{"items":[}', '{"items":[{"a":1}{"b":2}],"total_count":1}',
        '{"items":[],"total_count":1', '{"items" [],"total_count":1}', '{"items":[]}', '{"items":7,"total_count":"a"}',
        '{"items":' + "[" * 200_000, '{"items":[{"a":' + "[" * 5_000 + "]" * 5_000 + '}],"total_count":1}',
    ],
)  # fmt: skip
def test_what_is_no_answer_to_a_search_is_read_again_later(text: str) -> None:
    with pytest.raises(TryLater):
        answered(answer(text))


ORDER = (
    '{"entity_id":7,"payment":{"cc_last4":"1111","method" : "card","amount_paid":1.10,"cc_owner":"A B",'
    '"additional_information":["x",{"y":"}"}],"extension_attributes":{"vault_payment_token":"t"},"last_trans_id":"T"},'
    '"extension_attributes":{"payment_additional_info":[{"key":"c"}],"gift_cards_amount":2.50},"tax_amount":0.1000}'
)


def test_card_data_is_cut_out_and_everything_else_keeps_its_bytes() -> None:
    assert without_card_data(ORDER) == (
        '{"entity_id":7,"payment":{"method" : "card","amount_paid":1.10,"last_trans_id":"T"},'
        '"extension_attributes":{"gift_cards_amount":2.50},"tax_amount":0.1000}'
    )


@pytest.mark.parametrize(
    "order",
    [
        '{"entity_id":7,"payment":null,"extension_attributes":[]}',
        '{"entity_id": 7, "payment":{"method":"checkmo"}}',
        '{"items":[{"payment":{"cc_last4":"1"}}]}',
        "{}",
    ],
)
def test_an_order_without_card_data_is_left_alone(order: str) -> None:
    assert without_card_data(order) == order


@pytest.fixture(scope="module")
def sent() -> Iterator[dict[str, str]]:
    """Everything that the shop says, by object, read by another client."""
    paths = {
        "customer": "customers/search",
        "order": "orders",
        "invoice": "invoices",
        "shipment": "shipments",
        "creditmemo": "creditmemos",
        "transaction": "transactions",
        "return": "returns",
    }
    with (
        running({"shop": serving(world(), Faults(), Habits(bearer=True))}) as urls,
        httpx.Client(base_url=urls["shop"], headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        yield {name: client.get(f"/rest/V1/{path}").text for name, path in paths.items()}


def test_the_payload_of_every_record_is_what_the_shop_sent(sent: dict[str, str]) -> None:
    """Save for card data; what was read apart stands at the end, under one name."""
    with source_at(serving(world(), Faults()), PassingTime()) as source:
        told = read(source, Window(until=CUT))
    assert {record.key.object for record in told.records} == set(source.objects)
    for record in told.records:
        raw, apart, _ = record.raw.partition(',"read_apart":')
        whole = raw + "}" if apart else raw
        assert _without_payments(whole) in _without_payments(sent[record.key.object])
        assert bool(apart) == (record.key.object in {"customer", "invoice", "shipment", "creditmemo"})
        assert "411111xxxxxx1111" not in record.raw
        assert "CARD HOLDER" not in record.raw


def _without_payments(text: str) -> str:
    """Without what holds card data, by another way than ours."""
    return re.sub(r'"payment":\{.*?\}|"additional_information":\[.*?\],|,"child_transactions":\[.*?\]', "", text)


def test_what_was_read_apart_says_so(sent: dict[str, str]) -> None:
    kept = world()
    kept.balances[1, 1] = 12.5
    with source_at(serving(kept, Faults(), Habits(lists_consent=False)), PassingTime()) as source:
        customers = {record.key.source_id: record for page in source.pages("customer", Window(until=CUT))
                     for record in page.records}  # fmt: skip
    first: SourceRecord = customers["1"]
    told = orjson.loads(first.raw)
    assert "extension_attributes" not in told
    assert told["read_apart"]["is_subscribed"] is False
    assert told["read_apart"]["balance"]["amount"] == 12.5
    assert isinstance(first.body, Person)
    assert [one.status for one in first.body.consents] == ["opt_out"]
