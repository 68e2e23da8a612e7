"""The generated population, told by the sandbox and read back by the source: nothing is lost on the way."""

from collections import defaultdict
from decimal import Decimal

import polars as pl
import pytest
from starlette.types import ASGIApp

from connectors.magento import sandbox
from connectors.magento.source import Settings, connect
from connectors.sandbox.faults import Faults
from connectors.sandbox.population import Population, PopulationSpec, write
from connectors.sandbox.population import read as population_in
from connectors.sandbox.server import running
from models.landing import SourceRecord, Window
from models.orders import Order, Settlement
from models.records import Person
from tests.connectors.conformance import PassingTime, Read, read


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    folder = tmp_path_factory.mktemp("people")
    write(PopulationSpec(people=80, seed=3, systems=("magento", "pos")), folder)
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
    return table.filter(pl.col("system") == "magento").collect()


def bodies(told: Read, object_: str) -> dict[str, SourceRecord]:
    return {record.key.source_id: record for record in told.records if record.key.object == object_}


def order_of(record: SourceRecord) -> Order:
    assert isinstance(record.body, Order)
    return record.body


def settlements(told: Read) -> dict[str, list[Settlement]]:
    """By order."""
    found: defaultdict[str, list[Settlement]] = defaultdict(list)
    for record in told.records:
        if isinstance(record.body, Settlement):
            assert record.body.order is not None
            found[record.body.order].append(record.body)
    return found


def living(population: Population) -> pl.DataFrame:
    return of(population.records).filter((pl.col("object") == "customer") & pl.col("deleted_at").is_null())


def test_everybody_with_a_living_account_is_told_as_they_are(population: Population, told: Read) -> None:
    accounts, people = living(population), bodies(told, "customer")
    assert set(people) == set(accounts["source_id"])
    for row in accounts.iter_rows(named=True):
        person = people[row["source_id"]].body
        assert isinstance(person, Person)
        assert (person.given_name, person.family_name) == (row["given_name"], row["family_name"])
        assert (person.middle_name, person.sex, person.birth_date) == (
            row["middle_name"],
            row["sex"],
            row["birth_date"],
        )
        assert (person.brand, person.store) == (row["brand"], row["store"])
        assert {point.value for point in person.contact_points} == {row["email"], row["phone"]} - {None}
        assert [place.line1 for place in person.addresses] == [row["address_line"]] * bool(row["address_line"])
        assert [one.value for one in person.identifiers] == [row["loyalty_number"]] * bool(row["loyalty_number"])
        assert people[row["source_id"]].changed_at == row["modified_at"]


def test_the_newsletter_tells_the_last_answer_and_nothing_of_those_who_gave_none(
    population: Population, told: Read
) -> None:
    mail = of(population.consents).filter(
        (pl.col("object") == "customer") & (pl.col("channel") == "email") & (pl.col("status") != "pending")
    )
    last = {row["source_id"]: row["status"] for row in mail.sort("at").iter_rows(named=True)}
    people = bodies(told, "customer")
    for number, record in people.items():
        assert isinstance(record.body, Person)
        assert [one.status for one in record.body.consents] == [last[number] for _ in (1,) if number in last]


def test_every_order_adds_up_to_what_was_paid(population: Population, told: Read) -> None:
    rows, orders, apart = of(population.orders), bodies(told, "order"), settlements(told)
    assert set(orders) == set(rows["order_id"])
    assert told.refused == []
    alive = set(living(population)["source_id"])
    for row in rows.iter_rows(named=True):
        order = order_of(orders[row["order_id"]])
        unit = Decimal(1).scaleb(-row["decimals"])
        assert order.total.amount == row["total_minor"] * unit
        assert sum(line.amount.amount for line in order.lines) == order.total.amount
        assert len(order.lines) == len(row["lines"])
        assert sum(tax.amount.amount for tax in order.taxes) == row["tax_minor"] * unit
        tenders = [*order.tenders, *(tender for one in apart[row["order_id"]] for tender in one.tenders)]
        assert sum(tender.amount.amount for tender in tenders) == order.total.amount
        assert (order.channel, order.currency, order.brand) == (row["channel"], row["currency"], row["brand"])
        assert order.customer == (row["customer"] if row["customer"] in alive else None)


def test_it_is_told_by_what_an_order_was_paid(population: Population, told: Read) -> None:
    names = {
        "card": "stripe_payments",
        "paypal": "paypal_express",
        "invoice": "purchaseorder",
        "cash": "cashondelivery",
        "gift_card": "gift_card",
        "loyalty": "reward_points",
    }
    orders, apart = bodies(told, "order"), settlements(told)
    for row in of(population.orders).iter_rows(named=True):
        own = order_of(orders[row["order_id"]]).tenders
        tenders = [*own, *(tender for one in apart[row["order_id"]] for tender in one.tenders)]
        assert {one.tender for one in tenders} == {names[one["kind"]] for one in row["tenders"]}


def test_orders_of_a_deleted_account_lose_its_id(population: Population, told: Read) -> None:
    gone = set(of(population.records).filter(pl.col("object") == "customer")["source_id"]) - set(
        living(population)["source_id"]
    )
    theirs = [row["order_id"] for row in of(population.orders).iter_rows(named=True) if row["customer"] in gone]
    orders = bodies(told, "order")
    assert theirs
    assert all(order_of(orders[number]).customer is None for number in theirs)


def test_guests_are_on_their_orders_only(population: Population, told: Read) -> None:
    guests = of(population.records).filter(pl.col("object") == "guest")
    orders = bodies(told, "order")
    assert guests.height > 0
    for row in guests.iter_rows(named=True):
        order = order_of(orders[row["source_id"]])
        assert order.customer is None
        assert order.person is not None
        assert row["email"] in {point.value for point in order.person.contact_points} | {None}


def test_points_of_orders_are_those_of_the_population(population: Population, told: Read) -> None:
    entries = [entry for record in bodies(told, "order").values() for entry in order_of(record).loyalty]
    rows = of(population.orders).filter(pl.col("loyalty_number").is_not_null())
    assert sum(entry.points for entry in entries if entry.movement == "earn") == rows["points_earned"].sum()
    assert sum(entry.points for entry in entries if entry.movement == "redeem") == -rows["points_redeemed"].sum()


def test_parcels_returns_and_money_back_are_told_apart(population: Population, told: Read) -> None:
    apart = settlements(told)
    for row in of(population.orders).iter_rows(named=True):
        unit = Decimal(1).scaleb(-row["decimals"])
        mine = apart[row["order_id"]]
        lines = {f"{int(row['order_id']) * 100 + 2 * int(one['line'])}": one["quantity"] for one in row["returns"]}
        assert {one.line: one.quantity for each in mine for one in each.returns} == lines
        back = [one.amount.amount for each in mine for one in each.refunds]
        assert sorted(back) == sorted(one["amount_minor"] * unit for one in row["refunds"])
        parcels = [one.tracking_number for each in mine for one in each.fulfilments]
        assert sorted(parcels, key=str) == sorted((one["tracking_number"] for one in row["fulfilments"]), key=str)


def test_spoilt_orders_are_refused_and_their_neighbours_land(population: Population) -> None:
    told = told_by(sandbox.app(population, Faults(), spoilt=2))
    assert [sorted(reason.path for reason in one.reasons) for one in told.refused] == [
        ["created_at", "grand_total"]
    ] * 2
    assert len(bodies(told, "order")) == of(population.orders).height - 2


def test_a_fault_that_the_shop_does_not_know_is_refused_before_it_serves(population: Population) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        sandbox.app(population, Faults(1, {"on_strike": 0.1}))
