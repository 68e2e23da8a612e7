"""Salesforce as a source: people, memberships, postings, orders and activities of one org."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Self

from pydantic import Field, SecretStr, model_validator

from connectors.http import Door
from connectors.payload import Payload, canonical
from connectors.salesforce.api import LARGEST_PAGE, Api, Pace, Stretch
from connectors.salesforce.catalogue import OBJECTS, catalogue
from connectors.salesforce.org import Org
from connectors.salesforce.reading import Reader, parts, vanished
from connectors.salesforce.session import Session, by_client_credentials, by_jwt
from connectors.salesforce.translate import SOURCE, about_each_person, translate
from connectors.sign_in import token_error
from models.base import Frozen
from models.landing import Page, Refusal, SourceRecord, Window
from models.ports import Source

log = logging.getLogger(__name__)


class Settings(Frozen):
    """Which org, and how we sign in: by client secret, or by private key and user name."""

    login_url: str
    """Where tokens are asked: the org's My Domain, `https://shop.my.salesforce.com`; a JWT may use the login host."""
    client_id: str
    """Consumer key of the connected app."""
    client_secret: SecretStr | None = None
    """Its secret, for the client credentials flow; from the environment."""
    username: str | None = None
    """The user that a JWT speaks for."""
    private_key: SecretStr | None = None
    """RSA key in PEM whose certificate the connected app holds, for the JWT bearer flow; from the environment."""
    audience: str = "https://login.salesforce.com"
    """Audience of the JWT; `https://test.salesforce.com` for a test org."""
    version: str = Field(default="62.0", pattern=r"^\d{2,3}\.0$")
    """Version of the API. Loyalty merges need 56.0."""
    page_size: int = Field(default=LARGEST_PAGE, ge=200, le=LARGEST_PAGE)
    """Records per REST answer at most, as the vendor allows; the org may send fewer."""
    bulk_above: int = Field(default=20_000, ge=0)
    """A window with more records of an object than this is read by a Bulk 2.0 job."""
    bulk_page: int = Field(default=50_000, ge=1)
    """Records per page of Bulk results."""
    job_patience: float = Field(default=7200.0, gt=0)
    """Seconds that a Bulk job may take."""
    longest_note: int = Field(default=100_000, ge=0)
    """Bytes of a note that are fetched; of a longer one the preview must do. Each long note costs one request."""
    reserve: float = Field(default=0.1, ge=0, lt=1)
    """Share of the org's daily requests that is left to others: we stop before."""
    org: Org = Org()
    """How this org uses its fields, currencies and programmes."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        by_secret, by_key = self.client_secret is not None, self.private_key is not None and self.username is not None
        if by_secret == by_key:
            raise ValueError("give either client_secret, or username and private_key")
        return self


def connect(settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> Source:
    """The org as a source. Nothing is asked before the first page is. Raises ValueError for a URL without TLS."""
    api = Api(
        _session(settings, clock, sleep),
        version=settings.version,
        reserve=settings.reserve,
        pace=Pace(settings.page_size, settings.bulk_page, settings.job_patience),
        clock=clock,
        sleep=sleep,
    )
    return Salesforce(Reader(api, settings.bulk_above, settings.longest_note), settings.org)


def _session(settings: Settings, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> Session:
    tokens = Door(settings.login_url, vendor=SOURCE, clock=clock, sleep=sleep, classify=token_error)
    if settings.client_secret is not None:
        return by_client_credentials(tokens, settings.client_id, settings.client_secret)
    return by_jwt(
        tokens,
        client_id=settings.client_id,
        username=settings.username or "",
        audience=settings.audience,
        private_key=settings.private_key or SecretStr(""),
        clock=clock,
    )


class Salesforce:
    """Implements `models.ports.Source`."""

    def __init__(self, reader: Reader, org: Org) -> None:
        self._reader = reader
        self._org = org
        self._wanted = catalogue(org.fields)

    @property
    def name(self) -> str:
        """First part of every record key."""
        return SOURCE

    @property
    def objects(self) -> Sequence[str]:
        """People, then what they hold, bought, and what was noted about them."""
        return OBJECTS

    @property
    def listed(self) -> Collection[str]:
        """Every object: a full read brings all that the user may see."""
        return OBJECTS

    @property
    def is_live(self) -> bool:
        """An API tells how things are now."""
        return True

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        """Everything that changed in the window, deletions and merges too. What the org lacks has no pages."""
        plan = self._reader.plan(self._wanted[object])
        if plan is None:
            missing = self._wanted[object].object
            log.warning("salesforce: no %s: this org has no %s (licence), or hides it from this user", object, missing)
            return
        for stretch in self._reader.changed(plan, window):
            page = self._page(object, stretch)
            counts = len(page.records), len(page.refused)
            log.info("salesforce: %s page of %d, %d refused [%s]", object, *counts, page.correlation_id)
            yield page

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """What the org still has of these comes whole; the others are gone, purged records too that no query tells.

        A contact that became a person account, or a task that is about nobody now, is gone as such. Nothing is said of
        an object that the org hides from us as a whole.
        """
        plan = self._reader.plan(self._wanted[object])
        if plan is None:
            return
        for part in parts(source_ids):
            pages = [_among(part, self._page(object, stretch)) for stretch in self._reader.known(plan, part)]
            told = {each.source_id for page in pages for each in page.refused}
            told.update(each.key.source_id for page in pages for each in page.records)
            gone = [vanished(plan.object, each) for each in part if each not in told]
            yield from pages
            yield self._page(object, Stretch(gone, pages[0].correlation_id))

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Nothing is kept only until it has landed."""

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        """Read a record again from its raw payload."""
        return translate(object, raw, self._org)

    def _page(self, object_: str, stretch: Stretch) -> Page:
        read = [self.translate(object_, canonical(each)) for each in _told(object_, stretch.rows)]
        return Page(
            records=tuple(each for each in read if isinstance(each, SourceRecord)),
            refused=tuple(each for each in read if isinstance(each, Refusal)),
            correlation_id=stretch.correlation_id,
        )


def _among(ids: Collection[str], page: Page) -> Page:
    """What the page tells about these ids."""
    return Page(
        records=tuple(each for each in page.records if each.key.source_id in ids),
        refused=tuple(each for each in page.refused if each.source_id in ids),
        correlation_id=page.correlation_id,
    )


def _told(object_: str, rows: Sequence[Payload]) -> Iterator[Payload]:
    """Notes are told once for each person that they are about; one that is about nobody is none of ours."""
    for row in rows:
        if object_ != "note" or (row.get("IsDeleted") and not row.get("ContentDocumentLinks")):
            yield row
        else:
            yield from about_each_person(row)
