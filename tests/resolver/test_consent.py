"""Consent: kept at the contact point, newest answer first, and no merge turns a no into a yes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.landing import SourceRecord
from resolver import warehouse
from resolver.linkage import LinkageModel
from tests.conftest import Clock
from tests.ledger import Settle, content, counts, judged, people, profiles, settling
from tests.telling import told

ANA, BO = "shop:customer:ana", "till:customer:bo"
DAY = datetime(2025, 1, 1, tzinfo=UTC)


def answer(status: str, day: int | None, *, at: str = "x@x.example", **more: Any) -> dict[str, Any]:
    when = None if day is None else (DAY + timedelta(days=day)).isoformat()
    return {"contact_point": at, "channel": "email", "status": status, "at": when, **more}


def person(record: str, *answers: dict[str, Any], **say: Any) -> SourceRecord:
    return told({"record": record, "consents": list(answers), **say})


def effective(connection: duckdb.DuckDBPyConnection, record: str) -> dict[tuple[str, str | None], str]:
    """(contact point, brand) -> the answer that holds for this record's person."""
    found = connection.execute(
        "select contact_point, brand, status from derived.consent where profile = ? and channel = 'email'",
        [profiles(connection)[record]],
    ).fetchall()
    return {(point, brand): status for point, brand, status in found}


def test_the_newest_dated_answer_holds(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    settle([person(ANA, answer("opt_out", 1), answer("opt_in", 2))])
    assert effective(connection, ANA) == {("x@x.example", None): "opt_in"}
    settle([person(ANA, answer("opt_out", 3), changed_at="2026-01-01T00:00:00Z")])
    assert effective(connection, ANA) == {("x@x.example", None): "opt_out"}


@pytest.mark.parametrize("day", [1, None], ids=["same moment", "undated"])
def test_where_neither_answer_is_newer_a_no_wins_and_a_steward_is_told(
    connection: duckdb.DuckDBPyConnection, settle: Settle, day: int | None
) -> None:
    settle([person(ANA, answer("opt_in", day), answer("opt_out", day))])
    assert effective(connection, ANA) == {("x@x.example", None): "opt_out"}
    conflicts = connection.execute("select kind, attribute, winner from derived.open_conflict").fetchall()
    assert conflicts == [("consent", "email marketing at x@x.example", "opt_out")]


def test_a_dated_yes_is_newer_than_a_no_that_nobody_dated(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([person(ANA, answer("opt_out", None), answer("opt_in", 1))])
    assert effective(connection, ANA) == {("x@x.example", None): "opt_in"}


def test_an_address_spelt_otherwise_is_the_same_contact_point(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([person(ANA, answer("opt_in", 1, at="X@x.example"), answer("opt_out", 2, at=" x@X.example"))])
    assert effective(connection, ANA) == {("x@x.example", None): "opt_out"}


def test_an_answer_is_kept_once_with_its_proof(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    said = [person(ANA, answer("opt_in", 1, proof="mail-77"))]
    settle(said)
    settle(said)
    assert counts(connection, ("consent_event",)) == {"consent_event": 1}
    assert connection.execute("select proof, source, record from ledger.consent_event").fetchall() == [
        ("mail-77", "shop", ANA)
    ]


def test_sms_and_phone_are_channels_of_their_own(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    number = "+447911123456"
    said = [answer("opt_in", 1, at=number, channel="phone"), answer("opt_out", 1, at=number, channel="sms")]
    settle([person(ANA, *said, phone=number)])
    channels = connection.execute("select channel, status from derived.consent order by channel").fetchall()
    assert channels == [("phone", "opt_in"), ("sms", "opt_out")]


def test_a_no_to_letters_and_to_push_is_kept_too(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    said = [
        answer("opt_out", 1, at="1 High Street, York", channel="post"),
        answer("opt_out", 1, at="device-7", channel="push"),
    ]
    settle([person(ANA, *said)])
    kept = connection.execute("select channel, contact_point, status from derived.consent order by channel").fetchall()
    assert kept == [("post", "1 high street, york", "opt_out"), ("push", "device-7", "opt_out")]


def test_a_no_to_every_brand_is_a_no_to_each(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    settle([person(ANA, answer("opt_in", 1, brand="b1"), answer("opt_out", 2))])
    assert effective(connection, ANA) == {("x@x.example", "b1"): "opt_out", ("x@x.example", None): "opt_out"}
    settle([person(ANA, answer("opt_in", 3, brand="b1"), changed_at="2026-01-01T00:00:00Z")])
    assert effective(connection, ANA)["x@x.example", "b1"] == "opt_in", "a later yes to this brand"
    assert effective(connection, ANA)["x@x.example", None] == "opt_out"


def test_a_no_holds_for_everybody_who_is_reached_there_and_a_yes_for_whoever_gave_it(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    shared = {"email": "x@x.example"}
    settle([person(ANA, answer("opt_out", 1), given_name="Ana", **shared), person(BO, given_name="Bo", **shared)])
    assert effective(connection, BO) == {("x@x.example", None): "opt_out"}
    settle([person(ANA, answer("opt_in", 2), given_name="Ana", **shared, changed_at="2026-01-01T00:00:00Z")])
    assert effective(connection, ANA) == {("x@x.example", None): "opt_in"}
    assert effective(connection, BO) == {("x@x.example", None): "opt_out"}


def test_consent_vectors(connection: duckdb.DuckDBPyConnection, settle: Settle, shared: Path) -> None:
    """What each contact point's own answer is, by the agreed examples; those about several points ask a destination."""
    file = shared / "contracts" / "loyalty" / "consent_vectors.json"
    vectors = [v for v in orjson.loads(file.read_bytes()) if len(v["points"]) == 1 and v["points"] == ["a@x"]]
    assert len(vectors) >= 6
    settle(
        [
            person(
                f"shop:customer:{n}",
                *[
                    {**{k: e[k] for k in ("channel", "brand", "status", "at")}, "contact_point": f"a{n}@x.example"}
                    for e in vector["events"]
                ],
            )
            for n, vector in enumerate(vectors)
        ]
    )
    for n, vector in enumerate(vectors):
        held = effective(connection, f"shop:customer:{n}")
        found = held.get((f"a{n}@x.example", vector["brand"]), held.get((f"a{n}@x.example", None), "unknown"))
        assert found == vector["expect"], vector["name"]


# ------------------------------------------------------------------------------------------------------- merges

ANSWERS = st.lists(
    st.builds(
        answer,
        st.sampled_from(["opt_in", "opt_out", "pending"]),
        st.one_of(st.none(), st.integers(0, 3)),
        at=st.sampled_from(["x@x.example", "y@x.example"]),
    ),
    max_size=4,
    unique_by=repr,
)


@settings(max_examples=3, deadline=None)
@given(ana=ANSWERS, bo=ANSWERS)
def test_no_merge_turns_a_no_into_a_yes_and_its_undoing_is_exact(
    ana: list[dict[str, Any]], bo: list[dict[str, Any]], model: LinkageModel
) -> None:
    """After a merge, a yes stands only where one of the two said yes there later than any no of either."""
    clock = Clock()
    with warehouse.opened(":memory:", clock=clock) as connection:
        settle = settling(connection, clock, model)
        settle([person(ANA, *ana, given_name="Ana"), person(BO, *bo, given_name="Ana")])
        apart = {record: effective(connection, record) for record in (ANA, BO)}
        assert apart == {ANA: _expected(ana), BO: _expected(bo)}
        events = content(connection, ("consent_event",))
        judged(connection, ANA, BO, "match")
        settle()
        assert len(people(connection)) == 1
        assert effective(connection, ANA) == _expected([*ana, *bo])
        assert content(connection, ("consent_event",)) == events, "a merge says nothing in anybody's name"
        judged(connection, ANA, BO, "non_match")
        settle()
        assert {record: effective(connection, record) for record in (ANA, BO)} == apart


def _expected(answers: Sequence[dict[str, Any]]) -> dict[tuple[str, str | None], str]:
    """The newest dated answer at each point; among equals a no, then what is pending, then a yes."""
    weight = {"opt_out": 2, "pending": 1, "opt_in": 0}
    by_point = groupby(sorted(answers, key=lambda a: str(a["contact_point"])), key=lambda a: a["contact_point"])
    return {
        (point, None): max(there, key=lambda a: (a["at"] or "", weight[a["status"]]))["status"]
        for point, there in by_point
    }
