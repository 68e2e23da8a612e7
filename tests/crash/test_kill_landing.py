"""kill -9 while a source lands, wherever that is: started again, the ledger equals that of a run nobody disturbed."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from tests.connectors.conformance import vendors
from tests.crash.landing import landed
from tests.ledger import OF_LANDING, content

PROCESSES = get_context("forkserver")
"""Each process is forked from one that has imported everything and done nothing: a fresh start for little time."""
PROCESSES.set_forkserver_preload(["tests.crash.landing"])


@contextmanager
def started(vendor: str, folder: Path) -> Iterator[tuple[BaseProcess, Connection]]:
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=landed, args=(vendor, folder, there))
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


def finish(vendor: str, folder: Path) -> int:
    """Land to the end; how often it told of its progress."""
    with started(vendor, folder) as (process, talk):
        said = list(progress(talk))
    assert process.exitcode == 0
    return len(said)


def kill_after(steps: int, seconds: float, vendor: str, folder: Path) -> None:
    """So long after the process was told to go on for the so-manieth time: within a page, or between two."""
    with started(vendor, folder) as (process, talk):
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
    steps = finish(vendor, tmp_path / "undisturbed")
    chance = Random(vendor)
    for number in range(2):
        folder = tmp_path / f"killed-{number}"
        kill_after(chance.randrange(1, steps - 1), chance.uniform(0, 0.02), vendor, folder)
        finish(vendor, folder)
        assert ledger(folder) == ledger(tmp_path / "undisturbed")
