"""Payloads as plain JSON values: dotted paths, the canonical text, and whether one holds another."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import GetCoreSchemaHandler, GetPydanticSchema
from pydantic_core import CoreSchema, core_schema

Payload = dict[str, Any]
Subject = Mapping[str, Any]


def read_path(subject: Any, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value at a dotted path, or None where the path leads nowhere. Numbers pick from a list."""
    for part in path.split("."):
        if isinstance(subject, Mapping):
            subject = subject.get(part)
        elif isinstance(subject, list | tuple) and re.fullmatch(r"\d+", part) and int(part) < len(subject):
            subject = subject[int(part)]
        else:
            return None
    return subject


def write_path(payload: Payload, path: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Put a value at a dotted path, making the tables on the way."""
    *tables, last = path.split(".")
    for name in tables:
        payload = payload.setdefault(name, {})
    payload[last] = value


def named_by_others(problem: str) -> GetPydanticSchema:
    """For `Annotated` dictionaries whose keys others choose: what is wrong is told of the whole, in these words.

    A reason that names the key could repeat what is personal.
    """

    def as_a_whole(kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - any dictionary
        return core_schema.custom_error_schema(
            handler(kind), custom_error_type="named_by_others", custom_error_message=problem
        )

    return GetPydanticSchema(as_a_whole)


DEEPEST = 100
"""Levels of a payload that is deeper than can be written. What vendors mean to say has a dozen."""


def bounded(told: Any, depth: int = DEEPEST) -> Any:  # noqa: ANN401 - any JSON value
    """The value without what is nested deeper: a text in its place says so."""
    if not isinstance(told, dict | list):
        return told
    if depth == 0:
        return "nested too deep"
    if isinstance(told, list):
        return [bounded(one, depth - 1) for one in told]
    return {name: bounded(one, depth - 1) for name, one in told.items()}


def canonical(payload: Payload) -> str:
    """JSON with sorted keys and no blanks: equal content is equal text. Of what is too deep to be written, the top."""
    try:
        return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(bounded(payload), option=orjson.OPT_SORT_KEYS).decode()


def parsed(text: str) -> Payload:
    """The payload of a canonical text."""
    payload: Payload = orjson.loads(text)
    return payload


def holds(held: Any, sent: Any) -> bool:  # noqa: ANN401 - any JSON values
    """Whether `held` has all that was sent, lists in any order. It may have more keys; null is having nothing."""
    if isinstance(sent, Mapping):
        return isinstance(held, Mapping) and all(holds(held.get(key), value) for key, value in sent.items())
    if isinstance(sent, list):
        return isinstance(held, list) and len(held) == len(sent) and _each_held(held, sent)
    return bool(held == sent)


def _each_held(held: list[Any], sent: list[Any]) -> bool:
    rest = list(held)
    for item in sent:
        place = next((place for place, candidate in enumerate(rest) if holds(candidate, item)), None)
        if place is None:
            return False
        del rest[place]
    return True
