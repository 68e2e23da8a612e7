"""kill -9 while a source lands, wherever that is: started again, the ledger equals that of a run nobody disturbed."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from tests.benchmarks.landing import written
from tests.connectors.conformance import vendors
from tests.crash.landing import landed, landed_in_bulk
from tests.ledger import OF_LANDING, content

PROCESSES = get_context("forkserver")
"""Each process is forked from one that has imported everything and done nothing: a fresh start for little time."""
PROCESSES.set_forkserver_preload(["tests.crash.landing"])


Landing = Callable[[Path, Connection], None]
"""Lands something in the warehouse of a folder, and says over the connection how far it is."""


@contextmanager
def started(landing: Landing, folder: Path) -> Iterator[tuple[BaseProcess, Connection]]:
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=landing, args=(folder, there))
    process.start()
    there.close()
    try:
        yield process, here
    finally:
        process.join(timeout=120)


def progress(talk: Connection) -> Iterator[str]:
    """What the process says, until it ends; it goes on when the next word is asked for."""
    try:
        while True:
            yield talk.recv()
            talk.send("go on")
    except (EOFError, ConnectionError):
        return


def finish(landing: Landing, folder: Path) -> int:
    """Land to the end; how often it told of its progress."""
    with started(landing, folder) as (process, talk):
        said = list(progress(talk))
    assert process.exitcode == 0
    return len(said)


def kill_after(steps: int, seconds: float, landing: Landing, folder: Path) -> None:
    """So long after the process was told to go on for the so-manieth time: within a page, or between two."""
    with started(landing, folder) as (process, talk):
        for _ in islice(progress(talk), steps):
            pass
        talk.send("go on")
        time.sleep(seconds)
        process.kill()
    assert process.exitcode == -signal.SIGKILL


def ledger(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        return content(connection, OF_LANDING)


@pytest.mark.parametrize("vendor", vendors())
def test_killed_while_a_source_lands(vendor: str, tmp_path: Path) -> None:
    landing = partial(landed, vendor)
    steps = finish(landing, tmp_path / "undisturbed")
    chance = Random(vendor)
    for number in range(2):
        folder = tmp_path / f"killed-{number}"
        kill_after(chance.randrange(1, steps - 1), chance.uniform(0, 0.02), landing, folder)
        finish(landing, folder)
        assert ledger(folder) == ledger(tmp_path / "undisturbed")


def in_order(folder: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        return connection.execute("select source_id, content_hash from ledger.source_record order by fact").fetchall()


@pytest.mark.parametrize(
    ("step", "seconds"), [(1, 0.0), (3, 0.05)], ids=["before it is committed", "while the second is"]
)
def test_killed_within_a_stretch_that_lands_in_bulk(step: int, seconds: float, tmp_path: Path) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for folder in (undisturbed, killed):
        folder.mkdir()
        written(folder, "ndjson", 7_000)
    assert finish(landed_in_bulk, undisturbed) > step + 2, "the file has not landed in several stretches"
    kill_after(step, seconds, landed_in_bulk, killed)
    finish(landed_in_bulk, killed)
    assert ledger(killed) == ledger(undisturbed)
    assert in_order(killed) == in_order(undisturbed)
