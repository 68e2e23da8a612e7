"""What a warehouse holds, in plain values that tests compare; and the steps that need no linkage model."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import duckdb
import orjson

from models.landing import SourceRecord
from models.ports import Source
from resolver import cluster, consent, gather, identify, judge, land, loyalty, run, standardise, survive
from resolver.policy import Policy
from resolver.run import Run
from tests.telling import tellings

OF_WHO_IS_WHO = ("judgement", "membership", "profile_version", "conflict", "loyalty_entry", "consent_event")
OF_LANDING = ("source_record", "quarantine")
OF_PUBLISHING = ("rendering", "publication")

_PASSING = {"fact", "run_id", "recorded_at", "fetched_at", "correlation_id"}
"""Columns that say when and by which run: two histories of the same facts differ there."""
_ANSWERED = {"code", "reason", "target_id"}
"""How a destination answered: a message that was read back has another code than one that was written."""


def by_rule(run: Run, sources: Iterable[Source] = ()) -> None:
    """The pipeline without match weights: what rules and stewards alone can settle."""
    for source in sources:
        land.records(run, source)
    for step in (
        gather.records,
        standardise.records,
        identify.records,
        judge.by_rule,
        cluster.records,
        survive.fields,
        loyalty.entries,
        consent.events,
    ):
        step(run)


Settle = Callable[..., str]
"""settle(said, policy=None) -> run id: lands what was said and works out by rules alone who everyone is."""


def settling(connection: duckdb.DuckDBPyConnection, clock: Callable[[], Any], model: Any) -> Settle:
    """A `Settle` for this warehouse, each call a run of its own."""

    def settle(said: Sequence[SourceRecord] = (), policy: Policy | None = None) -> str:
        with run.begun("test", connection, policy or Policy(), model, clock) as begun:
            by_rule(begun, tellings(said))
        return begun.run_id

    return settle


def profiles(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Record -> the profile it belongs to now."""
    return dict(connection.execute("select record, profile from derived.crosswalk").fetchall())


def people(connection: duckdb.DuckDBPyConnection) -> set[frozenset[str]]:
    """Who is who: the records of each person."""
    members: dict[str, set[str]] = {}
    for record, profile in profiles(connection).items():
        members.setdefault(profile, set()).add(record)
    return {frozenset(records) for records in members.values()}


def beliefs(connection: duckdb.DuckDBPyConnection) -> dict[frozenset[str], dict[str, Any]]:
    """Per person, known by the records, the golden fields and their provenance; the profile's id is left out."""
    found = connection.execute(
        "select list(record), any_value(golden) from derived.profile join derived.crosswalk using (profile)"
        " where state = 'active' group by profile"
    ).fetchall()
    return {frozenset(records): {**orjson.loads(golden), "profile": None} for records, golden in found}


def counts(connection: duckdb.DuckDBPyConnection, ledgers: Iterable[str]) -> dict[str, int]:
    """How many facts each ledger holds."""
    return {ledger: connection.execute(f"select count(*) from ledger.{ledger}").fetchall()[0][0] for ledger in ledgers}


def content(connection: duckdb.DuckDBPyConnection, ledgers: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
    """What the ledgers say, whenever and by whichever run it was written."""
    return {ledger: _rows(connection, "ledger", ledger, _PASSING | _ANSWERED) for ledger in ledgers}


def derived(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """What the derived tables hold."""
    tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'derived'").fetchall()
    return {table: _rows(connection, "derived", table, set()) for (table,) in tables}


def _rows(connection: duckdb.DuckDBPyConnection, schema: str, table: str, without: set[str]) -> list[tuple[Any, ...]]:
    rows = connection.execute(f"select * from {schema}.{table}")
    kept = [i for i, column in enumerate(rows.description or []) if column[0] not in without]
    return sorted((tuple(row[i] for i in kept) for row in rows.fetchall()), key=repr)


def judged(
    connection: duckdb.DuckDBPyConnection,
    one: str,
    other: str,
    verdict: str,
    *,
    judge: str = "steward:anna",
    log_odds: float | None = None,
) -> None:
    """Append a judgement about two records."""
    left, right = sorted((one, other))
    connection.execute(
        "insert into ledger.judgement (left_record, right_record, verdict, judge, log_odds, evidence, run_id, recorded_at)"
        " values (?, ?, ?, ?, ?, '{}', 'by hand', timestamptz '2026-11-01 08:00:00+00')",
        [left, right, verdict, judge, log_odds],
    )
