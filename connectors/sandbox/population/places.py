"""Where people live and where the stores stand."""

from dataclasses import dataclass

import numpy as np

from connectors.sandbox.population.block import DAY, Block
from connectors.sandbox.population.countries import Country
from connectors.sandbox.population.draws import Bools, Draws, Floats, Ints, pick
from connectors.sandbox.population.names import LONG_AGO
from connectors.sandbox.population.texts import Texts, texts

_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True)
class Addresses:
    """Addresses, a row each; `city_number` is the place in the country's list."""

    house_number: Texts
    street: Texts
    postcode: Texts
    city: Texts
    region: Texts
    city_number: Ints

    def take(self, rows: Ints) -> "Addresses":
        """The addresses at those rows."""
        return Addresses(
            self.house_number[rows],
            self.street[rows],
            self.postcode[rows],
            self.city[rows],
            self.region[rows],
            self.city_number[rows],
        )


@dataclass(frozen=True)
class Homes:
    """A row per household: where it lives, where it lived before `moved` (a moment)."""

    now: Addresses
    before: Addresses
    moved: Ints


def settle(block: Block, country: Ints, same_city_as: Ints) -> Homes:
    """Give every household an address, and those that moved an earlier one.

    `country` and `same_city_as` are a row per household; -1 in the latter leaves the city to chance.
    """
    n = len(country)
    cities = _cities(block, country, block.draws.uniform("city", n))
    cities = np.where(same_city_as >= 0, cities[same_city_as], cities)
    elsewhere = block.draws.chance("moved to another city", 0.4, n)
    earlier = np.where(elsewhere, _cities(block, country, block.draws.uniform("earlier city", n)), cities)
    moves = block.draws.chance("moved", block.spec.rates.moved, n)
    moment = (
        block.start
        + 60 * DAY
        + (block.draws.uniform("move", n) * (block.end - block.start - 120 * DAY)).astype(np.int64)
    )
    return Homes(
        now=addresses(block, "home", country, cities),
        before=addresses(block, "earlier home", country, earlier),
        moved=np.where(moves, moment, LONG_AGO),
    )


def addresses(block: Block, stream: str, country: Ints, city: Ints) -> Addresses:
    """Addresses in the given cities (a row per address)."""
    return draw_addresses(block.draws, stream, block.countries, country, city)


def draw_addresses(draws: Draws, stream: str, lands: tuple[Country, ...], country: Ints, city: Ints) -> Addresses:
    """Addresses in the given cities of the given countries. A street has one postcode in its city."""
    n = len(country)
    uniform = draws.uniform(f"{stream} street", n)
    number = _house_numbers(draws, stream, n)
    columns = [np.empty(n, dtype=object) for _ in range(5)]
    for place, land in enumerate(lands):
        rows = np.flatnonzero(country == place)
        street = pick(land.street_weights, uniform[rows])
        where = city[rows]
        columns[0][rows] = _written_numbers(land, number[rows])
        columns[1][rows] = land.streets[street]
        columns[2][rows] = _postcodes(land, where, street)
        columns[3][rows] = land.cities[where]
        columns[4][rows] = land.regions[where]
    return Addresses(columns[0], columns[1], columns[2], columns[3], columns[4], city)


def address_lines(number_first: Bools, house_number: Texts, street: Texts) -> Texts:
    """Street and number on one line, in the order that is usual in the country."""
    lines: Texts = np.where(number_first, house_number + " " + street, street + " " + house_number)
    return lines


def _cities(block: Block, country: Ints, uniform: Floats) -> Ints:
    cities = np.empty(len(country), dtype=np.int64)
    for place, land in enumerate(block.countries):
        rows = country == place
        cities[rows] = pick(land.city_weights, uniform[rows])
    return cities


def _house_numbers(draws: Draws, stream: str, n: int) -> Ints:
    """Low numbers are common: every street has them."""
    return 1 + (draws.uniform(f"{stream} number", n) ** 1.3 * 180).astype(np.int64)


def _written_numbers(land: Country, number: Ints) -> Texts:
    if land.code == "JP":
        return texts(f"{1 + n % 5}-{1 + n // 5 % 20}-{1 + n % 17}" for n in number)
    if land.code == "PL":
        return texts(f"{n}/{1 + n % 23}" if n % 3 == 0 else f"{n}" for n in number)
    if land.code in {"DE", "NL", "LV"}:
        return texts(f"{n}{'abc'[n % 3]}" if n % 11 == 0 else f"{n}" for n in number)
    return texts(f"{n}" for n in number)


def _postcodes(land: Country, city: Ints, street: Ints) -> Texts:
    """`#` stands for a digit, `@` for a letter, `=` for a district; street and city decide them."""
    keys = ((street + 1) * 7919 + (city + 1) * 104_729) % 1_000_003
    prefixes = land.postcodes[city]
    return texts(prefix + _filled(land.postcode_tail, int(key)) for prefix, key in zip(prefixes, keys, strict=True))


def _filled(pattern: str, key: int) -> str:
    written = ""
    for mark in pattern:
        if mark == "#":
            key, digit = divmod(key, 10)
            written += str(digit)
        elif mark == "@":
            key, letter = divmod(key, len(_LETTERS))
            written += _LETTERS[letter]
        elif mark == "=":
            key, district = divmod(key, 20)
            written += str(district + 1)
        else:
            written += mark
    return written
