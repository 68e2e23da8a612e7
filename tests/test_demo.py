"""The demo is the product in miniature: real servers, real files, one warehouse; twice is as good as once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from connectors.sandbox import population

FACTS = ("source_record", "quarantine", "judgement", "membership", "profile_version", "conflict", "loyalty_entry",
         "consent_event", "rendering", "publication")  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], dict[str, int]]:
    where = tmp_path_factory.mktemp("demo") / "workspace"
    return where, _run(where), _facts(where)


def _run(where: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "resolver", "demo", "-w", str(where), "--people", "60", "--json"],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _facts(where: Path) -> dict[str, int]:
    with duckdb.connect(str(where / "warehouse.duckdb"), read_only=True) as warehouse:
        return {fact: warehouse.execute(f"select count(*) from ledger.{fact}").fetchall()[0][0] for fact in FACTS}


def test_everything_the_population_says_has_landed(demo: tuple[Path, dict[str, Any], dict[str, int]]) -> None:
    where, told, _ = demo
    landed = {(row["source"], row["object"]): row["records"] for row in told["status"]["sources"]}
    people = population.read(where / "people")
    accounts = people.records.filter(pl.col("deleted_at").is_null(), object="customer", system="commercetools")
    orders = people.orders.filter(system="commercetools").collect().height
    assert landed["commercetools", "customer"] == accounts.collect().height
    assert landed["commercetools", "order"] == orders
    assert landed["pos", "member"] == people.records.filter(object="card", system="pos").collect().height


def test_the_three_stories_come_out_as_they_are_told(demo: tuple[Path, dict[str, Any], dict[str, int]]) -> None:
    where, told, _ = demo
    expected = {story.title: story.outcome for story in population.protagonists(population.read(where / "people"))}
    assert {story["title"]: story["outcome"] for story in told["stories"]} == expected


def test_every_profile_was_told_to_both_destinations(demo: tuple[Path, dict[str, Any], dict[str, int]]) -> None:
    _, told, _ = demo
    sent = {(row["destination"], row["object"]): row for row in told["run"]["sent"]}
    profiles = told["status"]["totals"]["profiles"]
    for message in (("aptos", "customer"), ("novomind", "contact")):
        assert sent[message]["state"] == "accepted"
        assert sent[message]["messages"] == profiles
    assert told["status"]["outbox"] == []


def test_a_second_run_appends_nothing_and_sends_nothing(demo: tuple[Path, dict[str, Any], dict[str, int]]) -> None:
    where, _, before = demo
    again = _run(where)
    assert again["run"]["sent"] == []
    assert sum(row["landed"] + row["refused"] for row in again["run"]["landed"]) == 0
    assert _facts(where) == before
