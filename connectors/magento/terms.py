"""What a shop must be told about before its words can be read: zones of its times, what its store views stand for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from models.base import Frozen
from models.orders import OrderChannel


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("expected a time zone by its IANA name, e.g. Europe/Riga") from None
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]


class StoreView(Frozen):
    """What a store view stands for."""

    brand: str | None = None
    locale: str | None = None
    channel: OrderChannel = "web"


class Terms(Frozen):
    """How to read this shop."""

    time_zone: ZoneName = Field("UTC", description="zone of the times in answers, which are told without one")
    store_views: Mapping[str, StoreView] = Field(
        default_factory=dict, description="brand, locale and channel by store view id; a view that is not here is web"
    )
    unsubscribed_means: Literal["opt_out", "no_answer"] = Field(
        "opt_out",
        description="what `is_subscribed: false` says; the vendor also has it for those who were never asked",
    )

    def moment(self, told: datetime | None) -> datetime | None:
        """A time as told, in UTC, if any was told."""
        return None if told is None else self.in_utc(told)

    def in_utc(self, told: datetime) -> datetime:
        """A time as told, in UTC. Of the hour that a clock shows twice it is the first.

        At the ends of the calendar, where a zone would fall off it, the time stays as it is.
        """
        if told.tzinfo is None and self.time_zone == "UTC":
            # what most shops tell, several times a record: nothing to work out, and `replace` takes four times as long
            return datetime.combine(told, told.time(), UTC)
        try:
            return (told if told.tzinfo else told.replace(tzinfo=ZoneInfo(self.time_zone))).astimezone(UTC)
        except OverflowError:
            return told.replace(tzinfo=UTC)

    def view(self, store_id: str | None) -> StoreView:
        """What is known about a store view."""
        return self.store_views.get(store_id or "", _UNKNOWN)


_UNKNOWN = StoreView()
