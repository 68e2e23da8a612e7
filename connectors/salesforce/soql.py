"""Queries, as text. Names come from our catalogue and the org's describe, values are quoted here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.landing import Window


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands: after this record in the order (stamp, Id)."""

    at: str
    id: str


def select(fields: Sequence[str], object_: str, conditions: Iterable[str], order: Sequence[str] = ()) -> str:
    """A query; conditions are joined by AND."""
    where = " AND ".join(condition for condition in conditions if condition)
    ordered = f" ORDER BY {', '.join(order)}" if order else ""
    conditions_told = f" WHERE {where}" if where else ""
    return f"SELECT {', '.join(fields)} FROM {object_}{conditions_told}{ordered}"  # noqa: S608  SOQL only reads


def within(stamp: str, window: Window) -> str:
    """since <= stamp < until."""
    until = f"{stamp} < {literal(window.until)}"
    return until if window.since is None else f"{stamp} >= {literal(window.since)} AND {until}"


def beyond(stamp: str, place: Place | None) -> str:
    """Everything after a place; the Id decides among equal stamps."""
    if place is None:
        return ""
    return f"({stamp} > {place.at} OR ({stamp} = {place.at} AND Id > {quoted(place.id)}))"


def any_of(conditions: Sequence[str]) -> str:
    """Alternatives; nothing where there are none. OR never stands beside AND without brackets."""
    return f"({' OR '.join(conditions)})" if len(conditions) > 1 else "".join(conditions)


def one_of(field: str, values: Iterable[str]) -> str:
    """The field has one of these values."""
    return f"{field} IN ({', '.join(map(quoted, values))})"


def quoted(value: str) -> str:
    """A text as a literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def literal(moment: datetime) -> str:
    """A moment as a literal, in UTC, milliseconds rounded up: Salesforce keeps no more."""
    whole = moment.astimezone(UTC)
    rest = whole.microsecond % 1000
    if rest:
        whole += timedelta(microseconds=1000 - rest)
    return whole.strftime("%Y-%m-%dT%H:%M:%S.") + f"{whole.microsecond // 1000:03d}Z"
