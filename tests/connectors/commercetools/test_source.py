"""The connector reads a whole project, whatever moves or fails meanwhile, beyond what all sources promise."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr, ValidationError

from connectors.commercetools import api
from connectors.commercetools.api import Place, stamp
from connectors.commercetools.sandbox_shop import TOKEN_SECONDS
from connectors.commercetools.source import connect
from connectors.sandbox.faults import Faults
from models.errors import Rejected, SignInAgain, TryLater
from models.landing import SourceRecord, Window
from models.orders import Settlement
from tests.connectors.commercetools.project import (
    BEFORE,
    EVERYTHING,
    UNTIL,
    Clock,
    crowded_shop,
    fixture_shop,
    reading,
    records,
    resources,
    settings,
)


@pytest.mark.parametrize("page_size", [3, 7, 50, 500])
def test_all_customers_come_once_although_many_changed_in_one_millisecond(page_size: int) -> None:
    clock = Clock()
    shop = crowded_shop(clock, 100, at_once=11)
    with reading(shop, clock, page_size=page_size) as source:
        told = [record.key.source_id for record in records(source, "customer")]
    assert len(told) == 100
    assert set(told) == {each["id"] for each in shop.all("customers")}


def test_pages_come_in_the_order_of_change() -> None:
    clock = Clock()
    with reading(crowded_shop(clock, 40), clock, page_size=9) as source:
        told = [(record.changed_at, record.key.source_id) for record in records(source, "customer")]
    assert told == sorted(told, key=lambda each: (str(each[0]), each[1]))


def test_changes_during_the_walk_are_told_in_it_if_they_are_in_the_window() -> None:
    clock = Clock()
    shop = crowded_shop(clock, 30, at_once=3)
    moved = [each["id"] for each in shop.all("customers")][:6]
    steps = iter(moved)

    def before(path: str) -> None:
        if mover := next(steps, None):
            shop.touch(path, mover, firstName="Changed")

    shop.before_answer = before
    with reading(shop, clock, page_size=4) as source:
        told = records(source, "customer")
    latest = {record.key.source_id: record.raw for record in told}
    assert set(latest) == {each["id"] for each in shop.all("customers")}
    assert all('"firstName":"Changed"' in latest[mover] for mover in moved)


def test_a_window_holds_its_first_moment_and_not_its_last() -> None:
    clock = Clock()
    window = Window(since=BEFORE + timedelta(milliseconds=2), until=BEFORE + timedelta(milliseconds=4))
    with reading(crowded_shop(clock, 60, at_once=5), clock, page_size=4) as source:
        told = {record.changed_at for record in records(source, "customer", window)}
    assert told == {BEFORE + timedelta(milliseconds=2), BEFORE + timedelta(milliseconds=3)}


def test_moments_are_written_in_milliseconds_and_rounded_up() -> None:
    exact = datetime(2026, 3, 14, 8, 15, 30, 125_000, tzinfo=UTC)
    assert stamp(exact) == "2026-03-14T08:15:30.125Z"
    assert stamp(exact + timedelta(microseconds=1)) == "2026-03-14T08:15:30.126Z"
    assert stamp(datetime(2026, 3, 14, 23, 59, 59, 999_001, tzinfo=UTC)) == "2026-03-15T00:00:00.000Z"


def test_a_refund_comes_with_the_payment_although_the_order_stays_as_it_is() -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    payment = resources("payments")[0]
    refund = {"id": "t9", "type": "Refund", "state": "Success", "amount": payment["amountPlanned"]}
    with reading(shop, clock) as source:
        read_until = clock()
        shop.touch("payments", payment["id"], transactions=[*payment["transactions"], refund])
        later = Window(since=read_until, until=UNTIL)
        assert records(source, "order", later) == []
        (told,) = records(source, "payment", later)
    assert isinstance(told.body, Settlement)
    assert told.body.refunds[-1].refund_id == "t9"


def test_an_order_that_gains_its_customer_later_is_told_again() -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    guest = resources("orders")[1]["id"]
    with reading(shop, clock) as source:
        since = clock()
        shop.touch("orders", guest, customerId="c-9")
        (told,) = records(source, "order", Window(since=since, until=UNTIL))
    assert '"customerId":"c-9"' in told.raw


def test_a_token_that_ends_between_pages_is_renewed() -> None:
    clock = Clock()
    shop = crowded_shop(clock, 30)
    shop.before_answer = lambda path: clock.sleep(TOKEN_SECONDS / 3)
    with reading(shop, clock, page_size=3) as source:
        assert len(records(source, "customer", Window(until=datetime(2027, 1, 1, tzinfo=UTC)))) == 30


def test_revoked_tokens_are_replaced() -> None:
    clock = Clock()
    shop = crowded_shop(clock, 30)
    faults = Faults(3, {"token_expired": 0.5})
    with reading(shop, clock, faults, page_size=3) as source:
        assert len(records(source, "customer")) == 30
    assert faults.injected["token_expired"] > 0


@pytest.mark.parametrize("fault", ["throttled", "unavailable", "gateway", "query_timed_out", "dropped", "hung_up"])
def test_a_faulty_server_is_read_completely(fault: str) -> None:
    clock = Clock()
    faults = Faults(11, {fault: 0.4})
    with reading(crowded_shop(clock, 60), clock, faults, page_size=4) as source:
        told = [record.key.source_id for record in records(source, "customer")]
    assert faults.injected[fault] > 0
    assert len(told) == len(set(told)) == 60


def test_a_query_that_keeps_timing_out_is_asked_for_less() -> None:
    clock = Clock()
    shop = crowded_shop(clock, 130)
    shop.times_out_above = 60
    with reading(shop, clock, page_size=200) as source:
        assert len(records(source, "customer")) == 130
    assert "limit=50" in shop.asked[-1]


def test_a_query_that_never_ends_is_given_up() -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    shop.times_out_above = 0
    with reading(shop, clock) as source, pytest.raises(TryLater) as raised:
        list(source.pages("customer", EVERYTHING))
    assert raised.value.code == "QueryTimedOut"


def test_a_wrong_secret_asks_a_person_to_look() -> None:
    clock = Clock()
    with reading(fixture_shop(clock), clock, client_secret=SecretStr("wrong")) as source, pytest.raises(SignInAgain):
        list(source.pages("customer", EVERYTHING))


def test_a_missing_scope_asks_a_person_to_look() -> None:
    clock = Clock()
    with reading(fixture_shop(clock), clock, scopes=("view_orders",)) as source:
        assert records(source, "order")
        with pytest.raises(SignInAgain) as raised:
            list(source.pages("customer", EVERYTHING))
    assert raised.value.code == "insufficient_scope"


def test_an_unknown_project_is_rejected() -> None:
    clock = Clock()
    ours = ("view_customers:sandbox",)
    elsewhere = reading(fixture_shop(clock), clock, project_key="other", scopes=ours)
    with elsewhere as source, pytest.raises(Rejected) as raised:
        list(source.pages("customer", EVERYTHING))
    assert raised.value.code == "ResourceNotFound"


def test_a_resource_that_cannot_be_read_does_not_stop_its_neighbours() -> None:
    clock = Clock()
    shop = crowded_shop(clock, 12)
    broken = shop.all("customers")[5]["id"]
    shop.touch("customers", broken, addresses="none")
    with reading(shop, clock, page_size=4) as source:
        pages = list(source.pages("customer", EVERYTHING))
    (refusal,) = [refusal for page in pages for refusal in page.refused]
    assert (refusal.source_id, refusal.reasons[0].path) == (broken, "addresses")
    assert sum(len(page.records) for page in pages) == 11


def test_logs_hold_neither_tokens_nor_contacts(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with caplog.at_level(logging.DEBUG), reading(fixture_shop(clock), clock) as source:
        told = records(source, "customer") + records(source, "order") + records(source, "payment")
    assert told
    lines = caplog.text
    for secret in ("sandbox-token", "sandbox-secret", "example.lv", "Bērziņa", "lastModifiedAt"):
        assert secret not in lines


def test_a_raw_payload_gives_its_record_again() -> None:
    clock = Clock()
    with reading(fixture_shop(clock), clock) as source:
        for kind in source.objects:
            for record in records(source, kind):
                again = source.translate(kind, record.raw)
                assert isinstance(again, SourceRecord)
                assert again == record


def test_settings_ask_for_the_scopes_that_viewing_their_objects_takes() -> None:
    everything = settings("https://x.example").scope().split()
    kinds = ("customers", "orders", "payments", "stores", "messages", "project_settings")
    assert everything == [f"view_{kind}:sandbox" for kind in kinds]
    assert settings("https://x.example", objects=("order", "cart")).scope() == "view_orders:sandbox"
    assert settings("https://x.example", scopes=("manage_project",)).scope() == "manage_project:sandbox"


def test_only_what_the_settings_name_is_read() -> None:
    clock = Clock()
    with reading(fixture_shop(clock), clock, objects=("payment", "customer")) as source:
        assert source.objects == ("customer", "payment")
        assert source.listed == ("customer", "payment")
        assert records(source, "payment")


@pytest.mark.parametrize(
    "change",
    [
        {"page_size": 501},
        {"objects": ()},
        {"objects": ("product",)},
        {"project_key": "../other"},
        {"shop": {"loyalty": "x"}},
        {"clientid": "x"},
    ],
)
def test_wrong_settings_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings("https://x.example", **change)


def test_an_address_without_tls_is_refused() -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="https"):
        connect(settings("http://api.example.com"), clock=clock, sleep=clock.sleep)


def test_the_walk_goes_on_after_the_last_place() -> None:
    where = api.beyond(Place("2026-03-14T08:15:30.125Z", "b"))
    assert where == (
        'lastModifiedAt > "2026-03-14T08:15:30.125Z" or (lastModifiedAt = "2026-03-14T08:15:30.125Z" and id > "b")'
    )
