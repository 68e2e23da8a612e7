"""Drops go into the archive once they are landed: through the ledger, and killed at the worst moment."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from connectors.pos.source import Settings
from models.landing import Window
from models.ports import Source
from resolver import land, run
from resolver.run import Run
from tests.connectors.pos.tills import UNTIL, poslog, tills, transaction

MEMBERS = "Customer Number,Loyalty Card\nC1,LC-1\n"
POINTS = "External ID,Loyalty Card,Kind,Points,At\nwelcome:1,LC-1,adjust,100,2024-05-01T12:00:00Z\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drops"
    made.mkdir()
    return made


def source(folder: Path, **settings: object) -> Source:
    return tills(folder, **{"archive": folder / "archive", **settings})


def sale(sequence: str, total: str = "10.00") -> str:
    return transaction(total=total, head={"SequenceNumber": sequence})


def drop(folder: Path, name: str, *sales: str) -> Path:
    path = folder / name
    path.write_text(poslog(*sales), encoding="utf-8")
    return path


def waiting(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def archived(folder: Path) -> set[str]:
    return {path.name for path in (folder / "archive").rglob("*") if path.is_file()}


def ledger(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Every landed payload with its key."""
    return connection.execute("select record, content_hash from ledger.source_record order by all").fetchall()


def brought(source: Source, window: Window) -> list[str]:
    return [one.key.source_id for page in source.pages("receipt", window) for one in page.records]


def test_each_object_takes_its_own_drops_and_only_once_it_is_landed(folder: Path) -> None:
    drop(folder, "a.xml", sale("1"))
    (folder / "members.csv").write_text(MEMBERS)
    (folder / "points.csv").write_text(POINTS)
    (folder / "notes.txt").write_text("not ours")
    till, window = source(folder), Window(until=UNTIL)
    for object_ in ("member", "receipt", "entry"):
        list(till.pages(object_, window))
    assert archived(folder) == set()
    till.landed("member", window)
    assert archived(folder) == {"members.csv"}
    till.landed("receipt", window)
    till.landed("entry", window)
    assert waiting(folder) == {"notes.txt"}
    assert archived(folder) == {"members.csv", "a.xml", "points.csv"}


def test_a_damaged_drop_stays_where_somebody_sees_it_until_it_is_mended(folder: Path, a_run: Run) -> None:
    path = drop(folder, "a.xml", sale("1"), sale("2"))
    whole = path.read_text()
    path.write_text(whole[:-100])
    assert land.records(a_run, source(folder)).refused == 1
    assert waiting(folder) == {"a.xml"}
    path.write_text(whole)
    assert land.records(a_run, source(folder)).landed == 1
    assert archived(folder) == {"a.xml"}


def test_landing_twice_lands_nothing_twice_and_a_full_run_reads_the_archive(folder: Path, a_run: Run) -> None:
    drop(folder, "a.xml", sale("1"), sale("2"))
    (folder / "members.csv").write_text(MEMBERS)
    assert land.records(a_run, source(folder)).landed == 3
    again, full = land.records(a_run, source(folder)), land.everything(a_run, source(folder))
    assert (again.landed, again.known) == (0, 0)
    assert (full.landed, full.known) == (0, 3)
    assert archived(folder) == {"a.xml", "members.csv"}


class Killed(BaseException):
    """What no code of ours may catch."""


def killed(*_: object) -> None:
    raise Killed


def dying_after(moves: int) -> Callable[[Path, Path], Path]:
    """A move of files of which only the first few take place."""
    left = iter(range(moves))

    def move(path: Path, place: Path) -> Path:
        if next(left, None) is None:
            raise Killed
        return path.rename(place)

    return move


@pytest.mark.parametrize("dies", ["before the window is closed", "before the archive", "after 1 move", "after 2 moves"])
def test_a_run_that_dies_loses_nothing_and_doubles_nothing(
    dies: str, folder: Path, a_run: Run, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is the one that an undisturbed run would have, and so is the archive."""
    for name in ("a", "b"):
        drop(folder, f"{name}.xml", *(sale(f"{name}{number}") for number in range(30)), sale("told in both"))
        (folder / f"{name}.xml.done").touch()
    till, again = (source(folder, done_suffix=".done") for _ in range(2))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        if dies.startswith("after"):
            patch.setattr(Path, "replace", dying_after(int(dies.split()[1])))
        elif dies == "before the archive":
            patch.setattr(till, "landed", killed)
        else:
            a_run = replace(a_run, progress=killed)
        land.records(a_run, till)
    a_run = replace(a_run, progress=run.silent)
    land.records(a_run, again)
    assert len(ledger(connection)) == len(set(ledger(connection))) == 61
    assert waiting(folder) == set()
    assert {name for name in archived(folder) if name.endswith(".xml")} == {"a.xml", "b.xml"}
    assert land.everything(a_run, again).landed == 0


def test_a_new_drop_is_compared_with_what_lies_in_the_archive(folder: Path) -> None:
    drop(folder, "a.xml", sale("1"))
    till = source(folder)
    brought(till, Window(until=UNTIL))
    till.landed("receipt", Window(until=UNTIL))
    drop(folder, "a.xml", sale("1"), sale("1", "12.00"), sale("2"))
    contradicting, new = brought(till, Window(since=datetime.now(tz=UTC), until=UNTIL))
    assert contradicting.startswith("7-2-2026-03-14-1-")
    assert new == "7-2-2026-03-14-2"


def test_a_drop_that_was_written_earlier_and_comes_later_takes_nobodys_key(folder: Path) -> None:
    """What is landed under a key stays there; the full run afterwards sees it the same way."""
    till = source(folder)
    drop(folder, "b.xml", sale("1"))
    assert brought(till, Window(until=UNTIL)) == ["7-2-2026-03-14-1"]
    till.landed("receipt", Window(until=UNTIL))
    late = drop(folder, "a.xml", sale("1", "12.00"))
    os.utime(late, (1_000_000_000, 1_000_000_000))
    (contradicting,) = brought(till, Window(since=datetime.now(tz=UTC) - timedelta(hours=1), until=UNTIL))
    till.landed("receipt", Window(until=UNTIL))
    assert brought(till, Window(until=UNTIL)) == ["7-2-2026-03-14-1", contradicting]


def test_the_archive_is_another_folder_than_the_watched_one(folder: Path) -> None:
    with pytest.raises(ValidationError, match="archive"):
        Settings(folder=folder, default_zone="UTC", archive=folder / ".")
