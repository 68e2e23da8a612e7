"""BigCommerce as a source: customers, newsletter subscribers, orders and refunds, in full or by window."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field, SecretStr

from connectors.bigcommerce.api import Asked, Batch, Store, error_of, wait_from
from connectors.bigcommerce.translate import OBJECTS, SOURCE, translate, translate_parsed
from connectors.http import Door
from connectors.payload import canonical
from connectors.sign_in import FixedHeaders
from models.base import Frozen
from models.landing import Page, Refusal, SourceRecord, Window
from models.ports import Source

log = logging.getLogger(__name__)

Detail = Literal["shipments", "coupons", "taxes", "transactions"]
CustomerDetail = Literal["consent", "segments"]


class Settings(Frozen):
    """Where the store is and how hard we may ask it."""

    base_url: str = Field("https://api.bigcommerce.com", description="address of the API, without the store")
    store_hash: str = Field(description="the store's own part of the address", pattern=r"^[A-Za-z0-9]+$")
    access_token: SecretStr = Field(
        description="token of an API account with the scopes Customers and Orders, read-only"
    )
    page_size: int = Field(250, ge=1, le=250, description="objects per page")
    parallel: int = Field(4, ge=1, le=8, description="requests for parts of orders at a time")
    per_second: float | None = Field(
        None, gt=0, description="requests a second, if less than the store's quota allows; the quota is always obeyed"
    )
    keep_free: int = Field(10, ge=0, description="requests of each quota window that are left to other programs")
    details: tuple[Detail, ...] = Field(
        ("shipments", "coupons", "taxes", "transactions"),
        description="parts of orders; each costs a request for every order that has it",
    )
    customer_details: tuple[CustomerDetail, ...] = Field(
        (),
        description="more of customers. consent: the cookies they allow, without a date, for a request per customer; "
        "segments: their segments and shopper profile, which is a beta of the vendor's",
    )
    loyalty_namespace: str | None = Field(
        None,
        description="namespace of the order metafields in which a loyalty app keeps loyaltyNumber, pointsEarned and "
        "pointsRedeemed; costs a request per order; without it orders tell no points",
    )
    brands: Mapping[str, str] = Field(
        default_factory=dict, description="brand by channel id, where a store serves several brands"
    )


def connect(settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> Source:
    """The source behind these settings. Nothing is asked until pages are read."""
    door = Door(
        f"{settings.base_url.rstrip('/')}/stores/{settings.store_hash}",
        vendor=SOURCE,
        clock=clock,
        sleep=sleep,
        sign_in=FixedHeaders({"X-Auth-Token": settings.access_token}),
        classify=error_of,
        wait_from=wait_from(settings.keep_free),
        per_second=settings.per_second,
        headers={"Accept": "application/json", "Content-Type": "application/json"},
    )
    store = Store(
        door,
        page_size=settings.page_size,
        parallel=settings.parallel,
        asked=Asked(settings.details, settings.customer_details, settings.loyalty_namespace),
    )
    return BigCommerce(store, settings.brands)


class BigCommerce:
    """Implements `models.ports.Source`."""

    name = SOURCE
    objects: Sequence[str] = OBJECTS

    def __init__(self, store: Store, brands: Mapping[str, str]) -> None:
        self._brands = brands
        self._reads: Mapping[str, Callable[[Window], Iterator[Batch]]] = {
            "customer": store.customers,
            "subscriber": store.subscribers,
            "order": store.orders,
            "refund": store.refunds,
        }
        self._asks: Mapping[str, Callable[[Sequence[int]], Iterator[Batch]]] = {
            "customer": store.customers_by_id,
            "subscriber": store.subscribers_by_id,
            "order": store.orders_by_id,
        }

    @property
    def listed(self) -> Collection[str]:
        """All but refunds: the vendor has no way to delete one, so that none can vanish."""
        return tuple(self._asks)

    @property
    def is_live(self) -> bool:
        """An API tells how things are now."""
        return True

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        """Pages of this object. Raises models.errors when the store is down or refuses us."""
        return (self._page(object, batch) for batch in self._reads[object](window))

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """What became of these: gone, archived (orders only, with the time), or there but not in the list.

        Customers and subscribers are asked for a page at a time, orders one by one: the vendor has no other way.
        """
        numbers = sorted({int(told) for told in source_ids if told.isdecimal()})
        return (self._page(object, batch) for batch in self._asks[object](numbers))

    def _page(self, object_: str, batch: Batch) -> Page:
        read = [translate_parsed(object_, item, canonical(item), self._brands) for item in batch.items]
        page = Page(
            records=tuple(one for one in read if isinstance(one, SourceRecord)),
            refused=tuple(one for one in read if isinstance(one, Refusal)),
            correlation_id=batch.correlation_id,
        )
        counts = len(page.records), len(page.refused)
        log.info("bigcommerce: %s page of %d, %d refused [%s]", object_, *counts, page.correlation_id)
        return page

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Nothing is kept only until it has landed."""

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        """Read a payload again; needs nothing but the payload and the settings."""
        return translate(object, raw, self._brands)
