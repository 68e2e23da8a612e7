"""The vendor's own OpenAPI as the judge: what we ask is legal, and what the sandbox answers has the vendor's shapes."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import orjson
import pytest
import yaml
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from connectors.bigcommerce.sandbox import STORE_HASH, TOKEN, serving
from connectors.bigcommerce.sandbox_shop import Shop
from connectors.bigcommerce.translate import translate
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.landing import SourceRecord, Window
from models.orders import Order
from models.records import Person
from tests.connectors.bigcommerce.scenario import CUT, SINCE, world
from tests.connectors.bigcommerce.test_source import source_at
from tests.connectors.conformance import ROOT, PassingTime, read

SHARED = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared"))
OPENAPI = SHARED / "contracts" / "bigcommerce" / "openapi"

pytestmark = [
    pytest.mark.needs_shared,
    pytest.mark.skipif(not OPENAPI.is_dir(), reason=f"the vendor's OpenAPI does not lie in {OPENAPI}"),
]

# Two faults of the vendor's own pages: its words allow `sort=id:asc`, its list of values does not; and it wants a
# Content-Type on reading products, which our requests do have.
NOT_IN_ITS_LIST = {("v2/orders", "sort")}

PATHS = {
    "v3/customers": ("customers.v3.yml", "/customers"),
    "v3/customers/attributes": ("customers.v3.yml", "/customers/attributes"),
    "v3/customers/addresses": ("customers.v3.yml", "/customers/addresses"),
    "v3/customers/attribute-values": ("customers.v3.yml", "/customers/attribute-values"),
    "v3/customers/subscribers": ("subscribers.v3.yml", "/customers/subscribers"),
    "v3/customers/{}/consent": ("customers.v3.yml", "/customers/{customerId}/consent"),
    "v2/customer_groups": ("customers.v2.yml", "/customer_groups"),
    "v2/orders": ("orders.v2.oas2.yml", "/orders"),
    "v2/orders/{}": ("orders.v2.oas2.yml", "/orders/{order_id}"),
    "v2/orders/{}/products": ("orders.v2.oas2.yml", "/orders/{order_id}/products"),
    "v2/orders/{}/shipping_addresses": ("orders.v2.oas2.yml", "/orders/{order_id}/shipping_addresses"),
    "v2/orders/{}/shipments": ("orders.v2.oas2.yml", "/orders/{order_id}/shipments"),
    "v2/orders/{}/coupons": ("orders.v2.oas2.yml", "/orders/{order_id}/coupons"),
    "v2/orders/{}/taxes": ("orders.v2.oas2.yml", "/orders/{order_id}/taxes"),
    "v3/orders/{}/transactions": ("orders.v3.yml", "/orders/{order_id}/transactions"),
    "v3/orders/{}/metafields": ("orders.v3.yml", "/orders/{order_id}/metafields"),
    "v3/orders/metafields": ("orders.v3.yml", "/orders/metafields"),
    "v3/orders/payment_actions/refunds": ("orders.v3.yml", "/orders/payment_actions/refunds"),
}


@cache
def page(name: str) -> dict[str, Any]:
    """One of the vendor's pages, said in JSON Schema's way."""
    told: dict[str, Any] = _as_json_schema(yaml.safe_load((OPENAPI / name).read_text()))
    return told


def _as_json_schema(told: Any) -> Any:
    """`nullable` becomes a type; `oneOf` becomes `anyOf`, for a link also passes as an object that requires nothing."""
    if isinstance(told, list):
        return [_as_json_schema(part) for part in told]
    if not isinstance(told, dict):
        return told
    said = {"anyOf" if key == "oneOf" else key: _as_json_schema(value) for key, value in told.items()}
    if said.get("nullable") is True and isinstance(said.get("type"), str):
        said["type"] = [said["type"], "null"]
    return said


def at(document: dict[str, Any], told: Any) -> Any:
    """What a reference stands for."""
    while isinstance(told, dict) and "$ref" in told:
        found: Any = document
        for part in told["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/")]
        told = found
    return told


def known_parameters(path: str) -> dict[str, dict[str, Any]]:
    name, template = PATHS[path]
    document = page(name)
    entry = document["paths"][template]
    listed = [at(document, one) for one in (*entry.get("parameters", ()), *entry["get"].get("parameters", ()))]
    return {one["name"]: one for one in listed if one["in"] == "query"}


def validator(path: str) -> Draft7Validator:
    name, template = PATHS[path]
    document = page(name)
    answer = at(document, document["paths"][template]["get"]["responses"]["200"])
    registry: Registry[Any] = Registry().with_resource("page", Resource.from_contents(document, DRAFT7))
    pointer = {"allOf": [_rooted(answer["content"]["application/json"]["schema"])]}
    return Draft7Validator(pointer, registry=registry)


def _rooted(told: Any) -> Any:
    if isinstance(told, list):
        return [_rooted(part) for part in told]
    if not isinstance(told, dict):
        return told
    return {key: f"page{value}" if key == "$ref" else _rooted(value) for key, value in told.items()}


def template_of(path: str) -> str:
    return "/".join("{}" if part.isdigit() else part for part in path.strip("/").split("/"))


@pytest.fixture(scope="module")
def asked() -> list[tuple[str, dict[str, str]]]:
    """Every request of a full and of a delta read and of a search for what vanished, of a store now and an older one."""
    found: list[str] = []
    for shows in (True, False):
        app = serving(shop := world(), Faults(), shows_consignments=shows)
        with source_at(app, PassingTime(), customer_details=("consent", "segments")) as source:
            read(source, Window(until=CUT))
            shop.edit_attribute(1, 2, "silver", SINCE)
            shop.edit_metafield(101, "pointsEarned", "7", SINCE)
            read(source, Window(since=SINCE, until=CUT))
            for name in source.listed:
                assert list(source.missing(name, ["1", "101", "99999"]))
        found += shop.asked
    return [(template_of(path), dict(parse_qsl(query))) for path, _, query in (one.partition("?") for one in found)]


def test_every_end_point_we_ask_is_the_vendor_s(asked: list[tuple[str, dict[str, str]]]) -> None:
    assert {path for path, _ in asked} <= set(PATHS)


def test_every_parameter_we_send_is_one_the_vendor_knows(asked: list[tuple[str, dict[str, str]]]) -> None:
    """It would silently ignore another one, and a delta would become a full read."""
    unknown = {(path, name) for path, query in asked for name in query if name not in known_parameters(path)}
    # The page says nothing of paging for transactions; asking for it does no harm.
    assert unknown <= {("v3/orders/{}/transactions", "limit"), ("v3/orders/{}/transactions", "page")}


def test_every_value_we_send_is_one_the_vendor_takes(asked: list[tuple[str, dict[str, str]]]) -> None:
    for path, query in asked:
        for name, value in query.items():
            told = known_parameters(path).get(name)
            if told is None or (path, name) in NOT_IN_ITS_LIST:
                continue
            schema = at(page(PATHS[path][0]), told.get("schema", {}))
            allowed = schema.get("enum") or schema.get("items", {}).get("enum")
            if allowed:
                assert set(value.split(",")) <= set(allowed), (path, name)
            if schema.get("type") == "integer":
                assert value.isdigit(), (path, name)


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[httpx.Client, Shop]]:
    shop = world()
    shop.orders[105]["total_inc_tax"] = "1.0000"
    shop.customers[8]["date_created"] = shop.customers[7]["date_created"]
    with running({"shop": serving(shop, Faults())}) as urls:
        base = f"{urls['shop']}/stores/{STORE_HASH}/"
        with httpx.Client(base_url=base, headers={"X-Auth-Token": TOKEN}) as client:
            yield client, shop


INCLUDE = "include=addresses,storecredit,attributes,formfields,shopper_profile_id,segment_ids"
WHOLE = "include=consignments.line_items,fees&consignment_structure=object"


@pytest.mark.parametrize(
    "request_line",
    [
        f"v3/customers?{INCLUDE}",
        "v3/customers?limit=2&page=2",
        "v3/customers/attributes",
        "v3/customers/addresses",
        "v3/customers/subscribers",
        "v3/customers/attribute-values",
        "v3/customers/1/consent",
        "v2/customer_groups",
        "v2/orders",
        f"v2/orders?{WHOLE}",
        "v2/orders/101",
        "v2/orders/101/products",
        "v2/orders/101/shipping_addresses",
        "v2/orders/101/shipments",
        "v2/orders/101/coupons",
        "v2/orders/101/taxes?details=true",
        "v3/orders/101/transactions",
        "v3/orders/101/metafields",
        "v3/orders/metafields",
        "v3/orders/payment_actions/refunds",
    ],
)
def test_the_sandbox_answers_in_the_vendor_s_shapes(store: tuple[httpx.Client, Shop], request_line: str) -> None:
    client, _ = store
    answer = client.get(request_line)
    assert answer.status_code == 200
    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in validator(template_of(request_line.partition("?")[0])).iter_errors(answer.json())
    ]
    assert not problems


def test_the_judge_notices_a_wrong_shape(store: tuple[httpx.Client, Shop]) -> None:
    client, _ = store
    (order, *_) = client.get(f"v2/orders?{WHOLE}").json()
    judge = validator("v2/orders")
    assert judge.is_valid([order])
    assert not judge.is_valid([{**order, "total_inc_tax": 5}])
    assert not judge.is_valid([{**order, "consignments": 5}])


def examples(path: str) -> list[dict[str, Any]]:
    """The vendor's own examples of the objects at this path."""
    name, template = PATHS[path]
    document = page(name)
    content = at(document, document["paths"][template]["get"]["responses"]["200"])["content"]["application/json"]
    told = [content["example"]] if "example" in content else []
    told += [at(document, one)["value"] for one in content.get("examples", {}).values()]
    found = [one.get("data", one) if isinstance(one, dict) else one for one in told]
    items = [item for one in found for item in (one if isinstance(one, list) else [one])]
    assert items, f"the vendor has no example of {path}"
    return items


def read_again(object_: str, payload: dict[str, Any]) -> Any:
    record = translate(object_, orjson.dumps(payload, default=str).decode(), {})
    assert isinstance(record, SourceRecord), record
    return record.body


@pytest.mark.parametrize("path", ["v2/orders", "v2/orders/{}"])
def test_the_vendor_s_example_orders_are_read_without_loss(path: str) -> None:
    for told in examples(path):
        order = read_again("order", told)
        assert isinstance(order, Order)
        assert str(order.total.amount) == told["total_inc_tax"]
        assert (order.number, order.status) == (str(told["id"]), told["status"])
        assert order.person is not None
        assert {point.value for point in order.person.contact_points} == {
            told["billing_address"]["email"],
            told["billing_address"]["phone"],
        } - {""}


PARTS = {
    "products": "v2/orders/{}/products",
    "shipping_addresses": "v2/orders/{}/shipping_addresses",
    "shipments": "v2/orders/{}/shipments",
    "coupons": "v2/orders/{}/coupons",
    "taxes": "v2/orders/{}/taxes",
}


def test_the_vendor_s_examples_of_parts_make_a_whole_order() -> None:
    (told, *_) = examples("v2/orders/{}")
    parts = {name: examples(path) for name, path in PARTS.items()}
    order = read_again("order", {**told, **parts})
    assert isinstance(order, Order)
    goods = [str(one["id"]) for one in parts["products"]]
    assert [line.line_id for line in order.lines] == [*goods, *(f"fee-{fee['id']}" for fee in told["fees"])]
    assert [line.sku for line in order.lines[: len(goods)]] == [one["sku"] or None for one in parts["products"]]
    assert [one.tracking_number for one in order.fulfilments] == [one["tracking_number"] for one in parts["shipments"]]
    assert {tax.name for tax in order.taxes} == {one["name"] for one in parts["taxes"]}
    assert {one.code for one in order.discounts} >= {one["code"] for one in parts["coupons"]}


def test_the_vendor_s_example_customers_are_read_without_loss() -> None:
    for number, told in enumerate(examples("v3/customers"), start=1):
        person = read_again("customer", {**told, "id": number})  # the example has no id
        assert isinstance(person, Person)
        assert (person.given_name, person.family_name) == (told["first_name"], told["last_name"])
        assert {place.line1 for place in person.addresses} == {one["address1"] for one in told["addresses"]}
        assert {point.value for point in person.contact_points} >= {told["email"]}
