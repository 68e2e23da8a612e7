"""Rows as the vendor wrote them: pieces of an answer's text are taken, or left out, but nothing is written anew.

JSON that is read and written again is other JSON: 69.1500 becomes 69.15, and members change places.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from json import JSONDecoder
from typing import Any, NamedTuple

from connectors.answer import Answer
from models.errors import TryLater

Payload = dict[str, Any]

_decode = JSONDecoder().raw_decode
_BLANKS = " \t\r\n"
_NONE = re.compile("")
_PLAIN = re.compile(
    r"""(?:"(?:[^"\\]|\\.)*"[ \t\r\n]*:[ \t\r\n]*(?:"(?:[^"\\]|\\.)*"|[^"\[\]{},\s]+)[ \t\r\n]*,[ \t\r\n]*)*"""
)
"""A stretch of members whose values are texts, numbers, truth values or nothing."""
_NAME = re.compile(r'("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*')


class Row(NamedTuple):
    """One row of an answer: as it was sent, and the same, read."""

    text: str
    told: Payload


class Answered(NamedTuple):
    """What a search answered. total: how many rows there were to find, these included."""

    rows: tuple[Row, ...]
    total: int


class _Member(NamedTuple):
    """A member of an object, and where it stands: its name from `begin` on, its value from `value` to `end`."""

    name: str
    begin: int
    value: int
    end: int


def row_of(answer: Answer) -> Row:
    """An answer that is one object. Raises TryLater for any other."""
    told = answer.json()
    if not isinstance(told, dict):
        raise _unexpected(answer, "an object")
    return Row(answer.content.decode(), told)


def answered(answer: Answer) -> Answered:
    """The rows of a search; PHP tells an answer without anything as a list. Raises TryLater for what is none."""
    text = answer.content.decode(errors="replace").strip()
    if text == "[]":
        return Answered((), 0)
    try:
        rows, rest = _split(text)
    except (ValueError, IndexError, RecursionError):  # no JSON, no whole JSON, or JSON that is nested beyond measure
        raise _unexpected(answer, "JSON") from None
    total = rest.get("total_count")
    if not isinstance(total, int):
        raise _unexpected(answer, "items and total_count")
    return Answered(rows, total)


def _unexpected(answer: Answer, expected: str) -> TryLater:
    message = f"{answer.asked}: expected {expected}"
    return TryLater(message, correlation_id=answer.correlation_id, code=str(answer.status))


def _split(text: str) -> tuple[tuple[Row, ...], Payload]:
    """The rows below `items`, and everything else."""
    rows: tuple[Row, ...] = ()
    rest: Payload = {}
    at = _inside(text, 0, "{")
    while text[at] != "}":
        name, value = _name(text, at)
        if name == "items" and text[value] == "[":
            rows, end = _rows(text, value)
        else:
            rest[name], end = _decode(text, value)
        at = _behind(text, end, "}")
    return rows, rest


def _rows(text: str, at: int) -> tuple[tuple[Row, ...], int]:
    """The objects of the list that begins at `at`, and where it ends."""
    rows, at = [], _inside(text, at, "[")
    while text[at] != "]":
        told, end = _decode(text, at)
        if isinstance(told, dict):
            rows.append(Row(text[at:end], told))
        at = _behind(text, end, "]")
    return tuple(rows), at + 1


def with_member(text: str, name: str, value: str) -> str:
    """The object with one more member at its end, whose value is JSON. What was sent before it stays as it was."""
    return f'{text[:-1]}{"," if any(_members(text)) else ""}"{name}":{value}}}'


def without(text: str, hidden: Callable[[str], bool]) -> str:
    """The object without the members that are hidden; the same text if none is. What is no object stays."""
    if not text.startswith("{"):
        return text
    members = list(_members(text))
    kept = [text[member.begin : member.end] for member in members if not hidden(member.name)]
    return text if len(kept) == len(members) else "{" + ",".join(kept) + "}"


def with_changed(text: str, changes: Mapping[str, Callable[[str], str]]) -> str:
    """The object with the values of some members changed, each by its own function of their text; the rest stays.

    Only objects and lists are changed, so that whole stretches of plain members are passed over.
    """
    pieces, done = [], 0
    for member in _members(text, _PLAIN):
        change = changes.get(member.name)
        if change is not None:
            pieces += [text[done : member.value], change(text[member.value : member.end])]
            done = member.end
    return "".join([*pieces, text[done:]])


def _members(text: str, passed_over: re.Pattern[str] = _NONE) -> Iterator[_Member]:
    """The members of an object, but for those passed over. Raises ValueError or IndexError for what is none."""
    at = _inside(text, 0, "{")
    while text[at] != "}":
        stretch = passed_over.match(text, at)
        at = stretch.end() if stretch else at
        name, value = _name(text, at)
        _, end = _decode(text, value)
        yield _Member(name, at, value, end)
        at = _behind(text, end, "}")


def _name(text: str, at: int) -> tuple[str, int]:
    """The name of the member at `at`, and where its value begins."""
    named = _NAME.match(text, at)
    if named is None:
        raise ValueError("expected a name")
    name = named[1]
    return _decode(name)[0] if "\\" in name else name[1:-1], named.end()


def _inside(text: str, at: int, sign: str) -> int:
    """Behind the sign that must stand at `at`, and behind blanks."""
    if text[at] != sign:
        raise ValueError(f"expected {sign}")
    return _solid(text, at + 1)


def _behind(text: str, at: int, close: str) -> int:
    """Where the next one begins, behind a comma; or where `close` stands."""
    at = _solid(text, at)
    return at if text[at] == close else _inside(text, at, ",")


def _solid(text: str, at: int) -> int:
    """Where the blanks end; the vendor writes none."""
    while text[at] in _BLANKS:
        at += 1
    return at
