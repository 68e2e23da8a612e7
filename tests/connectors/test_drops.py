"""A watched folder and its archive: nothing is lost, doubled or overwritten, whatever happens between two moves."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest

from connectors.drops import Damaged, Drop, DropFolder, opened
from models.errors import TryLater
from models.landing import Window

EVERYTHING = Window(until=datetime(2100, 1, 1, tzinfo=UTC))
LATER = Window(since=datetime.now(tz=UTC) + timedelta(days=1), until=EVERYTHING.until)
OTHER_DISK = Path("/dev/shm")
"""A disk in memory, where there is one."""
WEEK = timedelta(days=7)


@pytest.fixture(params=["same disk", "another disk"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DropFolder]:
    (tmp_path / "in").mkdir()
    archive = tmp_path / "archive"
    if request.param == "another disk":
        if not OTHER_DISK.is_dir() or OTHER_DISK.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no other disk on this machine")
        archive = Path(mkdtemp(dir=OTHER_DISK))
    yield DropFolder("pos", tmp_path / "in", ".done", archive)
    shutil.rmtree(archive, ignore_errors=True)


def put(watched: DropFolder, name: str, content: str = "x", at: int | None = None) -> Path:
    path = watched.folder / name
    path.write_text(content, encoding="utf-8")
    if at is not None:
        os.utime(path, (at, at))
    (watched.folder / f"{name}.done").touch()
    return path


def is_xml(name: str) -> bool:
    return name.endswith(".xml")


def new(watched: DropFolder, window: Window = LATER) -> list[Drop]:
    return watched.new(is_xml, window)


def archived(watched: DropFolder) -> dict[str, str]:
    """Day (without the date) and name -> content of everything in the archive."""
    assert watched.archive is not None
    files = [path for path in watched.archive.rglob("*") if path.is_file()]
    return {f"{path.parent.name[10:]}/{path.name}": path.read_text(encoding="utf-8") for path in files}


def test_a_landed_drop_goes_into_the_archive_with_its_marker(watched: DropFolder) -> None:
    path = put(watched, "a.xml", at=1_000_000_000)
    watched.put_away(new(watched))
    assert list(watched.folder.iterdir()) == []
    assert archived(watched) == {"/a.xml": "x", "/a.xml.done": ""}
    (kept,) = new(watched, EVERYTHING)
    assert (kept.path.name, kept.written_ns) == (path.name, 1_000_000_000 * 10**9)


def test_without_an_archive_drops_stay(tmp_path: Path) -> None:
    watched = DropFolder("pos", tmp_path, ".done")
    put(watched, "a.xml")
    watched.put_away(new(watched, EVERYTHING))
    assert {path.name for path in tmp_path.iterdir()} == {"a.xml", "a.xml.done"}


def test_a_second_drop_of_one_name_never_replaces_the_first(watched: DropFolder) -> None:
    for content in ("first", "second", "third"):
        put(watched, "a.xml", content)
        watched.put_away(new(watched))
    told = archived(watched)
    assert {name: told[name] for name in told if name.endswith(".xml")} == {
        "/a.xml": "first",
        ".2/a.xml": "second",
        ".3/a.xml": "third",
    }


def test_only_a_full_run_reads_the_archive_and_it_reads_it_first(watched: DropFolder) -> None:
    put(watched, "b.xml", "b", at=2_000_000_000)
    watched.put_away(new(watched))
    put(watched, "a.xml", "a", at=1_000_000_000)
    assert [drop.name for drop in new(watched, EVERYTHING)] == ["b.xml", "a.xml"]
    assert [drop.name for drop in new(watched)] == ["a.xml"]


def test_what_lies_in_the_folder_is_read_until_it_is_archived(watched: DropFolder) -> None:
    """So that a crash between landing and archiving leaves nothing behind for ever."""
    put(watched, "a.xml")
    assert [drop.name for drop in new(watched)] == ["a.xml"]


def test_a_drop_that_grew_after_it_was_read_stays_to_be_read_whole(watched: DropFolder) -> None:
    path = put(watched, "a.xml", "half")
    read = new(watched)
    path.write_text("half and half", encoding="utf-8")
    watched.put_away(read)
    assert path.read_text(encoding="utf-8") == "half and half"
    assert archived(watched) == {}


def test_a_drop_that_is_gone_is_no_trouble(watched: DropFolder) -> None:
    path = put(watched, "a.xml")
    read = new(watched)
    path.unlink()
    watched.put_away(read)
    assert archived(watched) == {}


def test_a_marker_that_a_crash_left_behind_does_not_make_the_next_drop_of_that_name_whole(watched: DropFolder) -> None:
    put(watched, "a.xml", "first")
    watched.put_away(new(watched))
    (watched.folder / "a.xml.done").touch()  # as if the run had died before it moved the marker
    new(watched)
    (watched.folder / "a.xml").write_text("half an upload", encoding="utf-8")
    assert new(watched) == []


def test_a_marker_before_its_first_drop_is_left_alone(watched: DropFolder) -> None:
    marker = watched.folder / "a.xml.done"
    marker.touch()
    new(watched)
    assert marker.exists()


def test_a_copy_whose_original_could_not_be_taken_away_is_not_archived_twice(watched: DropFolder) -> None:
    path = put(watched, "a.xml", "first")
    spare = watched.folder.parent / "spare"
    shutil.copy2(path, spare)
    watched.put_away(new(watched))
    shutil.copy2(spare, path)  # as if the run had died between copy and removal
    (watched.folder / "a.xml.done").touch()
    watched.put_away(new(watched))
    assert [name for name in archived(watched) if name.endswith(".xml")] == ["/a.xml"]
    assert list(watched.folder.iterdir()) == []


def test_a_name_that_was_reserved_before_a_crash_is_no_drop(watched: DropFolder) -> None:
    assert watched.archive is not None
    day = watched.archive / f"{datetime.now(tz=UTC):%Y-%m-%d}"
    day.mkdir(parents=True)
    (day / "a.xml").touch()
    put(watched, "a.xml")
    watched.put_away(new(watched))
    assert [drop.path.parent.name[10:] for drop in new(watched, EVERYTHING)] == [".2"]


def test_an_archive_that_cannot_be_written_leaves_the_drop_and_says_so(watched: DropFolder) -> None:
    path = put(watched, "a.xml")
    assert watched.archive is not None
    shutil.rmtree(watched.archive, ignore_errors=True)
    watched.archive.write_text("a file in its place", encoding="utf-8")
    with pytest.raises(TryLater, match="archive"):
        watched.put_away(new(watched))
    assert path.exists()
    watched.archive.unlink()


def test_a_link_in_the_archive_leads_nothing_out_of_it(watched: DropFolder, tmp_path: Path) -> None:
    assert watched.archive is not None
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.xml").write_text("secret", encoding="utf-8")
    watched.archive.mkdir(exist_ok=True)
    (watched.archive / f"{datetime.now(tz=UTC):%Y-%m-%d}").symlink_to(outside)
    put(watched, "a.xml")
    watched.put_away(new(watched))
    assert [path.name for path in outside.iterdir()] == ["secret.xml"]
    assert [drop.name for drop in new(watched, EVERYTHING)] == ["a.xml"]


@pytest.mark.parametrize("name", ["x\\..\\..\\a.xml", "a\nb.xml", "-rf.xml", "%2e%2e%2fa.xml", "~a.xml", "$HOME.xml"])
def test_a_name_is_a_name_and_never_a_path(name: str, watched: DropFolder) -> None:
    put(watched, name)
    watched.put_away(new(watched))
    (kept,) = new(watched, EVERYTHING)
    assert kept.path.name == name
    assert kept.path.parent.parent == watched.archive
    assert kept.name.isprintable()


def test_a_drop_that_became_a_link_is_not_opened(watched: DropFolder, tmp_path: Path) -> None:
    path = put(watched, "a.xml")
    (drop,) = new(watched)
    path.unlink()
    (tmp_path / "secret.xml").touch()
    path.symlink_to(tmp_path / "secret.xml")
    with pytest.raises((Damaged, TryLater)):
        opened(drop)


def test_earlier_drops_are_found_in_the_archive_as_far_back_as_asked(watched: DropFolder) -> None:
    put(watched, "a.xml")
    watched.put_away(new(watched))
    assert [drop.name for drop in watched.earlier(is_xml, LATER, WEEK)] == ["a.xml"]
    assert watched.earlier(is_xml, LATER, timedelta(0)) == []
    assert watched.earlier(is_xml, EVERYTHING, WEEK) == []


def test_earlier_drops_are_found_in_the_folder_without_an_archive(tmp_path: Path) -> None:
    watched = DropFolder("pos", tmp_path)
    put(watched, "a.xml")
    assert [drop.name for drop in watched.earlier(is_xml, LATER, WEEK)] == ["a.xml"]
    assert watched.earlier(is_xml, LATER, timedelta(hours=1)) == []


def test_a_drop_arrives_with_its_marker(tmp_path: Path) -> None:
    """A run between the two passes it over; the next one must not take it for read."""
    watched = DropFolder("pos", tmp_path, ".done")
    put(watched, "a.xml")
    marked = LATER.until - timedelta(days=1)
    os.utime(tmp_path / "a.xml.done", (marked.timestamp(), marked.timestamp()))
    assert [drop.name for drop in new(watched)] == ["a.xml"]
