"""Magento / Adobe Commerce as a source: customers, orders and what follows them, in full or by window."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from connectors.http import Door
from connectors.magento.api import Batch, Detail, Scope, Shop
from connectors.magento.faultwords import error_of
from connectors.magento.keyset import Lists
from connectors.magento.signing import AdminToken, SignedRequests
from connectors.magento.terms import Terms, ZoneName
from connectors.magento.translate import OBJECTS, SOURCE, deletion, translate
from connectors.sign_in import FixedHeaders, SignIn, client_credentials, token_error
from models.landing import Page, Refusal, SourceRecord, Window
from models.ports import Source

log = logging.getLogger(__name__)


Auth = Literal["oauth1", "bearer", "admin", "ims"]

_NEEDED: Mapping[Auth, Sequence[str]] = {
    "oauth1": ("access_token", "access_token_secret", "consumer_key", "consumer_secret"),
    "bearer": ("access_token",),
    "admin": ("username", "password"),
    "ims": ("client_id", "client_secret"),
}


class Settings(Terms):
    """Where the shop is, how to sign in, which part of it to read and how to read its words."""

    base_url: str = Field(
        description="address of the shop without `rest`, e.g. https://shop.example; in the cloud, with the tenant"
    )
    store_code: str = Field(
        "all", pattern=r"^[A-Za-z0-9_]+$", description="store view code in the path; limits nothing that is sold"
    )
    auth: Auth = Field(
        "oauth1",
        description="oauth1: an integration, signed; bearer: its token as it is, off by default since 2.4.4; admin: an "
        "administrator's name and password; ims: Adobe's identity service, for Commerce as a Cloud Service",
    )
    access_token: SecretStr | None = Field(
        None, description="access token of an integration that may read customers and sales; oauth1 and bearer"
    )
    access_token_secret: SecretStr | None = Field(None, description="its secret; oauth1 only")
    consumer_key: str | None = Field(None, description="consumer key of the integration; oauth1 only")
    consumer_secret: SecretStr | None = Field(None, description="consumer secret of the integration; oauth1 only")
    username: str | None = Field(None, description="name of an administrator; admin only")
    password: SecretStr | None = Field(None, description="password of the administrator; admin only")
    client_id: str | None = Field(None, description="client id of a server-to-server credential; ims only")
    client_secret: SecretStr | None = Field(None, description="its secret; ims only")
    token_url: str = Field("https://ims-na1.adobelogin.com/ims/token/v3", description="where ims tokens come from")
    scope: str = Field(
        "openid,AdobeID,email,profile,additional_info.roles,additional_info.projectedProductContext,commerce.accs",
        description="what an ims token is for",
    )
    page_size: int = Field(100, ge=1, le=300, description="records per request; shops may refuse more than 300")
    parallel: int = Field(4, ge=1, le=8, description="requests for details of customers at a time")
    per_second: float | None = Field(
        None,
        gt=0,
        description="requests a second at most; the vendor names no limit, a firewall before it may have one",
    )
    websites: tuple[int, ...] = Field((), description="ids of the websites to read; all if empty")
    store_ids: tuple[int, ...] = Field((), description="ids of the store views to read; all if empty")
    filter_zone: ZoneName | None = Field(
        None, description="zone in which the shop reads times of filters, if another than `time_zone`"
    )
    returns_change_for_days: int = Field(
        60, ge=0, description="a return is read again for so many days after it was asked for: its changes have no date"
    )
    details: tuple[Detail, ...] = Field(
        ("consent", "balance"),
        description="what to ask for each customer: `consent` where lists leave it out, `balance` of store credit "
        "where the shop is Adobe Commerce; each costs a request per customer",
    )

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        missing = sorted(name for name in _NEEDED[self.auth] if not getattr(self, name))
        if missing:
            raise ValueError(f"auth {self.auth} also needs {', '.join(missing)}")
        return self

    @property
    def rest_url(self) -> str:
        """Where the shop's REST begins. The cloud service is told its store view by a header, not in the path."""
        base = self.base_url.rstrip("/")
        return f"{base}/V1" if self.auth == "ims" else f"{base}/rest/{self.store_code}/V1"

    def secret(self, name: str) -> SecretStr:
        """A secret that `auth` needs."""
        told = getattr(self, name)
        return told if isinstance(told, SecretStr) else SecretStr(told)


def connect(settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> Source:
    """The shop as a source. Nothing is asked before the first page is. Raises ValueError for a URL without TLS."""
    opened = partial(Door, vendor=SOURCE, clock=clock, sleep=sleep)
    door = opened(
        settings.rest_url,
        sign_in=_SIGN_INS[settings.auth](settings, opened, clock),
        classify=error_of,
        per_second=settings.per_second,
        headers={"Accept": "application/json"} | ({"Store": settings.store_code} if settings.auth == "ims" else {}),
    )
    lists = Lists(
        door,
        page_size=settings.page_size,
        terms=settings,
        filter_zone=settings.filter_zone or settings.time_zone,
    )
    scope = Scope(settings.websites, settings.store_ids)
    shop = Shop(
        door,
        lists,
        parallel=settings.parallel,
        scope=scope,
        details=settings.details,
        returns_change_for=timedelta(days=settings.returns_change_for_days),
    )
    return Magento(shop, settings)


Opened = Callable[..., Door]


def _by_oauth1(settings: Settings, _: Opened, clock: Callable[[], datetime]) -> SignIn:
    return SignedRequests(
        consumer_key=settings.consumer_key or "",
        consumer_secret=settings.secret("consumer_secret"),
        access_token=settings.secret("access_token"),
        access_token_secret=settings.secret("access_token_secret"),
        clock=clock,
    )


def _by_bearer(settings: Settings, _: Opened, __: Callable[[], datetime]) -> SignIn:
    token = settings.secret("access_token").get_secret_value()
    return FixedHeaders({"Authorization": SecretStr(f"Bearer {token}")})


def _by_admin(settings: Settings, opened: Opened, _: Callable[[], datetime]) -> SignIn:
    door = opened(settings.rest_url, classify=token_error)
    return AdminToken(door, username=settings.username or "", password=settings.secret("password"))


def _by_ims(settings: Settings, opened: Opened, clock: Callable[[], datetime]) -> SignIn:
    where = urlsplit(settings.token_url)
    return client_credentials(
        opened(f"{where.scheme}://{where.netloc}", classify=token_error),
        where.path,
        client_id=settings.client_id or "",
        client_secret=settings.secret("client_secret"),
        clock=clock,
        scope=settings.scope,
        auth_method="client_secret_post",
    )


_SIGN_INS: Mapping[Auth, Callable[[Settings, Opened, Callable[[], datetime]], SignIn]] = {
    "oauth1": _by_oauth1,
    "bearer": _by_bearer,
    "admin": _by_admin,
    "ims": _by_ims,
}


class Magento:
    """Implements `models.ports.Source`."""

    name = SOURCE
    objects: Sequence[str] = OBJECTS

    def __init__(self, shop: Shop, terms: Terms) -> None:
        self._shop = shop
        self._terms = terms

    @property
    def listed(self) -> Collection[str]:
        """All of them: the vendor has no word for what is gone, so that only a full read finds it."""
        return self.objects

    @property
    def is_live(self) -> bool:
        """An API tells how things are now."""
        return True

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        """Pages of this object. Raises models.errors when the shop is down or refuses us."""
        return map(partial(self._page, object), self._shop.changed(object, window))

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """What became of these records: the shop is asked for them by id, many at a time, whatever the scope."""
        left, correlation_id = set(source_ids), ""
        for batch in self._shop.known(object, sorted(map(int, source_ids))):
            page = self._page(object, batch)
            left -= {record.key.source_id for record in page.records} | {one.source_id for one in page.refused}
            correlation_id = page.correlation_id
            yield page
        if left:
            gone = tuple(deletion(object, source_id) for source_id in source_ids if source_id in left)
            yield Page(records=gone, correlation_id=correlation_id)

    def _page(self, object: str, batch: Batch) -> Page:  # noqa: A002
        read = [self.translate(object, raw) for raw in batch.raws]
        page = Page(
            records=tuple(one for one in read if isinstance(one, SourceRecord)),
            refused=tuple(one for one in read if isinstance(one, Refusal)),
            correlation_id=batch.correlation_id,
        )
        counts = len(page.records), len(page.refused)
        log.info("magento: %s page of %d, %d refused [%s]", object, *counts, page.correlation_id)
        return page

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Nothing is kept only until it has landed."""

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        """Read a payload again; needs nothing but the payload and the settings."""
        return translate(object, raw, self._terms)
