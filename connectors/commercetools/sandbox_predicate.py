"""The vendor's query predicates: `lastModifiedAt > "..." and custom(fields(loyaltyNumber in ("1", "2")))`.

either    = both { "or" both }
both      = one { "and" one }
one       = "not" "(" either ")" | "(" either ")" | field test
test      = "(" either ")" | operator value | [ "not" ] "in" values
          | "is" [ "not" ] ( "defined" | "empty" ) | "contains" ( "any" | "all" ) values
values    = "(" value { "," value } ")" | ":" name
value     = text | number | "true" | "false" | ":" name
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

Test = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<variable>:[A-Za-z_][\w-]*)
      | (?P<operator><=|>=|!=|<>|=|<|>)
      | (?P<mark>[(),])
      | `(?P<quoted>[^`]+)`
      | (?P<word>[A-Za-z_][\w-]*)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TIMES = {"createdAt", "lastModifiedAt", "completedAt", "timestamp", "returnDate", "addedAt"}
_DEEPEST = 16


class Malformed(ValueError):
    """A predicate or sort that the vendor answers with 400."""


@dataclass(frozen=True, slots=True)
class Told:
    """The text of a variable, whose type only the field knows."""

    said: str


def predicate(text: str, variables: Mapping[str, str], fields: frozenset[str]) -> Test:
    """A test of one resource. `fields`: what the resource has at its top. Raises Malformed."""
    parser = _Parser(_tokens(text), variables)
    test = parser.either(fields)
    parser.end()
    return test


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Malformed(f"unexpected input at {at}")
        found.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: Sequence[_Token], variables: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._variables = variables
        self._at = 0
        self._depth = 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            self._fail()

    def either(self, fields: frozenset[str] | None) -> Test:
        """`fields` None where a resource's own names end: inside custom fields and nested objects."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Malformed("nested too deeply")
        tests = [self._both(fields)]
        while self._took_word("or"):
            tests.append(self._both(fields))
        self._depth -= 1
        return tests[0] if len(tests) == 1 else lambda thing: any(test(thing) for test in tests)

    def _both(self, fields: frozenset[str] | None) -> Test:
        tests = [self._one(fields)]
        while self._took_word("and"):
            tests.append(self._one(fields))
        return tests[0] if len(tests) == 1 else lambda thing: all(test(thing) for test in tests)

    def _one(self, fields: frozenset[str] | None) -> Test:
        if self._took_word("not"):
            self._expect("(")
            inner = self._closed(fields)
            return lambda thing: not inner(thing)
        if self._took("("):
            return self._closed(fields)
        return self._field(fields)

    def _closed(self, fields: frozenset[str] | None) -> Test:
        test = self.either(fields)
        self._expect(")")
        return test

    def _field(self, fields: frozenset[str] | None) -> Test:
        token = self._next()
        if token.kind not in {"word", "quoted"}:
            self._fail()
        name = token.text
        if fields is not None and name not in fields:
            raise Malformed(f"The field '{name}' does not exist.")
        return self._test(name)

    def _test(self, name: str) -> Test:
        if self._took("("):
            return _within(name, self._closed(None))
        if self._took_word("is"):
            return self._state(name)
        if self._took_word("contains"):
            return self._holds(name)
        if self._took_word("not"):
            self._expect_word("in")
            listed = self._values(name)
            return lambda thing: thing.get(name) is not None and not _among(name, thing, listed)
        if self._took_word("in"):
            values = self._values(name)
            return lambda thing: _among(name, thing, values)
        return self._comparison(name)

    def _comparison(self, name: str) -> Test:
        token = self._next()
        if token.kind != "operator":
            self._fail()
        compare, value = _COMPARE[token.text], self._value(name)
        return lambda thing: _compared(compare, name, thing, value)

    def _state(self, name: str) -> Test:
        wanted = not self._took_word("not")
        if self._took_word("defined"):
            return lambda thing: (thing.get(name) is not None) is wanted
        self._expect_word("empty")
        return lambda thing: (not thing.get(name)) is wanted

    def _holds(self, name: str) -> Test:
        quantifier = any if self._took_word("any") else all
        if quantifier is all:
            self._expect_word("all")
        values = self._values(name)
        return lambda thing: quantifier(_plain(value) in map(_plain, thing.get(name) or ()) for value in values)

    def _values(self, name: str) -> list[Any]:
        if not self._took("("):
            return [self._value(name)]
        values = [self._value(name)]
        while self._took(","):
            values.append(self._value(name))
        self._expect(")")
        return values

    def _value(self, name: str) -> Any:  # noqa: ANN401  text, number, truth, time or a variable's text
        token = self._next()
        if token.kind == "text":
            said = re.sub(r"\\(.)", r"\1", token.text[1:-1])
            return _time(said) if name in _TIMES else said
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind == "variable":
            return self._variable(token.text[1:], name)
        if token.text in {"true", "false"}:
            return token.text == "true"
        return self._fail()

    def _variable(self, variable: str, name: str) -> Any:  # noqa: ANN401  a time, or text that fits itself to the field
        if variable not in self._variables:
            raise Malformed(f"Missing value for the variable '{variable}'.")
        said = self._variables[variable].strip('"')
        return _time(said) if name in _TIMES else Told(said)

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise Malformed("unexpected end of input")
        self._at += 1
        return self._tokens[self._at - 1]

    def _took(self, mark: str) -> bool:
        return self._took_token("mark", mark)

    def _took_word(self, word: str) -> bool:
        return self._took_token("word", word)

    def _took_token(self, kind: str, text: str) -> bool:
        there = self._at < len(self._tokens) and self._tokens[self._at] == _Token(kind, text)
        self._at += there
        return there

    def _expect(self, mark: str) -> None:
        if not self._took(mark):
            self._fail()

    def _expect_word(self, word: str) -> None:
        if not self._took_word(word):
            self._fail()

    def _fail(self) -> NoReturn:
        raise Malformed(f"unexpected input at part {self._at + 1}")


def _within(name: str, inner: Test) -> Test:
    """The test of a nested object, or of any member of a list of them."""

    def test(thing: Mapping[str, Any]) -> bool:
        value = thing.get(name)
        members = value if isinstance(value, list) else [value]
        return any(inner(member) for member in members if isinstance(member, Mapping))

    return test


def _among(name: str, thing: Mapping[str, Any], values: list[Any]) -> bool:
    return any(_compared(operator.eq, name, thing, value) for value in values)


def _compared(compare: Callable[[Any, Any], bool], name: str, thing: Mapping[str, Any], value: object) -> bool:
    held = thing.get(name)
    if held is None:
        return False
    if name in _TIMES:
        held = _time(held)
    wanted = _as(held, value.said) if isinstance(value, Told) else value
    if type(held) is not type(wanted) and not _both_numbers(held, wanted):
        raise Malformed(f"The value of the field '{name}' has another type.")
    return compare(held, wanted)


def _both_numbers(one: object, other: object) -> bool:
    return type(one) in {int, float} and type(other) in {int, float}


def _as(held: object, said: str) -> object:
    """A variable's text in the type of what the field holds."""
    if isinstance(held, bool):
        return said == "true"
    if isinstance(held, (int, float)):
        try:
            return float(said)
        except ValueError as error:
            raise Malformed("A variable is no number.") from error
    return said


def _plain(value: object) -> object:
    return value.said if isinstance(value, Told) else value


def _time(said: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError as error:
        raise Malformed("Invalid date-time.") from error
    if moment.tzinfo is None:
        raise Malformed("A date-time needs a time zone.")
    return moment
