"""A source over a folder, for tests."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.files.source import Settings, connect
from models.landing import Window
from models.ports import Source
from tests.connectors.conformance import PassingTime

EVERYTHING = Window(until=datetime(2100, 1, 1, tzinfo=UTC))


def source_over(folder: Path, *, settings: dict[str, Any] | None = None, **patterns: Any) -> Source:
    time = PassingTime()
    told = Settings.model_validate({"folder": folder, "patterns": patterns, **(settings or {})})
    return connect(told, clock=time.clock, sleep=time.sleep)
