"""Every source, through landing: whatever goes wrong on the way, the ledger ends the same, and nothing lands twice."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from connectors.sandbox.faults import Faults
from models.landing import SourceRecord
from resolver import land, run, warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.conftest import Clock
from tests.connectors.conformance import PassingTime, Scenario, Stage, Stand, personal, scenario_of, vendors
from tests.ledger import OF_LANDING, content, counts

Ledger = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(params=vendors())
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return scenario_of(request.param)


class Landing:
    """A warehouse of its own beside a world, and the ways of landing from the one into the other."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, stand: Stand, scenario: Scenario) -> None:
        self.connection, self.stand = connection, stand
        self._clock, self._model = Clock(scenario.cut + timedelta(days=1)), LinkageModel.shipped()

    def changes(self) -> None:
        """Bring in what changed."""
        self._run(land.records)

    def everything(self) -> None:
        """Bring in all there is, and compare."""
        self._run(land.everything)

    def _run(self, step: Any) -> None:
        with run.begun("land", self.connection, Policy(), self._model, self._clock) as begun:
            step(begun, self.stand.source)
        assert begun.troubles == []

    def ledger(self) -> Ledger:
        """What the ledgers of landing say."""
        return content(self.connection, OF_LANDING)

    def current(self, object_: str) -> set[str]:
        """Ids of the records that the source has."""
        found = self.connection.execute("select source_id from derived.current_record where object = ?", [object_])
        return {source_id for (source_id,) in found.fetchall()}


@contextmanager
def landing(scenario: Scenario, folder: Path, faults: Faults | None = None) -> Iterator[Landing]:
    folder.mkdir(exist_ok=True)
    stage = Stage(PassingTime(), faults or Faults(), folder)
    with scenario.stand(stage) as stand, warehouse.opened(":memory:", clock=stage.time.clock) as connection:
        yield Landing(connection, stand, scenario)


def undisturbed(scenario: Scenario, folder: Path) -> Ledger:
    with landing(scenario, folder) as quiet:
        quiet.changes()
        return quiet.ledger()


def test_lands_what_the_world_holds(scenario: Scenario, tmp_path: Path) -> None:
    with landing(scenario, tmp_path) as quiet:
        quiet.changes()
        for object_, ids in scenario.expected.items():
            assert quiet.current(object_) == set(ids), object_


def test_faults_change_nothing_in_the_ledger(scenario: Scenario, tmp_path: Path) -> None:
    if not scenario.faults:
        pytest.skip("this source has no server that could fail")
    faults = Faults(11, scenario.faults)
    with landing(scenario, tmp_path / "faulty", faults) as faulty:
        faulty.changes()
        faulty.everything()
        assert sum(faults.injected.values()) > 0
        assert faulty.ledger() == undisturbed(scenario, tmp_path / "quiet")


def test_a_second_run_and_a_full_read_of_an_unchanged_world_land_nothing(scenario: Scenario, tmp_path: Path) -> None:
    with landing(scenario, tmp_path) as quiet:
        quiet.changes()
        before = counts(quiet.connection, OF_LANDING)
        quiet.changes()
        quiet.everything()
        assert counts(quiet.connection, OF_LANDING) == before


def test_a_full_read_of_a_new_warehouse_lands_what_a_delta_would(scenario: Scenario, tmp_path: Path) -> None:
    with landing(scenario, tmp_path / "full") as full:
        full.everything()
        assert full.ledger() == undisturbed(scenario, tmp_path / "delta")


def test_a_full_read_ends_what_vanished_without_a_trace_and_nothing_else(scenario: Scenario, tmp_path: Path) -> None:
    with landing(scenario, tmp_path) as watched:
        watched.changes()
        if watched.stand.vanish is None:
            assert not watched.stand.source.listed, "a source that lists its objects shows what happens when one goes"
            pytest.skip("absence says nothing here")
        gone = watched.stand.vanish()
        assert set(gone) >= set(watched.stand.source.listed)
        watched.changes()
        watched.everything()
        for object_, ids in scenario.expected.items():
            assert watched.current(object_) == set(ids) - set(gone.get(object_, ())), object_
        ended = counts(watched.connection, OF_LANDING)
        watched.everything()
        assert counts(watched.connection, OF_LANDING) == ended


def test_quarantine_is_read_again_to_the_same_refusals(scenario: Scenario, tmp_path: Path) -> None:
    with landing(scenario, tmp_path) as quiet:
        quiet.changes()
        before = quiet.ledger()
        quiet._run(land.again)
        assert quiet.ledger() == before


def test_landing_logs_no_token_and_nothing_personal(
    scenario: Scenario, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with landing(scenario, tmp_path, Faults(5, scenario.faults)) as faulty:
        faulty.changes()
        faulty.everything()
        rows = faulty.connection.execute(
            "select source, object, source_id, raw, body, kind from ledger.source_record where kind <> 'deletion'"
        ).fetchall()
    told = [_record(*row) for row in rows]
    lines = "\n".join(record.getMessage() + str(record.exc_info or "") for record in caplog.records)
    assert told
    for secret in (*scenario.secrets, *personal(told)):
        assert secret not in lines


def _record(source: str, object_: str, source_id: str, raw: str, body: str, kind: str) -> SourceRecord:
    return SourceRecord.model_validate(
        {
            "key": {"source": source, "object": object_, "source_id": source_id},
            "raw": raw,
            "body": {**orjson.loads(body), "kind": kind},
        }
    )
