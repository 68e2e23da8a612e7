"""What the Aptos CRM tells: customers, transactions, loyalty and clienteling, by its change feed or its daily files."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Protocol, Self

from pydantic import Field, SecretStr, model_validator

from connectors.aptos import api
from connectors.aptos.asking import Asking
from connectors.aptos.changes import Walk
from connectors.aptos.daily_files import DailyFiles
from connectors.aptos.destination import read_map
from connectors.aptos.source_map import Layout, SourceMap
from connectors.aptos.told import OBJECTS
from connectors.aptos.translate_source import SOURCE, Echo, Reading, refused_echo
from connectors.drops import Drop, DropFolder
from connectors.fieldmap import WrongMap
from connectors.http import Door
from connectors.payload import canonical, read_path
from models.base import Frozen
from models.errors import Rejected
from models.landing import Page, Refusal, SourceRecord, Window
from models.ports import Source

log = logging.getLogger(__name__)

_PAGE = 500
_LARGEST_PAGE = 1000


class Settings(Frozen):
    """Where the CRM is and who we are there; or where its daily files are put, if it has no feed for us."""

    base_url: str | None = None
    """Root of the interface, without a slash at the end; https unless on this machine. Reads the change feed."""
    token_url: str | None = None
    """Root of the token server where it is another one; its path is `transport.token_path` of the field map."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    """Secret of the client; from the environment."""
    daily_files: Path | None = None
    """Folder of the daily files, in place of `base_url`."""
    archive: Path | None = None
    """Where daily files go, with their markers, once they are landed; below the folder or on another disk. `--full`
    reads them again there. A file that is refused stays in the folder. Without an archive files stay where they are."""
    fieldmap: Path | None = None
    """The deployment's own field map; the one beside this file if absent."""
    page_size: int = Field(default=200, ge=1, le=_LARGEST_PAGE)
    """Changes per request."""
    requests_per_second: float = Field(default=5.0, gt=0)
    timeout_seconds: float = Field(default=20.0, gt=0)

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.base_url is None) == (self.daily_files is None):
            raise ValueError("give exactly one of: base_url, daily_files")
        if self.base_url is not None and (self.client_id is None or self.client_secret is None):
            raise ValueError("base_url needs client_id and client_secret")
        if self.archive is not None and self.daily_files in {None, self.archive}:
            raise ValueError("archive: needs daily_files, and must be another folder")
        return self


class Told(Protocol):
    """A way into the CRM."""

    @property
    def listed(self) -> Collection[str]:
        """The objects of which a full read brings all."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether it tells how things are now."""
        ...

    def raws(self, object_: str, window: Window) -> Iterator[tuple[list[str], str]]:
        """The raw payloads of the window, a page's worth at a time, with the correlation id of each."""
        ...

    def missing(self, object_: str, source_ids: Sequence[str]) -> Iterator[Page]:
        """What became of records of a listed object."""
        ...

    def landed(self, object_: str) -> None:
        """What was read of this object is on disk."""
        ...


def connect(settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> Source:
    """The CRM as a source; nothing is asked yet. Raises WrongMap, and ValueError for a URL without TLS."""
    fieldmap = read_map(settings.fieldmap)
    if fieldmap.source is None:
        raise WrongMap("source: missing; it says how the CRM is read")
    programmes = {plan.key: programme for programme, plan in fieldmap.plans.items()}
    reading = Reading(fieldmap.source, programmes)
    if settings.daily_files is not None:
        drops = DropFolder(SOURCE, settings.daily_files, fieldmap.source.files.done_suffix, settings.archive)
        return Aptos(reading, _ByFiles(fieldmap.source, drops), _offered(fieldmap.source, "file"))
    assert settings.base_url is not None
    assert settings.client_id is not None
    assert settings.client_secret is not None
    door = api.door(
        fieldmap,
        base_url=settings.base_url,
        token_url=settings.token_url or settings.base_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        per_second=settings.requests_per_second,
        timeout=settings.timeout_seconds,
        clock=clock,
        sleep=sleep,
    )
    told = _ByFeed(reading, door, settings.page_size)
    return Aptos(reading, told, _offered(fieldmap.source, "feed"))


def _offered(source: SourceMap, way: str) -> Sequence[str]:
    """What the map says can be read this way, customers before what they did."""
    return tuple(name for name in OBJECTS if name in source.objects and getattr(source.objects[name], way) is not None)


class Aptos:
    """Implements `models.ports.Source`."""

    def __init__(self, reading: Reading, told: Told, objects: Sequence[str]) -> None:
        self._reading = reading
        self._told = told
        self._objects = objects

    @property
    def name(self) -> str:
        """First part of every record key."""
        return SOURCE

    @property
    def objects(self) -> Sequence[str]:
        """Customers before what they did."""
        return self._objects

    @property
    def listed(self) -> Collection[str]:
        """By the feed, what the map says can be asked for by its number. By daily files nothing: a file tells what
        changed on its day, and a day without a customer says nothing about the customer.
        """
        return self._told.listed

    @property
    def is_live(self) -> bool:
        """The feed tells how things are now, daily files what was written once."""
        return self._told.is_live

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        """Everything that changed in the window, but for postings of our own that come back."""
        self._check(object)
        for raws, correlation_id in self._told.raws(object, window):
            read = [self._reading.read(object, raw) for raw in raws]
            page = Page(
                records=tuple(one for one in read if isinstance(one, SourceRecord)),
                refused=tuple(one for one in read if isinstance(one, Refusal)),
                correlation_id=correlation_id,
            )
            counts = len(page.records), len(page.refused), sum(isinstance(one, Echo) for one in read)
            log.info("aptos: %s page of %d, %d refused, %d our own [%s]", object, *counts, correlation_id)
            yield page

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """Each record as the CRM has it now, or its deletion; it is asked for one by one. Raises what a Door raises."""
        return self._told.missing(object, source_ids)

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Move daily files that were read whole into the archive, if there is one. Raises TryLater."""
        self._told.landed(object)

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        """Read a payload again. Raises Rejected for an object that the map does not name."""
        self._check(object)
        found = self._reading.read(object, raw)
        return refused_echo(object, raw) if isinstance(found, Echo) else found

    def _check(self, object_: str) -> None:
        if object_ not in self._reading.map.objects:
            raise Rejected(f"aptos: there is no object {object_}")


class _ByFeed:
    """The change feed."""

    def __init__(self, reading: Reading, door: Door, page_size: int) -> None:
        self._source = reading.map
        self._asking = Asking(reading, door)
        self._door = door
        self._page_size = page_size

    @property
    def listed(self) -> Collection[str]:
        return [name for name in _offered(self._source, "feed") if self._source.objects[name].lookup is not None]

    @property
    def is_live(self) -> bool:
        return True

    def raws(self, object_: str, window: Window) -> Iterator[tuple[list[str], str]]:
        read = self._source.objects[object_]
        modified = next((pick.source for pick in read.fields if pick.to == "modified_at"), None)
        walk = Walk(
            self._door,
            self._source.feed,
            str(read.feed),
            window,
            self._page_size,
            lambda item: _moment(None if modified is None else read_path(item, modified)),
        )
        for stretch in walk.stretches():
            yield [canonical(item) for item in stretch.items], stretch.correlation_id

    def missing(self, object_: str, source_ids: Sequence[str]) -> Iterator[Page]:
        return self._asking.pages(object_, source_ids)

    def landed(self, object_: str) -> None:
        """The CRM keeps what it has."""


class _ByFiles:
    """The daily files."""

    def __init__(self, source: SourceMap, drops: DropFolder) -> None:
        self._source = source
        self._drops = drops
        self._whole: dict[str, list[Drop]] = {}
        """By object: the files that the latest reading has read to their end."""

    @property
    def listed(self) -> Collection[str]:
        return ()

    @property
    def is_live(self) -> bool:
        return False

    def raws(self, object_: str, window: Window) -> Iterator[tuple[list[str], str]]:
        whole = self._whole[object_] = []
        layout = self._source.objects[object_].file
        assert layout is not None
        files = DailyFiles(self._drops, layout, self._source.files, self._others(object_))
        for drop in files.new(window):
            payloads, number = files.payloads(drop, whole), 0
            while raws := list(islice(payloads, _PAGE)):
                number += 1
                yield raws, drop.correlation_id(SOURCE, number)

    def missing(self, object_: str, source_ids: Sequence[str]) -> Iterator[Page]:
        """Nothing: no object is listed."""
        return iter(())

    def landed(self, object_: str) -> None:
        self._drops.put_away(self._whole.pop(object_, ()))

    def _others(self, object_: str) -> Sequence[Layout]:
        """The files of the objects that land before: a file belongs to the first object whose pattern fits."""
        before = takewhile(lambda name: name != object_, OBJECTS)
        found = (self._source.objects[name].file for name in before if name in self._source.objects)
        return [layout for layout in found if layout is not None]


def _moment(told: Any) -> datetime | None:  # noqa: ANN401 - any JSON value
    try:
        moment = datetime.fromisoformat(told)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None
