"""A block: the people that are drawn together, and what their draws start from."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property

import numpy as np

from connectors.sandbox.population.countries import Country, country
from connectors.sandbox.population.draws import Draws, Ints
from connectors.sandbox.population.spec import PopulationSpec

DAY = 86_400_000
"""Milliseconds of a day: moments are milliseconds since 1970 in UTC, days are days since then."""
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Block:
    """One block of a spec. `size` people are drawn here; the protagonists come on top in the first block."""

    spec: PopulationSpec
    number: int
    size: int

    @cached_property
    def draws(self) -> Draws:
        return Draws(self.spec.seed, self.number)

    @cached_property
    def countries(self) -> tuple[Country, ...]:
        """The spec's countries; elsewhere a country is its place in this tuple."""
        return tuple(country(code) for code in self.spec.countries)

    @property
    def first_person(self) -> int:
        return self.number * self.spec.block_people

    @property
    def first_day(self) -> int:
        return (self.spec.starts_on - EPOCH).days

    @property
    def last_day(self) -> int:
        return (self.spec.as_of - EPOCH).days

    @property
    def start(self) -> int:
        return moment(self.spec.starts_on)

    @property
    def end(self) -> int:
        return moment(self.spec.as_of)

    def share(self, place: int) -> float:
        """The share of the country at `place`."""
        return list(self.spec.countries.values())[place] / sum(self.spec.countries.values())

    def room(self, place: int, part: float) -> int:
        """How many of that country a block holds at the very most, where `part` of its people are meant on average.

        Numbers are dealt out to blocks in such portions. People come in households, hence the wide margin.
        """
        expected = self.spec.block_people * self.share(place) * part
        return min(self.spec.block_people, int(expected + 8 * (3 * expected) ** 0.5) + 60)


def moment(day: date) -> int:
    """Midnight UTC of a day, in milliseconds since 1970."""
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1000


def rank_within(groups: Ints) -> Ints:
    """For each row its rank (0, 1, ...) among the rows of the same group, in the order given."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]] if len(groups) else np.zeros(0, dtype=bool)
    starts = np.maximum.accumulate(np.where(first, np.arange(len(groups)), 0))
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - starts
    return rank
