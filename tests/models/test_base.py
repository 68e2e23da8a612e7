"""Moments are kept in UTC, whichever zone they were told in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from models.landing import Window

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "told", [NOON, NOON.astimezone(timezone(timedelta(hours=2))), "2026-03-01T12:00:00Z", "2026-03-01T07:00:00-05:00"]
)
def test_a_moment_is_kept_in_utc(told: datetime | str) -> None:
    until = Window.model_validate({"until": told}).until
    assert until == NOON
    assert until.tzinfo is UTC


@pytest.mark.parametrize("told", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_falls_off_the_calendar_in_utc_is_refused(told: str) -> None:
    with pytest.raises(ValidationError, match="calendar"):
        Window.model_validate({"until": told})


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="time zone"):
        Window(until=NOON.replace(tzinfo=None))
