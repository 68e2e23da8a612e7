"""What the tills of the generated population drop: POSLog, delimited logs, exports of members and of points."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final
from xml.etree.ElementTree import Element

import polars as pl

from connectors.pos import sandbox_poslog as poslog
from connectors.pos import sandbox_tlog as tlog
from connectors.pos.sandbox_slips import Slip, slips_by_store, stores, zone_of
from connectors.pos.tables import written
from connectors.sandbox.population import Population
from connectors.sandbox.population.systems import BRANDS, STORES_PER_COUNTRY
from models.base import Frozen

DELIMITED_EVERY: Final = 4
"""The tills of one store in so many write delimited logs, the others POSLog."""

_MEMBER: Final = {
    "source_id": "Customer Number",
    "loyalty_number": "Loyalty Card",
    "tier": "Tier",
    "balance": "Points Balance",
    "created_at": "Enrolled At",
    "modified_at": "Changed At",
    "title": "Title",
    "given_name": "First Name",
    "middle_name": "Middle Name",
    "family_name": "Last Name",
    "full_name": "Customer Name",
    "name_suffix": "Suffix",
    "sex": "Gender",
    "birth_date": "Date of Birth",
    "email": "Email",
    "phone": "Phone",
    "address_line": "Address",
    "postcode": "Postcode",
    "city": "City",
    "region": "Region",
    "country": "Country",
    "store": "Store ID",
    "email_consent": "Email Consent",
    "email_consent_at": "Email Consent At",
    "sms_consent": "SMS Consent",
    "sms_consent_at": "SMS Consent At",
}
_ENTRY: Final = {
    "external_id": "External ID",
    "account": "Loyalty Card",
    "kind": "Kind",
    "points": "Points",
    "at": "At",
}
_MOMENT: Final = "%Y-%m-%dT%H:%M:%SZ"


class Spoiling(Frozen):
    """What goes wrong in a drop, as shares of its receipts or files. Nothing that was bought is lost by it."""

    seed: int = 0
    bad_date: float = 0.002
    """Of the receipts: another one beside it, with a date that is none."""
    bad_quantity: float = 0.002
    """Of the receipts: another one beside it, with a quantity that is no number."""
    repeated: float = 0.005
    """Of the receipts: written twice."""
    unposted: float = 0.01
    """Of the receipts: a cancelled one and a training one beside it."""
    torn: float = 0.02
    """Of the POSLog files: end within one more receipt."""


class Dropped(Frozen):
    """What was written."""

    files: int
    receipts: int
    """Good ones, each counted once."""
    members: int
    entries: int
    spoilt: Mapping[str, int]
    """How often each of the things that go wrong did."""


def write_drop(
    population: Population,
    directory: Path,
    *,
    spoiling: Spoiling = Spoiling(),  # noqa: B008 (frozen)
    receipts_per_file: int = 2_000,
) -> Dropped:
    """Write the drops of every store into the directory, a store at a time; the same bytes for the same population."""
    directory.mkdir(parents=True, exist_ok=True)
    spoilt: Counter[str] = Counter()
    files = receipts = 0
    for place, (store, found) in enumerate(slips_by_store(population)):
        write = _write_tlog if place % DELIMITED_EVERY == DELIMITED_EVERY - 1 else _write_poslog
        for start in range(0, len(found), receipts_per_file):
            piece = found[start : start + receipts_per_file]
            name = f"{store}_{piece[-1].at:%Y%m%d%H%M%S}"
            write(directory, name, piece, _Chance(spoiling, f"{store} {start}", spoilt))
            files += 1
        receipts += len(found)
    members, entries = _write_members(population, directory), _write_points(population, directory)
    return Dropped(
        files=files + 2, receipts=receipts, members=members, entries=entries, spoilt=dict(sorted(spoilt.items()))
    )


def settings(population: Population, directory: Path) -> dict[str, Any]:
    """The settings by which the source reads such a drop."""
    known = stores(population)
    return {
        "folder": directory,
        "default_zone": "Europe/London",
        "store_zones": {store: zone_of(store) for store in known},
        "brands": {store: BRANDS[(int(store[2:]) - 1) % STORES_PER_COUNTRY % len(BRANDS)] for store in known},
    }


class _Chance:
    """Seeded draws, counted by name."""

    def __init__(self, spoiling: Spoiling, stream: str, counts: Counter[str]) -> None:
        self._random = Random(f"{spoiling.seed} {stream}")  # noqa: S311 (a repeatable draw is wanted)
        self._rates: dict[str, float] = spoiling.model_dump(exclude={"seed"})
        self._counts = counts

    def strikes(self, name: str) -> bool:
        """Whether it happens now."""
        struck = self._random.random() < self._rates[name]
        self._counts[name] += struck
        return struck


def _another(slip: Slip, serial: int) -> Slip:
    """A receipt that nobody ever got, beside one that somebody did; numbers from 900001 are not used otherwise."""
    return replace(slip, sequence=f"{900_001 + serial}", number=f"{slip.number}-{serial}")


def _write_poslog(directory: Path, name: str, found: Sequence[Slip], chance: _Chance) -> None:
    with (directory / f"POSLOG_{name}.xml").open("w", encoding="utf-8", newline="") as file:
        file.write(poslog.OPENS)
        for serial, slip in enumerate(found):
            file.writelines(poslog.written(element) for element in _transactions(slip, serial, chance))
        if chance.strikes("torn"):
            file.write(poslog.written(poslog.transaction(_another(found[-1], len(found))))[:400])
        else:
            file.write(poslog.CLOSES)


def _transactions(slip: Slip, serial: int, chance: _Chance) -> Iterator[Element]:
    yield poslog.transaction(slip)
    if chance.strikes("repeated"):
        yield poslog.transaction(slip)
    if chance.strikes("unposted"):
        yield poslog.transaction(_another(slip, serial), status="Canceled")
        yield poslog.training()
    if chance.strikes("bad_date"):
        yield _with_text(poslog.transaction(_another(slip, serial)), "EndDateTime", "31/02/2026 17:01")
    if chance.strikes("bad_quantity"):
        yield _with_text(poslog.transaction(_another(slip, serial)), "Quantity", "one")


def _with_text(element: Element, name: str, text: str) -> Element:
    for part in element.iter(name):
        part.text = text
    return element


def _write_tlog(directory: Path, name: str, found: Sequence[Slip], chance: _Chance) -> None:
    rows = [row for serial, slip in enumerate(found) for row in _rows(slip, serial, chance)]
    (directory / f"TLOG_{name}.csv").write_text(written(tlog.HEADER, rows), encoding="utf-8-sig", newline="")


def _rows(slip: Slip, serial: int, chance: _Chance) -> Iterator[list[str]]:
    yield from tlog.rows(slip)
    another = list(tlog.rows(_another(slip, serial)))
    if chance.strikes("repeated"):
        yield from tlog.rows(slip)
    if chance.strikes("unposted"):
        yield from _with_cell(another, "Status Code", "CANCELLED")
    if chance.strikes("bad_date"):
        yield from _with_cell(another, "Transaction Date", "31/02/2026 17:01")
    if chance.strikes("bad_quantity"):
        yield from _with_cell(another, "Quantity", "one")


def _with_cell(rows: Iterable[list[str]], name: str, text: str) -> Iterator[list[str]]:
    place = tlog.HEADER.index(name)
    for row in rows:
        yield [*row[:place], text, *row[place + 1 :]]


def _write_members(population: Population, directory: Path) -> int:
    """The enrolment export: everyone with a card, with what they last answered to each channel."""
    balances = population.loyalty.select(pl.col("account").alias("loyalty_number"), "balance")
    cards = population.records.filter((pl.col("system") == "pos") & (pl.col("object") == "card"))
    told = cards.join(balances, on="loyalty_number", how="left")
    for channel in ("email", "sms"):
        told = told.join(_last_answers(population, channel), on="source_id", how="left")
    return _write_export(told.select(list(_MEMBER)).rename(_MEMBER), directory / "members.csv", "Customer Number")


def _last_answers(population: Population, channel: str) -> pl.LazyFrame:
    of_cards = (pl.col("system") == "pos") & (pl.col("object") == "card") & (pl.col("channel") == channel)
    last = population.consents.filter(of_cards).sort("source_id", "at", "status").group_by("source_id").last()
    return last.select(
        "source_id", pl.col("status").alias(f"{channel}_consent"), pl.col("at").alias(f"{channel}_consent_at")
    )


def _write_points(population: Population, directory: Path) -> int:
    """Points that moved without an order: receipts tell the others themselves."""
    told = population.loyalty_entries.filter(pl.col("order_id").is_null())
    return _write_export(told.select(list(_ENTRY)).rename(_ENTRY), directory / "points.csv", "External ID")


def _write_export(table: pl.LazyFrame, path: Path, by: str) -> int:
    found = table.sort(by).collect()
    found.write_csv(path, datetime_format=_MOMENT)
    return found.height
