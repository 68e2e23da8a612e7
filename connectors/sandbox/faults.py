"""What goes wrong on purpose: seeded faults in front of a sandbox server, switched on by name and rate.

Every vendor knows: `unavailable` (503), `dropped` (the request is carried out, the connection dies in mid-answer),
`hung_up` (the connection dies before anything is done), `slow` (a late answer) and `garbled` (something in the answer
stands in another's place, which no second try mends). A vendor's sandbox adds its own by handing `faulty` the answers
in its own words, e.g. `throttled` (429 with its rate headers) or `token_expired`.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, MutableMapping
from random import Random
from threading import Lock
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.sandbox.garbling import garbled

_EVERYWHERE = {"dropped", "hung_up", "slow", "garbled"}


class Faults:
    """Draws faults by seed. The same request meets at most `in_a_row` faults in succession, so that patience pays.

    rates: fault name -> share of requests, between 0 and 1, their sum at most 1.
    delay: seconds that `slow` adds.
    """

    def __init__(
        self, seed: int = 0, rates: Mapping[str, float] | None = None, *, in_a_row: int = 2, delay: float = 0.02
    ) -> None:
        self.rates = dict(rates or {})
        if any(rate < 0 for rate in self.rates.values()) or sum(self.rates.values()) > 1:
            raise ValueError("rates of faults are shares of the requests: none below 0, together at most 1")
        self.delay = delay
        self.injected: Counter[str] = Counter()
        """How often each fault has struck."""
        self._in_a_row = in_a_row
        self._random = Random(seed)  # noqa: S311  a repeatable draw is wanted
        self._struck: MutableMapping[str, int] = {}
        self._lock = Lock()

    def draw(self, request: str) -> str | None:
        """The fault that this request (its method and address) meets now, or None."""
        if not self.rates:
            return None
        with self._lock:
            fault = self._drawn()
            if fault is None or self._struck.get(request, 0) >= self._in_a_row:
                self._struck.pop(request, None)
                return None
            self._struck[request] = self._struck.get(request, 0) + 1
            self.injected[fault] += 1
            return fault

    def garble(self, content: bytes) -> bytes:
        """An answer with something in it that does not belong there."""
        with self._lock:
            return garbled(content, self._random)

    def _drawn(self) -> str | None:
        point = self._random.random()
        for name, rate in self.rates.items():
            point -= rate
            if point < 0:
                return name
        return None


def faulty(app: ASGIApp, faults: Faults, answers: Mapping[str, Response]) -> ASGIApp:
    """The app behind the faults. `answers`: what a named fault answers in this vendor's words.

    `unavailable` has a plain 503 if the vendor gives none. Raises ValueError for a rate whose fault nobody knows here.
    """
    known = {"unavailable": Response("Service Unavailable", status_code=503), **answers}
    unknown = set(faults.rates) - set(known) - _EVERYWHERE
    if unknown:
        raise ValueError(f"no such fault here: {sorted(unknown)}; known are {sorted(_EVERYWHERE | set(known))}")

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        fault = faults.draw(_address(scope)) if scope["type"] == "http" else None
        if fault is None:
            await app(scope, receive, send)
        elif fault == "slow":
            await asyncio.sleep(faults.delay)
            await app(scope, receive, send)
        elif fault == "hung_up":
            await _cut(scope)
        elif fault == "dropped":
            await app(scope, receive, _first_half(scope, send))
        elif fault == "garbled":
            await app(scope, receive, _garbling(faults, send))
        else:
            await known[fault](scope, receive, send)

    return door


def _address(scope: Scope) -> str:
    return f"{scope['method']} {scope['path']}?{scope['query_string'].decode('latin-1')}"


def _first_half(scope: Scope, send: Send) -> Send:
    """Passes on the head and half of the first piece of the body, then cuts the connection."""

    async def passing(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            if len(body) > 1:
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await _cut(scope)
        else:
            await send(message)

    return passing


def _garbling(faults: Faults, send: Send) -> Send:
    """Passes an answer on once it is whole, garbled if there is anything in it."""
    begun: list[Message] = []

    async def passing(message: Message) -> None:
        begun.append(message)
        if message["type"] == "http.response.start" or message.get("more_body"):
            return
        content = b"".join(each.get("body", b"") for each in begun[1:])
        told = faults.garble(content) if content else content
        headers = [(name, value) for name, value in begun[0]["headers"] if name != b"content-length"]
        length = [(b"content-length", str(len(told)).encode())] if content else []
        await send({**begun[0], "headers": [*headers, *length]})
        await send({"type": "http.response.body", "body": told})

    return passing


async def _cut(scope: Scope) -> None:
    """Close the TCP connection at once. Needs the server of this package, which puts the transport into the scope."""
    state: dict[str, Any] = scope.get("state", {})
    transport = state.get("transport")
    if transport is None:
        raise ConnectionResetError("cut off; only a real server can drop a connection")
    transport.abort()
    await asyncio.sleep(0.001)  # the server learns of the loss before the app returns
