"""How good is it? Precision, recall and F1 of the clusters with 95 % intervals, from no labels, few or many.

The joined pairs and the judged ones that were not joined fall into strata: by match weight, and by what became of them.
Of each stratum some share is one person. Before anybody has looked, that share is what labelled data sets taught
(RELIABILITY), as uncertain as those sets differ from each other; what a steward says of a sample then counts as in any
posterior, so that few labels narrow the interval a little and many of them decide it.

What neither blocking nor a cluster brought together nobody can be asked about. How much of it there is follows from how
often the matches agree on one kind of evidence only (name, birth date, mailbox, phone, place, number), as the animals
never caught follow from those caught once and twice: Chao's estimator (Biometrics 43, 1987, 783-791). Kinds of evidence
are not independent, so it counts as right within a factor that labelled sets taught as well. Matches that no evidence
could have caught are beyond it; there may be none, and they are taken to be about two in a thousand.

An interval is the narrowest that holds 95 % of what is likely: a linkage may be perfect, and an interval without both
tails would never say so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, ndtr
from scipy.stats import t as student

from resolver.linkage import blocking

EDGES = (-1.0, 1.0, 3.0, 6.0, 10.0)
IMPLIED = 2 * (len(EDGES) + 1) + 1
DRAWS = 10_000
CONFIDENCE = 0.95
FREEDOM = 4
SHARED = 0.7
MISSED_WITHIN = 0.8
NEVER_CAUGHT = 0.002
PAIR = ["left_source", "left_id", "right_source", "right_id"]
NEEDED = frozenset({*PAIR, "together", "match_weight"})
GRID = np.linspace(-14.0, 14.0, 561)
KINDS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("given",), ("family",)), (("birth", "birth_year"),), (("email",),), (("phone",),),
    (("address", "postcode", "city"),), (("national_id", "loyalty"),),
)  # fmt: skip
AGREE = frozenset({"exact", "same local part", "swapped"})
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class NothingToEstimate(ValueError):
    """These are no judged pairs, or no labels of theirs; the text says why."""


@dataclass(frozen=True)
class Reliability:
    """On labelled sets: the log-odds that a pair of a stratum is one person, and how far sets lie from it."""

    middle: float
    spread: float


RELIABILITY = {
    0: Reliability(-1.44, 1.0), 1: Reliability(4.01, 1.0), 2: Reliability(-0.49, 1.0), 3: Reliability(3.17, 1.0),
    4: Reliability(-0.94, 1.0), 5: Reliability(3.83, 1.0), 6: Reliability(-0.44, 1.0), 7: Reliability(5.16, 1.0),
    8: Reliability(0.38, 1.0), 9: Reliability(6.38, 1.15), 10: Reliability(1.34, 1.0), 11: Reliability(8.17, 1.05),
    12: Reliability(1.34, 1.0), 13: Reliability(3.93, 1.0),
}  # fmt: skip


@dataclass(frozen=True)
class Interval:
    """An estimate and the bounds of its 95 % interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Quality:
    """Quality of the clusters; `blocking_recall`: the share of one person's pairs that were judged or joined at all."""

    precision: Interval
    recall: Interval
    f1: Interval
    blocking_recall: Interval
    labels: int


def considered(pairs: pa.Table) -> pa.Table:
    """The judged pairs (see Linkage.pairs), and those in one cluster because of others: their weight is NULL.

    Rows that tell the very same were linked once (see repeats) and count once here. Raises NothingToEstimate.
    """
    if not set(pairs.column_names) >= NEEDED:
        raise NothingToEstimate("these are no pairs such as `resolver link --pairs` writes")
    if not pairs.num_rows:
        raise NothingToEstimate("no pair was judged, so there is nothing to ask about or to estimate")
    both = {what: _both(pairs, what) for what in ("source", "id", *([""] if "left" in pairs.column_names else []))}
    name = pc.binary_join_element_wise(both["source"], both["id"], "\n")
    known = name.unique()
    left, right = np.split(np.asarray(pc.index_in(name, value_set=known)).astype(np.int64), 2)
    together = np.asarray(pairs["together"])
    joins = coo_array((np.ones(together.sum()), (left[together], right[together])), shape=(len(known), len(known)))
    cluster = connected_components(joins, directed=False)[1].astype(np.int64)
    judged = np.sort(blocking.packed(np.minimum(left, right), np.maximum(left, right)))
    first = pc.index_in(known, value_set=name)
    others = blocking.unpacked(blocking.without(blocking.pairs_within(cluster), judged))
    ends = [first.take(pa.array(end)) for end in others]
    implied = pa.table(
        {
            f"{side}_{what}" if what else side: both[what].take(end)
            for side, end in zip(("left", "right"), ends, strict=True)
            for what in both
        }
    )
    joined = implied.append_column("together", pa.array(np.ones(implied.num_rows, np.bool_)))
    return pa.concat_tables([pairs, joined], promote_options="default")


def _both(pairs: pa.Table, what: str) -> pa.Array:
    """A column of the left records, then that of the right ones."""
    names = [f"{side}_{what}" if what else side for side in ("left", "right")]
    return pa.chunked_array([*pairs[names[0]].chunks, *pairs[names[1]].chunks]).combine_chunks()


def strata(pairs: pa.Table) -> Ints:
    """The stratum of every considered pair: its band of weight and whether it was joined; IMPLIED without a weight."""
    weight = np.asarray(pairs["match_weight"].fill_null(np.nan), np.float64)
    stratum = np.digitize(weight, EDGES) * 2 + np.asarray(pairs["together"]).astype(np.int64)
    return np.where(np.isnan(weight), IMPLIED, stratum)


def sample(pairs: pa.Table, size: int, seed: int) -> pa.Table:
    """About `size` considered pairs for a steward, in a fixed order: both records, what they tell, and the stratum."""
    stratum = strata(pairs)
    numbers, counts = np.unique(stratum, return_counts=True)
    generator = np.random.default_rng(seed)
    chosen = [
        generator.choice(np.flatnonzero(stratum == number), min(n, count), replace=False)
        for number, n, count in zip(numbers, _allocated(numbers, counts, size), counts, strict=True)
    ]
    rows = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)
    told = [name for name in (*PAIR, "left", "right") if name in pairs.column_names]
    return pairs.select(told).take(pa.array(rows)).append_column("stratum", pa.array(stratum[rows]))


def _allocated(numbers: Ints, counts: Ints, size: int) -> Ints:
    """Neyman's allocation: by a stratum's size and by how uncertain its pairs are; at least two of each."""
    share = counts * np.array([_uncertainty(int(number)) for number in numbers])
    return np.asarray(np.maximum(np.rint(size * share / max(share.sum(), 1e-9)).astype(np.int64), 2))


def _uncertainty(stratum: int) -> float:
    """The standard deviation of a pair of the stratum, from what is known before anybody looks."""
    likely = expit(RELIABILITY[stratum].middle)
    return float(np.sqrt(np.clip(likely * (1 - likely), 0.005, 0.25)))


def estimate(pairs: pa.Table, labels: pa.Table, seed: int = 1) -> Quality:
    """Quality from considered pairs and the labels of a sample: its `stratum`, and `match`, true for one person.

    Raises NothingToEstimate when the labels cannot be of these pairs.
    """
    stratum = strata(pairs)
    numbers, counts = np.unique(stratum, return_counts=True)
    _check_labels(labels, numbers, counts)
    labelled, said = np.asarray(labels["stratum"]), np.asarray(labels["match"]).astype(np.bool_)
    generator = np.random.default_rng(seed)
    common = generator.standard_normal((DRAWS, 2))
    matches = np.zeros((DRAWS, numbers.size))
    for i, (number, count) in enumerate(zip(numbers, counts, strict=True)):
        here = said[labelled == number]
        yes, no = int(here.sum()), int((~here).sum())
        own = generator.standard_normal(DRAWS)
        quantile = ndtr(np.sqrt(SHARED) * common[:, number % 2] + np.sqrt(1 - SHARED) * own)
        share = _share(RELIABILITY[int(number)], yes, no, quantile)
        matches[:, i] = yes + generator.binomial(count - here.size, share)
    joined = numbers % 2 == 1
    caught = unseen(pairs) * np.exp(MISSED_WITHIN * generator.standard_normal(DRAWS))
    never = NEVER_CAUGHT * counts[joined].sum() * generator.standard_exponential(DRAWS)
    return _quality(matches, generator.poisson(caught + never), counts, joined, labelled.size)


def _check_labels(labels: pa.Table, numbers: Ints, counts: Ints) -> None:
    here = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    for row in pc.value_counts(labels["stratum"]).to_pylist():
        if row["counts"] > here.get(row["values"], 0):
            raise NothingToEstimate("the labels are not of these pairs: ask again, for the records were linked anew")


def _share(known: Reliability, yes: int, no: int, quantile: Floats) -> Floats:
    """Quantiles of the share of a stratum that is one person, given what a steward said of some of its pairs.

    Two strata that labelled sets tell of are off together, more or less: the quantiles asked for are correlated.
    """
    before = student.logpdf((GRID - known.middle) / known.spread, FREEDOM)
    after = before - yes * np.logaddexp(0.0, -GRID) - no * np.logaddexp(0.0, GRID)
    density = np.exp(after - after.max())
    return np.asarray(expit(np.interp(quantile, np.cumsum(density) / density.sum(), GRID)))


def unseen(pairs: pa.Table) -> float:
    """How many pairs of one person were neither judged nor joined: Chao's estimate, less those that agree on nothing.

    A pair is an animal, a kind of evidence an occasion on which it may be caught.
    """
    joined = pairs.filter(pc.and_(pairs["together"], pc.is_valid(pairs["match_weight"])))
    agree = _agreements(joined["levels"].combine_chunks())
    none, once, twice = np.bincount(agree.sum(axis=0), minlength=3)[:3]
    return max(float(once * (once - 1) / (2.0 * (twice + 1)) - none), 0.0)


def _agreements(levels: pa.MapArray) -> NDArray[np.bool_]:
    """Whether each pair agrees on each kind of evidence: one row per kind, one column per pair."""
    rows = np.repeat(np.arange(len(levels)), np.diff(np.asarray(levels.offsets)))
    field = pc.list_element(pc.split_pattern(levels.keys, " ("), 0)
    agrees = np.asarray(pc.is_in(pc.struct_field(levels.items, "level"), value_set=pa.array(sorted(AGREE))))

    def agree_on(fields: tuple[str, ...]) -> NDArray[np.bool_]:
        here = agrees & np.asarray(pc.is_in(field, value_set=pa.array(list(fields))))
        return np.bincount(rows[here], minlength=len(levels)) > 0

    return np.stack([np.all([agree_on(fields) for fields in kind], axis=0) for kind in KINDS])


def _quality(matches: Floats, missed: Ints, counts: Ints, joined: NDArray[np.bool_], labels: int) -> Quality:
    right, together = matches[:, joined].sum(axis=1), int(counts[joined].sum())
    found = matches.sum(axis=1)
    precision = right / together if together else np.ones(DRAWS)
    recall = right / np.maximum(found + missed, 1e-9)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    blocking_recall = found / np.maximum(found + missed, 1e-9)
    return Quality(_interval(precision), _interval(recall), _interval(f1), _interval(blocking_recall), labels)


def _interval(draws: Floats) -> Interval:
    ordered = np.sort(draws)
    within = int(np.ceil(CONFIDENCE * ordered.size))
    lows, highs = ordered[: ordered.size - within + 1], ordered[within - 1 :]
    narrowest = int((highs - lows).argmin())
    return Interval(float(np.median(ordered)), float(lows[narrowest]), float(highs[narrowest]))
