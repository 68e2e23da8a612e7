"""What people are called: given, middle and family names, maiden names, suffixes, namesakes."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from connectors.sandbox.population.block import DAY, Block
from connectors.sandbox.population.draws import Bools, Floats, Ints, pick
from connectors.sandbox.population.households import MATE, PARTNER, SINGLE, Members
from connectors.sandbox.population.texts import Texts, blank, keep

LONG_AGO = np.iinfo(np.int64).min // 4
"""A moment before all others: when what never happened is taken to have happened."""
_MIDDLE = {"US": 0.75, "GB": 0.6, "DE": 0.15, "FR": 0.15, "NL": 0.2, "LV": 0.05, "PL": 0.3, "JP": 0.0}


@dataclass(frozen=True)
class Names:
    """A row per person. `maiden` is the family name that was used before `married` (a moment)."""

    given: Texts
    middle: Texts
    family: Texts
    suffix: Texts
    maiden: Texts
    married: Ints
    namesake_of: Ints
    """The row of the stranger with the same full name, -1 without; both point at each other."""
    could_marry: int
    """How many wives bear the common name."""
    could_be_namesakes: int


def name(block: Block, members: Members) -> Names:
    """Name everyone. Nobody in a family has a given name twice, except a father and son who share it."""
    given = _given_names(block, members)
    family_no = _family_numbers(block, members)
    maiden_no = _surnames(block, members, "maiden")
    wives, marries = _marries(block, members, family_no, maiden_no)
    wedding = (
        block.start
        + (60 * DAY)
        + (block.draws.uniform("wedding", len(members)) * (block.end - block.start - 120 * DAY)).astype(np.int64)
    )
    family = _spell(block, members, family_no)
    middle = _middle_names(block, members)
    twin_of = _namesakes(block, members)
    second = np.flatnonzero((twin_of >= 0) & (twin_of < np.arange(len(members))))
    for words in (given, family, middle):
        words[second] = words[twin_of[second]]
    return Names(
        given=given,
        middle=middle,
        family=family,
        suffix=_suffixes(block, members),
        maiden=keep(marries, _spell(block, members, maiden_no)),
        married=np.where(marries, wedding, LONG_AGO),
        namesake_of=twin_of,
        could_marry=int(wives.sum()),
        could_be_namesakes=int((members.kind[members.household] == SINGLE).sum()),
    )


def _given_names(block: Block, members: Members) -> Texts:
    given = _draw_given(block, members, block.draws.uniform("given name", len(members)))
    clash = _clashes(members, given)
    attempt = 0
    while clash.any():
        again = _draw_given(block, members, block.draws.uniform(f"given name again {attempt}", len(members)))
        given[clash] = again[clash]
        clash, attempt = _clashes(members, given), attempt + 1
    given[members.first_child[members.jr_sr]] = given[members.father[members.jr_sr]]
    return given


def _clashes(members: Members, given: Texts) -> Bools:
    """Who of a family has a given name that an earlier member has."""
    frame = pl.DataFrame({"household": members.household, "given": pl.Series(given, dtype=pl.String)})
    repeated = ~frame.select(pl.struct("household", "given").is_first_distinct()).to_series().to_numpy()
    result: Bools = repeated & (members.role != MATE)
    return result


def _draw_given(block: Block, members: Members, uniform: Floats) -> Texts:
    given = np.empty(len(members), dtype=object)
    for place, land in enumerate(block.countries):
        for sex in (0, 1):
            rows = (members.home == place) & (members.woman == bool(sex))
            given[rows] = land.given[sex][pick(land.given_weights[sex], uniform[rows])]
    return given


def _surnames(block: Block, members: Members, stream: str) -> Ints:
    """A surname's number for each person, in the person's country."""
    uniform = block.draws.uniform(stream, len(members))
    numbers = np.empty(len(members), dtype=np.int64)
    for place, land in enumerate(block.countries):
        rows = members.home == place
        numbers[rows] = land.surnames(uniform[rows])
    return numbers


def _family_numbers(block: Block, members: Members) -> Ints:
    """Families share a surname; a fifth of the partners keep their own, flat-mates have their own."""
    own = _surnames(block, members, "family name")
    head = np.searchsorted(members.household, np.arange(len(members.kind)))
    keeps = block.draws.chance("keeps own name", 0.2, len(members)) & (members.role == PARTNER)
    return np.where((members.role == MATE) | keeps, own, own[head][members.household])


def _spell(block: Block, members: Members, numbers: Ints) -> Texts:
    spelt = np.empty(len(members), dtype=object)
    for place, land in enumerate(block.countries):
        for sex, words in enumerate((land.family, land.family_women)):
            rows = (members.home == place) & (members.woman == bool(sex))
            spelt[rows] = words[numbers[rows]]
    return spelt


def _marries(block: Block, members: Members, family: Ints, maiden: Ints) -> tuple[Bools, Bools]:
    """Wives who bear the common name, and those of them who took it while the shops already knew them."""
    partner = np.flatnonzero(members.role == PARTNER)
    common = partner[family[partner] == family[partner - 1]]
    wife = np.where(members.woman[common], common, common - 1)
    wives = np.zeros(len(members), dtype=bool)
    wives[wife] = True
    wives &= members.woman & (maiden != family)
    return wives, wives & block.draws.chance("married_name", block.spec.rates.married_name, len(members))


def _middle_names(block: Block, members: Members) -> Texts:
    chance = np.array([_MIDDLE[land.code] for land in block.countries])
    drawn = _draw_given(block, members, block.draws.uniform("middle name", len(members)))
    has = block.draws.uniform("has middle name", len(members)) < chance[members.home]
    return keep(has, drawn)


def _suffixes(block: Block, members: Members) -> Texts:
    """Sr and Jr where English is spoken; elsewhere father and son of one name are told apart by nothing but age."""
    suffix = blank(len(members))
    english = np.array([land.language == "en" for land in block.countries])[members.country]
    pairs = members.jr_sr & english
    suffix[members.father[pairs]] = "Sr"
    suffix[members.first_child[pairs]] = "Jr"
    return suffix


def _namesakes(block: Block, members: Members) -> Ints:
    """Pairs of people of one sex who live alone in the same country and do not know each other."""
    other = np.full(len(members), -1, dtype=np.int64)
    alone = members.kind[members.household] == SINGLE
    for place, woman in product(range(len(block.countries)), (False, True)):
        rows = np.flatnonzero(alone & (members.home == place) & (members.woman == woman))
        first, second = block.draws.pairs(f"namesakes {place} {woman}", block.spec.rates.namesake, rows)
        other[first], other[second] = second, first
    return other
