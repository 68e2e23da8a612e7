"""Reading on by keyset, never by page number: pages of what comes after the row that was read last.

A page past the end repeats the last one and deep pages time out, so each request asks for the first page of the rest,
and the end is where `total_count` says that nothing is left.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connectors.http import Answer, Door
from connectors.magento.criteria import Filter, Group, query
from connectors.magento.faultwords import is_no_route
from connectors.magento.payloads import told_time
from connectors.magento.rows import Row, answered
from connectors.magento.terms import Terms
from models.errors import OutsideError, Rejected, TryLater
from models.landing import Window

log = logging.getLogger(__name__)

_DAY, _HOUR, _NO_TIME = timedelta(days=1), timedelta(hours=1), timedelta()
_LARGEST_ID = 2**31 - 1
_BROKEN_IN_A_ROW = 25
"""With more of them it is not the rows that are to blame."""
_BREAKS_A_PAGE = {"404", "500"}
"""How a shop answers to a page because of one row on it, however often it is asked."""
_TOO_MUCH = {"502", "503", "504", "ReadTimeout"}
"""How a shop, or what stands before it, answers to a page that takes too long."""


@dataclass(frozen=True)
class Listing:
    """A searchable list: its path, and by which words rows tell and searches ask for an id and the time of a change."""

    path: str
    told_id: str = "entity_id"
    asked_id: str = "entity_id"
    changed: str = "updated_at"


@dataclass(frozen=True)
class Found:
    """One answer of a search."""

    asked: str
    correlation_id: str
    rows: tuple[Row, ...] = ()
    total: int = 0
    """How many rows there were to find, these included."""
    unloadable: tuple[int, ...] = ()
    """Ids of rows that the shop has, and cannot load."""

    @property
    def is_last(self) -> bool:
        """Whether nothing is left behind these rows."""
        return not self.unloadable and self.total <= len(self.rows)


class _Place(NamedTuple):
    """The row that was read last: its change as the shop told it, and its id."""

    changed: datetime
    number: int


class _NoPage(Exception):
    """The list is there and this page of it cannot be had: a row on it cannot be loaded, or it takes too long."""

    def __init__(self, trouble: OutsideError) -> None:
        super().__init__()
        self.trouble = trouble

    @property
    def is_broken(self) -> bool:
        """Whether a row is to blame. What merely takes too long may go well another time: it is never given up."""
        return self.trouble.code in _BREAKS_A_PAGE


class Lists:
    """The searchable lists of one shop. filter_zone: in which zone the shop reads the times of filters."""

    def __init__(self, door: Door, *, page_size: int, terms: Terms, filter_zone: str) -> None:
        self._door = door
        self._page_size = page_size
        self._terms = terms
        self._filter_zone = filter_zone
        self._plain: set[str] = set()
        """Paths whose answers to an `or` cannot be trusted."""
        self._sizes: dict[str, int] = {}
        """Page sizes of paths whose pages took too long at the usual size."""

    def changed(self, listing: Listing, window: Window, scope: tuple[Group, ...]) -> Iterator[Found]:
        """Pages of a window, in the order of changes; in that of ids if it has no beginning, or if clocks jump.

        Each holds only rows of the window, and those whose change cannot be read. A shop whose times are not UTC has
        an hour in a year that comes twice, and in it nothing is before or after.
        """
        clocks_jump = {self._terms.time_zone, self._filter_zone} != {"UTC"}
        slack = _HOUR if clocks_jump else _NO_TIME
        fixed = (*scope, self._bound(listing, "lteq", window.until + slack))
        if window.since is None:
            pages = self._by_id(listing, fixed)
        elif clocks_jump:
            pages = self._by_id(listing, (*fixed, self._bound(listing, "gteq", window.since - slack)))
        else:
            pages = self._by_change(listing, fixed, self._bound(listing, "gteq", window.since))
        for found in pages:
            yield replace(found, rows=self._held(listing, found, window))

    def known(
        self, listing: Listing, numbers: Sequence[int], fields: str | None = None, scope: tuple[Group, ...] = ()
    ) -> Iterator[Found]:
        """The rows with these ids, whenever they changed, in as many requests as it takes. What is gone is not there.

        `unloadable` of the pages names those that are there, and cannot be had. Raises Rejected if the shop does not
        answer for these ids and no others: nobody could tell then which of them are gone.
        """
        size = self._size(listing)
        for at in range(0, len(numbers), size):
            yield from self._known(listing, numbers[at : at + size], fields, scope)

    def _known(
        self, listing: Listing, numbers: Sequence[int], fields: str | None, scope: tuple[Group, ...]
    ) -> Iterator[Found]:
        among = (Filter(listing.asked_id, "in", ",".join(map(str, numbers))),)
        try:
            found = self._search(listing, (*scope, among), (listing.asked_id,), len(numbers), fields=fields)
        except _NoPage as no:
            middle = len(numbers) // 2
            if middle:
                yield from self._known(listing, numbers[:middle], fields, scope)
                yield from self._known(listing, numbers[middle:], fields, scope)
            elif no.is_broken:
                yield _unloadable(listing, numbers[0], no)
            else:
                raise no.trouble from None
        else:
            told = [row.told.get(listing.told_id) for row in found.rows]
            if found.total != len(found.rows) or not {_number(one) for one in told} <= set(numbers):
                raise _unheeded(found)
            yield found

    def _by_id(self, listing: Listing, fixed: tuple[Group, ...]) -> Iterator[Found]:
        last, broken = 0, 0
        while True:
            # Behind a row that is broken another often is: it costs least to meet it alone.
            found = self._after_number(listing, fixed, last, 1 if broken else self._size(listing))
            broken = broken + 1 if found.unloadable else 0
            if broken > _BROKEN_IN_A_ROW:
                raise Rejected(f"{found.asked}: too many rows in a row cannot be loaded", code="broken_rows")
            if found.rows or found.unloadable:
                yield found
            if found.is_last:
                return
            last = _advanced(listing, found, last)

    def _after_number(self, listing: Listing, fixed: tuple[Group, ...], last: int, size: int) -> Found:
        """The page after this id; a smaller one, down to one row, if the page cannot be had.

        Of a single row that cannot be had there is the id, at least.
        """
        groups = (*fixed, _after_id(listing, last))
        while True:
            try:
                return self._search(listing, groups, (listing.asked_id,), size)
            except _NoPage as no:
                if size == 1:
                    return self._broken(listing, groups, last, no)
                size = max(size // 4, 1)
                if not no.is_broken:
                    self._sizes[listing.path] = size

    def _broken(self, listing: Listing, groups: tuple[Group, ...], last: int, no: _NoPage) -> Found:
        """The first row behind `last`, which cannot be loaded; there may be more behind it."""
        if not no.is_broken:
            raise no.trouble from None
        number = self._first(listing, groups, last)
        log.error("magento: %s has row %d, which the shop cannot load; it is not landed", listing.path, number)
        return _unloadable(listing, number, no)

    def _first(self, listing: Listing, groups: tuple[Group, ...], last: int) -> int:
        """The id of the first row behind `last`, by halving: a search that ends before that row can be answered."""
        low, high = last, last + 1
        while not self._breaks(listing, groups, high):
            low, high = high, last + 2 * (high - last)
            if low > _LARGEST_ID:
                raise TryLater(f"magento: GET /{listing.path}: a page comes and goes", code="unsteady")
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._breaks(listing, groups, middle) else (middle, high)
        return high

    def _breaks(self, listing: Listing, groups: tuple[Group, ...], upto: int) -> bool:
        """Whether the first row cannot be had when no row behind this id is asked for."""
        try:
            self._search(listing, (*groups, (Filter(listing.asked_id, "lteq", str(upto)),)), (listing.asked_id,), 1)
        except _NoPage as no:
            if not no.is_broken:
                raise no.trouble from None
            return True
        return False

    def _by_change(self, listing: Listing, fixed: tuple[Group, ...], since: Group) -> Iterator[Found]:
        try:
            yield from self._in_order_of_change(listing, fixed, since)
        except _NoPage:
            yield from self._by_id(listing, (*fixed, since))

    def _in_order_of_change(self, listing: Listing, fixed: tuple[Group, ...], since: Group) -> Iterator[Found]:
        found = self._search(listing, (*fixed, since), (listing.changed, listing.asked_id))
        while found.rows:
            yield found
            place = self._place(listing, found)
            if found.is_last and listing.path not in self._plain:
                return
            found = self._after(listing, fixed, place, found.total - len(found.rows))

    def _after(self, listing: Listing, fixed: tuple[Group, ...], place: _Place, expected: int) -> Found:
        """The page after this place, in one request if the shop understands it.

        A shop that reads `or` as `and`, or drops it, gives itself away: rows are missing, or come again. Then two plain
        requests do, now and for the rest of the path. Rows that were changed in between are missing too; that costs no
        more than the second request.
        """
        at, order = _written(place.changed), (listing.changed, listing.asked_id)
        if listing.path not in self._plain:
            either = (Filter(listing.changed, "gt", at), Filter(listing.asked_id, "gt", str(place.number)))
            groups = (*fixed, (Filter(listing.changed, "gteq", at),), either)
            found = self._search(listing, groups, order)
            if found.total >= expected and self._is_after(listing, place, found):
                return found
            log.warning("magento: %s is read on by two requests per page: its answer was not whole", listing.path)
            self._plain.add(listing.path)
        same = (*fixed, (Filter(listing.changed, "eq", at),), _after_id(listing, place.number))
        found = self._search(listing, same, (listing.asked_id,))
        if not found.rows:
            found = self._search(listing, (*fixed, (Filter(listing.changed, "gt", at),)), order)
        if not self._is_after(listing, place, found):
            raise _no_progress(found)
        return found

    def _is_after(self, listing: Listing, place: _Place, found: Found) -> bool:
        return all(one > place for one in _places(listing, found))

    def _place(self, listing: Listing, found: Found) -> _Place:
        """Where the page ended. Rows that cannot be read are refused later; they cannot say where we are."""
        places = _places(listing, found)
        if not places:
            raise _no_progress(found)
        return max(places)

    def _size(self, listing: Listing) -> int:
        return self._sizes.get(listing.path, self._page_size)

    def _search(
        self,
        listing: Listing,
        groups: tuple[Group, ...],
        order: Sequence[str],
        size: int | None = None,
        page: int = 1,
        fields: str | None = None,
    ) -> Found:
        """One page. Raises _NoPage if it cannot be had although the list is there."""
        asked = query(groups, order=order, page_size=size or self._size(listing), page=page, fields=fields)
        try:
            answer = self._door.get(f"{listing.path}?{asked}")
        except TryLater as trouble:
            if trouble.code not in _BREAKS_A_PAGE | _TOO_MUCH:
                raise
            raise self._no_page(listing, trouble) from None
        if answer.status == 404:
            raise self._no_page(listing, _not_found(answer))
        return _found_in(answer)

    def _no_page(self, listing: Listing, trouble: OutsideError) -> _NoPage:
        """Raises the trouble itself unless the list, asked for what it does not have, is there and says so."""
        nobody = query((_after_id(listing, _LARGEST_ID),), order=(listing.asked_id,), page_size=1)
        try:
            is_there = self._door.get(f"{listing.path}?{nobody}").status != 404
        except TryLater:
            is_there = False
        if not is_there:
            raise trouble
        return _NoPage(trouble)

    def _bound(self, listing: Listing, condition: str, at: datetime) -> Group:
        """A bound in the zone in which the shop reads it; to the second, which is the grain of its times."""
        return (Filter(listing.changed, condition, _written(at.astimezone(ZoneInfo(self._filter_zone)))),)

    def _held(self, listing: Listing, found: Found, window: Window) -> tuple[Row, ...]:
        """The page's rows that belong to the window; those without a readable date do, and are refused later.

        Raises Rejected if the page shows that the filter was not applied, or in another zone than the settings say.
        """
        dated = [(row, self._terms.moment(_readable(row.told.get(listing.changed)))) for row in found.rows]
        if window.since and any(at is not None and at < window.since.astimezone(UTC) - _DAY for _, at in dated):
            message = f"{found.asked}: the filter on {listing.changed} was not applied"
            raise Rejected(message, correlation_id=found.correlation_id, code="filter_ignored")
        return tuple(row for row, at in dated if at is None or window.holds(at))


def _found_in(answer: Answer) -> Found:
    rows, total = answered(answer)
    return Found(answer.asked, answer.correlation_id, rows, total)


def _unloadable(listing: Listing, number: int, no: _NoPage) -> Found:
    return Found(f"magento: GET /{listing.path}", no.trouble.correlation_id or "", unloadable=(number,))


def _after_id(listing: Listing, last: int) -> Group:
    return (Filter(listing.asked_id, "gt", str(last)),)


def _places(listing: Listing, found: Found) -> list[_Place]:
    dated = ((_readable(row.told.get(listing.changed)), row.told.get(listing.told_id)) for row in found.rows)
    return [_Place(at, number) for at, number in dated if at is not None and isinstance(number, int)]


def _advanced(listing: Listing, found: Found, last: int) -> int:
    """The last id of the page. Raises Rejected if the shop did not heed the filter: its pages would never end."""
    ids = [
        *found.unloadable,
        *(number for row in found.rows if isinstance(number := row.told.get(listing.told_id), int)),
    ]
    if not ids or min(ids) <= last:
        raise _no_progress(found)
    return max(ids)


def _number(told: object) -> int | None:
    return told if isinstance(told, int) else None


def _not_found(answer: Answer) -> Rejected:
    code = "no_route" if is_no_route(answer) else "404"
    return Rejected(f"{answer.asked}: not found", correlation_id=answer.correlation_id, code=code)


def _no_progress(found: Found) -> Rejected:
    message = f"{found.asked}: the page does not go on behind what was read before"
    return Rejected(message, correlation_id=found.correlation_id, code="no_progress")


def _unheeded(found: Found) -> Rejected:
    message = f"{found.asked}: asked for some ids, it answered for others"
    return Rejected(message, correlation_id=found.correlation_id, code="filter_ignored")


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def _readable(told: object) -> datetime | None:
    try:
        return told_time(told)
    except ValueError:
        return None
