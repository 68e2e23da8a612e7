"""The one HTTP door: every request to every vendor goes out and comes back through here.

It keeps the pace, signs, sends, reads within limits, names errors after the caller's next move (models/errors.py), and
repeats what is safe to repeat. It logs method, path, status, duration and correlation id: no query, payload or token.
"""

import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import uniform
from types import TracebackType
from typing import Self, TypedDict, Unpack
from urllib.parse import SplitResult, urlsplit
from uuid import uuid4

import httpx
import orjson
from tenacity import RetryCallState, Retrying, retry_if_exception

from connectors.answer import Answer, by_status, retry_after
from connectors.pace import Breaker, Pace, RetryBudget
from connectors.sign_in import FixedHeaders, SignIn
from models.errors import OutsideError, Rejected, SignInAgain, TryLater

__all__ = ["Answer", "Door", "Patience", "by_status", "retry_after"]

log = logging.getLogger(__name__)

# These two write whole URLs (queries hold contacts) and headers (tokens) at INFO and DEBUG.
for _chatty in ("httpx", "httpcore"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)

Query = Mapping[str, str | int] | tuple[tuple[str, str | int], ...]
"""Pairs, where a name repeats."""

_NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Extras(TypedDict, total=False):
    """What a request may carry: `json` (any JSON value) or `content` (bytes, with its own Content-Type), and the rest.

    correlation_id: made up if absent. shown_as: stands in logs and errors in place of a path that is personal.
    """

    params: Query
    json: object
    content: bytes
    headers: Mapping[str, str]
    correlation_id: str
    shown_as: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we try: attempts per request, full jitter up to `first * 2**n`, capped; seconds."""

    attempts: int = 6
    first: float = 0.2
    longest: float = 20.0
    longest_told: float = 300.0
    """A vendor that asks for a longer wait ends the request: the run is better started again."""
    altogether: float = 600.0


@dataclass(slots=True)
class _Call:
    method: str
    path: str
    asked: str
    correlation_id: str
    repeatable: bool
    params: Query | None
    content: bytes
    headers: dict[str, str]
    signed: Mapping[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD"}

    def may_repeat(self, error: BaseException) -> bool:
        """Safe, and of use: the request cannot have taken effect, or taking effect twice is once."""
        waiting_helps = isinstance(error, TryLater) and error.code not in {"circuit_open", "told_to_wait"}
        return waiting_helps and (self.repeatable or not (isinstance(error, TryLater) and error.maybe_done))


class Door:
    """A vendor's base URL behind pace, breaker, sign-in and retries. Safe to use from up to eight threads.

    clock, sleep, random: taken from the caller, never from the machine; the clock must tick.
    classify: what an answer means, in the vendor's words; None if it is good.
    wait_from: seconds during which nobody should ask again, read from any answer; None if it does not say.
    Raises ValueError for a base URL that is none, or without TLS and not on this machine.
    """

    def __init__(
        self,
        base_url: str,
        *,
        vendor: str,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        random: Callable[[float, float], float] = uniform,
        sign_in: SignIn | None = None,
        classify: Callable[[Answer], OutsideError | None] = by_status,
        wait_from: Callable[[Answer], float | None] = retry_after,
        per_second: float | None = None,
        burst: int = 8,
        patience: Patience | None = None,
        timeout: float = 30.0,
        largest_answer: int = 64 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self.vendor = vendor
        self._clock, self._sleep, self._random, self._new_id = clock, sleep, random, new_id
        self._sign_in = sign_in or FixedHeaders()
        self._classify, self._wait_from = classify, wait_from
        self._pace = Pace(clock=clock, sleep=sleep, per_second=per_second, burst=burst)
        self._breaker = Breaker(clock=clock)
        self._budget = RetryBudget()
        self._patience = patience or Patience()
        self._largest = largest_answer
        self._client = _client(base_url, timeout, dict(headers or {}), tls)

    def get(self, path: str, **extras: Unpack[Extras]) -> Answer:
        """Read."""
        return self._ask("GET", path, extras)

    def put(self, path: str, **extras: Unpack[Extras]) -> Answer:
        """Write a state; writing it twice is writing it once, so it is repeated."""
        return self._ask("PUT", path, extras)

    def delete(self, path: str, **extras: Unpack[Extras]) -> Answer:
        """Remove; repeated like a PUT. After a repeat a vendor may answer 404 for what the first one removed."""
        return self._ask("DELETE", path, extras)

    def post(self, path: str, **extras: Unpack[Extras]) -> Answer:
        """Add something. Repeated only if it surely did not happen; otherwise TryLater with `maybe_done`."""
        return self._ask("POST", path, extras, repeatable=False)

    def post_idempotent(self, path: str, **extras: Unpack[Extras]) -> Answer:
        """A POST that is repeated: the vendor knows an idempotency key, or it is a query, or asks for a token."""
        return self._ask("POST", path, extras)

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, path: str, extras: Extras, repeatable: bool = True) -> Answer:
        call = _Call(
            method=method,
            path=path,
            asked=f"{self.vendor}: {method} {extras.get('shown_as') or _without_contacts(path)}",
            correlation_id=extras.get("correlation_id") or self._new_id(),
            repeatable=repeatable,
            params=extras.get("params"),
            content=_content(extras),
            headers=_headers(extras),
        )
        retrying = Retrying(
            retry=retry_if_exception(call.may_repeat),
            wait=self._jittered,
            stop=self._enough,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._attempt, call)

    def _attempt(self, call: _Call) -> Answer:
        answer, error = self._exchange(call)
        if isinstance(error, SignInAgain) and self._sign_in.renew(call.signed):
            answer, error = self._exchange(call)
        if error is not None:
            raise error
        return answer

    def _exchange(self, call: _Call) -> tuple[Answer, OutsideError | None]:
        """Send once. The error, if any, is complete: correlation id, wait, and whether it may have taken effect."""
        self._refuse_to_knock(call)
        self._pace.wait()
        answer = self._send(call)
        wait = self._wait_from(answer)
        if wait:
            self._pace.pause(wait)
        error = self._classify(answer)
        if error is not None:
            self._complete(error, call, answer, wait)
        return answer, error

    def _refuse_to_knock(self, call: _Call) -> None:
        """Raise TryLater without asking where nobody answers, or where we were told to stay away for very long."""
        told = self._pace.paused_for()
        closed = self._breaker.seconds_to_stay_away()
        if closed > 0:
            why, code, wait = f"{self.vendor} has not been answering", "circuit_open", closed
        elif told > self._patience.longest_told:
            why, code, wait = f"{self.vendor} told us to wait", "told_to_wait", told
        else:
            return
        raise TryLater(
            f"{call.asked}: not asked, {why}", correlation_id=call.correlation_id, code=code, after_seconds=wait
        )

    def _send(self, call: _Call) -> Answer:
        request = self._client.build_request(
            call.method, call.path.lstrip("/"), params=call.params, content=call.content or None, headers=call.headers
        )
        call.signed = self._sign(call, str(request.url))
        request.headers.update({**call.signed, "X-Correlation-Id": call.correlation_id})
        began = self._clock()
        try:
            response = self._client.send(request, stream=True)
            try:
                content = self._read(response, call)
            finally:
                response.close()
        except httpx.RequestError as error:
            self._breaker.failed()
            raise self._unheard(call, error) from error
        self._judge_health(response.status_code)
        spent = (self._clock() - began).total_seconds()
        log.debug("%s %s in %.3f s [%s]", call.asked, response.status_code, spent, call.correlation_id)
        return Answer(call.asked, response.status_code, response.headers, content, call.correlation_id)

    def _sign(self, call: _Call, url: str) -> Mapping[str, str]:
        try:
            return self._sign_in.headers(call.method, url, call.content)
        except TryLater as error:
            error.maybe_done = False  # the token may have been made, this request was not sent
            raise

    def _read(self, response: httpx.Response, call: _Call) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self._largest:
                message = f"{call.asked}: the answer is larger than {self._largest} bytes"
                raise Rejected(message, correlation_id=call.correlation_id, code="too_large")
            chunks.append(chunk)
        return b"".join(chunks)

    def _judge_health(self, status: int) -> None:
        if status >= 500:
            self._breaker.failed()
        else:
            self._breaker.answered()
            self._budget.earn()

    def _unheard(self, call: _Call, error: httpx.RequestError) -> OutsideError:
        """No answer. A write that was under way may have taken effect."""
        if _is_untrusted(error):
            message = f"{call.asked}: its certificate is not trusted"
            return Rejected(message, correlation_id=call.correlation_id, code="certificate")
        return TryLater(
            f"{call.asked}: no answer ({type(error).__name__})",
            correlation_id=call.correlation_id,
            code=type(error).__name__,
            maybe_done=call.writes and not isinstance(error, _NEVER_ARRIVED),
        )

    def _complete(self, error: OutsideError, call: _Call, answer: Answer, wait: float | None) -> None:
        error.correlation_id = call.correlation_id
        if isinstance(error, TryLater):
            error.after_seconds = wait if error.after_seconds is None else error.after_seconds
            error.maybe_done = error.maybe_done or (call.writes and answer.status >= 500)

    def _jittered(self, state: RetryCallState) -> float:
        """Seconds until the next attempt: what the vendor asked for and a little more, else full jitter."""
        error = state.outcome.exception() if state.outcome else None
        told = error.after_seconds if isinstance(error, TryLater) else None
        if told is not None:
            return told + self._random(0.0, 0.1 * told)
        top = self._patience.first * 2.0 ** (state.attempt_number - 1)
        return self._random(0.0, min(self._patience.longest, top))

    def _enough(self, state: RetryCallState) -> bool:
        """Whether to give up: out of attempts, of time, or of the retries that all requests share."""
        patience = self._patience
        over = (
            state.attempt_number >= patience.attempts
            or state.upcoming_sleep > patience.longest_told * 1.1
            or state.idle_for + state.upcoming_sleep > patience.altogether
        )
        if over or not self._budget.spend():
            return True
        error = state.outcome.exception() if state.outcome else None
        log.warning("%s; attempt %d, next in %.2f s", error, state.attempt_number, state.upcoming_sleep)
        return False


def _client(base_url: str, timeout: float, headers: dict[str, str], tls: ssl.SSLContext | None) -> httpx.Client:
    host = _host(base_url)
    here = host.hostname in _LOOPBACK
    if host.scheme != "https" and not here:
        raise ValueError(f"{host.scheme}://{host.hostname} is not encrypted; a vendor is reached by https")
    return httpx.Client(
        base_url=base_url,
        timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0), pool=10 * timeout),
        headers=headers,
        verify=tls or True,
        follow_redirects=False,  # a redirect would carry the token to wherever it points
        trust_env=not here,
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=8),
    )


def _host(base_url: str) -> SplitResult:
    """The address in its parts. Raises ValueError for what is none."""
    try:
        host = urlsplit(base_url)
        is_one = bool(host.scheme and host.hostname) and host.port != 0 and " " not in base_url
    except ValueError:  # a port that is no number, brackets that do not close
        is_one = False
    if not is_one:
        raise ValueError("an address that is none; write one such as https://shop.example")
    return host


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _content(extras: Extras) -> bytes:
    content = extras.get("content")
    if content is not None:
        return content
    return orjson.dumps(extras["json"]) if "json" in extras else b""


def _headers(extras: Extras) -> dict[str, str]:
    typed = {"Content-Type": "application/json"} if "json" in extras else {}
    return {**typed, **extras.get("headers", {})}


def _without_contacts(path: str) -> str:
    """The path, with each part hidden that may hold a contact."""
    return "/".join("*" if "@" in part or "%" in part else part for part in path.partition("?")[0].split("/"))
