"""Receipts of the generated population, one slip each: sales, and the returns that are receipts of their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from connectors.sandbox.population import Population
from connectors.sandbox.population.systems import COUNTRY_ORDER

Row = Mapping[str, Any]

ZONES: Final = {
    "US": "America/New_York",
    "GB": "Europe/London",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "NL": "Europe/Amsterdam",
    "LV": "Europe/Riga",
    "PL": "Europe/Warsaw",
    "JP": "Asia/Tokyo",
}
_GUEST: Final = (
    "given_name",
    "family_name",
    "full_name",
    "email",
    "phone",
    "address_line",
    "postcode",
    "city",
    "country",
)


@dataclass(frozen=True, slots=True)
class SlipLine:
    """A position; amounts without sign."""

    line: str
    sku: str
    name: str
    quantity: int
    unit_price: Decimal
    discount: Decimal
    tax: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Slip:
    """A receipt before it is written in one shape or the other."""

    store: str
    till: str
    business_day: str
    sequence: str
    number: str
    at: datetime
    cashier: str
    currency: str
    total: Decimal
    """Without sign, as some tills write it also for returns."""
    lines: tuple[SlipLine, ...]
    discounts: tuple[tuple[str, Decimal], ...] = ()
    taxes: tuple[tuple[str, Decimal, Decimal], ...] = ()
    tenders: tuple[tuple[str, Decimal, str], ...] = ()
    customer: str | None = None
    loyalty_number: str | None = None
    earned: int = 0
    redeemed: int = 0
    guest: Mapping[str, str | None] | None = None
    original: tuple[str, str, str, str, str] | None = None
    """Of a return: store, till, day, sequence and line of what was bought."""


def country_of(store: str) -> str:
    """The country of a store by its code, e.g. GB of 0203."""
    return COUNTRY_ORDER[int(store[:2]) - 1]


def zone_of(store: str) -> str:
    """The zone of a store's clocks."""
    return ZONES[country_of(store)]


def stores(population: Population) -> list[str]:
    """Every store that sold something, sorted."""
    sold = population.orders.filter(pl.col("system") == "pos").select("store").unique().collect()
    return sorted(sold["store"].to_list())


def slips_by_store(population: Population) -> Iterator[tuple[str, list[Slip]]]:
    """Every store, sorted, with its receipts in the order of time. Holds the orders of one country at a time."""
    known = stores(population)
    for country in sorted({store[:2] for store in known}):
        sold = population.orders.filter(
            (pl.col("system") == "pos") & pl.col("store").str.starts_with(country)
        ).collect()
        by_store = {str(part["store"][0]): part for part in sold.partition_by("store")}
        guests, taken_back = _guests(population, sold), _taken_back(population, sold)
        for store in sorted(by_store):
            yield store, _slips(by_store[store], guests, taken_back)


def _slips(sold: pl.DataFrame, guests: Mapping[str, Row], taken_back: Mapping[str, int]) -> list[Slip]:
    found = [slip for row in sold.iter_rows(named=True) for slip in _of_order(row, guests, taken_back)]
    return sorted(found, key=lambda slip: (slip.at, slip.number))


def _taken_back(population: Population, sold: pl.DataFrame) -> dict[str, int]:
    """Points that a return took back, by the order that had earned them."""
    reversed_ = population.loyalty_entries.filter(
        (pl.col("kind") == "reverse_earn") & pl.col("order_id").is_in(sold["order_id"].to_list())
    )
    return dict(reversed_.select("order_id", "points").collect().iter_rows())


def _guests(population: Population, sold: pl.DataFrame) -> dict[str, Row]:
    told = population.records.filter(
        (pl.col("system") == "pos")
        & (pl.col("object") == "guest")
        & pl.col("source_id").is_in(sold["guest"].drop_nulls().to_list())
    ).select("source_id", *_GUEST)
    return {row["source_id"]: {name: row[name] for name in _GUEST} for row in told.collect().iter_rows(named=True)}


def _of_order(row: Row, guests: Mapping[str, Row], taken_back: Mapping[str, int]) -> Iterator[Slip]:
    guest = guests.get(row["guest"]) if row["guest"] else None
    yield _sale(row, guest)
    for back in row["returns"]:
        yield _return(row, back, guest, taken_back.get(row["order_id"], 0))


def _sale(row: Row, guest: Row | None) -> Slip:
    def money(minor: int) -> Decimal:
        return Decimal(minor).scaleb(-row["decimals"])

    return Slip(
        store=row["store"],
        till=row["till"],
        business_day=row["business_day"].isoformat(),
        sequence=row["sequence"],
        number=row["number"],
        at=row["placed_at"],
        cashier=row["cashier"],
        currency=row["currency"],
        total=money(row["total_minor"]),
        lines=tuple(_line(line, row["decimals"]) for line in row["lines"]),
        discounts=tuple((one["code"], money(one["amount_minor"])) for one in row["discounts"]),
        taxes=tuple((one["name"], Decimal(str(one["rate"])) * 100, money(one["amount_minor"])) for one in row["taxes"]),
        tenders=tuple((one["kind"], money(one["amount_minor"]), one["reference"]) for one in row["tenders"]),
        customer=None if guest else row["customer"],
        loyalty_number=row["loyalty_number"],
        earned=row["points_earned"],
        redeemed=row["points_redeemed"],
        guest=guest,
    )


def _line(line: Row, decimals: int) -> SlipLine:
    price, discount, tax, amount = (
        Decimal(line[f"{name}_minor"]).scaleb(-decimals) for name in ("unit_price", "discount", "tax", "amount")
    )
    return SlipLine(line["line"], line["sku"], line["name"], line["quantity"], price, discount, tax, amount)


def _return(row: Row, back: Row, guest: Row | None, taken_back: int) -> Slip:
    """What came back, at the price that was paid for it, taxes included."""
    store, till, day, sequence = back["id"].split("|")
    bought = next(line for line in row["lines"] if line["line"] == back["line"])
    amount = Decimal(back["amount_minor"]).scaleb(-row["decimals"])
    line = SlipLine("1", bought["sku"], bought["name"], back["quantity"], amount, Decimal(0), Decimal(0), amount)
    return Slip(
        store=store,
        till=till,
        business_day=day,
        sequence=sequence,
        number=f"{store}-{till}-{day.replace('-', '')}-{sequence}",
        at=back["at"],
        cashier=row["cashier"],
        currency=row["currency"],
        total=amount,
        lines=(line,),
        tenders=((row["tenders"][-1]["kind"], amount, row["tenders"][-1]["reference"]),),
        customer=None if guest else row["customer"],
        loyalty_number=row["loyalty_number"],
        earned=abs(taken_back),
        guest=guest,
        original=(row["store"], row["till"], row["business_day"].isoformat(), row["sequence"], back["line"]),
    )


def clock_text(slip: Slip) -> str:
    """When the store's clock said so: half of the countries' tills leave the zone out.

    In the hour that comes twice in autumn they all write it, or the moment would be lost.
    """
    local = slip.at.astimezone(ZoneInfo(zone_of(slip.store)))
    leaves_out = COUNTRY_ORDER.index(country_of(slip.store)) % 2 == 0 and not local.fold
    return (local.replace(tzinfo=None) if leaves_out else local).isoformat()
