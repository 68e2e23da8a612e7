"""A folder of people: three kinds of file in three forms, bad rows in each, and one file that came later."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.files.source import Settings, connect
from models.landing import Window
from tests.connectors.conformance import Delta, Scenario, Stage, Stand

SINCE = datetime(2036, 1, 1, tzinfo=UTC)
"""After the moment at which the other files are written, whenever the tests run."""
CUT = datetime(2036, 6, 1, tzinfo=UTC)
MEMBERS = 1_200

_SETTINGS = {
    "patterns": {
        "club": {
            "files": "club_*.csv",
            "id": "No",
            "zone": "Europe/Berlin",
            "changed_at": "Changed",
            "columns": {"given_name": "First", "family_name": "Last", "email": "Mail", "loyalty_points": "Points"},
        },
        "letters": {"files": "letters.ndjson", "id": "reader", "columns": {"email": "mail"}},
        "bench": {"files": "bench*.parquet", "id": "rec_id", "columns": {"full_name": "name"}},
    }
}


def scenario() -> Scenario:
    """What must be read."""
    club = {f"club:{number}" for number in range(1, MEMBERS + 1)} - {"club:7"}
    return Scenario(
        vendor="files",
        stand=_stand,
        cut=CUT,
        expected={"person": frozenset({*club, "club:9001", "letters:r1", "letters:r3", "bench:1", "bench:2"})},
        refused={"person": frozenset({"club:7"})},
        delta=Delta(Window(since=SINCE, until=CUT), {"person": frozenset({"club:9001"})}),
    )


@contextmanager
def _stand(stage: Stage) -> Iterator[Stand]:
    _write(stage.folder)
    settings = Settings.model_validate({"folder": stage.folder, **_SETTINGS})
    yield Stand(connect(settings, clock=stage.time.clock, sleep=stage.time.sleep))


def _write(folder: Path) -> None:
    rows = [_member(number) for number in range(1, MEMBERS + 1)]
    rows[6] = rows[6].replace(",70\n", ",plenty\n")
    header = "No;First;Last;Mail;Changed;Points\n".replace(";", ",")
    _put(folder / "club_1.csv", header + "".join(rows[:800]), 1_000_000_000)
    _put(folder / "club_2.csv", header + "".join(rows[800:]), 1_000_000_001)
    readers = (
        '{"reader":"r1","mail":"reader.one@letters.example"}\n{"reader":"r3","mail":"reader.three@letters.example"}\n'
    )
    _put(folder / "letters.ndjson", readers, 1_000_000_002)
    pq.write_table(pa.table({"rec_id": [1, 2], "name": ["Nora Lantern", "Katrin Muster"]}), folder / "bench.parquet")
    os.utime(folder / "bench.parquet", (1_000_000_003, 1_000_000_003))
    (folder / "notes.txt").write_text("not ours", encoding="utf-8")
    late = "9001,Late,Comer,late.comer@club.example,2036-03-01T10:00:00,10\n"
    _put(folder / "club_3.csv", header + late, datetime(2036, 3, 1, 13, tzinfo=UTC).timestamp())


def _member(number: int) -> str:
    name = f"Given{number},Family{number},member{number}@club.example"
    return f"{number},{name},2026-01-01T12:00:00,{number * 10}\n"


def _put(path: Path, text: str, at: float) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at, at))
