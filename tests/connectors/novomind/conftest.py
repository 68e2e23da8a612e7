"""A service desk's stand-in on a real socket, a destination that speaks to it, and three people to tell it about."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from connectors.novomind import sandbox
from connectors.novomind.destination import NovomindDestination, Settings, connect
from connectors.novomind.sandbox import Shop
from connectors.sandbox.faults import Faults
from connectors.sandbox.receiving import Dialect, Journal
from connectors.sandbox.server import running
from models.ports import Message, Receipt
from models.profiles import ProfileDocument

FIXTURES = Path(__file__).parents[3] / "data" / "fixtures" / "novomind"

RENAMED = Dialect(
    paths={
        "/contacts": "/v3/people",
        "/contacts/external/{tenant}/{externalId}": "/v3/people/by/{tenant}/{externalId}",
        "/contacts/{source}/relations": "/v3/people/{source}/links",
        "/contacts/{source}/relations/{target}": "/v3/people/{source}/links/{target}",
    },
    names={
        "externalId": "extId",
        "name": "displayName",
        "identifiers": "options",
        "custom": "fields",
        "orders": "purchases",
        "number": "no",
        "status": "stateCode",
        "items": "rows",
        "id": "ref",
        "target": "other",
        "joinedTo": "linkedWith",
    },
)
DEPLOYMENTS = MappingProxyType({"ours": (None, Dialect()), "renamed": (FIXTURES / "renamed.toml", RENAMED)})


class Clock:
    """Time that passes only while somebody sleeps, and a little with each look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
        self.slept = 0.0

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=10)
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += timedelta(seconds=seconds)


@dataclass
class Desk:
    """The stand-in as a test sees it, and our side of the conversation."""

    destination: NovomindDestination
    shop: Shop
    journal: Journal
    faults: Faults
    clock: Clock

    def tell(self, document: ProfileDocument, sequence: int = 1) -> list[Receipt]:
        return [self.send(message, sequence) for message in self.destination.render(document)]

    def send(self, message: Message, sequence: int = 1) -> Receipt:
        text = f"{message.object} {message.target_key} {sequence} {message.payload}"
        return self.destination.send(message, hashlib.sha256(text.encode()).hexdigest(), "correlation-1")

    def contacts_of(self, profile: str) -> dict[str, dict[str, Any]]:
        """Tenant -> contact of this profile."""
        return {
            tenant: self.shop.shown(id_)
            for (tenant, external_id), id_ in self.shop.by_external.items()
            if external_id == profile
        }


@contextmanager
def opened(
    deployment: str, faults: Faults | None = None, secret: str = sandbox.CLIENT_SECRET, **options: float
) -> Iterator[Desk]:
    fieldmap, dialect = DEPLOYMENTS[deployment]
    clock, faults = Clock(), faults or Faults()
    app = sandbox.app(None, faults, clock=clock, dialect=dialect, **options)
    with running({"novomind": app}) as urls:
        settings = Settings(
            base_url=urls["novomind"],
            client_id=sandbox.CLIENT_ID,
            client_secret=SecretStr(secret),
            username=sandbox.USERNAME,
            password=SecretStr(sandbox.PASSWORD),
            fieldmap=fieldmap,
        )
        destination = connect(settings, clock=clock, sleep=clock.sleep)
        yield Desk(destination, app.state.shop, app.state.journal, faults, clock)


@pytest.fixture(params=sorted(DEPLOYMENTS))
def deployment(request: pytest.FixtureRequest) -> str:
    """The whole suite runs against two contracts that differ in every path and many names."""
    return str(request.param)


@pytest.fixture
def desk_with(deployment: str) -> Callable[..., object]:
    """Opens a desk with faults and options."""
    return lambda faults=None, **options: opened(deployment, faults, **options)


@pytest.fixture
def desk(deployment: str) -> Iterator[Desk]:
    with opened(deployment) as open_desk:
        yield open_desk


@pytest.fixture(scope="session")
def documents() -> dict[str, ProfileDocument]:
    told = orjson.loads((FIXTURES / "documents.json").read_bytes())
    return {name: ProfileDocument.model_validate(document) for name, document in told.items()}


@pytest.fixture
def member(documents: dict[str, ProfileDocument]) -> ProfileDocument:
    """Customer of brand_a with a refusal at brand_b; two orders."""
    return documents["member"]


@pytest.fixture
def guest(documents: dict[str, ProfileDocument]) -> ProfileDocument:
    """Bought once, at brand_b."""
    return documents["guest"]
