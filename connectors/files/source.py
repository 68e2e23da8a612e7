"""What we read from files of your own: people, a row each, out of a folder into which they are put."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from connectors.drops import Damaged, Drop, DropFolder, opened
from connectors.files.bulk import Stretch, people_of, plain_rows, stretches
from connectors.files.columns import Pattern
from connectors.files.tables import Bounds, object_of, payloads, row_of_line
from connectors.files.translate import PERSON, SOURCE, before, raw_of, translate
from models.base import Frozen
from models.errors import Rejected, TryLater
from models.landing import Bulk, Page, Refusal, SourceRecord, Window
from models.ports import Source

log = logging.getLogger(__name__)

_PAGE = 2_000
"""Rows: what a transaction costs beside them is small then."""


class Settings(Frozen):
    """Where the files lie, and what their columns are called."""

    folder: Path
    """The watched folder. Only files that lie directly in it are read: no folders below, no links."""
    patterns: Mapping[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")], Pattern] = Field(min_length=1)
    """Name -> a kind of file. The name is part of every record key; a file belongs to the first kind that fits."""
    done_suffix: str | None = None
    """A file is read once one with its name and this ending lies beside it, e.g. `.done`."""
    archive: Path | None = None
    """Where files go once all their rows are landed, below the day of their arrival. A full run reads them again there.

    What cannot be read to its end stays in the folder.
    """
    bounds: Bounds = Bounds()
    """How large files and rows may be."""


def connect(settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> Source:
    """The folder as a source. Files need neither a clock nor patience; the parameters are those of every source."""
    return Files(settings)


class Files:
    """Implements `models.ports.Source`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._drops = DropFolder(SOURCE, settings.folder, settings.done_suffix, settings.archive)
        self._whole: list[Drop] = []
        """Files that the latest reading has read to their end."""

    @property
    def name(self) -> str:
        """First part of every record key."""
        return SOURCE

    @property
    def objects(self) -> Sequence[str]:
        """People."""
        return (PERSON,)

    @property
    def listed(self) -> Collection[str]:
        """No object. A file tells what is new in it and nothing of who is not in it, so absence says nothing."""
        return ()

    @property
    def is_live(self) -> bool:
        """Drops tell what was written once."""
        return False

    def pages(self, object: str, window: Window) -> Iterator[Page | Bulk]:  # noqa: A002
        """Everything in the files that came in the window, whatever moment the rows themselves tell.

        In bulk where a file is plain, else 2,000 rows a page.

        A file that comes late may tell of an earlier time: it is its arrival that decides. Raises TryLater, Rejected.
        """
        _check(object)
        self._whole = []
        for drop in self._drops.new(self._wanted, window):
            name, pages = self._kind_of(drop.path.name), 0
            for told in self._told(name, drop):
                pages += 1
                yield told
            log.info("files: %s: %d pages of %s", drop.name, pages, name)

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """Nothing: no object is listed."""
        return iter(())

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Puts the files that were read to their end into the archive, if there is one. Raises TryLater."""
        self._drops.put_away(self._whole)

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        """Read a row again. Raises Rejected for another object than `person`."""
        _check(object)
        return translate(raw, self._settings.patterns)

    def _wanted(self, file: str) -> bool:
        return bool(self._kind_of(file))

    def _kind_of(self, file: str) -> str:
        """The name of the first pattern that fits, empty if none does."""
        fitting = (name for name, pattern in self._settings.patterns.items() if fnmatchcase(file, pattern.files))
        return next(fitting, "")

    def _told(self, name: str, drop: Drop) -> Iterator[Page | Bulk]:
        """In bulk as far as the file is plain; where it is not, all of it a page at a time."""
        paged: list[Drop] = []

        def pages() -> Iterator[Page]:
            paged.append(drop)
            return self._read(name, drop)

        try:
            with opened(drop) as file:
                for number, stretch in enumerate(stretches(file, self._settings.patterns[name], self._settings.bounds)):
                    if stretch is None:
                        break
                    yield self._bulk(name, stretch, drop.correlation_id(SOURCE, number), pages)
                    if paged:
                        return
                else:
                    self._whole.append(drop)
                    return
        except Damaged:
            log.info("files: %s is read a page at a time", drop.name)
        except OSError as error:
            raise TryLater("files: a file cannot be read from its disk", code=type(error).__name__) from error
        yield from self._read(name, drop)

    def _bulk(self, name: str, stretch: Stretch, correlation_id: str, pages: Callable[[], Iterator[Page]]) -> Bulk:
        pattern, bounds = self._settings.patterns[name], self._settings.bounds

        def payload(position: int, line: str | None) -> str:
            if pattern.shape == "ndjson":
                return raw_of(name, row_of_line(stretch.line(position) if line is None else line.encode(), pattern))
            return raw_of(name, {"row": object_of(line or "{}")})

        people = people_of(pattern, stretch.header)
        return Bulk(
            source=SOURCE,
            object=PERSON,
            correlation_id=correlation_id,
            path=stretch.path,
            form=pattern.shape,
            header=stretch.header,
            delimiter=stretch.delimiter,
            rows=stretch.rows,
            longest=bounds.row_bytes,
            id_prefix=f"{name}:",
            before=before(name),
            people=people,
            plain=plain_rows(pattern, people, stretch.header),
            payload=payload,
            pages=pages,
        )

    def _read(self, name: str, drop: Drop) -> Iterator[Page]:
        outcomes, number = self._outcomes(name, drop), 0
        while told := list(islice(outcomes, _PAGE)):
            number += 1
            yield Page(
                records=tuple(one for one in told if isinstance(one, SourceRecord)),
                refused=tuple(one for one in told if isinstance(one, Refusal)),
                correlation_id=drop.correlation_id(SOURCE, number),
            )

    def _outcomes(self, name: str, drop: Drop) -> Iterator[SourceRecord | Refusal]:
        read = 0
        try:
            with opened(drop) as file:
                for payload in payloads(file, self._settings.patterns[name], self._settings.bounds):
                    yield translate(raw_of(name, payload), self._settings.patterns)
                    read += 1
                self._whole.append(drop)
        except Damaged as problem:
            rest = {"file": drop.name, "problem": str(problem), "read": read}
            yield translate(raw_of(name, rest), self._settings.patterns)
        except OSError as error:
            raise TryLater("files: a file cannot be read from its disk", code=type(error).__name__) from error


def _check(object_: str) -> None:
    if object_ != PERSON:
        raise Rejected(f"files: there is no object {object_}")
