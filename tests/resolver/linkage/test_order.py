"""The same records in another order are the same people, with the same weights: shuffled, told again, file by file."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox import population
from resolver.linkage import Linkage, link

Row = dict[str, str | None]


def cluster_of(answer: Linkage) -> dict[tuple[str, str], tuple[str, bool]]:
    """Source and id of every record -> its cluster, and whether it is doubtful."""
    rows = answer.clusters.to_pylist()
    return {(row["source"], row["id"]): (row["cluster"], row["review"]) for row in rows}


def same(one: Linkage, other: Linkage) -> bool:
    """Whether the answers agree in every cluster, weight and parameter."""
    return cluster_of(one) == cluster_of(other) and one.pairs.equals(other.pairs) and one.model == other.model


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Some hundreds of records, enough to be learnt from."""
    folder = tmp_path_factory.mktemp("people")
    population.write_people(250, 5, folder)
    wanted = [
        "given_name",
        "family_name",
        "full_name",
        "birth_date",
        "email",
        "phone",
        "address_line",
        "postcode",
        "city",
    ]
    records = pl.read_parquet(folder / "records.parquet").sort("system", "object", "source_id")
    return records.select(
        pl.col("system").alias("source"), pl.concat_str("object", "source_id", separator=":").alias("id"), *wanted
    )


@pytest.fixture(scope="module")
def receipts(people: pl.DataFrame) -> pl.DataFrame:
    """The same people, most of them told again and again."""
    times = pl.int_range(pl.len()) % 7 + 1
    again = people.with_columns(n=pl.int_ranges(times)).explode("n")
    return again.with_columns(id=pl.format("{}-{}", "id", "n")).drop("n")


def shuffled(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    return frame.sample(fraction=1.0, shuffle=True, seed=seed)


def test_shuffled_rows_that_repeat_each_other(receipts: pl.DataFrame) -> None:
    answer = link(receipts)
    assert answer.origin == "trained on these records"
    assert len(set(answer.stands_for.tolist())) < 0.5 * receipts.height
    assert same(answer, link(shuffled(receipts, 2)))


@pytest.mark.parametrize("dropped", [[], ["source"]], ids=["sources told", "each file a source"])
def test_files_in_another_order(receipts: pl.DataFrame, tmp_path: Path, dropped: Sequence[str]) -> None:
    files = []
    for number, part in enumerate(receipts.drop(dropped).iter_slices(receipts.height // 3)):
        files.append(tmp_path / f"part{number}.parquet")
        part.write_parquet(files[-1])
    assert same(link(files), link([files[2], *files[:2], *files[3:]]))


def test_files_that_each_count_from_one(people: pl.DataFrame, tmp_path: Path) -> None:
    files = []
    for number, part in enumerate(people.drop("source").iter_slices(people.height // 3)):
        files.append(tmp_path / f"part{number}.csv")
        part.with_columns(id=pl.int_range(1, part.height + 1)).write_csv(files[-1])
    assert same(link(files), link(files[::-1]))


@pytest.mark.parametrize("ids", [None, pl.int_range(pl.len()) // 3], ids=["no ids", "ids that are not unique"])
def test_rows_that_no_id_tells_apart(people: pl.DataFrame, ids: pl.Expr | None) -> None:
    told = people.drop("source", "id") if ids is None else people.drop("source").with_columns(id=ids)
    other_way = shuffled(told.with_row_index("row"), 4)
    there, back = link(told), link(other_way.drop("row"))
    placed = pl.DataFrame(back.clusters).with_columns(row=other_way["row"]).sort("row")
    assert placed["cluster"].to_list() == there.clusters["cluster"].to_pylist()
    assert back.pairs["match_weight"].equals(there.pairs["match_weight"])
    assert back.model == there.model


GIVEN = st.sampled_from(["Katrin", "Kathrin", "K", "Jonas", "Lena", None])
MAILBOXES = st.sampled_from(["katrin.brandtner@web.de", "familie.brandtner@web.de", "jonas79@gmx.de", None])
BIRTHS = st.sampled_from(["1981-02-11", "1981-11-02", "1979-05-30", None])
TOLD = st.fixed_dictionaries(
    {"given_name": GIVEN, "email": MAILBOXES, "birth_date": BIRTHS, "family_name": st.just("Brandtner")}
)


@settings(max_examples=8, deadline=None)
@given(st.lists(TOLD, min_size=2, max_size=14), st.booleans(), st.randoms(use_true_random=False))
def test_any_household_in_any_order(rows: list[Row], named: bool, chance: object) -> None:
    """Repeats and all, whether or not they have ids."""
    numbered = [{**row, "id": f"r{n}"} for n, row in enumerate(rows)]
    other_way = chance.sample(numbered, len(numbered))  # type: ignore[attr-defined]
    schema = pa.schema([(name, pa.string()) for name in ("given_name", "email", "birth_date", "family_name", "id")])
    clusters, weights = [], []
    for order in (numbered, other_way):
        table = pa.Table.from_pylist(order, schema)
        answer = link(table if named else table.drop_columns(["id"]))
        told = zip((row["id"] for row in order), answer.clusters["cluster"].to_pylist(), strict=True)
        clusters.append(people_among(rows, dict(told)))
        weights.append(answer.pairs["match_weight"].to_pylist())
    assert clusters[0] == clusters[1]
    assert weights[0] == weights[1]


def people_among(rows: Sequence[Row], cluster: dict[str, str]) -> list[list[tuple[str, ...]]]:
    """What the records of every cluster tell, in a fixed order: rows that tell the same are as good as each other."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for number, row in enumerate(rows):
        found.setdefault(cluster[f"r{number}"], []).append(tuple(value or "" for value in row.values()))
    return sorted(sorted(told) for told in found.values())
