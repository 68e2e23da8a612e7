"""commercetools as a source: the customers, orders, payments, carts, stores, groups and messages of one project."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Literal, get_args

from pydantic import Field, SecretStr

from connectors.commercetools import messages
from connectors.commercetools.api import LARGEST_BY_ID, LARGEST_PAGE, Api, Stretch, open_door
from connectors.commercetools.reading import ShopFields
from connectors.commercetools.tombstone import tombstone
from connectors.commercetools.translate import OBJECTS, SOURCE, translate
from connectors.payload import canonical
from models.base import Frozen
from models.landing import Page, Refusal, SourceRecord, Window
from models.ports import Source

log = logging.getLogger(__name__)

Kind = Literal["customer", "order", "payment", "cart", "store", "customer_group", "message"]
_RESOURCES = {
    "customer": "customers",
    "order": "orders",
    "payment": "payments",
    "cart": "carts",
    "store": "stores",
    "customer_group": "customer-groups",
}
_LISTED = ("customer", "order", "payment", "store", "customer_group")
_SCOPES = {
    "customer": ("view_customers",),
    "order": ("view_orders",),
    "payment": ("view_payments",),
    "cart": ("view_orders",),
    "store": ("view_stores",),
    "customer_group": ("view_customers",),
    "message": ("view_messages", "view_project_settings"),
}


class Settings(Frozen):
    """Which project, and the API client by which we read it."""

    project_key: str = Field(pattern=r"^[A-Za-z0-9_-]{2,256}$")
    """Key of the project."""
    objects: tuple[Kind, ...] = Field(default=get_args(Kind), min_length=1)
    """What to read. Leave out what the API client may not view, and `message` where the project keeps no messages."""
    client_id: str
    """Id of an API client that may view what is read."""
    client_secret: SecretStr
    """Its secret; from the environment."""
    auth_url: str
    """Token server, e.g. `https://auth.europe-west1.gcp.commercetools.com`."""
    api_url: str
    """API host, e.g. `https://api.europe-west1.gcp.commercetools.com`."""
    scopes: tuple[str, ...] = ()
    """Scopes to ask for; by default those that viewing the objects takes, e.g. `view_customers`. Messages take
    `view_messages` and `view_project_settings`: the settings say for how long messages are kept."""
    page_size: int = Field(default=LARGEST_PAGE, ge=1, le=LARGEST_PAGE)
    """Resources per request."""
    per_second: float | None = Field(default=None, gt=0)
    """Requests per second at most. The vendor publishes no rate; None leaves the pace to its answers."""
    shop: ShopFields = ShopFields()
    """Which custom fields hold loyalty, consent, brand and channel."""

    def scope(self) -> str:
        """The scopes as the token server wants them, separated by blanks."""
        needed = dict.fromkeys(scope for name in self.objects for scope in _SCOPES[name])
        wanted = self.scopes or tuple(needed)
        return " ".join(name if ":" in name else f"{name}:{self.project_key}" for name in wanted)


def connect(settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> Source:
    """The project as a source. Nothing is asked before the first page is. Raises ValueError for a URL without TLS."""
    door = open_door(
        api_url=settings.api_url,
        auth_url=settings.auth_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scope=settings.scope(),
        per_second=settings.per_second,
        clock=clock,
        sleep=sleep,
    )
    api = Api(door, settings.project_key, settings.page_size)
    return Commercetools(api, settings.shop, tuple(name for name in OBJECTS if name in settings.objects))


class Commercetools:
    """Implements `models.ports.Source`."""

    def __init__(self, api: Api, shop: ShopFields, objects: Sequence[str]) -> None:
        self._api = api
        self._shop = shop
        self._objects = objects

    @property
    def name(self) -> str:
        """First part of every record key."""
        return SOURCE

    @property
    def objects(self) -> Sequence[str]:
        """Customers, then their orders, then the payments that orders refer to; messages, which end some, last."""
        return self._objects

    @property
    def listed(self) -> Collection[str]:
        """All but carts and messages, which the vendor forgets in time: what happened has happened all the same."""
        return tuple(name for name in _LISTED if name in self._objects)

    @property
    def is_live(self) -> bool:
        """An API tells how things are now."""
        return True

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        """Everything that changed in the window. Payments come by themselves: a refund does not touch the order.

        Raises Forgotten where the messages of the window are not complete.
        """
        if object == "message":
            yield from self._messages(window)
            return
        for stretch in self._api.changed(_RESOURCES[object], window):
            yield self._page(object, stretch)

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """Asks for each by its id: a full read misses what changes while it goes on, besides what is gone."""
        for begin in range(0, len(source_ids), LARGEST_BY_ID):
            sought = source_ids[begin : begin + LARGEST_BY_ID]
            page = self._page(object, self._api.named(_RESOURCES[object], sought))
            there = {record.key.source_id for record in page.records} | {each.source_id for each in page.refused}
            gone = (self.translate(object, tombstone(each)) for each in sought if each not in there)
            ended = tuple(each for each in gone if isinstance(each, SourceRecord))
            yield page.model_copy(update={"records": (*page.records, *ended)})

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Nothing is kept only until it has landed."""

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        """Read a resource again from its raw payload."""
        return translate(object, raw, self._shop)

    def _messages(self, window: Window) -> Iterator[Page]:
        """Messages; after those that came without their resource, which was too large, the resource itself."""
        for stretch in messages.told(self._api, window):
            yield self._page("message", stretch)
            left_out = messages.without_payload(stretch.resources)
            for kind in (kind for kind in left_out if kind in self._objects):
                for begin in range(0, len(left_out[kind]), LARGEST_BY_ID):
                    asked = left_out[kind][begin : begin + LARGEST_BY_ID]
                    yield self._page(kind, self._api.named(_RESOURCES[kind], asked))

    def _page(self, object: str, stretch: Stretch) -> Page:  # noqa: A002
        # Sorted keys: the vendor may tell the same in another order.
        read = [self.translate(object, canonical(resource)) for resource in stretch.resources]
        page = Page(
            records=tuple(each for each in read if isinstance(each, SourceRecord)),
            refused=tuple(each for each in read if isinstance(each, Refusal)),
            correlation_id=stretch.correlation_id,
        )
        counts = len(page.records), len(page.refused)
        log.info("commercetools: %s page of %d, %d refused [%s]", object, *counts, page.correlation_id)
        return page
