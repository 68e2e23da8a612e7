"""The generated population lives in the sandbox as it was generated."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from connectors.commercetools.sandbox import app
from connectors.commercetools.sandbox_shop import Shop
from connectors.commercetools.source import connect
from connectors.sandbox.faults import Faults
from connectors.sandbox.population import Population, PopulationSpec, read, write
from connectors.sandbox.server import running
from models.engagement import Event
from models.landing import SourceRecord, Window
from models.orders import Order, Settlement
from models.records import Person
from tests.connectors.commercetools.contract import violations
from tests.connectors.commercetools.project import Clock, settings

WHOLE = Window(until=datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    folder: Path = tmp_path_factory.mktemp("people")
    write(PopulationSpec(people=400, seed=3, systems=("bigcommerce", "commercetools", "pos")), folder)
    return read(folder)


@pytest.fixture(scope="module")
def shop(population: Population) -> Shop:
    found: Shop = app(population, Faults(), clock=Clock()).state.shop
    return found


@pytest.fixture(scope="module")
def told(population: Population) -> dict[str, list[SourceRecord]]:
    clock = Clock()
    with running({"shop": app(population, Faults(2, {"unavailable": 0.1}), clock=clock)}) as urls:
        source = connect(settings(urls["shop"], page_size=100), clock=clock, sleep=clock.sleep)
        pages = {kind: list(source.pages(kind, WHOLE)) for kind in source.objects}
    assert not [refusal for each in pages.values() for page in each for refusal in page.refused]
    return {kind: [record for page in each for record in page.records] for kind, each in pages.items()}


def rows(table: pl.LazyFrame) -> list[dict[str, object]]:
    return table.filter(pl.col("system") == "commercetools").collect().to_dicts()


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("customers", "Customer"),
        ("orders", "Order"),
        ("payments", "Payment"),
        ("carts", "Cart"),
        ("stores", "Store"),
        ("types", "Type"),
    ],
)
def test_every_resource_follows_the_vendors_openapi(shop: Shop, path: str, schema: str) -> None:
    held = shop.all(path)
    assert held
    assert [found for resource in held[:60] for found in violations(schema, resource)] == []


def test_accounts_that_are_not_deleted_are_customers(
    population: Population, told: dict[str, list[SourceRecord]]
) -> None:
    alive = population.records.filter((pl.col("object") == "customer") & pl.col("deleted_at").is_null())
    assert {record.key.source_id for record in told["customer"]} == {row["source_id"] for row in rows(alive)}


def test_customers_say_what_was_generated(population: Population, told: dict[str, list[SourceRecord]]) -> None:
    generated = {row["source_id"]: row for row in rows(population.records)}
    for record in told["customer"]:
        person, row = record.body, generated[record.key.source_id]
        assert isinstance(person, Person)
        assert (person.given_name, person.family_name) == (row["given_name"], row["family_name"])
        assert (person.birth_date, person.store, person.brand) == (row["birth_date"], row["store"], row["brand"])
        points = {point.value: point for point in person.contact_points}
        assert points[str(row["email"])].verified == row["email_verified"]
        assert row["phone"] is None or str(row["phone"]) in points
        assert [member.account for member in person.loyalty] == (
            [row["loyalty_number"]] if row["loyalty_number"] else []
        )
        assert row["street"] is None or person.addresses[0].street == row["street"]


def test_orders_say_what_was_generated(population: Population, told: dict[str, list[SourceRecord]]) -> None:
    generated = {row["order_id"]: row for row in rows(population.orders)}
    assert {record.key.source_id for record in told["order"]} == set(generated)
    for record in told["order"]:
        order, row = record.body, generated[record.key.source_id]
        assert isinstance(order, Order)
        unit = Decimal(1).scaleb(-int(str(row["decimals"])))
        assert order.total.amount == int(str(row["total_minor"])) * unit
        assert (order.customer, order.currency, order.number) == (row["customer"], row["currency"], row["number"])
        assert (order.channel, order.brand, order.placed_at) == (row["channel"], row["brand"], row["placed_at"])
        entries = {entry.movement: entry.points for entry in order.loyalty}
        assert entries.get("earn", 0) == row["points_earned"]
        zero = Decimal(0)
        lines = sum((line.amount.amount for line in order.lines), zero)
        off = sum((discount.amount.amount for discount in order.discounts), zero)
        assert lines - off + sum((tax.amount.amount for tax in order.taxes), zero) == order.total.amount


def test_lines_are_their_unit_price_less_their_discounts(told: dict[str, list[SourceRecord]]) -> None:
    lines = [line for record in told["order"] if isinstance(record.body, Order) for line in record.body.lines]
    assert any(line.discounts for line in lines)
    for line in lines:
        assert line.unit_price is not None
        off = sum((discount.amount.amount for discount in line.discounts), Decimal(0))
        assert line.unit_price.amount * line.quantity - off == line.amount.amount


def test_yen_orders_are_there(told: dict[str, list[SourceRecord]]) -> None:
    yen = [r.body for r in told["order"] if isinstance(r.body, Order) and r.body.currency == "JPY"]
    assert yen
    assert all(order.total.amount == int(order.total.amount) for order in yen)


def test_carts_are_left_behind_by_customers_in_their_store(told: dict[str, list[SourceRecord]]) -> None:
    carts = [record.body for record in told["cart"]]
    customers = {record.key.source_id for record in told["customer"]}
    assert carts
    assert all(isinstance(each, Event) and each.event == "cart" and each.store for each in carts)
    assert {each.customer for each in carts if isinstance(each, Event)} & customers


def test_a_mailbox_is_used_in_two_stores(told: dict[str, list[SourceRecord]]) -> None:
    mails = [r.body.contact_points[0].value.lower() for r in told["customer"] if isinstance(r.body, Person)]
    assert len(mails) > len(set(mails))


def test_payments_bring_what_was_paid_and_refunded(population: Population, told: dict[str, list[SourceRecord]]) -> None:
    settled = {r.key.source_id: r.body for r in told["payment"] if isinstance(r.body, Settlement)}
    orders = {r.key.source_id: r.body for r in told["order"] if isinstance(r.body, Order)}
    for row in rows(population.orders):
        order = orders[str(row["order_id"])]
        parts = [settled.pop(payment) for payment in order.settlements]
        paid = sum((tender.amount.amount for part in parts for tender in part.tenders), Decimal(0))
        back = sum((refund.amount.amount for part in parts for refund in part.refunds), Decimal(0))
        unit = Decimal(1).scaleb(-int(str(row["decimals"])))
        refunds = row["refunds"]
        assert isinstance(refunds, list)
        assert paid == order.total.amount
        assert back == sum(int(each["amount_minor"]) for each in refunds) * unit
    assert settled == {}


def test_consents_arrive_with_their_contact_point(population: Population, told: dict[str, list[SourceRecord]]) -> None:
    persons = {
        record.key.source_id: record.body if isinstance(record.body, Person) else getattr(record.body, "person", None)
        for record in (*told["customer"], *told["order"])
    }
    heard = {
        (source_id, each.contact_point, each.channel, each.status, each.at)
        for source_id, person in persons.items()
        if isinstance(person, Person)
        for each in person.consents
    }
    for row in rows(population.consents):
        if row["source_id"] in persons:
            said = (row["source_id"], row["contact_point"], row["channel"], row["status"], row["at"])
            assert said in heard


def test_spoilt_orders_are_refused_at_their_points(population: Population) -> None:
    clock = Clock()
    with running({"shop": app(population, Faults(), clock=clock, spoilt=2)}) as urls:
        source = connect(settings(urls["shop"]), clock=clock, sleep=clock.sleep)
        refused = [refusal for page in source.pages("order", WHOLE) for refusal in page.refused]
    assert [each.reasons[0].path for each in refused] == ["custom.fields.loyaltyPointsEarned"] * 2


def test_the_same_population_makes_the_same_project(population: Population, shop: Shop) -> None:
    again: Shop = app(population, Faults(), clock=Clock()).state.shop
    for path in ("customers", "orders", "payments", "carts", "stores"):
        assert again.all(path) == shop.all(path)


def test_an_unknown_fault_is_refused_before_serving(population: Population) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        app(population, Faults(1, {"meteor": 0.1}))
