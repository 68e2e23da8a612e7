"""Field maps: what a destination receives, under which names and paths, read from a `fieldmap.toml`.

Code knows operations (`customer.upsert`) and our own words (`profile.given_name`); the map knows the destination's. A
deployment whose contract differs edits its map and no code.
"""

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from connectors.fieldmap_schema import (
    Answer,
    Limits,
    Masking,
    NextMove,
    ObjectMap,
    Operation,
    Problem,
    Rule,
    Section,
    Transport,
)
from connectors.payload import Payload, Subject, canonical, read_path, write_path
from connectors.transforms import TRANSFORMS, Unfit
from models.landing import Reason

UNMAPPED = "unmapped"
"""Key of a payload that must not be sent: its reasons."""


class WrongMap(ValueError):
    """The map cannot be used. Its text names the file, the path of every wrong key or value, and what is allowed."""


@dataclass(frozen=True)
class Filled:
    """A payload, and what the map wanted but did not find."""

    payload: Payload
    problems: tuple[Reason, ...]

    @property
    def text(self) -> str:
        """The payload of a message. What cannot be sent says so itself, and still does after a night in an outbox."""
        if not self.problems:
            return canonical(self.payload)
        wrong = [reason.model_dump() for reason in self.problems]
        return canonical({UNMAPPED: wrong, "payload": self.payload})


class FieldMap(Section):
    """A whole map. Vendors add their own tables in a subclass."""

    version: int
    transport: Transport
    problem: Problem
    operations: dict[str, Operation]
    errors: tuple[Answer, ...]
    objects: dict[str, ObjectMap]
    lookups: dict[str, dict[str, str]] = Field(default_factory=dict)
    limits: Limits = Limits()
    masking: Masking = Masking()

    @model_validator(mode="after")
    def _references(self) -> Self:
        for name, objects in self.objects.items():
            for rule in objects.fields:
                _refer(f"objects.{name}: {rule.to}: each", rule.each, self.objects)
                _refer(f"objects.{name}: {rule.to}: lookup", rule.lookup, self.lookups)
        return self

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever the map says something else; comments and order of tables do not count."""
        return hashlib.sha256(canonical(self.model_dump(mode="json", by_alias=True)).encode()).hexdigest()[:16]

    def move(self, status: int, code: str | None) -> NextMove | None:
        """What the caller should do about this answer; None if the map does not say."""
        return next((answer.move for answer in self.errors if answer.fits(status, code)), None)

    def fill(self, name: str, subject: Subject) -> Filled:
        """Map a subject to the payload of this object."""
        rules = self.objects[name].written
        payload: Payload = {}
        problems: list[Reason] = []
        for rule in rules:
            self._fill_one(rule, subject, payload, problems)
        return Filled(payload, tuple(problems) + _missing_groups(rules, payload))

    def _fill_one(self, rule: Rule, subject: Subject, payload: Payload, problems: list[Reason]) -> None:
        try:
            value = self._value(rule, subject)
        except Unfit as unfit:
            problems.append(Reason(path=rule.to, problem=str(unfit)))
            return
        if value is None and rule.required:
            problems.append(Reason(path=rule.to, problem=f"required, but {rule.source} has no value"))
        elif value is not None or rule.absent != "omit":
            write_path(payload, rule.to, [] if value is None and rule.absent == "list" else value)

    def _value(self, rule: Rule, subject: Subject) -> Any:  # noqa: ANN401 - any JSON value
        value = rule.value if rule.source is None else read_path(subject, rule.source)
        if rule.transform is not None and not _empty(value):
            value = TRANSFORMS[rule.transform](value, _options(rule, subject))
        if _empty(value):
            return None
        for step in (self._allowed, self._looked_up, self._items, self._bounded):
            value = step(rule, value)
        return value

    def _allowed(self, rule: Rule, value: Any) -> Any:  # noqa: ANN401
        if rule.allow is None or not isinstance(value, Mapping):
            return value
        return {name: value[name] for name in rule.allow if value.get(name) is not None}

    def _looked_up(self, rule: Rule, value: Any) -> Any:  # noqa: ANN401
        if rule.lookup is None:
            return value
        table = self.lookups[rule.lookup]
        found = table.get(str(value), table.get("*"))
        if found is None:
            raise Unfit(f"the value has no entry in lookups.{rule.lookup}, and there is no '*'")
        return found.replace("{value}", str(value))

    def _items(self, rule: Rule, value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, list | tuple):
            return value
        if rule.pick is not None:
            return [item[rule.pick] for item in value if item.get(rule.pick) is not None]
        return list(value) if rule.each is None else [self._item(rule, n, item) for n, item in enumerate(value)]

    def _item(self, rule: Rule, index: int, item: Subject) -> Payload:
        filled = self.fill(str(rule.each), item)
        if filled.problems:
            first = filled.problems[0]
            raise Unfit(f"item {index}: {first.path}: {first.problem}")
        return filled.payload

    def _bounded(self, rule: Rule, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, str | list):
            most = rule.max if rule.max is not None or isinstance(value, list) else self.limits.text
            if most is not None and len(value) > most and rule.required:
                raise Unfit(f"longer than {most}, and a required value is not cut")
            return value[:most]
        if rule.min is not None and isinstance(value, int):
            return max(rule.min, value)
        return value


def _refer(place: str, name: str | None, known: Collection[str]) -> None:
    if name is not None and name not in known:
        raise ValueError(f"{place}: {name!r} does not exist; allowed: {', '.join(sorted(known)) or 'none'}")


def _missing_groups(rules: Collection[Rule], payload: Payload) -> tuple[Reason, ...]:
    groups: dict[str, list[str]] = {}
    for rule in rules:
        if rule.required_any is not None:
            groups.setdefault(rule.required_any, []).append(rule.to)
    lacking = (paths for paths in groups.values() if all(_empty(read_path(payload, path)) for path in paths))
    return tuple(Reason(path=paths[0], problem=f"one of {', '.join(paths)} is required") for paths in lacking)


def _options(rule: Rule, subject: Subject) -> dict[str, Any]:
    first = None if rule.primary is None else read_path(subject, rule.primary)
    return {
        "types": rule.types,
        "primary": first,
        "allow": rule.allow,
        "undated": rule.undated,
        "number_first": rule.number_first,
    }


def _empty(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return value is None or value == ""


Map = TypeVar("Map", bound=FieldMap)


@dataclass(frozen=True)
class Use:
    """How the code uses an operation: what for, and which parts of path, query and body it can fill."""

    purpose: Literal["read", "write"]
    parts: tuple[str, ...]


def load(path: Path, kind: type[Map], operations: Mapping[str, Use], objects: Collection[str]) -> Map:
    """Read and check a map. `operations` and `objects`: what the code uses and the map must therefore have.

    Raises WrongMap with the path of every wrong key and value, OSError if there is no such file.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        fieldmap = kind.model_validate(told)
    except tomllib.TOMLDecodeError as error:
        raise WrongMap(f"{path.name}: {error}") from error
    except ValidationError as error:
        raise WrongMap("\n".join(f"{path.name}: {line}" for line in _lines(error))) from error
    wrong = [*_wrong_operations(fieldmap.operations, operations), *_missing("objects", fieldmap.objects, objects)]
    if wrong:
        raise WrongMap("\n".join(f"{path.name}: {line}" for line in wrong))
    return fieldmap


def _lines(error: ValidationError) -> list[str]:
    wrong = error.errors(include_url=False, include_input=False)
    return [f"{'.'.join(map(str, one['loc'])) or 'the map'}: {one['msg']}" for one in wrong]


def _missing(table: str, told: Collection[str], wanted: Collection[str]) -> list[str]:
    return [f"{table}.{name}: missing" for name in sorted(set(wanted) - set(told))]


def _wrong_operations(told: Mapping[str, Operation], known: Mapping[str, Use]) -> list[str]:
    allowed = ", ".join(sorted(known))
    wrong = [f"operations.{name}: not known; allowed: {allowed}" for name in sorted(set(told) - set(known))]
    wrong += _missing("operations", told, known)
    for name in sorted(set(told) & set(known)):
        wrong += [f"operations.{name}.{line}" for line in _misused(told[name], known[name])]
    return wrong


def _misused(operation: Operation, use: Use) -> list[str]:
    allowed = ", ".join(use.parts)
    stray = sorted(operation.parts() - set(use.parts))
    wrong = [f"path: {{{part}}} cannot be filled; allowed: {allowed}" for part in stray]
    if (use.purpose == "read") != (operation.method == "GET"):
        wrong.append(f"method: {operation.method} does not {use.purpose}")
    return wrong
