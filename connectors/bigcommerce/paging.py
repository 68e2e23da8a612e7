"""How pages of a BigCommerce store are turned so that none is lost and none counted twice while the store changes.

Pages go by id (a cursor for v3, `min_id` for v2) wherever the vendor allows it: what changes while we read keeps its
place or leaves the window, and then the next window has it.
"""

import logging
from base64 import b64encode
from collections.abc import Iterator
from itertools import count
from typing import Any

from connectors.http import Answer, Door
from connectors.payload import read_path
from models.errors import Rejected, TryLater

log = logging.getLogger(__name__)

Payload = dict[str, Any]

_PART_PAGE = 250


class Pages:
    """The lists of one store. page_size: objects per page of the long ones."""

    def __init__(self, door: Door, page_size: int) -> None:
        self._door = door
        self.size = page_size

    def by_cursor(self, path: str, params: Payload) -> Iterator[Answer]:
        """By the vendor's cursor, in the order of ids. Where a page does not tell the cursor we form it as it does."""
        last = 0
        cursor: Payload = {}
        while told := items(answer := self._door.get(path, params={**params, "limit": self.size, **cursor})):
            last = _advanced(answer, told, last)
            yield answer
            told_cursor = read_path(answer.json(), "meta.cursor_pagination.end_cursor")
            cursor = {"after": told_cursor or b64encode(f"id:{last}".encode()).decode()}

    def by_least_id(self, path: str, params: Payload) -> Iterator[Answer]:
        """In the order of ids, each page from the last one's highest id on."""
        last = 0
        while told := items(answer := self._door.get(path, params={**params, "limit": self.size, "min_id": last + 1})):
            last = _advanced(answer, told, last)
            yield answer

    def backwards(self, path: str, params: Payload) -> Iterator[Answer]:
        """From the last page to the first: what leaves the window moves the rest towards pages still to be read.

        So nothing is skipped, and an object may come twice.
        """
        probe = self._door.get(path, params={**params, "limit": 1, "page": 1})
        total = _total(probe) if items(probe) else 0
        for page in range(-(-total // self.size), 0, -1):
            yield self._door.get(path, params={**params, "limit": self.size, "page": page})

    def forwards(self, path: str, params: Payload) -> Iterator[Answer]:
        """For what is only ever added, behind the end. A page past the end may be empty or repeat the last."""
        seen: set[str] = set()
        for page in count(1):
            answer = self._door.get(path, params={**params, "limit": self.size, "page": page})
            fresh = {str(item.get("id")) for item in items(answer)} - seen
            if not fresh:
                return
            seen |= fresh
            yield answer

    def whole(self, path: str, params: Payload | None = None) -> list[Payload]:
        """A short list whole, e.g. the parts of one order; empty if its owner is gone meanwhile.

        Some lists have no pages, whatever the page that is asked for: they tell the same once more. Some tell of more
        than they show; that is logged, for there is no other way to the rest.
        """
        found: list[Payload] = []
        before: list[Payload] = []
        for page in count(1):
            answer = self._door.get(path, params={**(params or {}), "limit": _PART_PAGE, "page": page})
            told = items(answer) if answer.status != 404 else []
            found += told if told != before else []
            if len(told) < _PART_PAGE or told == before:
                break
            before = told
        if answer.status == 200 and (total := _total(answer)) > len(found):
            log.warning("%s shows %d of %d [%s]", answer.asked, len(found), total, answer.correlation_id)
        return found


def items(answer: Answer) -> list[Payload]:
    """The objects of a page: a bare list in v2, under `data` in v3, none with 204. Raises Rejected for a 404."""
    if answer.status == 404:
        raise Rejected(f"{answer.asked}: not found", correlation_id=answer.correlation_id, code="404")
    if answer.status == 204 or not answer.content:
        return []
    told = answer.json()
    found = told.get("data") if isinstance(told, dict) else told
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        message = f"{answer.asked}: expected a list of objects"
        raise TryLater(message, correlation_id=answer.correlation_id, code=str(answer.status))
    return found


def _total(answer: Answer) -> int:
    """How many objects a list says that it has; 0 where it does not say."""
    total = read_path(answer.json(), "meta.pagination.total")
    return total if isinstance(total, int) else 0


def _advanced(answer: Answer, told: list[Payload], last: int) -> int:
    """The last id of the page. The vendor ignores parameters that it does not know: then pages would never end."""
    ids = [item["id"] for item in told if isinstance(item.get("id"), int)]
    if not ids or min(ids) <= last:
        message = f"{answer.asked}: the page begins again at an id that was read before"
        raise Rejected(message, correlation_id=answer.correlation_id, code="no_progress")
    return int(max(ids))
