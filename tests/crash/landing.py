"""What crash tests kill while it lands: a vendor's world, first what changed, then everything; or a file in bulk."""

from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import patch

import connectors.files.bulk
from connectors.sandbox.faults import Faults
from models.landing import Bulk
from resolver import bulk, land, run, warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.benchmarks import landing
from tests.conftest import Clock
from tests.connectors.conformance import PassingTime, Stage, scenario_of
from tests.connectors.files.folder import source_over

_STRETCH = 3 * 10**6


def landed(vendor: str, folder: Path, said: Connection) -> None:
    """Land the vendor's world in the warehouse of this folder; at each progress it says so and waits for a word to go on."""
    scenario = scenario_of(vendor)
    clock = Clock(scenario.cut + timedelta(days=1))
    drop = folder / "drop"
    drop.mkdir(parents=True, exist_ok=True)
    with (
        scenario.stand(Stage(PassingTime(), Faults(), drop)) as stand,
        warehouse.opened(folder / "warehouse.duckdb", clock=lambda: datetime.now(UTC)) as connection,
    ):
        for step in (land.records, land.everything):
            with run.begun("land", connection, Policy(), LinkageModel.shipped(), clock, partial(_say, said)) as begun:
                step(begun, stand.source)
            assert begun.troubles == []


def landed_in_bulk(folder: Path, said: Connection) -> None:
    """Land the customers' export in this folder; in the transaction of each stretch, and after it, it says so and waits."""
    source = source_over(folder, customers={**landing.PATTERN, "files": "customers.ndjson"})
    say, append = partial(_say, said), bulk.append

    def within(begun: run.Run, told: Bulk) -> tuple[int, int]:
        counts = append(begun, told)
        say("within", 0, None)
        return counts

    with (
        patch.object(connectors.files.bulk, "_STRETCH", _STRETCH),
        patch.object(bulk, "append", within),
        warehouse.opened(folder / "warehouse.duckdb", clock=lambda: datetime.now(UTC)) as connection,
        run.begun("land", connection, Policy(), LinkageModel.shipped(), lambda: datetime.now(UTC), say) as begun,
    ):
        land.records(begun, source)
        assert begun.troubles == []


def _say(said: Connection, step: str, done: int, total: int | None) -> None:
    said.send(step)
    said.recv()
