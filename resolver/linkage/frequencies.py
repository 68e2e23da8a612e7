"""Term frequencies: how common a value is, counted once per person rather than once per record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resolver.linkage.blocking import Keys, order_of

Ints = NDArray[np.int64]
Rarity = NDArray[np.float32]
LEAST_UNSEEN = 0.02
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Values:
    """The different values of one field: `told` are the records that have one, `value` its number for each of them,
    `counts` whether the record counts as a person, `first` a record for every value, `within` the population it is
    one of.
    """

    records: int
    told: Ints
    value: Ints
    counts: NDArray[np.bool_]
    first: Ints
    within: Ints

    @classmethod
    def of(cls, keys: Keys, named: NDArray[np.bool_], population: Ints) -> Values:
        """The values behind one hash per record, 0 where there is none.

        A record without a name does not count as one more person who has the value. Each population (a country,
        numbered for every record) has its own values: Piotr is rare, but not in Poland.
        """
        keys = np.where(keys == 0, keys, keys ^ (population.astype(np.uint64) * GOLDEN))
        told = np.flatnonzero(keys)
        order = told[order_of(keys[told])]
        starts = np.flatnonzero(_changes(keys[order]))
        number = np.empty(keys.size, np.int64)
        number[order] = np.cumsum(_changes(keys[order])) - 1
        return cls(keys.size, told, number[told], named[told], order[starts], population[order[starts]])

    def rarity(self, clusters: Ints | None = None) -> NDArray[np.float64]:
        """For every value, minus the log of the share of other people who have it.

        A person whose ten records say Smith counts once, and not as another Smith. `clusters` says whose each
        record is;
        None: each its own person. How likely a stranger has a value that was seen with one person only is Good and
        Turing's estimate: twice the values seen with two people over those seen with one. It is small for e-mail
        addresses and near one for names.
        """
        owner = self.told if clusters is None else clusters[self.told]
        each = ((self.value << 32) | owner)[self.counts]
        each.sort()
        people = np.maximum(np.bincount(each[_changes(each)] >> 32, minlength=self.first.size), 1)
        once, twice = int((people == 1).sum()), int((people == 2).sum())
        unseen = min(max(2.0 * (twice + 1) / (once + 1), LEAST_UNSEEN), 1.0)
        everyone = np.bincount(self.within, weights=people)[self.within] if people.size else people
        return np.asarray(np.log(np.maximum(everyone, 1) / (people - 1 + unseen)))

    def of_records(self, by_value: NDArray[np.floating]) -> Rarity:
        """For every record what is known of its value, 0 where it has none."""
        spread = np.zeros(self.records, np.float32)
        spread[self.told] = by_value[self.value]
        return spread


def _changes(ordered: NDArray[np.integer]) -> NDArray[np.bool_]:
    changes = np.ones(ordered.size, np.bool_)
    changes[1:] = ordered[1:] != ordered[:-1]
    return changes


def rarities(values: Mapping[str, Values], clusters: Ints | None = None) -> dict[str, Rarity]:
    """For every field and record, minus the log of the share of people who have the record's value."""
    return {field: v.of_records(v.rarity(clusters)) for field, v in values.items()}
