"""A full read finds what vanished without a word, and ends nothing that is still there."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.salesforce import sandbox
from connectors.salesforce.ids import long_id
from connectors.salesforce.sandbox import serving
from connectors.salesforce.sandbox_org import Org
from connectors.salesforce.source import Settings, connect
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.landing import Deletion
from models.ports import Source
from resolver import explain, land, run
from resolver.linkage import LinkageModel
from resolver.policy import LandingPolicy, Policy
from tests.connectors.conformance import PassingTime, Stage
from tests.connectors.salesforce import scenario
from tests.connectors.salesforce.world import (
    ANA,
    GONE,
    MERGED,
    NULL,
    Clock,
    deletions,
    fixture_org,
    missed,
    object_read,
    reading,
)


@contextmanager
def standing(**settings: Any) -> Iterator[tuple[Source, Org]]:
    """The org of the conformance scenario, and a source that reads it."""
    time = PassingTime()
    org = scenario.world(Stage(time, Faults(), Path()))
    with running({"sf": serving(org, Faults())}) as urls:
        told = {**sandbox.site(urls["sf"]), "reserve": 0.0, **settings}
        yield connect(Settings.model_validate(told), clock=time.clock, sleep=time.sleep), org


@pytest.mark.parametrize("object_", list(scenario.OBJECTS))
def test_what_is_gone_without_a_trace_is_a_deletion_without_a_time(object_: str) -> None:
    with standing() as (source, org):
        before = {each.key.source_id: each for each in missed(source, object_, all_ids(object_)).records}
        [gone] = scenario.vanish(org)[object_]
        told = missed(source, object_, [gone, scenario.identity(object_, 3)])
    ended, kept = sorted(told.records, key=lambda each: each.body.kind != "deletion")
    assert (ended.key.source_id, ended.body, ended.changed_at) == (gone, Deletion(), None)
    assert source.translate(object_, ended.raw) == ended
    assert kept == before[scenario.identity(object_, 3)], "what is still there comes as in any other read"
    assert gone in before


def all_ids(object_: str) -> list[str]:
    return [scenario.identity(object_, number) for number in range(1, scenario.COUNT + 1)]


def test_a_source_lists_what_it_reads() -> None:
    with standing() as (source, _):
        assert set(source.listed) == set(source.objects)


def test_many_ids_are_asked_for_in_parts_that_fit_into_an_address() -> None:
    unknown = [long_id(f"0035g{number:010d}") for number in range(700)]
    with standing() as (source, org):
        org.asked.clear()
        told = missed(source, "contact", unknown)
    assert set(deletions(told)) == set(unknown)
    assert sum("?q=" in each for each in org.asked) == 3
    assert max(map(len, org.asked)) < 16_000


def test_a_refused_payload_is_not_taken_for_gone() -> None:
    with standing() as (source, _):
        told = missed(source, "order", [scenario.identity("order", scenario.SPOILT)])
    assert not told.records
    assert [each.source_id for each in told.refused] == [scenario.identity("order", scenario.SPOILT)]


def test_of_an_object_that_is_hidden_from_us_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with standing() as (source, org):
        org.lack("LoyaltyProgramMember")
        assert not missed(source, "member", all_ids("member")).records


def test_what_lies_in_the_recycle_bin_tells_when_and_where_it_went() -> None:
    clock = Clock()
    with reading(fixture_org(clock), clock) as source:
        told = deletions(missed(source, "contact", [ANA, GONE, MERGED]))
    assert set(told) == {GONE, MERGED}
    assert told[MERGED].merged_into == ANA
    assert told[GONE].at is not None


def test_a_contact_that_became_a_person_account_is_gone_as_a_contact() -> None:
    clock = Clock()
    org = fixture_org(clock)
    org.touch("Contact", NULL, IsPersonAccount=True)
    with reading(org, clock) as source:
        assert NULL not in object_read(source, "contact").ids("contact")
        assert deletions(missed(source, "contact", [NULL])) == {NULL: Deletion()}


def test_a_note_is_gone_for_the_person_from_whom_it_was_taken() -> None:
    clock = Clock()
    org = fixture_org(clock)
    taken, kept = long_id("06A5g0000000001"), long_id("06A5g0000000002")
    org.vanish("ContentDocumentLink", taken)
    with reading(org, clock) as source:
        told = missed(source, "note", [taken, kept])
        assert deletions(told) == {taken: Deletion()}
        assert told.ids("note") == sorted([taken, kept])
        org.vanish("ContentNote", long_id("0695g0000000001"))
        assert set(deletions(missed(source, "note", [kept]))) == {kept}


Land = Callable[[Source, Callable[[run.Run, Source], land.Landed]], str]


@pytest.fixture
def landing(connection: duckdb.DuckDBPyConnection, model: LinkageModel) -> Land:
    """Land as a run of its own, an hour after everything happened; gives the run's id."""
    clock = Clock(scenario.CUT)
    policy = Policy(landing=LandingPolicy(vanish_limit=1.0))

    def once(source: Source, step: Callable[[run.Run, Source], land.Landed]) -> str:
        with run.begun("land", connection, policy, model, clock) as begun:
            step(begun, source)
        return begun.run_id

    return once


def current(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {record for (record,) in connection.execute("select record from derived.current_record").fetchall()}


def test_a_full_landing_ends_in_the_ledger_what_the_org_lost(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    with standing() as (source, org):
        landing(source, land.records)
        before = current(connection)
        lost = scenario.vanish(org)
        landing(source, land.records)
        assert current(connection) == before, "no delta can tell"
        [kept] = [each for each in org.all("Contact") if each["LastName"] == "Family7"]
        org.load("Contact", [{**kept, "SystemModstamp": scenario.CUT.replace(year=2027)}])  # changed while we read
        landing(source, land.everything)
        assert before - current(connection) == {
            f"salesforce:{object_}:{id_}" for object_, ids in lost.items() for id_ in ids
        }
        found = connection.execute(
            "select object, vanished, unlisted from ledger.reconciliation where vanished + unlisted > 0"
        ).fetchall()
        assert sorted(found) == [(object_, 1, int(object_ == "contact")) for object_ in sorted(scenario.OBJECTS)]


def test_a_full_landing_finds_rows_that_came_with_an_old_stamp(
    connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    with standing() as (source, org):
        landing(source, land.records)
        org.load("Contact", scenario.records_of(60)["Contact"])  # loaded with audit fields of long ago
        landing(source, land.records)
        late = f"salesforce:contact:{scenario.identity('contact', 60)}"
        assert late not in current(connection)
        landing(source, land.everything)
        assert late in current(connection)
        assert connection.execute("select missed from ledger.reconciliation where object = 'contact'").fetchall() == [
            (1,)
        ]


def test_a_user_who_lost_an_object_ends_nothing(
    connection: duckdb.DuckDBPyConnection, landing: Land, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with standing() as (source, _):
        landing(source, land.records)
    before = current(connection)
    with standing() as (source, org):
        org.lack("Task", "LoyaltyLedger")
        run_id = landing(source, land.everything)
    assert current(connection) == before
    assert explain.run(connection, run_id)["outcome"] == "done"
    assert "no task: this org has no Task (licence)" in caplog.text


def test_two_full_landings_without_a_change_land_nothing(connection: duckdb.DuckDBPyConnection, landing: Land) -> None:
    with standing(bulk_above=10) as (source, _):
        landing(source, land.everything)
    [(rows,)] = connection.execute("select count(*) from ledger.source_record").fetchall()
    with standing() as (source, _):
        landing(source, land.everything)
        landing(source, land.records)
    assert connection.execute("select count(*) from ledger.source_record").fetchall() == [(rows,)]
    assert object_count(connection) == {
        object_: len(scenario.scenario().expected[object_]) for object_ in scenario.OBJECTS
    }


def object_count(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    found = connection.execute("select object, count(*) from derived.current_record group by all").fetchall()
    return dict(found)
