"""What a drop holds, by its name."""

from pathlib import PurePath
from typing import Final, Literal

Shape = Literal["poslog", "receipts", "members", "points"]

_TABLES: Final = frozenset({".csv", ".tlog", ".ndjson", ".jsonl", ".parquet"})


def shape_of(name: str) -> Shape | None:
    """None for another file: uploads under way and markers have other endings, and are left alone."""
    ending = PurePath(name).suffix.casefold()
    if ending == ".xml":
        return "poslog"
    if ending not in _TABLES:
        return None
    exports: tuple[Shape, ...] = ("members", "points")
    return next((shape for shape in exports if name.casefold().startswith(shape)), "receipts")
