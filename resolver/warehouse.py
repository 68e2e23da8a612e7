"""The DuckDB file: open it alone, bring it up to date, read named queries, offer rows to SQL."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

_SQL = files("resolver") / "sql"


class WarehouseBusy(Exception):
    """Another process holds the warehouse and did not let go within the time limit."""


@cache
def queries(step: str) -> Mapping[str, str]:
    """The named queries of `resolver/sql/<step>.sql`: each begins with a line `-- name: <name>`."""
    text = (_SQL / f"{step}.sql").read_text(encoding="utf-8")
    named = (part.partition("\n") for part in text.split("-- name: ")[1:])
    return MappingProxyType({name.strip(): body.strip() for name, _, body in named})


@contextmanager
def opened(
    path: Path | str,
    *,
    clock: Callable[[], datetime],
    wait_seconds: float = 30.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse at `path`, created or migrated as needed; `:memory:` for one that nobody keeps.

    DuckDB lets one process write. A second one waits up to `wait_seconds`, then raises WarehouseBusy.
    """
    connection = _connect(path, wait_seconds, sleep)
    try:
        migrate(connection, clock)
        yield connection
    finally:
        connection.close()


def _connect(path: Path | str, wait_seconds: float, sleep: Callable[[float], None]) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    waited = 0.0
    while True:
        try:
            connection = duckdb.connect(str(path), config=settings)
            break
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            if waited >= wait_seconds:
                raise WarehouseBusy(
                    f"{path} is in use by another process (waited {waited:.0f} s). Let that run end, then try again."
                ) from error
            sleep(0.5)
            waited += 0.5
    connection.execute("set timezone = 'UTC'")
    return connection


def migrate(connection: duckdb.DuckDBPyConnection, clock: Callable[[], datetime]) -> list[str]:
    """Apply the migrations that this warehouse has not seen, each in a transaction. Returns their names."""
    applied = _applied(connection)
    pending = [name for name in migrations() if name not in applied]
    for name in pending:
        with transaction(connection):
            connection.execute((_SQL / "migrations" / name).read_text(encoding="utf-8"))
            connection.execute("insert into ledger.migration values (?, ?)", [name, clock()])
    return pending


def migrations() -> list[str]:
    """Names of all migrations in the order of their numbers."""
    return sorted(entry.name for entry in (_SQL / "migrations").iterdir() if entry.name.endswith(".sql"))


def _applied(connection: duckdb.DuckDBPyConnection) -> set[str]:
    tables = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'ledger' and table_name = 'migration'"
    ).fetchall()
    if not tables:
        return set()
    return {name for (name,) in connection.execute("select name from ledger.migration").fetchall()}


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it or none of it."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def offered(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[None]:
    """Let static SQL read these rows as the view `name`. Open a transaction inside, not outside, of it."""
    connection.register(name, rows)
    try:
        yield
    finally:
        connection.unregister(name)


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: object = None) -> list[dict[str, Any]]:
    """The result of a query as one dict a row."""
    result = connection.execute(sql, parameters)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
