"""How fast files land, beside what DuckDB needs to read them into a table without any question asked.

    python -m tests.benchmarks.landing [--records 200000] [--rounds 5] [--form ndjson csv parquet]

A customers' export of about 1 kB a record with 41 columns, one row in a thousand bad (a date that is none, a
number that is none, no id), is made anew from a fixed seed. Plain is `create table as select * from
read_json_auto(file)` (or `read_csv`, `read_parquet`) into a fresh file; ours is the real landing into a fresh warehouse file, with raw
payload, content hash, body in our words, and quarantine. Both in turn, each until its file is closed. Beside: which way the
file was read, how much memory a process takes that lands it and does nothing else, and the same file a page at a time
through Python. The CSV is quoted throughout, header and all, as most programs that export write it.
"""

import argparse
import multiprocessing
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from connectors.files.translate import PERSON
from models.landing import Bulk, Page, Window
from models.ports import Source
from resolver import land, run, warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.connectors.conformance import paged
from tests.connectors.files.folder import source_over

ASKED = 0.9
_PAGED_RECORDS = 20_000
_GIVEN = "Anna Bertram Chloe Dieter Esther Farid Greta Hugo Ingrid Jasper Keiko Liam Nora Omar Petra Jürgen".split()
_FAMILY = "Lindqvist Okafor Dubois Vogel Nakamura Haddad Kowalska Fernandes Berzins Müller Tanaka Gallagher".split()

PATTERN: dict[str, Any] = {
    "id": "customer_id",
    "changed_at": "updated_at",
    "columns": {
        "title": "title", "given_name": "first_name", "middle_name": "middle_name", "family_name": "last_name",
        "birth_date": "birth_date", "sex": "gender", "language": "language", "email": ["email", "email_work"],
        "phone": ["mobile", "phone"], "street": "street", "house_number": "house_no", "line2": "address_2", "postcode": "zip",
        "city": "city", "region": "region", "country": "country", "organisation": "company", "store": "store",
        "loyalty_number": "card_no", "loyalty_tier": "tier", "loyalty_tier_expires": "tier_until", "loyalty_points": "points",
        "loyalty_enrolled_at": "joined_at", "created_at": "created_at",
    },
    "identifiers": {"bigcommerce_customer": "shop_customer_id", "pos_customer": "pos_customer_id"},
    "consents": [
        {"channel": "email", "status": "news_email", "at": "news_email_at"},
        {"channel": "sms", "status": "news_sms", "at": "news_sms_at"},
    ],
}  # fmt: skip
_READERS = {
    "ndjson": "create table plain as select * from read_json_auto($path)",
    "csv": "create table plain as select * from read_csv($path)",
    "parquet": "create table plain as select * from read_parquet($path)",
}


def customers(count: int) -> Iterator[dict[str, Any]]:
    """The same customers each time."""
    told = random.Random(7)

    def day(first: int, last: int) -> str:
        return f"{told.randrange(first, last)}-{told.randrange(1, 13):02d}-{told.randrange(1, 29):02d}"

    def moment(first: int, last: int) -> str:
        return f"{day(first, last)}T{told.randrange(24):02d}:{told.randrange(60):02d}:{told.randrange(60):02d}Z"

    for number in range(count):
        given, family = told.choice(_GIVEN), told.choice(_FAMILY)
        yield {
            "customer_id": f"C-{number:08d}", "title": told.choice(["Mr", "Ms", "Dr", ""]), "first_name": given,
            "middle_name": told.choice([None, None, "J.", "Maria"]), "last_name": family, "birth_date": day(1940, 2005),
            "gender": told.choice("fmx"), "language": told.choice(["de", "en", "fr"]),
            "email": f"{given}.{family}.{number}@mail{told.randrange(50)}.example".lower(),
            "email_work": f"x{number}@work.example" if told.random() < 0.2 else None,
            "phone": f"+49 30 {told.randrange(10**7):07d}", "mobile": f"+49 171 {told.randrange(10**7):07d}",
            "street": f"{family}strasse", "house_no": str(told.randrange(1, 200)),
            "address_2": "Hinterhaus" if told.random() < 0.1 else None, "zip": f"{told.randrange(10**5):05d}",
            "city": told.choice(["Berlin", "Hamburg", "Dresden", "Leipzig"]), "region": told.choice(["BE", "HH", "SN"]),
            "country": "DE", "company": f"{family} GmbH" if told.random() < 0.1 else None,
            "store": f"S{told.randrange(300):04d}", "card_no": f"LC{told.randrange(10**9):09d}",
            "tier": told.choice(["gold", "silver", "base"]), "tier_until": day(2026, 2029),
            "points": told.randrange(100_000), "joined_at": moment(2010, 2026), "created_at": moment(2010, 2026),
            "updated_at": moment(2026, 2027), "news_email": told.choice(["yes", "no"]), "news_email_at": moment(2020, 2026),
            "news_sms": told.choice(["yes", "no"]), "news_sms_at": moment(2020, 2026), "shop_customer_id": str(number * 3),
            "pos_customer_id": f"P{number}", "last_order_at": moment(2024, 2026), "orders": told.randrange(50),
            "lifetime_value": told.randrange(200_000) / 100, "segment": told.choice("ABC"),
            "source": told.choice(["web", "store", "app"]), "preferred_size": told.choice(["S", "M", "L", "38", "40"]),
            "active": told.random() < 0.9, **_spoilt(number),
        }  # fmt: skip


def _spoilt(number: int) -> dict[str, Any]:
    """What is wrong with one row in a thousand."""
    wrong: Sequence[dict[str, Any]] = ({"joined_at": "soon"}, {"points": "many"}, {"customer_id": None})
    return wrong[number // 1000 % len(wrong)] if number % 1000 == 500 else {}


def written(folder: Path, form: str, count: int) -> Path:
    """The file."""
    path = folder / f"customers.{form}"
    if form == "ndjson":
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in customers(count)))
        return path
    rows = [{name: None if value is None else str(value) for name, value in row.items()} for row in customers(count)]
    table = pa.Table.from_pylist(rows)
    if form == "csv":
        pcsv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    return path


@dataclass
class ByPage:
    """A source whose files come a page at a time only."""

    source: Source

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def pages(self, object: str, window: Window) -> Iterator[Page | Bulk]:  # noqa: A002
        """Page by page."""
        for told in self.source.pages(object, window):
            yield from paged(told)


@dataclass(frozen=True)
class Cost:
    """Seconds."""

    wall: float
    cpu: float


def cost(work: Callable[[], object]) -> Cost:
    """What it costs, all threads counted."""
    wall, cpu = time.perf_counter(), _cpu()
    work()
    return Cost(time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def plainly(path: Path, form: str, into: Path) -> None:
    """Read the file into a table."""
    into.unlink(missing_ok=True)
    with duckdb.connect(str(into)) as connection:
        connection.execute(_READERS[form], {"path": str(path)}).fetchall()


def landing(source: Source, into: Path) -> land.Landed:
    """Land all that the source tells in a fresh warehouse."""
    into.unlink(missing_ok=True)
    with (
        warehouse.opened(into, clock=_now) as connection,
        run.begun("land", connection, Policy(), LinkageModel.shipped(), _now) as begun,
    ):
        return land.records(begun, source)


def _way(source: Source) -> str:
    """How the file is read from its beginning on."""
    [told] = islice(source.pages(PERSON, Window(until=_now())), 1)
    return "in bulk" if isinstance(told, Bulk) else "a page at a time"


def peak(path: Path, into: Path) -> float:
    """Megabytes of memory, at most, of a process that lands the file: forked from a small one, as this one is large."""
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        return pool.apply(_peak, (path, into))


def _peak(path: Path, into: Path) -> float:
    landing(source_over(path.parent, customers={**PATTERN, "files": path.name}), into)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _now() -> datetime:
    return datetime.now(UTC)


def compared(folder: Path, form: str, records: int, rounds: int) -> None:
    """Print how our landing compares with plain reading."""
    path = written(folder, form, records)
    source = source_over(folder, customers={**PATTERN, "files": path.name})
    into = folder / "warehouse.duckdb"
    size = path.stat().st_size / records
    print(f"{form}: {records:,} records of {size:,.0f} bytes, {_way(source)}, {peak(path, into):,.0f} MB of memory")
    print(f"  {landing(source, into)}, {into.stat().st_size / 1e6:,.0f} MB")
    plain, ours = [], []
    for _ in range(rounds):
        plain.append(cost(lambda: plainly(path, form, folder / "plain.duckdb")))
        ours.append(cost(lambda: landing(source, into)))
        print(f"  plain {plain[-1].wall:6.2f} s wall {plain[-1].cpu:6.2f} s CPU   "
              f"ours {ours[-1].wall:6.2f} s wall {ours[-1].cpu:6.2f} s CPU", flush=True)  # fmt: skip
    for of in ("wall", "cpu"):
        ratio = statistics.median(getattr(p, of) / getattr(o, of) for p, o in zip(plain, ours, strict=True))
        rate = records / statistics.median(getattr(o, of) for o in ours)
        print(f"  by {of:4}: {ratio:.2f} of the speed of plain (asked: {ASKED}), {rate:,.0f} records/s")
    path.unlink()
    by_page(folder, form)


def by_page(folder: Path, form: str) -> None:
    """Print what the same costs a page at a time."""
    path = written(folder, form, _PAGED_RECORDS)
    source = ByPage(source_over(folder, customers={**PATTERN, "files": path.name}))
    spent = cost(lambda: landing(source, folder / "warehouse.duckdb"))
    print(f"  a page at a time: {_PAGED_RECORDS / spent.cpu:,.0f} records/s of CPU\n", flush=True)
    path.unlink()


def main() -> None:
    """Print the comparison for each form."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--form", nargs="*", choices=list(_READERS), default=list(_READERS))
    asked = parser.parse_args()
    for form in asked.form:
        with tempfile.TemporaryDirectory() as folder:
            compared(Path(folder), form, asked.records, asked.rounds)


if __name__ == "__main__":
    main()
