"""Every story in data/fixtures/stories: what the sources say, chapter by chapter, and what must come out."""

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models.landing import SourceRecord
from tests.telling import told

STORIES = Path(__file__).parents[2] / "data" / "fixtures" / "stories"
CHECKS = ("people", "review", "conflicts", "golden", "points", "consent", "not_a_key", "orders", "resolves_to")


def stories() -> list[Path]:
    return sorted(folder for folder in STORIES.iterdir() if (folder / "story.toml").is_file())


def test_there_are_at_least_twelve_stories() -> None:
    assert len(stories()) >= 12


@pytest.mark.parametrize("folder", stories(), ids=lambda folder: folder.name)
def test_story(
    folder: Path, connection: duckdb.DuckDBPyConnection, resolve: Callable[[Sequence[SourceRecord]], str]
) -> None:
    story = tomllib.loads((folder / "story.toml").read_text(encoding="utf-8"))
    before: dict[str, str] = {}
    for number, chapter in enumerate(story["chapter"], start=1):
        resolve([told(say) for say in chapter["said"]])
        expected = chapter["expect"]
        assert set(expected) <= set(CHECKS) | {"keeps_ids"}, "a story expects something that nobody checks"
        now = _crosswalk(connection)
        for check in CHECKS:
            if check in expected:
                globals()[f"_check_{check}"](connection, expected[check], f"chapter {number}")
        for record in expected.get("keeps_ids", []):
            assert now[record] == before[record], f"chapter {number}: {record} lost its profile id"
        before = {**before, **now}


def _crosswalk(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(connection.execute("select record, profile from derived.crosswalk").fetchall())


def _check_people(connection: duckdb.DuckDBPyConnection, people: list[list[str]], where: str) -> None:
    by_profile: dict[str, list[str]] = {}
    for record, profile in _crosswalk(connection).items():
        by_profile.setdefault(profile, []).append(record)
    assert sorted(sorted(m) for m in by_profile.values()) == sorted(sorted(m) for m in people), where


def _check_review(connection: duckdb.DuckDBPyConnection, pairs: list[list[str]], where: str) -> None:
    crosswalk = _crosswalk(connection)
    waiting = connection.execute(
        "select profile, attribute from derived.open_conflict where kind = 'identity'"
    ).fetchall()
    for one, other in pairs:
        low, high = sorted((crosswalk[one], crosswalk[other]))
        assert (low, f"same person as {high}") in waiting, f"{where}: {one} and {other} should wait for a steward"


def _check_conflicts(connection: duckdb.DuckDBPyConnection, wanted: list[str], where: str) -> None:
    found = {f"{k} {a}" for k, a in connection.execute("select kind, attribute from derived.open_conflict").fetchall()}
    for start in wanted:
        assert any(text.startswith(start) for text in found), f"{where}: no conflict {start!r} among {sorted(found)}"


def _check_golden(connection: duckdb.DuckDBPyConnection, wanted: dict[str, dict[str, Any]], where: str) -> None:
    for record, fields in wanted.items():
        for field, value in fields.items():
            [(found,)] = connection.execute(
                "select golden->>? from derived.profile join derived.crosswalk using (profile) where record = ?",
                [field, record],
            ).fetchall()
            assert found == value, f"{where}: golden {field} of {record}"


def _check_points(connection: duckdb.DuckDBPyConnection, wanted: dict[str, int], where: str) -> None:
    found = dict(connection.execute("select account, balance from derived.loyalty_account").fetchall())
    assert found == wanted, where


def _check_consent(connection: duckdb.DuckDBPyConnection, wanted: list[dict[str, str]], where: str) -> None:
    for want in wanted:
        found = connection.execute(
            "select status from derived.consent join derived.crosswalk using (profile)"
            " where crosswalk.record = ? and channel = ? and contact_point = ?",
            [want["record"], want["channel"], want["contact_point"]],
        ).fetchall()
        assert found == ([(want["status"],)] if want["status"] != "none" else []), f"{where}: {want}"


def _check_not_a_key(connection: duckdb.DuckDBPyConnection, values: list[str], where: str) -> None:
    usable = {v for (v,) in connection.execute("select value from derived.identifier where usable").fetchall()}
    assert not usable & set(values), f"{where}: a shared value is still a key"


def _check_orders(connection: duckdb.DuckDBPyConnection, wanted: dict[str, int], where: str) -> None:
    for record, number in wanted.items():
        [(found,)] = connection.execute(
            "select count(*) from derived.purchase p join derived.crosswalk o on o.record = p.owner"
            " join derived.crosswalk r on r.profile = o.profile where r.record = ?",
            [record],
        ).fetchall()
        assert found == number, f"{where}: orders of the person behind {record}"


def _check_resolves_to(connection: duckdb.DuckDBPyConnection, wanted: dict[str, str], where: str) -> None:
    """A record's first profile id leads, through what superseded it, to the profile of another record."""
    crosswalk = _crosswalk(connection)
    for record, other in wanted.items():
        [(profile,)] = connection.execute(
            "select profile from ledger.membership where record = ? and change = 'joined' order by fact limit 1",
            [record],
        ).fetchall()
        while profile != crosswalk[other]:
            [(profile,)] = connection.execute(
                "select superseded_by from derived.profile where profile = ? and state = 'retired'", [profile]
            ).fetchall()
            assert profile, f"{where}: the old id of {record} leads nowhere"
