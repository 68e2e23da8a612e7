"""The payload of one row to a person. Pure: with the same settings the same payload gives the same record.

A payload is JSON that names its `pattern` first, and holds one of
    row                     the row: a line of NDJSON as it is written, or the cells by column in the order of the file
    text                    a line that is no JSON object
    bytes                   base64 of a line, or of each cell, that is in none of the encodings
    problem, line [cells]   a line too long to be kept, or a row with too few or too many cells
    problem, file, read     a file of which nothing more can be read after so many rows
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson

from connectors.drops import Damaged
from connectors.files.columns import ConsentColumns, Pattern
from connectors.files.tables import Undecodable, decoded, object_of
from connectors.payload import canonical
from models.landing import Reason, Refusal, SourceRecord
from models.loyalty import MOST_POINTS
from models.records import Person, RecordKey

Value = TypeVar("Value")

SOURCE = "files"
PERSON = "person"

_CONTACT_OF: Mapping[str, str] = {"email": "email", "sms": "phone", "phone": "phone"}


def raw_of(name: str, payload: Mapping[str, Any]) -> str:
    """The raw payload of a record of this pattern."""
    try:
        if "row" not in payload:
            return canonical({"pattern": name, **payload})
        row = payload["row"]
        return before(name) + (row if isinstance(row, str) else orjson.dumps(row).decode()) + "}"
    except orjson.JSONEncodeError:
        return canonical({"pattern": name, "problem": "a value is nested too deep"})


def before(name: str) -> str:
    """What stands before the row in a raw payload."""
    return canonical({"pattern": name})[:-1] + ',"row":'


def translate(raw: str, patterns: Mapping[str, Pattern]) -> SourceRecord | Refusal:
    """Read one payload."""
    try:
        told = object_of(raw)
    except Damaged:
        return _refusal(raw, None, Reason(path="", problem="a value is nested too deep"))
    name = str(told["pattern"])
    if name not in patterns:
        return _refusal(raw, None, Reason(path="pattern", problem="the settings know no such pattern any more"))
    if "problem" in told:
        return _refusal(raw, None, Reason(path=str(told.get("file", "")), problem=str(told["problem"])))
    try:
        row = _row(told, patterns[name])
    except (Damaged, Undecodable) as problem:
        return _refusal(raw, None, Reason(path="", problem=getattr(problem, "problem", str(problem))))
    return _person(raw, name, _Row.of(row, patterns[name]))


def _row(told: Mapping[str, Any], pattern: Pattern) -> Mapping[str, Any]:
    if "row" in told:
        row: Mapping[str, Any] = told["row"]
        return row
    if "text" in told:
        return object_of(told["text"])
    coded = told["bytes"]
    if isinstance(coded, str):
        return object_of(decoded(b64decode(coded), pattern.encodings))
    return {name: decoded(b64decode(text), pattern.encodings) for name, text in coded.items()}


@dataclass
class _Row:
    """The cells by our words, and what was wrong with them. Reasons name the column, never its content."""

    texts: Mapping[str, str]
    """Column -> its text. One that is blank says nothing."""
    odd: Collection[str]
    """Columns that hold a list or a table."""
    pattern: Pattern
    reasons: list[Reason] = field(default_factory=list)

    @classmethod
    def of(cls, cells: Mapping[str, Any], pattern: Pattern) -> "_Row":
        """The row with these cells."""
        texts = {name: told for name, told in cells.items() if told.__class__ is str and told and not told.isspace()}
        odd = [name for name, told in cells.items() if told.__class__ in (list, dict)]
        for name in pattern.dropped:
            texts.pop(name, None)
        return cls(texts, odd, pattern)

    def text(self, column: str | None) -> str | None:
        """The text of a cell; None if it is blank."""
        if column in self.odd:
            self.wrong(column, "a list or a table where one value was expected")
        return None if column is None else self.texts.get(column)

    def word(self, word: str) -> str | None:
        """The text of the first column that holds this word and says something."""
        said = [text for text in map(self.text, self.pattern.columns_of(word)) if text is not None]
        return said[0] if said else None

    def moment(self, column: str | None) -> datetime | None:
        """A moment; one without zone is in the zone of the settings, of the hour that comes twice the first."""
        told = self.text(column)
        if told is None:
            return None
        for read in _readers(self.pattern.moments):
            try:
                found = read(told.strip())
                zoned = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(self.pattern.zone))
                return zoned.astimezone(UTC)
            except (ValueError, OverflowError):
                continue
        self.wrong(column, "no moment in ISO 8601 or in one of the forms of the settings")
        return None

    def day(self, word: str) -> date | None:
        """A day, by ISO 8601."""
        return self._read(word, date.fromisoformat, "no day in ISO 8601")

    def points(self, word: str) -> int | None:
        """A number of points."""
        return self._read(word, _points, "not a whole number that points could be")

    def wrong(self, column: str | None, problem: str) -> None:
        """Note what is wrong with a column."""
        self.reasons.append(Reason(path=column or "", problem=problem))

    def _read(self, word: str, read: Callable[[str], Value], problem: str) -> Value | None:
        told = self.word(word)
        try:
            return None if told is None else read(told.strip())
        except ValueError:
            self.wrong(self.pattern.columns_of(word)[0], problem)
            return None


def _points(told: str) -> int:
    number = int(told)
    if not -MOST_POINTS < number < MOST_POINTS:
        raise ValueError
    return number


@cache
def _readers(forms: tuple[str, ...]) -> Sequence[Callable[[str], datetime]]:
    return (datetime.fromisoformat, *map(_reader, forms))


def _reader(form: str) -> Callable[[str], datetime]:
    return lambda told: datetime.strptime(told, form)  # noqa: DTZ007 - the zone follows


# ---- the parts of a person, as tables that the model reads at once: a model for each part costs a multiple ----------
Part = dict[str, Any]


def _person(raw: str, name: str, row: _Row) -> SourceRecord | Refusal:
    told = row.text(row.pattern.id)
    if told is None and not row.reasons:
        row.wrong(row.pattern.id, "required: it names the record")
    source_id = None if told is None else f"{name}:{told.strip()}"
    body, changed_at = _body(row), row.moment(row.pattern.changed_at)
    if row.reasons or source_id is None:
        return _refusal(raw, source_id, *row.reasons)
    key = RecordKey(source=SOURCE, object=PERSON, source_id=source_id)
    return SourceRecord(key=key, raw=raw, body=Person.model_validate(body), changed_at=changed_at)


def _body(row: _Row) -> Part:
    personal = {word: row.text(column) for word, column in row.pattern.personal.items()}
    personal["brand"] = personal.get("brand") or row.pattern.brand
    address = _address(row)
    return {
        **personal,
        "contact_points": list(_contact_points(row)),
        "addresses": [{**address, "primary": True}] if address else [],
        "identifiers": list(_identifiers(row)),
        "consents": list(_consents(row, personal["brand"], address)),
        "loyalty": list(_loyalty(row)),
        "created_at": row.moment(next(iter(row.pattern.columns_of("created_at")), None)),
        "attributes": _attributes(row),
    }


def _contact_points(row: _Row) -> Iterator[Part]:
    for kind, columns in row.pattern.contacts.items():
        verified = True if kind in row.pattern.verified else None
        told = [(label, row.text(column)) for column, label in columns]
        for place, (label, value) in enumerate((label, value) for label, value in told if value is not None):
            yield {"kind": kind, "value": value, "label": label, "primary": place == 0, "verified": verified}


def _address(row: _Row) -> Mapping[str, str]:
    """The words of the address that the row says, in the order of the words; none if it says none."""
    told = {word: row.text(column) for word, column in row.pattern.address.items()}
    return {word: value for word, value in told.items() if value is not None}


def _identifiers(row: _Row) -> Iterator[Part]:
    for kind, column in row.pattern.known_by.items():
        value = row.text(column)
        if value is not None:
            yield {"kind": kind, "value": value.strip()}


def _consents(row: _Row, brand: str | None, address: Mapping[str, str]) -> Iterator[Part]:
    for asked in row.pattern.consents:
        told = row.text(asked.status)
        if told is None:
            continue
        status = row.pattern.answers.get(told.strip().casefold())
        about = _about(row, asked, address)
        if status is None:
            row.wrong(asked.status, "none of the answers that the settings know")
        elif about is None:
            row.wrong(asked.status, "an answer, but the row has nothing that it could be about")
        else:
            yield {
                "contact_point": about,
                "channel": asked.channel,
                "brand": asked.brand or brand,
                "purpose": asked.purpose,
                "status": status,
                "at": row.moment(asked.at),
                "proof": row.text(asked.proof),
            }


def _about(row: _Row, asked: ConsentColumns, address: Mapping[str, str]) -> str | None:
    """What an answer is about: its own column, else the first e-mail or phone, else the address in one line."""
    if asked.contact_point is not None:
        return row.text(asked.contact_point)
    if asked.channel in _CONTACT_OF:
        return row.word(_CONTACT_OF[asked.channel])
    return ", ".join(address.values()) or None if asked.channel == "post" else None


def _loyalty(row: _Row) -> Iterator[Part]:
    number, tier = row.word("loyalty_number"), row.word("loyalty_tier")
    expires, balance = row.day("loyalty_tier_expires"), row.points("loyalty_points")
    enrolled_at = row.moment(next(iter(row.pattern.columns_of("loyalty_enrolled_at")), None))
    if number is not None:
        yield {
            "account": number.strip(),
            "programme": row.word("loyalty_programme") or row.pattern.programme,
            "tier": None if tier is None else {"code": tier, "expires_on": expires},
            "balance": balance,
            "enrolled_at": enrolled_at,
        }


def _attributes(row: _Row) -> dict[str, str]:
    """Plain values of columns that have no word of ours; lists and tables stay in the raw payload."""
    kept, named = row.pattern.attributes, row.pattern.named
    if kept == "rest":
        return {name: text for name, text in row.texts.items() if name not in named}
    return {name: row.texts[name] for name in kept if name in row.texts}


def _refusal(raw: str, source_id: str | None, *reasons: Reason) -> Refusal:
    return Refusal(source=SOURCE, object=PERSON, source_id=source_id, raw=raw, reasons=tuple(reasons))
