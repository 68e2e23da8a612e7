"""commercetools as a source: customers, orders and payments of one project."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from pydantic import Field, SecretStr

from connectors.commercetools.api import LARGEST_PAGE, Api, open_api
from connectors.commercetools.reading import ShopFields
from connectors.commercetools.translate import OBJECTS, SOURCE, translate
from connectors.payload import canonical
from models.base import Frozen
from models.landing import Page, Refusal, SourceRecord, Window
from models.ports import Source

log = logging.getLogger(__name__)

_RESOURCES = dict(zip(OBJECTS, ("customers", "orders", "payments"), strict=True))


class Settings(Frozen):
    """Which project, and the API client by which we read it."""

    project_key: str = Field(pattern=r"^[A-Za-z0-9_-]{2,256}$")
    """Key of the project."""
    client_id: str
    """Id of an API client that may view customers, orders and payments."""
    client_secret: SecretStr
    """Its secret; from the environment."""
    auth_url: str
    """Token server, e.g. `https://auth.europe-west1.gcp.commercetools.com`."""
    api_url: str
    """API host, e.g. `https://api.europe-west1.gcp.commercetools.com`."""
    scopes: tuple[str, ...] = ()
    """Scopes to ask for; by default `view_customers`, `view_orders` and `view_payments` of the project."""
    page_size: int = Field(default=LARGEST_PAGE, ge=1, le=LARGEST_PAGE)
    """Resources per request."""
    per_second: float | None = Field(default=None, gt=0)
    """Requests per second at most. The vendor publishes no rate; None leaves the pace to its answers."""
    shop: ShopFields = ShopFields()
    """Which custom fields hold loyalty, consent, brand and channel."""

    def scope(self) -> str:
        """The scopes as the token server wants them, separated by blanks."""
        wanted = self.scopes or ("view_customers", "view_orders", "view_payments")
        return " ".join(name if ":" in name else f"{name}:{self.project_key}" for name in wanted)


def connect(settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> Source:
    """The project as a source. Nothing is asked before the first page is. Raises ValueError for a URL without TLS."""
    api = open_api(
        api_url=settings.api_url,
        auth_url=settings.auth_url,
        project_key=settings.project_key,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scope=settings.scope(),
        page_size=settings.page_size,
        per_second=settings.per_second,
        clock=clock,
        sleep=sleep,
    )
    return Commercetools(api, settings.shop)


class Commercetools:
    """Implements `models.ports.Source`."""

    def __init__(self, api: Api, shop: ShopFields) -> None:
        self._api = api
        self._shop = shop

    @property
    def name(self) -> str:
        """First part of every record key."""
        return SOURCE

    @property
    def objects(self) -> Sequence[str]:
        """Customers, then their orders, then the payments that orders refer to."""
        return OBJECTS

    @property
    def listed(self) -> Collection[str]:
        """No object: what a full read does not bring may still be there."""
        return ()

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        """Everything that changed in the window. Payments come by themselves: a refund does not touch the order."""
        for stretch in self._api.changed(_RESOURCES[object], window):
            # Sorted keys: the vendor may tell the same in another order.
            read = [self.translate(object, canonical(resource)) for resource in stretch.resources]
            page = Page(
                records=tuple(each for each in read if isinstance(each, SourceRecord)),
                refused=tuple(each for each in read if isinstance(each, Refusal)),
                correlation_id=stretch.correlation_id,
            )
            counts = len(page.records), len(page.refused)
            log.info("commercetools: %s page of %d, %d refused [%s]", object, *counts, page.correlation_id)
            yield page

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        """Nothing: no object is listed."""
        return iter(())

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Nothing is kept only until it has landed."""

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        """Read a resource again from its raw payload."""
        return translate(object, raw, self._shop)
