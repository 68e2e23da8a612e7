"""A small commercetools project for the conformance suite: pages of everything, one payload of each kind spoilt."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.commercetools import sandbox
from connectors.commercetools.api import stamp
from connectors.commercetools.sandbox import serving
from connectors.commercetools.sandbox_shop import Shop
from connectors.commercetools.source import connect
from connectors.sandbox.server import running
from models.landing import Window
from tests.connectors.commercetools.project import resources, settings
from tests.connectors.conformance import Delta, Scenario, Stage, Stand

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CUT = datetime(2026, 3, 1, tzinfo=UTC)
COUNTS = {
    "customer": 23,
    "order": 31,
    "payment": 17,
    "cart": 24,
    "store": 19,
    "customer_group": 21,
    "message": 26,
}
PATHS = {
    "customer": "customers",
    "order": "orders",
    "payment": "payments",
    "cart": "carts",
    "store": "stores",
    "customer_group": "customer-groups",
    "message": "messages",
}
SPOILT = 8
SINCE, UNTIL = BEGIN + timedelta(hours=10), BEGIN + timedelta(hours=20)


def hour(number: int) -> datetime:
    """When resource n of each kind changed; 12 to 14 in the same millisecond."""
    return BEGIN + timedelta(hours=12 if number in {12, 13, 14} else number)


def identity(kind: str, number: int) -> str:
    return f"{kind}-{number * 37 % 100:02d}-{number}"


def world() -> Shop:
    """Resource n of each kind changed n hours after BEGIN; ids are in another order."""
    shop = Shop(sandbox.PROJECT_KEY, lambda: CUT + timedelta(hours=1))
    shop.keeps_messages_for = 1000
    for kind, path in PATHS.items():
        for number in range(1, COUNTS[kind] + 1):
            shop.load(path, [_resource(kind, number)])
    return shop


def _resource(kind: str, number: int) -> dict[str, Any]:
    patterns = _MESSAGES if kind == "message" else resources(PATHS[kind])
    pattern = deepcopy(patterns[number % min(3, len(patterns))])
    made = pattern | {"id": identity(kind, number), "lastModifiedAt": stamp(hour(number))}
    if kind == "message":
        made |= {"createdAt": made["lastModifiedAt"]}
        made["resource"] = made["resource"] | {"id": identity(made["resource"]["typeId"], number)}
    if kind == "store":
        made |= {"key": f"store-{number}"}
    if kind == "customer":
        made |= {"email": f"shopper{number}@mail.example", "firstName": f"Given{number}", "lastName": f"Family{number}"}
    if number == SPOILT:
        made |= {"createdAt": "the day before yesterday"}
    return made


_MESSAGES: list[dict[str, Any]] = [
    {
        "version": 1,
        "sequenceNumber": 1,
        "resource": {"typeId": "customer"},
        "resourceVersion": 1,
        "type": "CustomerCreated",
        "customer": resources("customers")[0],
    },
    {
        "version": 1,
        "sequenceNumber": 4,
        "resource": {"typeId": "customer"},
        "resourceVersion": 6,
        "type": "CustomerEmailVerified",
    },
    {
        "version": 1,
        "sequenceNumber": 1,
        "resource": {"typeId": "order"},
        "resourceVersion": 1,
        "type": "OrderCreated",
        "order": resources("orders")[1],
    },
]


def vanish(shop: Shop) -> dict[str, frozenset[str]]:
    """Delete one record of each object whose full read is compared; object -> ids of what is gone."""
    gone = {kind: identity(kind, 5) for kind in ("customer", "order", "payment", "store", "customer_group")}
    for kind, lost in gone.items():
        found = shop.find(PATHS[kind], lost)
        assert found is not None
        shop.remove(PATHS[kind], lost, found["version"])
    return {kind: frozenset({lost}) for kind, lost in gone.items()}


def arm(shop: Shop) -> None:
    """Between pages resources of earlier and later pages change, and one is added."""
    seen: dict[str, int] = {}

    def before(path: str) -> None:
        seen[path] = seen.get(path, 0) + 1
        if seen[path] == 3:
            _change(shop, path)

    shop.before_answer = before


def _change(shop: Shop, path: str) -> None:
    kind = next(kind for kind, held in PATHS.items() if held == path)
    for number in (1, 2, 3, COUNTS[kind]) if kind != "message" else ():  # what was said stays as it was said
        shop.touch(path, identity(kind, number), key=f"changed-{number}")
    late = _resource(kind, 50) | {"lastModifiedAt": stamp(CUT + timedelta(hours=2))}
    shop.load(path, [late])


@contextmanager
def stand(stage: Stage) -> Iterator[Stand]:
    app = serving(world(), stage.faults)
    with running({"commercetools": app}) as urls:
        url = urls["commercetools"]
        source = connect(settings(url, page_size=5), clock=stage.time.clock, sleep=stage.time.sleep)
        shop = app.state.shop
        yield Stand(source, asked=lambda: shop.asked, disturb=lambda: arm(shop), vanish=lambda: vanish(shop))


def ids(kind: str, numbers: range) -> frozenset[str]:
    return frozenset(identity(kind, number) for number in numbers if number != SPOILT)


def scenario() -> Scenario:
    return Scenario(
        vendor="commercetools",
        stand=stand,
        cut=CUT,
        expected={kind: ids(kind, range(1, count + 1)) for kind, count in COUNTS.items()},
        refused={kind: frozenset({identity(kind, SPOILT)}) for kind in COUNTS},
        delta=Delta(
            Window(since=SINCE, until=UNTIL),
            {kind: ids(kind, range(10, min(20, count + 1))) for kind, count in COUNTS.items()},
        ),
        faults={
            "throttled": 0.05,
            "unavailable": 0.05,
            "gateway": 0.05,
            "query_timed_out": 0.05,
            "token_expired": 0.05,
            "dropped": 0.05,
            "hung_up": 0.05,
            "slow": 0.02,
        },
        told_wait=("throttled", 1.0),
        secrets=(sandbox.CLIENT_SECRET, "sandbox-token"),
    )
