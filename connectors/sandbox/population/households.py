"""Who lives with whom: households, roles, sexes and birth dates."""

from dataclasses import dataclass

import numpy as np

from connectors.sandbox.population.block import Block
from connectors.sandbox.population.draws import Bools, Floats, Ints, cumulate

SINGLE, COUPLE, FAMILY, LONE_PARENT, FLAT_SHARE = range(5)
ADULT, PARTNER, CHILD, MATE = range(4)
_KINDS = cumulate(np.array([0.36, 0.26, 0.24, 0.07, 0.07]))
_CHILDREN = cumulate(np.array([0.5, 0.37, 0.13]))
_YEAR = 365.25
YOUNGEST, OLDEST_AT_HOME, GENERATION = 14, 28, 20
FAMILIES_PER_PERSON = 0.27
"""How many households of two or more there are for each person."""


@dataclass(frozen=True)
class Members:
    """The people of a block, a row each; `kind`, `country` and the two flags are a row per household."""

    household: Ints
    role: Ints
    woman: Bools
    birth_day: Ints
    kind: Ints
    country: Ints
    twins: Bools
    jr_sr: Bools
    father: Ints
    """Per household: the row of the father, -1 without."""
    first_child: Ints
    """Per household: the row of the eldest child, -1 without."""

    def __len__(self) -> int:
        return len(self.household)

    @property
    def home(self) -> Ints:
        """Country of each person."""
        result: Ints = self.country[self.household]
        return result

    @property
    def in_family(self) -> Bools:
        """Whether a person lives in a couple or family of at least two."""
        alone = np.bincount(self.household, minlength=len(self.kind)) < 2
        family = np.isin(self.kind, (COUPLE, FAMILY, LONE_PARENT)) & ~alone
        result: Bools = family[self.household]
        return result


def form(block: Block) -> Members:
    """Draw the households of a block until they hold exactly its people; the last one may be cut short."""
    n, draws = block.size, block.draws
    kind = draws.pick("household kind", _KINDS, n)
    children = 1 + draws.pick("children", _CHILDREN, n)
    size = _sizes(kind, children, 2 + draws.below("mates", 2, n))
    ends = np.cumsum(size)
    households = int(np.searchsorted(ends, n)) + 1
    household = np.repeat(np.arange(households), size[:households])[:n]
    slot = np.arange(n) - (ends - size)[household]
    kind, children = kind[:households], children[:households]
    role = _roles(kind[household], slot)
    woman = _women(block, household, role, kind)
    country = draws.pick("country", cumulate(np.array(list(block.spec.countries.values()))), n)[:households]
    eldest = _row_of(household, (role == CHILD) & (slot == _first_child_slot(kind)[household]), households)
    second = _row_of(household, (role == CHILD) & (slot == _first_child_slot(kind)[household] + 1), households)
    twins = draws.chance("twins", block.spec.rates.twins, n)[:households] & (second >= 0)
    birth_day = _birth_days(block, household, role, kind)
    birth_day[second[twins]] = birth_day[eldest[twins]]
    same_sex = twins & draws.chance("twins of one sex", 0.66, n)[:households]
    woman[second[same_sex]] = woman[eldest[same_sex]]
    father = _row_of(
        household, (role <= PARTNER) & ~woman & np.isin(kind, (FAMILY, LONE_PARENT))[household], households
    )
    has_son = (eldest >= 0) & ~woman[eldest]
    jr_sr = draws.chance("jr_sr", block.spec.rates.jr_sr, n)[:households] & (father >= 0) & has_son
    return Members(household, role, woman, birth_day, kind, country, twins, jr_sr, father, eldest)


def families_with_two_children(members: Members) -> int:
    """How many households could have had twins."""
    children = np.bincount(members.household[members.role == CHILD], minlength=len(members.kind))
    return int((children >= 2).sum())


def fathers_of_sons(members: Members) -> int:
    """How many households have a father and an eldest child who is a son."""
    pairs = (members.father >= 0) & (members.first_child >= 0)
    return int((pairs & ~members.woman[members.first_child]).sum())


def _sizes(kind: Ints, children: Ints, mates: Ints) -> Ints:
    return np.choose(kind, [np.ones_like(kind), np.full_like(kind, 2), 2 + children, 1 + children, mates])


def _first_child_slot(kind: Ints) -> Ints:
    return np.where(kind == FAMILY, 2, 1)


def _roles(kind: Ints, slot: Ints) -> Ints:
    child = ((kind == FAMILY) & (slot >= 2)) | ((kind == LONE_PARENT) & (slot >= 1))
    partner = np.isin(kind, (COUPLE, FAMILY)) & (slot == 1)
    return np.select([kind == FLAT_SHARE, child, partner], [MATE, CHILD, PARTNER], ADULT).astype(np.int64)


def _women(block: Block, household: Ints, role: Ints, kind: Ints) -> Bools:
    """Partners are of the other sex in 24 of 25 couples; four of five lone parents are mothers."""
    n = len(household)
    chance = np.where(kind[household] == LONE_PARENT, np.where(role == ADULT, 0.8, 0.5), 0.51)
    woman = block.draws.uniform("sex", n) < chance
    partner = np.flatnonzero(role == PARTNER)
    alike = block.draws.chance("couple of one sex", 0.04, n)[partner]
    woman[partner] = np.where(alike, woman[partner - 1], ~woman[partner - 1])
    return woman


def _birth_days(block: Block, household: Ints, role: Ints, kind: Ints) -> Ints:
    """Days since 1970. Parents are at least a generation older than their children, partners a few years apart."""
    n = len(household)
    spread = block.draws.stream("ages").beta(1.3, 1.7, n)
    low = np.select([kind == FAMILY, kind == LONE_PARENT, kind == FLAT_SHARE], [38, 37, 19], 20)
    high = np.select([kind == FAMILY, kind == LONE_PARENT, kind == FLAT_SHARE], [62, 60, 34], 86)
    head_age = (low + spread[: len(kind)] * (high - low))[household]
    partner_age = np.clip(head_age + block.draws.stream("partner's age").normal(0, 3, n), 19, 88)
    partner_age = np.where(kind[household] == FAMILY, np.maximum(partner_age, YOUNGEST + GENERATION + 1), partner_age)
    mate_age = 19 + block.draws.uniform("mate's age", n) * 15
    parent_age = np.minimum(head_age, _youngest_parent(household, role, partner_age, len(kind)))
    oldest = np.minimum(OLDEST_AT_HOME, parent_age - GENERATION)
    child_age = YOUNGEST + block.draws.uniform("child's age", n) * np.maximum(oldest - YOUNGEST, 0)
    age = np.choose(role, [head_age, partner_age, child_age, mate_age])
    return block.last_day - (age * _YEAR).astype(np.int64)


def _youngest_parent(household: Ints, role: Ints, partner_age: Floats, households: int) -> Floats:
    youngest = np.full(households, 120.0)
    partner = role == PARTNER
    youngest[household[partner]] = partner_age[partner]
    return youngest[household]


def _row_of(household: Ints, wanted: Bools, households: int) -> Ints:
    """Per household the row of its first wanted member, -1 without."""
    rows = np.flatnonzero(wanted)[::-1]
    found = np.full(households, -1, dtype=np.int64)
    found[household[rows]] = rows
    return found
