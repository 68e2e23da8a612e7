"""Training without labels: expectation maximisation over the candidates, corrected by the clusters that follow
from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resolver.linkage import agglomeration, blocking, bounds, evidence, mixture
from resolver.linkage.agglomeration import Bounds
from resolver.linkage.blocking import Pairs
from resolver.linkage.comparisons import ALL, Kind
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

    @property
    def packed(self) -> Pairs:
        """The pairs, packed."""
        return blocking.packed(self.left, self.right)

    def taken(self, where: NDArray[np.int64]) -> Candidates:
        """Some of the pairs."""
        return Candidates(self.left[where], self.right[where], self.levels[:, where])

    def with_more(self, more: Candidates) -> Candidates:
        """These pairs and others, sorted again."""
        left, right = np.r_[self.left, more.left], np.r_[self.right, more.right]
        order = np.argsort((left << 32) | right, kind="stable")
        return Candidates(left[order], right[order], np.concatenate([self.levels, more.levels], axis=1)[:, order])


def proposed(records: Records, policy: LinkagePolicy) -> Pairs:
    """The packed pairs that blocking proposes; none where there is nothing to compare by."""
    if not records.comparisons:
        return np.empty(0, np.uint64)
    return blocking.candidates(records.parts, policy.rule_budget(records.count))


def compared(records: Records, pairs: Pairs, known: Candidates | None = None) -> Candidates:
    """Packed, sorted pairs with their levels; those already `known` are not compared again."""
    fresh = pairs if known is None else blocking.without(pairs, known.packed)
    found = Candidates(*blocking.unpacked(fresh), records.comparer.levels(fresh))
    if known is None or fresh.size == pairs.size:
        return found
    return found.with_more(known.taken(blocking.places(pairs, known.packed)))


def train_on(records: Records, pairs: Pairs, policy: LinkagePolicy, seed: int) -> tuple[LinkageModel, Candidates]:
    """A model of these records from these proposed pairs, and those of them that had to be compared for it."""
    wanted = evidence.features(records.comparisons)
    known = mixture.start(evidence.features(ALL), records.count)
    parameters, clusters, seen = _estimated(records, pairs, wanted, policy, seed)
    frequencies = frequencies_of(records.values, records.value_hashes, clusters)
    model = LinkageModel.of(completed(parameters, known, wanted), records.count, records.all_pairs, frequencies)
    return model, seen


def _estimated(
    records: Records, pairs: Pairs, wanted: Sequence[Feature], policy: LinkagePolicy, seed: int
) -> tuple[Parameters, NDArray[np.int64], Candidates]:
    """Parameters, the clusters that they were last counted in, and the pairs that were compared."""
    rarity = rarities(records.values)
    population = _population(records, pairs, wanted, rarity, policy.random_pairs, seed)
    sampled, each = _sample(pairs, policy.training_pairs, seed)
    some = compared(records, sampled)
    codes = _encoded(records, some, rarity)
    parameters = mixture.fit(wanted, codes, population, mixture.start(wanted, records.count), each)
    hopeless = _hopeless(wanted, codes, parameters, each)
    likely = bounds.plausible(records.outline, pairs, wanted, parameters, rarity, HOPELESS)
    every = compared(records, likely, some)
    log_odds = mixture.log_odds(mixture.log_ratios(wanted, _encoded(records, every, rarity), parameters))
    plausible = every.taken(np.flatnonzero(log_odds >= HOPELESS))
    parameters, clusters = _corrected(records, plausible, wanted, population, hopeless, parameters, policy)
    return parameters, clusters, every


def _sample(pairs: Pairs, count: int, seed: int) -> tuple[Pairs, float]:
    """At most so many of the pairs, and how many pairs each stands for."""
    if pairs.size <= count:
        return pairs, 1.0
    chosen = np.random.default_rng(seed).choice(pairs.size, count, replace=False)
    return pairs[np.sort(chosen)], pairs.size / count


def _hopeless(wanted: Sequence[Feature], some: list[Codes], parameters: Parameters, each: float) -> Counts:
    """What the pairs that can never match amount to, from the sample."""
    ratios = mixture.log_ratios(wanted, some, parameters)
    hopeless = mixture.log_odds(ratios) < HOPELESS
    return mixture.count(wanted, [c[hopeless] for c in some], mixture.posteriors(ratios[hopeless])).times(each)


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
    for drawn in [STRICT] * policy.strict_rounds + [GENEROUS] * policy.generous_rounds:
        codes = _encoded(records, pairs, rarity)
        log_odds = mixture.log_odds(mixture.log_ratios(wanted, codes, parameters))
        clusters = clustered(
            records.count, pairs, log_odds, drawn, contradictions_of(wanted, pairs, log_odds, parameters)
        )
        if drawn is GENEROUS:
            pairs = completed_inside(records, pairs, clusters)
        rarity = rarities(records.values, clusters)
        codes = _encoded(records, pairs, rarity)
        kinds = mixture.posteriors(mixture.log_ratios(wanted, codes, parameters))
        kinds = mixture.labelled(kinds, clusters[pairs.left] == clusters[pairs.right])
        counts = mixture.count(wanted, codes, kinds).plus(hopeless)
        counts = counts.plus(mixture.neighbours(wanted, population, parameters))
        parameters = mixture.maximise(wanted, counts, population)
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
    limits: Bounds,
    contradictions: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Average-link clusters of scored pairs."""
    weighty = np.flatnonzero(log_odds > limits.low)
    return agglomeration.clusters(
        records, pairs.left[weighty], pairs.right[weighty], log_odds[weighty], limits, contradictions=contradictions
    )


def _population(
    records: Records, proposed: Pairs, wanted: Sequence[Feature], rarity: dict[str, Rarity], count: int, seed: int
) -> Population:
    """What all pairs reach, from pairs drawn at random."""
    drawn = compared(records, blocking.random_pairs(records.count, count, seed))
    names = evidence.names_say(drawn.levels, records.comparisons)
    each = records.all_pairs / max(drawn.left.size, 1)
    reached = [_reached(f, drawn.levels[f.row], names, each) for f in wanted]
    near = drawn.taken(np.flatnonzero(_is_near(drawn.levels, records) & ~np.isin(drawn.packed, proposed)))
    return Population(records.all_pairs, reached, _encoded(records, near, rarity), each)


def _is_near(levels: NDArray[np.uint8], records: Records) -> NDArray[np.bool_]:
    """Whether pairs agree, more or less, in something that an area shares."""
    near = np.zeros(levels.shape[1], np.bool_)
    for row, comparison in enumerate(records.comparisons):
        if Kind.AREA in comparison.free:
            near |= (levels[row] > 0) & (levels[row] < len(comparison.levels))
    return near


def _reached(
    feature: Feature, level: NDArray[np.uint8], names: NDArray[np.uint8], each: float
) -> NDArray[np.float64] | None:
    if feature.names in (Names.HALF, Names.AGREE):
        return None
    seen = level if feature.names is None else level[names == feature.names]
    return np.bincount(seen, minlength=1 + len(feature.comparison.levels)).astype(np.float64) * each
