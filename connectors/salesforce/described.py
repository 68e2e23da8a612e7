"""What an org says about an object: which fields there are, of what type, and whether they can be filtered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `relationship` names the records that it refers to in queries, e.g. Program for ProgramId.

    calculated: a formula or a roll-up; it changes without a new SystemModstamp.
    """

    name: str
    type: str
    filterable: bool
    sortable: bool
    relationship: str | None
    refers_to: tuple[str, ...]
    calculated: bool = False

    @property
    def custom(self) -> bool:
        """Whether the org made it."""
        return self.name.endswith(("__c", "__pc"))


@dataclass(frozen=True, slots=True)
class Described:
    """An object as this org and this user see it. replicateable: whether it can be asked what was deleted."""

    object: str
    fields: Mapping[str, Field]
    replicateable: bool = True

    def stamp(self) -> str | None:
        """The field by which changes are found: SystemModstamp where it can be filtered; None if no time can."""
        usable = (name for name in _STAMPS if name in self.fields)
        return next((name for name in usable if self.fields[name].filterable and self.fields[name].sortable), None)

    def referring(self, relationship: str) -> Field | None:
        """The field behind a relationship, None if there is none of this name."""
        return next((field for field in self.fields.values() if field.relationship == relationship), None)


def described(told: Mapping[str, Any]) -> Described:
    """Read an answer of describe. Raises KeyError and TypeError for anything else."""
    fields = {each["name"]: _field(each) for each in told["fields"]}
    return Described(told["name"], fields, bool(told.get("replicateable", True)))


def _field(told: Mapping[str, Any]) -> Field:
    return Field(
        name=_text(told["name"]),
        type=_text(told["type"]),
        filterable=bool(told.get("filterable", True)),
        sortable=bool(told.get("sortable", True)),
        relationship=told.get("relationshipName"),
        refers_to=tuple(map(_text, told.get("referenceTo") or ())),
        calculated=bool(told.get("calculated", False)),
    )


def _text(told: object) -> str:
    if not isinstance(told, str):
        raise TypeError("expected a text")
    return told
