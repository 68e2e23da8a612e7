"""Stewards' labels give precision and recall with intervals that cover the truth."""

import numpy as np
import pyarrow as pa
import pytest

from resolver.linkage.quality import estimate, sample, strata


def judged(pairs: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    """Pairs whose match weights are calibrated, and the truth behind them."""
    draw = np.random.default_rng(seed)
    weight = np.concatenate([draw.normal(9, 3, pairs // 2), draw.normal(0, 2, pairs // 2)])
    probability = 1 / (1 + 2.0**-weight)
    ids = [str(i) for i in range(pairs)]
    table = pa.table({"left_source": ids, "left_id": ids, "right_source": ids, "right_id": ids,
                      "together": weight > 0, "match_weight": weight, "match_probability": probability})  # fmt: skip
    return table, draw.random(pairs) < probability


def labelled(table: pa.Table, truth: np.ndarray, size: int, seed: int) -> pa.Table:
    asked = sample(table, size, seed)
    return asked.append_column("match", pa.array(truth[[int(i) for i in asked["left_id"].to_pylist()]]))


@pytest.mark.parametrize("size", [50, 300])
def test_the_intervals_cover_the_truth_as_often_as_they_say(size: int) -> None:
    covered = []
    for seed in range(40):
        table, truth = judged(4000, seed)
        joined = np.asarray(table["together"])
        right = (joined & truth).sum()
        quality = estimate(table, labelled(table, truth, size, seed), seed)
        covered.append(quality.precision.low <= right / joined.sum() <= quality.precision.high)
        covered.append(quality.recall.low <= right / truth.sum() <= quality.recall.high)
    assert np.mean(covered) > 0.88


def test_more_labels_give_narrower_intervals() -> None:
    table, truth = judged(4000, 1)
    few, many = (estimate(table, labelled(table, truth, size, 1)).f1 for size in (50, 1000))
    assert many.high - many.low < few.high - few.low


def test_the_sample_is_the_same_for_the_same_seed_and_asks_about_every_stratum() -> None:
    table, _ = judged(2000, 2)
    assert sample(table, 100, 3).equals(sample(table, 100, 3))
    assert set(sample(table, 20, 3)["stratum"].to_pylist()) == set(strata(table).tolist())
