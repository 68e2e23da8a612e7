"""The till's world: drops and exports with bad records, repeats and a contradiction, and one drop that came later."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connectors.pos.source import Settings, connect
from models.landing import Window
from tests.connectors.conformance import Delta, Scenario, Stage, Stand
from tests.connectors.pos.tills import ONE_LINE, poslog, transaction

SINCE = datetime(2036, 1, 1, tzinfo=UTC)
"""After the moment at which the other drops are written, whenever the tests run."""
CUT = datetime(2036, 6, 1, tzinfo=UTC)

_CUSTOMER = (
    "<Customer><CustomerID>C1</CustomerID><Name><OfficialName>Petra Beispiel</OfficialName></Name>"
    "<EMail><EMailAddress>petra@example.com</EMailAddress></EMail></Customer>"
)
_TLOG = """\
Store ID,Workstation ID,Transaction Number,Line Sequence Number,Transaction Date,Business Date,Type,Item ID,Quantity,\
Amount,Currency,Email
0147,1,414,1,2026-03-16T11:00:00Z,2026-03-16,EXCH,A,1,24.00,GBP,testa.fixture@example.com
0147,1,414,2,2026-03-16T11:00:00Z,2026-03-16,SALE,B,1,55.00,GBP,testa.fixture@example.com
0147,1,415,1,2026-03-16T11:00:00Z,2026-03-16,SALE,B,one,55.00,GBP,
"""
_MEMBERS = """\
Customer Number,Loyalty Card,First Name,Last Name,Email,Points Balance
C1,LC-1,Petra,Beispiel,petra@example.com,120
C2,LC-2,Testa,Fixture,testa.fixture@example.com,lots
"""
_POINTS = """\
External ID,Loyalty Card,Kind,Points,At
welcome:1,LC-1,adjust,100,2024-05-01T12:00:00Z
"""


def scenario() -> Scenario:
    """What must be read."""
    days = {f"7-2-2026-03-14-{number:06d}" for number in range(1_200)} - {"7-2-2026-03-14-000007"}
    mark = hashlib.sha256(_sale("000003", total="12.00").encode()).hexdigest()[:8]
    contradicting = f"7-2-2026-03-14-000003-{mark}"
    return Scenario(
        vendor="pos",
        stand=_stand,
        cut=CUT,
        expected={
            "member": frozenset({"C1"}),
            "receipt": frozenset({*days, contradicting, "0147-1-2026-03-16-414", "7-2-2036-03-01-000001"}),
            "entry": frozenset({"welcome:1"}),
        },
        refused={
            "member": frozenset({"C2"}),
            "receipt": frozenset({"7-2-2026-03-14-000007", "0147-1-2026-03-16-415"}),
            "entry": frozenset(),
        },
        delta=Delta(
            Window(since=SINCE, until=CUT),
            {"member": frozenset(), "receipt": frozenset({"7-2-2036-03-01-000001"}), "entry": frozenset()},
        ),
    )


@contextmanager
def _stand(stage: Stage) -> Iterator[Stand]:
    _write(stage.folder)
    settings = Settings(folder=stage.folder, default_zone="Europe/London")
    yield Stand(connect(settings, clock=stage.time.clock, sleep=stage.time.sleep))


def _write(folder: Path) -> None:
    sales = [_sale(f"{number:06d}") for number in range(1_200)]
    sales[7] = _sale("000007", total="many")
    unposted = transaction(status="Canceled")
    _drop(folder / "POSLOG_1.xml", poslog(*sales[:700], sales[0], unposted), 1_000_000_000)
    _drop(folder / "POSLOG_2.xml", poslog(*sales[600:], _sale("000003", total="12.00")), 1_000_000_001)
    _drop(folder / "TLOG_1.csv", _TLOG, 1_000_000_002)
    _drop(folder / "members.csv", _MEMBERS, 1_000_000_003)
    _drop(folder / "points.csv", _POINTS, 1_000_000_004)
    later = {"SequenceNumber": "000001", "BusinessDayDate": "2036-03-01", "EndDateTime": "2036-03-01T12:00:00Z"}
    written = datetime(2036, 3, 1, 13, tzinfo=UTC).timestamp()
    _drop(folder / "POSLOG_3.xml", poslog(transaction(head=later)), written)


def _sale(sequence: str, total: str = "10.00") -> str:
    return transaction(ONE_LINE + _CUSTOMER, total=total, head={"SequenceNumber": sequence})


def _drop(path: Path, text: str, at: float) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at, at))
