"""A small CRM to read from: pages of everything, one payload of each kind spoilt, a posting of our own."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.aptos.sandbox import Shop
from connectors.sandbox.receiving import Dialect
from tests.connectors.aptos.conftest import RENAMED

FIXTURES = Path(__file__).parents[3] / "data" / "fixtures" / "aptos"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CUT = datetime(2026, 3, 1, tzinfo=UTC)
COUNTS = {"customer": 23, "transaction": 31, "loyalty_account": 11, "loyalty_entry": 17, "interaction": 9}
FEEDS = {"customer": "customers", "transaction": "transactions", "loyalty_account": "loyalty_accounts",
         "loyalty_entry": "loyalty_entries", "interaction": "interactions"}  # fmt: skip
LISTED = ("customer", "loyalty_account")
SPOILT, OURS = 8, 9
"""The spoilt one of each kind, and the transaction that we posted ourselves."""
OTHERWISE = Dialect(
    paths={
        **RENAMED.paths,
        "/changes/{object}": "/crm/news/{object}",
        "/customers/{customerNumber}": "/crm/people/{customerNumber}",
    },
    names={
        **RENAMED.names,
        "cursor": "bookmark",
        "nextCursor": "nextBookmark",
        "hasMore": "moreToCome",
        "since": "changed_since",
        "limit": "rows_wanted",
    },
)
"""The same CRM as another deployment has it, read by `renamed.toml`."""
COLUMNS = Dialect(names={**RENAMED.names, "FIRST_NAME": "VORNAME", "CUSTOMER_NO": "KUNDE"})
DEPLOYMENTS: Mapping[str, tuple[Path | None, Dialect, Dialect]] = {
    "ours": (None, Dialect(), Dialect()),
    "renamed": (FIXTURES / "renamed.toml", OTHERWISE, COLUMNS),
}
"""Name -> field map, dialect of the feed, dialect of the files."""


def hour(number: int) -> datetime:
    """When number n of each kind changed; 12 to 14 at the same moment."""
    return BEGIN + timedelta(hours=12 if number in {12, 13, 14} else number)


def key(object_: str, number: int) -> str:
    """By what the CRM knows it."""
    return {
        "customer": f"A{number:06d}",
        "transaction": f"0147/3/2026-01-02/{number:04d}",
        "loyalty_account": f"LC{number:04d}",
        "loyalty_entry": f"LC{number:04d}/earn-{number}",
        "interaction": f"note/n{number}",
    }[object_]


def identity(object_: str, number: int) -> str:
    """The source id of its record."""
    return key(object_, number).replace("/", "-" if object_ == "transaction" else ":")


def fill(shop: Shop) -> None:
    for object_, count in COUNTS.items():
        for number in range(1, count + 1):
            put(shop, object_, number, hour(number))


def put(shop: Shop, object_: str, number: int, at: datetime, **more: Any) -> None:
    body = {**_BODIES[object_](number), **more}
    if number == SPOILT:
        body |= _SPOILT[object_]
    shop.load(FEEDS[object_], key(object_, number), body, at)


def arm(shop: Shop) -> None:
    """Between pages things of earlier and of later pages change, and one is added."""
    seen: dict[str, int] = {}

    def before(feed: str) -> None:
        seen[feed] = seen.get(feed, 0) + 1
        if seen[feed] == 2:
            object_ = next(name for name, told in FEEDS.items() if told == feed)
            for minute, number in enumerate((1, 2, COUNTS[object_], 50)):
                put(shop, object_, number, CUT + timedelta(minutes=minute), reason="changed")

    shop.before_answer = before


def vanish(shop: Shop) -> Mapping[str, frozenset[str]]:
    """Take one record of each listed object out without a trace, and hide another one that is still there."""
    for object_ in LISTED:
        shop.vanish(FEEDS[object_], key(object_, 5))
        shop.hide(FEEDS[object_], key(object_, 6))
    return {object_: frozenset({identity(object_, 5)}) for object_ in LISTED}


def customer(number: int) -> dict[str, Any]:
    return {
        "customerNumber": key("customer", number),
        "status": "active",
        "alternateKeys": [{"system": "bigcommerce:customer", "value": str(number)}],
        "firstName": f"Given{number}",
        "lastName": f"Family{number}",
        "birthDate": "1980-02-03",
        "storeOfRecord": "0147",
        "emails": [{"type": "HOME", "value": f"shopper{number}@mail.example", "primary": True}],
        "phones": [{"type": "MOBILE", "value": "0117 496 0000", "primary": True}],
        "addresses": [{"type": "HOME", "line1": f"{number} Lantern Street", "city": "Bristol", "postalCode": "BS1 1AA",
                       "country": "GB", "primary": True}],
        "cards": [{"cardNumber": f"LC{number:04d}", "kind": "LOYALTY"}, {"cardNumber": "77", "kind": "STAFF"}],
        "consents": [{"channel": "email", "status": "opt_in", "capturedAt": "2026-01-01T10:00:00Z",
                      "contactPoint": f"shopper{number}@mail.example", "brand": "harbour", "evidenceRef": "doi-1"}],
        "attributes": {"preferred_category": "lamps", "vip": True},
        "createdAt": "2025-01-01T00:00:00Z",
    }  # fmt: skip


def transaction(number: int) -> dict[str, Any]:
    key_ = {"customerKey": {"system": "bigcommerce:customer", "value": "1"}} if number == OURS else {}
    return {
        "type": "sale",
        "status": "finished",
        "channel": "pos",
        "occurredAt": "2026-01-02T17:01:45Z",
        "currency": "GBP",
        "customerNumber": key("customer", 1),
        "cardNumber": "LC0001",
        "totals": {"gross": "55.00", "net": "45.83", "tax": "9.17", "discount": "0.00"},
        "lines": [
            {"seq": 1, "item": "KETTLE", "description": "Kettle", "quantity": "2", "amount": "80.00", "kind": "sale"},
            {"seq": 2, "item": "CUP", "quantity": "1", "amount": "25.00", "kind": "return"},
        ],
        "tenders": [{"type": "card", "amount": "55.00"}],
        **key_,
    }


def account(number: int) -> dict[str, Any]:
    return {
        "accountId": key("loyalty_account", number),
        "planKey": "MAIN",
        "membershipStatusKey": "A",
        "customerNumber": key("customer", number),
        "tier": "GOLD",
        "tierExpiresOn": "2026-12-31",
        "pointsBalance": 120 * number,
    }


def entry(number: int) -> dict[str, Any]:
    return {
        "kind": "earn",
        "points": 55,
        "planKey": "MAIN",
        "occurredAt": "2026-01-02T17:01:45Z",
        "expiresOn": "2028-01-31",
        "transactionRef": key("transaction", number),
    }


def note(number: int) -> dict[str, Any]:
    return {
        "customerNumber": key("customer", number),
        "associateId": "77",
        "store": "0147",
        "subject": "Preference",
        "body": "Likes lamps.",
        "important": True,
        "occurredAt": "2026-01-02T17:01:45Z",
    }


_BODIES = {
    "customer": customer,
    "transaction": transaction,
    "loyalty_account": account,
    "loyalty_entry": entry,
    "interaction": note,
}
_SPOILT: Mapping[str, dict[str, Any]] = {
    "customer": {"emails": [{"value": {"not": "text"}}]},
    "transaction": {"currency": "pounds"},
    "loyalty_account": {"membershipStatusKey": "?"},
    "loyalty_entry": {"points": "many"},
    "interaction": {"occurredAt": "yesterday"},
}
