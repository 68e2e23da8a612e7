"""A small commercetools project on a real socket, and a source that reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr

from connectors.commercetools import sandbox
from connectors.commercetools.sandbox import serving
from connectors.commercetools.sandbox_shop import Shop
from connectors.commercetools.source import Settings, connect
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.landing import SourceRecord, Window
from models.ports import Source

FIXTURE = Path(__file__).parents[3] / "data" / "fixtures" / "commercetools" / "project.json"
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
EVERYTHING = Window(until=UNTIL)


class Clock:
    """Time that passes only while somebody sleeps, and a millisecond with each look."""

    def __init__(self, now: datetime = datetime(2026, 10, 1, 12, tzinfo=UTC)) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def resources(path: str) -> list[dict[str, Any]]:
    """The fixture's resources of one collection."""
    found: list[dict[str, Any]] = orjson.loads(FIXTURE.read_bytes())[path]
    return found


def raw(resource: object) -> str:
    """As a connector keeps it."""
    return orjson.dumps(resource, option=orjson.OPT_SORT_KEYS).decode()


def fixture_shop(clock: Clock) -> Shop:
    """The fixture's project."""
    shop = Shop(sandbox.PROJECT_KEY, clock)
    for path, held in orjson.loads(FIXTURE.read_bytes()).items():
        shop.load(path, held)
    return shop


def crowded_shop(clock: Clock, customers: int, at_once: int = 7) -> Shop:
    """Many customers, `at_once` of them changed in the same millisecond."""
    shop = Shop(sandbox.PROJECT_KEY, clock)
    pattern = resources("customers")[3]
    for number in range(customers):
        changed = BEFORE + timedelta(milliseconds=number // at_once)
        customer = deepcopy(pattern) | {
            "id": f"{(number * 7919) % 100_003:05d}-{number}",
            "email": f"customer{number}@example.com",
            "lastModifiedAt": changed.strftime("%Y-%m-%dT%H:%M:%S.") + f"{changed.microsecond // 1000:03d}Z",
        }
        shop.load("customers", [customer])
    return shop


def settings(url: str, **changes: object) -> Settings:
    """Of the sandbox at this address."""
    told: dict[str, Any] = {
        "project_key": sandbox.PROJECT_KEY,
        "client_id": sandbox.CLIENT_ID,
        "client_secret": SecretStr(sandbox.CLIENT_SECRET),
        "auth_url": url,
        "api_url": url,
    }
    return Settings(**(told | changes))


@contextmanager
def reading(shop: Shop, clock: Clock, faults: Faults | None = None, **changes: object) -> Iterator[Source]:
    """A source that reads the shop over HTTP while the block runs."""
    with running({"commercetools": serving(shop, faults or Faults())}) as urls:
        yield connect(settings(urls["commercetools"], **changes), clock=clock, sleep=clock.sleep)


def records(source: Source, object: str, window: Window = EVERYTHING) -> list[SourceRecord]:  # noqa: A002
    """Everything that a source tells of one kind; nothing may be refused."""
    pages = list(source.pages(object, window))
    assert not [refusal for page in pages for refusal in page.refused]
    return [record for page in pages for record in page.records]
