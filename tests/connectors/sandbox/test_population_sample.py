"""The committed sample is what the generator writes today."""

from pathlib import Path

import polars as pl
import pytest

from connectors.sandbox.population import read, write_people
from connectors.sandbox.population.writer import TABLES

SAMPLE = Path(__file__).parents[3] / "data" / "fixtures" / "people"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_people(people=150, seed=1, directory=folder)
    return folder


@pytest.mark.parametrize("name", TABLES)
def test_the_sample_is_what_the_generator_writes(fresh: Path, name: str) -> None:
    ours, theirs = (pl.read_parquet(folder / f"{name}.parquet") for folder in (SAMPLE, fresh))
    assert ours.equals(theirs)


def test_the_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 300_000


def test_the_sample_opens() -> None:
    assert read(SAMPLE).people.collect().height == 150
