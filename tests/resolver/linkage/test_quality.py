"""Precision and recall come with intervals that hold the truth as often as they say, from no label, few or many."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from scipy.special import expit

from resolver.linkage.quality import (
    IMPLIED,
    MISSED_WITHIN,
    NEVER_CAUGHT,
    RELIABILITY,
    NothingToEstimate,
    considered,
    estimate,
    sample,
    strata,
    unseen,
)
from tests.benchmarks.quality import asked, known, population
from tests.benchmarks.retail import retail

LEVEL = pa.struct([("level", pa.string()), ("weight", pa.float64())])


def levels(fields: tuple[str, ...], agree: np.ndarray) -> pa.Array:
    """Comparison -> level of every pair: exact where it agrees."""
    reached = [[{"level": "exact" if on else "else", "weight": 0.0} for on in row] for row in agree.tolist()]
    return pa.array([list(zip(fields, row, strict=True)) for row in reached], pa.map_(pa.string(), LEVEL))


def judged(pairs: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    """Pairs of a set that differs from the labelled sets as these do from each other, and which are one person."""
    draw = np.random.default_rng(seed)
    weight = np.concatenate([draw.normal(9, 4, pairs // 2), draw.normal(0, 2, pairs // 2)])
    ids = [f"{i:06}" for i in range(2 * pairs)]
    agree = draw.random((pairs, 3)) < 0.6
    table = pa.table({
        "left_source": [""] * pairs, "left_id": ids[:pairs], "right_source": [""] * pairs, "right_id": ids[pairs:],
        "together": weight > 1, "match_weight": weight, "levels": levels(("birth", "email", "phone"), agree)})  # fmt: skip
    share = {n: expit(known.middle + known.spread * draw.standard_normal()) for n, known in RELIABILITY.items()}
    return table, draw.random(pairs) < np.array([share[n] for n in strata(table).tolist()])


def labelled(table: pa.Table, truth: np.ndarray, size: int, seed: int) -> pa.Table:
    if not size:
        return pa.table({"stratum": pa.array([], pa.int64()), "match": pa.array([], pa.bool_())})
    asked = sample(table, size, seed)
    return asked.append_column("match", pa.array(truth[[int(i) for i in asked["left_id"].to_pylist()]]))


@pytest.mark.parametrize("size", [0, 50, 300])
def test_the_intervals_cover_the_truth_as_often_as_they_say(size: int) -> None:
    covered = []
    for seed in range(40):
        table, truth = judged(3000, seed)
        joined = np.asarray(table["together"])
        right = (joined & truth).sum()
        chance = np.random.default_rng(seed + 1000)
        never = NEVER_CAUGHT * joined.sum() * chance.standard_exponential()
        hidden = chance.poisson(unseen(table) * np.exp(MISSED_WITHIN * chance.standard_normal()) + never)
        quality = estimate(table, labelled(table, truth, size, seed), seed)
        covered.append(quality.precision.low <= right / joined.sum() <= quality.precision.high)
        covered.append(quality.recall.low <= right / (truth.sum() + hidden) <= quality.recall.high)
    assert np.mean(covered) > 0.88


@pytest.mark.parametrize(("told", "size"), [(population, 500), (retail, 2_000)], ids=["population", "customers"])
def test_the_truth_of_people_of_whom_nothing_was_learnt_lies_within(
    told: Callable[[int, int], pl.DataFrame], size: int
) -> None:
    one = known(told(size, 61))
    for labels in (0, 50, 300):
        found = asked(one, labels, seed=1)
        for figure, truth in one.truth.items():
            interval = getattr(found, figure)
            assert interval.low <= truth <= interval.high, (labels, figure)


def test_labels_narrow_the_interval() -> None:
    table, truth = judged(3000, 1)
    none, few, many = (estimate(table, labelled(table, truth, size, 1)).precision for size in (0, 50, 1000))
    assert many.high - many.low < few.high - few.low < none.high - none.low


def test_labels_outvote_what_other_sets_taught() -> None:
    table, _ = judged(3000, 1)
    nobody = np.zeros(3000, np.bool_)
    assert estimate(table, labelled(table, nobody, 400, 1)).precision.high < 0.1


def test_the_sample_is_the_same_for_the_same_seed_and_asks_about_every_stratum() -> None:
    table, _ = judged(2000, 2)
    assert sample(table, 100, 3).equals(sample(table, 100, 3))
    assert set(sample(table, 20, 3)["stratum"].to_pylist()) == set(strata(table).tolist())


def test_records_that_others_brought_together_are_asked_about_too() -> None:
    told = pa.array([{"email": "a"}, {"email": "b"}])
    chain = pa.table({
        "left_source": ["x", "x"], "left_id": ["a", "b"], "right_source": ["x", "x"], "right_id": ["b", "c"],
        "together": [True, True], "match_weight": [9.0, 9.0], "left": told, "right": pa.array([{"email": "b"}, {"email": "c"}]),
    })  # fmt: skip
    found = considered(chain).to_pylist()
    assert [(row["left_id"], row["right_id"]) for row in found] == [("a", "b"), ("b", "c"), ("a", "c")]
    assert (found[2]["left"], found[2]["right"]) == ({"email": "a"}, {"email": "c"})
    assert strata(considered(chain)).tolist()[2] == IMPLIED


def test_what_nobody_saw_is_told_from_what_was_seen_once_and_twice() -> None:
    """Matches that agree on each of five kinds of evidence in two of ten: .8 to the fifth of them agree on none."""
    fields = ("birth", "email", "phone", "address", "loyalty")
    agree = np.random.default_rng(1).random((10_000, 5)) < 0.2
    seen = agree[agree.any(axis=1)]
    table = pa.table(
        {"together": [True] * len(seen), "match_weight": [9.0] * len(seen), "levels": levels(fields, seen)}
    )
    assert unseen(table) == pytest.approx(10_000 - len(seen), rel=0.35)
    often = pa.table(
        {**{c: table[c] for c in ("together", "match_weight")}, "levels": levels(fields, np.ones_like(seen))}
    )
    assert unseen(often) < 0.01 * len(seen)


def test_a_perfect_linkage_is_within_its_intervals() -> None:
    """Heavy pairs that agree in nearly everything, as Febrl's do: nothing may be missed at all, and nothing wrong."""
    agree = np.random.default_rng(1).random((6_000, 5)) < 0.95
    ids = [f"{n:06}" for n in range(12_000)]
    table = pa.table({
        "left_source": [""] * 6_000, "left_id": ids[:6_000], "right_source": [""] * 6_000, "right_id": ids[6_000:],
        "together": [True] * 6_000, "match_weight": [30.0] * 6_000,
        "levels": levels(("birth", "email", "phone", "address", "loyalty"), agree)})  # fmt: skip
    for size in (0, 50, 300):
        found = estimate(table, labelled(table, np.ones(6_000, np.bool_), size, 1))
        assert {i.high for i in (found.precision, found.recall, found.f1, found.blocking_recall)} == {1.0}
        assert found.f1.low > 0.98


def test_where_nothing_was_joined_nothing_was_joined_wrongly() -> None:
    table, _ = judged(1000, 1)
    apart = table.set_column(table.column_names.index("together"), "together", pa.array([False] * 1000))
    found = estimate(apart, labelled(apart, np.zeros(1000, np.bool_), 0, 1))
    assert found.precision.low == found.precision.high == 1.0
    assert found.recall.high == 0.0


def test_labels_of_other_pairs_are_refused() -> None:
    table, truth = judged(1000, 1)
    labels = labelled(table, truth, 50, 1)
    with pytest.raises(NothingToEstimate, match="not of these pairs"):
        estimate(table.slice(0, 20), labels)


def test_what_are_no_pairs_is_refused() -> None:
    with pytest.raises(NothingToEstimate, match="no pairs such as"):
        considered(pa.table({"source": ["a"], "id": ["1"], "cluster": ["1"]}))
    table, _ = judged(10, 1)
    with pytest.raises(NothingToEstimate, match="no pair was judged"):
        considered(table.slice(0, 0))
