"""commercetools over HTTP: the token, the walk through what changed, the words of its errors. No translation."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pydantic import SecretStr

from connectors.http import Answer, Door, by_status
from connectors.sign_in import client_credentials, token_error
from models.errors import Contradicted, OutsideError, Rejected, SignInAgain, TryLater
from models.landing import Window

VENDOR = "commercetools"
LARGEST_PAGE = 500
_SMALLEST_PAGE = 25
LARGEST_BY_ID = 100
"""A query by so many ids still fits into an address."""
_DEFAULT_KEPT = timedelta(days=15)
_SORT = (("sort", "lastModifiedAt asc"), ("sort", "id asc"))
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands: after this resource in the order (lastModifiedAt, id)."""

    modified_at: str
    id: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """The resources of one answer, as parsed JSON."""

    resources: list[Any]
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Which messages a project keeps: none while they are switched off, else those younger than `for_`."""

    on: bool
    for_: timedelta


class Api:
    """One project. Safe to use from several threads."""

    def __init__(self, door: Door, project_key: str, page_size: int = LARGEST_PAGE) -> None:
        self._door = door
        self._project = f"/{project_key}"
        self._page_size = page_size

    def changed(self, resource: str, window: Window, *narrowed: str) -> Iterator[Stretch]:
        """Walk the resources (`customers`, `orders` ...) that changed in the window, oldest change first.

        narrowed: further predicates, all of which hold.

        The walk goes by (lastModifiedAt, id) and never by offset: a resource that changes meanwhile moves to the end
        instead of pushing another one over the edge of a page. It may then be told twice, in its old and new state.
        Raises what a Door raises, and Rejected for an answer through which no walk can go on.
        """
        size, place = self._page_size, None
        while True:
            answer, size = self._ask(resource, (*narrowed, within(window)), place, size)
            found = _results(answer)
            if found:
                yield Stretch(found, answer.correlation_id)
            if len(found) < size:
                return
            place = _further(answer, found, place)

    def named(self, resource: str, ids: Sequence[str]) -> Stretch:
        """Those of at most LARGEST_BY_ID resources that there are. Raises like `changed`."""
        params = (("limit", len(ids)), ("withTotal", "false"), ("where", among(ids)))
        answer = self._door.get(f"{self._project}/{resource}", params=params)
        return Stretch(_results(answer), answer.correlation_id)

    def kept(self) -> Kept:
        """What the project's settings say about messages. Raises what a Door raises."""
        told = self._door.get(self._project).json()
        messages = told.get("messages") if isinstance(told, dict) else None
        said = messages if isinstance(messages, dict) else {}
        days = said.get("deleteDaysAfterCreation")
        return Kept(said.get("enabled") is True, timedelta(days=days) if isinstance(days, int) else _DEFAULT_KEPT)

    def _ask(self, resource: str, inside: tuple[str, ...], place: Place | None, size: int) -> tuple[Answer, int]:
        """One page and the size it was asked with: a query that times out is asked again for fewer resources."""
        where = tuple(("where", each) for each in (*inside, *((beyond(place),) if place else ())))
        while True:
            params = (*_SORT, ("limit", size), ("withTotal", "false"), *where)
            try:
                return self._door.get(f"{self._project}/{resource}", params=params), size
            except TryLater as error:
                if error.code != "QueryTimedOut" or size // 2 < _SMALLEST_PAGE:
                    raise
                size //= 2


def open_door(
    *,
    api_url: str,
    auth_url: str,
    client_id: str,
    client_secret: SecretStr,
    scope: str,
    per_second: float | None,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Door:
    """The API host, signed in by client credentials. Nothing is asked yet. Raises ValueError for one without TLS."""
    tokens = Door(auth_url, vendor=VENDOR, clock=clock, sleep=sleep, classify=token_error)
    sign_in = client_credentials(
        tokens, "/oauth/token", client_id=client_id, client_secret=client_secret, scope=scope, clock=clock
    )
    return Door(
        api_url,
        vendor=VENDOR,
        clock=clock,
        sleep=sleep,
        sign_in=sign_in,
        classify=meaning,
        per_second=per_second,
        headers={"Accept": "application/json"},
    )


def within(window: Window) -> str:
    """The predicate of a window: since <= lastModifiedAt < until."""
    until = f'lastModifiedAt < "{stamp(window.until)}"'
    return until if window.since is None else f'lastModifiedAt >= "{stamp(window.since)}" and {until}'


def beyond(place: Place) -> str:
    """The predicate of everything after a place in the walk."""
    at = place.modified_at
    return f'lastModifiedAt > "{at}" or (lastModifiedAt = "{at}" and id > "{place.id}")'


def among(ids: Sequence[str]) -> str:
    """The predicate of these ids."""
    return f"id in ({', '.join(map(quoted, ids))})"


def quoted(value: str) -> str:
    """A text as predicates write it, whatever it holds."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def stamp(moment: datetime) -> str:
    """`2026-03-14T08:15:30.125Z`: always UTC, always milliseconds, rounded up.

    The vendor keeps milliseconds, so that for its times `t >= moment` and `t >= stamp(moment)` are the same.
    """
    whole = moment.astimezone(UTC)
    rest = whole.microsecond % 1000
    if rest:
        whole += _MILLISECOND - timedelta(microseconds=rest)
    return whole.strftime("%Y-%m-%dT%H:%M:%S.") + f"{whole.microsecond // 1000:03d}Z"


def meaning(answer: Answer) -> OutsideError | None:
    """What an answer means; None if it is good. Carries the vendor's codes, never its messages: they quote values."""
    error = by_status(answer)
    if error is None:
        return (
            None if _is_json(answer) else TryLater(f"{answer.asked}: a gateway answered without JSON", code="gateway")
        )
    codes = _codes(answer)
    error.code = codes[0] if codes else error.code
    said = f"{answer.asked}: answered {answer.status} {' '.join(codes)}".rstrip()
    if "QueryTimedOut" in codes:
        return TryLater(said, code="QueryTimedOut")
    if answer.status == 403:
        return SignInAgain(said, code=error.code)
    if isinstance(error, (Rejected, Contradicted)):
        return type(error)(said, code=error.code)
    return error


def _is_json(answer: Answer) -> bool:
    return "json" in answer.headers.get("Content-Type", "")


def _codes(answer: Answer) -> list[str]:
    """Error codes such as `ConcurrentModification`, first the one that names the matter; none if it is not JSON."""
    try:
        told = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return []
    errors = told.get("errors") if isinstance(told, dict) else None
    listed = errors if isinstance(errors, list) else []
    codes = [each.get("code") for each in listed if isinstance(each, dict)]
    return [code for code in codes if isinstance(code, str) and code.isidentifier()]


def _results(answer: Answer) -> list[Any]:
    told = answer.json()
    found = told.get("results") if isinstance(told, dict) else None
    if not isinstance(found, list):
        raise Rejected(f"{answer.asked}: answered without results", correlation_id=answer.correlation_id)
    return found


def _further(answer: Answer, found: list[Any], before: Place | None) -> Place:
    """The place after this page: that of its last resource with a readable time and id."""
    place = next((place for place in map(_place, reversed(found)) if place is not None), None)
    if place is None or place == before:
        message = f"{answer.asked}: a full page that does not say where to go on"
        raise Rejected(message, correlation_id=answer.correlation_id)
    return place


def _place(resource: object) -> Place | None:
    if not isinstance(resource, dict):
        return None
    at, named = resource.get("lastModifiedAt"), resource.get("id")
    if not isinstance(at, str) or not isinstance(named, str) or '"' in named or "\\" in named:
        return None
    try:
        moment = datetime.fromisoformat(at)
        return Place(stamp(moment), named) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
