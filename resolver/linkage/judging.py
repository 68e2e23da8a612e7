"""Judging: the weight of every pair that may be one person, with the parts that it is the sum of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from resolver.linkage import agglomeration, blocking, bounds, evidence, mixture
from resolver.linkage.agglomeration import Bounds
from resolver.linkage.blocking import Pairs
from resolver.linkage.evidence import Codes, Feature
from resolver.linkage.mixture import Parameters
from resolver.linkage.model import LinkageModel, subset
from resolver.linkage.policy import LinkagePolicy
from resolver.linkage.records import Records
from resolver.linkage.training import Candidates, compared

GENEROUS = Bounds(low=-1.0, high=10.0, unscored=-1.0)
BITS = float(np.log(2.0))
LEVEL = pa.struct([("level", pa.string()), ("weight", pa.float64())])
PAIRS = pa.schema([
    ("left", pa.string()), ("right", pa.string()), ("log_odds", pa.float64()), ("match_weight", pa.float64()),
    ("match_probability", pa.float64()), ("levels", pa.map_(pa.string(), LEVEL)), ("blocked_by", pa.string()),
])  # fmt: skip
CONTRADICTIONS = pa.schema([("left", pa.string()), ("right", pa.string()), ("reason", pa.string())])


@dataclass(frozen=True)
class Weighed:
    """Judged pairs (see PAIRS), sorted by left and right, and how many were considered to find them.

    `contradictions` (left, right, reason) are pairs near each other that say of themselves what one person would not:
    their suffixes, birth dates or ids differ as those of one person hardly ever do in these records.
    """

    pairs: pa.Table
    considered: int
    contradictions: pa.Table


@dataclass(frozen=True)
class Contradictions:
    """Pairs by record number that contradict each other, and the comparison that says so."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    reason: list[str]


NO_CONTRADICTIONS = Contradictions(np.empty(0, np.int64), np.empty(0, np.int64), [])


@dataclass(frozen=True)
class Scored:
    """Pairs above the line, by record number, with everything needed to explain their weight."""

    pairs: Candidates
    codes: list[Codes]
    ratios: NDArray[np.float32]
    log_odds: NDArray[np.float64]
    considered: int
    contradictions: Contradictions

    def taken(self, where: NDArray[np.int64]) -> Scored:
        """Some of the pairs."""
        codes = [code[where] for code in self.codes]
        return replace(
            self, pairs=self.pairs.taken(where), codes=codes, ratios=self.ratios[where], log_odds=self.log_odds[where]
        )

    def above(self, line: float) -> Scored:
        """The pairs whose log-odds are above the line."""
        return self.taken(np.flatnonzero(self.log_odds > line))


def score(
    records: Records, pairs: Pairs, known: Candidates | None, model: LinkageModel, policy: LinkagePolicy
) -> Scored:
    """Weigh the proposed pairs that may be above the line, and then also the others that belong to one cluster of them.

    The levels of some pairs may be `known` already.
    """
    rarity = model.rarities(records.values, records.value_hashes)
    wanted = evidence.features(records.comparisons)
    parameters = subset(model.parameters(records.count), wanted)

    def weighed(pairs: Candidates) -> Scored:
        codes = evidence.encode(pairs.levels, records.comparisons, rarity, pairs.left, pairs.right)
        ratios = mixture.log_ratios(wanted, codes, parameters)
        log_odds = np.asarray(np.round(mixture.log_odds(ratios).astype(np.float64), 6), np.float64)
        return Scored(pairs, codes, ratios, log_odds, pairs.left.size, NO_CONTRADICTIONS)

    likely = bounds.plausible(records.outline, pairs, wanted, parameters, rarity, policy.keep_log_odds)
    first = weighed(compared(records, likely, known))
    above = first.above(policy.keep_log_odds)
    inside = blocking.pairs_within(
        agglomeration.clusters(records.count, above.pairs.left, above.pairs.right, above.log_odds, GENEROUS)
    )
    missing = weighed(compared(records, blocking.without(inside, likely), known))
    near = _together(first.taken(blocking.places(inside, likely)), missing)
    both = _together(above, missing.above(policy.keep_log_odds))
    considered = pairs.size + blocking.without(inside, pairs).size
    return replace(both, considered=considered, contradictions=_contradictions(near, wanted, parameters))


def _contradictions(scored: Scored, wanted: Sequence[Feature], parameters: Parameters) -> Contradictions:
    """The pairs that contradict each other, each with one reason."""
    reason = np.full(scored.log_odds.size, "", object)
    for name, where in mixture.contradictions(wanted, scored.pairs.levels, scored.log_odds, parameters):
        reason[where] = name
    where = np.flatnonzero(reason != "")
    return Contradictions(scored.pairs.left[where], scored.pairs.right[where], reason[where].tolist())


def _together(first: Scored, second: Scored) -> Scored:
    left = np.r_[first.pairs.left, second.pairs.left]
    right = np.r_[first.pairs.right, second.pairs.right]
    order = np.argsort((left << 32) | right, kind="stable")
    levels = np.concatenate([first.pairs.levels, second.pairs.levels], axis=1)[:, order]
    return Scored(
        Candidates(left[order], right[order], levels),
        [np.r_[a, b][order] for a, b in zip(first.codes, second.codes, strict=True)],
        np.concatenate([first.ratios, second.ratios])[order],
        np.r_[first.log_odds, second.log_odds][order],
        first.considered + second.considered,
        first.contradictions,
    )


def contradictions(records: Records, scored: Scored) -> pa.Table:
    """left, right, reason: the pairs that contradict each other, in the order of the record ids."""
    found = scored.contradictions
    ends = [records.ids.take(pa.array(found.left)), records.ids.take(pa.array(found.right))]
    return pa.table([*ends, pa.array(found.reason, pa.string())], schema=CONTRADICTIONS)


def table(records: Records, scored: Scored, model: LinkageModel) -> pa.Table:
    """Judged pairs with their evidence in bits, in the order of the record ids."""
    wanted = evidence.features(records.comparisons)
    parameters = subset(model.parameters(records.count), wanted)
    rules = blocking.blocked_by(records.parts, scored.pairs.left, scored.pairs.right)
    log_odds = scored.log_odds
    return pa.table(
        [
            records.ids.take(pa.array(scored.pairs.left)),
            records.ids.take(pa.array(scored.pairs.right)),
            pa.array(log_odds),
            pa.array(np.round(log_odds / BITS, 6)),
            pa.array(np.round(1.0 / (1.0 + np.exp(-log_odds)), 6)),
            _levels(wanted, parameters, scored),
            pa.array(rules, pa.string()),
        ],
        schema=PAIRS,
    )


def _levels(wanted: Sequence[Feature], parameters: Parameters, scored: Scored) -> pa.MapArray:
    """Comparison -> level and weight in bits. Together with the prior and what sharing explains, they sum to the
    weight."""
    rows = scored.log_odds.size
    names, levels, weights, present = [], [], [], []
    for feature, codes, shares, chance in zip(wanted, scored.codes, parameters.shares, parameters.chance, strict=True):
        level = feature.level_of_code()[codes]
        names.append(feature.name)
        levels.append(np.array(["", *(level.name for level in feature.comparison.levels)], object)[level])
        weights.append(mixture.weights(feature, shares, chance)[codes, 0] / BITS)
        present.append(level > 0)
    prior = float(np.log(parameters.prior[0])) / BITS
    shared = -np.log1p(np.exp(np.minimum(scored.ratios[:, 1:].astype(np.float64), 80.0)).sum(axis=1)) / BITS
    likeliest = np.array([kind.value for kind in mixture.KINDS[1:]], object)[scored.ratios[:, 1:].argmax(axis=1)]
    names += ["prior", "shared"]
    levels += [np.full(rows, "one pair in all", object), likeliest]
    weights += [np.full(rows, prior), shared]
    present += [np.ones(rows, np.bool_), shared < -0.0005]
    return _map_array(names, levels, weights, present)


def _map_array(
    names: Sequence[str],
    levels: Sequence[NDArray[np.object_]],
    weights: Sequence[NDArray[np.float64]],
    present: Sequence[NDArray[np.bool_]],
) -> pa.MapArray:
    shown = np.stack(present, axis=1)
    keys = np.broadcast_to(np.array(names, object), shown.shape)[shown]
    values = pa.StructArray.from_arrays(
        [
            pa.array(np.stack(levels, axis=1)[shown], pa.string()),
            pa.array(np.round(np.stack(weights, axis=1)[shown], 3)),
        ],
        fields=list(LEVEL),
    )
    offsets = np.r_[0, np.cumsum(shown.sum(axis=1))].astype(np.int32)
    return pa.MapArray.from_arrays(pa.array(offsets), pa.array(keys, pa.string()), values)
