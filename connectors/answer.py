"""What came back over HTTP, and what it means for the caller."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from models.errors import Contradicted, OutsideError, Rejected, SignInAgain, TryLater

_HALF = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
"""Half a character, written as an escape: a vendor has cut a text in the middle of an emoji."""
_BUSY = {408, 423, 425, 429}
_CONTRADICTED = {409, 412}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end. `asked` names the request without query and contacts, fit for logs."""

    asked: str
    status: int
    headers: Mapping[str, str]
    """Names are compared without regard to case."""
    content: bytes
    correlation_id: str

    def json(self) -> Any:  # noqa: ANN401  whatever JSON holds; vendor models give it types
        """The content as JSON; half a character, which is no text, becomes the sign for one that is unreadable.

        Raises TryLater if it is none: a gateway spoke in the vendor's place.
        """
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            mended = _HALF.sub(rb"\\ufffd", self.content)
        try:
            return orjson.loads(mended)
        except orjson.JSONDecodeError as error:
            message = f"{self.asked}: answered {self.status} without JSON"
            raise TryLater(message, correlation_id=self.correlation_id, code=str(self.status)) from error


def by_status(answer: Answer) -> OutsideError | None:
    """The error that a status means where a vendor has no words of its own; None for 2xx. Redirects are refused."""
    status, code = answer.status, str(answer.status)
    said = f"{answer.asked}: answered {status}"
    if 200 <= status < 300:
        return None
    if status == 401:
        return SignInAgain(said, code=code)
    if status in _BUSY or status >= 500:
        return TryLater(said, code=code)
    if status in _CONTRADICTED:
        return Contradicted(said, code=code)
    return Rejected(said, code=code)


def retry_after(answer: Answer) -> float | None:
    """Seconds that `Retry-After` asks for, written as seconds or as a date; None without the header."""
    told = answer.headers.get("Retry-After")
    if told is None:
        return None
    if told.strip().isdigit():
        return float(told)
    try:
        return max(0.0, (parsedate_to_datetime(told) - parsedate_to_datetime(answer.headers["Date"])).total_seconds())
    except (ValueError, KeyError, TypeError):
        return None
