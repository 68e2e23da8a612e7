"""Folders into which others put files: which lie there whole, how one is opened, where it goes once it is landed."""

import errno
import filecmp
import hashlib
import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import BinaryIO

from models.errors import TryLater
from models.landing import Window

log = logging.getLogger(__name__)


class Damaged(Exception):
    """A file, or the rest of it, that cannot be read. The text names the reason and holds nothing of the content."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A file in the folder itself: no directory, no link, nothing below."""

    path: Path
    size: int
    written_ns: int
    arrived: datetime
    """When it was written or moved here, or its marker was, whichever is latest: a file may be older than that."""

    @property
    def name(self) -> str:
        """The file's name, fit for logs: what does not print is shown as its code."""
        return self.path.name.encode("unicode_escape").decode("ascii")

    def is_unchanged(self) -> bool:
        """Whether the file still is what it was when it was found."""
        try:
            status = self.path.stat(follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.written_ns)

    def is_new(self, window: Window) -> bool:
        """Whether a run over this window reads it. One that comes during the run is read now and again next time."""
        return window.since is None or self.arrived >= window.since

    def correlation_id(self, vendor: str, number: int) -> str:
        """The same stretch of the same file has the same id."""
        stretch = f"{self.name}:{self.size}:{self.written_ns}:{number}"
        return f"{vendor}-{hashlib.sha256(stretch.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class DropFolder:
    """A watched folder, and the archive into which drops go once they are landed.

    Without an archive drops stay where they are, and a run reads those that arrived in its window. With one, the folder
    holds what is not yet landed, so that a run reads all of it: a crash between landing and archiving leaves a drop to
    be read again, and what is read again is known to the ledger.
    """

    vendor: str
    folder: Path
    done_suffix: str | None = None
    archive: Path | None = None

    def new(self, wanted: Callable[[str], bool], window: Window) -> list[Drop]:
        """What a run over this window reads; a full one reads the archive first. Raises TryLater without the folder."""
        self._clear_markers()
        found = drops(self.folder, self.vendor, wanted, self.done_suffix)
        if self.archive is None:
            return [drop for drop in found if drop.is_new(window)]
        return [*self._archived(wanted, None), *found] if window.since is None else [*found]

    def earlier(self, wanted: Callable[[str], bool], window: Window, look_back: timedelta) -> list[Drop]:
        """What earlier runs have read and this one may compare with: nothing for a full one, which reads all anyway."""
        if window.since is None:
            return []
        earliest = window.since - look_back
        if self.archive is not None:
            return self._archived(wanted, earliest)
        found = drops(self.folder, self.vendor, wanted, self.done_suffix)
        return [drop for drop in found if earliest <= drop.arrived < window.since]

    def put_away(self, read: Iterable[Drop]) -> None:
        """Move drops that are landed whole into the archive, each with its marker; nothing there is ever replaced.

        They lie below the day of their arrival (UTC), the second one of a name and day below `<day>.2`. A drop that has
        changed meanwhile stays: the next run reads the whole of it. Raises TryLater where the disk does not let us.
        """
        for drop in read if self.archive is not None else ():
            if drop.path.parent == self.folder and drop.is_unchanged():
                try:
                    self._put_away(drop)
                except OSError as error:
                    message = f"{self.vendor}: a landed drop cannot be moved into the archive"
                    raise TryLater(message, code=type(error).__name__) from error

    def _put_away(self, drop: Drop) -> None:
        """The drop before its marker: what has lost its marker would never be read again."""
        place = self._place(drop)
        if place is None:
            drop.path.unlink()
        else:
            _fill(place, drop.path)
        if self.done_suffix:
            marker = drop.path.with_name(drop.path.name + self.done_suffix)
            if place is None or not marker.exists():
                marker.unlink(missing_ok=True)
            else:
                _move(marker, place.with_name(marker.name))

    def _place(self, drop: Drop) -> Path | None:
        """A name in the archive that is ours alone; None if the drop lies there already, from before a crash."""
        assert self.archive is not None
        for number in count(1):
            day = self.archive / (f"{drop.arrived:%Y-%m-%d}" + (f".{number}" if number > 1 else ""))
            day.mkdir(parents=True, exist_ok=True)
            place = day / drop.path.name
            if day.is_symlink():
                continue
            try:
                os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                if _is_copy(place, drop):
                    return None
            else:
                return place
        raise AssertionError("numbers do not end")

    def _archived(self, wanted: Callable[[str], bool], earliest: datetime | None) -> list[Drop]:
        """What lies in the archive, in the order in which it came there. Empty files are names without a drop."""
        days = (
            self._days()
            if earliest is None
            else [day for day in self._days() if day.name[:10] >= f"{earliest:%Y-%m-%d}"]
        )
        found = [drop for day in days for drop in drops(day, self.vendor, wanted, None) if drop.size]
        return sorted(found, key=lambda drop: (drop.arrived, drop.written_ns, drop.name))

    def _days(self) -> list[Path]:
        if self.archive is None or not self.archive.is_dir():
            return []
        return sorted(day for day in self.archive.iterdir() if day.is_dir() and not day.is_symlink())

    def _clear_markers(self) -> None:
        """Take away markers that a crash has parted from their archived drop, or the next of that name seems whole."""
        if self.archive is None or not self.done_suffix or not self.folder.is_dir():
            return
        for marker in self.folder.iterdir():
            name = marker.name.removesuffix(self.done_suffix)
            parted = name != marker.name and not (self.folder / name).exists()
            if parted and any((day / name).exists() for day in self._days()):
                marker.unlink(missing_ok=True)


def drops(folder: Path, vendor: str, wanted: Callable[[str], bool], done_suffix: str | None) -> Sequence[Drop]:
    """The wanted files that can be read, the oldest first, files of one moment by name.

    With a `done_suffix` only those beside which their writer has put a marker. Raises TryLater without the folder.
    """
    try:
        entries = {entry.name: entry for entry in os.scandir(folder)}
    except OSError as error:
        why = "is not there" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise TryLater(f"{vendor}: the folder {folder} {why}", code=type(error).__name__) from error
    whole = [
        name for name in entries if not name.startswith(".") and (not done_suffix or name + done_suffix in entries)
    ]
    found = [_drop(entries, name, done_suffix, vendor) for name in whole if wanted(name)]
    return sorted(filter(None, found), key=lambda drop: (drop.written_ns, drop.name))


def opened(drop: Drop) -> BinaryIO:
    """The file, unless something else has taken its place since. Raises Damaged, and TryLater where the disk fails."""
    try:
        descriptor = os.open(drop.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (PermissionError, FileNotFoundError):
        raise Damaged("the file may not be opened, or is gone") from None
    except OSError as error:
        raise TryLater("a file cannot be read from its disk", code=type(error).__name__) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Damaged("not a file")
    return os.fdopen(descriptor, "rb")


def lines(file: BinaryIO, longest: int) -> Iterator[tuple[int, bytes | None]]:
    """Number (from 1) and bytes of each line, its end included; None in place of one of more than `longest` bytes."""
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) <= longest:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(longest + 1)
        yield number, None


def _drop(entries: "Mapping[str, os.DirEntry[str]]", name: str, done_suffix: str | None, vendor: str) -> Drop | None:
    if not entries[name].is_file(follow_symlinks=False):
        log.warning("%s: passed over an entry of the folder that is no file", vendor)
        return None
    try:
        status = entries[name].stat(follow_symlinks=False)
        marker = entries[name + done_suffix].stat(follow_symlinks=False) if done_suffix else status
    except FileNotFoundError:
        return None
    moments = (status.st_mtime, status.st_ctime, marker.st_mtime, marker.st_ctime)
    return Drop(
        path=Path(entries[name].path),
        size=status.st_size,
        written_ns=status.st_mtime_ns,
        arrived=datetime.fromtimestamp(max(moments), tz=UTC),
    )


def _fill(place: Path, source: Path) -> None:
    """Move a file to the name that was reserved for it, or give the name back."""
    try:
        _move(source, place)
    except OSError:
        place.unlink(missing_ok=True)
        raise


def _move(source: Path, place: Path) -> None:
    """Give the file its place; onto another disk as a copy that is there in full before the original goes."""
    try:
        source.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy = place.with_name(".arriving")
        copy.unlink(missing_ok=True)
        shutil.copy2(source, copy, follow_symlinks=False)
        with copy.open("rb+") as file:
            os.fsync(file.fileno())
        copy.replace(place)
        source.unlink()


def _is_copy(place: Path, drop: Drop) -> bool:
    """Whether this is the copy of a drop whose original could not be taken away any more."""
    status = place.stat(follow_symlinks=False)
    same = (status.st_size, status.st_mtime_ns) == (drop.size, drop.written_ns) and stat.S_ISREG(status.st_mode)
    return same and filecmp.cmp(place, drop.path, shallow=False)
