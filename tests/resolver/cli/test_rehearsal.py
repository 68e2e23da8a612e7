"""All sources at once, from the command line, against their sandboxes: as a new user would try them."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from resolver.cli import rehearsal, wiring
from resolver.cli.app import app
from tests.ledger import OF_LANDING, content

FAULTS = (
    "--faults", "0.1", "--fault", "bigcommerce:throttled=0.05", "--fault", "bigcommerce:overloaded=0.05",
    "--fault", "commercetools:token_expired=0.05", "--fault", "magento:firewall=0.03",
    "--fault", "salesforce:session_expired=0.05", "--fault", "aptos:throttled=0.05",
)  # fmt: skip
SECRETS = ("sandbox-token", "sandbox-secret", "sandbox-password")


def resolver(*arguments: object, expect: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == expect, result.output
    answer = json.loads(result.stdout)
    assert isinstance(answer, dict)
    return answer


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("rehearsal") / "workspace"
    resolver("sandbox", "workspace", where, "--people", 40, "--seed", 3)
    return where


@pytest.fixture
def place(prepared: Path, tmp_path: Path) -> Iterator[Path]:
    """A fresh workspace of the same people, at the same addresses."""
    shutil.copytree(prepared, tmp_path / "workspace")
    return tmp_path / "workspace"


def landed(place: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(place / "warehouse.duckdb")) as connection:
        return content(connection, OF_LANDING)


def test_all_sources_land_the_same_with_faults_and_without(place: Path, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet"
    shutil.copytree(place, quiet)
    with rehearsal.sandbox_of(quiet, "--faults", "0"):
        first = resolver("land", "-w", quiet, expect=3)
        again = resolver("land", "-w", quiet, "--full")
    assert {row["source"] for row in first["landed"]} == set(wiring.known("source"))
    assert {row["source"] for row in first["landed"] if row["refused"]} == {"pos"}, "what the drop spoils on purpose"
    assert not any(row["landed"] or row["refused"] for row in again["landed"])
    with rehearsal.sandbox_of(place, *FAULTS):
        assert resolver("land", "-w", place, "--full", expect=3)["outcome"] == "done"
        assert resolver("land", "-w", place)["outcome"] == "done"
    assert landed(place) == landed(quiet)


def test_a_whole_run_logs_no_secret_and_nothing_personal(place: Path) -> None:
    with rehearsal.sandbox_of(place, *FAULTS):
        resolver("run", "-w", place, expect=3)
    log = (place / "resolver.log").read_text(encoding="utf-8")
    assert "attempt" in log, "a run with faults has something to log"
    for secret in (*SECRETS, *personal(place)):
        assert not re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", log), "a secret or something personal is logged"


def personal(place: Path) -> set[str]:
    """Names, contacts and addresses of everybody in the sandbox, where they are long enough to be told from words."""
    people = pl.read_parquet(place / "people" / "records.parquet")
    columns = ("given_name", "family_name", "full_name", "email", "phone", "address_line", "loyalty_number")
    values = {value for column in columns for value in people[column].drop_nulls().to_list()}
    return {value for value in values if len(value) >= 5}


def test_a_fault_that_nobody_knows_is_refused_with_those_that_are_known(place: Path) -> None:
    answer = resolver("sandbox", "serve", "-w", place, "--fault", "magento:earthquake=0.1", expect=2)
    assert "earthquake" in answer["error"]
    assert "firewall" in answer["error"]
    assert "VENDOR:NAME=SHARE" in resolver("sandbox", "serve", "-w", place, "--fault", "often", expect=2)["error"]


def test_a_source_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    answer = resolver("sandbox", "workspace", tmp_path / "w", "--source", "shopify", expect=2)
    assert "bigcommerce" in answer["error"]
