"""The protagonists: six people who are in every population, with the same ids, to tell a story about."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

from connectors.sandbox.population.countries import country
from connectors.sandbox.population.points import WELCOME
from connectors.sandbox.population.spec import PopulationSpec
from connectors.sandbox.population.systems import loyalty_number

Row = dict[str, Any]
TOLD_ON = date(2026, 11, 1)


@cache
def told() -> Mapping[str, Any]:
    """The story as it is written down."""
    return tomllib.loads(files(__package__).joinpath("story.toml").read_text(encoding="utf-8"))


def people() -> int:
    """How many people the story takes."""
    return len(told()["people"])


def plant(spec: PopulationSpec, tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables with the story's rows on top; rows of systems that the spec leaves out are left out."""
    story = _rows(spec)
    return {name: pl.concat([_frame(story[name], frame.schema), frame]) for name, frame in tables.items()}


def _frame(rows: Sequence[Row], schema: pl.Schema) -> pl.DataFrame:
    complete = [{name: row.get(name) for name in schema} for row in rows]
    return pl.DataFrame(complete, schema=schema, orient="row")


def _rows(spec: PopulationSpec) -> dict[str, list[Row]]:
    shift = timedelta(days=(spec.as_of - TOLD_ON).days)
    here = [row for row in told()["records"] if row["system"] in spec.systems]
    orders = [_order(row, shift) for row in told()["orders"] if row["system"] in spec.systems]
    entries = [
        entry for row in here if "loyalty" in row and row["object"] == "card" for entry in _entries(row, orders, shift)
    ]
    return {
        "people": [_person(row, here) for row in told()["people"]],
        "records": [_record(row, shift) for row in here],
        "truth": [
            {key: row[key] for key in ("system", "object", "source_id", "person_id", "difficulties")} for row in here
        ],
        "orders": orders,
        "loyalty": [_account(row, entries, shift) for row in here if row["object"] == "card"],
        "loyalty_entries": entries,
        "consents": [
            {**row, "purpose": "marketing", "at": _moved(row["at"], shift)}
            for row in told()["consents"]
            if row["system"] in spec.systems
        ],
    }


def _moved(moment: datetime, shift: timedelta) -> datetime:
    return moment.astimezone(UTC) + shift


def _person(row: Row, records: Sequence[Row]) -> Row:
    labels = {
        label for record in records if record["person_id"] == row["person_id"] for label in record["difficulties"]
    }
    return {**row, "difficulties": sorted(labels)}


def _record(row: Row, shift: timedelta) -> Row:
    number = loyalty_number(row["loyalty"]) if "loyalty" in row else None
    moments = {name: _moved(row[name], shift) for name in ("created_at", "modified_at")}
    return {**row, **moments, "loyalty_number": number}


def _order(row: Row, shift: timedelta) -> Row:
    """Work out taxes, totals and points from the lines, as the till would."""
    person = next(person for person in told()["people"] if person["person_id"] == row["person_id"])
    land = country(person["country"])
    lines = [_line(place, line, land.tax_basis_points) for place, line in enumerate(row["lines"], 1)]
    net, tax = (sum(line[key] for line in lines) for key in ("amount_minor", "tax_minor"))
    placed = _moved(row["placed_at"], shift)
    loyal = "loyalty" in row
    till = row["channel"] == "pos"
    captured: Row = next(
        (r for r in told()["records"] if r["object"] == "guest" and r["source_id"] == row.get("guest")), {}
    )
    serial = int(row["number"][-3:])
    return {
        **row,
        "placed_at": placed,
        "modified_at": placed if till else placed + timedelta(days=4),
        "status": "completed",
        "business_day": placed.date() if till else None,
        **_renamed(row, placed, till),
        "currency": land.currency,
        "decimals": land.decimals,
        "locale": land.locale,
        "loyalty_number": loyalty_number(row["loyalty"]) if loyal else None,
        "captured_email": captured.get("email"),
        "captured_phone": captured.get("phone"),
        "lines_total_minor": net,
        "discount_minor": 0,
        "tax_minor": tax,
        "total_minor": net + tax,
        "lines": lines,
        "discounts": [],
        "taxes": [{"name": land.tax_name, "rate": land.tax_basis_points / 10_000, "amount_minor": tax}],
        "tenders": [{"kind": "card", "amount_minor": net + tax, "reference": f"T{serial:09d}"}],
        "fulfilments": [] if till else [_fulfilment(row, land.carriers[0], placed)],
        "returns": [],
        "refunds": [],
        "points_earned": (net + tax) // round(100 * land.minor_per_price) if loyal else 0,
        "points_redeemed": 0,
        "difficulties": [],
    }


def _renamed(row: Row, placed: datetime, till: bool) -> Row:
    """A receipt's names hold its day, which moves with the story."""
    if not till:
        return {}
    store, lane, day, serial = row["store"], row["till"], placed.date(), row["sequence"]
    return {"order_id": f"{store}|{lane}|{day}|{serial}", "number": f"{store}-{lane}-{day:%Y%m%d}-{serial}"}


def _line(place: int, line: Sequence[Any], basis_points: int) -> Row:
    sku, name, quantity, price = line
    amount = quantity * price
    return {
        "line": str(place),
        "sku": sku,
        "name": name,
        "quantity": quantity,
        "unit_price_minor": price,
        "discount_minor": 0,
        "tax_minor": (amount * basis_points + 5_000) // 10_000,
        "amount_minor": amount,
    }


def _fulfilment(row: Row, carrier: str, placed: datetime) -> Row:
    return {
        "id": f"{row['number']}-F1",
        "method": "delivery",
        "carrier": carrier,
        "tracking_number": f"{int(row['number']):012d}",
        "status": "delivered",
        "at": placed + timedelta(days=1),
    }


def _entries(card: Row, orders: Sequence[Row], shift: timedelta) -> list[Row]:
    number = loyalty_number(card["loyalty"])
    enrolled = _moved(card["created_at"], shift)
    welcome = {
        "account": number,
        "external_id": f"adjust:{number}:welcome",
        "kind": "adjust",
        "points": WELCOME,
        "at": enrolled,
    }
    earned = [
        {
            "account": number,
            "external_id": f"earn:{order['order_id']}",
            "kind": "earn",
            "points": order["points_earned"],
            "at": order["placed_at"],
            "order_system": order["system"],
            "order_id": order["order_id"],
        }
        for order in orders
        if order["loyalty_number"] == number
    ]
    return [welcome, *earned]


def _account(card: Row, entries: Sequence[Row], shift: timedelta) -> Row:
    number = loyalty_number(card["loyalty"])
    return {
        "account": number,
        "person_id": card["person_id"],
        "programme": "main",
        "tier": card["tier"],
        "status": "active",
        "enrolled_at": _moved(card["created_at"], shift),
        "balance": sum(entry["points"] for entry in entries if entry["account"] == number),
    }
