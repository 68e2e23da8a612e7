"""The CRM's change feed: pages behind an opaque cursor that may be forgotten or told again on the way."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.aptos.source_map import Feed
from connectors.http import Answer, Door
from connectors.payload import canonical, read_path
from models.errors import OutsideError, Rejected, TryLater
from models.landing import Window

_REMEMBERED = 100_000
_OVERLAP = timedelta(minutes=10)
_PATIENCE = 5


@dataclass(frozen=True, slots=True)
class Stretch:
    """The new items of one answer."""

    items: list[Any]
    """JSON objects, or what stands in place of one."""
    correlation_id: str


@dataclass
class Walk:
    """One way through the feed of an object: where it stands, and what it has told.

    changed_at: the moment of change of an item, None where it tells none.
    """

    door: Door
    feed: Feed
    name: str
    window: Window
    page_size: int
    changed_at: Callable[[Any], datetime | None]
    cursor: str | None = None
    latest: datetime | None = None
    idle: int = 0
    """Answers in succession that led nowhere."""
    told: "OrderedDict[bytes, None]" = field(default_factory=OrderedDict)
    """Digests of the latest items. An older one that came again would be known to the ledger by its content."""
    followed: set[str] = field(default_factory=set)

    def stretches(self) -> Iterator[Stretch]:
        """Every change of the window, each once. Raises what a Door raises, Rejected or TryLater without a way on."""
        while True:
            answer = self._ask()
            if answer is None:
                continue
            items = _items(answer, self.feed)
            new = [item for item in items if self._first_time(item)]
            inside = [item for item in new if self._is_inside(item)]
            if inside:
                yield Stretch(inside, answer.correlation_id)
            if not read_path(answer.json(), self.feed.more_from) or self._is_beyond(items):
                return
            self._go_on(answer, len(new))

    def _ask(self) -> Answer | None:
        """The next answer; None if the CRM has forgotten the cursor, so that the walk starts again a little earlier."""
        params: dict[str, str | int] = {self.feed.limit: self.page_size}
        if self.cursor is not None:
            params[self.feed.cursor] = self.cursor
        elif self._since() is not None:
            params[self.feed.since] = _stamp(self._since())
        try:
            answer = self.door.get(self.feed.path.format(feed=self.name), params=params)
        except OutsideError as error:
            if self.cursor is None or error.code not in self.feed.expired:
                raise
            self._start_again(error)
            return None
        if answer.status >= 400:
            raise Rejected(f"{answer.asked}: answered {answer.status}", code=str(answer.status))
        return answer

    def _since(self) -> datetime | None:
        if self.latest is None:
            return self.window.since
        earlier = self.latest - _OVERLAP
        return earlier if self.window.since is None else max(earlier, self.window.since)

    def _start_again(self, error: OutsideError) -> None:
        self.cursor, self.idle = None, self.idle + 1
        self.followed.clear()
        if self.idle > _PATIENCE:
            raise TryLater("aptos: the feed forgets its cursors before they can be used", code=error.code) from error

    def _first_time(self, item: Any) -> bool:  # noqa: ANN401 - any JSON value
        digest = hashlib.sha256(canonical(item).encode()).digest()[:16]
        known = digest in self.told
        self.told[digest] = None
        self.told.move_to_end(digest)
        if len(self.told) > _REMEMBERED:
            self.told.popitem(last=False)
        at = self.changed_at(item)
        if at is not None:
            self.latest = at if self.latest is None else max(at, self.latest)
        return not known

    def _is_inside(self, item: object) -> bool:
        """What tells no moment, or none that can be read, is handed on: it will be refused, and seen."""
        at = self.changed_at(item)
        return at is None or self.window.holds(at)

    def _is_beyond(self, items: list[Any]) -> bool:
        """A whole page after the window: what follows belongs to the next one, which begins with an overlap."""
        moments = [self.changed_at(item) for item in items]
        return bool(moments) and all(at is not None and at >= self.window.until for at in moments)

    def _go_on(self, answer: Answer, new: int) -> None:
        following = read_path(answer.json(), self.feed.cursor_from)
        if not isinstance(following, str) or not following:
            raise Rejected(
                f"{answer.asked}: says that there is more, but not where", correlation_id=answer.correlation_id
            )
        self.idle = 0 if new else self.idle + (following in self.followed)
        if self.idle > _PATIENCE:
            message = f"{answer.asked}: the feed goes round in circles"
            raise TryLater(message, correlation_id=answer.correlation_id, code="circular_feed")
        self.followed.add(following)
        self.cursor = following


def _items(answer: Answer, feed: Feed) -> list[Any]:
    found = read_path(answer.json(), feed.items)
    if not isinstance(found, list):
        raise Rejected(f"{answer.asked}: answered without a list of items", correlation_id=answer.correlation_id)
    return found


def _stamp(moment: datetime | None) -> str:
    assert moment is not None
    return moment.isoformat().replace("+00:00", "Z")
