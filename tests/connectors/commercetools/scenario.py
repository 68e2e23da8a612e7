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
COUNTS = {"customer": 23, "order": 31, "payment": 17}
PATHS = {"customer": "customers", "order": "orders", "payment": "payments"}
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
    for kind, path in PATHS.items():
        for number in range(1, COUNTS[kind] + 1):
            shop.load(path, [_resource(kind, number)])
    return shop


def _resource(kind: str, number: int) -> dict[str, Any]:
    pattern = deepcopy(resources(PATHS[kind])[number % 3])
    made = pattern | {"id": identity(kind, number), "lastModifiedAt": stamp(hour(number))}
    if kind == "customer":
        made |= {"email": f"shopper{number}@mail.example", "firstName": f"Given{number}", "lastName": f"Family{number}"}
    if number == SPOILT:
        made |= {"createdAt": "the day before yesterday"}
    return made


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
    for number in (1, 2, 3, COUNTS[kind]):
        shop.touch(path, identity(kind, number), key=f"changed-{number}")
    late = _resource(kind, 50) | {"lastModifiedAt": stamp(CUT + timedelta(hours=2))}
    shop.load(path, [late])


@contextmanager
def stand(stage: Stage) -> Iterator[Stand]:
    app = serving(world(), stage.faults)
    with running({"commercetools": app}) as urls:
        url = urls["commercetools"]
        source = connect(settings(url, page_size=5), clock=stage.time.clock, sleep=stage.time.sleep)
        yield Stand(source, asked=lambda: app.state.shop.asked, disturb=lambda: arm(app.state.shop))


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
