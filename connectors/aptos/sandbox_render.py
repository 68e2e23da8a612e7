"""The people of a population as the CRM knows them: its customers, their purchases at tills, points and notes."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import polars as pl

from connectors.sandbox.population import Population
from connectors.sandbox.receiving import Body

_SYSTEM = "aptos"
_TIERS = {"basic": "BASIC", "silver": "SILVER", "gold": "GOLD"}
_CATEGORIES = ("ceramics", "textiles", "lamps", "garden")
_NOTED = 4
"""Every so many customers an associate has noted something."""

Row = Mapping[str, Any]
Change = tuple[datetime, str, str, Body]
"""When, object, key, body."""


class Loadable(Protocol):
    """What is filled."""

    def load(self, object_: str, key: str, body: Body, at: datetime) -> None:
        """Put something in as it is, with its own time of change."""
        ...


def fill(shop: Loadable, population: Population) -> None:
    """Load the customers of the population's CRM, oldest change first; nothing for a population without a CRM."""
    customers = population.records.filter(pl.col("system") == _SYSTEM).collect().rows(named=True)
    cards = {row["loyalty_number"]: row["source_id"] for row in customers if row["loyalty_number"]}
    consents = _consents(population) if customers else {}
    changes = [
        *(_customer(row, consents.get(row["source_id"], [])) for row in customers),
        *(_note(row) for place, row in enumerate(customers) if place % _NOTED == 0),
        *(_loyalty(population, cards) if cards else ()),
    ]
    for at, object_, key, body in sorted(changes, key=lambda change: change[:3]):
        shop.load(object_, key, body, at)


def _customer(row: Row, consents: list[Body]) -> Change:
    address = {
        "type": "HOME",
        "primary": True,
        "line1": row["address_line"],
        "postalCode": row["postcode"],
        "city": row["city"],
        "region": row["region"],
        "country": row["country"],
    }
    body = {
        "customerNumber": row["source_id"],
        "status": "active" if row["deleted_at"] is None else "inactive",
        "title": row["title"],
        "firstName": row["given_name"],
        "middleName": row["middle_name"],
        "lastName": row["family_name"],
        "birthDate": row["birth_date"],
        "language": row["locale"][:2] if row["locale"] else None,
        "storeOfRecord": row["store"],
        "emails": _contact(row["email"], "HOME"),
        "phones": _contact(row["phone"], "MOBILE"),
        "addresses": [_said(address)] if row["address_line"] or row["city"] else [],
        "cards": [{"cardNumber": row["loyalty_number"], "kind": "LOYALTY"}] if row["loyalty_number"] else [],
        "consents": consents,
        "attributes": _said({"brand": row["brand"], "gender": row["sex"], "preferred_category": _category(row)}),
        "createdAt": row["created_at"].isoformat(),
    }
    return row["modified_at"], "customers", row["source_id"], _said(body)


def _contact(value: str | None, kind: str) -> list[Body]:
    return [{"type": kind, "value": value, "primary": True}] if value else []


def _category(row: Row) -> str:
    return _CATEGORIES[sum(map(ord, row["source_id"])) % len(_CATEGORIES)]


def _consents(population: Population) -> Mapping[str, list[Body]]:
    found: dict[str, list[Body]] = {}
    for row in population.consents.filter(pl.col("system") == _SYSTEM).collect().rows(named=True):
        consent = {
            "channel": row["channel"],
            "contactPoint": row["contact_point"],
            "brand": row["brand"],
            "purpose": row["purpose"],
            "status": row["status"],
            "capturedAt": row["at"].isoformat(),
            "evidenceRef": row["proof"],
        }
        found.setdefault(row["source_id"], []).append(_said(consent))
    return found


def _note(row: Row) -> Change:
    at = row["modified_at"] + timedelta(hours=1)
    body = {
        "customerNumber": row["source_id"],
        "associateId": f"{row['store'] or 0}-17",
        "store": row["store"],
        "brand": row["brand"],
        "subject": "Preference",
        "body": f"Likes to hear about {_category(row)} first.",
        "important": False,
        "status": "completed",
        "occurredAt": at.isoformat(),
    }
    return at, "interactions", f"note/{row['source_id']}-1", _said(body)


def _loyalty(population: Population, cards: Mapping[str, str]) -> Iterator[Change]:
    """Accounts and points of the customers' cards, and what was bought with these at tills."""
    numbers = list(cards)
    for row in population.loyalty.filter(pl.col("account").is_in(numbers)).collect().rows(named=True):
        yield _account(row, cards[row["account"]])
    for row in population.loyalty_entries.filter(pl.col("account").is_in(numbers)).collect().rows(named=True):
        yield _entry(row)
    bought = population.orders.filter((pl.col("channel") == "pos") & pl.col("loyalty_number").is_in(numbers))
    for row in bought.collect().rows(named=True):
        yield _transaction(row, cards[row["loyalty_number"]])


def _account(row: Row, customer: str) -> Change:
    body = {
        "accountId": row["account"],
        "planKey": "MAIN",
        "membershipStatusKey": "A",
        "customerNumber": customer,
        "tier": _TIERS.get(row["tier"], row["tier"]),
        "pointsBalance": row["balance"],
        "enrolledAt": row["enrolled_at"].isoformat(),
    }
    return row["enrolled_at"], "loyalty_accounts", row["account"], _said(body)


def _entry(row: Row) -> Change:
    order = row["order_id"] if row["order_system"] == "pos" else None
    body = {
        "kind": row["kind"],
        "points": row["points"],
        "planKey": "MAIN",
        "occurredAt": row["at"].isoformat(),
        "transactionRef": order.replace("|", "/") if order else None,
    }
    external_id = row["external_id"].replace("/", "-")
    return row["at"], "loyalty_entries", f"{row['account']}/{external_id}", _said(body)


def _transaction(row: Row, customer: str) -> Change:
    def money(minor: int) -> str:
        return f"{minor / 10 ** row['decimals']:.{row['decimals']}f}"

    body = {
        "type": "sale",
        "status": "finished",
        "channel": "pos",
        "occurredAt": row["placed_at"].isoformat(),
        "currency": row["currency"],
        "customerNumber": customer,
        "cardNumber": row["loyalty_number"],
        "totals": {
            "gross": money(row["total_minor"]),
            "net": money(row["total_minor"] - row["tax_minor"]),
            "tax": money(row["tax_minor"]),
            "discount": money(row["discount_minor"]),
        },
        "lines": [
            {
                "seq": number,
                "item": line["sku"],
                "description": line["name"],
                "quantity": str(line["quantity"]),
                "amount": money(line["amount_minor"]),
                "kind": "sale",
            }
            for number, line in enumerate(row["lines"], start=1)
        ],
        "tenders": [{"type": tender["kind"], "amount": money(tender["amount_minor"])} for tender in row["tenders"]],
    }
    key = "/".join((row["store"], row["till"], row["business_day"].isoformat(), row["sequence"]))
    return row["placed_at"], "transactions", key, body


def _said(body: Mapping[str, Any]) -> Body:
    return {name: value for name, value in body.items() if value is not None}
