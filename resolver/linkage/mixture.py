"""The model: match against several kinds of non-match (Fellegi and Sunter's, with more than one way to be different).

Every pair of records is a match (one person), or two members of a household, or two people of one area, or two people
who share a contact, or unrelated. Within each kind the comparisons are independent. Fields that describe the person
agree by chance in every non-match; shared fields (an address, a family name) are free to agree in the kinds that share
them. That is what tells relatives from duplicates without a single label.

The candidates are a small part of all pairs; those that no blocking rule proposed count as certain non-matches, so the
expected number of matches, and with it the prior, come out of the estimation itself. Two people of one area are hardly
ever proposed, and yet such pairs are many: they are counted on pairs drawn at random. If they were not, the few of them
to whom chance gave one first name would look like a kind of match, and in a large table they would become it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resolver.linkage.comparisons import CONTRADICTORY, NON_MATCHES, Kind
from resolver.linkage.evidence import Codes, Feature, Names

KINDS = (Kind.MATCH, *NON_MATCHES)
PSEUDO_PAIRS = 20.0
RARE = 0.003
IMPOSSIBLE = 0.02
UNLIKELY = -4.0
TOLERANCE = 2e-4
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """What a model knows: `prior[k]` of all pairs are of kind k; `shares[f][k, level]` of those reach each level of
    feature f, given that both values are there (level 0, missing, is unused); `chance[f][level]` of unrelated
    pairs do.
    """

    prior: Floats
    shares: list[Floats]
    chance: list[Floats]


@dataclass(frozen=True)
class Population:
    """All pairs of the records: how many, and how many of them reach each level, known from random pairs.

    `reached[f]` is None for a feature that random pairs hardly ever show. `neighbours` are the codes of the random
    pairs that agree in where they live and that no blocking rule proposed. A random pair stands for `one_sampled_pair`.
    """

    pairs: float
    reached: list[Floats | None]
    neighbours: Sequence[Codes]
    one_sampled_pair: float


def start(features: Sequence[Feature], records: int) -> Parameters:
    """General knowledge: half a duplicate for each record, and the shares written beside the comparisons."""
    per_record = 2.0 * np.array([0.5, 0.25, 0.25, 0.25]) / max(records - 1, 1)
    return Parameters(
        prior=per_record,
        shares=[_known_shares(feature) for feature in features],
        chance=[_known_chance(feature) for feature in features],
    )


def _known_chance(feature: Feature) -> Floats:
    """Unrelated pairs nearly always reach the last level only."""
    chance = np.full(1 + len(feature.comparison.levels), RARE)
    chance[0] = 1.0
    chance[-1] = 1.0 - RARE * (len(feature.comparison.levels) - 1)
    return chance


def _known_shares(feature: Feature) -> Floats:
    shares = np.full((len(KINDS), 1 + len(feature.comparison.levels)), np.nan)
    shares[0, 1:] = [level.m for level in feature.comparison.levels]
    for number, kind in enumerate(KINDS[1:], 1):
        if kind in feature.comparison.free:
            shares[number, 1:] = feature.comparison.free[kind]
    return shares


def weights(feature: Feature, shares: Floats, chance: Floats) -> Floats:
    """Log-ratio of every code under each kind against chance: one row per code, one column per kind.

    Missing values weigh nothing; nor does a field in a kind that is not free to share it, except that some parents
    give a child their own name. A rare place explains no more than any other does: it has few neighbours.
    """
    level, rarity = feature.level_of_code(), feature.rarity_of_code()
    by_chance = np.where(np.isnan(rarity), -np.log(chance[level]), rarity)
    table = np.log(shares[:, level]).T + by_chance[:, None]
    area = KINDS.index(Kind.AREA)
    table[:, area] = np.log(shares[area, level]) + np.minimum(by_chance, -np.log(chance[level]))
    table[level == 0] = 0.0
    table = np.nan_to_num(table, nan=0.0)
    if feature.comparison.alike:
        alike = level == feature.comparison.exact
        table[alike, KINDS.index(Kind.HOUSEHOLD)] = np.log1p(feature.comparison.alike * np.exp(rarity[alike]))
    return np.asarray(table)


def log_ratios(features: Sequence[Feature], codes: Sequence[Codes], parameters: Parameters) -> NDArray[np.float32]:
    """For every pair and kind, the log of (prior times likelihood) over the likelihood of being unrelated."""
    total = np.tile(np.log(parameters.prior).astype(np.float32), (codes[0].size, 1))
    for feature, code, shares, chance in zip(features, codes, parameters.shares, parameters.chance, strict=True):
        total += weights(feature, shares, chance).astype(np.float32)[code]
    return total


def posteriors(ratios: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability of each kind, one row per pair; what is left is the probability of being unrelated."""
    odds = np.exp(np.minimum(ratios, 80.0))
    return np.asarray(odds / (1.0 + odds.sum(axis=1, keepdims=True)), np.float32)


def log_odds(ratios: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of a match against every kind of non-match together."""
    others = np.log1p(np.exp(np.minimum(ratios[:, 1:], 80.0)).sum(axis=1))
    return np.asarray(ratios[:, 0] - others, np.float32)


@dataclass(frozen=True)
class Counts:
    """Expected numbers of pairs: `kinds[k]` of each kind; `levels[f][k, level]` of each kind (unrelated last) at
    each level."""

    kinds: Floats
    levels: list[Floats]

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        both = [a + b for a, b in zip(self.levels, other.levels, strict=True)]
        return Counts(self.kinds + other.kinds, both)

    def times(self, factor: float) -> Counts:
        """As many for every pair counted."""
        return Counts(self.kinds * factor, [levels * factor for levels in self.levels])


def fit(
    features: Sequence[Feature],
    codes: Sequence[Codes],
    population: Population,
    first: Parameters,
    each: float = 1.0,
    rounds: int = 40,
) -> Parameters:
    """Expectation maximisation until the expected number of matches settles.

    When `codes` is a sample of the candidates, every pair in it stands for `each`.
    """
    parameters, expected = first, 0.0
    for _ in range(rounds):
        counts = count(features, codes, posteriors(log_ratios(features, codes, parameters))).times(each)
        parameters = maximise(features, counts.plus(neighbours(features, population, parameters)), population)
        before, expected = expected, float(counts.kinds[0])
        if abs(expected - before) <= TOLERANCE * expected:
            break
    return parameters


def count(features: Sequence[Feature], codes: Sequence[Codes], kinds: NDArray[np.float32]) -> Counts:
    """What pairs that are of each kind with these probabilities amount to."""
    levels = [_counted(feature, code, kinds) for feature, code in zip(features, codes, strict=True)]
    return Counts(kinds.sum(axis=0, dtype=np.float64), levels)


def neighbours(features: Sequence[Feature], population: Population, parameters: Parameters) -> Counts:
    """The pairs of one area that no blocking rule proposed, as the random pairs tell."""
    ratios = log_ratios(features, population.neighbours, parameters)
    ratios[:, 0] = -np.inf
    kinds = posteriors(ratios)
    kinds[:, [kind is not Kind.AREA for kind in KINDS]] = 0.0
    found = count(features, population.neighbours, kinds)
    for levels in found.levels:
        levels[-1] = 0.0
    return found.times(population.one_sampled_pair)


def _counted(feature: Feature, code: Codes, kinds: NDArray[np.float32]) -> Floats:
    level = feature.level_of_code()
    expected = np.zeros((len(KINDS) + 1, 1 + len(feature.comparison.levels)))
    for number in range(len(KINDS)):
        np.add.at(expected[number], level, np.bincount(code, weights=kinds[:, number], minlength=feature.codes))
    np.add.at(expected[-1], level, np.bincount(code, minlength=feature.codes))
    expected[-1] -= expected[:-1].sum(axis=0)
    return expected


def maximise(features: Sequence[Feature], counts: Counts, population: Population) -> Parameters:
    """The parameters that make these counts most likely, with a weak prior of general knowledge."""
    shares, chance = [], []
    for feature, seen, reached in zip(features, counts.levels, population.reached, strict=True):
        telling = _telling(feature, features, counts) if feature.names is Names.UNKNOWN else seen
        shares.append(_smoothed(telling[: len(KINDS)], _known_shares(feature)))
        chance.append(_chance(feature, seen, reached, population.one_sampled_pair))
    return Parameters(np.maximum(counts.kinds, 1e-3) / population.pairs, shares, chance)


def _telling(unknown: Feature, features: Sequence[Feature], counts: Counts) -> Floats:
    """Where names are not told, nothing but the address itself could tell a match from a shared contact: how often
    either shares an address is read off the pairs whose names are told."""
    others = [
        levels
        for feature, levels in zip(features, counts.levels, strict=True)
        if feature.row == unknown.row and feature.names is not Names.UNKNOWN
    ]
    return np.asarray(np.sum(others, axis=0))


def _smoothed(seen: Floats, known: Floats) -> Floats:
    counts = seen[:, 1:] + PSEUDO_PAIRS * known[:, 1:]
    shares = np.full_like(known, np.nan)
    shares[:, 1:] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _chance(feature: Feature, seen: Floats, reached: Floats | None, one_sampled_pair: float) -> Floats:
    """What unrelated pairs reach: all pairs less the expected matches.

    A feature that random pairs hardly ever show (they do not agree on names) is read off the unrelated candidates.
    """
    if reached is None:
        counts = np.maximum(seen[-1], 0.0) + PSEUDO_PAIRS * _known_chance(feature)
    else:
        counts = np.maximum(reached - seen[0], 0.1 * one_sampled_pair)
    counts[0] = 0.0
    chance = counts / counts.sum()
    chance[0] = 1.0
    return np.asarray(chance)


def labelled(kinds: NDArray[np.float32], match: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The same assignments when clusters have settled which pairs match."""
    settled = kinds / np.maximum(1.0 - kinds[:, :1], 1e-6)
    settled[match] = 0.0
    settled[:, 0] = match
    return np.asarray(settled, np.float32)


def contradictions(
    features: Sequence[Feature], levels: NDArray[np.uint8], log_odds: NDArray[np.floating], parameters: Parameters
) -> list[tuple[str, NDArray[np.int64]]]:
    """The pairs that say of themselves what one person's records hardly ever do, with the comparison that says it.

    That is the last level of a personal field that next to no match reaches; Jr and Sr always are two. Given names are
    told in too many ways to contradict by themselves: they do so only where the pair is unlikely as a whole.
    """
    found = []
    for feature, shares in zip(features, parameters.shares, strict=True):
        last = len(feature.comparison.levels)
        name = feature.comparison.name
        if name == "suffix" or (name in CONTRADICTORY and shares[0, last] < IMPOSSIBLE):
            apart = levels[feature.row] == last
            found.append((feature.name, np.flatnonzero(apart & (log_odds < UNLIKELY) if name == "given" else apart)))
    return found
