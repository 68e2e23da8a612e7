"""Salesforce over HTTP: the session, REST queries, Bulk 2.0 query jobs, getDeleted and describe. No translation."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Literal

from connectors.http import Answer, Door, Extras
from connectors.payload import Payload, read_path
from connectors.salesforce.answers import ABSENT, listed, meaning, wait_from
from connectors.salesforce.described import Described, described
from connectors.salesforce.rows import flat, from_csv
from connectors.salesforce.session import Session
from models.errors import Rejected, TryLater
from models.landing import Window

log = logging.getLogger(__name__)

VENDOR = "salesforce"
LARGEST_PAGE = 2000
Scope = Literal["query", "queryAll"]
"""queryAll also finds what lies in the recycle bin and what was merged away."""
_DELETIONS_REACH = timedelta(days=15) - timedelta(hours=1)
_SHORTEST = timedelta(minutes=1)
_TOLD_LATE = timedelta(hours=2)
"""The vendor names a time up to which it is sure; that is seldom older, and a full read finds what is."""
_NO_TIME = datetime.min  # noqa: DTZ901  a deletion is never told without a zone
_POLLS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records of one answer, flat."""

    rows: list[Payload]
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How we ask. page_size and bulk_page: records per answer. job_patience: seconds that a Bulk job may take."""

    page_size: int = LARGEST_PAGE
    bulk_page: int = 50_000
    job_patience: float = 7200.0


class Api:
    """One org. Nothing is asked before the first call. Safe to use from several threads."""

    def __init__(
        self,
        session: Session,
        *,
        version: str,
        reserve: float,
        pace: Pace,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._session = session
        self._root = f"/services/data/v{version}"
        self._pace = pace
        self._clock, self._sleep = clock, sleep
        self._wait_from = wait_from(reserve)
        self._lock = Lock()
        self._door: tuple[str, Door] | None = None
        self._described: dict[str, Described | None] = {}

    def describe(self, object_: str) -> Described | None:
        """The object, or None where the org does not have it or hides it from this user. Asked once."""
        if object_ not in self._described:
            try:
                told = self._get(f"{self._root}/sobjects/{object_}/describe").json()
                self._described[object_] = described(told)
            except Rejected as error:
                if error.code not in ABSENT:
                    raise
                self._described[object_] = None
            except (KeyError, TypeError) as error:
                raise Rejected(f"{VENDOR}: the description of {object_} cannot be read") from error
        return self._described[object_]

    def type_of(self, object_: str, path: str) -> str | None:
        """Type of a field, also of a related record's (`Program.Name`); None where the org lacks it or makes it up.

        A custom field that is a formula changes without a stamp: nobody may be recognised by it.
        """
        known = self.describe(object_)
        name, _, rest = path.partition(".")
        if known is None or not rest:
            field = known.fields.get(name) if known else None
            if field and field.custom and field.calculated:
                log.warning("%s: %s.%s is a formula and is not read: it changes without a stamp", VENDOR, object_, name)
                return None
            return field.type if field else None
        referring = known.referring(name)
        if referring is None:
            return None
        if len(referring.refers_to) != 1:
            return "string" if rest in {"Type", "Name"} and referring.refers_to else None
        return self.type_of(referring.refers_to[0], rest)

    def count(self, scope: Scope, soql: str) -> int:
        """How many records a `SELECT COUNT()` finds. Raises Rejected for an answer without a number."""
        answer = self._get(f"{self._root}/{scope}", params={"q": soql})
        told = answer.json()
        total = told.get("totalSize") if isinstance(told, dict) else None
        if not isinstance(total, int):
            raise Rejected(f"{answer.asked}: answered without totalSize", correlation_id=answer.correlation_id)
        return total

    def query(self, scope: Scope, soql: str) -> Iterator[Stretch]:
        """All pages of a REST query. Raises Rejected with code INVALID_QUERY_LOCATOR if the next one was forgotten."""
        options = {"Sforce-Query-Options": f"batchSize={self._pace.page_size}"}
        answer = self._get(f"{self._root}/{scope}", params={"q": soql}, headers=options)
        while True:
            rows = [flat(each) for each in listed(answer, "records") if isinstance(each, dict)]
            yield Stretch(rows, answer.correlation_id)
            told = answer.json()
            if told.get("done") is not False:
                return
            answer = self._get(_same_org(told.get("nextRecordsUrl"), answer))

    def bulk(self, scope: Scope, soql: str, object_: str) -> Iterator[Stretch]:
        """All pages of a Bulk 2.0 query job: start it, wait for it, follow its locators to the word `null`."""
        job = self._finished(self._started(scope, soql))
        locator: str | None = None
        while True:
            params: dict[str, str | int] = {"maxRecords": self._pace.bulk_page}
            params |= {"locator": locator} if locator else {}
            answer = self._get(f"{job}/results", params=params, headers={"Accept": "text/csv"})
            yield Stretch(_records(answer, object_), answer.correlation_id)
            locator = answer.headers.get("Sforce-Locator", "null")
            if locator == "null":
                return

    def blob(self, object_: str, id_: str, field: str) -> Answer:
        """The bytes of a base64 field. Raises Rejected for an id that is none: it would be part of the address."""
        if not id_.isalnum():
            raise Rejected(f"{VENDOR}: an id of {object_} is none", code="no_id")
        return self._get(f"{self._root}/sobjects/{object_}/{id_}/{field}", headers={"Accept": "*/*"})

    def deleted(self, object_: str, window: Window) -> Iterator[tuple[str, datetime, str]]:
        """Id, time and correlation id of each deletion before the window's end, those that left the recycle bin too.

        It reaches back before the window: a transaction that lasts long is told when it ends, under its earlier time.
        The vendor remembers about 15 days. What was deleted before is only found by a full read; a log line says so.
        """
        earliest = self._clock() - _DELETIONS_REACH
        since = window.since or earliest
        if since < earliest:
            self._warn_of_forgotten(object_)
        start = max(since - _TOLD_LATE, earliest).replace(second=0, microsecond=0)
        end = window.until.replace(second=0, microsecond=0) + _SHORTEST
        try:
            if start < end:
                yield from self._deleted_between(object_, start, end, window)
        except Rejected as error:
            if error.code != "INVALID_REPLICATION_DATE":  # its log of deletions was emptied since
                raise
            self._warn_of_forgotten(object_)

    def _warn_of_forgotten(self, object_: str) -> None:
        log.warning("%s: not all deletions of %s are remembered; a full read finds them", VENDOR, object_)

    def _deleted_between(
        self, object_: str, start: datetime, end: datetime, window: Window
    ) -> Iterator[tuple[str, datetime, str]]:
        """Halves the time until each answer is small enough for the vendor (EXCEEDED_ID_LIMIT)."""
        try:
            params = {"start": _plus(start), "end": _plus(end)}
            answer = self._get(f"{self._root}/sobjects/{object_}/deleted/", params=params)
        except Rejected as error:
            half = (start + (end - start) / 2).replace(second=0, microsecond=0)
            if error.code != "EXCEEDED_ID_LIMIT" or not start < half < end:
                raise
            yield from self._deleted_between(object_, start, half, window)
            yield from self._deleted_between(object_, half, end, window)
            return
        for id_, at in _deletions(answer):
            if start <= at < end and at < window.until:
                yield id_, at, answer.correlation_id

    def _started(self, scope: Scope, soql: str) -> str:
        """Path of a new job. One that is started twice costs a little and changes nothing."""
        answer = self._out().post_idempotent(f"{self._root}/jobs/query", json={"operation": scope, "query": soql})
        told = answer.json()
        job = told.get("id") if isinstance(told, dict) else None
        if not isinstance(job, str) or not job.isalnum():
            raise Rejected(f"{answer.asked}: answered without a job", correlation_id=answer.correlation_id)
        return f"{self._root}/jobs/query/{job}"

    def _finished(self, job: str) -> str:
        """The job's path, once it is complete."""
        waited, looks = 0.0, 0
        while True:
            answer = self._get(job)
            state = read_path(answer.json(), "state")
            if state == "JobComplete":
                return job
            if state in {"Failed", "Aborted"}:
                raise Rejected(f"{answer.asked}: the job {state}", correlation_id=answer.correlation_id, code=state)
            if waited >= self._pace.job_patience:
                raise TryLater(f"{answer.asked}: the job takes too long", correlation_id=answer.correlation_id)
            pause = _POLLS[min(looks, len(_POLLS) - 1)]
            self._sleep(pause)
            waited, looks = waited + pause, looks + 1

    def _get(self, path: str, **extras: Any) -> Answer:  # noqa: ANN401  see Extras
        asked: Extras = extras  # type: ignore[assignment]
        return self._out().get(path, **asked)

    def _out(self) -> Door:
        """The door to where the org lives now: a new session may name another host."""
        with self._lock:
            instance = self._session.instance_url()
            if self._door is None or self._door[0] != instance:
                self._door = (instance, self._door_to(instance))
            return self._door[1]

    def _door_to(self, instance: str) -> Door:
        try:
            return Door(
                instance,
                vendor=VENDOR,
                clock=self._clock,
                sleep=self._sleep,
                sign_in=self._session,
                classify=meaning,
                wait_from=self._wait_from,
                largest_answer=256 * 1024 * 1024,
                timeout=120.0,
                headers={"Accept": "application/json"},
            )
        except ValueError as error:
            raise Rejected(f"{VENDOR}: the org's address is not reached by https") from error


def _same_org(path: object, answer: Answer) -> str:
    """The path of the next page; an address elsewhere is not followed, the token would go along."""
    if not isinstance(path, str) or not path.startswith("/services/data/"):
        raise Rejected(f"{answer.asked}: does not say where to go on", correlation_id=answer.correlation_id)
    return path


def _records(answer: Answer, object_: str) -> list[Payload]:
    try:
        return list(from_csv(answer.content.decode("utf-8"), object_))
    except ValueError as error:
        raise Rejected(f"{answer.asked}: is not the CSV it should be", correlation_id=answer.correlation_id) from error


def _deletions(answer: Answer) -> list[tuple[str, datetime]]:
    """Id and time of each deletion. Raises Rejected for an answer that tells them otherwise."""
    try:
        found = [(each["id"], datetime.fromisoformat(each["deletedDate"])) for each in listed(answer, "deletedRecords")]
    except (KeyError, TypeError, ValueError):
        found = [("", _NO_TIME)]
    if not all(isinstance(id_, str) and at.tzinfo for id_, at in found):
        message = f"{answer.asked}: tells a deletion without its id or time"
        raise Rejected(message, correlation_id=answer.correlation_id)
    return found


def _plus(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
