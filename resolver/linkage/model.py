"""The linkage model that is saved, shipped and passed back: our own versioned JSON.

It holds, per comparison level, how often records of one person reach it (`m`), how often unrelated people do (`u`),
and how often people who share a household, an area or a contact do where the field is free to be shared; how many
related pairs a record has; and the term frequencies, frozen, so that a full run and a delta run weigh alike. Values
appear only as hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from resolver.linkage.blocking import Keys
from resolver.linkage.comparisons import ALL, Kind
from resolver.linkage.evidence import Feature, Rarity, features
from resolver.linkage.frequencies import Values
from resolver.linkage.mixture import KINDS, Parameters

FORMAT: Literal[2] = 2
KEPT_VALUES = 50_000
LEAST_PEOPLE = 3
LEAST_POPULATION = 1_000


class WrongModel(ValueError):
    """A file that is no linkage model of this version; the text says why."""


class FrozenModel(BaseModel):
    """Immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LevelModel(FrozenModel):
    """One comparison level; a kind of non-match that may not share the field is absent."""

    name: str
    m: float
    u: float
    shared: dict[Kind, float] = {}


class FeatureModel(FrozenModel):
    """One comparison, in one context."""

    name: str
    levels: list[LevelModel]


class Frequencies(FrozenModel):
    """Minus log shares of people: by the hash of a value, and for every value that is not listed."""

    unlisted: float
    rarity: dict[str, float] = {}


class LinkageModel(FrozenModel):
    """A trained linkage model."""

    format: Literal[2] = FORMAT
    trained_on: int
    related: dict[Kind, float]
    features: list[FeatureModel]
    frequencies: dict[str, Frequencies] = {}

    @classmethod
    def of(
        cls, parameters: Parameters, records: int, all_pairs: float, frequencies: Mapping[str, Frequencies]
    ) -> LinkageModel:
        """The model of trained parameters; `related` counts pairs of each kind per record, in a table of `records`."""
        per_record = parameters.prior * all_pairs / max(records, 1)
        return cls(
            trained_on=records,
            related={kind: _round(share) for kind, share in zip(KINDS, per_record, strict=True)},
            features=[
                _feature_model(feature, shares, chance)
                for feature, shares, chance in zip(features(ALL), parameters.shares, parameters.chance, strict=True)
            ],
            frequencies=dict(sorted(frequencies.items())),
        )

    @classmethod
    def load(cls, path: Path | str) -> LinkageModel:
        """Read a saved model. Raises WrongModel when it is not one, or one of another version."""
        try:
            model = cls.model_validate(orjson.loads(Path(path).read_bytes()))
            model.parameters(model.trained_on)
        except ValueError as error:
            raise WrongModel(f"{path}: not a linkage model of this version: {error}") from error
        return model

    @classmethod
    def shipped(cls) -> LinkageModel:
        """The model that comes with the product."""
        return cls.model_validate(orjson.loads((resources.files(__package__) / "shipped_model.json").read_bytes()))

    def save(self, path: Path | str) -> None:
        """Write the model; the same model always gives the same bytes."""
        Path(path).write_bytes(self._bytes())

    @property
    def content_hash(self) -> str:
        """SHA-256 of the saved form."""
        return hashlib.sha256(self._bytes()).hexdigest()

    def _bytes(self) -> bytes:
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)

    def parameters(self, records: int) -> Parameters:
        """The parameters for a population of about this many records.

        Related pairs grow with the records and all pairs with their square, so the prior falls as the population grows;
        but neighbours stay the same share of all pairs, for a larger table has more people in each area. The prior is
        taken at the nearest power of two, so that a few more records do not move every weight. A handful of records is
        a sample of a larger population: two strangers do not become likely to be one because few are seen.
        """
        by_name = {feature.name: feature for feature in self.features}
        missing = [feature.name for feature in features(ALL) if feature.name not in by_name]
        missing += [kind for kind in KINDS if kind not in self.related]
        if missing:
            raise WrongModel(f"the model lacks {', '.join(missing)}")
        population = 2.0 ** round(np.log2(max(records, LEAST_POPULATION)))
        trained_on = max(self.trained_on, LEAST_POPULATION)
        grown = [population / trained_on if kind is Kind.AREA else 1.0 for kind in KINDS]
        prior = np.array([self.related[kind] for kind in KINDS]) * grown * 2.0 / (population - 1.0)
        tables = [_tables(by_name[feature.name], feature) for feature in features(ALL)]
        return Parameters(prior, [shares for shares, _ in tables], [chance for _, chance in tables])

    def rarities(self, values: Mapping[str, Values], hashes: Mapping[str, Keys]) -> dict[str, Rarity]:
        """For every field and record, minus the log share of people who have its value (see Records.value_hashes)."""
        return {
            field: v.of_records(_looked_up(self.frequencies.get(field), hashes[field], self.trained_on))
            for field, v in values.items()
        }


def _round(value: float) -> float:
    return float(f"{value:.9g}")


def _feature_model(feature: Feature, shares: NDArray[np.float64], chance: NDArray[np.float64]) -> FeatureModel:
    levels = [
        LevelModel(
            name=level.name,
            m=_round(shares[0, i]),
            u=_round(chance[i]),
            shared={k: _round(shares[j, i]) for j, k in enumerate(KINDS) if j and k in feature.comparison.free},
        )
        for i, level in enumerate(feature.comparison.levels, 1)
    ]
    return FeatureModel(name=feature.name, levels=levels)


def _tables(model: FeatureModel, feature: Feature) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    expected = [level.name for level in feature.comparison.levels]
    if [level.name for level in model.levels] != expected:
        raise WrongModel(f"the model's levels of {model.name} are not those of this version: {expected}")
    shares = np.full((len(KINDS), 1 + len(model.levels)), np.nan)
    chance = np.ones(1 + len(model.levels))
    for i, level in enumerate(model.levels, 1):
        shares[0, i], chance[i] = level.m, level.u
        for j, kind in enumerate(KINDS):
            if kind in level.shared:
                shares[j, i] = level.shared[kind]
    return shares, chance


def frequencies_of(
    values: Mapping[str, Values], hashes: Mapping[str, Keys], clusters: NDArray[np.int64]
) -> dict[str, Frequencies]:
    """The tables to keep: values of at least three people, the commonest first; the rest share one figure."""
    return {field: _kept(hashes[field], v.rarity(clusters)) for field, v in values.items() if v.first.size}


def _kept(hashes: Keys, rare: NDArray[np.float64]) -> Frequencies:
    common = np.flatnonzero(rare <= rare.max() - np.log(LEAST_PEOPLE) + 1e-3)
    listed = common[np.lexsort((hashes[common], rare[common]))[:KEPT_VALUES]]
    unlisted = np.setdiff1d(np.arange(rare.size), listed, assume_unique=True)
    mean = float(-np.log(np.exp(-rare[unlisted]).mean())) if unlisted.size else float(rare.max())
    return Frequencies(
        unlisted=round(mean, 4),
        rarity={
            f"{value:016x}": round(r, 4)
            for value, r in zip(hashes[listed].tolist(), rare[listed].tolist(), strict=True)
        },
    )


def _looked_up(table: Frequencies | None, hashes: Keys, trained_on: int) -> Rarity:
    if table is None:
        return np.full(hashes.size, np.log(max(trained_on, 2)), np.float32)
    rarity = np.full(hashes.size, table.unlisted, np.float32)
    if table.rarity:
        values = np.array([int(value, 16) for value in table.rarity], np.uint64)
        rare = np.array(list(table.rarity.values()), np.float32)
        order = np.argsort(values)
        place = np.minimum(np.searchsorted(values[order], hashes), values.size - 1)
        found = values[order][place] == hashes
        rarity[found] = rare[order][place[found]]
    return rarity


def subset(parameters: Parameters, wanted: Sequence[Feature]) -> Parameters:
    """The parameters of some features only."""
    place = {feature.name: i for i, feature in enumerate(features(ALL))}
    kept = [place[feature.name] for feature in wanted]
    return Parameters(parameters.prior, [parameters.shares[i] for i in kept], [parameters.chance[i] for i in kept])


def completed(parameters: Parameters, known: Parameters, trained: Sequence[Feature]) -> Parameters:
    """The parameters of all features: the trained ones, and what was known of the others."""
    by_name = {feature.name: i for i, feature in enumerate(trained)}
    every = [by_name.get(feature.name) for feature in features(ALL)]
    return Parameters(
        parameters.prior,
        [known.shares[j] if i is None else parameters.shares[i] for j, i in enumerate(every)],
        [known.chance[j] if i is None else parameters.chance[i] for j, i in enumerate(every)],
    )
