"""The state behind the sandbox: one org's records, sessions, query locators, Bulk jobs and deletions."""

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from threading import RLock
from typing import Any

from connectors.salesforce.sandbox_schema import PREFIXES, Field, Record, schema

BIN_DAYS = 15
LATE = ContextVar("late", default=False)
"""Whether a transaction is still open while this request is answered: what changed last is not seen yet."""
_LONGEST_TRANSACTION = timedelta(minutes=10)


@dataclass
class Found:
    """Records that a query found, waiting to be fetched: `fields` are the paths that were asked."""

    object: str
    fields: tuple[str, ...]
    records: list[Record]
    scope: str


@dataclass
class Job:
    """A Bulk query job; it is complete after so many looks at it."""

    operation: str
    query: str
    found: Found
    looks: int = 0
    failed: bool = False
    locators: dict[str, int] = field(default_factory=dict)


class Org:
    """One org. Records are replaced when they change, never altered; safe between threads.

    clock: time of changes and deletions. page_sizes: records per REST page, one after the other; no promise is made.
    """

    def __init__(self, clock: Callable[[], datetime], page_sizes: Iterable[int] = (2000,)) -> None:
        self.clock = clock
        self.lock = RLock()
        self.schema = schema()
        self.asked: list[str] = []
        """Path and query of each query and each page that was answered."""
        self.before_answer: Callable[[str], None] = lambda object_: None
        """Called with the object before a page of it is answered; a test may change things here."""
        self.allowance, self.used = 100_000, 0
        """Requests a day, and those that were made; all are refused once it is used up."""
        self.looks_until_complete = 2
        self.largest_deletion_list = 600_000
        self.deletions_known_since: datetime | None = None
        """Since when the log of deletions was not emptied; a question that reaches further back is refused."""
        self.not_in_bulk: set[str] = set()
        """Objects of which Bulk jobs are refused."""
        self.locators: dict[str, tuple[Found, int]] = {}
        self.jobs: dict[str, Job] = {}
        self.purged: list[tuple[str, str, datetime]] = []
        """Object, id and time of records that left the recycle bin."""
        self._tables: dict[str, dict[str, Record]] = {name: {} for name in self.schema}
        self._uncommitted: list[tuple[str, Record]] = []
        self._page_sizes = cycle(page_sizes)
        self._tokens: dict[str, bool] = {}
        self._counted = 0

    def load(self, object_: str, records: Iterable[Record]) -> None:
        """Put records in with their own times; texts become times where the field is one."""
        with self.lock:
            self._tables[object_].update((each["Id"], self._typed(object_, each)) for each in records)

    def commit_late(self, object_: str, record: Record) -> None:
        """A record that has its time stamp already but that nobody sees before `commit`."""
        self._uncommitted.append((object_, record))

    def commit(self) -> None:
        """End the open transactions."""
        waiting, self._uncommitted = self._uncommitted, []
        for object_, record in waiting:
            self.load(object_, [record])

    def committed(self, object_: str) -> list[Record]:
        """Every record that this request may see: without the latest change, while its transaction is open."""
        records = self.all(object_)
        if not LATE.get():
            return records
        stamped = [each for each in records if each.get("SystemModstamp")]
        last = max((each["SystemModstamp"] for each in stamped), default=None)
        hidden = last is not None and last > self.clock() - _LONGEST_TRANSACTION
        return [each for each in records if not (hidden and each.get("SystemModstamp") == last)]

    def all(self, object_: str) -> list[Record]:
        """Every record of an object, deleted ones too."""
        with self.lock:
            return list(self._tables[object_].values())

    def find(self, object_: str, id_: str) -> Record | None:
        """By id of 15 or 18 characters."""
        with self.lock:
            table = self._tables.get(object_, {})
            return table.get(id_) or next((each for key, each in table.items() if key[:15] == id_), None)

    def touch(self, object_: str, id_: str, **changes: Any) -> Record:  # noqa: ANN401  field values
        """Change fields now."""
        with self.lock:
            now = self.clock().astimezone(UTC).replace(microsecond=0)
            stamps: Record = {
                name: now for name in ("SystemModstamp", "LastModifiedDate") if name in self.schema[object_]
            }
            changed = self._typed(object_, {**self._tables[object_][id_], **stamps, **changes})
            self._tables[object_][id_] = changed
            return changed

    def recalculate(self, object_: str, id_: str, **changes: Any) -> None:  # noqa: ANN401  field values
        """A formula gives another value: no stamp tells."""
        with self.lock:
            self._tables[object_][id_] = self._typed(object_, {**self._tables[object_][id_], **changes})

    def delete(self, object_: str, id_: str) -> None:
        """Into the recycle bin."""
        self.touch(object_, id_, IsDeleted=True)

    def merge(self, object_: str, loser: str, master: str) -> None:
        """The loser is deleted and says who took its place."""
        self.touch(object_, loser, IsDeleted=True, MasterRecordId=master)

    def purge(self, object_: str, id_: str) -> None:
        """Out of the recycle bin: from now on only getDeleted tells of it."""
        with self.lock:
            gone = self._tables[object_].pop(id_)
            at = gone.get("SystemModstamp") if gone.get("IsDeleted") else self.clock()
            self.purged.append((object_, id_, (at or self.clock()).replace(microsecond=0)))

    def vanish(self, object_: str, id_: str) -> None:
        """Gone so long ago that nothing tells of it any more."""
        with self.lock:
            del self._tables[object_][id_]

    def deletions(self, object_: str) -> list[tuple[str, datetime]]:
        """Id and time of everything deleted in the last 15 days."""
        earliest = self.clock() - timedelta(days=BIN_DAYS)
        told = [(id_, at) for named, id_, at in self.purged if named == object_]
        stamp = "SystemModstamp" if "SystemModstamp" in self.schema[object_] else "LastModifiedDate"
        told += [(each["Id"], each[stamp]) for each in self.all(object_) if each.get("IsDeleted")]
        return sorted((each for each in told if each[1] >= earliest), key=lambda each: (each[1], each[0]))

    def value(self, object_: str, record: Record, path: str) -> Any:  # noqa: ANN401  a field value
        """The value at a path, through related records; None where the path ends early."""
        name, _, rest = path.partition(".")
        if not rest:
            told = self.schema.get(object_, {}).get(name)
            unticked = record.get(name) is None and told is not None and told.type == "boolean"
            return False if unticked else record.get(name)
        referring = self.referring(object_, name)
        target = record.get(referring.name) if referring else None
        if referring is None or not target:
            return None
        named = referring.refers_to[0] if len(referring.refers_to) == 1 else PREFIXES.get(target[:3], "")
        if rest == "Type" and len(referring.refers_to) > 1:
            return named
        related = self.find(named, target)
        return self.value(named, related, rest) if related else None

    def referring(self, object_: str, relationship: str) -> Field | None:
        """The field behind a relationship."""
        fields = self.schema.get(object_, {}).values()
        return next((each for each in fields if each.relationship == relationship), None)

    def field(self, object_: str, path: str) -> Field | None:
        """The field at a path; None if the org has none."""
        name, _, rest = path.partition(".")
        if not rest:
            return self.schema.get(object_, {}).get(name)
        referring = self.referring(object_, name)
        if referring is None:
            return None
        if len(referring.refers_to) > 1:
            return Field(f"{rest}:string") if rest in {"Type", "Name"} else None
        return self.field(referring.refers_to[0], rest)

    def page_size(self) -> int:
        """How many records the next page holds at most."""
        return next(self._page_sizes)

    def keep(self, found: Found, place: int) -> str:
        """A locator for the rest of what was found."""
        with self.lock:
            locator = f"01g{self.number():012d}-{place}"
            self.locators[locator] = (found, place)
            return locator

    def number(self) -> int:
        """The next number of this org; nothing is drawn, so that runs repeat."""
        with self.lock:
            self._counted += 1
            return self._counted

    def forget_locators(self) -> None:
        """As when a session ends or two days pass."""
        with self.lock:
            self.locators.clear()
            for job in self.jobs.values():
                job.locators.clear()

    def issue_token(self) -> str:
        """A new session."""
        with self.lock:
            token = f"00Dsandbox!token{self.number():06d}"
            self._tokens[token] = False
            return token

    def knows(self, token: str) -> bool:
        """Whether the session is open."""
        with self.lock:
            known = token in self._tokens
            if known:
                self._tokens[token] = True
            return known

    def end_used_session(self, token: str) -> None:
        """End a session, unless nobody has used it yet: it cannot be old."""
        with self.lock:
            if self._tokens.get(token):
                del self._tokens[token]

    def end_all_sessions(self) -> None:
        """As an administrator does."""
        with self.lock:
            self._tokens.clear()

    def lack(self, *objects: str) -> None:
        """An org without the licence for these objects: neither they nor fields that refer to them are there."""
        for object_ in objects:
            self.schema.pop(object_, None)
            self._tables.pop(object_, None)
        for fields in self.schema.values():
            for name in [each.name for each in fields.values() if set(each.refers_to) & set(objects)]:
                del fields[name]

    def _typed(self, object_: str, record: Record) -> Record:
        return {"IsDeleted": False, **dict(self._values(object_, record))}

    def _values(self, object_: str, record: Record) -> Iterator[tuple[str, Any]]:
        fields = self.schema[object_]
        for name, value in record.items():
            if name not in fields:
                raise KeyError(f"{object_} has no field {name}")
            is_time = fields[name].type == "datetime" and isinstance(value, str)
            yield name, datetime.fromisoformat(value) if is_time and value[:1].isdigit() else value
