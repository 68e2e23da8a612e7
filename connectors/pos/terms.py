"""What a reader must know that no receipt says: zones of stores, programmes of loyalty, names of columns."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from connectors.pos.columns import DROPPED, ENTRY_COLUMNS, MEMBER_COLUMNS, RECEIPT_COLUMNS, Columns
from connectors.pos.poslog import Bounds
from models.base import Frozen
from models.orders import Currency


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError("not a zone of the IANA database, such as Europe/London") from None
    return name


def _known_words(told: Mapping[str, str], known: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    unknown = sorted(set(told) - set(known))
    if unknown:
        raise ValueError(f"no column of ours is called {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return told


class Terms(Frozen):
    """Shared by every receipt and member of a retailer."""

    default_zone: str = Field(description="IANA zone of stores that `store_zones` does not name, e.g. Europe/London.")
    store_zones: Mapping[str, str] = Field(default={}, description="IANA zone by store, as the till writes the store.")
    default_currency: Currency | None = Field(default=None, description="Where a receipt names none; else refused.")
    programmes: Mapping[str, str] = Field(
        default={}, description="Our loyalty programme by the till's; one that is not named here keeps its own name."
    )
    brands: Mapping[str, str] = Field(default={}, description="Brand by store, where one chain runs several.")
    columns: Mapping[str, str] = Field(
        default={}, description="Header of a receipts' drop by our word for it, where it is not one that we know."
    )
    member_columns: Mapping[str, str] = Field(
        default={}, description="Header of the members' export by our word for it, where it is not one that we know."
    )
    entry_columns: Mapping[str, str] = Field(
        default={}, description="Header of the points' export by our word for it, where it is not one that we know."
    )
    dropped_columns: tuple[str, ...] = Field(
        default=DROPPED, description="Headers that never land: payment cards, names of cashiers."
    )
    decimal_mark: Literal[".", ","] = Field(default=".", description="Decimal mark of amounts in delimited drops.")
    encodings: tuple[str, ...] = Field(
        default=("utf-8", "cp1252"), description="Tried in turn on a delimited drop without a byte order mark."
    )
    bounds: Bounds = Field(default=Bounds(), description="How large and how deep a POSLog document may be.")

    @field_validator("default_zone")
    @classmethod
    def _default_zone_exists(cls, name: str) -> str:
        return _known_zone(name)

    @field_validator("store_zones")
    @classmethod
    def _zones_exist(cls, zones: Mapping[str, str]) -> Mapping[str, str]:
        return {store: _known_zone(name) for store, name in zones.items()}

    def zone(self, store: str) -> ZoneInfo:
        """The zone that a store's clocks show."""
        return ZoneInfo(self.store_zones.get(store, self.default_zone))

    def moment(self, told: datetime, store: str) -> datetime:
        """A time of a till in its zone. Of the hour that comes twice in autumn, the first is meant."""
        zone = self.zone(store)
        return told.replace(tzinfo=zone) if told.tzinfo is None else told.astimezone(zone)

    def day(self, told: datetime, store: str) -> date:
        """The day on the calendar of the store."""
        return self.moment(told, store).date()

    @field_validator("columns")
    @classmethod
    def _receipt_words(cls, told: Mapping[str, str]) -> Mapping[str, str]:
        return _known_words(told, RECEIPT_COLUMNS)

    @field_validator("member_columns")
    @classmethod
    def _member_words(cls, told: Mapping[str, str]) -> Mapping[str, str]:
        return _known_words(told, MEMBER_COLUMNS)

    @field_validator("entry_columns")
    @classmethod
    def _entry_words(cls, told: Mapping[str, str]) -> Mapping[str, str]:
        return _known_words(told, ENTRY_COLUMNS)

    def programme(self, told: str | None) -> str:
        """Our name of a loyalty programme; tills that know only one often do not name it."""
        return self.programmes.get(told, told) if told else "main"

    def receipt_headers(self) -> Columns:
        """How headers of receipts are found."""
        return Columns(known=RECEIPT_COLUMNS, told=self.columns, dropped=self.dropped_columns)

    def member_headers(self) -> Columns:
        """How headers of the members' export are found."""
        return Columns(known=MEMBER_COLUMNS, told=self.member_columns, dropped=self.dropped_columns)

    def entry_headers(self) -> Columns:
        """How headers of the points' export are found."""
        return Columns(known=ENTRY_COLUMNS, told=self.entry_columns, dropped=self.dropped_columns)
