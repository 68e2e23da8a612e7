"""An answer that is none: JSON in which something stands in another's place, as a broken module may leave it."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

import orjson

_ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 2**63, "", " ", "x", "9" * 30, "9" * 400, "1e400", "NaN", "../x", "\0", "EUR",
    [], {}, [[]], [None], ["x"], [1], {"a": {}}, {"id": None}, "2026-13-45", "2026-01-01T00:00:00", "0000-00-00",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59",
    "Mon, 01 Jan 0001 00:00:00 +1400",
    "Thu, 15 Jan 2026555555559 17:30:00 +0000",
)  # fmt: skip
_LEVELS = 300
"""More than most writers of JSON write, and fewer than most readers read."""


def garbled(content: bytes, random: Random, odd: Sequence[Any] = _ODD) -> bytes:
    """The content with one value left out, or in its place one that does not belong there, of `odd` or nested deep.

    What is no JSON loses its end.
    """
    try:
        told = [orjson.loads(content)]
    except orjson.JSONDecodeError:
        return content[: len(content) // 2]
    holder, key = _somewhere(told, random)
    if isinstance(holder, dict) and random.random() < 0.2:
        del holder[key]
    else:
        holder[key] = _nested() if random.random() < 0.1 else random.choice(odd)
    return json.dumps(told[0]).encode()  # orjson does not write what is nested so deep


def _somewhere(told: list[Any], random: Random) -> tuple[Any, Any]:
    """A list or table, and the place in it that something stands at; the deeper the rarer."""
    holder: Any = told
    while True:
        key = random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or random.random() < 0.2:
            return holder, key
        holder = inner


def _nested() -> Any:  # noqa: ANN401 - any JSON value
    value: Any = 1
    for level in range(_LEVELS):
        value = [value] if level % 2 else {"a": value}
    return value
