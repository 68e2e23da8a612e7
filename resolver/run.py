"""A run: one command that writes facts, with everything its steps need."""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Literal

import duckdb
import orjson

from resolver import warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy

_log = logging.getLogger(__name__)
_QUERIES = warehouse.queries("run")

Outcome = Literal["done", "partly", "failed"]
Progress = Callable[[str, int, int | None], None]
"""Called with the step's name, how many are done, and of how many where that is known."""


def silent(step: str, done: int, total: int | None) -> None:
    """Progress for whoever does not watch."""


@dataclass(frozen=True)
class Run:
    """What a step gets: the warehouse, the policy, the linkage model, the clock. Steps note what they counted."""

    run_id: str
    warehouse: duckdb.DuckDBPyConnection
    policy: Policy
    model: LinkageModel
    clock: Callable[[], datetime]
    progress: Progress = silent
    counts: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    """What went wrong without ending the run, in words for a person; kept in the ledger."""

    def count(self, name: str, number: int) -> None:
        """Add to a figure of this run; the ledger keeps it when the run ends."""
        self.counts[name] = self.counts.get(name, 0) + number

    def trouble(self, message: str) -> None:
        """Note that a part of the run failed; the run goes on and ends as `partly`."""
        _log.warning("%s: %s", self.run_id, message)
        self.troubles.append(message)


@contextmanager
def begun(
    command: str,
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    model: LinkageModel,
    clock: Callable[[], datetime],
    progress: Progress = silent,
) -> Iterator[Run]:
    """Open a run in the ledger, and close it with its outcome and counts, also when it fails."""
    began = clock()
    run = Run(f"{began:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}", connection, policy, model, clock, progress)
    connection.execute(
        _QUERIES["begin"],
        {
            "run_id": run.run_id,
            "command": command,
            "code_version": version("identity-resolver"),
            "policy": policy.model_dump_json(),
            "model_hash": model.content_hash,
            "began_at": began,
        },
    )
    try:
        yield run
    except BaseException:
        _end(run, "failed")
        raise
    _end(run, "partly" if run.troubles else "done")


def _end(run: Run, outcome: Outcome) -> None:
    counts = orjson.dumps({**run.counts, "troubles": run.troubles}, option=orjson.OPT_SORT_KEYS).decode()
    run.warehouse.execute(
        _QUERIES["end"],
        {"run_id": run.run_id, "outcome": outcome, "counts": counts, "ended_at": run.clock()},
    )
