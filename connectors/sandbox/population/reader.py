"""Read a population that was written, and find its protagonists."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from connectors.sandbox.population import story
from connectors.sandbox.population.spec import PopulationSpec
from connectors.sandbox.population.writer import TABLES


@dataclass(frozen=True)
class Population:
    """A written population: its spec and one lazy frame per table."""

    spec: PopulationSpec
    people: pl.LazyFrame
    records: pl.LazyFrame
    truth: pl.LazyFrame
    orders: pl.LazyFrame
    loyalty: pl.LazyFrame
    loyalty_entries: pl.LazyFrame
    consents: pl.LazyFrame


@dataclass(frozen=True)
class Protagonists:
    """One of the stories. `records` are (system, object, source_id), `truth` names the person of each.

    `outcome`: `one` all records are one profile, `apart` one profile per person, `review` a steward has to decide.
    """

    name: str
    title: str
    why: str
    outcome: Literal["one", "apart", "review"]
    people: tuple[str, ...]
    records: tuple[tuple[str, str, str], ...]
    truth: tuple[str, ...]


def read(directory: Path) -> Population:
    """Open the population in `directory`. Raises FileNotFoundError when it is not there or not complete."""
    spec = PopulationSpec.model_validate(json.loads((directory / "spec.json").read_text(encoding="utf-8")))
    missing = [name for name in TABLES if not (directory / f"{name}.parquet").exists()]
    if missing:
        raise FileNotFoundError(f"{directory} lacks {', '.join(missing)}")
    return Population(spec, **{name: pl.scan_parquet(directory / f"{name}.parquet") for name in TABLES})


def protagonists(population: Population) -> tuple[Protagonists, ...]:
    """The three stories of the population: the guest who became a member, the family, the doubt."""
    rows = population.truth.filter(pl.col("person_id").str.starts_with("story-")).collect().rows(named=True)
    return tuple(_story(title, rows) for title in story.told()["titles"])


def _story(title: dict[str, object], rows: list[dict[str, str]]) -> Protagonists:
    people = tuple(str(person) for person in _listed(title["people"]))
    own = [row for row in rows if row["person_id"] in people]
    return Protagonists(
        name=str(title["name"]),
        title=str(title["title"]),
        why=str(title["why"]),
        outcome=_outcome(str(title["outcome"])),
        people=people,
        records=tuple((row["system"], row["object"], row["source_id"]) for row in own),
        truth=tuple(row["person_id"] for row in own),
    )


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _outcome(word: str) -> Literal["one", "apart", "review"]:
    if word == "one":
        return "one"
    return "apart" if word == "apart" else "review"
