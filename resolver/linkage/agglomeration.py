"""Clusters: average-link agglomeration on bounded log-odds, with hard walls.

Two clusters are joined while the mean of the log-odds over all pairs between them is positive; a pair that was never
scored counts as `unscored`. Log-odds are bounded on both sides, so that neither one lucky nor one ruined record
decides. Average link is reducible: joining every pair of clusters that are each other's best gives the same result as
joining the best pair first, one at a time, whatever the order of the input. Sums are kept as whole millionths, so that
no order of addition shows either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MILLIONTH = 1_000_000
JOIN = 1e6
CONTRADICTION = -20.0
Ints = NDArray[np.int64]
Ends = tuple[Ints, Ints]
NONE: Ends = (np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True)
class Bounds:
    """Log-odds are taken as at least `low` and at most `high`; a pair that was not scored as `unscored`."""

    low: float = -2.0
    high: float = 10.0
    unscored: float = -2.0


@dataclass(frozen=True)
class _Edges:
    a: Ints
    b: Ints
    evidence: Ints  # sum over the pairs between a and b of bounded log-odds less `unscored`, in millionths
    wall: NDArray[np.bool_]

    def taken(self, where: NDArray[np.bool_] | Ints) -> _Edges:
        return _Edges(self.a[where], self.b[where], self.evidence[where], self.wall[where])


def clusters(
    records: int,
    left: Ints,
    right: Ints,
    log_odds: NDArray[np.floating],
    bounds: Bounds,
    walls: Ends | None = None,
    joins: Ends | None = None,
    contradictions: Ends | None = None,
) -> Ints:
    """The cluster of every record, named by its smallest record number.

    `walls` never end in one cluster; `joins` do unless a wall forbids it; a contradiction between two records is
    strong evidence against, beyond the bound, but a large cluster may outvote it.
    """
    label = np.arange(records)
    size = np.ones(records, np.int64)
    edges = _edges(left, right, log_odds, bounds, walls or NONE, joins or NONE, contradictions or NONE)
    while edges.a.size:
        mean = edges.evidence / (size[edges.a] * size[edges.b] * MILLIONTH) + bounds.unscored
        mean[edges.wall] = -np.inf
        edges, mean = _alive(records, edges, mean)
        chosen = _mutually_best(records, edges, mean)
        if not chosen.size:
            break
        keep, give = edges.a[chosen], edges.b[chosen]
        size[keep] += size[give]
        label[give] = keep
        edges = _joined(edges, label)
    return _settled(label)


def _edges(
    left: Ints,
    right: Ints,
    log_odds: NDArray[np.floating],
    bounds: Bounds,
    walls: Ends,
    joins: Ends,
    contradictions: Ends,
) -> _Edges:
    above = np.clip(np.asarray(log_odds, np.float64), bounds.low, bounds.high) - bounds.unscored
    a = np.concatenate([left, joins[0], contradictions[0], walls[0]])
    b = np.concatenate([right, joins[1], contradictions[1], walls[1]])
    said = [np.full(joins[0].size, JOIN), np.full(contradictions[0].size, CONTRADICTION), np.zeros(walls[0].size)]
    millionths = np.rint(np.concatenate([above, *said]) * MILLIONTH).astype(np.int64)
    wall = np.arange(a.size) >= a.size - walls[0].size
    matters = (millionths != 0) | wall
    return _summed(_Edges(np.minimum(a, b)[matters], np.maximum(a, b)[matters], millionths[matters], wall[matters]))


def _summed(edges: _Edges) -> _Edges:
    """One edge for every two clusters."""
    if not edges.a.size:
        return edges
    both = (edges.a << 32) | edges.b
    order = np.argsort(both, kind="stable")
    both = both[order]
    first = np.flatnonzero(np.r_[True, both[1:] != both[:-1]])
    evidence = np.add.reduceat(edges.evidence[order], first)
    wall = np.logical_or.reduceat(edges.wall[order], first)
    return _Edges(both[first] >> 32, both[first] & 0xFFFFFFFF, evidence, wall)


def _alive(records: int, edges: _Edges, mean: NDArray[np.float64]) -> tuple[_Edges, NDArray[np.float64]]:
    """The edges between clusters that may still join something: a mean that is not positive never becomes so."""
    growing = np.zeros(records, np.bool_)
    positive = mean > 0
    growing[edges.a[positive]] = True
    growing[edges.b[positive]] = True
    alive = growing[edges.a] & growing[edges.b]
    return edges.taken(alive), mean[alive]


def _mutually_best(records: int, edges: _Edges, mean: NDArray[np.float64]) -> Ints:
    """The edges that are the best of both their ends; equal means are ranked by the smallest records."""
    positive = np.flatnonzero(mean > 0)
    order = positive[np.argsort(-mean[positive], kind="stable")]  # edges are sorted by their ends
    rank = np.arange(order.size)
    best = np.full(records, order.size)
    np.minimum.at(best, edges.a[order], rank)
    np.minimum.at(best, edges.b[order], rank)
    return np.asarray(order[(best[edges.a[order]] == rank) & (best[edges.b[order]] == rank)])


def _joined(edges: _Edges, label: Ints) -> _Edges:
    a, b = label[edges.a], label[edges.b]
    between = a != b
    a, b = a[between], b[between]
    return _summed(_Edges(np.minimum(a, b), np.maximum(a, b), edges.evidence[between], edges.wall[between]))


def _settled(label: Ints) -> Ints:
    while True:
        further = label[label]
        if np.array_equal(further, label):
            return label
        label = further


def undecided(
    left: Ints,
    right: Ints,
    log_odds: NDArray[np.floating],
    cluster: Ints,
    bounds: Bounds,
    apart: Ends,
    margin: float,
) -> Ints:
    """Records that resemble two clusters about equally, when the records `apart` say that these are two people.

    A record without a birth date at the address of a father and a son of one name is either's; nothing says whose. The
    means compared are those of the bounded log-odds to the two clusters; `margin` is how far they must be apart.
    """
    size = np.bincount(cluster, minlength=cluster.size)
    bounded = np.clip(np.asarray(log_odds, np.float64), bounds.low, bounds.high)
    above = np.rint((bounded - bounds.unscored) * MILLIONTH).astype(np.int64)
    member, group = np.r_[left, right], np.r_[cluster[right], cluster[left]]
    total = _summed(_Edges(member, group, np.r_[above, above], np.zeros(2 * left.size, np.bool_)))
    own = total.b == cluster[total.a]
    others = size[total.b] - own
    mean = total.evidence / (np.maximum(others, 1) * MILLIONTH) + bounds.unscored
    at_home = np.full(cluster.size, bounds.unscored)
    at_home[total.a[own]] = mean[own]
    torn = ~own & (mean > 0) & (mean > at_home[total.a] - margin) & (size[cluster[total.a]] > 1)
    two_people = np.unique(_both_ways(cluster[apart[0]], cluster[apart[1]]))
    torn &= np.isin((cluster[total.a] << 32) | total.b, two_people)
    walled = np.zeros(cluster.size, np.bool_)
    walled[apart[0]] = True
    walled[apart[1]] = True
    return np.unique(total.a[torn & ~walled[total.a]])


def _both_ways(a: Ints, b: Ints) -> Ints:
    return np.concatenate([(a << 32) | b, (b << 32) | a])
