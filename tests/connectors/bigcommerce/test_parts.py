"""Parts that change without their customer or order: what a delta sees, and what only a full read sees."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.bigcommerce import sandbox_payloads as made
from connectors.bigcommerce.sandbox import serving
from connectors.bigcommerce.sandbox_shop import Shop
from connectors.sandbox.faults import Faults
from models.landing import Window
from models.orders import Order
from models.ports import Source
from models.records import Person
from tests.connectors.bigcommerce.scenario import CUT, hour, world
from tests.connectors.bigcommerce.test_source import ids, records, source_at
from tests.connectors.conformance import PassingTime

LATE = datetime(2026, 2, 1, tzinfo=UTC)
DELTA = Window(since=hour(100), until=CUT)
"""Nothing of the world has changed in it, unless a test changes it."""


@pytest.fixture
def shop() -> Shop:
    return world()


@contextmanager
def open_store(shop: Shop) -> Iterator[Source]:
    with source_at(serving(shop, Faults()), PassingTime()) as source:
        yield source


def person(source: Source, number: str, window: Window) -> Person:
    body = {record.key.source_id: record.body for record in records(source, "customer", window)}[number]
    assert isinstance(body, Person)
    return body


def order(source: Source, number: str, window: Window) -> Order:
    body = {record.key.source_id: record.body for record in records(source, "order", window)}[number]
    assert isinstance(body, Order)
    return body


def test_a_delta_sees_an_attribute_that_changed_without_its_customer(shop: Shop) -> None:
    shop.edit_attribute(3, 2, "platinum", LATE)
    with open_store(shop) as source:
        assert ids(source, "customer", DELTA) == ["3"]
        (record,) = records(source, "customer", DELTA)
        assert record.changed_at == LATE
        tier = person(source, "3", DELTA).loyalty[0].tier
    assert tier is not None
    assert tier.code == "platinum"


def test_a_delta_sees_points_that_changed_without_their_order(shop: Shop) -> None:
    shop.edit_metafield(104, "pointsEarned", "99", LATE)
    with open_store(shop) as source:
        assert ids(source, "order", DELTA) == ["104"]
        assert [entry.points for entry in order(source, "104", DELTA).loyalty] == [99]


def test_what_changed_itself_and_in_a_part_comes_once(shop: Shop) -> None:
    shop.edit_customer(3, LATE, company="Lantern & Sons")
    shop.edit_attribute(3, 2, "platinum", LATE)
    shop.edit_order(104, LATE, status="Cancelled")
    shop.edit_metafield(104, "pointsEarned", "99", LATE)
    with open_store(shop) as source:
        assert (ids(source, "customer", DELTA), ids(source, "order", DELTA)) == (["3"], ["104"])


def test_a_part_that_changed_after_the_window_is_for_the_next_one(shop: Shop) -> None:
    shop.edit_customer(3, LATE, company="Lantern & Sons")
    shop.edit_attribute(3, 2, "platinum", CUT)
    with open_store(shop) as source:
        assert ids(source, "customer", DELTA) == []
        assert "3" not in ids(source, "customer", Window(until=CUT))
        assert ids(source, "customer", Window(since=CUT, until=CUT.replace(month=4))) == ["3"]


def test_points_that_are_not_asked_for_cost_no_request(shop: Shop) -> None:
    with source_at(serving(shop, Faults()), PassingTime(), loyalty_namespace=None) as source:
        ids(source, "order", DELTA)
    assert not any("metafields" in asked for asked in shop.asked)


def parcel_renumbered(shop: Shop) -> None:
    shop.edit_shipment(104, 0, tracking_number="T-NEW")


def money_captured(shop: Shop) -> None:
    told = shop.orders[104]
    shop.transactions[104].append(
        made.transaction(told, 9104, at=LATE, method="store_credit", amount=Decimal(told["total_inc_tax"]))
    )


@pytest.mark.parametrize("change", [parcel_renumbered, money_captured])
def test_only_a_full_read_sees_a_parcel_or_a_payment_that_changed_alone(
    shop: Shop, change: Callable[[Shop], None]
) -> None:
    with open_store(shop) as source:
        before = order(source, "104", Window(until=CUT))
        change(shop)
        assert ids(source, "order", DELTA) == []
        after = order(source, "104", Window(until=CUT))
    assert (before.fulfilments, before.tenders) != (after.fulfilments, after.tenders)


def test_a_refund_is_seen_by_a_delta_although_its_order_did_not_change(shop: Shop) -> None:
    shop.refunds[99] = made.refund(99, 104, created=LATE, amount=Decimal(5), reason="late", products={})
    with open_store(shop) as source:
        assert ids(source, "refund", DELTA) == ["99"]
        assert ids(source, "order", DELTA) == []


def test_customers_bear_the_name_of_their_group(shop: Shop) -> None:
    shop.edit_customer(3, LATE, customer_group_id=2)
    with open_store(shop) as source:
        assert person(source, "3", DELTA).attributes["customer_group"] == "Friends"
        assert "customer_group" not in person(source, "4", Window(until=CUT)).attributes


def test_cookies_that_a_customer_allows_are_told_without_the_time_of_our_asking(shop: Shop) -> None:
    shop.consents[3] = {"allow": ["functional", "essential"], "deny": ["targeting"]}
    with source_at(serving(shop, Faults()), PassingTime(), customer_details=("consent",)) as source:
        first, second = (records(source, "customer", Window(until=CUT)) for _ in range(2))
        attributes = person(source, "3", Window(until=CUT)).attributes
    assert (attributes["cookies_allowed"], attributes["cookies_denied"]) == ("essential, functional", "targeting")
    assert first == second


def test_segments_are_told_if_asked_for(shop: Shop) -> None:
    shop.customers[3]["segment_ids"] = ["s-1", "s-2"]
    everything = Window(until=CUT)
    with source_at(serving(shop, Faults()), PassingTime(), customer_details=("segments",)) as source:
        assert person(source, "3", everything).attributes["segment_ids"] == "s-1, s-2"
    with open_store(shop) as source:
        assert "segment_ids" not in person(source, "3", everything).attributes


def test_tokens_of_stored_cards_do_not_land(shop: Shop) -> None:
    shop.transactions[104][0].update(payment_instrument_token="tok-1", provider_instrument_token="tok-2")
    with open_store(shop) as source:
        (raw,) = [record.raw for record in records(source, "order") if record.key.source_id == "104"]
    assert "ch-104" in raw
    assert "tok-" not in raw


def many_payments(shop: Shop, number: int) -> None:
    told = shop.orders[104]
    shop.transactions[104] = [
        made.transaction(told, 10_000 + place, at=LATE, method="gift_certificate", amount=Decimal(1))
        for place in range(number)
    ]


def test_payments_have_no_pages_and_each_counts_once(shop: Shop) -> None:
    many_payments(shop, 250)
    with open_store(shop) as source:
        assert len(order(source, "104", Window(until=CUT)).tenders) == 250


def test_payments_beyond_those_that_the_store_shows_are_logged(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    many_payments(shop, 260)
    with open_store(shop) as source:
        assert len(order(source, "104", Window(until=CUT)).tenders) == 250
    assert "orders/104/transactions shows 250 of 260" in caplog.text
