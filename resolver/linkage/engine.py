"""Link any table of people: read it, understand it, train on it, judge, cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from resolver import standard_form
from resolver.linkage import charts, judging, records, scoring, training
from resolver.linkage.blocking import Pairs
from resolver.linkage.clustering import Clustered, agglomerate
from resolver.linkage.columns import Understood
from resolver.linkage.comparisons import ALL
from resolver.linkage.judging import Weighed
from resolver.linkage.model import LinkageModel
from resolver.linkage.policy import LinkagePolicy
from resolver.linkage.records import numbers_of
from resolver.linkage.repeats import Collapsed, collapsed
from resolver.linkage.tables import People, Told, read

Ints = NDArray[np.int64]
Threshold = float | Literal["auto"]
Origin = Literal["trained on these records", "as given", "as shipped"]
Named = tuple[str, str]


class NotJudged(LookupError):
    """There is nothing to show of this pair; the text says why, and what would change that."""


@dataclass(frozen=True)
class Linkage:
    """The answer: who is who, and why.

    `clusters`: source, id, cluster, review: every input row once, in input order.
    `policy`: what was decided, with the budget that followed from the number of records.
    `pairs`: left_source, left_id, right_source, right_id, together (in one cluster), verdict, match_weight,
    match_probability, blocked_by, levels; sorted by the two records.
    `origin`: where the model comes from.
    `rows`: where the two records of each pair stand in the input.
    `stands_for`: for every row the one that was linked in its place, because it tells the very same (see repeats).

    Charts are Splink's: they show themselves in a notebook, `save` writes them as HTML, and `chart_dict` is their
    Vega-Lite specification.
    """

    clusters: pa.Table
    pairs: pa.Table
    model: LinkageModel
    policy: LinkagePolicy
    understood: Understood
    origin: Origin
    compared: int
    told: pa.Table
    rows: tuple[Ints, Ints]
    stands_for: Ints

    def save_clusters(self, path: Path | str) -> None:
        """Write the clusters as Parquet."""
        pq.write_table(self.clusters, path)

    def save_pairs(self, path: Path | str) -> None:
        """Write the judged pairs as Parquet, with what both records tell in the structs `left` and `right`."""
        said = pa.StructArray.from_arrays(
            [column.combine_chunks() for column in self.told.columns], names=self.told.column_names
        )
        left, right = (said.take(pa.array(rows)) for rows in self.rows)
        pq.write_table(self.pairs.append_column("left", left).append_column("right", right), path)

    def match_weights_chart(self) -> scoring.Chart[Any]:
        """The model's match weights, level by level; of e-mail addresses those that count where the names agree."""
        with _nobody() as nobody:
            trained = {
                f.name.removesuffix(" (names agree)"): [(x.m, x.u) for x in f.levels] for f in self.model.features
            }
            prior = float(self.model.parameters(self.model.trained_on).prior[0])
            return scoring.match_weights_chart(nobody.connection, ALL, trained, prior)

    def match_weights_histogram(self) -> scoring.Chart[Any]:
        """How many judged pairs have which match weight. Raises NotJudged when there is none."""
        if not self.pairs.num_rows:
            raise NotJudged(
                "no pair was judged: no blocking rule proposes two of these records that resemble each other"
            )
        with _nobody() as nobody:
            return scoring.match_weights_histogram(nobody.connection, ALL, self.pairs)

    def waterfall_chart(self, pairs: Sequence[tuple[Named, Named]]) -> scoring.Chart[Any]:
        """How the match weight of each pair comes about, in bits: prior, comparisons, what sharing explains, their sum.

        A record is named by its source and id, as in `clusters`. Raises NotJudged.
        """
        return scoring.waterfall_chart([self._bars(self._judged(left, right)) for left, right in pairs])

    def _bars(self, number: int) -> list[scoring.Bar]:
        left, right = (self.told.slice(rows[number], 1).to_pylist()[0] for rows in self.rows)
        return charts.bars(self.pairs.slice(number, 1).to_pylist()[0], left, right)

    def _judged(self, one: Named, other: Named) -> int:
        """Which of `pairs` the two records are, or those that stand for them."""
        a, b = (self.stands_for[self._row(named)] for named in (one, other))
        pair = f"{':'.join(one)} and {':'.join(other)}"
        if a == b:
            raise NotJudged(f"{pair} tell the very same: they are one record told again, and nothing is weighed")
        left, right = self.rows
        found = np.flatnonzero(((left == a) & (right == b)) | ((left == b) & (right == a)))
        if not found.size:
            raise NotJudged(
                f"{pair} were not judged: no blocking rule proposes them, or they weigh less than what is kept; "
                "a policy with more pairs_per_record or lower keep_log_odds judges more"
            )
        return int(found[0])

    def _row(self, named: Named) -> int:
        same = (pc.equal(self.clusters[what], wanted) for what, wanted in zip(("source", "id"), named, strict=True))
        rows = np.flatnonzero(np.asarray(pc.and_(*same)))
        if rows.size != 1:
            found = f"{rows.size} records are" if rows.size else "no record is"
            raise NotJudged(f"{found} called {':'.join(named)}; records are named by source and id, as in clusters")
        return int(rows[0])

    def _proposed_by(self) -> dict[str, int]:
        """Blocking rule -> judged pairs that it was the first to propose, the most productive first."""
        counts = {row["values"]: row["counts"] for row in pc.value_counts(self.pairs["blocked_by"]).to_pylist()}
        return dict(sorted(counts.items(), key=lambda rule: (-rule[1], rule[0])))

    def summary(self) -> dict[str, Any]:
        """What happened, in figures and words."""
        sizes = pc.value_counts(self.clusters["cluster"]).field("counts")
        return {
            "records": self.clusters.num_rows,
            "clusters": len(sizes),
            "largest": pc.max(sizes).as_py() if len(sizes) else 0,
            "review": pc.sum(self.clusters["review"]).as_py() or 0,
            "compared": self.compared,
            "judged": self.pairs.num_rows,
            "pairs_per_record": self.policy.pairs_per_record,
            "blocking": self._proposed_by(),
            "model": self.origin,
            "fields": dict(self.understood.fields),
            "further": list(self.understood.others),
            "unused": list(self.understood.unused),
            "warnings": list(self.understood.warnings),
        }


def judge(connection: duckdb.DuckDBPyConnection, people: str, model: LinkageModel, policy: LinkagePolicy) -> Weighed:
    """Weigh every pair of the standardised table `people` that may be one person; see judging.PAIRS.

    Pairs under `policy.keep_log_odds` are left out. The same records give the same bytes whatever the threads.
    """
    loaded = records.load(connection, people, policy.threads)
    weighed = _weighed(loaded, training.proposed(loaded, policy), None, model, policy)
    loaded.connection.close()
    return weighed


@contextmanager
def _nobody() -> Iterator[records.Records]:
    """The tables of a linkage without a record."""
    nobody = pa.table({"record": pa.array([], pa.string()), "source": pa.array([], pa.string())})
    loaded = _loaded(nobody, LinkagePolicy())
    yield loaded
    loaded.connection.close()


def _weighed(
    loaded: records.Records,
    pairs: Pairs,
    known: training.Candidates | None,
    model: LinkageModel,
    policy: LinkagePolicy,
) -> Weighed:
    if not pairs.size:
        return Weighed(judging.PAIRS.empty_table(), 0, judging.CONTRADICTIONS.empty_table())
    scored = judging.score(loaded, pairs, known, model, policy)
    return Weighed(judging.table(loaded, scored, model), scored.considered, judging.contradictions(loaded, scored))


def train(connection: duckdb.DuckDBPyConnection, people: str, policy: LinkagePolicy, seed: int = 1) -> LinkageModel:
    """A linkage model of the standardised table `people`, without labels."""
    loaded = records.load(connection, people, policy.threads)
    model, _ = training.train_on(loaded, training.proposed(loaded, policy), policy, seed)
    loaded.connection.close()
    return model


def link(
    people: People,
    *,
    id: str | None = None,  # noqa: A002  the word that people use for it
    source: str | None = None,
    columns: Mapping[str, str] | None = None,
    also: Sequence[str] = (),
    policy: LinkagePolicy | None = None,
    model: LinkageModel | None = None,
    threshold: Threshold = "auto",
    seed: int = 1,
) -> Linkage:
    """Work out which rows of a table of people are one person.

    `people` is a path (CSV, Parquet, NDJSON), several paths, or a frame. `columns` maps columns to fields where their
    names do not tell; `also` names further columns to compare. Without a `model` one is trained on the table itself;
    a table too small to learn from is judged by the shipped one. `threshold` is the match probability above which
    clusters join; 'auto' leaves it to the policy.
    Rows that tell the very same are linked once (see repeats). Raises tables.Unreadable or columns.UnknownField.
    """
    policy = policy or LinkagePolicy()
    if threshold != "auto":
        policy = policy.model_copy(update={"threshold": threshold})
    told = read(people, id=id, source=source, columns=columns, also=also)
    once = collapsed(told.people, policy.threads)
    loaded = _loaded(once.people, policy)
    pairs = training.proposed(loaded, policy)
    policy = policy.model_copy(update={"pairs_per_record": policy.rule_budget(loaded.count)})
    known, origin = None, _origin(model, loaded.count, pairs, policy)
    if origin == "trained on these records":
        model, known = training.train_on(loaded, pairs, policy, seed)
    model = model or LinkageModel.shipped()
    weighed = _weighed(loaded, pairs, known, model, policy)
    loaded.connection.close()
    clustered = agglomerate(
        once.people["record"].to_pylist(),
        weighed.pairs,
        walls=_walls(weighed.contradictions),
        contradictions=weighed.contradictions,
        policy=policy,
    )
    ids = once.people["record"].combine_chunks()
    ends = numbers_of(ids, weighed.pairs["left"]), numbers_of(ids, weighed.pairs["right"])
    return Linkage(
        clusters=_clusters(told, clustered, once),
        pairs=_pairs(told, weighed.pairs, ends, clustered, once),
        model=model,
        policy=policy,
        understood=told.understood,
        origin=origin,
        compared=weighed.considered,
        told=told.people.drop_columns(["record", "source"]),
        rows=(once.row[ends[0]], once.row[ends[1]]),
        stands_for=once.row[once.place],
    )


def _origin(given: LinkageModel | None, records: int, pairs: Pairs, policy: LinkagePolicy) -> Origin:
    if given:
        return "as given"
    return "trained on these records" if records >= policy.small and pairs.size else "as shipped"


def _loaded(people: pa.Table, policy: LinkagePolicy) -> records.Records:
    connection = duckdb.connect(config={"threads": policy.threads})
    connection.register("link_told", people)
    standard_form.people(connection, "link_told", "linkage_people")
    connection.unregister("link_told")
    return records.within(connection)


def _walls(contradictions: pa.Table) -> pa.Table:
    """Jr is not Sr, whatever else agrees."""
    return contradictions.filter(pc.equal(contradictions["reason"], "suffix"))


def _clusters(told: Told, clustered: Clustered, once: Collapsed) -> pa.Table:
    place = pa.array(once.place)
    answer = clustered.clusters
    columns = [told.source, told.id, answer["cluster"].take(place), answer["doubtful"].take(place)]
    return pa.table(columns, names=["source", "id", "cluster", "review"])


def _pairs(told: Told, judged: pa.Table, ends: tuple[Ints, Ints], clustered: Clustered, once: Collapsed) -> pa.Table:
    """Judged pairs, by where the two stand among the records, with source and id of both, and what came of them."""
    left, right = (pa.array(end) for end in ends)
    cluster = clustered.clusters["cluster"]
    together = pc.equal(cluster.take(left), cluster.take(right))
    ids = once.people["record"].combine_chunks()
    doubts = [numbers_of(ids, clustered.doubts[side]) for side in ("left", "right")]
    doubtful = np.isin((ends[0] << 32) | ends[1], (doubts[0] << 32) | doubts[1])
    verdict = pc.if_else(pa.array(doubtful), "unsure", pc.if_else(together, "match", "non_match"))
    named = {
        f"{side}_{what}": values.take(pa.array(once.row[end]))
        for side, end in zip(("left", "right"), ends, strict=True)
        for what, values in (("source", told.source), ("id", told.id))
    }
    rest = judged.select(["match_weight", "match_probability", "blocked_by", "levels"])
    return pa.table(
        {**named, "together": together, "verdict": verdict, **dict(zip(rest.column_names, rest.columns, strict=True))}
    )
