"""A small CRM for the conformance suite, read by its change feed."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from connectors.aptos import sandbox
from connectors.aptos.source import Settings, connect
from connectors.sandbox.server import running
from models.landing import Window
from tests.connectors.aptos.crm import COUNTS, CUT, OURS, SPOILT, arm, fill, hour, identity, vanish
from tests.connectors.conformance import Delta, Scenario, Stage, Stand

FAULTS = {
    "throttled": 0.05,
    "unavailable": 0.05,
    "dropped": 0.05,
    "hung_up": 0.05,
    "token_expired": 0.05,
    "cursor_expired": 0.1,
    "page_repeated": 0.1,
    "slow": 0.02,
}


@contextmanager
def stand(stage: Stage) -> Iterator[Stand]:
    app = sandbox.app(None, stage.faults, clock=stage.time.clock, throttle_seconds=1)
    fill(app.state.shop)
    with running({"aptos": app}) as urls:
        settings = Settings(
            base_url=urls["aptos"],
            client_id=sandbox.CLIENT_ID,
            client_secret=SecretStr(sandbox.CLIENT_SECRET),
            page_size=4,
        )
        source = connect(settings, clock=stage.time.clock, sleep=stage.time.sleep)
        shop = app.state.shop
        yield Stand(source, asked=lambda: shop.asked, disturb=lambda: arm(shop), vanish=lambda: vanish(shop))


def ids(object_: str, numbers: range) -> frozenset[str]:
    out = {SPOILT, OURS} if object_ == "transaction" else {SPOILT}
    return frozenset(identity(object_, number) for number in numbers if number not in out)


def scenario() -> Scenario:
    return Scenario(
        vendor="aptos",
        stand=stand,
        cut=CUT,
        expected={object_: ids(object_, range(1, count + 1)) for object_, count in COUNTS.items()},
        refused={object_: frozenset({identity(object_, SPOILT)}) for object_ in COUNTS},
        delta=Delta(
            Window(since=hour(10), until=hour(20)),
            {object_: ids(object_, range(10, min(20, count + 1))) for object_, count in COUNTS.items()},
        ),
        faults=FAULTS,
        told_wait=("throttled", 1.0),
        secrets=(sandbox.CLIENT_SECRET, "sandbox-token"),
    )
