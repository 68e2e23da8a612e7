"""Mailboxes: each belongs to one owner in the whole population, whatever its size.

A local part is a base without digits, and perhaps a number. Which numbers a block may put behind a base follows from
the base: so blocks never give out the same mailbox twice and need not know of each other.
"""

import zlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from connectors.sandbox.population.block import Block
from connectors.sandbox.population.draws import Ints, cumulate, pick
from connectors.sandbox.population.households import Members
from connectors.sandbox.population.names import Names
from connectors.sandbox.population.texts import Texts, plain, texts

_STYLES = cumulate(np.array([0.34, 0.14, 0.12, 0.08, 0.08, 0.12, 0.12]))
_SUFFIXES = cumulate(np.array([0.36, 0.2, 0.16, 0.28]))
_DOTLESS = ("gmail.com", "googlemail.com")
_HANDLES = ("sunny", "blue", "pixel", "kiwi", "lucky", "mono", "velvet", "river", "tiny", "happy", "silent", "copper")
_THINGS = ("cat", "sky", "rider", "garden", "fox", "star", "panda", "cloud", "tiger", "moon", "maker", "runner")


def mailboxes(block: Block, members: Members, names: Names) -> tuple[Texts, Texts, Texts]:
    """Personal and second mailboxes (a row per person), and those of households (a row per household)."""
    n, heads = len(members), np.searchsorted(members.household, np.arange(len(members.kind)))
    given = _local(names.given)
    family = _local(np.where(names.maiden != None, names.maiden, names.family))  # noqa: E711
    years = 1970 + members.birth_day // 365.25
    bases = [
        _personal_bases(block, "mailbox", given, family),
        _personal_bases(block, "second mailbox", given, family),
        _household_bases(block, family[heads]),
    ]
    home = np.concatenate([members.home, members.home, members.country])
    year = np.concatenate([years, years, np.zeros(len(heads))]).astype(np.int64)
    addresses = _dealt(block, np.concatenate(bases), _domains(block, home), year)
    return addresses[:n], addresses[n : 2 * n], addresses[2 * n :]


def _local(words: Texts) -> Texts:
    series = pl.Series(plain(words), dtype=pl.String).str.to_lowercase().str.replace_all(r"[^a-z]", "")
    return series.to_numpy().astype(object)


def _personal_bases(block: Block, stream: str, given: Texts, family: Texts) -> Texts:
    n, draws = len(given), block.draws
    style = draws.pick(f"{stream} style", _STYLES, n)
    first = texts(word[:1] for word in given)
    handle = texts(_HANDLES)[draws.below(f"{stream} handle", len(_HANDLES), n)]
    thing = texts(_THINGS)[draws.below(f"{stream} thing", len(_THINGS), n)]
    forms = [
        given + "." + family,
        given + family,
        first + family,
        given + "_" + family,
        family + "." + given,
        given,
        handle + thing,
    ]
    return np.choose(style, forms)


def _household_bases(block: Block, family: Texts) -> Texts:
    style = block.draws.below("household mailbox style", 3, len(family))
    return np.choose(style, [family + ".family", "family." + family, "the" + family + "s"])


def _domains(block: Block, home: Ints) -> Texts:
    uniform = block.draws.uniform("domain", len(home))
    domains = np.empty(len(home), dtype=object)
    for place, land in enumerate(block.countries):
        rows = home == place
        domains[rows] = land.domains[pick(land.domain_weights, uniform[rows])]
    return domains


def _dealt(block: Block, bases: Texts, domains: Texts, years: Ints) -> Texts:
    """Put numbers behind bases until no two addresses are the same mailbox: Gmail does not read the dots."""
    n, blocks = len(bases), block.spec.blocks
    boxes = np.where(np.isin(domains.astype(str), _DOTLESS), texts(b.replace(".", "") for b in bases), bases)
    owner = np.array([zlib.crc32(f"{b}@{d}".encode()) for b, d in zip(boxes, domains, strict=True)]) % blocks
    wanted = _wanted_numbers(block, years)
    residue = (block.number - owner) % blocks
    number = np.where((wanted < 0) & (residue == 0), -1, np.maximum(wanted, 1) // blocks * blocks + residue)
    number = np.where(number == 0, blocks, number)
    attempt = 0
    while (repeated := ~_is_first(_written(boxes, number, domains))).any():
        again = block.draws.below(f"mailbox number {attempt}", 90 * 3**attempt, n) * blocks + residue
        number, attempt = np.where(repeated, np.where(again == 0, blocks, again), number), attempt + 1
    return _written(bases, number, domains)


def _is_first(addresses: Texts) -> NDArray[np.bool_]:
    return pl.Series(addresses, dtype=pl.String).is_first_distinct().to_numpy()


def _wanted_numbers(block: Block, years: Ints) -> Ints:
    """None (-1), the year of birth in two digits or four, or anything below a thousand."""
    n = len(years)
    kind = block.draws.pick("mailbox number kind", _SUFFIXES, n)
    anything = block.draws.below("mailbox number", 1000, n)
    return np.choose(kind, [np.full(n, -1), years % 100, years, anything])


def _written(bases: Texts, number: Ints, domains: Texts) -> Texts:
    digits = np.where(number < 0, "", number.astype(str)).astype(object)
    addresses: Texts = bases + digits + "@" + domains
    return addresses
