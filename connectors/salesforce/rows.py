"""One record, one text: what REST tells as nested JSON and Bulk as CSV becomes the same payload.

REST writes `2026-03-14T08:15:23.000+0000`, true and 12.0 and nests the fields of related records; Bulk writes
`2026-03-14T08:15:23.000Z`, "true" and "12" and dots them (`Program.Name`). A payload here has dotted names, the
spelling that ends in Z, JSON's own types, and no nulls: equal records have equal texts, whichever way they came.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Any

from connectors.payload import Payload, bounded

Types = Mapping[str, str]
"""Type of each field by its dotted name, in the words of describe."""

_LARGEST = 2**63
"""Whole numbers beyond it are nobody's points, and no JSON that is read everywhere."""
_NUMBERS = {"double", "int", "long", "currency", "percent"}
_UTC = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(?:Z|[+-]00:?00)")


def flat(told: Mapping[str, Any]) -> Payload:
    """Dotted names for related records, lists for subqueries, no nulls; `attributes` keeps the type alone.

    What is nested beyond measure is cut.
    """
    try:
        return _flat(told)
    except RecursionError:
        return _flat(bounded(dict(told)))


def _flat(told: Mapping[str, Any]) -> Payload:
    found: Payload = {}
    for name, value in told.items():
        kind = type(value)  # cheaper than isinstance, and JSON has no other dicts
        if kind is dict:
            found.update({name: {"type": value.get("type")}} if name == "attributes" else _related(name, value))
        elif kind is list:
            found[name] = [_flat(each) if isinstance(each, dict) else each for each in value]
        elif value is not None:
            found[name] = value
    return found


def _related(name: str, value: Mapping[str, Any]) -> Payload:
    records = value.get("records")
    if isinstance(records, list):
        return {name: [_flat(each) for each in records if isinstance(each, dict)]}
    return {f"{name}.{inner}": told for inner, told in _flat(value).items() if inner != "attributes"}


def typed(record: Payload, types: Types) -> Payload:
    """The record with its values in one spelling; what does not fit its type stays as told."""
    return {name: _one_spelling(value, types.get(name, "string")) for name, value in record.items()}


def _one_spelling(value: Any, kind: str) -> Any:  # noqa: ANN401  any JSON value
    if kind == "datetime" and isinstance(value, str):
        met = _UTC.fullmatch(value)
        return f"{met[1]}{(met[2] or '.000')[:4].ljust(4, '0')}Z" if met else value
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if kind in _NUMBERS and not isinstance(value, bool):
        return _number(value)
    return value


def _number(value: Any) -> Any:  # noqa: ANN401  a number or text
    try:
        number = Decimal(str(value))
        whole = number == number.to_integral_value() and abs(number) < _LARGEST
        return int(number) if whole else float(number)
    except (InvalidOperation, OverflowError, ValueError):
        return value


def from_csv(text: str, object_: str) -> Iterator[Payload]:
    """The records of one page of Bulk results. An empty cell is null; no word is: "Null", "NA" and "None" are names.

    Raises ValueError for what is no CSV, or has a row that is longer or shorter than its header.
    """
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, [])
        for row in filter(None, rows):
            told = {name: value for name, value in zip(header, row, strict=True) if value}
            yield {"attributes": {"type": object_}, **told}
    except csv.Error as error:
        raise ValueError("no CSV") from error
