"""Why, why not, how it came to be: answered from the ledger, in data that a program can read."""

from collections.abc import Callable, Iterator, Sequence

import duckdb
import orjson
import pytest

from models.landing import SourceRecord
from resolver import explain, warehouse
from resolver.explain import Unknown
from resolver.linkage import LinkageModel
from tests.conftest import Clock
from tests.ledger import Settle, judged, profiles, settling
from tests.telling import told

ONE, OTHER, THIRD = "shop:customer:1", "pos:member:1", "shop:customer:2"


def said() -> list[SourceRecord]:
    return [
        told(
            {
                "record": ONE,
                "given_name": "Ana",
                "loyalty_number": "LC-1",
                "email": "ana@x.example",
                "email_verified": True,
            }
        ),
        told({"record": OTHER, "given_name": "Ana", "loyalty_number": "LC-1", "points": 5}),
        told({"record": THIRD, "given_name": "Ana", "email": "ana@x.example"}),
        told({"record": "shop:customer:3", "given_name": "Bo"}),
    ]


@pytest.fixture(scope="module")
def settled(model: LinkageModel) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in which this was said; nobody changes it."""
    clock = Clock()
    with warehouse.opened(":memory:", clock=clock) as connection:
        settling(connection, clock, model)(said())
        yield connection


def test_a_record_says_where_it_belongs_and_what_ties_it_there(settled: duckdb.DuckDBPyConnection) -> None:
    answer = explain.record(settled, OTHER)
    assert answer["profile"] == profiles(settled)[ONE]
    assert ("loyalty_number", "lc1", True) in [(i["kind"], i["value"], i["usable"]) for i in answer["identifiers"]]
    [judgement] = answer["judgements"]
    assert (judgement["other"], judgement["judge"], judgement["evidence"]["identifier"]) == (
        ONE, "rule:same_loyalty_number", "loyalty_number",
    )  # fmt: skip
    [joined] = answer["moves"]
    assert (joined["change"], joined["because"]["judge"]) == ("joined", "rule:same_loyalty_number")
    assert joined["run_id"] == judgement["run_id"]


def test_two_records_are_one_person_along_a_path_of_judgements(settled: duckdb.DuckDBPyConnection) -> None:
    answer = explain.pair(settled, THIRD, OTHER)
    assert answer["together"]
    assert answer["judgements"] == []
    assert [step["judge"] for step in answer["path"]] in (
        ["rule:same_loyalty_number", "rule:same_email"], ["rule:same_email", "rule:same_loyalty_number"],
    )  # fmt: skip


def test_two_records_that_are_not_one_person_show_what_they_share_and_who_said_no(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle(said())
    judged(connection, ONE, OTHER, "non_match")
    settle()
    answer = explain.pair(connection, ONE, OTHER)
    assert not answer["together"]
    assert [i["kind"] for i in answer["shared"]] == ["loyalty_number"]
    assert [j["judge"] for j in answer["judgements"]] == ["rule:same_loyalty_number", "steward:anna"]
    moved = [m["change"] for r in (ONE, OTHER, THIRD) for m in explain.record(connection, r)["moves"]]
    assert "left" in moved


def test_a_pair_is_the_same_whichever_is_named_first(settled: duckdb.DuckDBPyConnection) -> None:
    assert explain.pair(settled, ONE, OTHER) == explain.pair(settled, OTHER, ONE)


def test_a_profile_tells_its_fields_members_points_and_history(settled: duckdb.DuckDBPyConnection) -> None:
    answer = explain.profile(settled, profiles(settled)[ONE])
    assert answer["golden"]["given_name"] == "Ana"
    assert [m["record"] for m in answer["members"]] == sorted([ONE, OTHER, THIRD])
    assert [(a["account"], a["balance"]) for a in answer["loyalty"]] == [("LC-1", 5)]
    assert [h["event"] for h in answer["history"]] == ["joined", "joined", "joined", "version 1"]


def test_a_profile_that_was_merged_away_still_answers(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    settle([told({"record": ONE, "given_name": "Ana", "loyalty_number": "LC-1"})])
    settle([told({"record": OTHER, "given_name": "Ana"})])
    old = profiles(connection)[OTHER]
    settle(
        [told({"record": OTHER, "given_name": "Ana", "loyalty_number": "LC-1", "changed_at": "2026-01-01T00:00:00Z"})]
    )
    answer = explain.profile(connection, old)
    assert (answer["state"], answer["superseded_by"]) == ("retired", profiles(connection)[ONE])
    assert answer["members"] == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: explain.record(c, "shop:customer:404"),
        lambda c: explain.pair(c, ONE, "shop:customer:404"),
        lambda c: explain.profile(c, "p-404"),
        lambda c: explain.run(c, "r-404"),
    ],
)
def test_what_nobody_knows_is_said_with_where_to_look(
    settled: duckdb.DuckDBPyConnection, ask: Callable[[duckdb.DuckDBPyConnection], object]
) -> None:
    with pytest.raises(Unknown, match=r"404.*resolver"):
        ask(settled)


def test_a_new_warehouse_answers_too(connection: duckdb.DuckDBPyConnection) -> None:
    answer = explain.status(connection)
    assert answer["sources"] == []
    assert answer["totals"]["profiles"] == 0
    with pytest.raises(Unknown):
        explain.record(connection, ONE)


def test_the_status_adds_up(settled: duckdb.DuckDBPyConnection) -> None:
    answer = explain.status(settled)
    assert sum(row["records"] for row in answer["sources"]) == answer["totals"]["records"] == 4
    assert answer["totals"]["profiles"] == 2
    assert answer["totals"]["points"] == 5
    assert {(row["tied_by"], row["records"]) for row in answer["joins"]} >= {("alone", 1)}
    assert sum(row["records"] for row in answer["joins"]) == 4


def test_every_answer_is_plain_data(settled: duckdb.DuckDBPyConnection) -> None:
    for answer in (
        explain.status(settled),
        explain.record(settled, ONE),
        explain.pair(settled, ONE, OTHER),
        explain.profile(settled, profiles(settled)[ONE]),
    ):
        assert orjson.loads(orjson.dumps(answer, default=str))


def test_explaining_writes_no_fact(settled: duckdb.DuckDBPyConnection) -> None:
    def facts() -> Sequence[tuple[int]]:
        return settled.execute(
            "select estimated_size from duckdb_tables() where schema_name = 'ledger' order by table_name"
        ).fetchall()

    before = facts()
    explain.status(settled)
    explain.pair(settled, ONE, OTHER)
    explain.profile(settled, profiles(settled)[ONE])
    assert facts() == before
