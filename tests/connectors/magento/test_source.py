"""Reading a shop over HTTP: the pitfalls that practitioners report, one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx
import orjson
import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors.answer import Answer
from connectors.magento.faultwords import error_of, said_by
from connectors.magento.sandbox import serving
from connectors.magento.sandbox_auth import ADMIN, CLIENT, CLIENT_SECRET, PASSWORD, TOKEN
from connectors.magento.sandbox_habits import HABITS, Habits, habits_of
from connectors.magento.sandbox_shop import Shop
from connectors.magento.source import connect
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.engagement import Event
from models.errors import OutsideError, Rejected, SignInAgain, TryLater
from models.landing import SourceRecord, Window
from models.orders import Order, Settlement
from models.ports import Source
from models.records import Person
from tests.connectors.conformance import PassingTime
from tests.connectors.magento.scenario import CUSTOMERS, CUT, ORDERS, SINCE, UNTIL, customer, hour, settings, world

EVERYTHING = Window(until=CUT)
SOME = Window(since=SINCE, until=UNTIL)


@pytest.fixture
def time() -> PassingTime:
    return PassingTime()


@pytest.fixture
def shop() -> Shop:
    return world()


@contextmanager
def source_at(app: ASGIApp, time: PassingTime, **chosen: Any) -> Iterator[Source]:
    with running({"magento": app}) as urls:
        yield connect(settings(urls["magento"], **chosen), clock=time.clock, sleep=time.sleep)


def records(source: Source, object_: str, window: Window = EVERYTHING) -> list[SourceRecord]:
    return [record for page in source.pages(object_, window) for record in page.records]


def ids(source: Source, object_: str, window: Window = EVERYTHING) -> list[str]:
    return [record.key.source_id for record in records(source, object_, window)]


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


def test_a_page_past_the_end_that_repeats_the_last_is_never_asked_for(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        told = ids(source, "shipment")
    assert told == numbers(1, 11)
    asked = [unquote(one) for one in shop.asked if "/shipments" in one]
    assert len(asked) == 3
    assert all("searchCriteria[currentPage]=1" in one for one in asked)


def test_the_end_is_where_nothing_is_left_and_not_where_a_page_is_short(time: PassingTime, shop: Shop) -> None:
    """Ten rows in pages of five: two requests, not three."""
    del shop.shipments[11]
    with source_at(serving(shop, Faults()), time) as source:
        assert ids(source, "shipment") == numbers(1, 10)
    assert len([one for one in shop.asked if "/shipments" in one]) == 2


def test_every_search_says_its_order_because_pages_have_none_without(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        for object_ in source.objects:
            records(source, object_)
            records(source, object_, SOME)
    searches = [unquote(one) for one in shop.asked if "searchCriteria" in one]
    assert all("sortOrders" in one and "[direction]=ASC" in one for one in searches)


def test_more_rows_than_a_page_holds_may_change_within_one_second(time: PassingTime, shop: Shop) -> None:
    for number in range(1, CUSTOMERS + 1):
        shop.customers[number] = {**customer(number), "updated_at": hour(12)}
    with source_at(serving(shop, Faults()), time) as source:
        assert ids(source, "customer", SOME) == numbers(1, CUSTOMERS)


def test_a_page_may_end_in_the_middle_of_a_second(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time, page_size=4) as source:
        assert ids(source, "order", SOME) == numbers(110, 119)


@pytest.mark.parametrize("page_size", [1, 3, 5])
def test_a_shop_that_cannot_say_or_is_read_by_two_plain_requests(
    time: PassingTime, shop: Shop, page_size: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It reads `or` as `and`: rows would be lost without a sign but the count."""
    app = serving(shop, Faults(), Habits(reads_or=False))
    with source_at(app, time, page_size=page_size) as source:
        assert sorted(ids(source, "order", SOME)) == numbers(110, 119)
        assert sorted(ids(source, "customer", SOME)) == numbers(10, 19)
    assert "two requests per page" in caplog.text
    assert len(shop.asked) == len(set(shop.asked))


def test_deep_pages_that_time_out_are_never_asked_for(time: PassingTime, shop: Shop) -> None:
    app = serving(shop, Faults(), Habits(deepest_row=5))
    with source_at(app, time) as source:
        assert len(ids(source, "order")) == ORDERS - 1
        assert ids(source, "order", SOME) == numbers(110, 119)
    assert time.slept == []


BROKEN = Habits(broken_rows=frozenset({101, 112, 113, 119, 131}))
"""The first, two in a row, one at the end of a window, and the last."""


def test_rows_that_the_shop_cannot_load_cost_themselves_only(
    time: PassingTime, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """It answers 404 to every page that one of them is on."""
    with source_at(serving(shop, Faults(), BROKEN), time) as source:
        pages = list(source.pages("order", EVERYTHING))
        part = [record.key.source_id for page in source.pages("order", SOME) for record in page.records]
    told = [record.key.source_id for page in pages for record in page.records]
    assert told == [one for one in numbers(101, 131) if one not in {"101", "105", "112", "113", "119", "131"}]
    refused = [one for page in pages for one in page.refused]
    assert [one.source_id for one in refused] == ["101", "105", "112", "113", "119", "131"]
    assert "cannot load it" in refused[0].reasons[0].problem
    assert [reason.path for reason in refused[1].reasons] == ["grand_total"]
    assert "cannot load" in caplog.text
    assert set(part) == {"110", "111", "114", "115", "116", "117", "118"}


def test_what_follows_an_order_that_cannot_be_loaded_lands_without_it(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults(), Habits(broken_rows=frozenset({102}))), time) as source:
        found = {record.key.source_id: record.body for record in records(source, "invoice")}
    paid = {number: body.tenders[0].tender for number, body in found.items() if isinstance(body, Settlement)}
    assert paid == {number: "unknown" if number == "2" else "checkmo" for number in numbers(1, 11) if number != "3"}


@pytest.mark.parametrize("status", [404, 500])
def test_a_stretch_of_rows_that_cannot_be_loaded_is_no_end(time: PassingTime, shop: Shop, status: int) -> None:
    broken = Habits(broken_rows=frozenset(range(106, 120)), broken_with=status)
    with source_at(serving(shop, Faults(), broken), time) as source:
        assert ids(source, "order") == [*numbers(101, 104), *numbers(120, 131)]


def test_a_window_that_holds_nothing_but_broken_rows_is_read_to_its_end(time: PassingTime, shop: Shop) -> None:
    """Nothing in such a window can be paged through, and a delta that fails on it would fail for ever."""
    broken = Habits(broken_rows=frozenset({119, 120, 121}), broken_with=500)
    with source_at(serving(shop, Faults(), broken), time) as source:
        pages = list(source.pages("order", Window(since=hour(19), until=hour(22))))
    assert [one.source_id for page in pages for one in page.refused] == ["119", "120", "121"]
    assert not [record for page in pages for record in page.records]


def test_a_list_of_which_nothing_can_be_loaded_is_out_of_order(time: PassingTime, shop: Shop) -> None:
    broken = Habits(broken_rows=frozenset(range(101, 132)))
    with source_at(serving(shop, Faults(), broken), time) as source, pytest.raises(Rejected, match="in a row"):
        ids(source, "order")


def test_a_list_that_answers_500_to_everything_is_down_and_no_row_is_to_blame(time: PassingTime, shop: Shop) -> None:
    faults = Faults(1, {"failing": 1.0}, in_a_row=10**6)
    with source_at(serving(shop, faults), time) as source, pytest.raises(TryLater) as refused:
        ids(source, "order")
    assert refused.value.code == "500"


def test_pages_that_take_too_long_are_read_in_smaller_ones_from_then_on(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults(), Habits(slow_page=2)), time) as source:
        assert len(ids(source, "order")) == ORDERS - 1
    assert len([one for one in shop.asked if "/orders?" in one and "pageSize%5D=5" in one]) == 6


def test_a_single_row_that_takes_too_long_is_never_given_up(time: PassingTime, shop: Shop) -> None:
    """It may go well another time: the run ends here and the next one begins here."""
    with source_at(serving(shop, Faults(), Habits(slow_page=0)), time) as source, pytest.raises(TryLater) as refused:
        ids(source, "order")
    assert refused.value.code == "504"


@pytest.mark.parametrize("name", HABITS)
def test_whatever_an_installation_is_like_the_same_rows_land(time: PassingTime, shop: Shop, name: str) -> None:
    """Rows that it cannot load are refused by their ids, and cost none of their neighbours."""
    habits, quiet = habits_of(name, seed=2), world()
    chosen = {"time_zone": habits.tells_in, "filter_zone": habits.filters_in}
    with (
        source_at(serving(shop, Faults(), habits), time, **chosen) as source,
        source_at(serving(quiet, Faults()), PassingTime()) as other,
    ):
        for object_ in ("customer", "order", "creditmemo"):
            for window in (EVERYTHING, SOME):
                expected = set(ids(other, object_, window))
                pages = list(source.pages(object_, window))
                refused = {one.source_id for page in pages for one in page.refused}
                broken = {number for number in expected if habits.breaks(int(number))}
                assert {record.key.source_id for page in pages for record in page.records} == expected - broken
                assert broken <= refused


@pytest.mark.parametrize("window", [EVERYTHING, SOME])
def test_a_shop_that_reads_filters_in_its_own_zone_is_asked_in_it(
    time: PassingTime, shop: Shop, window: Window
) -> None:
    app = serving(shop, Faults(), Habits(filters_in="America/New_York"))
    with source_at(serving(world(), Faults()), time) as source:
        expected = sorted(ids(source, "customer", window))
    with source_at(app, time, filter_zone="America/New_York") as source:
        assert sorted(ids(source, "customer", window)) == expected


def test_a_shop_that_tells_its_times_in_its_own_zone_is_understood(time: PassingTime, shop: Shop) -> None:
    zone = "Australia/Lord_Howe"
    with source_at(serving(world(), Faults()), time) as source:
        expected = {record.key: record.changed_at for record in records(source, "order", SOME)}
    with source_at(serving(shop, Faults(), Habits(tells_in=zone, filters_in=zone)), time, time_zone=zone) as source:
        assert {record.key: record.changed_at for record in records(source, "order", SOME)} == expected


def test_no_change_is_lost_in_the_hour_that_a_clock_shows_twice(time: PassingTime) -> None:
    """In Riga it is 03:00 to 04:00 twice on 25 October 2026, from midnight UTC on."""
    begin, step = datetime(2026, 10, 24, 23, tzinfo=UTC), timedelta(minutes=10)
    changes = {number: begin + number * step for number in range(1, 19)}
    shop = Shop(customers={number: {**customer(number), "updated_at": at} for number, at in changes.items()})
    found: list[str] = []
    with source_at(
        serving(shop, Faults(), Habits(filters_in="Europe/Riga")), time, filter_zone="Europe/Riga"
    ) as source:
        for part in range(10):
            found += ids(source, "customer", Window(since=begin + 2 * part * step, until=begin + 2 * (part + 1) * step))
    assert sorted(found, key=int) == numbers(1, 18)


def test_an_address_that_changed_by_itself_is_found_by_a_full_read_only(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        shop.edit_address(4, 0, street=["7 Harbour Walk"])
        shop.edit_customer(5, CUT, middlename="Jo")
        after = Window(since=CUT, until=CUT + timedelta(days=1))
        assert ids(source, "customer", after) == ["5"]
        found = {record.key.source_id: record.body for record in records(source, "customer")}
    moved = found["4"]
    assert isinstance(moved, Person)
    assert moved.addresses[0].line1 == "7 Harbour Walk"


def test_orders_of_a_deleted_customer_are_those_of_nobody_without_having_changed(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        shop.remove_customer(1)
        found = {record.key.source_id: record for record in records(source, "order")}
    bought = found["101"].body
    assert isinstance(bought, Order)
    assert bought.customer is None
    assert bought.person is not None
    assert found["101"].changed_at == hour(1)


def test_guests_are_told_with_their_orders(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        bought = {record.key.source_id: record.body for record in records(source, "order")}
    for number, order in bought.items():
        assert isinstance(order, Order)
        assert (order.customer is None) == (int(number) % 3 == 0)
        assert order.person is not None
        assert len(order.lines) == 2


def consents(told: list[SourceRecord]) -> list[int]:
    return [len(record.body.consents) for record in told if isinstance(record.body, Person)]


def test_a_newsletter_answer_that_lists_leave_out_is_asked_for_customer_by_customer(
    time: PassingTime, shop: Shop
) -> None:
    with source_at(serving(world(), Faults()), time) as source:
        listed = {record.key: record.body for record in records(source, "customer")}
    with source_at(serving(shop, Faults(), Habits(lists_consent=False)), time) as source:
        told = records(source, "customer")
    assert {record.key: record.body for record in told} == listed
    assert set(consents(told)) == {1}


def written(shop: Shop, number: int, told: dict[str, Any]) -> httpx.Response:
    """A customer as another program writes it, a day after the world's last change."""
    app = serving(shop, Faults(), Habits(bearer=True), clock=lambda: CUT)
    with running({"shop": app}) as urls:
        to = f"{urls['shop']}/rest/all/V1/customers/{number}"
        return httpx.put(to, json={"customer": told}, headers={"Authorization": f"Bearer {TOKEN}"})


def test_what_a_careless_writer_wipes_is_told_as_it_is_now(time: PassingTime, shop: Shop) -> None:
    bare = {"email": "shopper3@mail.example", "firstname": "Given3", "lastname": "Family3"}
    assert written(shop, 3, bare).status_code == 200
    with source_at(serving(shop, Faults()), time) as source:
        (record,) = records(source, "customer", Window(since=CUT, until=CUT + timedelta(days=1)))
    assert isinstance(record.body, Person)
    assert (record.key.source_id, record.changed_at) == ("3", CUT)
    assert (record.body.given_name, record.body.addresses, record.body.loyalty) == ("Given3", (), ())


def test_a_writer_who_reads_first_wipes_nothing(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        before = {record.key.source_id: record for record in records(source, "customer")}["3"]
    whole = orjson.loads(before.raw)
    attributes = [*whole["custom_attributes"], {"attribute_code": "golden_id", "value": "p-7"}]
    assert written(shop, 3, {**whole, "custom_attributes": attributes}).status_code == 200
    with source_at(serving(shop, Faults()), time) as source:
        (after,) = records(source, "customer", Window(since=CUT, until=CUT + timedelta(days=1)))
    assert isinstance(before.body, Person)
    assert after.body == before.body.model_copy(update={"attributes": {**before.body.attributes, "golden_id": "p-7"}})


def test_a_writer_who_leaves_out_the_name_is_refused(shop: Shop) -> None:
    answer = written(shop, 3, {"email": "shopper3@mail.example", "firstname": "Given3"})
    assert (answer.status_code, answer.json()["parameters"]) == (400, {"fieldName": "lastname"})


def test_without_asking_nothing_is_said_about_the_newsletter(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults(), Habits(lists_consent=False)), time, details=()) as source:
        assert set(consents(records(source, "customer"))) == {0}
    assert not [one for one in shop.asked if one.endswith("/customers/1?")]


def test_a_customer_who_is_gone_when_details_are_read_is_told_as_listed(time: PassingTime, shop: Shop) -> None:
    def gone(path: str) -> None:
        if path == "/customers/2":
            shop.customers.pop(2, None)

    shop.before_answer = gone
    with source_at(serving(shop, Faults(), Habits(lists_consent=False)), time) as source:
        found = {record.key.source_id: record.body for record in records(source, "customer")}
    assert isinstance(found["2"], Person)
    assert found["2"].consents == ()


@pytest.mark.parametrize(("commerce", "credit"), [(True, "12.5000"), (False, None)])
def test_store_credit_is_read_where_the_shop_has_it(
    time: PassingTime, shop: Shop, commerce: bool, credit: str | None
) -> None:
    shop.balances[1, 1] = 12.5
    app = serving(shop, Faults(), Habits(commerce=commerce))
    with source_at(app, time, details=("balance",)) as source:
        person = next(record.body for record in records(source, "customer") if record.key.source_id == "1")
    assert isinstance(person, Person)
    assert person.attributes.get("store_credit") == credit
    asked = len([one for one in shop.asked if "/balance/" in one])
    assert asked == CUSTOMERS if commerce else asked <= 2, "elsewhere once, by each of the requests at a time"


def test_a_website_and_its_store_views_can_be_read_by_themselves(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time, websites=(2,)) as source:
        people = [record.body for record in records(source, "customer")]
        bought = [record.body for record in records(source, "order")]
        assert ids(source, "shipment") == ["1", "4", "7", "10"]
    assert {person.attributes["website_id"] for person in people if isinstance(person, Person)} == {"2"}
    assert {order.store for order in bought if isinstance(order, Order)} == {"3"}


def test_store_views_can_be_read_by_themselves(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time, store_ids=(1, 2)) as source:
        bought = [record.body for record in records(source, "order", SOME)]
    assert {order.store for order in bought if isinstance(order, Order)} == {"1", "2"}


def test_the_store_code_in_the_path_limits_nothing(time: PassingTime, shop: Shop) -> None:
    """Which is why what is to be read is said by ids."""
    with source_at(serving(shop, Faults()), time, store_code="view_3") as source:
        assert len(ids(source, "order")) == ORDERS - 1
    assert all(one.startswith("/rest/view_3/V1/") for one in shop.asked)


def test_a_website_without_store_views_is_a_mistake_in_the_settings(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time, websites=(9,)) as source, pytest.raises(Rejected, match="store view"):
        ids(source, "order")


def test_money_back_is_told_once_and_without_a_change_of_the_order(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        shop.creditmemos[4]["updated_at"] = CUT
        after = Window(since=CUT, until=CUT + timedelta(days=1))
        assert ids(source, "order", after) == []
        (record,) = records(source, "creditmemo", after)
    assert isinstance(record.body, Settlement)
    assert [(one.line, one.quantity) for one in record.body.returns] == [("10404", Decimal(1))]
    assert [one.refund_id for one in record.body.refunds] == ["4"]


def test_a_return_that_was_decided_is_found_by_a_delta_although_nobody_dates_it(time: PassingTime, shop: Shop) -> None:
    """Goods count once: a request to bring them back is an event, a credit memo tells that they came."""
    after = Window(since=hour(24), until=hour(48))
    with source_at(serving(shop, Faults()), time, returns_change_for_days=1) as source:
        assert ids(source, "return", Window(since=hour(48), until=CUT)) == []
        shop.decide_return(4, "authorized")
        found = {record.key.source_id: record for record in records(source, "return", after)}
    event = found["4"].body
    assert isinstance(event, Event)
    assert (event.event, event.at, event.customer, event.order) == ("return", hour(4), "4", "104")
    assert event.attributes == {"number": "000000004", "status": "authorized", "lines": "10404: 1"}
    assert found["4"].changed_at is None
    guest = found["2"].body
    assert isinstance(guest, Event)
    assert guest.customer is None


def test_the_open_source_edition_has_no_returns(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults(), Habits(commerce=False)), time) as source:
        assert ids(source, "return") == []
        with pytest.raises(Rejected):
            list(source.missing("return", ["1"]))


def test_transactions_are_those_of_orders_in_scope(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time, websites=(2,)) as source:
        assert ids(source, "transaction") == ids(source, "shipment") == ["1", "4", "7", "10"]


def test_a_credit_memo_that_is_saved_again_is_the_same_refund(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        [before] = [one for one in records(source, "creditmemo") if one.key.source_id == "4"]
        shop.creditmemos[4]["updated_at"] = CUT
        [after] = records(source, "creditmemo", Window(since=CUT, until=CUT + timedelta(days=1)))
    assert after.key == before.key
    assert after.body == before.body


def test_a_parcel_that_was_added_later_is_told_with_its_shipment(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        tracks = shop.shipments[4]["tracks"]
        shop.shipments[4].update(updated_at=CUT, tracks=[*tracks, {**tracks[0], "entity_id": 99, "track_number": "X"}])
        (record,) = records(source, "shipment", Window(since=CUT, until=CUT + timedelta(days=1)))
    assert isinstance(record.body, Settlement)
    assert [one.tracking_number for one in record.body.fulfilments] == ["JJD4", "X"]


def test_orders_are_asked_once_for_what_invoices_and_shipments_need(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        for object_ in ("invoice", "shipment", "creditmemo"):
            records(source, object_)
    assert len([one for one in shop.asked if "/orders?" in one]) == 3


def test_card_data_is_in_no_payload(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        raws = "".join(record.raw for object_ in source.objects for record in records(source, object_))
    assert "xxxx" not in raws
    assert "cc_" not in raws
    assert "CARD HOLDER" not in raws


def test_a_nonce_that_something_on_the_way_used_up_is_replaced(time: PassingTime, shop: Shop) -> None:
    faults = Faults(3, {"nonce_used": 0.3}, in_a_row=1)
    with source_at(serving(shop, faults), time) as source:
        assert len(ids(source, "order")) == ORDERS - 1
    assert faults.injected["nonce_used"] > 0


def test_a_bearer_token_is_refused_since_2_4_4_and_taken_where_it_is_switched_on(time: PassingTime, shop: Shop) -> None:
    chosen = {"auth": "bearer", "consumer_key": None, "consumer_secret": None, "access_token_secret": None}
    with source_at(serving(shop, Faults()), time, **chosen) as source, pytest.raises(SignInAgain) as refused:
        ids(source, "customer")
    assert "isn't authorized to access Magento_Customer::customer" in str(refused.value)
    assert TOKEN not in str(refused.value)
    with source_at(serving(shop, Faults(), Habits(bearer=True)), time, **chosen) as source:
        assert len(ids(source, "customer")) == CUSTOMERS - 1


ADMINISTRATOR = {"auth": "admin", "username": ADMIN, "password": PASSWORD}
SERVICE = {"auth": "ims", "client_id": CLIENT, "client_secret": CLIENT_SECRET}


@contextmanager
def signed_in(app: ASGIApp, time: PassingTime, **chosen: Any) -> Iterator[Source]:
    """With name and password, or by the identity service and in its address; without the secrets of an integration."""
    nobody = dict.fromkeys(("access_token", "access_token_secret", "consumer_key", "consumer_secret"))
    with running({"magento": app}) as urls:
        base = f"{urls['magento']}/tenant-1" if chosen["auth"] == "ims" else urls["magento"]
        found = settings(base, token_url=f"{urls['magento']}/ims/token/v3", **nobody, **chosen)
        yield connect(found, clock=time.clock, sleep=time.sleep)


@pytest.mark.parametrize(("chosen", "path"), [(ADMINISTRATOR, "/rest/all/V1/orders"), (SERVICE, "/tenant-1/V1/orders")])
def test_tokens_are_fetched_and_renewed_when_they_end_in_the_middle(
    time: PassingTime, shop: Shop, chosen: dict[str, str], path: str
) -> None:
    faults = Faults(5, {"token_expired": 0.3}, in_a_row=1)
    with signed_in(serving(shop, faults, clock=time.clock), time, details=(), **chosen) as source:
        assert len(ids(source, "order")) == ORDERS - 1
        before = faults.injected["token_expired"]
        assert before > 0
        time.sleep(25 * 3600)
        assert len(ids(source, "customer")) == CUSTOMERS - 1
    assert shop.asked[0].startswith(path)


@pytest.mark.parametrize("chosen", [ADMINISTRATOR | {"password": "another"}, SERVICE | {"client_secret": "another"},
                                    SERVICE | {"scope": "openid"}])  # fmt: skip
def test_who_is_not_known_is_told_so_without_the_secret(
    time: PassingTime, shop: Shop, chosen: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with signed_in(serving(shop, Faults()), time, **chosen) as source, pytest.raises(SignInAgain) as refused:
        ids(source, "order")
    assert "another" not in str(refused.value) + caplog.text
    assert shop.asked == []


def test_the_cloud_service_is_told_the_store_view_by_a_header(time: PassingTime) -> None:
    asked: list[tuple[str, str | None]] = []

    async def endpoint(request: Request) -> Response:
        asked.append((request.url.path, request.headers.get("store")))
        return JSONResponse({"access_token": "t", "items": [], "total_count": 0})

    app = Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])])
    with signed_in(app, time, **SERVICE, store_code="linden") as source:
        assert ids(source, "order") == []
    assert asked == [("/ims/token/v3", None), ("/tenant-1/V1/orders", "linden")]


@pytest.mark.parametrize(
    ("auth", "missing"),
    [("admin", "password, username"), ("ims", "client_id, client_secret"), ("bearer", "access_token")],
)
def test_each_way_to_sign_in_says_what_it_needs(auth: str, missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        settings("http://127.0.0.1:1", auth=auth, access_token=None)


def test_wrong_secrets_end_the_read_after_one_more_try(time: PassingTime, shop: Shop) -> None:
    with (
        source_at(serving(shop, Faults()), time, consumer_secret="another") as source,
        pytest.raises(SignInAgain, match="signature is invalid"),
    ):
        ids(source, "customer")
    assert shop.asked == []


def test_oauth_needs_all_four_secrets() -> None:
    with pytest.raises(ValidationError, match="access_token_secret, consumer_secret"):
        settings("http://127.0.0.1:1", consumer_secret=None, access_token_secret="")


@pytest.mark.parametrize("fault", ["throttled", "unavailable", "firewall", "challenged"])
def test_a_firewall_that_says_nothing_is_waited_out(time: PassingTime, shop: Shop, fault: str) -> None:
    faults = Faults(2, {fault: 0.3})
    with source_at(serving(shop, faults), time) as source:
        assert len(ids(source, "order")) == ORDERS - 1
    assert 0 < faults.injected[fault] <= len(time.slept)


def test_a_shop_that_refuses_large_pages_says_how_large_they_may_be(time: PassingTime, shop: Shop) -> None:
    app = serving(shop, Faults(), Habits(largest_page=3))
    with source_at(app, time) as source, pytest.raises(Rejected, match="pageSize is 3"):
        ids(source, "order")


def answering(told: object, status: int = 200) -> ASGIApp:
    """A shop that has one answer to everything."""

    async def endpoint(_: Request) -> Response:
        return told if isinstance(told, Response) else JSONResponse(told, status)

    return Starlette(routes=[Route("/{path:path}", endpoint)])


def row(number: int, at: datetime = SINCE) -> dict[str, Any]:
    return {"entity_id": number, "updated_at": f"{at:%Y-%m-%d %H:%M:%S}"}


@pytest.mark.parametrize(
    ("window", "told", "code"),
    [
        (EVERYTHING, {"items": [row(7)], "total_count": 2}, "no_progress"),
        (SOME, {"items": [row(7), row(8)], "total_count": 3}, "no_progress"),
        (SOME, {"items": [{"increment_id": "1"}], "total_count": 3}, "no_progress"),
        (SOME, {"items": [row(7, SINCE - timedelta(days=2))], "total_count": 1}, "filter_ignored"),
    ],
)
def test_a_shop_that_does_not_heed_the_filter_is_noticed(
    time: PassingTime, window: Window, told: object, code: str
) -> None:
    with source_at(answering(told), time) as source, pytest.raises(Rejected) as refused:
        ids(source, "order", window)
    assert refused.value.code == code


@pytest.mark.parametrize("told", [{"items": None, "total_count": 0}, {"items": [], "total_count": 0}, []])
def test_nothing_found_is_an_end_however_php_says_it(time: PassingTime, told: object) -> None:
    with source_at(answering(told), time) as source:
        assert ids(source, "order") == []


def test_an_answer_without_items_is_no_end(time: PassingTime) -> None:
    with source_at(answering({"maintenance": True}), time) as source, pytest.raises(TryLater):
        ids(source, "order")


def test_a_page_that_is_not_there_is_an_error(time: PassingTime) -> None:
    with (
        source_at(answering({"message": "Request does not match any route."}, 404), time) as source,
        pytest.raises(Rejected, match="not found"),
    ):
        ids(source, "order")


def answer(status: int, told: object) -> Answer:
    return Answer("magento: GET /orders", status, httpx.Headers(), orjson.dumps(told), "id-1")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"message": "Field %1 is not %2", "parameters": ["state", "known"]}, "Field state is not known"),
        (
            {"message": "No such entity with %fieldName = %fieldValue",
             "parameters": {"fieldName": "email", "fieldValue": "jo@mail.example"}},
            "No such entity with email = *",
        ),
        ({"message": "Customer %1 is locked", "parameters": ["jo@mail.example"]}, "Customer * is locked"),
        ({"message": "Rights to %resources are missing", "parameters": {"resources": "Magento_Sales::sales"}},
         "Rights to Magento_Sales::sales are missing"),
        ({"message": "%1 of %2", "parameters": []}, "%1 of %2"),
        (["no"], None),
    ],
)  # fmt: skip
def test_errors_are_told_with_their_parameters_and_without_contacts(told: object, said: str | None) -> None:
    assert said_by(answer(400, told)) == said


@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        (400, {"message": "no"}, Rejected),
        (401, {"message": "no"}, SignInAgain),
        (403, {"message": "no"}, SignInAgain),
        (403, ["no"], TryLater),
        (405, {"message": "no"}, Rejected),
        (429, ["no"], TryLater),
        (500, {"message": "no"}, TryLater),
        (503, ["no"], TryLater),
    ],
)
def test_errors_are_named_after_the_next_move(status: int, told: object, kind: type[OutsideError]) -> None:
    assert type(error_of(answer(status, told))) is kind
