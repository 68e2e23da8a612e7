"""Who is who: the same people and ids whatever the order, memberships that replay, stewards who outrank everybody."""

from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.landing import SourceRecord
from resolver import pipeline, run, warehouse
from resolver.cluster import assign
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.conftest import Clock
from tests.ledger import (
    OF_WHO_IS_WHO,
    Settle,
    beliefs,
    content,
    counts,
    derived,
    judged,
    people,
    profiles,
    settling,
)
from tests.telling import tellings, told

Resolve = Callable[[Sequence[SourceRecord]], str]


def person(record: str, card: str | None, **say: Any) -> SourceRecord:
    return told({"record": record, **({"loyalty_number": card} if card else {}), **say})


TOWN = (
    person("bigcommerce:customer:1", "LC-1001", given_name="Ana", family_name="Silva", email="ana@x.example"),
    person("pos:member:A", "LC-1001", given_name="Ana", family_name="Silva-Costa"),
    person("commercetools:customer:9", None, given_name="Ana", email="ana@x.example", email_verified=True),
    person("bigcommerce:customer:2", "LC-2002", given_name="Bo", family_name="Lund", phone="+447911123456"),
    person("pos:member:B", None, given_name="Bo", phone="+447911123456", birth_date="1970-02-03"),
    person("commercetools:customer:3", "LC-3003", given_name="Cleo", family_name="Ito"),
    told({"record": "pos:receipt:7", "loyalty_number": "LC-2002", "bought": {"channel": "pos"}}),
)
"""Ana three times, Bo twice with a receipt, Cleo alone."""


# ---------------------------------------------------------------------------------------- order and grouping


@st.composite
def histories(draw: st.DrawFn) -> list[list[SourceRecord]]:
    """The town's records in any order, told in one to three runs."""
    order = draw(st.permutations(TOWN))
    cuts = sorted(draw(st.lists(st.integers(0, len(TOWN)), max_size=2)))
    parts = [order[i:j] for i, j in zip([0, *cuts], [*cuts, len(TOWN)], strict=True)]
    return [list(part) for part in parts if part]


@pytest.fixture(scope="module")
def told_at_once(model: LinkageModel) -> tuple[set[frozenset[str]], dict[frozenset[str], Any], dict[str, str]]:
    clock = Clock()
    with warehouse.opened(":memory:", clock=clock) as connection:
        settling(connection, clock, model)(TOWN)
        return people(connection), beliefs(connection), profiles(connection)


@settings(max_examples=4, deadline=None)
@given(history=histories())
def test_order_and_grouping_of_what_is_told_change_nobody(
    history: list[list[SourceRecord]], told_at_once: tuple[Any, Any, dict[str, str]], model: LinkageModel
) -> None:
    clock = Clock()
    with warehouse.opened(":memory:", clock=clock) as connection:
        settle = settling(connection, clock, model)
        for said in history:
            settle(said)
        assert people(connection) == told_at_once[0]
        assert beliefs(connection) == told_at_once[1]
        if len(history) == 1:
            assert profiles(connection) == told_at_once[2], "within a run no order shows, not even in the ids"
        _every_id_leads_to_its_person(connection)


def _every_id_leads_to_its_person(connection: duckdb.DuckDBPyConnection) -> None:
    """Each id that a record ever had is the record's profile now, or is retired and leads there."""
    now = profiles(connection)
    heirs = dict(connection.execute("select profile, superseded_by from derived.profile").fetchall())
    for record, profile in connection.execute("select distinct record, profile from ledger.membership").fetchall():
        came_by = [profile]
        while came_by[-1] != now[record]:
            came_by.append(heirs[came_by[-1]])
            assert came_by[-1] not in came_by[:-1], "ids lead in a circle"


def test_match_weights_do_not_depend_on_the_order_of_telling_either(
    connection: duckdb.DuckDBPyConnection, resolve: Resolve, clock: Clock, model: LinkageModel
) -> None:
    home = {"street": "Caledonian Road", "house_number": "90", "postcode": "N1 9GU", "city": "London", "country": "GB"}
    said = [
        told(
            {
                "record": "s:customer:1",
                "given_name": "Ana",
                "family_name": "Silvestri",
                "email": "ana.s@x.example",
                **home,
            }
        ),
        told({"record": "t:customer:1", "given_name": "Anna", "family_name": "Silvestri", "email": "ana.s@x.example"}),
        told({"record": "u:customer:1", "given_name": "Ana", "family_name": "Silvestri", **home}),
        told({"record": "u:customer:2", "given_name": "Paolo", "family_name": "Silvestri", **home}),
    ]
    resolve(said[2:])
    resolve(said[:2])
    with warehouse.opened(":memory:", clock=clock) as other:
        with run.begun("test", other, Policy(), model, clock) as begun:
            pipeline.resolve(begun, tellings(said))
        assert people(other) == people(connection)
        assert beliefs(other) == beliefs(connection)


# ------------------------------------------------------------------------------------ nothing new, nothing written


def test_a_run_with_nothing_new_appends_nothing(connection: duckdb.DuckDBPyConnection, resolve: Resolve) -> None:
    said = [
        *TOWN,
        told({"record": "shop:customer:5", "given_name": "Dora", "birth_date": "1980-01-01", "loyalty_number": "LC-5", "points": 30,
              "consents": [{"contact_point": "d@x.example", "channel": "email", "status": "opt_in"}]}),
        told({"record": "till:customer:5", "given_name": "Dora", "birth_date": "1980-01-11", "loyalty_number": "LC-5",
              "consents": [{"contact_point": "d@x.example", "channel": "email", "status": "opt_out"}]}),
    ]  # fmt: skip
    resolve(said)
    before = content(connection, OF_WHO_IS_WHO)
    assert all(before[ledger] for ledger in set(OF_WHO_IS_WHO) - {"loyalty_entry"})
    resolve(said)
    resolve([])
    assert content(connection, OF_WHO_IS_WHO) == before


def test_what_is_derived_can_be_dropped_and_rebuilt_from_the_facts(
    connection: duckdb.DuckDBPyConnection, resolve: Resolve, clock: Clock, model: LinkageModel
) -> None:
    resolve(TOWN[:4])
    moved = person("bigcommerce:customer:2", "LC-3003", given_name="Cleo", changed_at="2026-01-01T00:00:00Z")
    resolve([*TOWN[4:], moved])
    with warehouse.opened(":memory:", clock=clock) as rebuilt:
        facts = connection.execute("select table_name from duckdb_tables() where schema_name = 'ledger'").fetchall()
        for (ledger,) in facts:
            if ledger not in ("migration", "refused"):
                rows = connection.execute(f"from ledger.{ledger} order by all").to_arrow_table()
                with warehouse.offered(rebuilt, "facts", rows):
                    rebuilt.execute(f"insert into ledger.{ledger} from facts")
        with run.begun("test", rebuilt, Policy(), model, clock) as begun:
            pipeline.resolve(begun, ())
        assert content(rebuilt, OF_WHO_IS_WHO) == content(connection, OF_WHO_IS_WHO)
        assert derived(rebuilt) == derived(connection)


# ------------------------------------------------------------------------------------------------- memberships


def test_memberships_replay_to_who_is_who_now_each_because_of_something(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle(TOWN[1:])
    settle(TOWN)
    judged(connection, "pos:member:A", "commercetools:customer:9", "non_match")
    judged(connection, "pos:member:A", "bigcommerce:customer:1", "non_match")
    settle()
    where: dict[str, str] = {}
    moves = connection.execute("select record, profile, change, because, run_id from ledger.membership order by fact")
    for record, profile, change, because, run_id in moves.fetchall():
        if change == "left":
            assert where.pop(record) == profile
        else:
            assert record not in where
            where[record] = profile
            _is_supported(connection, record, orjson.loads(because), run_id)
    assert where == profiles(connection)
    assert len(people(connection)) == 4


def _is_supported(connection: duckdb.DuckDBPyConnection, record: str, because: dict[str, Any], run_id: str) -> None:
    if because == {"alone": True}:
        return
    found = connection.execute(
        "select count(*) from ledger.judgement join ledger.run using (run_id) where run_id <= ? and judge = ?"
        " and least(left_record, right_record) = least(?, ?) and greatest(left_record, right_record) = greatest(?, ?)",
        [run_id, because["judge"], record, because["with"], record, because["with"]],
    ).fetchall()
    assert found > [(0,)], because


def test_when_two_profiles_become_one_the_older_id_survives_and_the_other_leads_there(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([person("s:member:z", "LC-1", given_name="Ana")])
    settle([person("s:customer:a", None, given_name="Ana")])
    before = profiles(connection)
    settle([person("s:customer:a", "LC-1", given_name="Ana", changed_at="2026-01-01T00:00:00Z")])
    assert set(profiles(connection).values()) == {before["s:member:z"]}
    [(state, heir)] = connection.execute(
        "select state, superseded_by from derived.profile where profile = ?", [before["s:customer:a"]]
    ).fetchall()
    assert (state, heir) == ("retired", before["s:member:z"])


def test_when_a_profile_splits_the_largest_part_keeps_the_id(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([person(f"s:member:{n}", "LC-1", given_name="Ana") for n in "abc"])
    before = set(profiles(connection).values())
    settle([person("s:member:a", "LC-2", given_name="Ana", changed_at="2026-01-01T00:00:00Z")])
    now = profiles(connection)
    assert {now["s:member:b"], now["s:member:c"]} == before
    assert now["s:member:a"] not in before


def test_a_merge_that_is_undone_gives_the_first_profile_its_records_and_the_other_a_new_id(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    alone = person("s:customer:b", "LC-2", given_name="Ana")
    settle([person("s:customer:a", "LC-1", given_name="Ana")])
    settle([alone])
    before = profiles(connection)
    settle([person("s:customer:b", "LC-1", given_name="Ana", changed_at="2026-01-01T00:00:00Z")])
    settle([person("s:customer:b", "LC-2", given_name="Ana", changed_at="2026-01-02T00:00:00Z")])
    now = profiles(connection)
    assert now["s:customer:a"] == before["s:customer:a"]
    assert now["s:customer:b"] not in before.values(), "a retired id never means somebody else"
    assert len(people(connection)) == 2


def test_a_record_that_its_source_deleted_leaves_its_profile(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([person("s:customer:a", "LC-1", given_name="Ana"), person("s:customer:b", None, given_name="Bo")])
    before = profiles(connection)
    gone = {
        "key": {"source": "s", "object": "customer", "source_id": "b"}, "raw": "gone", "body": {"kind": "deletion"},
        "changed_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    settle([SourceRecord.model_validate(gone)])
    assert profiles(connection) == {"s:customer:a": before["s:customer:a"]}
    [(state, heir)] = connection.execute(
        "select state, superseded_by from derived.profile where profile = ?", [before["s:customer:b"]]
    ).fetchall()
    assert (state, heir) == ("retired", None)
    last = connection.execute("select change, because from ledger.membership order by fact desc limit 1").fetchall()
    assert last == [("left", '{"gone": true}')]


# --------------------------------------------------------------------------------------------------- profile ids

RECORDS = st.sampled_from([f"s:customer:{n}" for n in range(8)])


@st.composite
def changes(draw: st.DrawFn) -> tuple[list[list[str]], dict[str, str], dict[str, int]]:
    """New clusters of some records, and the profiles that records belong to so far."""
    records = draw(st.lists(RECORDS, unique=True, min_size=1))
    clusters: dict[int, list[str]] = {}
    for record in records:
        clusters.setdefault(draw(st.integers(0, 3)), []).append(record)
    belongs = {r: f"p-{draw(st.integers(0, 3))}" for r in draw(st.lists(RECORDS, unique=True))}
    founded = {f"p-{n}": order for n, order in enumerate(draw(st.permutations(range(4))))}
    return sorted(sorted(c) for c in clusters.values()), belongs, founded


@given(changes(), st.randoms())
def test_ids_are_one_a_cluster_never_taken_twice_and_free_of_the_order(
    change: tuple[list[list[str]], dict[str, str], dict[str, int]], random: Any
) -> None:
    clusters, belongs, founded = change
    given_ids = set(founded)
    found = assign(clusters, belongs=belongs, founded=founded, given=given_ids)
    assert len({found[c[0]] for c in clusters}) == len(clusters)
    for cluster in clusters:
        [profile] = {found[record] for record in cluster}
        kept = {belongs[record] for record in cluster if record in belongs}
        assert profile in kept or profile not in given_ids, "a known id only for those who had it"
        older = {p for p in kept if founded[p] < founded.get(profile, 99)}
        assert all(_held_elsewhere(p, cluster, clusters, belongs) for p in older), "the oldest id that may stay, stays"
    belonging = list(belongs.items())
    random.shuffle(belonging)
    assert assign(clusters, belongs=dict(belonging), founded=founded, given=given_ids) == found


def _held_elsewhere(profile: str, here: list[str], clusters: list[list[str]], belongs: dict[str, str]) -> bool:
    """Whether another cluster holds at least as many of the profile's records."""
    sizes = {tuple(c): sum(belongs.get(record) == profile for record in c) for c in clusters}
    return any(size >= sizes[tuple(here)] for c, size in sizes.items() if c != tuple(here))


# ------------------------------------------------------------------------------------------------------ stewards


def one_person(connection: duckdb.DuckDBPyConnection, *records: str) -> bool:
    now = profiles(connection)
    return len({now[record] for record in records}) == 1


def test_a_stewards_no_outranks_the_rules_and_holds_in_every_later_run(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([person("s:member:a", "LC-1", given_name="Ana"), person("t:member:a", "LC-1", given_name="Ana")])
    assert one_person(connection, "s:member:a", "t:member:a")
    judged(connection, "s:member:a", "t:member:a", "non_match")
    settle()
    assert not one_person(connection, "s:member:a", "t:member:a")
    settle([person("t:member:a", "LC-1", given_name="Ana", phone="+447911123456", changed_at="2026-01-01T00:00:00Z")])
    settle([person("s:member:a", "LC-1", given_name="Ana", phone="+447911123456", changed_at="2026-01-01T00:00:00Z")])
    assert not one_person(connection, "s:member:a", "t:member:a")


def test_a_stewards_no_holds_against_records_that_lead_from_one_to_the_other(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([person(f"s:member:{n}", "LC-1", given_name="Ana") for n in "abcd"])
    judged(connection, "s:member:a", "s:member:d", "non_match")
    settle()
    assert not one_person(connection, "s:member:a", "s:member:d")
    assert len(people(connection)) == 2


def test_a_stewards_no_outranks_match_weights(connection: duckdb.DuckDBPyConnection, resolve: Resolve) -> None:
    same = {"given_name": "Ana", "family_name": "Silvestri", "birth_date": "1980-01-31", "email": "ana.s@x.example"}
    said = [told({"record": "s:customer:1", **same}), told({"record": "t:customer:1", **same})]
    resolve(said)
    assert one_person(connection, "s:customer:1", "t:customer:1")
    judged(connection, "s:customer:1", "t:customer:1", "non_match")
    resolve([])
    assert not one_person(connection, "s:customer:1", "t:customer:1")
    waiting = connection.execute("select attribute from derived.open_conflict where kind = 'identity'").fetchall()
    assert waiting == [], "nobody asks a steward again what a steward has said"


def test_a_stewards_yes_joins_what_nothing_else_would_and_holds(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([person("s:customer:a", None, given_name="Ana"), person("t:customer:b", None, family_name="Silva")])
    judged(connection, "s:customer:a", "t:customer:b", "match")
    settle()
    settle([person("t:customer:b", None, family_name="Costa", changed_at="2026-01-01T00:00:00Z")])
    assert one_person(connection, "s:customer:a", "t:customer:b")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"given_name": "Ana"}, {"given_name": "Bertram"}),
        ({"given_name": "Ana", "birth_date": "1980-01-31"}, {"given_name": "Ana", "birth_date": "2001-12-24"}),
        ({"given_name": "John", "name_suffix": "Jr"}, {"given_name": "John", "name_suffix": "Sr"}),
    ],
    ids=["given names", "birth dates", "junior and senior"],
)
def test_a_stewards_yes_outranks_what_the_records_say_of_themselves(
    connection: duckdb.DuckDBPyConnection, settle: Settle, left: dict[str, str], right: dict[str, str]
) -> None:
    settle(
        [
            person("s:customer:a", "LC-1", **left),
            person("s:customer:b", "LC-1", **left),
            person("t:customer:c", "LC-1", **right),
        ]
    )
    assert not one_person(connection, "s:customer:b", "t:customer:c")
    judged(connection, "s:customer:b", "t:customer:c", "match")
    settle()
    assert one_person(connection, "s:customer:a", "s:customer:b", "t:customer:c")


def test_a_steward_may_think_again(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    settle([person("s:member:a", "LC-1", given_name="Ana"), person("t:member:a", "LC-1", given_name="Ana")])
    judged(connection, "s:member:a", "t:member:a", "non_match")
    settle()
    judged(connection, "s:member:a", "t:member:a", "match", judge="steward:bo")
    settle()
    assert one_person(connection, "s:member:a", "t:member:a")


def test_two_who_contradict_each_other_wait_for_a_steward(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    """A nameless record ties Ana's card to Bertram's; they stay two people, and the tie is put before a steward."""
    settle(
        [
            person("s:member:a", "LC-1", given_name="Ana"),
            person("t:member:b", "LC-2", given_name="Bertram"),
            person("u:member:n", "LC-1", phone="+447911123456"),
            person("t:member:c", "LC-2", given_name="Bertram", phone="+447911123456"),
        ]
    )
    assert not one_person(connection, "s:member:a", "t:member:b")
    conflicts = connection.execute("select rule from derived.open_conflict where kind = 'identity'").fetchall()
    assert len(conflicts) == 1
    assert counts(connection, ("membership",)) == {"membership": 4}
