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

from resolver import standard_form
from resolver.linkage import judging, records, scoring, training
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

Threshold = float | Literal["auto"]


@dataclass(frozen=True)
class Linkage:
    """The answer: who is who, and why.

    `clusters`: source, id, cluster, review: every input row once, in input order.
    `pairs`: left_source, left_id, right_source, right_id, together (in one cluster), verdict, match_weight,
    match_probability, blocked_by, levels; sorted by the two records.
    """

    clusters: pa.Table
    pairs: pa.Table
    model: LinkageModel
    policy: LinkagePolicy
    understood: Understood
    trained: bool
    compared: int

    def save_clusters(self, path: Path | str) -> None:
        """Write the clusters as Parquet."""
        pq.write_table(self.clusters, path)

    def save_pairs(self, path: Path | str) -> None:
        """Write the judged pairs as Parquet."""
        pq.write_table(self.pairs, path)

    def match_weights_chart(self) -> dict[str, Any]:
        """Splink's chart of the model's match weights, as a Vega-Lite specification."""
        with _nobody() as nobody:
            trained = {
                f.name.removesuffix(" (names agree)"): [(x.m, x.u) for x in f.levels] for f in self.model.features
            }
            prior = float(self.model.parameters(self.model.trained_on).prior[0])
            return scoring.match_weights_chart(nobody.connection, ALL, trained, prior)

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
            "model": "trained on these records" if self.trained else "as given",
            "fields": dict(self.understood.fields),
            "further": list(self.understood.others),
            "unused": list(self.understood.unused),
            "warnings": list(self.understood.warnings),
        }


def judge(
    connection: duckdb.DuckDBPyConnection, people: str, model: LinkageModel, policy: LinkagePolicy, seed: int = 1
) -> Weighed:
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
    clusters join; 'auto' is where the evidence for and against is even.
    Rows that tell the very same are linked once (see repeats). Raises tables.Unreadable or columns.UnknownField.
    """
    policy = policy or LinkagePolicy()
    told = read(people, id=id, source=source, columns=columns, also=also)
    once = collapsed(told.people, policy.threads)
    loaded = _loaded(once.people, policy)
    pairs = training.proposed(loaded, policy)
    known = None
    trained = model is None and loaded.count >= policy.small and pairs.size > 0
    if trained:
        model, known = training.train_on(loaded, pairs, policy, seed)
    model = model or LinkageModel.shipped()
    weighed = _weighed(loaded, pairs, known, model, policy)
    loaded.connection.close()
    clustered = agglomerate(
        once.people["record"].to_pylist(),
        _shifted(weighed.pairs, threshold),
        walls=_walls(weighed.contradictions),
        contradictions=weighed.contradictions,
        policy=policy,
    )
    pairs_told = _pairs(told, weighed.pairs, clustered, once)
    return Linkage(
        _clusters(told, clustered, once), pairs_told, model, policy, told.understood, trained, weighed.considered
    )


def _loaded(people: pa.Table, policy: LinkagePolicy) -> records.Records:
    connection = duckdb.connect(config={"threads": policy.threads})
    connection.register("link_told", people)
    standard_form.people(connection, "link_told", "linkage_people")
    connection.unregister("link_told")
    return records.within(connection)


def _shifted(judged: pa.Table, threshold: Threshold) -> pa.Table:
    ends = judged.select(["left", "right", "log_odds"])
    if threshold == "auto":
        return ends
    line = np.log(threshold / (1.0 - threshold))
    return ends.set_column(2, "log_odds", pc.subtract(ends["log_odds"], line))


def _walls(contradictions: pa.Table) -> pa.Table:
    """Jr is not Sr, whatever else agrees."""
    return contradictions.filter(pc.equal(contradictions["reason"], "suffix"))


def _clusters(told: Told, clustered: Clustered, once: Collapsed) -> pa.Table:
    place = pa.array(once.place)
    answer = clustered.clusters
    columns = [told.source, told.id, answer["cluster"].take(place), answer["doubtful"].take(place)]
    return pa.table(columns, names=["source", "id", "cluster", "review"])


def _pairs(told: Told, judged: pa.Table, clustered: Clustered, once: Collapsed) -> pa.Table:
    """Judged pairs with the source and id of both records, and what came of them."""
    ids = told.people["record"].combine_chunks()
    ends = {side: numbers_of(ids, judged[side]) for side in ("left", "right")}
    cluster = clustered.clusters["cluster"].take(pa.array(once.place))
    together = pc.equal(cluster.take(pa.array(ends["left"])), cluster.take(pa.array(ends["right"])))
    doubtful = np.isin(_packed(ids, judged), _packed(ids, clustered.doubts))
    verdict = pc.if_else(pa.array(doubtful), "unsure", pc.if_else(together, "match", "non_match"))
    named = {
        f"{side}_{what}": values.take(pa.array(ends[side]))
        for side in ("left", "right")
        for what, values in (("source", told.source), ("id", told.id))
    }
    rest = judged.select(["match_weight", "match_probability", "blocked_by", "levels"])
    return pa.table(
        {**named, "together": together, "verdict": verdict, **dict(zip(rest.column_names, rest.columns, strict=True))}
    )


def _packed(ids: pa.StringArray, pairs: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    return (numbers_of(ids, pairs["left"]) << 32) | numbers_of(ids, pairs["right"])
