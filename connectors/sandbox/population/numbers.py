"""Telephone numbers: each belongs to one owner in the whole population, whatever its size.

Every owner in a country has a place in line; the place decides the number, and no two places give the same one.
"""

import numpy as np

from connectors.sandbox.population.block import Block
from connectors.sandbox.population.countries import Country, Phones
from connectors.sandbox.population.draws import Bools, Draws, Ints
from connectors.sandbox.population.households import FAMILIES_PER_PERSON, Members
from connectors.sandbox.population.places import Homes
from connectors.sandbox.population.spec import PopulationSpec
from connectors.sandbox.population.texts import Texts, blank, texts

_STEP = 2_654_435_761
"""A prime far from every size: stepping by it visits every number once."""


def check_room(spec: PopulationSpec) -> None:
    """Raise ValueError, before anything is drawn, when a country has fewer mobile numbers than the population needs."""
    block = Block(spec, 0, spec.block_size(0))
    for place, land in enumerate(block.countries):
        needed, there = 2 * block.room(place, 1.0) * spec.blocks, _mobile_count(land.phones)
        if needed > there:
            raise ValueError(
                f"{land.code} has {there} mobile numbers, too few for {needed}: fewer people or more countries"
            )


def mobiles(block: Block, members: Members) -> tuple[Texts, Texts]:
    """Two numbers for everyone: the present one and one that was or might have been theirs before."""
    current, former = np.empty(len(members), dtype=object), np.empty(len(members), dtype=object)
    for place, land in enumerate(block.countries):
        rows = np.flatnonzero(members.home == place)
        line = _line(block, place, 1.0, len(rows))
        current[rows] = mobile_numbers(block.spec.seed, land, 2 * line)
        former[rows] = mobile_numbers(block.spec.seed, land, 2 * line + 1)
    return current, former


def _line(block: Block, place: int, part: float, count: int) -> Ints:
    room = block.room(place, part)
    if count > room:
        raise ValueError(f"{count} numbers of one country in a block that has room for {room}")
    return block.number * room + np.arange(count)


def mobile_numbers(seed: int, land: Country, places: Ints) -> Texts:
    """Mobile numbers in E.164 for places in the country's line. Raises ValueError when the line is too long."""
    phones = land.phones
    per_prefix = _mobile_count(phones) // len(phones.mobile_prefixes)
    lowest = 10**phones.mobile_digits - per_prefix
    mixed = _mixed(seed, f"mobiles {land.code}", places, _mobile_count(phones))
    prefixes = texts(phones.mobile_prefixes)[mixed // per_prefix]
    return _e164(phones, prefixes, mixed % per_prefix + lowest, phones.mobile_digits)


def _mobile_count(phones: Phones) -> int:
    per_prefix: int = (10 - phones.first_digit) * 10 ** (phones.mobile_digits - 1)
    return per_prefix * len(phones.mobile_prefixes)


def landlines(block: Block, members: Members, homes: Homes, wanted: Bools) -> Texts:
    """A number with the area code of its city for each wanted household, None for the others."""
    numbers = blank(len(wanted))
    part = block.spec.rates.household_phone * FAMILIES_PER_PERSON
    for place, land in enumerate(block.countries):
        rows = np.flatnonzero(wanted & (members.country == place))
        areas = land.area_codes[homes.now.city_number[rows]]
        line = _line(block, place, part, len(rows))
        for area in dict.fromkeys(areas):
            here = areas == area
            numbers[rows[here]] = _landline_numbers(block.spec.seed, land, area, line[here])
    return numbers


def _landline_numbers(seed: int, land: Country, area: str, places: Ints) -> Texts:
    """Numbers of one area for places in the country's line; no number starts with 0 or 1."""
    length = land.phones.landline_length - len(area)
    lowest = 2 * 10 ** (length - 1)
    mixed = _mixed(seed, f"landlines {land.code}", places, 8 * 10 ** (length - 1))
    return _e164(land.phones, texts([area] * len(places)), mixed + lowest, length)


def _mixed(seed: int, name: str, places: Ints, size: int) -> Ints:
    """Spread places over [0, size), one to one. Raises ValueError for places beyond size."""
    if len(places) and int(places[-1]) >= size:
        raise ValueError(f"{name}: no more than {size} numbers for {int(places[-1]) + 1} places")
    offset = int(Draws(seed, 0).below(name, size, 1)[0])
    return (places * _STEP + offset) % size


def _e164(phones: Phones, prefixes: Texts, number: Ints, length: int) -> Texts:
    rows = zip(prefixes, number, strict=True)
    return texts(f"+{phones.calling_code}{prefix}{value:0{length}d}" for prefix, value in rows)


def told_numbers(draws: Draws, lands: tuple[Country, ...], home: Ints, numbers: Texts) -> Texts:
    """Numbers as people and forms write them: with or without country code, spaces, brackets."""
    manner = draws.uniform("manner of numbers", len(numbers))
    return texts(
        None if number is None else _as_told(lands[place], number, how)
        for number, place, how in zip(numbers, home, manner, strict=True)
    )


def _as_told(land: Country, number: str, how: float) -> str:
    phones = land.phones
    significant = number[len(phones.calling_code) + 1 :]
    grouped = _grouped(phones.trunk + significant, phones.groups)
    if how < 0.3:
        return number
    if how < 0.5:
        return phones.trunk + significant
    if how < 0.75:
        return " ".join(grouped)
    if how < 0.85:
        return f"{phones.abroad}{number[1:]}"
    if how < 0.95:
        return f"+{phones.calling_code} " + " ".join(_grouped(significant, phones.groups))
    return f"({grouped[0]}) " + "-".join(grouped[1:])


def _grouped(digits: str, groups: tuple[int, ...]) -> list[str]:
    parts, start = [], 0
    for size in groups:
        parts.append(digits[start : start + size])
        start += size
    if digits[start:]:
        parts[-1] += digits[start:]
    return [part for part in parts if part]
