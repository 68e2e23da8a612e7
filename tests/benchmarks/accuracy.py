"""Precision and recall of the whole way on a generated population, per difficulty.

    python -m tests.benchmarks.accuracy [--people 10000] [--seed 1] [--json]

Shops answer over HTTP, tills drop their files, records land in a warehouse, rules and linkage model resolve them; then
the crosswalk is compared with the truth, pair by pair. A difficulty's figures count the pairs in which at least one of
the two records has it.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import polars as pl

from connectors.bigcommerce import sandbox as bigcommerce
from connectors.commercetools import sandbox as commercetools
from connectors.pos import sandbox as pos
from connectors.sandbox import population
from connectors.sandbox.faults import Faults
from connectors.sandbox.keys import record_key
from connectors.sandbox.server import running
from resolver import pipeline, run, warehouse
from resolver.cli import wiring
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from resolver.site import Site


@dataclass(frozen=True)
class Figures:
    """Pairs that are one person in truth, pairs that share a profile, and pairs that are both."""

    difficulty: str
    records: int
    true_pairs: int
    joined_pairs: int
    right_pairs: int

    @property
    def precision(self) -> float:
        """Share of joined pairs that are one person."""
        return self.right_pairs / self.joined_pairs if self.joined_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of one person's pairs that are joined."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0


def resolved(people: int, seed: int, folder: Path) -> pl.DataFrame:
    """Resolve a population from its shops and tills; (record, profile, person_id, difficulties) per record."""
    population.write(population.PopulationSpec(people=people, seed=seed), folder / "people")
    inhabitants = population.read(folder / "people")
    pos.write_drop(inhabitants, folder / "drop")
    apps = {
        "bigcommerce": bigcommerce.app(inhabitants, Faults()),
        "commercetools": commercetools.app(inhabitants, Faults()),
    }
    with running(apps) as urls, warehouse.opened(folder / "warehouse.duckdb", clock=wiring.now) as connection:
        with run.begun("benchmark", connection, Policy(), LinkageModel.shipped(), wiring.now) as begun:
            pipeline.resolve(begun, wiring.sources(_site(urls, inhabitants), folder))
        return _beside_truth(connection, inhabitants)


def _site(urls: Mapping[str, str], inhabitants: population.Population) -> Site:
    return Site(
        sources={
            "bigcommerce": {**bigcommerce.site(urls["bigcommerce"]), "details": (), "loyalty_namespace": None},
            "commercetools": {
                "api_url": urls["commercetools"],
                "auth_url": urls["commercetools"],
                "project_key": commercetools.PROJECT_KEY,
                "client_id": commercetools.CLIENT_ID,
                "client_secret": commercetools.CLIENT_SECRET,
            },
            "pos": pos.settings(inhabitants, Path("drop")),
        }
    )


def _beside_truth(connection: duckdb.DuckDBPyConnection, inhabitants: population.Population) -> pl.DataFrame:
    crosswalk = pl.DataFrame(
        connection.execute("select record, profile from derived.crosswalk").fetchall(),
        schema=["record", "profile"],
        orient="row",
    )
    truth = inhabitants.truth.collect().with_columns(
        record=pl.struct("system", "object", "source_id").map_elements(
            lambda row: record_key(row["system"], row["object"], row["source_id"]), return_dtype=pl.String
        )
    )
    return truth.join(crosswalk, on="record", how="inner").select("record", "profile", "person_id", "difficulties")


def _pairs(rows: pl.DataFrame, by: list[str]) -> int:
    sizes = rows.group_by(by).len()["len"]
    return int((sizes * (sizes - 1) // 2).sum())


def figures(rows: pl.DataFrame, difficulty: str) -> Figures:
    """The figures of one difficulty: all pairs less those between records that do not have it."""
    without = rows.filter(~pl.col("difficulties").list.contains(difficulty))
    of_all, of_others = _counts(rows), _counts(without)
    return Figures(difficulty, rows.height - without.height, *(a - o for a, o in zip(of_all, of_others, strict=True)))


def _counts(rows: pl.DataFrame) -> tuple[int, int, int]:
    return _pairs(rows, ["person_id"]), _pairs(rows, ["profile"]), _pairs(rows, ["profile", "person_id"])


def measured(people: int, seed: int) -> tuple[list[Figures], float]:
    """Figures overall and per difficulty, and the seconds that it took."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        rows = resolved(people, seed, Path(folder))
    labels = sorted(rows["difficulties"].explode().drop_nulls().unique().to_list())
    every = [Figures("all", rows.height, *_counts(rows)), *(figures(rows, label) for label in labels)]
    return every, time.perf_counter() - began


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--people", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--json", action="store_true")
    arguments = asked.parse_args()
    every, seconds = measured(arguments.people, arguments.seed)
    if arguments.json:
        print(json.dumps([{**asdict(f), "precision": f.precision, "recall": f.recall} for f in every], indent=2))
        return
    print(f"{arguments.people:,} people, seed {arguments.seed}: {seconds:.0f} s from shops and tills to profiles")
    print(f"{'difficulty':<20}{'records':>9}{'true pairs':>12}{'false pairs':>12}{'precision':>11}{'recall':>9}")
    for f in every:
        print(
            f"{f.difficulty:<20}{f.records:>9,}{f.true_pairs:>12,}{f.joined_pairs - f.right_pairs:>12,}"
            f"{f.precision:>11.4f}{f.recall:>9.4f}"
        )


if __name__ == "__main__":
    main()
