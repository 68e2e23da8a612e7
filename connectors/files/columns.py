"""The column map of one kind of file: what its columns are called, and what they hold in our words."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePath
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, field_validator, model_validator

from models.base import Frozen
from models.consent import Channel, ConsentStatus

Form = Literal["csv", "ndjson", "parquet"]
Column = Annotated[str, StringConstraints(min_length=1)]

PERSONAL = (
    "title", "given_name", "middle_name", "family_name", "full_name", "name_suffix", "organisation", "sex",
    "birth_date", "birth_year", "language", "locale", "brand", "store",
)  # fmt: skip
ADDRESS = ("line1", "line2", "house_number", "street", "postcode", "city", "region", "country")
CONTACT: tuple[Literal["email", "phone"], ...] = ("email", "phone")
LOYALTY = (
    "loyalty_number", "loyalty_programme", "loyalty_tier", "loyalty_tier_expires", "loyalty_points",
    "loyalty_enrolled_at",
)  # fmt: skip
WORDS = (*PERSONAL, *ADDRESS, *CONTACT, *LOYALTY, "created_at")

_FORMS: Mapping[str, Form] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
}


class ConsentColumns(Frozen):
    """Where an answer about being written to stands."""

    channel: Channel
    status: Column
    """Column of the answer."""
    at: Column | None = None
    """Column of the moment of the answer."""
    contact_point: Column | None = None
    """Column of what the answer is about; by default the e-mail, the phone or the address of the row."""
    brand: str | None = None
    """Brand that the answer is about; by default the row's."""
    purpose: str = "marketing"
    proof: Column | None = None
    """Column of a reference to the proof."""


class Pattern(Frozen):
    """One kind of file and its columns."""

    files: str
    """Name of the files, with `*` and `?` for what differs, e.g. `members_*.csv`. Only names: no folders."""
    form: Form | None = None
    """csv, ndjson or parquet; by the ending of the name if absent."""
    id: Column
    """Column that names the record within this kind of file. A row without it is refused."""
    columns: Mapping[str, Column | tuple[Column, ...]] = Field(default_factory=dict)
    """Our word -> column. `email` and `phone` take several columns; the first is the primary one."""
    identifiers: Mapping[str, Column] = Field(default_factory=dict)
    """Kind -> column of a value by which another system knows the person, e.g. `bigcommerce_customer`."""
    consents: tuple[ConsentColumns, ...] = ()
    changed_at: Column | None = None
    """Column of the source's own time of change."""
    zone: str = "UTC"
    """IANA zone of moments that name none."""
    moments: tuple[str, ...] = ()
    """How moments are written where not by ISO 8601, as for strptime, e.g. `%d.%m.%Y %H:%M`; tried in turn."""
    encodings: tuple[str, ...] = ("utf-8",)
    """Tried in turn on each row of text. A byte order mark of UTF-16 goes before them."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    """Of a csv; by default whichever of comma, semicolon, tab and bar its header uses most."""
    opt_in: tuple[str, ...] = ("yes", "y", "true", "1", "opt_in", "in", "subscribed")
    """Answers that permit, in any case."""
    opt_out: tuple[str, ...] = ("no", "n", "false", "0", "opt_out", "out", "unsubscribed")
    """Answers that refuse, in any case."""
    pending: tuple[str, ...] = ("pending",)
    """Answers that wait for a confirmation."""
    verified: tuple[Literal["email", "phone"], ...] = ()
    """Contacts that the source has checked on every row."""
    brand: str | None = None
    """Brand of rows that name none."""
    programme: str = "main"
    """Loyalty programme of rows that name none."""
    attributes: tuple[Column, ...] | Literal["rest"] = "rest"
    """Columns kept as attributes: those named here, or the rest, which is all that the map does not name."""
    dropped: tuple[Column, ...] = ()
    """Columns that never land, not even raw."""

    @field_validator("files")
    @classmethod
    def _only_names(cls, files: str) -> str:
        if not files or PurePath(files).name != files or files.startswith(".") or "\\" in files or "\0" in files:
            raise ValueError("the name of files that lie in the folder itself, without any path")
        return files

    @field_validator("columns")
    @classmethod
    def _known_words(
        cls, columns: Mapping[str, Column | tuple[Column, ...]]
    ) -> Mapping[str, Column | tuple[Column, ...]]:
        unknown = sorted(set(columns) - set(WORDS))
        if unknown:
            raise ValueError(f"no word of ours is called {', '.join(unknown)}; there are {', '.join(sorted(WORDS))}")
        several = sorted(word for word, told in columns.items() if not isinstance(told, str) and word not in CONTACT)
        if several:
            raise ValueError(f"{', '.join(several)}: only {' and '.join(CONTACT)} may stand in several columns")
        return columns

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            raise ValueError("not a zone of the IANA database, such as Europe/London") from None
        return name

    @field_validator("encodings")
    @classmethod
    def _usable_encodings(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                plain = "a,\n".encode(name) == b"a,\n"
            except (LookupError, UnicodeError):
                plain = False
            if not plain:
                raise ValueError("names of encodings that write ASCII as it is, such as utf-8 or cp1252")
        if not names:
            raise ValueError("at least one encoding")
        return names

    @model_validator(mode="after")
    def _form_is_known(self) -> Self:
        if self.form is None and PurePath(self.files).suffix.casefold() not in _FORMS:
            raise ValueError(f"form is needed: the name ends in none of {', '.join(_FORMS)}")
        dropped = sorted(set(self.dropped) & self.named)
        if dropped:
            raise ValueError(f"{', '.join(dropped)}: both dropped and mapped")
        return self

    @property
    def shape(self) -> Form:
        """How the files are written."""
        return self.form or _FORMS[PurePath(self.files).suffix.casefold()]

    @cached_property
    def named(self) -> frozenset[str]:
        """Every column that the map names."""
        return frozenset(self._named())

    @cached_property
    def answers(self) -> Mapping[str, ConsentStatus]:
        """Answer in lower case -> what it means."""
        words: tuple[tuple[tuple[str, ...], ConsentStatus], ...] = (
            (self.opt_in, "opt_in"),
            (self.pending, "pending"),
            (self.opt_out, "opt_out"),
        )
        return {word.casefold(): status for told, status in words for word in told}

    @cached_property
    def personal(self) -> Mapping[str, str]:
        """The words of a person that stand in one column each -> the column."""
        return {word: self.columns_of(word)[0] for word in PERSONAL if word in self.columns}

    @cached_property
    def address(self) -> Mapping[str, str]:
        """The words of an address -> the column."""
        return {word: self.columns_of(word)[0] for word in ADDRESS if word in self.columns}

    @cached_property
    def contacts(self) -> Mapping[Literal["email", "phone"], tuple[tuple[Column, str | None], ...]]:
        """Kind of contact -> its columns and what they are called, which is nothing where there is one only."""
        told = {kind: self.columns_of(kind) for kind in CONTACT}
        return {kind: tuple((name, name if len(names) > 1 else None) for name in names) for kind, names in told.items()}

    @cached_property
    def known_by(self) -> Mapping[str, Column]:
        """Kind of identifier -> its column; the loyalty number is one."""
        return {**self.identifiers, **{word: name for word in ("loyalty_number",) for name in self.columns_of(word)}}

    def columns_of(self, word: str) -> tuple[str, ...]:
        """The columns that hold this word, none if the map does not name it."""
        return self._columns.get(word, ())

    @cached_property
    def _columns(self) -> Mapping[str, tuple[Column, ...]]:
        return {word: (told,) if isinstance(told, str) else told for word, told in self.columns.items()}

    def _named(self) -> Iterator[str]:
        yield self.id
        for word in self.columns:
            yield from self.columns_of(word)
        yield from self.identifiers.values()
        if self.changed_at is not None:
            yield self.changed_at
        for consent in self.consents:
            yield from filter(None, (consent.status, consent.at, consent.contact_point, consent.proof))
