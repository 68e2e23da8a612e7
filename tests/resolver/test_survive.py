"""Survivorship: which source's value becomes golden, by which criterion, and what is put before a steward."""

from typing import Any

import duckdb
import orjson
import pytest

from models.landing import SourceRecord
from resolver.policy import Policy, SurvivorshipPolicy
from tests.ledger import Settle, counts, profiles
from tests.telling import told

BOTH = {"loyalty_number": "LC-1", "given_name": "Ana"}


def golden(connection: duckdb.DuckDBPyConnection, record: str) -> dict[str, Any]:
    [(text,)] = connection.execute(
        "select golden from derived.profile where profile = ?", [profiles(connection)[record]]
    ).fetchall()
    return dict(orjson.loads(text))


def provenance(connection: duckdb.DuckDBPyConnection, record: str, field: str) -> tuple[str, str]:
    [found] = [p for p in golden(connection, record)["provenance"] if p["field"] == field]
    return found["record"], found["rule"]


def said(record: str, **say: Any) -> SourceRecord:
    return told({"record": record, **BOTH, **say})


def ordered(field: str, *criteria: str) -> Policy:
    return Policy.model_validate({"survivorship": {"field_order": {field: criteria}, "field_trust": {}}})


OLD, NEW = "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("criterion", "bigcommerce", "commercetools", "winner"),
    [
        ("trusted", {"changed_at": NEW}, {"changed_at": OLD}, "commercetools"),
        ("recent", {"changed_at": NEW}, {"changed_at": OLD}, "bigcommerce"),
        ("complete", {"title": "Prof. Dr."}, {"title": "Dr."}, "bigcommerce"),
    ],
)
def test_the_first_criterion_that_tells_them_apart_decides_and_is_named(
    connection: duckdb.DuckDBPyConnection,
    settle: Settle,
    criterion: str,
    bigcommerce: dict[str, str],
    commercetools: dict[str, str],
    winner: str,
) -> None:
    settle(
        [
            said("bigcommerce:customer:1", **{"title": "Mrs", **bigcommerce}),
            said("commercetools:customer:1", **{"title": "Ms", **commercetools}),
        ],
        ordered("title", "verified", criterion),
    )
    record = f"{winner}:customer:1"
    assert provenance(connection, record, "title") == (record, criterion)


def test_a_value_that_more_records_tell_wins_where_frequency_decides(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle(
        [
            said("commercetools:customer:1", family_name="Silva"),
            said("pos:member:1", family_name="Costa"),
            said("pos:member:2", family_name="COSTA"),
        ],
        ordered("family_name", "frequent", "trusted"),
    )
    assert golden(connection, "pos:member:1")["family_name"] == "Costa"
    assert provenance(connection, "pos:member:1", "family_name") == ("pos:member:1", "tie: first record")


def test_a_verified_address_beats_a_newer_one_that_nobody_checked(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle(
        [
            said("bigcommerce:customer:1", email="ana@new.example", changed_at=NEW),
            said("pos:member:1", email="ana@old.example", email_verified=True, changed_at=OLD),
        ]
    )
    assert golden(connection, "pos:member:1")["email"] == "ana@old.example"
    assert provenance(connection, "pos:member:1", "email") == ("pos:member:1", "verified")
    assert golden(connection, "pos:member:1")["emails"] == ["ana@new.example", "ana@old.example"]


def test_each_field_may_have_its_own_system_of_record(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    policy = Policy(
        survivorship=SurvivorshipPolicy(
            field_order={"title": ("trusted",), "language": ("trusted",)}, field_trust={"language": ("pos",)}
        )
    )
    settle(
        [
            said("bigcommerce:customer:1", title="Mrs", language="en"),
            said("pos:member:1", title="Ms", language="pt"),
        ],
        policy,
    )
    assert golden(connection, "pos:member:1")["title"] == "Mrs"
    assert golden(connection, "pos:member:1")["language"] == "pt"


def test_a_value_of_only_one_record_needs_no_rule(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    settle([said("bigcommerce:customer:1"), said("pos:member:1", birth_date="1980-01-31")])
    assert provenance(connection, "pos:member:1", "birth_date") == ("pos:member:1", "only")


def test_a_placeholder_is_nobodys_name_or_address(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    settle(
        [
            told({"record": "pos:member:1", "given_name": "Guest", "family_name": "Guest", "loyalty_number": "LC-1"}),
            said("bigcommerce:customer:1", email="noreply@shop.example"),
        ]
    )
    believed = golden(connection, "bigcommerce:customer:1")
    assert (believed["given_name"], believed["family_name"], believed["email"]) == ("Ana", None, None)


def test_a_new_version_is_written_only_when_we_believe_something_else(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([said("pos:member:1", title="Ms")])
    settle([said("pos:member:1", title="Ms", changed_at=NEW)])
    assert counts(connection, ("profile_version",)) == {"profile_version": 1}
    settle([said("pos:member:1", title="Dr", changed_at="2026-01-01T00:00:00Z")])
    history = connection.execute(
        "select version, golden->>'title' from ledger.profile_version order by fact"
    ).fetchall()
    assert history == [(1, "Ms"), (2, "Dr")]


def test_sources_that_disagree_on_a_contested_field_make_a_conflict_that_settles_when_they_agree(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([said("pos:member:1", birth_date="1980-01-31"), said("bigcommerce:customer:1", birth_date="1980-01-30")])
    [(kind, attribute, winner, rule, text)] = connection.execute(
        "select kind, attribute, winner, rule, candidates from derived.open_conflict"
    ).fetchall()
    assert (kind, attribute, winner, rule) == ("attribute", "birth_date", "1980-01-31", "trusted")
    assert {(c["value"], c["record"]) for c in orjson.loads(text)} == {
        ("1980-01-31", "pos:member:1"),
        ("1980-01-30", "bigcommerce:customer:1"),
    }
    settle([said("bigcommerce:customer:1", birth_date="1980-01-31", changed_at=NEW)])
    assert connection.execute("from derived.open_conflict").fetchall() == []
    states = connection.execute("select state from ledger.conflict order by fact").fetchall()
    assert states == [("open",), ("settled",)]


def test_fields_that_nobody_contests_make_no_conflict(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    settle([said("pos:member:1", title="Ms"), said("bigcommerce:customer:1", title="Dr")])
    assert counts(connection, ("conflict",)) == {"conflict": 0}
