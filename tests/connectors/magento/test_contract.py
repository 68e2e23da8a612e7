"""The vendor's own OpenAPI and examples as the judge, and somebody else's client as a reader of the sandbox."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import httpx
import orjson
import pytest
import yaml
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from connectors.magento.sandbox import serving
from connectors.magento.sandbox_auth import TOKEN
from connectors.magento.sandbox_habits import Habits
from connectors.magento.sandbox_shop import Shop
from connectors.magento.terms import Terms
from connectors.magento.translate import translate
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.landing import SourceRecord, Window
from models.orders import Settlement
from models.records import Person
from tests.connectors.conformance import ROOT, PassingTime, read
from tests.connectors.magento.scenario import CUSTOMERS, CUT, FOLLOWING, ORDERS, SINCE, hour, world
from tests.connectors.magento.test_source import source_at

SHARED = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared"))
CONTRACT = SHARED / "contracts" / "magento"
OPENAPI = CONTRACT / "openapi" / "admin-2.4.9-subset.yaml"

needs_contract = pytest.mark.skipif(not OPENAPI.is_file(), reason=f"the vendor's OpenAPI does not lie at {OPENAPI}")

PATHS = {
    "customers/search": "/V1/customers/search",
    "customers/{}": "/V1/customers/{customerId}",
    "customers/{}/balance/{}": "/V1/customers/{customerId}/balance/{websiteId}",
    "orders": "/V1/orders",
    "orders/{}": "/V1/orders/{id}",
    "invoices": "/V1/invoices",
    "shipments": "/V1/shipments",
    "creditmemos": "/V1/creditmemos",
    "transactions": "/V1/transactions",
    "returns": "/V1/returns",
    "store/storeViews": "/V1/store/storeViews",
}


@cache
def document() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    told: dict[str, Any] = yaml.load(OPENAPI.read_text(), Loader=loader)
    return told


def validator(path: str, status: str = "200") -> Draft4Validator:
    registry: Registry[Any] = Registry().with_resource("page", Resource.from_contents(document(), DRAFT4))
    schema = document()["paths"][PATHS[path]]["get"]["responses"][status]["schema"]
    return Draft4Validator(_rooted(schema), registry=registry)


def _rooted(told: Any) -> Any:
    if isinstance(told, list):
        return [_rooted(part) for part in told]
    if not isinstance(told, dict):
        return told
    return {key: f"page{value}" if key == "$ref" else _rooted(value) for key, value in told.items()}


def template_of(path: str) -> str:
    inner = path.partition("/V1/")[2]
    return "/".join("{}" if part.isdigit() else part for part in inner.split("/"))


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[httpx.Client, str]]:
    """Everything as the vendor would have it: nothing spoilt."""
    kept = world()
    kept.orders[105]["grand_total"] = kept.orders[104]["grand_total"]
    kept.customers[8]["created_at"] = kept.customers[7]["created_at"]
    kept.invoices[3]["order_currency_code"] = "GBP"
    with (
        running({"shop": serving(kept, Faults(), Habits(bearer=True, largest_page=1000))}) as urls,
        httpx.Client(base_url=urls["shop"], headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        yield client, urls["shop"]


@needs_contract
@pytest.mark.needs_shared
@pytest.mark.parametrize(
    "path",
    [
        "customers/search",
        "customers/3",
        "customers/3/balance/1",
        "orders",
        "orders/101",
        "invoices",
        "shipments",
        "creditmemos",
        "transactions",
        "returns",
        "store/storeViews",
    ],
)
def test_the_sandbox_answers_in_the_vendor_s_shapes(shop: tuple[httpx.Client, str], path: str) -> None:
    answer = shop[0].get(f"/rest/all/V1/{path}?searchCriteria[pageSize]=20")
    assert answer.status_code == 200
    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in validator(template_of(f"/V1/{path}")).iter_errors(answer.json())
    ]
    # The vendor requires them and leaves them out itself when there is nothing to tell.
    left_out = ("'base_cost' is a required", "'account_status' is a required")
    assert not [problem for problem in problems if not any(name in problem for name in left_out)]


@needs_contract
@pytest.mark.needs_shared
def test_the_sandbox_says_no_in_the_vendor_s_shape(shop: tuple[httpx.Client, str]) -> None:
    refused = httpx.get(f"{shop[1]}/rest/all/V1/orders")
    assert refused.status_code == 401
    told = refused.json()
    assert told.pop("parameters") == {"resources": "Magento_Customer::customer"}  # the page knows lists of them only
    assert validator("orders", "401").is_valid(told)


@needs_contract
@pytest.mark.needs_shared
def test_the_judge_notices_a_wrong_shape(shop: tuple[httpx.Client, str]) -> None:
    told = shop[0].get("/rest/all/V1/shipments?searchCriteria[pageSize]=1").json()
    judge = validator("shipments")
    assert judge.is_valid(told)
    assert not judge.is_valid({**told, "total_count": "many"})
    assert not judge.is_valid({**told, "items": [{**told["items"][0], "tracks": [{"title": 5}]}]})


@needs_contract
@pytest.mark.needs_shared
def test_everything_we_ask_is_the_vendor_s() -> None:
    """Other places in a list than the first are the vendor's too: its page shows the first of each."""
    app = serving(kept := world(), Faults(), Habits(lists_consent=False))
    with source_at(app, PassingTime(), websites=(1, 2), details=("consent", "balance")) as source:
        read(source, Window(until=CUT))
        read(source, Window(since=SINCE, until=CUT))
    asked: list[tuple[str, list[tuple[str, str]]]] = [
        (template_of(path), parse_qsl(query)) for path, _, query in (one.partition("?") for one in kept.asked)
    ]
    assert {path for path, _ in asked} <= set(PATHS)
    for path, query in asked:
        known = {one["name"] for one in document()["paths"][PATHS[path]]["get"].get("parameters", ())}
        # Shown apart from the page, for every end point.
        known.add("fields")
        assert {_first(name) for name, _ in query} <= known, path


def _first(name: str) -> str:
    return "".join("0" if letter.isdigit() else letter for letter in name)


EXAMPLES = {
    "create-customer__01": "customer",
    "order-create-customer__01": "customer",
    "company-users__02": "customer",
    "order-create-invoice__01": "invoice",
}


@needs_contract
@pytest.mark.needs_shared
@pytest.mark.parametrize(("name", "object_"), EXAMPLES.items())
def test_the_vendor_s_examples_are_understood(name: str, object_: str) -> None:
    raw = (CONTRACT / "examples" / f"{name}.json").read_text()
    told, record = orjson.loads(raw), translate(object_, raw, Terms())
    assert isinstance(record, SourceRecord), record
    assert record.changed_at is not None
    assert f"{record.changed_at:%Y-%m-%d %H:%M:%S}" == told["updated_at"]
    if isinstance(record.body, Person):
        _keeps_person(told, record.body)
    else:
        assert isinstance(record.body, Settlement)
        assert record.body.order == str(told["order_id"])
        assert [tender.amount.amount for tender in record.body.tenders] == [told["grand_total"]]


def _keeps_person(told: dict[str, Any], person: Person) -> None:
    assert (person.given_name, person.family_name) == (told["firstname"], told["lastname"])
    phones = {place["telephone"] for place in told["addresses"]}
    assert {point.value for point in person.contact_points} == {told["email"]} | phones
    assert [(place.line1, place.city, place.postcode, place.region, place.country) for place in person.addresses] == [
        (place["street"][0], place["city"], place["postcode"], place["region"]["region"], place["country_id"])
        for place in told["addresses"]
    ]
    assert len(person.consents) == ("is_subscribed" in told.get("extension_attributes", {}))


def test_the_sandbox_repeats_its_last_page_past_the_end(shop: tuple[httpx.Client, str]) -> None:
    order = "searchCriteria[sortOrders][0][field]=entity_id&searchCriteria[sortOrders][0][direction]=ASC"
    pages = [
        shop[0].get(f"/rest/V1/orders?{order}&searchCriteria[pageSize]=10&searchCriteria[currentPage]={page}").json()
        for page in (4, 5, 99)
    ]
    assert [[one["entity_id"] for one in page["items"]] for page in pages] == [[131]] * 3
    assert {page["total_count"] for page in pages} == {ORDERS}


def test_the_sandbox_sorts_downwards_unless_it_is_told_otherwise(shop: tuple[httpx.Client, str]) -> None:
    told = shop[0].get("/rest/V1/orders?searchCriteria[sortOrders][0][field]=entity_id").json()
    assert [one["entity_id"] for one in told["items"]] == list(range(100 + ORDERS, 100, -1))


@pytest.mark.parametrize("field", ["items", "billing_address", "a b"])
def test_the_sandbox_searches_what_stands_at_the_top_only(shop: tuple[httpx.Client, str], field: str) -> None:
    filtered = "searchCriteria[filter_groups][0][filters][0]"
    answer = shop[0].get(f"/rest/V1/orders?{filtered}[field]={field}&{filtered}[value]=1")
    assert answer.status_code == 400
    assert answer.json() == {"message": "Column %1 cannot be searched", "parameters": [field]}


@pytest.fixture
def client_library() -> ModuleType:
    library: ModuleType = pytest.importorskip("magento", reason="pymagento, an independent client, is not installed")
    return library


def test_an_independent_client_reads_the_sandbox_to_its_end(
    client_library: ModuleType, shop: tuple[httpx.Client, str]
) -> None:
    """It goes by page numbers and stops on `total_count`, as one must where the page past the end repeats the last."""
    client = client_library.Magento(token=TOKEN, base_url=shop[1], batch_page_size=4)
    by_id = {"searchCriteria[sortOrders][0][field]": "entity_id", "searchCriteria[sortOrders][0][direction]": "ASC"}
    assert [one["id"] for one in client.get_customers(query=by_id)] == list(range(1, CUSTOMERS + 1))
    assert [one["entity_id"] for one in client.get_orders(query=by_id)] == list(range(101, 101 + ORDERS))
    assert len(list(client.get_invoices(query=by_id))) == FOLLOWING
    assert len(list(client.get_shipments(query=by_id))) == FOLLOWING
    assert len(list(client.get_credit_memos(query=by_id))) == FOLLOWING


def test_an_independent_client_that_says_no_order_loses_rows(
    client_library: ModuleType, shop: tuple[httpx.Client, str]
) -> None:
    client = client_library.Magento(token=TOKEN, base_url=shop[1], batch_page_size=4)
    found = [one["entity_id"] for one in client.get_orders()]
    assert len(found) == ORDERS
    assert len(set(found)) < ORDERS


def test_an_independent_client_finds_one_record_and_what_belongs_to_it(
    client_library: ModuleType, shop: tuple[httpx.Client, str]
) -> None:
    client = client_library.Magento(token=TOKEN, base_url=shop[1])
    assert client.get_customer(3)["email"] == "shopper3@mail.example"
    assert client.get_order(101)["increment_id"] == client.get_order_by_increment_id("300000101")["increment_id"]
    assert [one["entity_id"] for one in client.get_order_shipments(101)] == [1]
    assert client.get_total_orders_count() == ORDERS
    with pytest.raises(client_library.MagentoException):
        client.get_order(999, none_on_404=False)


def test_an_independent_client_and_ours_find_the_same_changes(
    client_library: ModuleType, shop: tuple[httpx.Client, str]
) -> None:
    client = client_library.Magento(token=TOKEN, base_url=shop[1], batch_page_size=3)
    query = client_library.make_search_query(
        [
            [("updated_at", f"{SINCE:%Y-%m-%d %H:%M:%S}", "gteq")],
            [("updated_at", f"{hour(20):%Y-%m-%d %H:%M:%S}", "lt")],
        ],
        sort_orders=[("updated_at", "ASC"), ("entity_id", "ASC")],
    )
    theirs = {str(one["id"]) for one in client.get_customers(query=query)}
    kept: Shop = world()
    with source_at(serving(kept, Faults()), PassingTime()) as source:
        pages = list(source.pages("customer", Window(since=SINCE, until=hour(20))))
    assert {record.key.source_id for page in pages for record in page.records} == theirs
