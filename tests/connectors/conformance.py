"""What every source must keep, whoever the vendor is: promises that `test_conformance.py` checks for each of them.

A source is found by its folder: `connectors/<vendor>/source.py` needs `tests/connectors/<vendor>/scenario.py` with a
function `scenario() -> Scenario`. A scenario holds a small world (a few pages of each object, at least one payload that
must be refused) and knows what reading it must bring.
"""

import importlib.util
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from types import ModuleType

from connectors.sandbox.faults import Faults
from models.landing import Body, Bulk, Page, Refusal, SourceRecord, Window
from models.ports import Source
from models.records import Person

ROOT = Path(__file__).parents[2]

Ids = Mapping[str, Collection[str]]
"""object -> source ids"""


class PassingTime:
    """A clock that moves on only when somebody sleeps; it remembers each sleep. Safe with threads."""

    def __init__(self, start: datetime = datetime(2026, 11, 2, 12, tzinfo=UTC)) -> None:
        self._now = start
        self._lock = Lock()
        self.slept: list[float] = []

    def clock(self) -> datetime:
        """Now."""
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Pass the time without waiting."""
        with self._lock:
            self.slept.append(seconds)
            self._now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Stage:
    """What a scenario is given to build on."""

    time: PassingTime
    faults: Faults
    folder: Path
    """An empty folder, for sources that read files."""


@dataclass(frozen=True)
class Stand:
    """A running world and the source connected to it (by `connect(settings, clock=..., sleep=...)`)."""

    source: Source
    asked: Callable[[], Sequence[str]] = tuple
    """Path and query of each request that the world answered so far; nothing for files."""
    disturb: Callable[[], None] | None = None
    """Arms changes that happen while the next read is between its pages; all dated at or after `Scenario.cut`."""
    vanish: Callable[[], Ids] | None = None
    """Takes at least one record of each listed object out of the world without a trace; says which."""


@dataclass(frozen=True)
class Delta:
    """A window, and what it must bring."""

    window: Window
    expected: Ids


@dataclass(frozen=True)
class Scenario:
    """A vendor's world and what reading it must bring."""

    vendor: str
    stand: Callable[[Stage], AbstractContextManager[Stand]]
    """Starts a fresh world (server or files); the same every time."""
    cut: datetime
    """Everything in the quiet world changed before; `disturb` changes at or after it."""
    expected: Ids
    refused: Ids
    """Ids of the payloads that must be refused, per object; empty sets where there are none."""
    delta: Delta
    faults: Mapping[str, float] = field(default_factory=dict)
    """Rates of the faults that the source must survive; empty for files."""
    told_wait: tuple[str, float] | None = None
    """Name of the fault that asks the client to wait, and for how many seconds; None if the vendor never does."""
    secrets: Sequence[str] = ()
    """Tokens and passwords that must be in no log line. Names and contacts are collected from the records."""


@dataclass
class Read:
    """What one read of all objects brought."""

    records: list[SourceRecord] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def ids(self, object_: str) -> list[str]:
        """Ids of the accepted records of one object, as often as they came."""
        return sorted(one.key.source_id for one in self.records if one.key.object == object_)

    def refused_ids(self, object_: str) -> list[str | None]:
        """Ids of the refused payloads of one object."""
        return sorted((one.source_id for one in self.refused if one.object == object_), key=str)

    def texts(self) -> list[tuple[str, str]]:
        """Key and payload of each record."""
        return sorted((str(one.key), one.raw) for one in self.records)

    def latest(self) -> dict[str, str]:
        """The payload that came last, by key."""
        return {str(one.key): one.raw for one in self.records}


def read(source: Source, window: Window) -> Read:
    """Read every object of the source."""
    result = Read()
    for object_ in source.objects:
        for told in source.pages(object_, window):
            for page in paged(told):
                result.records += page.records
                result.refused += page.refused
    return result


def paged(told: Page | Bulk) -> Iterator[Page]:
    """A page, or what comes in bulk a page at a time."""
    return told.pages() if isinstance(told, Bulk) else iter((told,))


def personal(records: Sequence[SourceRecord]) -> set[str]:
    """Names, contacts and addresses in these records, long enough to be told from other words."""
    found: set[str | None] = set()
    for body in (record.body for record in records):
        for person in _persons(body):
            found |= {person.given_name, person.family_name, person.full_name}
            found |= {point.value for point in person.contact_points}
            found |= {address.line1 for address in person.addresses}
    return {value for value in found if value and len(value) >= 4}


def _persons(body: Body) -> Iterator[Person]:
    if isinstance(body, Person):
        yield body
    captured = getattr(body, "person", None)
    if isinstance(captured, Person):
        yield captured


def vendors() -> list[str]:
    """Every vendor that is a source, by its folder."""
    return sorted(path.parent.name for path in (ROOT / "connectors").glob("*/source.py"))


def scenario_of(vendor: str) -> Scenario:
    """The scenario in the vendor's test folder. Raises FileNotFoundError if it has none."""
    path = ROOT / "tests" / "connectors" / vendor / "scenario.py"
    if not path.exists():
        raise FileNotFoundError(f"connectors/{vendor} is a source: its promises need {path.relative_to(ROOT)}")
    made: Scenario = _module(path, f"scenario_of_{vendor}").scenario()
    return made


def _module(path: Path, name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
