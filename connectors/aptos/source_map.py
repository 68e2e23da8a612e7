"""How the CRM's change feed and daily files are read: the `[source]` tables of the field map."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from connectors.aptos.told import ESSENTIAL, OBJECTS, PARTS, Told
from connectors.fieldmap_schema import Section
from connectors.payload import read_path
from models.base import Moment
from models.landing import Reason

Location = tuple[int | str, ...]


class Pick(Section):
    """One field: where it stands there, and which word of ours it is."""

    source: str | None = Field(default=None, alias="from")
    """Dotted path in an item of the feed, or the name of a column."""
    value: str | bool | None = None
    """A constant, in place of `from`."""
    to: str
    """Our word. Columns of a flat file build a list by place: `emails.0.value`."""
    each: str | None = None
    """For lists: the part whose fields read every item."""
    codes: str | None = None
    """The table of `codes` that turns their word into ours."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.source is None) == (self.value is None):
            raise ValueError("give exactly one of: from, value")
        return self


@dataclass(frozen=True, slots=True)
class Picks:
    """The fields of an object or of an item of a list, sorted by what there is to do for each of them."""

    fields: tuple[Pick, ...]
    plain: tuple[tuple[str, str], ...]
    """Name there and word of ours, for values that are taken as they are."""
    nested: tuple[tuple[tuple[str, ...], str], ...]
    """The same for values further down."""
    other: tuple[Pick, ...]
    """Constants, codes, lists and columns that build a list."""
    by_place: tuple[str, ...]
    """Words that columns build."""

    @classmethod
    def of(cls, fields: tuple[Pick, ...]) -> "Picks":
        """Sorted once a map: this is asked for every field of every item."""
        as_is = [pick for pick in fields if pick.source and pick.each is None and pick.codes is None]
        as_is = [pick for pick in as_is if "." not in pick.to]
        sources = [(str(pick.source), pick.to) for pick in as_is]
        return cls(
            fields=fields,
            plain=tuple((source, word) for source, word in sources if "." not in source),
            nested=tuple((tuple(source.split(".")), word) for source, word in sources if "." in source),
            other=tuple(pick for pick in fields if pick not in as_is),
            by_place=tuple({pick.to.partition(".")[0]: None for pick in fields if "." in pick.to}),
        )


class Layout(Section):
    """The daily files of an object."""

    pattern: Annotated[str, StringConstraints(pattern=r"^[^/\\.][^/\\]*$")]
    """The file's name, with {yyyymmdd} and {seq} where day and number of the file stand, and * for anything."""
    form: Literal["delimited", "ndjson"]
    """delimited: a header, then a line a record. ndjson: a line a record, written as the feed would tell it."""
    delimiter: str = Field(default="|", min_length=1, max_length=1)
    encoding: str = "utf-8"
    fields: tuple[Pick, ...] = ()
    """By column, for delimited files; ndjson is read by the object's own fields."""

    @model_validator(mode="after")
    def _has_columns(self) -> Self:
        if (self.form == "delimited") != bool(self.fields):
            raise ValueError("fields: needed for delimited files, and only for them")
        return self

    @cached_property
    def picks(self) -> Picks:
        """The columns, sorted."""
        return Picks.of(self.fields)

    def order_of(self, name: str) -> tuple[str, int] | None:
        """Day and number of a file of this object, `("", 0)` where the name tells none; None for another file."""
        found = self._name.fullmatch(name)
        if found is None:
            return None
        told = found.groupdict()
        return told.get("day") or "", int(told.get("seq") or 0)

    @cached_property
    def _name(self) -> re.Pattern[str]:
        parts = {"{yyyymmdd}": r"(?P<day>\d{8})", "{seq}": r"(?P<seq>\d{1,9})", "*": ".*"}
        split = re.split(r"(\{yyyymmdd\}|\{seq\}|\*)", self.pattern)
        return re.compile("".join(parts.get(part, re.escape(part)) for part in split))


class Object(Section):
    """One of our objects: its name in the feed, its daily files, and its fields."""

    feed: str | None = None
    lookup: Annotated[str, StringConstraints(pattern=r"^/[^{}]*\{id\}[^{}]*$")] | None = None
    """Path at which one record is asked for by its {id}. Only where the feed, read from its beginning, brings all of
    them: then a full read asks for those that it did not bring, and ends what is gone."""
    file: Layout | None = None
    fields: tuple[Pick, ...]

    @cached_property
    def picks(self) -> Picks:
        """The fields, sorted."""
        return Picks.of(self.fields)


class Part(Section):
    """An item of a list."""

    fields: tuple[Pick, ...]

    @cached_property
    def picks(self) -> Picks:
        """The fields, sorted."""
        return Picks.of(self.fields)


class Feed(Section):
    """The change feed: addresses, names of its parameters, and where its answers say what."""

    path: str = "/changes/{feed}"
    cursor: str = "cursor"
    since: str = "since"
    limit: str = "limit"
    items: str = "items"
    cursor_from: str = "nextCursor"
    more_from: str = "hasMore"
    expired: tuple[str, ...] = ("cursor_expired",)
    """Error codes by which the CRM says that it has forgotten a cursor."""


class Files(Section):
    """What all daily files share."""

    done_suffix: str = ".done"
    """A file is read once one with its name and this ending lies beside it."""
    trailer: str = "TRL|{count}|{sha256}"
    """The last line: number of the lines of data, and SHA-256 of their bytes, line ends included."""

    @model_validator(mode="after")
    def _tells_both(self) -> Self:
        if "{count}" not in self.trailer or "{sha256}" not in self.trailer:
            raise ValueError("trailer: needs {count} and {sha256}")
        return self

    @cached_property
    def trailer_pattern(self) -> re.Pattern[str]:
        """Finds `count` and `sha256`."""
        escaped = re.escape(self.trailer)
        counted = escaped.replace(re.escape("{count}"), r"(?P<count>\d{1,15})")
        return re.compile(counted.replace(re.escape("{sha256}"), r"(?P<sha256>[0-9a-fA-F]{64})"))


class SourceMap(Section):
    """Everything that a deployment may tell otherwise."""

    golden: str = "golden"
    """System of the alternate key under which we publish a customer."""
    own: tuple[str, ...] = ("golden", "*:*")
    """Systems of customer keys that nobody but us writes, with `*` for anything."""
    undated: Moment | None = None
    """What we write as the moment of an answer of which nobody knows the moment."""
    feed: Feed = Feed()
    files: Files = Files()
    objects: dict[str, Object]
    parts: dict[str, Part] = Field(default_factory=dict)
    codes: dict[str, dict[str, str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, told in self.objects.items():
            if name not in OBJECTS:
                raise ValueError(f"objects.{name}: not known; allowed: {', '.join(OBJECTS)}")
            if told.feed is None and told.file is None:
                raise ValueError(f"objects.{name}: give feed, file or both")
            self._check(f"objects.{name}", told.fields, OBJECTS[name])
            if told.file is not None and told.file.fields:
                self._check(f"objects.{name}.file", told.file.fields, OBJECTS[name])
        return self

    def _check(self, place: str, fields: Sequence[Pick], model: type[Told]) -> None:
        """Each word exists, each required one has a field, each table that is named is there. Raises ValueError."""
        for pick in fields:
            self._check_word(f"{place}: {pick.to}", pick, model)
        told = {pick.to.partition(".")[0] for pick in fields}
        missing = [name for name, field in model.model_fields.items() if field.is_required() and name not in told]
        if missing:
            raise ValueError(f"{place}: nothing is read as {', '.join(missing)}")

    def _check_word(self, place: str, pick: Pick, model: type[Told]) -> None:
        word, *rest = pick.to.split(".")
        if pick.codes is not None and pick.codes not in self.codes:
            raise ValueError(f"{place}: codes.{pick.codes} does not exist")
        if word not in model.model_fields:
            raise ValueError(f"{place}: no such word; allowed: {', '.join(model.model_fields)}")
        if pick.each is not None:
            if word not in PARTS or pick.each not in self.parts:
                raise ValueError(f"{place}: each: {pick.each!r} does not exist, or {word} is no list")
            self._check(f"parts.{pick.each}", self.parts[pick.each].fields, PARTS[word])
        elif rest and (len(rest) != 2 or not rest[0].isdigit() or rest[1] not in _words_of(word)):
            raise ValueError(f"{place}: write a list by place, e.g. emails.0.value")

    def told(self, picks: Picks, item: Mapping[str, Any]) -> tuple[dict[str, Any], list[Reason]]:
        """An item under our words, and what could not be read. A text of blanks only says nothing."""
        words = {
            word: value
            for source, word in picks.plain
            if (value := item.get(source)) is not None and (value.__class__ is not str or value.strip())
        }
        for path, word in picks.nested:
            value = _further_down(item, path)
            if value is not None and (value.__class__ is not str or value.strip()):
                words[word] = value
        reasons: list[Reason] = []
        for pick in picks.other:
            value = pick.value if pick.source is None else read_path(item, pick.source)
            if value is not None and (value.__class__ is not str or value.strip()):
                self._pick(pick, value, words, reasons)
        for word in picks.by_place:
            if word in words:
                words[word] = _listed(word, words[word])
        return words, reasons

    def place(self, fields: Sequence[Pick], location: Location) -> str:
        """Where a word of ours stands in their item: `emails[2].value`, or the column of a flat file."""
        dotted = ".".join(map(str, location))
        for pick in fields:
            if pick.to == dotted or (pick.to == location[0] and pick.each is None):
                return pick.source or pick.to
        listed = next((pick for pick in fields if pick.to == location[0] and pick.each is not None), None)
        if listed is not None and len(location) > 1:
            inner = self.place(self.parts[str(listed.each)].fields, location[2:]) if len(location) > 2 else ""
            return f"{listed.source}[{location[1]}]{inner and '.'}{inner}"
        return next((pick.source for pick in fields if pick.source and pick.to.startswith(f"{dotted}.")), dotted)

    def _pick(self, pick: Pick, value: Any, words: dict[str, Any], reasons: list[Reason]) -> None:  # noqa: ANN401
        try:
            _put(words, pick.to, self._value(pick, value, reasons))
        except ValueError as problem:
            reasons.append(Reason(path=pick.source or pick.to, problem=str(problem)))

    def _value(self, pick: Pick, value: Any, reasons: list[Reason]) -> Any:  # noqa: ANN401 - any JSON value
        if pick.codes is not None:
            return self.coded(pick.codes, value)
        if pick.each is None:
            return value
        if not isinstance(value, list):
            raise ValueError("expected a list")
        picks, items = self.parts[pick.each].picks, []
        for number, one in enumerate(value):
            if not isinstance(one, dict):
                reasons.append(Reason(path=f"{pick.source}[{number}]", problem="expected an object"))
                continue
            told, wrong = self.told(picks, one)
            items.append(told)
            for reason in wrong:
                where = f"{pick.source}[{number}].{reason.path}"
                reasons.append(Reason(path=where, problem=reason.problem))
        return items

    def coded(self, table: str, value: object) -> str:
        """Our word for a code of theirs. Raises ValueError if the table has none."""
        codes = self.codes[table]
        found = codes.get(str(value).strip(), codes.get("*"))
        if found is None:
            raise ValueError(f"the code has no entry in source.codes.{table}, and there is no '*'")
        return found.replace("{value}", str(value).strip())


def _further_down(value: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON values
    for name in path:
        if value.__class__ is not dict:
            return read_path(value, ".".join(path[path.index(name) :]))
        value = value.get(name)
    return value


def _words_of(word: str) -> tuple[str, ...]:
    return tuple(PARTS[word].model_fields) if word in PARTS else ()


def _put(words: dict[str, Any], path: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
    *tables, last = path.split(".")
    for name in tables:
        words = words.setdefault(name, {})
    words[last] = value


def _listed(word: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """What columns told by place, as a list without the items whose columns were empty."""
    if word not in PARTS or not isinstance(value, dict):
        return value
    essential = ESSENTIAL[word]
    items = (value[place] for place in sorted(value, key=int))
    return [item for item in items if essential is None or essential in item]
