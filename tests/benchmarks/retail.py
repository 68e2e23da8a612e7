"""Retail customers of any number, with their truth: like the labelled set retail_100k, for sizes that no labelled set has.

Families share a name, an address and half of their phones; records hold typing errors, initials, short forms, moves, second
mailboxes and numbers, placeholders and gaps at about the rates of that set. Streets, cities and postcodes do not grow with
the people, as if the same shops got more customers. The same size and seed give the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from faker.providers.person.en_US import Provider as Names
from numpy.typing import NDArray

RECORDS_PER_PERSON = 1.7
HOUSEHOLD_SIZES = (0.80, 0.14, 0.045, 0.015)
RARE_FAMILY_NAMES = 15_000
STREETS, CITIES, POSTCODES_PER_CITY = 20_000, 400, 4
DOMAINS = ("gmail.com", "yahoo.com", "outlook.com", "icloud.com", "proton.me")
SOURCES = ("bigcommerce", "magento", "pos", "salesforce")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
Texts = NDArray[np.object_]
Chance = np.random.Generator


def retail(records: int, seed: int = 1) -> pl.DataFrame:
    """About so many records: first_name, surname, dob, email, phone, address, city, postcode, cluster, source, id."""
    chance = np.random.default_rng(seed)
    people = _people(round(records / RECORDS_PER_PERSON), chance)
    told = people[np.repeat(np.arange(people.height), 1 + chance.poisson(RECORDS_PER_PERSON - 1, people.height))]
    spoilt = _spoilt(told.sample(fraction=1.0, shuffle=True, seed=seed), chance)
    source = chance.choice(SOURCES, spoilt.height)
    return spoilt.with_columns(source=pl.Series(source), id=pl.format("r{}", pl.int_range(spoilt.height)))


def order_heavy(frame: pl.DataFrame, seed: int = 1) -> pl.DataFrame:
    """The rows told again and again, as orders do: a third once, a third 4 times, a quarter 12, a twentieth 70 times."""
    times = np.random.default_rng(seed).choice([1, 4, 12, 70], frame.height, p=[0.35, 0.35, 0.25, 0.05])
    again = frame[np.repeat(np.arange(frame.height), times)].sample(fraction=1.0, shuffle=True, seed=seed)
    return again.with_columns(id=pl.format("o{}", pl.int_range(again.height)))


def _people(count: int, chance: Chance) -> pl.DataFrame:
    """Everybody as they are, in households; `other_*` is what some of their records tell instead."""
    sizes = 1 + chance.choice(len(HOUSEHOLD_SIZES), count, p=HOUSEHOLD_SIZES)
    home = np.repeat(np.arange(count), sizes)[:count]
    given = _drawn(Names.first_names, count, chance)
    family = np.where(chance.random(count) < 0.1, _family_names(count, chance), _family_names(count, chance)[home])
    own, shared = _phones(count, chance), _phones(count, chance)[home]
    address, city, postcode = (column[home] for column in _homes(count, chance))
    other_address, other_city, other_postcode = _homes(count, chance)
    local = given + chance.choice(["", ".", "_"], count).astype(object) + family
    return pl.DataFrame({
        "cluster": np.arange(count).astype(str), "first_name": given, "surname": family,
        "dob": _births(count, chance), "phone": np.where(chance.random(count) < 0.5, own, shared),
        "other_phone": _phones(count, chance), "email": _mailboxes(local, 1_000, chance),
        "other_email": _mailboxes(np.array([name[0] for name in given], object) + family, 10_000, chance),
        "address": address, "city": city, "postcode": postcode,
        "other_address": other_address, "other_city": other_city, "other_postcode": other_postcode,
    })  # fmt: skip


def _drawn(weights: dict[str, float], count: int, chance: Chance) -> Texts:
    share = np.array(list(weights.values()))
    return chance.choice(np.array([name.lower() for name in weights], object), count, p=share / share.sum())


def _family_names(count: int, chance: Chance) -> Texts:
    """Two thirds by their frequency in the census, the rest from a long tail made of their beginnings and ends."""
    names = [name.lower() for name in Names.last_names]
    first, last = chance.choice(names, RARE_FAMILY_NAMES), chance.choice(names, RARE_FAMILY_NAMES)
    rare = np.array([a[:4] + b[-4:] for a, b in zip(first, last, strict=True)], object)
    return np.where(chance.random(count) < 2 / 3, _drawn(Names.last_names, count, chance), chance.choice(rare, count))


def _homes(count: int, chance: Chance) -> tuple[Texts, Texts, Texts]:
    names = [name.lower() for name in Names.last_names]
    street = np.array([f"{a[:3]}{b}" for a in names[:200] for b in names[200:300]], object)[:STREETS]
    road = chance.choice(street, count) + chance.choice([" ave", " dr", " rd", " st", " ln"], count).astype(object)
    city = chance.integers(0, CITIES, count)
    postcode = 10_000 + city + CITIES * chance.integers(0, POSTCODES_PER_CITY, count)
    return _text(chance.integers(1, 10_000, count)) + " " + road, "city" + _text(city), _text(postcode)


def _phones(count: int, chance: Chance) -> Texts:
    return _text(chance.integers(2_000_000_000, 10_000_000_000, count))


def _mailboxes(local: Texts, numbers: int, chance: Chance) -> Texts:
    return local + _text(chance.integers(numbers // 10, numbers, local.size)) + "@" + chance.choice(DOMAINS, local.size)


def _births(count: int, chance: Chance) -> Texts:
    days = np.datetime64("1940-01-01") + chance.integers(0, 365 * 66, count)
    return days.astype(str).astype(object)


def _text(numbers: NDArray[np.int64]) -> Texts:
    return numbers.astype(str).astype(object)


def _spoilt(told: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """The records as shops and tills wrote them down."""

    def some(share: float) -> pl.Expr:
        return pl.lit(pl.Series(chance.random(told.height) < share))

    def at_times(column: str, share: float, instead: pl.Expr) -> pl.Expr:
        return pl.when(some(share)).then(instead).otherwise(pl.col(column)).alias(column)

    moved = some(0.15)
    parts = pl.col("dob").str.split("-")
    swapped = pl.concat_str(parts.list.get(0), parts.list.get(2), parts.list.get(1), separator="-")
    other = told.with_columns(
        at_times("first_name", 0.07, pl.col("first_name").str.slice(0, 1)),
        at_times("dob", 0.045, swapped),
        at_times("email", 0.08, pl.col("other_email")),
        at_times("phone", 0.14, pl.col("other_phone")),
        *(pl.when(moved).then(f"other_{c}").otherwise(c).alias(c) for c in ("address", "city", "postcode")),
    ).with_columns(
        at_times("first_name", 0.03, pl.col("first_name").str.slice(0, 4)),
        at_times("email", 0.025, pl.lit("noemail@noemail.com")),
        at_times("phone", 0.016, pl.lit("0000000000")),
    )
    mistyped = other.with_columns(
        _mistyped(other[column], share, chance)
        for column, share in (("first_name", 0.05), ("surname", 0.095), ("email", 0.06), ("address", 0.1))
    )
    gaps = (("first_name", 0.02), ("dob", 0.25), ("email", 0.18), ("phone", 0.2), ("address", 0.15))
    return mistyped.with_columns(at_times(column, share, pl.lit(None)) for column, share in gaps).drop("^other_.*$")


def _mistyped(column: pl.Series, share: float, chance: Chance) -> pl.Series:
    """Some of the texts with a letter too many, too few, wrong, or two changed round."""
    texts = column.to_list()
    for row in np.flatnonzero(chance.random(len(texts)) < share).tolist():
        texts[row] = _slip(texts[row], chance.random(3).tolist())
    return pl.Series(column.name, texts)


def _slip(text: str, draws: Sequence[float]) -> str:
    place, letter = int(draws[0] * len(text)), LETTERS[int(draws[1] * len(LETTERS))]
    before, here, after = text[:place], text[place : place + 1], text[place + 1 :]
    return (
        before + letter + here + after,
        before + after,
        before + letter + after,
        before + after[:1] + here + after[1:],
    )[int(draws[2] * 4)]
