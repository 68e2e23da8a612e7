"""What crash tests kill while it lands: a vendor's scenario is served and landed, first what changed, then everything."""

from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from connectors.sandbox.faults import Faults
from resolver import land, run, warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.conftest import Clock
from tests.connectors.conformance import PassingTime, Stage, scenario_of


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


def _say(said: Connection, step: str, done: int, total: int | None) -> None:
    said.send(step)
    said.recv()
