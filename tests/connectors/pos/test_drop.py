"""What the population bought is what the source reads from the drop: nothing lost, nothing doubled, nothing changed."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from connectors.pos.sandbox import Dropped, Spoiling, settings, write_drop
from connectors.sandbox.keys import landed_id
from connectors.sandbox.population import Population, PopulationSpec, read, write
from models.loyalty import LoyaltyEntry
from models.orders import Order
from models.records import Person
from tests.connectors.conformance import Read
from tests.connectors.pos.tills import landed

SPOILT = Spoiling(seed=3, bad_date=0.02, bad_quantity=0.02, repeated=0.05, unposted=0.05, torn=0.2)
CLEAN = Spoiling(bad_date=0, bad_quantity=0, repeated=0, unposted=0, torn=0)


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    folder = tmp_path_factory.mktemp("people")
    write(PopulationSpec(people=200, seed=4, systems=("bigcommerce", "pos")), folder)
    return read(folder)


@pytest.fixture(scope="module")
def folder(population: Population, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drop")


@pytest.fixture(scope="module")
def dropped(population: Population, folder: Path) -> Dropped:
    return write_drop(population, folder, spoiling=SPOILT, receipts_per_file=20)


@pytest.fixture(scope="module")
def told(population: Population, folder: Path, dropped: Dropped) -> Read:
    return landed(**settings(population, folder))


def orders(told: Read) -> dict[str, Order]:
    return {record.key.source_id: record.body for record in told.records if isinstance(record.body, Order)}


def sold(population: Population) -> list[dict[str, Any]]:
    return population.orders.filter(pl.col("system") == "pos").collect().rows(named=True)


def test_every_receipt_is_read_once(population: Population, told: Read, dropped: Dropped) -> None:
    rows = sold(population)
    expected = [landed_id("pos", "guest", row["order_id"]) for row in rows]
    expected += [landed_id("pos", "guest", back["id"]) for row in rows for back in row["returns"]]
    assert told.ids("receipt") == sorted(expected)
    assert dropped.receipts == len(expected)


def test_what_went_wrong_on_purpose_is_refused_and_nothing_else(told: Read, dropped: Dropped) -> None:
    assert all(dropped.spoilt[name] > 0 for name in dropped.spoilt), dropped
    wrong = ("bad_date", "bad_quantity", "torn")
    assert len(told.refused) == sum(dropped.spoilt[name] for name in wrong)
    paths = {refusal.reasons[0].path for refusal in told.refused if refusal.source_id}
    assert {path.partition(".")[2] or path for path in paths} == {"at", "quantity"}


def test_orders_are_what_was_bought(population: Population, told: Read) -> None:
    found = orders(told)
    for row in sold(population):
        check(found[landed_id("pos", "guest", row["order_id"])], row)


def check(order: Order, row: Mapping[str, Any]) -> None:
    assert (order.placed_at, order.business_day) == (row["placed_at"], row["business_day"])
    assert (order.store, order.till, order.sequence) == (row["store"], row["till"], row["sequence"])
    assert (order.currency, order.brand, order.transaction) == (row["currency"], row["brand"], "sale")
    assert order.total.amount == minor(row["total_minor"], row)
    assert order.loyalty_number == row["loyalty_number"]
    lines = [(line.sku, int(line.quantity), line.amount.amount) for line in order.lines]
    assert lines == [(line["sku"], line["quantity"], minor(line["amount_minor"], row)) for line in row["lines"]]
    points = {entry.movement: entry.points for entry in order.loyalty}
    moved = {"earn": row["points_earned"], "redeem": -row["points_redeemed"]}
    assert points == {movement: count for movement, count in moved.items() if count and row["loyalty_number"]}


def minor(amount: int, row: Mapping[str, Any]) -> Decimal:
    return Decimal(amount).scaleb(-int(row["decimals"]))


def test_guests_are_captured_as_they_told(population: Population, told: Read) -> None:
    found = orders(told)
    guests = population.records.filter((pl.col("system") == "pos") & (pl.col("object") == "guest")).collect()
    assert guests.height > 10
    for row in guests.iter_rows(named=True):
        person = found[landed_id("pos", "guest", row["source_id"])].person
        assert person is not None
        names = (person.given_name, person.family_name, person.full_name)
        assert names == (row["given_name"], row["family_name"], row["full_name"])
        contacts = {point.kind: point.value for point in person.contact_points}
        assert contacts == {kind: row[kind] for kind in ("email", "phone") if row[kind]}
        numbers = [one.value for one in person.identifiers if one.kind == "loyalty_number"]
        assert numbers == [number for number in (row["loyalty_number"],) if number]


def test_returns_are_negative_and_name_what_they_bring_back(population: Population, told: Read) -> None:
    found = orders(told)
    returns = [(row, back) for row in sold(population) for back in row["returns"]]
    assert returns
    for row, back in returns:
        order = found[landed_id("pos", "guest", back["id"])]
        bought = landed_id("pos", "guest", row["order_id"])
        assert order.transaction == "return"
        assert order.total.amount == -minor(back["amount_minor"], row)
        assert order.lines[0].returns_line == f"{bought}/{back['line']}"


def test_every_card_is_a_member(population: Population, told: Read) -> None:
    cards = population.records.filter((pl.col("system") == "pos") & (pl.col("object") == "card")).collect()
    people = {record.key.source_id: record.body for record in told.records if record.key.object == "member"}
    assert sorted(people) == sorted(cards["source_id"].to_list())
    for row in cards.iter_rows(named=True):
        person = people[row["source_id"]]
        assert isinstance(person, Person)
        assert (person.given_name, person.full_name, person.birth_date) == (
            row["given_name"],
            row["full_name"],
            row["birth_date"],
        )
        assert person.loyalty[0].account == row["loyalty_number"]
        assert person.created_at == row["created_at"]


def test_the_points_of_tills_add_up_to_the_balance_that_members_are_told(tmp_path: Path) -> None:
    """Where only tills sell, receipts and the points' export together are the whole history."""
    write(PopulationSpec(people=150, seed=5, systems=("pos",)), tmp_path / "people")
    population = read(tmp_path / "people")
    write_drop(population, tmp_path / "drop", spoiling=SPOILT)
    told = landed(**settings(population, tmp_path / "drop"))
    balances = dict(population.loyalty.select("account", "balance").collect().iter_rows())
    sums = dict.fromkeys(balances, 0)
    entries = [entry for order in orders(told).values() for entry in order.loyalty]
    entries += [record.body for record in told.records if isinstance(record.body, LoyaltyEntry)]
    for entry in entries:
        sums[entry.account] += entry.points
    assert sums == balances
    assert len({entry.external_id for entry in entries}) == len(entries)


@pytest.mark.usefixtures("dropped")
def test_the_same_population_gives_the_same_bytes(population: Population, folder: Path, tmp_path: Path) -> None:
    write_drop(population, tmp_path, spoiling=SPOILT, receipts_per_file=20)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


@trying(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1_000), per_file=st.integers(1, 60))
def test_neither_files_nor_faults_change_what_is_read(
    seed: int, per_file: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("any")
    write(PopulationSpec(people=20, seed=seed, systems=("pos",)), base / "people")
    population = read(base / "people")
    write_drop(population, base / "clean", spoiling=CLEAN)
    write_drop(
        population, base / "spoilt", spoiling=SPOILT.model_copy(update={"seed": seed}), receipts_per_file=per_file
    )
    clean = landed(**settings(population, base / "clean"))
    spoilt = landed(**settings(population, base / "spoilt"))
    assert clean.refused == []
    assert spoilt.texts() == clean.texts()
