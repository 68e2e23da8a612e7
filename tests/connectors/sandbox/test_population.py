"""The generated population: repeatable, independent of its chunks, complete in its truth, true to its rates."""

import gc
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from connectors.sandbox.population import (
    Population,
    PopulationSpec,
    Presence,
    Rates,
    Summary,
    protagonists,
    read,
    tables,
    write,
)
from connectors.sandbox.population.tables import BlockTables
from connectors.sandbox.population.writer import TABLES
from resolver import normal_forms

PEOPLE = 8_000
SMALL = PopulationSpec(seed=3, people=350, block_people=100)
KEY = ["system", "object", "source_id"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Population, Summary]:
    folder = tmp_path_factory.mktemp("population")
    summary = write(PopulationSpec(seed=1, people=PEOPLE, block_people=4_000), folder)
    return read(folder), summary


@pytest.fixture(scope="module")
def population(written: tuple[Population, Summary]) -> Population:
    return written[0]


@pytest.fixture(scope="module")
def summary(written: tuple[Population, Summary]) -> Summary:
    return written[1]


@pytest.fixture(scope="module")
def labelled(population: Population) -> Callable[[str], pl.DataFrame]:
    """The records with a label, beside the truth about them."""
    everything = (
        population.records.join(population.truth, on=KEY)
        .join(population.people, on="person_id", how="left", suffix="_true")
        .filter(~pl.col("person_id").str.starts_with("story-"))
        .collect()
    )

    def choose(difficulty: str) -> pl.DataFrame:
        rows = everything.filter(pl.col("difficulties").list.contains(difficulty))
        assert len(rows), f"nothing is labelled {difficulty}"
        return rows

    return choose


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_spec_gives_the_same_bytes(tmp_path: Path) -> None:
    write(SMALL, tmp_path / "one")
    write(SMALL, tmp_path / "two")
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


def test_another_seed_gives_other_people(tmp_path: Path) -> None:
    ours, others = (tables(SMALL.model_copy(update={"seed": seed}), 0).tables["people"] for seed in (1, 2))
    generated = ~pl.col("person_id").str.starts_with("story-")
    assert not ours.filter(generated)["email"].is_in(others["email"].implode()).mean() > 0.05


@pytest.mark.parametrize("blocks_per_chunk", [1, 3])
def test_people_are_the_same_however_many_blocks_a_chunk_has(tmp_path: Path, blocks_per_chunk: int) -> None:
    write(SMALL, tmp_path, blocks_per_chunk=blocks_per_chunk)
    for name in TABLES:
        alone = pl.concat([tables(SMALL, number).tables[name] for number in range(SMALL.blocks)])
        assert pl.read_parquet(tmp_path / f"{name}.parquet").equals(alone), name


def test_a_block_is_the_same_without_those_before_it() -> None:
    later = tables(SMALL, 2).tables["records"]
    tables(SMALL, 0)
    assert tables(SMALL, 2).tables["records"].equals(later)


def test_no_block_is_held_once_its_chunk_is_written(tmp_path: Path) -> None:
    alive: list[int] = []

    def look(done: int, total: int) -> None:
        alive.append(sum(isinstance(thing, BlockTables) for thing in gc.get_objects()))

    gc.collect()
    write(SMALL, tmp_path, progress=look)
    assert alive == [0, 0]


def test_progress_counts_people_up_to_all_of_them(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write(SMALL, tmp_path, progress=lambda done, total: told.append((done, total)), blocks_per_chunk=1)
    assert told == [(100, 350), (200, 350), (300, 350), (350, 350)]


def test_there_are_exactly_as_many_people_as_asked_for(population: Population, summary: Summary) -> None:
    assert population.people.collect().height == PEOPLE == summary.people == summary.rows["people"]


def test_every_record_has_exactly_one_truth(population: Population) -> None:
    records, truth = population.records.select(KEY).collect(), population.truth.select(KEY).collect()
    assert records.equals(truth)
    assert not records.is_duplicated().any()


def test_everyone_is_known_somewhere(population: Population) -> None:
    people = population.people.select("person_id")
    assert people.join(population.truth, on="person_id", how="anti").collect().is_empty()


def test_truth_names_people_or_companies(population: Population) -> None:
    strangers = population.truth.join(population.people, on="person_id", how="anti").collect()
    assert strangers["person_id"].str.starts_with("company-").all()
    assert strangers["difficulties"].list.contains("company").all()


def test_orders_name_records_that_exist(population: Population) -> None:
    records = population.records.select("system", "source_id", is_guest=pl.col("object") == "guest")
    orders = population.orders
    customers = orders.filter(pl.col("customer").is_not_null()).select("system", source_id="customer")
    guests = orders.filter(pl.col("guest").is_not_null()).select("system", source_id="guest")
    assert (
        customers.join(records.filter(~pl.col("is_guest")), on=["system", "source_id"], how="anti").collect().is_empty()
    )
    assert guests.join(records.filter("is_guest"), on=["system", "source_id"], how="anti").collect().is_empty()
    assert guests.collect().height == records.filter("is_guest").collect().height


def test_orders_belong_to_whom_their_record_belongs(population: Population) -> None:
    """But for a clerk's card, which is not the buyer's."""
    truth = population.truth.select("system", "source_id", owner="person_id", is_guest=pl.col("object") == "guest")
    orders = population.orders.with_columns(
        source_id=pl.coalesce("guest", "customer"), is_guest=pl.col("guest").is_not_null()
    ).drop_nulls("source_id")
    joined = orders.join(truth, on=["system", "source_id", "is_guest"]).collect()
    lent = joined["difficulties"].list.contains("staff_card") & joined["guest"].is_null()
    assert (joined["owner"] == joined["person_id"]).equals(~lent)


def test_order_ids_are_unique(population: Population) -> None:
    assert not population.orders.select("system", "order_id").collect().is_duplicated().any()
    assert not population.orders.select("system", "number").collect().is_duplicated().any()


def test_nothing_happens_outside_the_window_or_out_of_order(population: Population) -> None:
    spec = population.spec
    start, end = (
        pl.lit(spec.starts_on).cast(pl.Datetime("ms", "UTC")),
        pl.lit(spec.as_of).cast(pl.Datetime("ms", "UTC")),
    )
    records, orders = population.records, population.orders
    assert records.select((pl.col("created_at") >= start).all() & (pl.col("modified_at") <= end).all()).collect().item()
    assert records.select((pl.col("created_at") <= pl.col("modified_at")).all()).collect().item()
    assert orders.select((pl.col("placed_at") >= start).all() & (pl.col("modified_at") <= end).all()).collect().item()
    assert orders.select((pl.col("placed_at") <= pl.col("modified_at")).all()).collect().item()


def test_orders_of_an_account_lie_within_its_life(population: Population) -> None:
    accounts = population.records.filter(pl.col("object") != "guest").select(
        "system", "created_at", "deleted_at", customer="source_id"
    )
    joined = population.orders.join(accounts, on=["system", "customer"]).collect()
    assert (joined["placed_at"] > joined["created_at"]).all()
    assert (joined["placed_at"] <= joined["deleted_at"]).all()


def test_a_shop_has_one_living_account_per_mailbox_and_storefront(population: Population) -> None:
    accounts = population.records.filter(
        (pl.col("object") == "customer") & pl.col("deleted_at").is_null()
    ).with_columns(pl.col("email").str.to_lowercase())
    assert not accounts.select("system", "store", "email").collect().is_duplicated().any()


def test_mailboxes_and_numbers_have_one_owner_across_blocks() -> None:
    """Whatever the provider makes of the dots."""
    spec = PopulationSpec(seed=5, people=20_000, block_people=2_500, countries={"US": 1})
    people = pl.concat([tables(spec, number).tables["people"] for number in range(spec.blocks)])
    of_their_own = people.filter(~pl.col("person_id").str.starts_with("story-"))["email"]
    assert of_their_own.is_unique().all()
    assert of_their_own.map_elements(normal_forms.mailbox, return_dtype=pl.String).is_unique().all()
    assert people["phone"].is_unique().all()
    assert people["person_id"].is_unique().all()


def test_rates_are_kept_within_chance(summary: Summary) -> None:
    rates = Rates().model_dump()
    assert set(summary.difficulties) == set(rates)
    for name, rate in rates.items():
        count = summary.difficulties[name]
        allowed = 4.5 * (count.eligible * rate * (1 - rate)) ** 0.5 + 2
        assert abs(count.affected - count.eligible * rate) <= allowed, (name, rate, count)


def test_a_rate_of_nothing_leaves_no_label() -> None:
    none = Rates(**dict.fromkeys(Rates.model_fields, 0.0))
    block = tables(SMALL.model_copy(update={"rates": none}), 1)
    assert block.tables["truth"]["difficulties"].list.len().max() == 0
    assert all(count.affected == 0 for count in block.counts.values())


def test_every_difficulty_is_labelled_by_its_name(population: Population) -> None:
    labels = population.truth.select(pl.col("difficulties").explode()).drop_nulls().unique().collect().to_series()
    assert set(labels) == set(Rates.model_fields)


def test_one_rate_leaves_everything_else_as_it_was() -> None:
    """Streams are named: another rate of typing errors moves nobody and renames nobody."""
    more = SMALL.model_copy(update={"rates": Rates(keyboard_typo=0.3)})
    ours, theirs = tables(SMALL, 1).tables, tables(more, 1).tables
    assert ours["people"].drop("difficulties").equals(theirs["people"].drop("difficulties"))
    assert (
        ours["orders"]
        .drop("captured_email", "captured_phone", "captured_name")
        .equals(theirs["orders"].drop("captured_email", "captured_phone", "captured_name"))
    )


def test_systems_can_be_chosen() -> None:
    spec = PopulationSpec(people=300, systems=("magento", "salesforce", "aptos"), presence=Presence(crm_contact=0.9))
    records = tables(spec, 0).tables["records"]
    assert set(records["system"]) == {"magento", "salesforce", "aptos"}
    assert records.filter(pl.col("system") == "salesforce")["source_id"].str.len_chars().unique().to_list() == [18]


@pytest.mark.parametrize(
    "wrong", [{"people": 3}, {"countries": {}}, {"systems": ("pos", "pos")}, {"rates": {"typos": 0.1}}, {"seed": -1}]
)
def test_an_impossible_population_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PopulationSpec.model_validate(wrong)


def test_a_country_with_too_few_numbers_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="LV has 8000000 mobile numbers"):
        write(PopulationSpec(people=10_000_000, countries={"LV": 1}), tmp_path / "never")
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("number", [500, 999])
def test_any_block_of_ten_million_people_can_be_drawn_alone(number: int) -> None:
    spec = PopulationSpec(people=10_000_000)
    assert tables(spec, number).tables["people"].height == spec.block_people


def test_reading_an_incomplete_folder_says_what_is_missing(tmp_path: Path) -> None:
    write(SMALL, tmp_path)
    (tmp_path / "truth.parquet").unlink()
    with pytest.raises(FileNotFoundError, match="truth"):
        read(tmp_path)


def test_protagonists_are_in_every_population_with_the_same_ids(tmp_path: Path, population: Population) -> None:
    write(SMALL, tmp_path)
    stories = protagonists(read(tmp_path))
    assert stories == protagonists(population)
    assert [story.outcome for story in stories] == ["one", "apart", "review"]
    assert [len(story.records) for story in stories] == [3, 5, 3]
    assert [len(story.people) for story in stories] == [1, 3, 2]


def test_protagonists_move_with_the_last_day(tmp_path: Path) -> None:
    spec = SMALL.model_copy(update={"as_of": SMALL.as_of.replace(year=2025)})
    frame = tables(spec, 0).tables
    story = frame["records"].join(frame["truth"], on=KEY).filter(pl.col("person_id").str.starts_with("story-"))
    assert story["modified_at"].dt.date().max() <= spec.as_of
