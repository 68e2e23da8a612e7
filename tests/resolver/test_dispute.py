"""Conflicts: kept open while sources disagree, appended only when something about them changes, settled when it is gone."""

from typing import Any

import duckdb
import orjson
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver import dispute, run, warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.conftest import Clock

Dispute = tuple[str, str, str]
"""Profile, attribute, the one candidate."""

DISPUTES = st.frozensets(
    st.tuples(st.sampled_from(["p-1", "p-2"]), st.sampled_from(["sex", "birth_date"]), st.sampled_from(["a", "b"])),
    max_size=3,
).map(lambda found: {(p, a): (p, a, v) for p, a, v in sorted(found)})


def keep(begun: run.Run, kind: Any, disputes: list[Dispute]) -> None:
    rows = [
        {"kind": kind, "profile": p, "attribute": a, "candidates": orjson.dumps([value]).decode(), "winner": value, "rule": "recent"}
        for p, a, value in disputes
    ]  # fmt: skip
    schema = pa.schema([(n, pa.string()) for n in ("kind", "profile", "attribute", "candidates", "winner", "rule")])
    with warehouse.offered(begun.warehouse, "disputes", pa.Table.from_pylist(rows, schema=schema)):
        begun.warehouse.execute(
            "create or replace temp table dispute_now as select * replace (candidates::json as candidates) from disputes"
        )
    dispute.keep(begun, kind)


def open_conflicts(connection: duckdb.DuckDBPyConnection, kind: str) -> set[Dispute]:
    return set(
        connection.execute(
            "select profile, attribute, winner from derived.open_conflict where kind = ?", [kind]
        ).fetchall()
    )


@settings(max_examples=6, deadline=None)
@given(history=st.lists(DISPUTES, max_size=4))
def test_what_is_open_is_what_is_disputed_now_and_repeating_it_appends_nothing(
    history: list[dict[tuple[str, str], Dispute]], model: LinkageModel
) -> None:
    clock = Clock()
    with (
        warehouse.opened(":memory:", clock=clock) as connection,
        run.begun("test", connection, Policy(), model, clock) as begun,
    ):
        keep(begun, "loyalty", [("p-1", "sex", "untouched")])
        for disputes in history:
            keep(begun, "attribute", list(disputes.values()))
            assert open_conflicts(connection, "attribute") == set(disputes.values())
            before = connection.execute("select count(*) from ledger.conflict").fetchall()
            keep(begun, "attribute", list(disputes.values()))
            assert connection.execute("select count(*) from ledger.conflict").fetchall() == before
        assert open_conflicts(connection, "loyalty") == {("p-1", "sex", "untouched")}, "each step settles only its own"


def test_a_conflict_that_opens_again_keeps_its_id(connection: duckdb.DuckDBPyConnection, a_run: run.Run) -> None:
    keep(a_run, "attribute", [("p-1", "sex", "f")])
    keep(a_run, "attribute", [])
    keep(a_run, "attribute", [("p-1", "sex", "m")])
    rows = connection.execute("select conflict_id, state from ledger.conflict order by fact").fetchall()
    assert len({conflict for conflict, _ in rows}) == 1
    assert [state for _, state in rows] == ["open", "settled", "open"]
