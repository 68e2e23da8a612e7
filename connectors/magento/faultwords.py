"""How the vendor says no: a message with places for parameters, and no headers that tell when to come back."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from connectors.answer import Answer, by_status
from models.errors import OutsideError, SignInAgain, TryLater

_PLACE = re.compile(r"%(\w+)")
_PLAIN = re.compile(r"[A-Za-z_:.\-]{1,80}|\d{1,6}")
_LONGEST = 300
_NO_ROUTE = "Request does not match any route."


def error_of(answer: Answer) -> OutsideError | None:
    """What an answer means. 404 is a value: the page or record is not there, and who asked knows what that is.

    403 in JSON is a right that the integration lacks; any other 403 is a firewall in front of the shop.
    """
    if answer.status == 404:
        return None
    if 200 <= answer.status < 300:
        return _not_the_shop(answer)
    said, code = said_by(answer), str(answer.status)
    shown = f"{answer.asked}: answered {answer.status}" + (f", {said}" if said else "")
    if answer.status == 403:
        return SignInAgain(shown, code=code) if said else TryLater(shown, code=code)
    error = by_status(answer)
    return type(error)(shown, code=code) if error is not None else None


def is_no_route(answer: Answer) -> bool:
    """Whether this installation has no such end point; that of an object which is not there is another answer."""
    return answer.status == 404 and said_by(answer) == _NO_ROUTE


def _not_the_shop(answer: Answer) -> TryLater | None:
    """A firewall that wants to see a browser says so in a page, and calls it a success."""
    if "html" not in answer.headers.get("Content-Type", ""):
        return None
    return TryLater(f"{answer.asked}: answered {answer.status} with a page instead of JSON", code="page")


def said_by(answer: Answer) -> str | None:
    """The vendor's message with its parameters put in; None if it is not the vendor who speaks.

    A parameter that may be a contact or a name stays hidden, so that the message may be logged.
    """
    try:
        told = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return None
    message = told.get("message") if isinstance(told, dict) else None
    if not isinstance(message, str):
        return None
    parameters = _named(told.get("parameters"))
    return _PLACE.sub(lambda place: _shown(parameters, place), message)[:_LONGEST]


def _named(parameters: object) -> Mapping[str, Any]:
    """A list's parameters are %1, %2 ...; a table's go by name."""
    if isinstance(parameters, list):
        return {str(at): value for at, value in enumerate(parameters, start=1)}
    return parameters if isinstance(parameters, dict) else {}


def _shown(parameters: Mapping[str, Any], place: re.Match[str]) -> str:
    if place[1] not in parameters:
        return place[0]
    value = str(parameters[place[1]])
    return value if _PLAIN.fullmatch(value) and place[1] != "fieldValue" else "*"
