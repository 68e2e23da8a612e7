"""Rows of the till's exports, which are no receipts: each row becomes a payload of its own, and is read by header."""

from collections.abc import Iterator
from typing import Any

import orjson

from connectors.pos.columns import Columns
from connectors.pos.tables import Table


def payloads(name: str, table: Table, columns: Columns) -> Iterator[str]:
    """Each row as canonical JSON of its texts by header; a row that cannot be read says so in its place."""
    landing = columns.landing(table.header)
    for row in table.rows:
        told: dict[str, Any] = {table.header[place]: row.cells[place] for place in landing if place < len(row.cells)}
        told = {header: text for header, text in told.items() if text}
        if row.problem:
            told = {"file": name, "problem": row.problem, "read": row.number - 1}
        yield orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()


def told(raw: str, columns: Columns) -> dict[str, str]:
    """The texts of a payload by our words, those that say something."""
    row: dict[str, Any] = orjson.loads(raw)
    header = list(row)
    texts = {word: str(row[header[place]]).strip() for word, place in columns.places(header).items()}
    return {word: text for word, text in texts.items() if text}
