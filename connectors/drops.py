"""Folders into which others put files: which files lie there whole, and how one is opened without being led astray."""

import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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
    """When it was written or moved here, whichever is later: a file may be older than its arrival."""

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


def drops(folder: Path, vendor: str, wanted: Callable[[str], bool], done_suffix: str | None) -> Sequence[Drop]:
    """The wanted files that can be read, the oldest first, files of one moment by name.

    With a `done_suffix` only those beside which their writer has put a marker. Raises TryLater without the folder.
    """
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise TryLater(f"{vendor}: the folder of the files cannot be read", code=type(error).__name__) from error
    names = {entry.name for entry in entries}
    whole = (entry for entry in entries if not done_suffix or entry.name + done_suffix in names)
    found = [_drop(entry, vendor) for entry in whole if not entry.name.startswith(".") and wanted(entry.name)]
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


def _drop(entry: "os.DirEntry[str]", vendor: str) -> Drop | None:
    if not entry.is_file(follow_symlinks=False):
        log.warning("%s: passed over an entry of the folder that is no file", vendor)
        return None
    status = entry.stat(follow_symlinks=False)
    return Drop(
        path=Path(entry.path),
        size=status.st_size,
        written_ns=status.st_mtime_ns,
        arrived=datetime.fromtimestamp(max(status.st_mtime, status.st_ctime), tz=UTC),
    )
