"""How good is it? Precision and recall of the clusters from pairs that a steward judges, with 95 % intervals.

Judged pairs fall into strata by what became of them and by match weight; the sample takes some of each, more where the
answer is less certain. What the steward says of a stratum's sample stands for the stratum (a Beta posterior), and
the interval is that of the sums. Pairs that were never judged are outside: recall is of what blocking proposed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

EDGES = (-1.0, 1.0, 3.0, 6.0, 10.0)
DRAWS = 4000
PAIR = ["left_source", "left_id", "right_source", "right_id"]


@dataclass(frozen=True)
class Interval:
    """An estimate and the bounds of its 95 % interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Quality:
    """Quality of clusters over the judged pairs."""

    precision: Interval
    recall: Interval
    f1: Interval
    labels: int


def sample(pairs: pa.Table, size: int, seed: int) -> pa.Table:
    """About `size` judged pairs (see Linkage.pairs) for a steward: both records and the stratum, in a fixed order."""
    stratum = strata(pairs)
    numbers, counts = np.unique(stratum, return_counts=True)
    wanted = _allocated(pairs, stratum, numbers, counts, size)
    generator = np.random.default_rng(seed)
    chosen = [
        generator.choice(np.flatnonzero(stratum == number), min(n, count), replace=False)
        for number, n, count in zip(numbers, wanted, counts, strict=True)
    ]
    rows = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)
    return pairs.select(PAIR).take(pa.array(rows)).append_column("stratum", pa.array(stratum[rows]))


def strata(pairs: pa.Table) -> NDArray[np.int64]:
    """The stratum of every judged pair: its band of match weight, and whether it was joined."""
    band = np.digitize(np.asarray(pairs["match_weight"]), EDGES)
    return np.asarray(band * 2 + np.asarray(pairs["together"]).astype(np.int64))


def _allocated(
    pairs: pa.Table,
    stratum: NDArray[np.int64],
    numbers: NDArray[np.int64],
    counts: NDArray[np.int64],
    size: int,
) -> NDArray[np.int64]:
    """Neyman's allocation: in proportion to a stratum's size and to how uncertain its pairs are; at least two of
    each."""
    probability = np.asarray(pairs["match_probability"])
    spread = np.array(
        [np.sqrt(np.clip(p * (1 - p), 0.01, 0.25)) for p in (probability[stratum == n].mean() for n in numbers)]
    )
    share = counts * spread
    return np.asarray(np.maximum(np.rint(size * share / max(share.sum(), 1e-9)).astype(np.int64), 2))


def estimate(pairs: pa.Table, labels: pa.Table, seed: int = 1) -> Quality:
    """Quality from the labels of a sample: its columns and `match`, true where the steward says one person.

    What the model expects of a stratum counts as one label there.
    """
    stratum = strata(pairs)
    numbers, counts = np.unique(stratum, return_counts=True)
    labelled, said = np.asarray(labels["stratum"]), np.asarray(labels["match"]).astype(np.bool_)
    probability = np.asarray(pairs["match_probability"])
    generator = np.random.default_rng(seed)
    matches = np.zeros((DRAWS, numbers.size))
    for i, (number, count) in enumerate(zip(numbers, counts, strict=True)):
        here = said[labelled == number]
        yes, no = int(here.sum()), int((~here).sum())
        expected = float(np.clip(probability[stratum == number].mean(), 0.02, 0.98))
        rest = generator.beta(yes + expected, no + 1.0 - expected, DRAWS) * (count - here.size)
        matches[:, i] = yes + rest
    return _quality(matches, counts, numbers % 2 == 1, labelled.size)


def _quality(
    matches: NDArray[np.float64], counts: NDArray[np.int64], joined: NDArray[np.bool_], labels: int
) -> Quality:
    right = matches[:, joined].sum(axis=1)
    precision = right / max(int(counts[joined].sum()), 1)
    recall = right / np.maximum(matches.sum(axis=1), 1e-9)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    return Quality(_interval(precision), _interval(recall), _interval(f1), labels)


def _interval(draws: NDArray[np.float64]) -> Interval:
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
    return Interval(float(middle), float(low), float(high))
