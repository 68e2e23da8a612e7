"""Messages as they are read: whether all of them came, and which of them came without what they are about."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.commercetools.api import LARGEST_BY_ID, Api, Stretch, among
from models.errors import Forgotten, Rejected
from models.landing import Window

_ABOUT = {"customer", "order"}
_OURS = 'resource(typeId in ("customer", "order"))'


def told(api: Api, window: Window) -> Iterator[Stretch]:
    """The messages of a window.

    Raises Rejected where the project keeps none, and Forgotten where some of the window are no longer kept or were
    never told: a delta would lack deletions without a word. A read of everything takes what there is.
    """
    if window.since is None:
        yield from api.changed("messages", window, _OURS)
        return
    kept = api.kept()
    if not kept.on:
        said = "messages are switched off in this project. Switch them on, or leave `message` out of `objects`"
        raise Rejected(f"{said}: deletions are then found by full reads only.", code="messages_off")
    if window.until - window.since > kept.for_:
        raise Forgotten(f"messages of before the last {kept.for_.days} days are not kept.", code="messages_expired")
    numbers = Numbers()
    for stretch in api.changed("messages", window, _OURS):
        numbers.note(stretch.resources)
        yield stretch
    if gaps := numbers.gaps(_latest_before(api, window.since, numbers.begun_late())):
        raise Forgotten(f"the messages of {gaps} resources have a gap in their numbers.", code="messages_lost")


def _latest_before(api: Api, until: datetime, resources: Sequence[str]) -> Mapping[str, int]:
    """Number of the last message of each of these resources that is still kept from before the window."""
    found: dict[str, int] = {}
    for begin in range(0, len(resources), LARGEST_BY_ID):
        theirs = f"resource({among(resources[begin : begin + LARGEST_BY_ID])})"
        for stretch in api.changed("messages", Window(until=until), theirs):
            for about, number in _numbered(stretch.resources):
                found[about] = max(number, found.get(about, number))
    return found


class Numbers:
    """The numbers of the messages of each resource: they go up by one, so that a gap shows."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int, int]] = {}

    def note(self, messages: Iterable[Any]) -> None:
        """Count these, in any order."""
        for about, number in _numbered(messages):
            first, last, count = self._seen.get(about, (number, number, 0))
            self._seen[about] = (min(first, number), max(last, number), count + 1)

    def begun_late(self) -> list[str]:
        """The resources whose first message here is not their first one."""
        return sorted(about for about, (first, _, _) in self._seen.items() if first > 1)

    def gaps(self, before: Mapping[str, int]) -> int:
        """How many resources lack a message between their first and their last one, or behind the one told before."""
        return sum(
            last - first + 1 > count or before.get(about, first - 1) < first - 1
            for about, (first, last, count) in self._seen.items()
        )


def _numbered(messages: Iterable[Any]) -> Iterator[tuple[str, int]]:
    """Id of the resource and number of each message."""
    for message in messages:
        about, number = _about(message), message.get("sequenceNumber") if isinstance(message, dict) else None
        if about is not None and isinstance(number, int):
            yield about[1], number


def without_payload(messages: Iterable[Any]) -> Mapping[str, list[str]]:
    """`customer` or `order` -> ids of those that were too large for their message, and have to be asked for."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for message in messages:
        about = _about(message)
        if about is not None and message.get("payloadNotIncluded") and about[0] in _ABOUT:
            found[about[0]].append(about[1])
    return {kind: sorted(set(ids)) for kind, ids in found.items()}


def _about(message: object) -> tuple[str, str] | None:
    """Type id and id of the resource; None for what is no message."""
    resource = message.get("resource") if isinstance(message, dict) else None
    if not isinstance(resource, dict):
        return None
    kind, identity = resource.get("typeId"), resource.get("id")
    return (kind, identity) if isinstance(kind, str) and isinstance(identity, str) else None
