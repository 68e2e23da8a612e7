"""The stand-in's change feed: pages behind a cursor, and the ways in which a cursor goes wrong."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sandbox.faults import Faults, faulty
from connectors.sandbox.receiving import Body, Reply, TokenExpired, Tokens, refused

OBJECTS = ("customers", "transactions", "loyalty_accounts", "loyalty_entries", "interactions")

_REPEATED = 7
_KEY_PARTS: Mapping[str, tuple[str, ...]] = {
    "transactions": ("store", "workstation", "businessDate", "sequence"),
    "loyalty_entries": ("accountId", "externalId"),
    "interactions": ("kind", "externalId"),
}
"""What stands in the address of an object and not in its body; the feed tells it with the body."""


class Changed(Protocol):
    """What the feed needs of the CRM."""

    changes: list[tuple[str, Body]]
    forgotten: int
    before_answer: Callable[[str], None]


def told(object_: str, key: str, body: Body) -> Body:
    """A body as the feed tells it."""
    return {**dict(zip(_KEY_PARTS.get(object_, ()), key.split("/"), strict=False)), **body, "id": key}


def page(shop: Changed, object_: str, asked: Mapping[str, str]) -> Reply:
    """The changes after a cursor, or since a moment; `asked` holds cursor, since and limit by the contract's names."""
    if object_ not in OBJECTS:
        return refused(404, "not_found")
    shop.before_answer(object_)
    begin, limit = int(asked.get("cursor", "c0").removeprefix("c")), min(int(asked.get("limit", 200)), 1000)
    if "cursor" in asked and begin < shop.forgotten:
        return refused(400, "cursor_expired")
    since = datetime.fromisoformat(asked["since"]) if "since" in asked else None
    wanted = [
        (place, one)
        for place, (kind, one) in enumerate(shop.changes, 1)
        if place > begin and kind == object_ and (since is None or datetime.fromisoformat(one["modifiedAt"]) >= since)
    ]
    items = wanted[:limit]
    following = f"c{items[-1][0]}" if items else f"c{begin}"
    return Reply(
        200, {"items": [one for _, one in items], "nextCursor": following, "hasMore": len(wanted) > len(items)}
    )


def with_faults(
    app: ASGIApp, faults: Faults, tokens: Tokens, answers: Mapping[str, Response], forgotten: Response, cursor: str
) -> ASGIApp:
    """The app behind the faults of every vendor, and two of its own.

    `cursor_expired`: the cursor is answered by `forgotten`. `page_repeated`: some changes before the cursor come again.
    Both leave requests without the parameter `cursor` alone.
    """
    own = {
        "token_expired": TokenExpired(app, tokens),
        "cursor_expired": _Cursor(app, cursor, forgotten),
        "page_repeated": _Cursor(app, cursor, None),
    }
    return faulty(app, faults, {**answers, **own})


class _Cursor(Response):
    """What happens to a cursor; with an `answer` it is given, without one the cursor goes back a little."""

    def __init__(self, app: ASGIApp, name: str, answer: Response | None) -> None:
        super().__init__()
        self._app, self._name, self._answer = app, name, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        query = dict(parse_qsl(scope["query_string"].decode()))
        if self._name not in query:
            await self._app(scope, receive, send)
        elif self._answer is not None:
            await self._answer(scope, receive, send)
        else:
            place = max(0, int(query[self._name].removeprefix("c")) - _REPEATED)
            earlier = urlencode({**query, self._name: f"c{place}"}).encode()
            await self._app({**scope, "query_string": earlier}, receive, send)
