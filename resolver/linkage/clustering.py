"""From judged pairs to people, with what stays in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from resolver.linkage import agglomeration
from resolver.linkage.agglomeration import Bounds
from resolver.linkage.policy import LinkagePolicy
from resolver.linkage.records import numbers_of

Ints = NDArray[np.int64]
Ends = tuple[Ints, Ints]


@dataclass(frozen=True)
class Clustered:
    """Who is who.

    `clusters`: record, cluster (its smallest record id), doubtful; in the order of the records given.
    `doubts`: left, right, log_odds, reason: the pairs that a steward should look at.
    `cut_joins`: left, right: pairs that had to be one person and are not, because of a wall.
    `held_walls`: left, right: walls that keep apart what would otherwise be one cluster.
    """

    clusters: pa.Table
    doubts: pa.Table
    cut_joins: pa.Table
    held_walls: pa.Table


def agglomerate(
    records: Sequence[str],
    pairs: pa.Table,
    *,
    walls: pa.Table | None = None,
    joins: pa.Table | None = None,
    contradictions: pa.Table | None = None,
    policy: LinkagePolicy | None = None,
) -> Clustered:
    """Cluster records by average link on bounded log-odds. The order of any input plays no part.

    `pairs` has left, right and log_odds (natural logarithm); a pair that is absent counts as `policy.unscored`.
    `joins` (left, right) end in one cluster unless a wall forbids it; `walls` (left, right) never do. Pairs, walls and
    joins that name a record not among `records` are ignored. `contradictions` (left, right) are strong evidence
    against, which only the evidence of many other records outweighs. A record that could as well belong to either of
    two clusters between which a wall stands, or a contradiction, is left alone and is doubtful.
    """
    policy = policy or LinkagePolicy()
    ids = pa.array(sorted(records), pa.string())
    left, right, known = _ends(ids, pairs)
    log_odds = np.asarray(pairs["log_odds"], np.float64)[known] - policy.line
    wall_ends, join_ends, against = _known_ends(ids, walls), _known_ends(ids, joins), _known_ends(ids, contradictions)
    bounds = Bounds(policy.lowest, policy.highest, policy.unscored)
    found = agglomeration.clusters(len(ids), left, right, log_odds, bounds, wall_ends, join_ends, against)
    apart = (np.r_[wall_ends[0], against[0]], np.r_[wall_ends[1], against[1]])
    torn = agglomeration.undecided(left, right, log_odds, found, bounds, apart, policy.margin)
    torn = np.setdiff1d(torn, np.r_[join_ends[0], join_ends[1]])
    found = _alone(found, torn)
    doubts, doubtful = _doubts(ids, found, (left, right), log_odds, wall_ends, join_ends, policy)
    order = numbers_of(ids, pa.chunked_array([pa.array(records, pa.string())]))
    return Clustered(
        pa.table({"record": pa.array(records, pa.string()), "cluster": ids.take(pa.array(found[order])),
                  "doubtful": pa.array(doubtful[order])}),
        doubts,
        _rows(ids, join_ends, found[join_ends[0]] != found[join_ends[1]]),
        _rows(ids, wall_ends, _would_join(len(ids), (left, right), log_odds, bounds, wall_ends, join_ends, against)),
    )  # fmt: skip


def components(records: Sequence[str], joins: pa.Table) -> pa.Table:
    """record, component: what joins alone chain together; a component is named by its smallest record id."""
    ids = pa.array(sorted(records), pa.string())
    left, right = _known_ends(ids, joins)
    links = coo_array((np.ones(left.size, np.int8), (left, right)), shape=(len(ids), len(ids)))
    _, component = connected_components(links, directed=False)
    _, first = np.unique(component, return_index=True)
    return pa.table({"record": ids, "component": ids.take(pa.array(first[component]))})


def _alone(cluster: Ints, records: Ints) -> Ints:
    """The clusters without some records, each of which stays alone; every cluster is named by its smallest record."""
    parted = cluster.copy()
    parted[records] = records + cluster.size
    _, first, number = np.unique(parted, return_index=True, return_inverse=True)
    return np.asarray(first[number])


def _ends(ids: pa.StringArray, pairs: pa.Table) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    left, right = numbers_of(ids, pairs["left"]), numbers_of(ids, pairs["right"])
    known = (left >= 0) & (right >= 0) & (left != right)
    return left[known], right[known], known


def _known_ends(ids: pa.StringArray, pairs: pa.Table | None) -> Ends:
    if pairs is None or not pairs.num_rows:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    left, right, _ = _ends(ids, pairs)
    return left, right


def _would_join(
    records: int, ends: Ends, log_odds: NDArray[np.float64], bounds: Bounds, walls: Ends, joins: Ends, against: Ends
) -> NDArray[np.bool_]:
    if not walls[0].size:
        return np.empty(0, np.bool_)
    free = agglomeration.clusters(records, *ends, log_odds, bounds, None, joins, against)
    return np.asarray(free[walls[0]] == free[walls[1]])


def _doubts(
    ids: pa.StringArray,
    cluster: Ints,
    ends: Ends,
    log_odds: NDArray[np.float64],
    walls: Ends,
    joins: Ends,
    policy: LinkagePolicy,
) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Likely pairs that were not joined although no wall stands between them, and records that hang by a thread."""
    left, right = ends
    together = cluster[left] == cluster[right]
    settled = np.isin(_packed(ends), np.r_[_packed(walls), _packed(joins)])
    apart = ~together & (log_odds > 0) & ~settled
    loose = _loose(cluster, ends, log_odds, together, joins, policy)
    thread = together & (log_odds > -policy.doubt) & (loose[left] | loose[right]) & ~settled
    doubtful = loose.copy()
    doubtful[np.r_[left[apart], right[apart]]] = True
    shown = apart | thread
    reason = np.where(
        apart[shown], "likely one person, but the records around them disagree", "joined on little evidence"
    )
    rows = pa.table({"left": ids.take(pa.array(left[shown])), "right": ids.take(pa.array(right[shown])),
                     "log_odds": log_odds[shown] + policy.line, "reason": pa.array(reason, pa.string())})  # fmt: skip
    return rows.sort_by([("left", "ascending"), ("right", "ascending")]), doubtful


def _packed(ends: Ends) -> Ints:
    return (np.minimum(*ends) << 32) | np.maximum(*ends)


def _loose(
    cluster: Ints,
    ends: Ends,
    log_odds: NDArray[np.float64],
    together: NDArray[np.bool_],
    joins: Ends,
    policy: LinkagePolicy,
) -> NDArray[np.bool_]:
    """Records whose mean bounded log-odds to the rest of their cluster stays under the line of doubt."""
    above = np.clip(log_odds[together], policy.lowest, policy.highest) - policy.unscored
    total = np.zeros(cluster.size)
    np.add.at(total, ends[0][together], above)
    np.add.at(total, ends[1][together], above)
    others = np.bincount(cluster, minlength=cluster.size)[cluster] - 1
    mean = total / np.maximum(others, 1) + policy.unscored
    joined = np.zeros(cluster.size, np.bool_)
    joined[np.r_[joins[0], joins[1]]] = True
    return np.asarray((others > 0) & (mean < policy.doubt) & ~joined)


def _rows(ids: pa.StringArray, ends: Ends, where: NDArray[np.bool_]) -> pa.Table:
    rows = pa.table({"left": ids.take(pa.array(ends[0][where])), "right": ids.take(pa.array(ends[1][where]))})
    return rows.sort_by([("left", "ascending"), ("right", "ascending")])
