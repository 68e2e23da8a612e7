"""What is particular to a country: its names and how common they are, places, numbers, money and habits of spelling."""

import importlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

import numpy as np
from faker.providers import BaseProvider
from nicknames import NickNamer

from connectors.sandbox.population.draws import Floats, Ints, cumulate, pick
from connectors.sandbox.population.spec import CountryCode
from connectors.sandbox.population.texts import Texts, texts

Weighted = tuple[tuple[str, ...], Floats]


@dataclass(frozen=True)
class Phones:
    """Numbering of a country: national numbers are a prefix and digits; `groups` is how people write them."""

    calling_code: str
    abroad: str
    """What is dialled in the country before the code of another."""
    trunk: str
    mobile_prefixes: tuple[str, ...]
    mobile_digits: int
    first_digit: int
    landline_length: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Country:
    """One country's words and habits. Arrays are parallel to their cumulated weights."""

    code: CountryCode
    language: str
    locale: str
    currency: str
    decimals: int
    minor_per_price: float
    tax_name: str
    tax_basis_points: int
    phones: Phones
    number_first: bool
    postcode_tail: str
    titles: tuple[str, str]
    carriers: Texts
    domains: Texts
    domain_weights: Floats
    given: tuple[Texts, Texts]
    """Men's, women's."""
    given_weights: tuple[Floats, Floats]
    family: Texts
    family_weights: Floats
    family_women: Texts
    """The form of `family` that a woman bears, in the same order."""
    streets: Texts
    street_weights: Floats
    cities: Texts
    regions: Texts
    postcodes: Texts
    area_codes: Texts
    city_weights: Floats
    swaps: tuple[tuple[str, str], ...]
    short_forms: Mapping[str, tuple[str, ...]]

    def surnames(self, uniform: Floats) -> Ints:
        """Indices into `family` for uniform numbers."""
        return pick(self.family_weights, uniform)


@cache
def country(code: CountryCode) -> Country:
    """The country of that code, read once."""
    words = tomllib.loads(files(__package__).joinpath(f"words/{code.lower()}.toml").read_text(encoding="utf-8"))
    given = [_given(words, sex) for sex in ("male", "female")]
    family, family_weights = _family(words)
    cities = list(zip(*words["cities"], strict=True))
    return Country(
        code=code,
        language=words["language"],
        locale=words["locale"],
        currency=words["currency"],
        decimals=words["decimals"],
        minor_per_price=words["minor_per_price"],
        tax_name=words["tax"][0],
        tax_basis_points=words["tax"][1],
        phones=_phones(words),
        number_first=words["number_first"],
        postcode_tail=words["postcode_tail"],
        titles=(words["titles"][0], words["titles"][1]),
        carriers=texts(words["carriers"]),
        domains=texts(words["domains"]),
        domain_weights=cumulate(np.array(list(words["domains"].values()), dtype=np.float64)),
        given=(texts(given[0][0]), texts(given[1][0])),
        given_weights=(given[0][1], given[1][1]),
        family=texts(family),
        family_weights=family_weights,
        family_women=texts([feminine(name, code) for name in family]),
        streets=texts(words["streets"]),
        street_weights=cumulate(_by_rank(len(words["streets"]), 12.0, 0.8)),
        cities=texts(cities[0]),
        regions=texts(cities[1]),
        postcodes=texts(cities[2]),
        city_weights=cumulate(np.array(cities[3], dtype=np.float64)),
        area_codes=texts(cities[4]),
        swaps=tuple((old, new) for old, new in words["swaps"]),
        short_forms=_short_forms(words, (*given[0][0], *given[1][0])),
    )


def _phones(words: Mapping[str, Any]) -> Phones:
    return Phones(
        calling_code=words["calling_code"],
        abroad=words["abroad"],
        trunk=words["trunk"],
        mobile_prefixes=tuple(words["mobile_prefixes"]),
        mobile_digits=words["mobile_digits"],
        first_digit=words["first_digit"],
        landline_length=words["landline_length"],
        groups=tuple(words["groups"]),
    )


def _faker(words: Mapping[str, Any]) -> type[BaseProvider]:
    provider: type[BaseProvider] = importlib.import_module(f"faker.providers.person.{words['faker']}").Provider
    return provider


def _given(words: Mapping[str, Any], sex: str) -> Weighted:
    """Our own head of frequent names first, then Faker's; frequencies where Faker has them, else by rank."""
    provider = _faker(words)
    listed = getattr(provider, f"first_romanized_names_{sex}", None) or getattr(provider, f"first_names_{sex}")
    if isinstance(listed, Mapping):
        return tuple(listed), cumulate(np.array(list(listed.values()), dtype=np.float64))
    names = tuple(dict.fromkeys((*words[f"given_{sex}"], *(name for name in listed if " " not in name))))
    return names, cumulate(_by_rank(len(names), 3.0, 1.1))


def _family(words: Mapping[str, Any]) -> Weighted:
    """Listed surnames take `listed_share` of the people, a tail built from syllables takes the rest."""
    provider = _faker(words)
    listed = (
        getattr(provider, "last_romanized_names", None)
        or getattr(provider, "last_names_male", None)
        or (*getattr(provider, "male_last_names", ()), *getattr(provider, "unisex_last_names", ()))
        or getattr(provider, "last_names")  # noqa: B009 - a base class does not name it
    )
    head = tuple(dict.fromkeys((*words["family"], *listed)))
    if isinstance(listed, Mapping):
        weights = np.array([listed.get(name, 0.0) for name in head], dtype=np.float64)
    else:
        weights = _by_rank(len(head), 4.0, 0.85)
    known = set(head)
    parts = product(words["tail_starts"], words["tail_middles"], words["tail_ends"])
    tail = _shuffled([name for name in dict.fromkeys("".join(part) for part in parts) if name not in known])
    shares = (weights / weights.sum() * words["listed_share"], _tail(len(tail)) * (1 - words["listed_share"]))
    return (*head, *tail), cumulate(np.concatenate(shares))


def _shuffled(names: list[str]) -> list[str]:
    return [names[i] for i in np.random.Generator(np.random.PCG64DXSM(len(names))).permutation(len(names))]


def _tail(length: int) -> Floats:
    weights = _by_rank(length, 200.0, 0.7)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _by_rank(length: int, shift: float, slope: float) -> Floats:
    """Zipf and Mandelbrot's weights: 1 / (rank + shift) ** slope."""
    weights: Floats = 1.0 / (np.arange(1, length + 1, dtype=np.float64) + shift) ** slope
    return weights


def _short_forms(words: Mapping[str, Any], given: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    if words["language"] != "en":
        return {name: tuple(forms) for name, forms in words["short_forms"].items()}
    names = NickNamer()
    found = {name: sorted(str(form).title() for form in names.nicknames_of(name) if len(form) > 2) for name in given}
    return {name: tuple(forms) for name, forms in found.items() if forms}


_FEMININE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "PL": (("ski", "ska"), ("cki", "cka"), ("dzki", "dzka")),
    "LV": (("iņš", "iņa"), ("nieks", "niece"), ("ītis", "īte"), ("is", "e"), ("us", "us"), ("s", "a")),
}


def feminine(family: str, code: str) -> str:
    """The form of a surname that a woman bears in Poland and Latvia; elsewhere the same."""
    for ending, replacement in _FEMININE.get(code, ()):
        if family.endswith(ending):
            return family[: -len(ending)] + replacement
    return family
