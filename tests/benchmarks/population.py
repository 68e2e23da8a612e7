"""The whole way on a generated population, from shops and tills to profiles, measured per difficulty.

Shops answer over HTTP, tills drop their files, records land in a warehouse, rules and linkage model resolve them; then
the crosswalk is compared with the truth, pair by pair. A difficulty's figures count the pairs in which at least one of
the two records has it.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
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
    """Pairs that are one person in truth, pairs that share a profile, and pairs that are both.

    `alike` of the wrongly joined pairs agree, or are silent, in everything that both records tell of themselves (names,
    birth date, suffix): nothing told says that they are two people. `waiting` of the pairs that were not joined and
    should have been are put before a steward.
    """

    difficulty: str
    records: int
    true_pairs: int
    joined_pairs: int
    right_pairs: int
    alike: int
    waiting: int

    @property
    def false_pairs(self) -> int:
        """Pairs of two people in one profile."""
        return self.joined_pairs - self.right_pairs

    @property
    def precision(self) -> float:
        """Share of joined pairs that are one person."""
        return self.right_pairs / self.joined_pairs if self.joined_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of one person's pairs that are joined."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0


@dataclass(frozen=True)
class Outcome:
    """What a run made of a population.

    `rows`: record, profile, person_id, difficulties. `pairs`: difficulties of either record, one_person, joined, alike,
    waiting; a row for every pair of records that is one person, or joined, or both.
    """

    rows: pl.DataFrame
    pairs: pl.DataFrame

    def figures(self) -> list[Figures]:
        """The figures of all pairs, and of each difficulty."""
        labels = sorted(self.rows["difficulties"].explode().drop_nulls().unique().to_list())
        with_it = [(label, pl.col("difficulties").list.contains(label)) for label in labels]
        return [self._figures("all", pl.lit(True)), *(self._figures(*which) for which in with_it)]

    def _figures(self, difficulty: str, which: pl.Expr) -> Figures:
        pairs = self.pairs.filter(which)
        one, joined = pl.col("one_person"), pl.col("joined")
        return Figures(
            difficulty,
            self.rows.filter(which).height,
            pairs.filter(one).height,
            pairs.filter(joined).height,
            pairs.filter(one & joined).height,
            pairs.filter(joined & ~one & pl.col("alike")).height,
            pairs.filter(one & ~joined & pl.col("waiting")).height,
        )


def measured(people: int, seed: int) -> list[Figures]:
    """Figures overall and per difficulty."""
    with tempfile.TemporaryDirectory() as folder:
        return resolved(people, seed, Path(folder)).figures()


def resolved(people: int, seed: int, folder: Path) -> Outcome:
    """Resolve a population from its shops and tills."""
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
        return outcome(connection, inhabitants)


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


PAIRS = """
with told as (
    select record, profile, person_id, difficulties from beside_truth
), pair as (
    select a.record as one, b.record as other from told a join told b on b.person_id = a.person_id and a.record < b.record
    union select a.record, b.record from told a join told b on b.profile = a.profile and a.record < b.record
)
select list_distinct(a.difficulties || b.difficulties) as difficulties,
       a.person_id = b.person_id as one_person, a.profile = b.profile as joined,
       derived.given_agree(l, r) and derived.family_agree(l, r) and derived.birth_agree(l, r) and derived.suffix_agree(l, r)
           as alike,
       exists (
           from derived.open_conflict c where c.kind = 'identity' and c.profile = least(a.profile, b.profile)
             and c.attribute = 'same person as ' || greatest(a.profile, b.profile)
       ) as waiting
from pair p join told a on a.record = p.one join told b on b.record = p.other
join derived.record l on l.record = p.one join derived.record r on r.record = p.other
"""


def outcome(connection: duckdb.DuckDBPyConnection, inhabitants: population.Population) -> Outcome:
    """The crosswalk of a warehouse beside the truth of the population that was told to it."""
    crosswalk = connection.sql("select record, profile from derived.crosswalk").pl()
    truth = inhabitants.truth.collect().with_columns(
        record=pl.struct("system", "object", "source_id").map_elements(
            lambda row: record_key(row["system"], row["object"], row["source_id"]), return_dtype=pl.String
        )
    )
    rows = truth.join(crosswalk, on="record", how="inner").select("record", "profile", "person_id", "difficulties")
    connection.register("beside_truth", rows.to_arrow())
    return Outcome(rows, connection.sql(PAIRS).pl())
