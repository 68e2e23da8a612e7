"""A CRM stand-in on a real socket, a destination that speaks to it, and three people to tell it about."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import orjson
import pytest
from pydantic import SecretStr

from connectors.aptos import sandbox
from connectors.aptos.destination import AptosDestination, Settings, connect
from connectors.aptos.sandbox import Shop
from connectors.sandbox.faults import Faults
from connectors.sandbox.receiving import Dialect, Journal
from connectors.sandbox.server import running
from models.ports import Message, Receipt
from models.profiles import ProfileDocument

FIXTURES = Path(__file__).parents[3] / "data" / "fixtures" / "aptos"

RENAMED = Dialect(
    paths={
        "/oauth/token": "/auth/v1/token",
        "/customers": "/crm/people",
        "/customers/by-key/{system}/{value}": "/crm/people/{system}/{value}",
        "/transactions/{store}/{workstation}/{businessDate}/{sequence}": (
            "/crm/slips/{businessDate}/{store}/{workstation}/{sequence}"
        ),
        "/loyalty/accounts/{accountId}": "/crm/points/{accountId}",
    },
    names={
        "alternateKey": "xrefKey",
        "alternateKeys": "xref",
        "system": "sys",
        "value": "val",
        "status": "stateCode",
        "firstName": "givenName",
        "lastName": "surname",
        "emails": "mailAddresses",
        "consents": "permissions",
        "capturedAt": "givenAt",
        "contactPoint": "where",
        "lines": "positions",
        "customerKey": "cust",
        "accountId": "acct",
        "planKey": "aptosLoyaltyPlanKey",
        "pointsBalance": "pts",
        "mergedInto": "movedTo",
        "type": "kindCode",
        "items": "rows",
        "id": "ref",
    },
)
DEPLOYMENTS = MappingProxyType({"ours": (None, Dialect()), "renamed": (FIXTURES / "renamed.toml", RENAMED)})


class Clock:
    """Time that passes only while somebody sleeps, and a little with each look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=10)
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Crm:
    """The stand-in as a test sees it, and our side of the conversation."""

    destination: AptosDestination
    shop: Shop
    journal: Journal
    faults: Faults
    clock: Clock

    def tell(self, document: ProfileDocument) -> list[Receipt]:
        return [self.send(message) for message in self.destination.render(document)]

    def send(self, message: Message, sequence: int = 1) -> Receipt:
        text = f"{message.object} {message.target_key} {sequence} {message.payload}"
        return self.destination.send(message, hashlib.sha256(text.encode()).hexdigest(), "correlation-1")


@contextmanager
def opened(
    deployment: str, faults: Faults | None = None, secret: str = sandbox.CLIENT_SECRET, **options: float
) -> Iterator[Crm]:
    fieldmap, dialect = DEPLOYMENTS[deployment]
    clock, faults = Clock(), faults or Faults()
    app = sandbox.app(None, faults, clock=clock, dialect=dialect, **options)
    with running({"aptos": app}) as urls:
        settings = Settings(
            base_url=urls["aptos"],
            client_id=sandbox.CLIENT_ID,
            client_secret=SecretStr(secret),
            fieldmap=fieldmap,
        )
        destination = connect(settings, clock=clock, sleep=clock.sleep)
        yield Crm(destination, app.state.shop, app.state.journal, faults, clock)


@pytest.fixture(params=sorted(DEPLOYMENTS))
def deployment(request: pytest.FixtureRequest) -> str:
    """The whole suite runs against two contracts that differ in every path and many names."""
    return str(request.param)


@pytest.fixture
def crm_with(deployment: str) -> Callable[..., object]:
    """Opens a CRM with faults and options."""
    return lambda faults=None, **options: opened(deployment, faults, **options)


@pytest.fixture
def crm(deployment: str) -> Iterator[Crm]:
    with opened(deployment) as open_crm:
        yield open_crm


@pytest.fixture(scope="session")
def documents() -> dict[str, ProfileDocument]:
    told = orjson.loads((FIXTURES / "documents.json").read_bytes())
    return {name: ProfileDocument.model_validate(document) for name, document in told.items()}


@pytest.fixture
def member(documents: dict[str, ProfileDocument]) -> ProfileDocument:
    """Two shops, a till, a return, a refund, a loyalty account, three consents."""
    return documents["member"]


@pytest.fixture
def guest(documents: dict[str, ProfileDocument]) -> ProfileDocument:
    """Bought once, cancelled, no account anywhere."""
    return documents["guest"]


@pytest.fixture
def retired(documents: dict[str, ProfileDocument]) -> ProfileDocument:
    """Merged into the member."""
    return documents["retired"]
