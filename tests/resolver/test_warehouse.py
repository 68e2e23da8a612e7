"""The ledger cannot be edited, the schema is what the migrations make, and one process writes at a time."""

import re
import subprocess
import sys
import textwrap
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest

from models import facts
from models.base import Frozen
from resolver import warehouse
from tests.conftest import Clock

SQL = files("resolver") / "sql"
LEDGERS = (
    "run", "run_end", "source_record", "quarantine", "landing", "reconciliation", "judgement", "membership", "profile_version", "conflict",
    "loyalty_entry", "consent_event", "rendering", "publication", "migration",
)  # fmt: skip


def _shape(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    columns = connection.execute(
        "select schema_name, table_name, column_name, data_type, is_nullable, column_default from duckdb_columns()"
        " where schema_name in ('ledger', 'derived') order by all"
    ).fetchall()
    views = connection.execute(
        "select schema_name, view_name, sql from duckdb_views() where not internal order by all"
    ).fetchall()
    macros = connection.execute(
        "select schema_name, function_name, macro_definition from duckdb_functions() where not internal order by all"
    ).fetchall()
    triggers = connection.execute(
        "select schema_name, table_name, trigger_name, sql from duckdb_triggers() order by all"
    )
    return [*columns, *views, *macros, *triggers.fetchall()]


def test_the_schema_page_is_what_all_migrations_make(connection: duckdb.DuckDBPyConnection) -> None:
    page = duckdb.connect()
    page.execute((SQL / "schema.sql").read_text(encoding="utf-8"))
    assert _shape(page) == _shape(connection)


@pytest.mark.parametrize("ledger", LEDGERS)
def test_facts_can_be_neither_changed_nor_removed(connection: duckdb.DuckDBPyConnection, ledger: str) -> None:
    column = connection.execute(
        f"select column_name from duckdb_columns() where table_name = '{ledger}' limit 1"
    ).fetchall()[0][0]
    for edit in (
        f"update ledger.{ledger} set {column} = {column}",
        f"delete from ledger.{ledger}",
        f"truncate ledger.{ledger}",
    ):
        with pytest.raises(duckdb.Error, match="append-only"):
            connection.execute(edit)


def test_every_ledger_is_guarded(connection: duckdb.DuckDBPyConnection) -> None:
    tables = {
        n
        for (n,) in connection.execute("select table_name from duckdb_tables() where schema_name = 'ledger'").fetchall()
    }
    assert tables - {"refused"} == set(LEDGERS)


@pytest.mark.parametrize(
    ("fact", "ledger"),
    [
        (facts.Run, "run"), (facts.RunEnd, "run_end"), (facts.Landing, "landing"),
        (facts.Reconciliation, "reconciliation"), (facts.Judgement, "judgement"),
        (facts.Membership, "membership"), (facts.ProfileVersion, "profile_version"), (facts.Conflict, "conflict"),
        (facts.Rendering, "rendering"), (facts.Publication, "publication"),
    ],
)  # fmt: skip
def test_each_fact_has_the_columns_of_its_ledger(
    connection: duckdb.DuckDBPyConnection, fact: type[Frozen], ledger: str
) -> None:
    columns = {
        c
        for (c,) in connection.execute(
            f"select column_name from duckdb_columns() where table_name = '{ledger}'"
        ).fetchall()
    }
    assert columns - {"fact"} == set(fact.model_fields)


def test_migrating_twice_changes_nothing(connection: duckdb.DuckDBPyConnection, clock: Clock) -> None:
    assert warehouse.migrate(connection, clock) == []


def test_a_ledger_is_written_again_in_zstd_and_keeps_its_facts(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = tmp_path / "warehouse.duckdb", "0004"
    told = "select * from ledger.source_record order by fact"
    earlier = [name for name in warehouse.migrations() if name < before]
    with monkeypatch.context() as then:
        then.setattr(warehouse, "migrations", lambda: earlier)
        with warehouse.opened(path, clock=clock) as connection:
            connection.execute(
                "insert into ledger.source_record select 2 * i, 's:o:' || i, 's', 'o', i, md5(i::varchar), '{\"n\":' || i || '}',"
                " 'person', '{\"given_name\":\"Ana ' || i || '\"}', null, now(), 'r', 'c' from range(3000) n(i)"
            )
            rows = connection.execute(told).fetchall()
    with warehouse.opened(path, clock=clock) as connection:
        assert connection.execute(told).fetchall() == rows
        with pytest.raises(duckdb.Error, match="append-only"):
            connection.execute("delete from ledger.source_record")
        connection.execute("checkpoint")
        kept = connection.execute(
            "select distinct column_name, compression from pragma_storage_info('ledger.source_record')"
            " where column_name in ('raw', 'body') and segment_type <> 'VALIDITY' order by all"
        ).fetchall()
        assert kept == [("body", "ZSTD"), ("raw", "ZSTD")]


def test_no_query_is_built_from_python_text() -> None:
    for entry in SQL.iterdir():
        if entry.name.endswith(".sql"):
            assert not re.search(r"(?<!\\)\{[a-z_]+\}", entry.read_text(encoding="utf-8")), entry.name


def test_every_named_query_says_what_its_rows_are() -> None:
    for entry in SQL.iterdir():
        if entry.name.endswith(".sql") and entry.name != "schema.sql":
            for name, body in warehouse.queries(entry.name.removesuffix(".sql")).items():
                assert body.startswith("--"), f"{entry.name}: {name}"


def test_a_second_process_waits_and_then_says_who_is_in_the_way(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "warehouse.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            import duckdb, sys
            connection = duckdb.connect({str(path)!r})
            print("held", flush=True)
            sys.stdin.readline()
        """)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        waits: list[float] = []
        with (
            pytest.raises(warehouse.WarehouseBusy, match="in use by another process"),
            warehouse.opened(path, clock=clock, wait_seconds=1.0, sleep=waits.append),
        ):
            pass
        assert sum(waits) == pytest.approx(1.0)
    finally:
        holder.communicate("\n")
