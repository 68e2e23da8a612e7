"""The sandbox's reading of search criteria: filters, sort, pages, and the choice of fields."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

Payload = dict[str, Any]
Test = Callable[[Payload], bool]

_KEY = re.compile(r"search_?criteria((?:\[\w+\])+)", re.IGNORECASE)
_PART = re.compile(r"\[(\w+)\]")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "moreq": operator.ge,
    "from": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "to": operator.le,
}


class Unsearchable(Exception):
    """The vendor cannot search like this; the text is its message, the fields its parameters."""


@dataclass(frozen=True)
class Criteria:
    """What was asked for."""

    groups: tuple[tuple[Mapping[str, str], ...], ...]
    order: tuple[tuple[str, bool], ...]
    """Field, and whether downwards, which is the vendor's default."""
    page_size: int | None
    page: int

    def told(self) -> Payload:
        """As the vendor repeats it in its answer."""
        told: Payload = {"filter_groups": [{"filters": [dict(one) for one in group]} for group in self.groups]}
        if self.order:
            told["sort_orders"] = [{"field": name, "direction": "DESC" if down else "ASC"} for name, down in self.order]
        if self.page_size is not None:
            told |= {"page_size": self.page_size, "current_page": self.page}
        return told


def criteria(query: str) -> Criteria:
    """Reads a query string; both spellings of names, with and without underscores."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if found := _KEY.fullmatch(name):
            _plant(tree, [_PART_NAMES.get(part, part) for part in _PART.findall(found[1])], value)
    groups = tuple(tuple(_filter(one) for one in _in_order(group.get("filters"))) for group in _in_order(tree.get("g")))
    order = tuple((one["field"], one.get("direction", "DESC").upper() != "ASC") for one in _in_order(tree.get("s")))
    size = tree.get("page_size")
    return Criteria(groups, order, int(size) if size else None, max(int(tree.get("current_page", 1)), 1))


_PART_NAMES = {
    "filterGroups": "g",
    "filter_groups": "g",
    "sortOrders": "s",
    "sort_orders": "s",
    "pageSize": "page_size",
    "currentPage": "current_page",
    "conditionType": "condition_type",
}


def _plant(tree: dict[str, Any], path: Sequence[str], value: str) -> None:
    *branches, leaf = path
    for branch in branches:
        tree = tree.setdefault(branch, {})
    tree[leaf] = value


def _in_order(told: Mapping[str, Any] | None) -> list[Any]:
    return [told[key] for key in sorted(told, key=lambda key: (len(key), key))] if told else []


def _filter(one: Mapping[str, str]) -> Mapping[str, str]:
    return {"field": one["field"], "value": one.get("value", ""), "condition_type": one.get("condition_type", "eq")}


def found(rows: Iterable[Payload], wanted: Criteria, *, filters_in: str, either: bool) -> list[Payload]:
    """The rows that every group lets pass, in their order.

    filters_in: zone of times in filters. either: a group lets pass what any of its filters does, else what all do.
    Raises Unsearchable.
    """
    zone = ZoneInfo(filters_in)
    groups = [_any_or_all([_test(one, zone) for one in group], either) for group in wanted.groups]
    passed = [row for row in rows if all(test(row) for test in groups)]
    for name, down in reversed(wanted.order):
        passed.sort(key=lambda row, name=name: _sortable(row, name), reverse=down)  # type: ignore[misc]
    return passed


def _any_or_all(tests: Sequence[Test], either: bool) -> Test:
    if len(tests) == 1:
        return tests[0]
    passes = any if either else all
    return lambda row: passes(test(row) for test in tests)


def _test(one: Mapping[str, str], zone: ZoneInfo) -> Test:
    field, condition, value = one["field"], one["condition_type"], one["value"]
    name = _column(field)
    if condition in {"null", "notnull"}:
        return lambda row: (_held(row, name) is None) == (condition == "null")
    if condition in {"in", "nin"}:
        listed = {part.strip() for part in value.split(",")}
        return lambda row: (str(_held(row, name)) in listed) == (condition == "in")
    if condition == "like":
        pattern = re.compile(re.escape(value).replace("%", ".*"), re.IGNORECASE | re.DOTALL)
        return lambda row: pattern.fullmatch(str(_held(row, name))) is not None
    if condition not in _COMPARE:
        raise Unsearchable(condition)
    compare = _COMPARE[condition]

    def test(row: Payload) -> bool:
        held = _held(row, name)
        return held is not None and compare(held, _like(held, value, zone))

    return test


def _column(field: str) -> str:
    if not re.fullmatch(r"\w+", field):
        raise Unsearchable(field)
    return field


def number_of(row: Payload) -> int:
    """The id of a row, whatever it is called."""
    number: int = next(row[name] for name in ("entity_id", "id", "transaction_id") if name in row)
    return number


def _held(row: Payload, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Only what stands at the top can be searched; a customer's `id` is searched as `entity_id`."""
    held = row.get("id") if name == "entity_id" and "entity_id" not in row else row.get(name)
    if isinstance(held, dict | list):
        raise Unsearchable(name)
    return held


def _like(held: object, value: str, zone: ZoneInfo) -> Any:  # noqa: ANN401 - compared with what is held
    """The value as the column would take it."""
    if isinstance(held, datetime):
        return datetime.fromisoformat(value).replace(tzinfo=zone)
    if isinstance(held, int | float):
        return float(value)
    return value


def _sortable(row: Payload, name: str) -> tuple[bool, Any]:
    held = _held(row, _column(name))
    return held is not None, held


def page_of(rows: Sequence[Payload], wanted: Criteria) -> Sequence[Payload]:
    """The page; one past the end is the last page again."""
    if wanted.page_size is None:
        return rows
    last = max(-(-len(rows) // wanted.page_size), 1)
    page = min(wanted.page, last)
    return rows[(page - 1) * wanted.page_size : page * wanted.page_size]


def chosen(told: Any, fields: str) -> Any:  # noqa: ANN401 - any JSON value
    """What `fields` leaves of an answer, e.g. `items[entity_id,payment[method]],total_count`."""
    return _pruned(told, _fields(fields))


def _fields(text: str) -> dict[str, Any]:
    root: dict[str, Any] = {}
    stack, name = [root], ""
    for letter in [*text, ","]:
        if letter in "[],":
            if name:
                stack[-1][name] = {}
            if letter == "[":
                stack.append(stack[-1][name])
            elif letter == "]":
                stack.pop()
            name = ""
        else:
            name += letter
    return root


def _pruned(told: Any, fields: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    if not fields:
        return told
    if isinstance(told, list):
        return [_pruned(one, fields) for one in told]
    if isinstance(told, dict):
        return {name: _pruned(told[name], inner) for name, inner in fields.items() if name in told}
    return told
