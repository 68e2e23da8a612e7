"""Reading on by keyset, never by page number: pages of what comes after the row that was read last.

A page past the end repeats the last one and deep pages time out, so each request asks for the first page of the rest,
and the end is where `total_count` says that nothing is left.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from connectors.http import Answer, Door
from connectors.magento.criteria import Filter, Group, query
from connectors.magento.payloads import told_time
from connectors.magento.terms import Terms
from models.errors import Rejected, TryLater
from models.landing import Window

log = logging.getLogger(__name__)

Payload = dict[str, Any]

CHANGED, ID = "updated_at", "entity_id"
_DAY, _HOUR, _NO_TIME = timedelta(days=1), timedelta(hours=1), timedelta()
_LARGEST_ID = 2**31 - 1
_BROKEN_IN_A_ROW = 10


@dataclass(frozen=True)
class Found:
    """One answer of a search."""

    answer: Answer
    items: list[Payload]
    total: int
    """How many rows there were to find, these included."""

    @property
    def is_last(self) -> bool:
        """Whether nothing is left behind these rows."""
        return not self.items or self.total <= len(self.items)


class _Place(NamedTuple):
    """The row that was read last: its change as the shop told it, and its id."""

    changed: datetime
    number: int


class _BrokenRow(Exception):
    """A row of the page cannot be loaded, and the shop answers 404 to the whole page."""


class Lists:
    """The searchable lists of one shop. filter_zone: in which zone the shop reads the times of filters."""

    def __init__(self, door: Door, *, page_size: int, terms: Terms, filter_zone: str) -> None:
        self._door = door
        self._page_size = page_size
        self._terms = terms
        self._filter_zone = filter_zone
        self._plain: set[str] = set()
        """Paths whose answers to an `or` cannot be trusted."""

    def changed(self, path: str, id_field: str, window: Window, scope: tuple[Group, ...]) -> Iterator[Found]:
        """Pages of a window, in the order of changes; in that of ids if it has no beginning, or if clocks jump.

        Each holds only rows of the window, and those whose change cannot be read. A shop whose times are not UTC has
        an hour in a year that comes twice, and in it nothing is before or after.
        """
        clocks_jump = {self._terms.time_zone, self._filter_zone} != {"UTC"}
        slack = _HOUR if clocks_jump else _NO_TIME
        fixed = (*scope, self._bound("lteq", window.until + slack))
        if window.since is None:
            pages = self._by_id(path, id_field, fixed)
        elif clocks_jump:
            pages = self._by_id(path, id_field, (*fixed, self._bound("gteq", window.since - slack)))
        else:
            pages = self._by_change(path, id_field, fixed, self._bound("gteq", window.since))
        for found in pages:
            yield Found(found.answer, self._held(found, window), found.total)

    def _by_id(self, path: str, id_field: str, fixed: tuple[Group, ...]) -> Iterator[Found]:
        last = 0
        while True:
            found = self._after_number(path, id_field, fixed, last)
            if not found.items:
                return
            yield found
            if found.is_last:
                return
            last = _advanced(found, id_field, last)

    def _after_number(self, path: str, id_field: str, fixed: tuple[Group, ...], last: int) -> Found:
        """The page after this id; a smaller one, down to one row, if the page holds a broken row."""
        groups, size = (*fixed, _after_id(last)), self._page_size
        while size > 0:
            try:
                return self._search(path, groups, (ID,), size)
            except _BrokenRow:
                size //= 4
        return self._past_broken(path, id_field, groups, last)

    def _past_broken(self, path: str, id_field: str, groups: tuple[Group, ...], last: int) -> Found:
        """The first row that can be read, behind rows that cannot; in their place a payload that will be refused."""
        log.error("magento: %s has a row behind %d that the shop cannot load; it is not landed", path, last)
        for page in range(2, 2 + _BROKEN_IN_A_ROW):
            try:
                found = self._search(path, groups, (ID,), 1, page)
            except _BrokenRow:
                continue
            if not found.items:
                break
            gap = {"broken_rows": {"after": last, "before": found.items[0].get(id_field)}}
            return Found(found.answer, [gap, *found.items], found.total - page + 2)
        return self._end_of_broken(path, id_field, groups[:-1], last)

    def _end_of_broken(self, path: str, id_field: str, groups: tuple[Group, ...], last: int) -> Found:
        """The list ends in rows that cannot be read: from its end, the first readable one was read already.

        Raises Rejected if it was not: then too many rows in a row are broken.
        """
        for page in range(1, 2 + _BROKEN_IN_A_ROW):
            try:
                found = self._search(path, groups, (f"-{ID}",), 1, page)
            except _BrokenRow:
                continue
            if found.items and found.items[0].get(id_field) == last:
                return Found(found.answer, [{"broken_rows": {"after": last, "before": None}}], 1)
            break
        raise Rejected(f"magento: GET /{path}: too many rows in a row cannot be loaded", code="404")

    def _by_change(self, path: str, id_field: str, fixed: tuple[Group, ...], since: Group) -> Iterator[Found]:
        try:
            yield from self._in_order_of_change(path, id_field, fixed, since)
        except _BrokenRow:
            yield from self._by_id(path, id_field, (*fixed, since))

    def _in_order_of_change(self, path: str, id_field: str, fixed: tuple[Group, ...], since: Group) -> Iterator[Found]:
        found = self._search(path, (*fixed, since), (CHANGED, ID))
        while found.items:
            yield found
            place = self._place(found, id_field)
            if found.is_last and path not in self._plain:
                return
            found = self._after(path, id_field, fixed, place, found.total - len(found.items))

    def _after(self, path: str, id_field: str, fixed: tuple[Group, ...], place: _Place, expected: int) -> Found:
        """The page after this place, in one request if the shop understands it.

        A shop that reads `or` as `and`, or drops it, gives itself away: rows are missing, or come again. Then two plain
        requests do, now and for the rest of the path. Rows that were changed in between are missing too; that costs no
        more than the second request.
        """
        at = _written(place.changed)
        if path not in self._plain:
            either = (Filter(CHANGED, "gt", at), Filter(ID, "gt", str(place.number)))
            groups = (*fixed, (Filter(CHANGED, "gteq", at),), either)
            found = self._search(path, groups, (CHANGED, ID))
            if found.total >= expected and self._is_after(place, found, id_field):
                return found
            log.warning("magento: %s is read on by two requests per page: its answer was not whole", path)
            self._plain.add(path)
        found = self._search(path, (*fixed, (Filter(CHANGED, "eq", at),), _after_id(place.number)), (ID,))
        if not found.items:
            found = self._search(path, (*fixed, (Filter(CHANGED, "gt", at),)), (CHANGED, ID))
        if not self._is_after(place, found, id_field):
            raise _no_progress(found)
        return found

    def _is_after(self, place: _Place, found: Found, id_field: str) -> bool:
        return all(one > place for one in self._places(found, id_field))

    def _search(
        self, path: str, groups: tuple[Group, ...], order: Sequence[str], size: int | None = None, page: int = 1
    ) -> Found:
        """One page. Raises _BrokenRow if it is not found although the list is there."""
        size = size or self._page_size
        answer = self._door.get(f"{path}?{query(groups, order=order, page_size=size, page=page)}")
        if answer.status != 404:
            return found_in(answer)
        if groups == (_after_id(_LARGEST_ID),):
            raise Rejected(f"{answer.asked}: not found", correlation_id=answer.correlation_id, code="404")
        self._search(path, (_after_id(_LARGEST_ID),), (ID,), 1)
        raise _BrokenRow

    def _place(self, found: Found, id_field: str) -> _Place:
        """Where the page ended. Rows that cannot be read are refused later; they cannot say where we are."""
        places = self._places(found, id_field)
        if not places:
            raise _no_progress(found)
        return max(places)

    def _places(self, found: Found, id_field: str) -> list[_Place]:
        dated = ((_readable(item.get(CHANGED)), item.get(id_field)) for item in found.items)
        return [_Place(at, number) for at, number in dated if at is not None and isinstance(number, int)]

    def _bound(self, condition: str, at: datetime) -> Group:
        """A bound in the zone in which the shop reads it; to the second, which is the grain of its times."""
        return (Filter(CHANGED, condition, _written(at.astimezone(ZoneInfo(self._filter_zone)))),)

    def _held(self, found: Found, window: Window) -> list[Payload]:
        """The page's rows that belong to the window; those without a readable date do, and are refused later.

        Raises Rejected if the page shows that the filter was not applied, or in another zone than the settings say.
        """
        dated = [(item, self._terms.moment(_readable(item.get(CHANGED)))) for item in found.items]
        if window.since and any(at is not None and at < window.since.astimezone(UTC) - _DAY for _, at in dated):
            message = f"{found.answer.asked}: the filter on {CHANGED} was not applied"
            raise Rejected(message, correlation_id=found.answer.correlation_id, code="filter_ignored")
        return [item for item, at in dated if at is None or window.holds(at)]


def found_in(answer: Answer) -> Found:
    """The rows of an answer. PHP tells a table without entries as a list."""
    told = answer.json() or {}
    items, total = (told.get("items"), told.get("total_count")) if isinstance(told, dict) else (None, None)
    if told and (not isinstance(total, int) or not isinstance(items, list | None)):
        message = f"{answer.asked}: expected items and total_count"
        raise TryLater(message, correlation_id=answer.correlation_id, code=str(answer.status))
    return Found(answer, [item for item in items or () if isinstance(item, dict)], total or 0)


def _after_id(last: int) -> Group:
    return (Filter(ID, "gt", str(last)),)


def _advanced(found: Found, id_field: str, last: int) -> int:
    """The last id of the page. Raises Rejected if the shop did not heed the filter: its pages would never end."""
    ids = [item[id_field] for item in found.items if isinstance(item.get(id_field), int)]
    if not ids or min(ids) <= last:
        raise _no_progress(found)
    return int(max(ids))


def _no_progress(found: Found) -> Rejected:
    message = f"{found.answer.asked}: the page does not go on behind what was read before"
    return Rejected(message, correlation_id=found.answer.correlation_id, code="no_progress")


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def _readable(told: object) -> datetime | None:
    try:
        return told_time(told)
    except ValueError:
        return None
