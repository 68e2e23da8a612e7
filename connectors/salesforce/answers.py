"""What Salesforce's answers mean: errors as lists, limits as 403, and how much of the day's allowance is used."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from connectors.http import Answer, by_status, retry_after
from models.errors import OutsideError, Rejected, SignInAgain, TryLater

LIMIT = "REQUEST_LIMIT_EXCEEDED"
LOST_LOCATOR = "INVALID_QUERY_LOCATOR"
ABSENT = frozenset({"NOT_FOUND", "INVALID_TYPE", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY"})
"""Codes for an object that the org does not have or that the user may not see; the two cannot be told apart."""
_BUSY = frozenset(
    {LIMIT, "SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "EXCEEDED_MAX_SEMIJOIN_SUBSELECTS"}
)
_LIMIT_SECONDS = 60.0
"""The allowance is of the last 24 hours: it comes back bit by bit."""
_SPENT_SECONDS = 3600.0


def meaning(answer: Answer) -> OutsideError | None:
    """What an answer means; None if it is good. Carries the vendor's codes, never its messages: they quote values."""
    error = by_status(answer)
    if error is None:
        return None
    codes = _codes(answer)
    code = codes[0] if codes else str(answer.status)
    said = f"{answer.asked}: answered {answer.status} {' '.join(codes)}".rstrip()
    if _BUSY.intersection(codes):
        return TryLater(said, code=code)
    if answer.status == 403 and not ABSENT.intersection(codes):
        return SignInAgain(said, code=code)
    if isinstance(error, Rejected):
        return Rejected(said, code=code)
    error.code = code
    return error


def wait_from(reserve: float) -> Callable[[Answer], float | None]:
    """Seconds during which nobody should ask: a minute at the limit, long where only `reserve` is left for others.

    reserve: share of the org's daily requests, between 0 and 1.
    """

    def wait(answer: Answer) -> float | None:
        if answer.status == 403 and LIMIT in _codes(answer):
            return _LIMIT_SECONDS
        used = usage(answer)
        if used is not None and used >= 1 - reserve:
            return _SPENT_SECONDS
        return retry_after(answer)

    return wait


def usage(answer: Answer) -> float | None:
    """Share of the allowance that is used, from `Sforce-Limit-Info: api-usage=18/5000`; None where it is not told."""
    met = re.search(r"api-usage=(\d+)/(\d+)", answer.headers.get("Sforce-Limit-Info", ""))
    return int(met[1]) / int(met[2]) if met and int(met[2]) else None


def listed(answer: Answer, name: str) -> list[Any]:
    """A list in an answer that is an object. Raises Rejected where there is none."""
    told = answer.json()
    found = told.get(name) if isinstance(told, dict) else None
    if not isinstance(found, list):
        raise Rejected(f"{answer.asked}: answered without {name}", correlation_id=answer.correlation_id)
    return found


def _codes(answer: Answer) -> list[str]:
    """Error codes such as `INVALID_FIELD`; none if the answer is not in the vendor's shape."""
    try:
        told = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return []
    errors = told if isinstance(told, list) else []
    codes = [each.get("errorCode") for each in errors if isinstance(each, dict)]
    return [code for code in codes if isinstance(code, str) and code.isidentifier()]
