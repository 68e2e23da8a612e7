"""A SOQL of its own: SELECT fields FROM object WHERE conditions ORDER BY fields LIMIT number OFFSET number.

As the vendor does, it refuses AND beside OR without brackets, fields that are unknown or cannot be filtered in
conditions, and a query for links of documents that does not say of which.
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.salesforce.ids import long_id
from connectors.salesforce.sandbox_org import Org
from connectors.salesforce.sandbox_schema import Record

Test = Callable[[Record], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
      | (?P<date>\d{4}-\d\d-\d\d)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<operator><=|>=|!=|<>|=|<|>)
      | (?P<mark>[(),])
      | (?P<word>[A-Za-z_][\w.]*)
    )""",
    re.VERBOSE,
)
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_DEEPEST = 16
_LINKED = {"ContentDocumentId", "LinkedEntityId", "Id"}


class Malformed(ValueError):
    """A query that the vendor answers with 400; `code` is its error code."""

    def __init__(self, message: str, code: str = "MALFORMED_QUERY") -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Query:
    """A query that was understood. counts: it asks for the number of records alone."""

    object: str
    fields: tuple[str, ...]
    counts: bool
    test: Test
    order: list[tuple[str, bool, bool]] = field(default_factory=list)
    """Path, whether descending, whether nulls come first."""
    limit: int | None = None
    offset: int = 0

    def run(self, org: Org, *, bin_too: bool) -> list[Record]:
        """The records it finds, in its order; without one, in the order of their ids."""
        found = [each for each in org.committed(self.object) if bin_too or not each.get("IsDeleted")]
        found = sorted((each for each in found if self.test(each)), key=lambda each: each["Id"])
        for path, descending, nulls_first in reversed(self.order):
            told = [(org.value(self.object, each, path), each) for each in found]
            some = sorted((pair for pair in told if pair[0] is not None), key=lambda pair: pair[0], reverse=descending)
            none = [pair for pair in told if pair[0] is None]
            found = [each for _, each in ([*none, *some] if nulls_first else [*some, *none])]
        end = None if self.limit is None else self.offset + self.limit
        return found[self.offset : end]


def parse(text: str, org: Org) -> Query:
    """Read a query. Raises Malformed."""
    parser = _Parser(_tokens(text), org)
    return parser.query()


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Malformed(f"unexpected token at {at}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: Sequence[tuple[str, str]], org: Org) -> None:
        self._tokens = tokens
        self._org = org
        self._at = 0
        self._depth = 0
        self._object = ""
        self._named: set[str] = set()

    def query(self) -> Query:
        self._expect("select")
        listed = self._listed()
        self._expect("from")
        self._object = self._of_org(self._word())
        fields, counts = self._fields(listed)
        test = self._either() if self._took("where") else _everything
        query = Query(self._object, fields, counts, test)
        self._ordering(query)
        query.limit = self._count_after("limit")
        query.offset = self._count_after("offset") or 0
        if self._at < len(self._tokens):
            raise Malformed("unexpected token")
        self._check(listed, query)
        return query

    def _check(self, listed: list[str], query: Query) -> None:
        if "FIELDS(ALL)" in listed and (query.limit is None or query.limit > 200):
            raise Malformed("The SOQL FIELDS function must have a LIMIT of at most 200")
        if query.object == "ContentDocumentLink" and not self._named & _LINKED:
            raise Malformed("ContentDocumentLink requires a filter on ContentDocumentId or LinkedEntityId")

    def _of_org(self, name: str) -> str:
        known = {each.lower(): each for each in self._org.schema}
        if name.lower() not in known:
            raise Malformed(f"sObject type '{name}' is not supported.", "INVALID_TYPE")
        return known[name.lower()]

    def _listed(self) -> list[str]:
        names = []
        while True:
            name = self._word()
            if self._took("("):
                inside = "" if self._peek() == ")" else self._word().upper()
                self._expect(")")
                name = f"{name.upper()}({inside})"
            names.append(name)
            if not self._took(","):
                return names

    def _fields(self, listed: list[str]) -> tuple[tuple[str, ...], bool]:
        if listed == ["COUNT()"]:
            return (), True
        if listed in (["FIELDS(ALL)"], ["FIELDS(STANDARD)"]):
            fields = self._org.schema[self._object].values()
            return tuple(each.name for each in fields if listed[0] == "FIELDS(ALL)" or "__" not in each.name), False
        return tuple(self._known(name) for name in listed), False

    def _known(self, path: str) -> str:
        if self._org.field(self._object, path) is None:
            raise Malformed(f"No such column '{path}' on entity '{self._object}'.", "INVALID_FIELD")
        return path

    def _either(self) -> Test:
        """Conditions joined by AND or by OR; the two only meet across brackets."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Malformed("nested too deeply")
        tests, joined = [self._one()], None
        while (joint := self._took_one_of("and", "or")) is not None:
            if joined not in (None, joint):
                raise Malformed("unexpected token: AND and OR need brackets")
            joined = joint
            tests.append(self._one())
        self._depth -= 1
        quantifier = any if joined == "or" else all
        return tests[0] if len(tests) == 1 else lambda record: quantifier(test(record) for test in tests)

    def _one(self) -> Test:
        if self._took("not"):
            inner = self._one()
            return lambda record: not inner(record)
        if self._took("("):
            inner = self._either()
            self._expect(")")
            return inner
        return self._condition()

    def _condition(self) -> Test:
        path = self._known(self._word())
        told = self._org.field(self._object, path)
        if told is not None and not told.filterable:
            raise Malformed(f"field '{path}' can not be filtered in a query call", "INVALID_FIELD")
        self._named.add(path)
        if self._took("like"):
            return self._like(path)
        if self._took("not"):
            self._expect("in")
            inner = self._in(path)
            return lambda record: not inner(record)
        return self._in(path) if self._took("in") else self._comparison(path)

    def _comparison(self, path: str) -> Test:
        kind, sign = self._next()
        if kind != "operator":
            raise Malformed("unexpected token: an operator is missing")
        value = self._literal(path)
        if sign in ("=", "!=", "<>"):
            same = self._equality(path)
            return lambda record: same(self._value(record, path), value) is (sign == "=")
        compare = _ORDERED[sign]
        return lambda record: _compared(compare, self._value(record, path), value)

    def _in(self, path: str) -> Test:
        self._expect("(")
        values = [self._literal(path)]
        while self._took(","):
            values.append(self._literal(path))
        self._expect(")")
        same = self._equality(path)
        return lambda record: any(same(self._value(record, path), value) for value in values)

    def _like(self, path: str) -> Test:
        pattern = str(self._literal(path))
        shape = re.compile("".join({"%": ".*", "_": "."}.get(each, re.escape(each)) for each in pattern), re.I | re.S)
        return lambda record: isinstance(said := self._value(record, path), str) and bool(shape.fullmatch(said))

    def _equality(self, path: str) -> Callable[[Any, Any], bool]:
        """Texts are equal whatever their case, ids are not."""
        told = self._org.field(self._object, path)
        return operator.eq if told is not None and told.type in {"id", "reference"} else _same

    def _value(self, record: Record, path: str) -> Any:  # noqa: ANN401  a field value
        return self._org.value(self._object, record, path)

    def _literal(self, path: str) -> Any:  # noqa: ANN401  a value that fits the field
        kind, text = self._next()
        told = self._org.field(self._object, path)
        if kind == "text":
            said = re.sub(r"\\(.)", r"\1", text[1:-1])
            return long_id(said) if told and told.type in {"id", "reference"} else said
        if kind == "time":
            return datetime.fromisoformat(text)
        if kind == "date":
            return text
        if kind == "number":
            return float(text)
        words = {"true": True, "false": False, "null": None}
        if text.lower() not in words:
            raise Malformed(f"unexpected token: '{text}'")
        return words[text.lower()]

    def _ordering(self, query: Query) -> None:
        if not self._took("order"):
            return
        self._expect("by")
        while True:
            path = self._known(self._word())
            told = self._org.field(self._object, path)
            if told is not None and not told.filterable:
                raise Malformed(f"field '{path}' can not be sorted in a query call")
            descending = self._took_one_of("asc", "desc") == "desc"
            nulls = self._took_one_of("first", "last") if self._took("nulls") else "first"
            query.order.append((path, descending, nulls == "first"))
            if not self._took(","):
                return

    def _count_after(self, word: str) -> int | None:
        if not self._took(word):
            return None
        kind, text = self._next()
        if kind != "number" or not text.isdigit():
            raise Malformed(f"{word.upper()} needs a number")
        return int(text)

    def _peek(self) -> str:
        return self._tokens[self._at][1].lower() if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise Malformed("unexpected end of query")
        self._at += 1
        return self._tokens[self._at - 1]

    def _word(self) -> str:
        kind, text = self._next()
        if kind != "word":
            raise Malformed(f"unexpected token: '{text}'")
        return text

    def _took(self, text: str) -> bool:
        taken = self._peek() == text
        self._at += taken
        return taken

    def _took_one_of(self, *words: str) -> str | None:
        word = self._peek()
        return word if word in words and self._took(word) else None

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise Malformed(f"expecting '{text}', found '{self._peek()}'")


def _everything(_record: Record) -> bool:
    return True


def _same(told: Any, value: Any) -> bool:  # noqa: ANN401  field values
    if isinstance(told, str) and isinstance(value, str):
        return told.lower() == value.lower()
    return bool(told == value)


def _compared(compare: Callable[[Any, Any], bool], told: Any, value: Any) -> bool:  # noqa: ANN401  field values
    if told is None or value is None:
        return False
    try:
        return compare(told, value)
    except TypeError as error:
        raise Malformed("value of filter criterion must be of another type", "INVALID_FIELD") from error
