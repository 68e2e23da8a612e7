"""The generated population, told by the sandbox and read back by the source: nothing is lost on the way."""

from decimal import Decimal

import polars as pl
import pytest
from starlette.types import ASGIApp

from connectors.bigcommerce import sandbox
from connectors.bigcommerce.source import Settings, connect
from connectors.sandbox.faults import Faults
from connectors.sandbox.population import Population, PopulationSpec, write
from connectors.sandbox.population import read as population_in
from connectors.sandbox.server import running
from models.landing import SourceRecord, Window
from models.loyalty import LoyaltyEntry
from models.orders import Order, Settlement
from models.records import Person
from tests.connectors.conformance import PassingTime, Read, read


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    folder = tmp_path_factory.mktemp("people")
    write(PopulationSpec(people=80, seed=4, systems=("bigcommerce", "pos")), folder)
    return population_in(folder)


@pytest.fixture(scope="module")
def told(population: Population) -> Read:
    return told_by(sandbox.app(population, Faults()))


def told_by(app: ASGIApp) -> Read:
    time = PassingTime()
    with running({"shop": app}) as urls:
        settings = Settings.model_validate(sandbox.site(urls["shop"]))
        return read(connect(settings, clock=time.clock, sleep=time.sleep), Window(until=time.clock()))


def of(table: pl.LazyFrame) -> pl.DataFrame:
    return table.filter(pl.col("system") == "bigcommerce").collect()


def bodies(told: Read, object_: str) -> dict[str, SourceRecord]:
    return {record.key.source_id: record for record in told.records if record.key.object == object_}


def test_everybody_with_a_living_account_is_told_as_they_are(population: Population, told: Read) -> None:
    accounts = of(population.records).filter((pl.col("object") == "customer") & pl.col("deleted_at").is_null())
    people = bodies(told, "customer")
    assert set(people) == set(accounts["source_id"])
    for row in accounts.iter_rows(named=True):
        person = people[row["source_id"]].body
        assert isinstance(person, Person)
        assert (person.given_name, person.family_name) == (row["given_name"], row["family_name"])
        assert (person.brand, person.store, person.birth_date) == (row["brand"], row["store"], row["birth_date"])
        assert {point.value for point in person.contact_points} == {row["email"], row["phone"]} - {None}
        assert [place.line1 for place in person.addresses] == [row["address_line"]] * bool(row["address_line"])
        assert [one.value for one in person.identifiers] == [row["loyalty_number"]] * bool(row["loyalty_number"])
        assert people[row["source_id"]].changed_at == row["modified_at"]


def test_every_order_adds_up_to_what_was_paid(population: Population, told: Read) -> None:
    rows, orders = of(population.orders), bodies(told, "order")
    assert set(orders) == set(rows["order_id"])
    assert told.refused == []
    for row in rows.iter_rows(named=True):
        order = orders[row["order_id"]].body
        assert isinstance(order, Order)
        unit = Decimal(1).scaleb(-row["decimals"])
        assert order.total.amount == row["total_minor"] * unit
        off = sum((one.amount.amount for one in order.discounts), start=Decimal(0))
        assert sum(line.amount.amount for line in order.lines) - off == order.total.amount
        assert sum(tax.amount.amount for tax in order.taxes) == row["tax_minor"] * unit
        assert sum(tender.amount.amount for tender in order.tenders) == order.total.amount
        assert (order.customer, order.currency, order.brand) == (row["customer"], row["currency"], row["brand"])
        assert len(order.fulfilments) == len(row["fulfilments"])


def test_guests_are_on_their_orders_only(population: Population, told: Read) -> None:
    guests = of(population.records).filter(pl.col("object") == "guest")
    orders = bodies(told, "order")
    assert guests.height > 0
    for row in guests.iter_rows(named=True):
        order = orders[row["source_id"]].body
        assert isinstance(order, Order)
        assert order.customer is None
        assert order.person is not None
        assert row["email"] in {point.value for point in order.person.contact_points} | {None}


def test_points_of_orders_are_those_of_the_population(population: Population, told: Read) -> None:
    entries = [entry for record in bodies(told, "order").values() for entry in points(record)]
    rows = of(population.orders).filter(pl.col("loyalty_number").is_not_null())
    earned, redeemed = rows["points_earned"].sum(), rows["points_redeemed"].sum()
    assert sum(entry.points for entry in entries if entry.movement == "earn") == earned
    assert sum(entry.points for entry in entries if entry.movement == "redeem") == -redeemed


def points(record: SourceRecord) -> tuple[LoyaltyEntry, ...]:
    assert isinstance(record.body, Order)
    return record.body.loyalty


def test_money_that_went_back_is_told_apart(population: Population, told: Read) -> None:
    rows = of(population.orders).explode("refunds").drop_nulls("refunds")
    settlements = [record.body for record in bodies(told, "refund").values()]
    assert len(settlements) == rows.height > 0
    returned = [one for settlement in settlements if isinstance(settlement, Settlement) for one in settlement.returns]
    assert len(returned) == of(population.orders).explode("returns").drop_nulls("returns").height


def test_spoilt_orders_are_refused_and_their_neighbours_land(population: Population) -> None:
    told = told_by(sandbox.app(population, Faults(), spoilt=2))
    assert [sorted(reason.path for reason in one.reasons) for one in told.refused] == [
        ["date_created", "total_inc_tax"]
    ] * 2
    assert len(bodies(told, "order")) == of(population.orders).height - 2


def test_a_fault_that_the_store_does_not_know_is_refused_before_it_serves(population: Population) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        sandbox.app(population, Faults(1, {"token_expired": 0.1}))
