"""Training without labels: expectation maximisation over the candidates, corrected by the clusters that follow
from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resolver.linkage import agglomeration, blocking, evidence, mixture
from resolver.linkage.agglomeration import Bounds
from resolver.linkage.comparisons import ALL
from resolver.linkage.evidence import Codes, Feature, Names, Rarity
from resolver.linkage.frequencies import rarities
from resolver.linkage.mixture import Counts, Parameters, Population
from resolver.linkage.model import LinkageModel, completed, frequencies_of
from resolver.linkage.policy import LinkagePolicy
from resolver.linkage.records import Records

STRICT = Bounds(low=-10.0, high=10.0, unscored=-3.0)
GENEROUS = Bounds(low=-1.0, high=10.0, unscored=-1.0)
HOPELESS = -7.0


@dataclass(frozen=True)
class Candidates:
    """Pairs under consideration, sorted, with the level that each reaches in every comparison of the records."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    levels: NDArray[np.uint8]

    def taken(self, where: NDArray[np.int64]) -> Candidates:
        """Some of the pairs."""
        return Candidates(self.left[where], self.right[where], self.levels[:, where])

    def with_more(self, more: Candidates) -> Candidates:
        """These pairs and others, sorted again."""
        left, right = np.r_[self.left, more.left], np.r_[self.right, more.right]
        order = np.argsort((left << 32) | right, kind="stable")
        return Candidates(left[order], right[order], np.concatenate([self.levels, more.levels], axis=1)[:, order])


def candidates(records: Records, policy: LinkagePolicy) -> Candidates:
    """The pairs that blocking proposes, compared; none where there is nothing to compare by."""
    if not records.comparisons:
        none = np.empty(0, np.int64)
        return Candidates(none, none, np.empty((0, 0), np.uint8))
    return compared(records, blocking.candidates(records.parts, policy.rule_budget(records.count)))


def compared(records: Records, pairs: blocking.Pairs) -> Candidates:
    """Packed, sorted pairs with their levels."""
    left, right = blocking.unpacked(pairs)
    return Candidates(left, right, records.comparer.levels(pairs))


def train_on(records: Records, pairs: Candidates, policy: LinkagePolicy, seed: int) -> LinkageModel:
    """A model of these records from these candidates."""
    wanted = evidence.features(records.comparisons)
    known = mixture.start(evidence.features(ALL), records.count)
    parameters, clusters = _estimated(records, pairs, wanted, policy, seed)
    frequencies = frequencies_of(records.values, records.value_hashes, clusters)
    return LinkageModel.of(completed(parameters, known, wanted), records.count, records.all_pairs, frequencies)


def _estimated(
    records: Records, pairs: Candidates, wanted: Sequence[Feature], policy: LinkagePolicy, seed: int
) -> tuple[Parameters, NDArray[np.int64]]:
    """Parameters, and the clusters that they were last counted in."""
    population = _population(records, wanted, policy.random_pairs, seed)
    rarity = rarities(records.values)
    some, each = _sample(pairs, policy.training_pairs, seed)
    codes = _encoded(records, some, rarity)
    parameters = mixture.fit(wanted, codes, population, mixture.start(wanted, records.count), each)
    hopeless, plausible = _parted(wanted, codes, _encoded(records, pairs, rarity), parameters, each)
    return _corrected(records, pairs.taken(plausible), wanted, population, hopeless, parameters, policy)


def _sample(pairs: Candidates, count: int, seed: int) -> tuple[Candidates, float]:
    """At most so many of the pairs, and how many pairs each stands for."""
    if pairs.left.size <= count:
        return pairs, 1.0
    chosen = np.random.default_rng(seed).choice(pairs.left.size, count, replace=False)
    return pairs.taken(np.sort(chosen)), pairs.left.size / count


def _parted(
    wanted: Sequence[Feature], some: list[Codes], every: list[Codes], parameters: Parameters, each: float
) -> tuple[Counts, NDArray[np.int64]]:
    """What the pairs that can never match amount to, from the sample; and which pairs may."""
    ratios = mixture.log_ratios(wanted, some, parameters)
    hopeless = mixture.log_odds(ratios) < HOPELESS
    counts = mixture.count(wanted, [c[hopeless] for c in some], mixture.posteriors(ratios[hopeless])).times(each)
    return counts, np.flatnonzero(mixture.log_odds(mixture.log_ratios(wanted, every, parameters)) >= HOPELESS)


def _encoded(records: Records, pairs: Candidates, rarity: dict[str, Rarity]) -> list[Codes]:
    return evidence.encode(pairs.levels, records.comparisons, rarity, pairs.left, pairs.right)


def _corrected(
    records: Records,
    pairs: Candidates,
    wanted: Sequence[Feature],
    population: Population,
    hopeless: Counts,
    parameters: Parameters,
    policy: LinkagePolicy,
) -> tuple[Parameters, NDArray[np.int64]]:
    """Count again with the clusters as truth: first strictly drawn ones, then generous ones with all pairs inside
    them."""
    rarity = rarities(records.values)
    clusters = np.arange(records.count)
    for bounds in [STRICT] * policy.strict_rounds + [GENEROUS] * policy.generous_rounds:
        codes = _encoded(records, pairs, rarity)
        log_odds = mixture.log_odds(mixture.log_ratios(wanted, codes, parameters))
        clusters = clustered(
            records.count, pairs, log_odds, bounds, contradictions_of(wanted, pairs, log_odds, parameters)
        )
        if bounds is GENEROUS:
            pairs = completed_inside(records, pairs, clusters)
        rarity = rarities(records.values, clusters)
        codes = _encoded(records, pairs, rarity)
        kinds = mixture.posteriors(mixture.log_ratios(wanted, codes, parameters))
        kinds = mixture.labelled(kinds, clusters[pairs.left] == clusters[pairs.right])
        parameters = mixture.maximise(wanted, mixture.count(wanted, codes, kinds).plus(hopeless), population)
    return parameters, clusters


def completed_inside(records: Records, pairs: Candidates, clusters: NDArray[np.int64]) -> Candidates:
    """The pairs, and all others inside clusters, compared."""
    missing = blocking.without(blocking.pairs_within(clusters), blocking.packed(pairs.left, pairs.right))
    return pairs.with_more(compared(records, missing)) if missing.size else pairs


def contradictions_of(
    wanted: Sequence[Feature], pairs: Candidates, log_odds: NDArray[np.floating], parameters: Parameters
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both ends of the pairs that contradict each other."""
    found = [where for _, where in mixture.contradictions(wanted, pairs.levels, log_odds, parameters)]
    where = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
    return pairs.left[where], pairs.right[where]


def clustered(
    records: int,
    pairs: Candidates,
    log_odds: NDArray[np.floating],
    bounds: Bounds,
    contradictions: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Average-link clusters of scored pairs."""
    weighty = np.flatnonzero(log_odds > bounds.low)
    return agglomeration.clusters(
        records, pairs.left[weighty], pairs.right[weighty], log_odds[weighty], bounds, contradictions=contradictions
    )


def _population(records: Records, wanted: Sequence[Feature], count: int, seed: int) -> Population:
    """What all pairs reach, from pairs drawn at random."""
    pairs = blocking.random_pairs(records.count, count, seed)
    levels = records.comparer.levels(pairs)
    names = evidence.names_say(levels, records.comparisons)
    each = records.all_pairs / max(pairs.size, 1)
    return Population(records.all_pairs, [_reached(f, levels[f.row], names, each) for f in wanted], each)


def _reached(
    feature: Feature, level: NDArray[np.uint8], names: NDArray[np.uint8], each: float
) -> NDArray[np.float64] | None:
    if feature.names in (Names.HALF, Names.AGREE):
        return None
    seen = level if feature.names is None else level[names == feature.names]
    return np.bincount(seen, minlength=1 + len(feature.comparison.levels)).astype(np.float64) * each
