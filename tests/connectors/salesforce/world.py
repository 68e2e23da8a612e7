"""A small org on a real socket, and a source that reads it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.salesforce import sandbox
from connectors.salesforce.ids import long_id
from connectors.salesforce.sandbox import serving
from connectors.salesforce.sandbox_org import Org
from connectors.salesforce.source import Settings, connect
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.landing import Deletion, SourceRecord, Window
from models.ports import Source
from tests.connectors.conformance import Read, read

FIXTURE = Path(__file__).parents[3] / "data" / "fixtures" / "salesforce" / "org.json"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
EVERYTHING = Window(until=NOW)
ANA = long_id("0035g0000000AnA")
NULL = long_id("0035g0000000NuL")
GONE = long_id("0035g0000000GoN")
MERGED = long_id("0035g0000000MeR")
BEA = long_id("0015g0000000BeA")
BEA_CONTACT = long_id("0035g0000000BeA")
ORG = {"spendable": "Points", "programmes": {"Rewards": "main"}, "channels": {"Telesales": "phone"}}


class Clock:
    """Time that passes only while somebody sleeps, and a millisecond with each look."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def records() -> dict[str, list[dict[str, Any]]]:
    """The fixture's records by object."""
    told: dict[str, list[dict[str, Any]]] = orjson.loads(FIXTURE.read_bytes())
    return told


def fixture_org(clock: Clock, page_sizes: Sequence[int] = (2,)) -> Org:
    """The fixture's org."""
    org = Org(clock, page_sizes)
    for object_, held in records().items():
        org.load(object_, held)
    return org


def contacts(count: int, at: datetime, start: int = 1) -> list[dict[str, Any]]:
    """Contacts that all changed at the same time."""
    stamps = {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
    numbers = range(start, start + count)
    return [{"Id": long_id(f"0035g{n:010d}"), **stamps, "LastName": f"Family{n}", **_mail(n)} for n in numbers]


def _mail(number: int) -> dict[str, str]:
    return {"FirstName": f"Given{number}", "Email": f"shopper{number}@mail.example"}


def key_pair() -> tuple[str, str]:
    """Private and public key in PEM, made for one test."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return secret.decode(), public.decode()


def source_of(url: str, clock: Clock, **settings: Any) -> Source:
    """A source that reads the org at this address."""
    told = {**sandbox.site(url), "org": ORG, **settings}
    given = {name: value for name, value in told.items() if value is not None}
    return connect(Settings.model_validate(given), clock=clock, sleep=clock.sleep)


@contextmanager
def reading(
    org: Org, clock: Clock, faults: Faults | None = None, certificate: str | None = None, **settings: Any
) -> Iterator[Source]:
    """A source that reads this org."""
    with running({"salesforce": serving(org, faults or Faults(), certificate=certificate)}) as urls:
        yield source_of(urls["salesforce"], clock, **settings)


def by_key(told: Read) -> Mapping[str, SourceRecord]:
    """The record that came last, by key without the vendor's name."""
    return {str(each.key).partition(":")[2]: each for each in told.records}


def object_read(source: Source, object_: str, window: Window = EVERYTHING) -> Read:
    """What one object brought."""
    told = Read()
    for page in source.pages(object_, window):
        told.records += page.records
        told.refused += page.refused
    return told


def missed(source: Source, object_: str, ids: Sequence[str]) -> Read:
    """What the source says about records that a full read did not bring."""
    told = Read()
    for page in source.missing(object_, ids):
        assert page.correlation_id
        told.records += page.records
        told.refused += page.refused
    return told


def deletions(told: Read) -> dict[str, Deletion]:
    """What was deleted, by id."""
    return {each.key.source_id: each.body for each in told.records if isinstance(each.body, Deletion)}


def fixture_read(**settings: Any) -> Read:
    """Everything that the fixture's org tells."""
    clock = Clock()
    with reading(fixture_org(clock), clock, **settings) as source:
        return read(source, EVERYTHING)
