"""The watched folder: which files lie in it, in which order they came, and how one is opened."""

import logging
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import BinaryIO, Final, Literal

from models.errors import TryLater

Shape = Literal["poslog", "receipts", "members", "points"]

_log = logging.getLogger(__name__)
_TABLES: Final = frozenset({".csv", ".tlog", ".ndjson", ".jsonl", ".parquet"})


@dataclass(frozen=True, slots=True)
class Drop:
    """A file in the folder itself: no directory, no link, nothing below."""

    path: Path
    shape: Shape
    size: int
    written_ns: int
    arrived: datetime
    """When it was written or moved here, whichever is later: a file may be older than its arrival."""

    @property
    def name(self) -> str:
        """The file's name, fit for logs: what does not print is shown as its code."""
        return self.path.name.encode("unicode_escape").decode("ascii")


def drops(folder: Path, done_suffix: str | None) -> Sequence[Drop]:
    """The files that can be read, the oldest first, files of one moment by name.

    With a `done_suffix` only those beside which the till has put its marker. Raises TryLater without the folder.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise TryLater("pos: the folder of the drops cannot be read", code=type(error).__name__) from error
    names = {entry.name for entry in entries}
    found = [_drop(entry) for entry in entries if not done_suffix or entry.name + done_suffix in names]
    return sorted((drop for drop in found if drop), key=lambda drop: (drop.written_ns, drop.name))


def opened(drop: Drop) -> BinaryIO:
    """The file, unless something else has taken its place since. Raises OSError."""
    descriptor = os.open(drop.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PermissionError("not a file")
    return os.fdopen(descriptor, "rb")


def _drop(entry: "os.DirEntry[str]") -> Drop | None:
    shape = _shape(entry.name)
    if shape is None:
        return None
    if not entry.is_file(follow_symlinks=False):
        _log.warning("pos: passed over an entry of the folder that is no file")
        return None
    status = entry.stat(follow_symlinks=False)
    return Drop(
        path=Path(entry.path),
        shape=shape,
        size=status.st_size,
        written_ns=status.st_mtime_ns,
        arrived=datetime.fromtimestamp(max(status.st_mtime, status.st_ctime), tz=UTC),
    )


def _shape(name: str) -> Shape | None:
    """What a file holds, by its name. Hidden files and uploads under way have other endings and are left alone."""
    ending = PurePath(name).suffix.casefold()
    if name.startswith("."):
        return None
    if ending == ".xml":
        return "poslog"
    if ending not in _TABLES:
        return None
    exports: tuple[Shape, ...] = ("members", "points")
    return next((shape for shape in exports if name.casefold().startswith(shape)), "receipts")
