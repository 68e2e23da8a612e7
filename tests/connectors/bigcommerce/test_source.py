"""Reading a store over HTTP: its paging, limits, dates and oddities."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import orjson
import pytest
from pydantic import SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.bigcommerce.api import wait_from
from connectors.bigcommerce.sandbox import STORE_HASH, TOKEN, serving
from connectors.bigcommerce.sandbox_shop import Shop
from connectors.bigcommerce.source import Settings, connect
from connectors.http import Answer
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.errors import OutsideError, Rejected, SignInAgain, TryLater
from models.landing import SourceRecord, Window
from models.orders import Order
from models.ports import Source
from models.records import Person
from tests.connectors.bigcommerce.scenario import BEGIN, CUT, ORDERS, SPOILT_ORDER, hour, world
from tests.connectors.conformance import PassingTime, read

EVERYTHING = Window(until=CUT)


@pytest.fixture
def time() -> PassingTime:
    return PassingTime()


@pytest.fixture
def shop() -> Shop:
    return world()


@contextmanager
def source_at(app: ASGIApp, time: PassingTime, **settings: Any) -> Iterator[Source]:
    usual = {"store_hash": STORE_HASH, "access_token": SecretStr(TOKEN), "page_size": 5, "parallel": 2}
    chosen = {**usual, "loyalty_namespace": "loyalty", **settings}
    with running({"bigcommerce": app}) as urls:
        yield connect(Settings(base_url=urls["bigcommerce"], **chosen), clock=time.clock, sleep=time.sleep)


def records(source: Source, object_: str, window: Window = EVERYTHING) -> list[SourceRecord]:
    return [record for page in source.pages(object_, window) for record in page.records]


def ids(source: Source, object_: str, window: Window = EVERYTHING) -> list[str]:
    return [record.key.source_id for record in records(source, object_, window)]


def deaf_to(app: ASGIApp, *names: str) -> ASGIApp:
    """The store as if it had never heard of these parameters."""

    async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
        heard = [(name, value) for name, value in parse_qsl(scope["query_string"].decode()) if name not in names]
        await app({**scope, "query_string": urlencode(heard).encode()}, receive, send)

    return deaf


def test_the_quota_of_the_store_is_never_overdrawn(time: PassingTime, shop: Shop) -> None:
    store = serving(shop, Faults(), quota=40, clock=lambda: time.clock().timestamp())
    statuses: list[int] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            statuses.extend([message["status"]] if message["type"] == "http.response.start" else [])
            await send(message)

        await store(scope, receive, noting)

    with source_at(watched, time, keep_free=5) as source:
        told = read(source, EVERYTHING)
    assert len(told.records) == len(read_quietly(shop))
    assert sum(time.slept) >= 30
    assert len(statuses) > 100
    assert 429 not in statuses


def read_quietly(shop: Shop) -> list[SourceRecord]:
    with source_at(serving(shop, Faults()), PassingTime()) as source:
        return read(source, EVERYTHING).records


@pytest.mark.parametrize("fault", ["throttled", "throttled_of_old", "overloaded"])
def test_every_kind_of_429_is_waited_out(time: PassingTime, shop: Shop, fault: str) -> None:
    faults = Faults(2, {fault: 0.3})
    with source_at(serving(shop, faults), time) as source:
        assert len(ids(source, "order")) == ORDERS - 1
    assert 0 < faults.injected[fault] <= len(time.slept)


@pytest.mark.parametrize(
    "told", [{}, {"X-Rate-Limit-Time-Reset-Ms": "NaN"}, {"X-Retry-After": ""}, {"Retry-After": "soon"}]
)
def test_a_429_that_does_not_say_how_long_leaves_the_wait_to_the_door(told: dict[str, str]) -> None:
    assert wait_from(10)(Answer("asked", 429, httpx.Headers(told), b"", "id")) is None


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"X-Rate-Limit-Time-Reset-Ms": "1500", "X-Rate-Limit-Requests-Left": "0"}, 1.5),
        ({"x-rate-limit-time-reset-ms": "1500"}, 1.5),
        ({"X-Retry-After": "7"}, 7.0),
        ({"Retry-After": "9"}, 9.0),
    ],
)
def test_a_429_that_says_how_long_is_obeyed_whatever_the_header(told: dict[str, str], seconds: float) -> None:
    assert wait_from(10)(Answer("asked", 429, httpx.Headers(told), b"", "id")) == seconds


def test_numbers_that_come_as_text_now_and_then_are_the_same_orders(time: PassingTime, shop: Shop) -> None:
    faults = Faults(3, {"retyped": 0.5})
    with source_at(serving(shop, faults), time) as source:
        told = {record.key: record.body for record in records(source, "order")}
    assert faults.injected["retyped"] > 0
    assert told == {record.key: record.body for record in read_quietly(shop) if record.key.object == "order"}


def test_a_filter_that_the_store_does_not_know_stops_the_read(time: PassingTime, shop: Shop) -> None:
    app = deaf_to(serving(shop, Faults()), "min_date_modified", "date_modified:min")
    with source_at(app, time) as source:
        for object_ in ("customer", "order"):
            with pytest.raises(Rejected) as raised:
                ids(source, object_, Window(since=BEGIN + timedelta(days=10), until=CUT))
            assert raised.value.code == "filter_ignored"


def test_pages_that_do_not_advance_stop_the_read(time: PassingTime, shop: Shop) -> None:
    with source_at(deaf_to(serving(shop, Faults()), "min_id", "after"), time) as source:
        for object_ in ("customer", "order"):
            with pytest.raises(Rejected) as raised:
                ids(source, object_)
            assert raised.value.code == "no_progress"


def test_a_store_that_tells_its_cursor_only_once_is_read_to_the_end(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults(), tells_every_cursor=False), time) as source:
        assert len(ids(source, "customer")) == len(shop.customers) - 1


def test_a_store_without_consignments_tells_the_same_goods_and_buyers(time: PassingTime, shop: Shop) -> None:
    def told(app: ASGIApp) -> list[object]:
        with source_at(app, time) as source:
            orders = [one.body for one in records(source, "order") if isinstance(one.body, Order)]
        return [(order.number, order.lines, order.person, order.total) for order in orders]

    assert told(serving(shop, Faults(), shows_consignments=False)) == told(serving(shop, Faults()))


def test_addresses_beyond_the_ten_that_come_along_are_fetched(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        bodies = {record.key.source_id: record.body for record in records(source, "customer")}
    person = bodies["5"]
    assert isinstance(person, Person)
    assert len(person.addresses) == 12


def test_an_address_edit_that_leaves_no_date_is_found_by_a_full_read(time: PassingTime, shop: Shop) -> None:
    shop.edit_address(3, 0, address1="9 Harbour Row")
    with source_at(serving(shop, Faults()), time) as source:
        assert ids(source, "customer", Window(since=hour(24), until=CUT)) == []
        moved = {record.key.source_id: record.body for record in records(source, "customer")}["3"]
    assert isinstance(moved, Person)
    assert moved.addresses[0].line1 == "9 Harbour Row"


def test_a_window_includes_its_beginning_and_excludes_its_end(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        assert ids(source, "order", Window(since=hour(12), until=hour(15))) == ["112", "113", "114"]
        assert ids(source, "order", Window(since=hour(9), until=hour(12))) == ["109", "110", "111"]


def test_an_archived_order_is_in_no_list_but_its_refund_still_knows_the_currency(time: PassingTime, shop: Shop) -> None:
    shop.archive_order(108, hour(30))
    with source_at(serving(shop, Faults()), time) as source:
        assert "108" not in ids(source, "order")
        assert "8" in ids(source, "refund")


def test_a_refund_of_an_order_that_cannot_be_is_refused_and_no_path_is_made_of_it(
    time: PassingTime, shop: Shop
) -> None:
    shop.refunds[2]["order_id"] = "../../v3/customers"
    with source_at(serving(shop, Faults()), time) as source:
        pages = list(source.pages("refund", EVERYTHING))
    assert [refusal.source_id for page in pages for refusal in page.refused] == ["2"]
    assert sum(len(page.records) for page in pages) == len(shop.refunds) - 1
    assert not any("customers" in asked for asked in shop.asked)


def test_an_order_that_vanishes_between_list_and_parts_still_lands(time: PassingTime, shop: Shop) -> None:
    order = shop.orders[112]

    def vanish(path: str) -> None:
        if path.startswith("/v2/orders/112/"):
            shop.orders.pop(112, None)

    shop.before_answer = vanish
    with source_at(serving(shop, Faults()), time) as source:
        assert "112" in ids(source, "order")
    shop.orders[112] = order


def test_only_parts_that_can_exist_are_asked_for(time: PassingTime, shop: Shop) -> None:
    nothing = {"items_shipped": 0, "coupon_discount": "0.0000", "total_tax": "0.0000", "total_inc_tax": "0.0000"}
    shop.orders[112].update(nothing)
    with source_at(serving(shop, Faults()), time, loyalty_namespace=None) as source:
        assert "112" in ids(source, "order")
    assert not any("/orders/112/" in path for path in shop.asked)
    assert any("/v3/orders/111/transactions" in path for path in shop.asked)


def test_an_order_that_cannot_be_read_leaves_its_neighbours(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time) as source:
        pages = list(source.pages("order", EVERYTHING))
    (refusal,) = [refusal for page in pages for refusal in page.refused]
    assert (refusal.source_id, refusal.reasons[0].path) == (str(SPOILT_ORDER), "total_inc_tax")
    assert sum(len(page.records) for page in pages) == ORDERS - 1
    assert all(page.correlation_id for page in pages)


def test_an_order_without_an_id_leaves_its_neighbours(time: PassingTime, shop: Shop) -> None:
    pages = [
        orjson.dumps(
            [{"status": "Lost"}, {**shop.orders[101], "date_created": None, "date_modified": None}], default=str
        )
    ]

    async def orders(_: Request) -> Response:
        return Response(pages.pop(), media_type="application/json") if pages else Response(status_code=204)

    app = Starlette(routes=[Route(f"/stores/{STORE_HASH}/v2/orders", orders)])
    with source_at(app, time, details=(), loyalty_namespace=None) as source:
        refused = [refusal for page in source.pages("order", EVERYTHING) for refusal in page.refused]
    assert [refusal.source_id for refusal in refused] == [None, "101"]
    assert "id" in {reason.path for reason in refused[0].reasons}


def test_a_store_that_goes_down_fails_after_what_it_told(time: PassingTime, shop: Shop) -> None:
    def go_down(path: str) -> None:
        if len(shop.asked) > 3:
            raise ConnectionResetError("down")

    shop.before_answer = go_down
    with source_at(serving(shop, Faults()), time) as source:
        pages = source.pages("customer", EVERYTHING)
        assert len(next(pages).records) == 5
        with pytest.raises(TryLater):
            list(pages)


def test_a_token_that_is_refused_is_for_a_person_to_look_at(time: PassingTime, shop: Shop) -> None:
    app = serving(shop, Faults())
    with source_at(app, time, access_token=SecretStr("stale")) as source, pytest.raises(SignInAgain) as raised:
        ids(source, "customer")
    assert "stale" not in str(raised.value)


def test_a_store_that_is_not_there_is_no_empty_store(time: PassingTime, shop: Shop) -> None:
    with source_at(serving(shop, Faults()), time, store_hash="elsewhere") as source, pytest.raises(OutsideError):
        ids(source, "order")


@pytest.mark.parametrize("wrong", [{"page_size": 500}, {"store_hash": "../etc"}, {"parallel": 9}, {"token": "x"}])
def test_settings_refuse_what_the_vendor_would(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**{"store_hash": "abc", "access_token": "t", **wrong})


def test_settings_do_not_show_the_token() -> None:
    assert "hush" not in repr(Settings(store_hash="abc", access_token=SecretStr("hush")))


class TestSandbox:
    """The vendor's oddities, as a client without manners sees them."""

    @pytest.fixture
    def client(self, shop: Shop) -> Iterator[httpx.Client]:
        with running({"shop": serving(shop, Faults(), quota=6, clock=lambda: 0.0)}) as urls:
            base = f"{urls['shop']}/stores/{STORE_HASH}"
            with httpx.Client(base_url=base, headers={"X-Auth-Token": TOKEN}) as client:
                yield client

    def test_an_empty_page_of_v2_is_204_without_a_body(self, client: httpx.Client) -> None:
        answer = client.get("/v2/orders", params={"page": 99})
        assert (answer.status_code, answer.content) == (204, b"")

    def test_dates_are_rfc_2822_in_v2_and_iso_in_v3(self, client: httpx.Client) -> None:
        assert client.get("/v2/orders").json()[0]["date_modified"] == "Thu, 01 Jan 2026 01:00:00 +0000"
        assert client.get("/v3/customers").json()["data"][0]["date_modified"] == "2026-01-01T01:00:00Z"

    def test_a_page_over_250_is_413_with_the_limit(self, client: httpx.Client) -> None:
        answer = client.get("/v2/orders", params={"limit": 251})
        assert answer.status_code == 413
        assert answer.json()[0]["details"] == {"max_limit": 250}

    def test_errors_are_a_list_in_v2_and_an_object_in_v3(self, client: httpx.Client) -> None:
        assert client.get("/v2/orders/1", headers={"X-Auth-Token": "no"}).json()[0]["status"] == 401
        assert client.get("/v3/customers", headers={"X-Auth-Token": "no"}).json()["status"] == 401

    def test_a_parameter_or_date_it_does_not_know_filters_nothing(self, client: httpx.Client) -> None:
        for params in ({"modified_since": "2030-01-01"}, {"min_date_modified": "yesterday"}):
            assert len(client.get("/v2/orders", params={**params, "limit": 250}).json()) == ORDERS

    def test_every_answer_tells_the_quota_and_the_last_one_is_429(self, client: httpx.Client) -> None:
        answers = [client.get("/v3/customers", params={"limit": 1}) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 6 + [429]
        assert [answer.headers["x-rate-limit-requests-left"] for answer in answers[:2]] == ["5", "4"]
        assert answers[-1].headers["x-rate-limit-time-reset-ms"] == "30000"

    def test_the_page_that_was_asked_for_by_a_cursor_may_not_tell_the_next(self, shop: Shop) -> None:
        with running({"shop": serving(shop, Faults(1, {"cursorless": 1.0}, in_a_row=9))}) as urls:
            told = httpx.get(f"{urls['shop']}/stores/{STORE_HASH}/v3/customers", headers={"X-Auth-Token": TOKEN}).json()
        assert (len(told["data"]), "cursor_pagination" in told["meta"]) == (len(shop.customers), False)

    def test_an_archived_order_is_readable_by_its_id(self, client: httpx.Client, shop: Shop) -> None:
        shop.archive_order(110, datetime(2026, 2, 1, tzinfo=UTC))
        assert client.get("/v2/orders/110").json()["is_deleted"] is True
        assert client.get("/v2/orders", params={"min_id": 110, "max_id": 110}).status_code == 204
