"""What the stand-ins of destinations share: sign-in, idempotency keys, seeded refusals, counts of what was written."""

import base64
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sandbox.faults import Faults, faulty

Body = dict[str, Any]


def utc_now() -> datetime:
    """The machine's time: what a server has unless a test brings its own clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Dialect:
    """How a deployment's contract differs from the one written down: the same meaning under other paths and names."""

    paths: Mapping[str, str] = field(default_factory=dict)
    """Path template of the contract -> the deployment's, with the same parts."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Field of the contract -> the deployment's, at every depth."""

    def path(self, template: str) -> str:
        """Where this deployment has the contract's path."""
        return self.paths.get(template, template)

    def heard(self, told: Any) -> Any:  # noqa: ANN401 - any JSON value
        """What came in, under the contract's names."""
        return _renamed(told, {theirs: name for name, theirs in self.names.items()})

    def said(self, meant: Any) -> Any:  # noqa: ANN401 - any JSON value
        """What goes out, under the deployment's names."""
        return _renamed(meant, self.names)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Reply:
    """An answer before it is written out."""

    status: int
    body: Body

    @property
    def good(self) -> bool:
        """Whether something was accepted."""
        return self.status < 400


@dataclass(frozen=True)
class Refusals:
    """Which writes are refused for no fault of the network: a seeded share of the addresses, always the same ones."""

    rate: float = 0.0
    seed: int = 0

    def strikes(self, address: str) -> bool:
        """Whether this address is among them."""
        drawn = hashlib.sha256(f"{self.seed} {address}".encode()).digest()[:8]
        return int.from_bytes(drawn, "big") < self.rate * 2**64


class Tokens:
    """Hands out bearer tokens that end after so many seconds."""

    def __init__(self, client_id: str, client_secret: str, *, seconds: float, clock: Callable[[], datetime]) -> None:
        pair = f"{client_id}:{client_secret}".encode()
        self._basic = f"Basic {base64.b64encode(pair).decode()}"
        self._seconds = seconds
        self._clock = clock
        self._good_until: dict[str, datetime] = {}
        self._used: set[str] = set()
        self._serial = itertools.count(1)

    async def granted(self, request: Request, wanted: Mapping[str, str]) -> Reply:
        """A token, if the client is known and the form says all that is wanted, e.g. {"grant_type": "password"}."""
        form = dict(parse_qsl((await request.body()).decode()))
        if request.headers.get("authorization") != self._basic:
            return Reply(401, {"error": "invalid_client"})
        if any(form.get(name) != value for name, value in wanted.items()):
            return Reply(400, {"error": "invalid_grant"})
        token = f"sandbox-token-{next(self._serial)}"
        self._good_until[token] = self._clock() + timedelta(seconds=self._seconds)
        return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": self._seconds})

    def end(self, request: Request) -> None:
        """Let the token of this request end before its time. One that was never accepted is too young for that."""
        token = _bearer(request)
        if token in self._used:
            self._good_until.pop(token, None)

    def accepts(self, request: Request) -> bool:
        """Whether the request bears a token that has not ended."""
        token = _bearer(request)
        until = self._good_until.get(token)
        good = until is not None and self._clock() < until
        if good:
            self._used.add(token)
        return good


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


class TokenExpired(Response):
    """The fault `token_expired`: the token of the request ends, and the app finds that out by itself."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        super().__init__()
        self._app, self._tokens = app, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, without its token."""
        self._tokens.end(Request(scope))
        await self._app(scope, receive, send)


def with_faults(app: ASGIApp, faults: Faults, tokens: Tokens, answers: Mapping[str, Response]) -> ASGIApp:
    """The app behind the faults: those of every vendor, `token_expired`, and the `answers` in the vendor's words."""
    return faulty(app, faults, {**answers, "token_expired": TokenExpired(app, tokens)})


class Journal:
    """What was asked of a stand-in, and what it answered to each idempotency key."""

    def __init__(self, refusals: Refusals) -> None:
        self.writes: Counter[str] = Counter()
        """Requests that wanted to write, by operation: repeats, replays and refused ones included."""
        self.effects: Counter[str] = Counter()
        """Writes that changed something, by operation."""
        self._refusals = refusals
        self._replies: dict[str, tuple[str, Reply]] = {}

    async def write(self, request: Request, operation: str, apply: Callable[[Body], Reply]) -> Reply:
        """Apply a write once per idempotency key: its repeat has the same answer, another request under it is refused.

        Only good answers are kept, so that a refused write can be tried again after something was put right.
        """
        self.writes[operation] += 1
        content = await request.body()
        key = request.headers.get("idempotency-key")
        asked = hashlib.sha256(f"{request.method} {request.url.path} ".encode() + content).hexdigest()
        if key is not None and key in self._replies:
            first_asked, reply = self._replies[key]
            return reply if first_asked == asked else refused(422, "idempotency_key_reused")
        body = _object(content)
        if body is None:
            return refused(400, "no_json_object")
        if self._refusals.strikes(request.url.path):
            return refused(422, "refused_by_rule", "/")
        reply = apply(body)
        self.effects[operation] += bool(reply.good and reply.body.get("changed"))
        if reply.good and key is not None:
            self._replies[key] = (asked, reply)
        return reply


def _object(content: bytes) -> Body | None:
    try:
        told = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None


def refused(status: int, code: str, *pointers: str) -> Reply:
    """A no, with its code and the fields that are to blame; the vendor's stand-in puts it into the vendor's words."""
    return Reply(status, {"code": code, "errors": [{"pointer": pointer, "code": code} for pointer in pointers]})
