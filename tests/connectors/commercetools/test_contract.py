"""Independent judges: the vendor's own example payloads, and a server that other people wrote."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr

from connectors.commercetools.api import stamp
from connectors.commercetools.reading import ShopFields
from connectors.commercetools.source import Settings, connect
from connectors.commercetools.translate import translate
from models.landing import SourceRecord, Window
from models.orders import Order, Settlement
from models.records import Person
from tests.connectors.commercetools.contract import shared, violations
from tests.connectors.commercetools.project import Clock, raw, records

NEXT_YEAR = Window(until=datetime(2100, 1, 1, tzinfo=UTC))
PROJECT = "demo"


def example(name: str) -> Any:
    return orjson.loads(shared("examples", f"{name}.example.json").read_bytes())


def accepted(kind: str, payload: object) -> SourceRecord:
    found = translate(kind, raw(payload), ShopFields())
    assert isinstance(found, SourceRecord), found
    return found


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", ["customer", "customer-update-response"])
def test_the_vendors_customers_translate_without_loss(name: str) -> None:
    told = example(name)
    record = accepted("customer", told)
    assert isinstance(record.body, Person)
    assert (record.key.source_id, record.changed_at) == (told["id"], datetime.fromisoformat(told["lastModifiedAt"]))
    person = record.body
    assert (person.given_name, person.family_name) == (told["firstName"], told["lastName"])
    assert (person.contact_points[0].value, person.contact_points[0].verified) == (told["email"], False)
    for address, one in zip(person.addresses, told["addresses"], strict=True):
        assert (address.street, address.house_number) == (one["streetName"], one["streetNumber"])
        assert (address.postcode, address.city, address.country) == (one["postalCode"], one["city"], one["country"])


@pytest.mark.needs_shared
def test_the_vendors_order_translates_without_loss() -> None:
    told = example("order")
    order = accepted("order", told).body
    assert isinstance(order, Order)
    assert (order.customer, order.status, order.number) == (told["customerId"], "Open", told["id"])
    (line,) = order.lines
    assert (line.sku, line.name, line.quantity) == ("some-sku-123", "MyProduct", Decimal(1))
    assert (line.amount.amount, line.amount.currency) == (Decimal("10.00"), "EUR")
    (tax,) = line.taxes
    assert (tax.name, tax.rate, tax.amount.amount, tax.included) == ("Bla", Decimal("0.1"), Decimal("6.34"), False)


@pytest.mark.needs_shared
def test_the_vendors_imported_order_translates_with_its_custom_line() -> None:
    order = accepted("order", example("order-import-create")).body
    assert isinstance(order, Order)
    assert (order.number, order.customer, order.total.amount) == ("100000001", None, Decimal("42.00"))
    assert [(line.sku, line.name) for line in order.lines] == [("mySlug", "Name EN")]


@pytest.mark.needs_shared
def test_the_vendors_payment_moved_no_money_yet() -> None:
    payment = accepted("payment", example("payment")).body
    assert isinstance(payment, Settlement)
    assert (payment.tenders, payment.refunds) == ((), ())


@pytest.mark.needs_shared
@pytest.mark.parametrize(("name", "kind"), [("customers", "customer"), ("orders", "order"), ("payments", "payment")])
def test_all_of_the_vendors_listed_resources_translate(name: str, kind: str) -> None:
    for told in example(name)["results"]:
        assert accepted(kind, told).key.source_id == told["id"]


class Neighbour:
    """The server of other people, as someone who sets up a shop there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, trust_env=False)
        form = {"grant_type": "client_credentials", "scope": f"manage_project:{PROJECT}"}
        told = self._http.post("/oauth/token", params=form, data=form, auth=("client", "secret")).json()
        self._http.headers["Authorization"] = f"Bearer {told['access_token']}"

    def post(self, path: str, body: object) -> dict[str, Any]:
        answer = self._http.post(f"/{PROJECT}/{path}", json=body)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def sign_up(self, number: int) -> dict[str, Any]:
        draft = {"email": f"{os.urandom(6).hex()}@example.com", "password": "p", "firstName": f"Given{number}"}
        told: dict[str, Any] = self.post("customers", draft)["customer"]
        return told


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _started(home: Path) -> Iterator[str]:
    port = _free_port()
    # Node looks for packages beside the script, so the script goes where they are.
    script = Path(shutil.copy(shared("mock", "server-sorted.mjs"), home / f"server-{port}.mjs"))
    environment = {**os.environ, "PORT": str(port), "CT_AUTH": "1"}
    try:
        with subprocess.Popen(["node", script.name], cwd=home, env=environment, stdout=subprocess.PIPE) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline(), "the server of other people did not start"
                yield f"http://127.0.0.1:{port}"
            finally:
                server.terminate()
    finally:
        script.unlink()


@pytest.fixture(scope="module")
def neighbour() -> Iterator[Neighbour]:
    """At COMMERCETOOLS_MOCK_URL, or started from the npm package in the folder COMMERCETOOLS_MOCK_HOME."""
    url, home = os.environ.get("COMMERCETOOLS_MOCK_URL"), os.environ.get("COMMERCETOOLS_MOCK_HOME")
    if url:
        yield Neighbour(url)
    elif home and shutil.which("node"):
        with _started(Path(home)) as started:
            yield Neighbour(started)
    else:
        pytest.skip(
            "needs @labdigital/commercetools-mock: a running one at COMMERCETOOLS_MOCK_URL, "
            "or Node and its install in the folder COMMERCETOOLS_MOCK_HOME"
        )


def _settings(url: str, **changes: Any) -> Settings:
    secret = SecretStr("secret")
    found: Settings = Settings(
        project_key=PROJECT, client_id="client", client_secret=secret, auth_url=url, api_url=url, **changes
    )
    return found


@pytest.mark.needs_shared
def test_a_server_of_other_people_is_read_completely(neighbour: Neighbour) -> None:
    signed_up = {neighbour.sign_up(number)["id"] for number in range(23)}
    clock = Clock()
    source = connect(_settings(neighbour.url, page_size=5), clock=clock, sleep=clock.sleep)
    told = [record.key.source_id for record in records(source, "customer", NEXT_YEAR)]
    assert signed_up <= set(told)
    assert len(told) == len(set(told))


@pytest.mark.needs_shared
def test_a_change_between_two_pages_of_other_people_loses_nobody(neighbour: Neighbour) -> None:
    signed_up = [neighbour.sign_up(number) for number in range(12)]
    clock = Clock()
    source = connect(_settings(neighbour.url, page_size=4), clock=clock, sleep=clock.sleep)
    walk = source.pages("customer", NEXT_YEAR)
    told = list(next(walk).records)
    first = signed_up[0]
    change = {"version": first["version"], "actions": [{"action": "setFirstName", "firstName": "Changed"}]}
    neighbour.post(f"customers/{first['id']}", change)
    told += [record for page in walk for record in page.records]
    latest = {record.key.source_id: record.raw for record in told}
    assert {each["id"] for each in signed_up} <= set(latest)
    assert '"firstName":"Changed"' in latest[first["id"]]


@pytest.mark.needs_shared
def test_a_window_of_other_people_holds_what_changed_in_it(neighbour: Neighbour) -> None:
    before = neighbour.sign_up(1)
    inside = before
    while inside["lastModifiedAt"] == before["lastModifiedAt"]:
        inside = neighbour.sign_up(2)
    since = datetime.fromisoformat(inside["lastModifiedAt"])
    clock = Clock()
    source = connect(_settings(neighbour.url), clock=clock, sleep=clock.sleep)
    told = {record.key.source_id for record in records(source, "customer", Window(since=since, until=NEXT_YEAR.until))}
    assert inside["id"] in told
    assert before["id"] not in told


@pytest.mark.needs_shared
def test_orders_and_refunds_of_other_people_arrive(neighbour: Neighbour) -> None:
    amount = {"currencyCode": "JPY", "centAmount": 5940}
    payment = neighbour.post("payments", {"amountPlanned": amount, "paymentMethodInfo": {"method": "CREDIT_CARD"}})
    steps = [
        {"action": "addTransaction", "transaction": {"type": kind, "state": "Success", "amount": amount}}
        for kind in ("Charge", "Refund")
    ]
    neighbour.post(f"payments/{payment['id']}", {"version": payment["version"], "actions": steps})
    slug = f"wrap-{os.urandom(4).hex()}"
    draft = {
        "orderNumber": slug,
        "customerEmail": "guest@example.com",
        "totalPrice": amount,
        "billingAddress": {"country": "JP", "firstName": "Taro", "lastName": "Sato"},
        "customLineItems": [
            {
                "name": {"en": "Wrap"},
                "slug": slug,
                "quantity": 1,
                "money": amount,
                "taxCategory": {"typeId": "tax-category", "id": "x"},
            }
        ],
        "paymentInfo": {"payments": [{"typeId": "payment", "id": payment["id"]}]},
    }
    neighbour.post("orders/import", draft)
    clock = Clock()
    source = connect(_settings(neighbour.url), clock=clock, sleep=clock.sleep)
    orders = {
        each.body.number: each.body for each in records(source, "order", NEXT_YEAR) if isinstance(each.body, Order)
    }
    order = orders[slug]
    assert (order.customer, order.total.amount, order.total.currency) == (None, Decimal(5940), "JPY")
    assert order.person is not None
    assert order.person.family_name == "Sato"
    settled = {record.key.source_id: record.body for record in records(source, "payment", NEXT_YEAR)}
    found = settled[payment["id"]]
    assert isinstance(found, Settlement)
    assert [(tender.tender, tender.amount.amount) for tender in found.tenders] == [("CREDIT_CARD", Decimal(5940))]
    assert [refund.amount.amount for refund in found.refunds] == [Decimal(5940)]


@pytest.mark.needs_shared
def test_seeded_mistakes_in_a_resource_break_the_vendors_contract() -> None:
    good = example("customer")
    assert violations("Customer", good) == []
    mistakes: list[dict[str, Any]] = [
        {"version": "1"},
        {"addresses": {}},
        {"email": None},
        {"authenticationMode": "Guess"},
    ]
    for wrong in mistakes:
        assert violations("Customer", good | wrong)


def test_our_times_sort_as_text_as_they_do_as_times() -> None:
    moments = [datetime(2026, 1, 1, 0, 0, 0, ms * 1000, tzinfo=UTC) for ms in (0, 5, 50, 500, 999)]
    assert sorted(map(stamp, moments)) == list(map(stamp, moments))
