"""The tables of a `fieldmap.toml`, each checked key by key and value by value."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from string import Formatter
from types import MappingProxyType
from typing import Any, Literal, Self
from urllib.parse import quote

from pydantic import Field, model_validator

from connectors.payload import Subject
from connectors.transforms import OPTIONS, TRANSFORMS
from models.base import Frozen


class Section(Frozen):
    """A table of the map. A key nobody knows is refused together with the list of those that are known."""

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, told: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever the file holds
        known = sorted(field.alias or name for name, field in cls.model_fields.items())
        unknown = sorted(set(told) - set(known)) if isinstance(told, dict) else []
        if unknown:
            raise ValueError(f"unknown key {', '.join(unknown)}; allowed: {', '.join(known)}")
        return told


class Operation(Section):
    """One call. The `{parts}` of path, query and body are filled by the code that names the operation."""

    method: Literal["GET", "PUT", "POST", "DELETE"]
    path: str
    query: dict[str, str] = Field(default_factory=dict)
    body: dict[str, str] = Field(default_factory=dict)
    id_from: str | None = None
    """Dotted path of the answer that holds the destination's own id."""
    items: str | None = None
    """Dotted path of the answer that holds its list; None if the answer is the thing itself."""

    def parts(self) -> set[str]:
        """The names in braces, over path, query and body."""
        return _named_parts((self.path, *self.query.values(), *self.body.values()))

    def url(self, parts: Mapping[str, str]) -> str:
        """The path below the base URL, every part escaped."""
        return self.path.format(**{name: quote(value, safe="") for name, value in parts.items()})


def _named_parts(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}


class Rule(Section):
    """One field: where its value comes from, what happens to it, and where it goes."""

    source: str | None = Field(default=None, alias="from")
    """Dotted path in our words; numbers pick from a list."""
    value: str | int | bool | list[str] | None = None
    """A constant, in place of `from`."""
    to: str
    """Dotted path in the destination's words."""
    transform: str | None = None
    each: str | None = None
    """For lists: the object whose fields map every item."""
    pick: str | None = None
    """For lists: keep only this key of every item."""
    lookup: str | None = None
    allow: tuple[str, ...] | None = None
    """For tables: the only names that may pass. For `alternate_keys`: the only kinds of record."""
    types: dict[Literal["primary", "other"], str] = Field(default_factory=dict)
    primary: str | None = None
    """Dotted path of the value that counts as the first among its list."""
    undated: str | None = None
    number_first: tuple[str, ...] = ()
    """Countries that write the house number before the street."""
    max: int | None = Field(default=None, ge=1)
    """Characters of a text or items of a list. An optional value is cut, a required one is refused."""
    min: int | None = None
    required: bool = False
    required_any: str | None = None
    """Of all fields with the same word here, one at least must have a value."""
    absent: Literal["omit", "null", "list"] = "omit"
    """What a missing value becomes: left out (unchanged there), null or an empty list (cleared there)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.source is None) == (self.value is None):
            raise ValueError("give exactly one of: from, value")
        if self.transform is not None and self.transform not in TRANSFORMS:
            raise ValueError(f"transform {self.transform!r} is not known; allowed: {', '.join(sorted(TRANSFORMS))}")
        taken = OPTIONS.get(self.transform or "", frozenset())
        stray = sorted((self.model_fields_set & _TRANSFORM_OPTIONS) - taken)
        if stray:
            raise ValueError(f"{', '.join(stray)} says nothing to transform {self.transform!r}")
        return self


_TRANSFORM_OPTIONS = {"types", "primary", "undated", "number_first"}


class HashSettings(Section):
    """What must not decide whether something changed."""

    exclude: tuple[str, ...] = ()
    """Fields left out of the message altogether: one idempotency key must always stand for the same bytes."""


class ObjectMap(Section):
    """The fields of one object."""

    fields: tuple[Rule, ...]
    owner: dict[str, Literal["golden", "target"]] = Field(default_factory=dict)
    """Field of the destination -> who owns it. What the `target` owns is never written."""
    hash: HashSettings = HashSettings()

    @cached_property
    def written(self) -> tuple[Rule, ...]:
        """The rules of the fields that are ours to write."""
        kept_out = {name for name, owner in self.owner.items() if owner == "target"} | set(self.hash.exclude)
        return tuple(rule for rule in self.fields if not _prefixes(rule.to) & kept_out)


def _prefixes(path: str) -> set[str]:
    parts = path.split(".")
    return {".".join(parts[: length + 1]) for length in range(len(parts))}


class Limits(Section):
    """Upper bounds of what is sent."""

    orders: int | None = Field(default=None, ge=0)
    order_lines: int | None = Field(default=None, ge=0)
    text: int | None = Field(default=None, ge=1)
    """Characters of any text that has no bound of its own."""


class Masking(Section):
    """What is taken away before any field is mapped, at whatever depth it lies."""

    birth_date: Literal["full", "drop"] = "full"
    payment: Literal["full", "drop"] = "full"
    """Means of payment and their references; whether an order is paid stays."""
    address: Literal["full", "city_and_postal", "drop"] = "full"
    phone: Literal["full", "drop"] = "full"
    email: Literal["full", "drop"] = "full"

    def apply(self, subject: Subject) -> dict[str, Any]:
        """The subject without what is masked. The original is left alone."""
        if self._nothing:
            return dict(subject)
        return {key: self._value(value) for key, value in self._kept(subject).items()}

    @cached_property
    def _nothing(self) -> bool:
        return set(self.model_dump().values()) == {"full"}

    def _value(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(value, Mapping):
            return self.apply(value)
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value if not self._contact_point(item)]
        return value

    def _kept(self, subject: Subject) -> dict[str, Any]:
        dropped = {key for name, keys in _KEYS_OF.items() if getattr(self, name) == "drop" for key in keys}
        kept = {key: value for key, value in subject.items() if key not in dropped}
        if self.address == "city_and_postal" and _STREET & kept.keys():
            return {key: value for key, value in kept.items() if key in ("city", "postcode")}
        if self.email == "drop" or self.phone == "drop":
            kept.pop("contact_point", None)
        return kept

    def _contact_point(self, item: Any) -> bool:  # noqa: ANN401 - any JSON value
        return isinstance(item, Mapping) and getattr(self, str(item.get("kind")), "full") == "drop"


_STREET = {"line1", "line2", "street", "house_number"}
_KEYS_OF = MappingProxyType(
    {
        "birth_date": ("birth_date", "birth_year"),
        "payment": ("tenders",),
        "address": ("address", "addresses"),
        "phone": ("phone", "phones"),
        "email": ("email", "emails"),
    }
)


class Transport(Section):
    """How to speak to the destination."""

    base_path: str = ""
    """Between the base URL of the site and the path of every operation, e.g. `/crm/v0`."""
    token_path: str
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with every request that writes; may hold {idempotency_key} and {correlation_id}."""
    accept: str = "application/json"

    @model_validator(mode="after")
    def _fillable(self) -> Self:
        parts = {
            part for text in self.headers.values() for _, part, _, _ in Formatter().parse(text) if part is not None
        }
        stray = sorted(parts - _HEADER_PARTS)
        if stray:
            raise ValueError(
                f"headers: {', '.join(stray)} cannot be filled; allowed: {', '.join(sorted(_HEADER_PARTS))}"
            )
        return self


_HEADER_PARTS = {"idempotency_key", "correlation_id"}


NextMove = Literal["absent", "conflict", "merged", "reject", "auth", "throttle", "retry"]
"""absent: there is no such thing, which is an answer and not an error."""


class Answer(Section):
    """What an answer means: the first entry of `errors` that fits decides."""

    status: str = Field(pattern=r"^[1-5](\d\d|xx)$")
    code: str | None = None
    move: NextMove = Field(alias="class")

    def fits(self, status: int, code: str | None) -> bool:
        """Whether an answer with this status and error code is meant; `4xx` stands for all of them."""
        same = self.status == str(status) or (self.status.endswith("xx") and self.status[0] == str(status)[0])
        return same and self.code in (None, code)


class Problem(Section):
    """Where an error answer says what. Only these parts are ever shown: free text might repeat personal data."""

    code: str
    errors: str | None = None
    pointer: str = "pointer"
    reason: str = "code"
    moved_to: str | None = None
