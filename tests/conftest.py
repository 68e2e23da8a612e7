"""What all tests share: a warehouse in memory, a clock that ticks, and where the vendors' contracts lie."""

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from models.landing import SourceRecord
from resolver import pipeline, run, warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.telling import tellings

ROOT = Path(__file__).parents[1]


class Clock:
    """A second passes each time it is read."""

    def __init__(self, start: datetime = datetime(2026, 11, 1, 8, tzinfo=UTC)) -> None:
        self.at = start

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connection(clock: Clock) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.opened(":memory:", clock=clock) as opened:
        yield opened


@pytest.fixture(scope="session")
def model() -> LinkageModel:
    return LinkageModel.shipped()


@pytest.fixture
def a_run(connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel) -> Iterator[run.Run]:
    with run.begun("test", connection, Policy(), model, clock) as begun:
        yield begun


@pytest.fixture
def resolve(
    connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel
) -> Callable[[Sequence[SourceRecord]], str]:
    """Land what was said and work out who everyone is, in a run of its own; gives the run's id."""

    def resolving(said: Sequence[SourceRecord], policy: Policy | None = None) -> str:
        with run.begun("test", connection, policy or Policy(), model, clock) as begun:
            pipeline.resolve(begun, tellings(said))
        return begun.run_id

    return resolving


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the vendors' contracts, beside the project; SHARED_DIR names another place."""
    folder = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the vendors' contracts are not beside the project (set SHARED_DIR)")
    return folder
