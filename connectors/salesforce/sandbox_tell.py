"""How the sandbox tells records: nested JSON by REST, CSV by Bulk, each with its own spelling of times."""

import csv
from datetime import datetime
from io import StringIO
from typing import Any

from connectors.salesforce.sandbox_org import Found, Org
from connectors.salesforce.sandbox_schema import Record


def as_json(org: Org, found: Found, record: Record, version: str) -> dict[str, Any]:
    """One record as REST tells it: related records nested, nulls told."""
    told = _attributes(found.object, record, version)
    for path in found.fields:
        _put(told, org, found.object, record, path)
    return told


def _put(told: dict[str, Any], org: Org, object_: str, record: Record, path: str) -> None:
    name, _, rest = path.partition(".")
    if not rest:
        field = org.field(object_, name)
        binary = field is not None and field.binary
        address = f"/services/data/v62.0/sobjects/{object_}/{record.get('Id')}/{name}"
        told[name] = address if binary else _json_value(org, object_, name, org.value(object_, record, name))
        return
    referring = org.referring(object_, name)
    target = record.get(referring.name) if referring else None
    if referring is None or not target:
        told[name] = None
        return
    if told.get(name) is None:
        told[name] = {"attributes": {"type": "Name" if len(referring.refers_to) > 1 else referring.refers_to[0]}}
    if len(referring.refers_to) > 1:
        told[name][rest] = org.value(object_, record, path)
        return
    related = org.find(referring.refers_to[0], target)
    _put(told[name], org, referring.refers_to[0], related or {}, rest)


def as_csv(org: Org, found: Found, records: list[Record]) -> str:
    """Records as Bulk tells them: dotted headers, empty cells for null."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(found.fields)
    for record in records:
        writer.writerow([_csv_value(org.value(found.object, record, path)) for path in found.fields])
    return text.getvalue()


def _attributes(object_: str, record: Record, version: str) -> dict[str, Any]:
    url = f"/services/data/{version}/sobjects/{object_}/{record['Id']}"
    return {"attributes": {"type": object_, "url": url}}


def _json_value(org: Org, object_: str, name: str, value: Any) -> Any:  # noqa: ANN401  a field value
    if isinstance(value, datetime):
        return rest_time(value)
    told = org.schema[object_].get(name)
    is_decimal = told is not None and told.type in {"double", "currency"} and isinstance(value, int)
    return float(value) if is_decimal else value


def _csv_value(value: Any) -> str:  # noqa: ANN401  a field value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    return str(value)


def rest_time(moment: datetime) -> str:
    """`2026-03-14T08:15:23.000+0000`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
