"""The generated population as a commercetools project: its customers, orders, payments, carts and stores."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from itertools import islice
from typing import Any

import orjson
import polars as pl

from connectors.commercetools import sandbox_payloads as made
from connectors.commercetools.api import stamp
from connectors.commercetools.sandbox_render_order import cart, order, payments
from connectors.commercetools.sandbox_shop import Resource, Shop
from connectors.sandbox.population import Population

Row = Mapping[str, Any]
Told = Mapping[tuple[str, str], list[Row]]
"""Consents by (object, source_id)."""
_CARTS = 7
"""After every so many orders a cart is left behind."""


def fill(shop: Shop, population: Population) -> None:
    """Put in what this population has done in its shop. Deleted accounts are gone, their orders are not."""
    records = _rows(population.records)
    people = {(row["object"], row["source_id"]): row for row in records}
    answers = _answers(_rows(population.consents))
    points = dict(population.loyalty.select("account", "balance").collect().iter_rows())
    opened = datetime.combine(population.spec.starts_on, time(), UTC)
    shop.load("types", [made.retail_type(opened)])
    shop.load("stores", [made.store(key, opened) for key in sorted({row["store"] for row in records if row["store"]})])
    alive = [row for row in records if row["object"] == "customer" and row["deleted_at"] is None]
    shop.load("customers", [_customer(row, points, answers) for row in alive])
    for number, row in enumerate(_rows(population.orders)):
        if row["customer"] and number % _CARTS == 0:
            shop.load("carts", [cart(row)])
        whom = ("customer", row["customer"]) if row["customer"] else ("guest", row["guest"])
        paid = payments(row)
        consents = _consents(answers, "guest", row["guest"])
        shop.load("payments", paid)
        shop.load("orders", [order(row, people.get(whom, {}), [each["id"] for each in paid], consents)])


def spoil_orders(shop: Shop, count: int) -> None:
    """Make the newest orders of customers unreadable: their points are a text that is no number."""
    newest = sorted(shop.all("orders"), key=lambda each: (each["lastModifiedAt"], each["id"]), reverse=True)
    for each in islice((each for each in newest if "customerId" in each), count):
        fields = each["custom"]["fields"] | {"loyaltyPointsEarned": "n/a"}
        shop.load("orders", [each | {"custom": each["custom"] | {"fields": fields}}])


def _rows(table: pl.LazyFrame) -> list[dict[str, Any]]:
    return table.filter(pl.col("system") == "commercetools").collect().to_dicts()


def _answers(rows: Iterable[Row]) -> Told:
    found: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["object"], row["source_id"]].append(row)
    return found


def _consents(answers: Told, told_as: str, source_id: str | None) -> list[str]:
    """As the custom field keeps them: a JSON object in each text."""
    told = answers.get((told_as, source_id), []) if source_id else []
    return [orjson.dumps(_answer(row)).decode() for row in told]


def _answer(row: Row) -> Resource:
    return made.told(
        channel=row["channel"],
        status=row["status"],
        at=stamp(row["at"]) if row["at"] else None,
        brand=row["brand"],
        purpose=row["purpose"],
        proof=row["proof"],
        contactPoint=row["contact_point"],
    )


def _customer(row: Row, points: Mapping[str, int], answers: Told) -> Resource:
    address = _address(row)
    ids = [each["id"] for each in address]
    return {
        **made.base(row["source_id"], row["created_at"], row["modified_at"]),
        **made.told(
            email=row["email"],
            firstName=row["given_name"],
            middleName=row["middle_name"],
            lastName=row["family_name"],
            salutation=row["title"],
            dateOfBirth=row["birth_date"],
            companyName=row["organisation"],
            locale=row["locale"],
            defaultBillingAddressId=next(iter(ids), None),
        ),
        "isEmailVerified": bool(row["email_verified"]),
        "authenticationMode": "Password",
        "addresses": address,
        "billingAddressIds": ids,
        "shippingAddressIds": [],
        "stores": [{"typeId": "store", "key": row["store"]}] if row["store"] else [],
        "customerGroupAssignments": [],
        **made.custom(
            {
                "loyaltyNumber": row["loyalty_number"],
                "loyaltyTier": row["tier"],
                "loyaltyPoints": points.get(row["loyalty_number"]),
                "brand": row["brand"],
                "consents": _consents(answers, "customer", row["source_id"]),
            }
        ),
    }


def _address(row: Row) -> list[Resource]:
    """The address book; customers have phones only there."""
    if not row["street"] and not row["phone"]:
        return []
    return [
        made.told(
            id="home",
            firstName=row["given_name"],
            lastName=row["family_name"],
            company=row["organisation"],
            streetName=row["street"],
            streetNumber=row["house_number"],
            postalCode=row["postcode"],
            city=row["city"],
            region=row["region"],
            country=row["country"],
            phone=row["phone"],
        )
    ]
