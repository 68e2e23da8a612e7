"""Faults that are this vendor's own: its kinds of 429, and answers told a little differently than the time before."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.bigcommerce.sandbox_answers import error, quota_headers
from connectors.sandbox.faults import Faults, faulty


def with_faults(app: ASGIApp, faults: Faults, *, quota: int, throttled_ms: int) -> ASGIApp:
    """The store behind the faults of every vendor and these.

    throttled: 429 with the quota headers, for so many milliseconds. throttled_of_old: 429 with the header that came
    before them. overloaded: 429 without any. cursorless: the page does not tell its cursor. retyped: numbers come as
    text, and an external id that is none comes as an empty text.
    """
    answers = {
        "throttled": error(429, "Too many requests", headers=quota_headers(quota, 0, throttled_ms)),
        "throttled_of_old": error(429, "Too many requests", headers={"X-Retry-After": "1"}),
        "overloaded": error(429, "The platform is busy"),
        "unavailable": error(503, "Service Unavailable"),
        "cursorless": _Retold(app, _without_cursor),
        "retyped": _Retold(app, _retyped),
    }
    return faulty(app, faults, answers)


class _Retold(Response):
    """What the app answers, told anew."""

    def __init__(self, app: ASGIApp, retell: Callable[[Any], Any]) -> None:
        super().__init__()
        self._app, self._retell = app, retell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back once it is whole."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        head, content = messages[0], b"".join(message.get("body", b"") for message in messages[1:])
        if head["status"] == 200:
            content = orjson.dumps(self._retell(orjson.loads(content)))
        headers = [(name, value) for name, value in head["headers"] if name != b"content-length"]
        length = [] if head["status"] == 204 else [(b"content-length", str(len(content)).encode())]
        await send({**head, "headers": [*headers, *length]})
        await send({"type": "http.response.body", "body": content})


def _without_cursor(told: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(told, dict) and isinstance(told.get("meta"), dict):
        told["meta"].pop("cursor_pagination", None)
    return told


def _retyped(told: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Orders as if another version of the API had written them; what is in `data` is left alone."""
    return [_order_retyped(one) for one in told] if isinstance(told, list) else told


def _order_retyped(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: "" if name == "external_id" and value is None else str(value) if name in _FLIPPED else value
        for name, value in told.items()
    }


_FLIPPED = {"customer_id", "channel_id", "status_id"}
