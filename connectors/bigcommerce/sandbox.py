"""A stand-in for a BigCommerce store: stateful, with the vendor's paging, limits, dates, errors and oddities.

It ignores parameters and dates that it does not understand, as the vendor does; shows archived orders by their id only;
moves no customer's and no order's date when one of their parts changes; tells the time of asking as the time of a
cookie consent; and shows no more than 250 transactions, whatever page is asked for. Its faults: sandbox_faults.py.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.bigcommerce.sandbox_answers import (
    LARGEST_PAGE,
    STORE_HASH,
    WINDOW_MS,
    by_cursor,
    collection,
    dated,
    error,
    link,
    listed,
    missing,
    nothing,
    number,
    page,
    quota_headers,
    too_many,
    v2,
    v3,
)
from connectors.bigcommerce.sandbox_faults import with_faults
from connectors.bigcommerce.sandbox_render import brands, shop_of
from connectors.bigcommerce.sandbox_shop import Payload, Shop
from connectors.sandbox.faults import Faults
from connectors.sandbox.population import Population

__all__ = ["STORE_HASH", "TOKEN", "app", "brands", "serving", "site"]

TOKEN = "sandbox-token"  # noqa: S105  opens nothing but the sandbox
_INCLUDES = {
    "addresses": "addresses",
    "storecredit": "store_credit_amounts",
    "attributes": "attributes",
    "formfields": "form_fields",
    "shopper_profile_id": "shopper_profile_id",
    "segment_ids": "segment_ids",
}


def app(population: Population, faults: Faults, *, spoilt: int = 0, **options: Any) -> Starlette:  # noqa: ANN401
    """The store of a generated population; `brands()` tells the brands of its channels.

    spoilt: so many of the newest orders of registered customers cannot be read. Other options as of `serving`.
    """
    shop = shop_of(population)
    of_customers = (order_id for order_id in sorted(shop.orders, reverse=True) if shop.orders[order_id]["customer_id"])
    for order_id in islice(of_customers, spoilt):
        shop.spoil_order(order_id)
    return serving(shop, faults, **options)


def site(base_url: str) -> dict[str, Any]:
    """The settings by which `source.connect` reaches this store when it is served at `base_url`."""
    return {
        "base_url": base_url,
        "store_hash": STORE_HASH,
        "access_token": TOKEN,
        "loyalty_namespace": "loyalty",
        "brands": brands(),
    }


def serving(
    shop: Shop,
    faults: Faults,
    *,
    quota: int = 1_000_000,
    clock: Callable[[], float] = time.time,
    throttled_ms: int = 50,
    shows_consignments: bool = True,
    tells_every_cursor: bool = True,
) -> Starlette:
    """The store as an ASGI app; `app.state.shop` is its memory.

    quota: requests per window of 30 s by `clock` (seconds). throttled_ms: how long the fault `throttled` lasts.
    shows_consignments: an older store leaves `include` unheard and shows links.
    tells_every_cursor: some stores tell the next cursor on the first page only.
    """
    desk = _Desk(shop, shows_consignments, tells_every_cursor)
    limits = [
        Middleware(with_faults, faults=faults, quota=quota, throttled_ms=throttled_ms),
        Middleware(_Gate, quota=quota, clock=clock),
    ]
    store = Starlette(routes=desk.routes(f"/stores/{STORE_HASH}"), middleware=limits)
    store.state.shop = shop
    store.middleware_stack = store.build_middleware_stack()  # now, so that an unknown fault is refused before serving
    return store


class _Gate:
    """The vendor's front door: token first, then the quota, whose headers stand on every answer."""

    def __init__(self, app: ASGIApp, quota: int, clock: Callable[[], float]) -> None:
        self._app = app
        self._quota = quota
        self._clock = clock
        self._window = -1
        self._used = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if dict(scope["headers"]).get(b"x-auth-token", b"").decode("latin-1") != TOKEN:
            await error(401, "Unauthorized", v2="/v2/" in scope["path"])(scope, receive, send)
            return
        left, reset = self._count()
        told = quota_headers(self._quota, max(left, 0), reset)
        if left < 0:
            await error(429, "Too many requests", headers=told)(scope, receive, send)
            return
        extra = [(name.lower().encode(), value.encode()) for name, value in told.items()]

        async def with_quota(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await self._app(scope, receive, with_quota)

    def _count(self) -> tuple[int, int]:
        """Requests left after this one (negative: refused), and milliseconds until the window ends."""
        now = int(self._clock() * 1000)
        if now // WINDOW_MS != self._window:
            self._window, self._used = now // WINDOW_MS, 0
        self._used += 1
        return self._quota - self._used, WINDOW_MS - now % WINDOW_MS


class _Desk:
    """Answers the requests."""

    def __init__(self, shop: Shop, shows_consignments: bool, tells_every_cursor: bool) -> None:
        self._shop = shop
        self._shows_consignments = shows_consignments
        self._tells_every_cursor = tells_every_cursor

    def routes(self, base: str) -> list[Route]:
        """The end points that we stand in for."""
        by_path = {
            "/v3/customers": self.customers,
            "/v3/customers/attributes": self.attributes,
            "/v3/customers/addresses": self.addresses,
            "/v3/customers/attribute-values": self.attribute_values,
            "/v3/customers/subscribers": self.subscribers,
            "/v3/customers/{customer_id:int}/consent": self.consent,
            "/v2/customer_groups": self.groups,
            "/v2/orders": self.orders,
            "/v2/orders/{order_id:int}": self.order,
            "/v2/orders/{order_id:int}/{part}": self.order_part,
            "/v3/orders/payment_actions/refunds": self.refunds,
            "/v3/orders/{order_id:int}/transactions": self.transactions,
            "/v3/orders/{order_id:int}/metafields": self.metafields,
            "/v3/orders/metafields": self.metafields_of_all,
        }
        return [Route(base + path, self._heard(answer)) for path, answer in by_path.items()]

    def _heard(self, answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            path = request.url.path.removeprefix(f"/stores/{STORE_HASH}")
            self._shop.before_answer(path)
            self._shop.asked.append(f"{path}?{request.url.query}")
            if number(request, "limit", 50) > LARGEST_PAGE:
                return too_many(v2=path.startswith("/v2"))
            return answer(request)

        return endpoint

    def customers(self, request: Request) -> Response:
        """GET /v3/customers: by page, or by cursor in the order of ids."""
        found = _modified(_by_id(self._shop.customers, request), request)
        shown = {_INCLUDES[name] for name in listed(request, "include") if name in _INCLUDES}
        hidden = set(_INCLUDES.values()) - shown
        return by_cursor(request, [_cut(one, hidden) for one in found], self._tells_every_cursor)

    def attributes(self, request: Request) -> Response:
        """GET /v3/customers/attributes: definitions."""
        return collection(
            request, [{"id": at, "name": name, "type": "string"} for at, name in self._shop.attribute_names.items()]
        )

    def addresses(self, request: Request) -> Response:
        """GET /v3/customers/addresses: the only way to more than ten of a customer. Has no filter on dates."""
        return collection(request, self._of_customers(request, "addresses"))

    def attribute_values(self, request: Request) -> Response:
        """GET /v3/customers/attribute-values: of the whole store; each has its own date."""
        return collection(request, _modified(self._of_customers(request, "attributes"), request))

    def consent(self, request: Request) -> Response:
        """GET /v3/customers/{id}/consent: to cookies. Its date is that of the asking."""
        customer_id = request.path_params["customer_id"]
        if customer_id not in self._shop.customers:
            return error(404, "Not Found")
        told = self._shop.consents.get(customer_id, {"allow": [], "deny": []})
        return v3({**told, "updated_at": datetime.now(UTC)})

    def groups(self, request: Request) -> Response:
        """GET /v2/customer_groups."""
        told = [{"id": group_id, "name": name} for group_id, name in self._shop.groups.items()]
        return v2(page(request, told))

    def subscribers(self, request: Request) -> Response:
        """GET /v3/customers/subscribers: pages only."""
        return collection(request, _modified(_by_id(self._shop.subscribers, request), request))

    def orders(self, request: Request) -> Response:
        """GET /v2/orders: a bare list, 204 when there is none; archived orders are not shown."""
        found = dated(self._shop.listed_orders(), request, "date_modified", "min_date_modified", "max_date_modified")
        least, most = number(request, "min_id", 0), number(request, "max_id", 2**63)
        found = [self._shown(order, request) for order in found if least <= order["id"] <= most]
        return v2(page(request, sorted(found, key=lambda order: order["id"])))

    def order(self, request: Request) -> Response:
        """GET /v2/orders/{id}: archived ones too."""
        order = self._shop.orders.get(request.path_params["order_id"])
        return missing() if order is None else v2(self._shown(order, request))

    def order_part(self, request: Request) -> Response:
        """GET /v2/orders/{id}/products and the like; 204 when there is none."""
        order_id, part = request.path_params["order_id"], request.path_params["part"]
        known = {"products", "shipping_addresses", "shipments", "coupons", "taxes"}
        if order_id not in self._shop.orders or part not in known:
            return missing()
        return v2(page(request, self._shop.parts(part, order_id)))

    def transactions(self, request: Request) -> Response:
        """GET /v3/orders/{id}/transactions: 204 when there is none; the same at whatever page, 250 at most."""
        found = self._parts(request, "transactions")
        if isinstance(found, Response):
            return found
        meta = {"pagination": {"total": len(found), "count": len(found[:LARGEST_PAGE])}}
        return v3({"data": found[:LARGEST_PAGE], "meta": meta}) if found else nothing()

    def metafields(self, request: Request) -> Response:
        """GET /v3/orders/{id}/metafields."""
        found = self._parts(request, "metafields")
        if isinstance(found, Response):
            return found
        namespace = request.query_params.get("namespace")
        return collection(request, [one for one in found if namespace in {None, one["namespace"]}])

    def metafields_of_all(self, request: Request) -> Response:
        """GET /v3/orders/metafields: of the whole store; each has its own date."""
        namespace = request.query_params.get("namespace")
        found = [
            one for told in self._shop.metafields.values() for one in told if namespace in {None, one["namespace"]}
        ]
        return collection(request, _modified(found, request))

    def refunds(self, request: Request) -> Response:
        """GET /v3/orders/payment_actions/refunds: of the whole store, without totals."""
        found = dated(self._shop.refunds.values(), request, "created", "created:min", "created:max")
        return v3({"data": page(request, found), "meta": {}})

    def _of_customers(self, request: Request, part: str) -> list[Payload]:
        wanted = listed(request, "customer_id:in")
        customers = self._shop.customers.values()
        return [told for one in customers if not wanted or str(one["id"]) in wanted for told in one[part]]

    def _parts(self, request: Request, part: str) -> list[Payload] | Response:
        order_id = request.path_params["order_id"]
        if order_id not in self._shop.orders:
            return error(404, "Not Found")
        return self._shop.parts(part, order_id)

    def _shown(self, order: Payload, request: Request) -> Payload:
        """The order with links to its parts, or with its parts as consignments if asked for in the right words."""
        asked = listed(request, "include")
        path = f"/orders/{order['id']}"
        shown = {
            **order,
            "products": link(f"{path}/products"),
            "shipping_addresses": link(f"{path}/shipping_addresses"),
        }
        inline = "consignments.line_items" in asked and request.query_params.get("consignment_structure") == "object"
        shown["consignments"] = (
            _consignments(order) if inline and self._shows_consignments else link(f"{path}/consignments")
        )
        shown["fees"] = [] if "fees" in asked and self._shows_consignments else link(f"{path}/fees")
        return shown


def _consignments(order: Payload) -> Payload:
    """Everything to the first address, or to be collected if there is none."""
    lines = {"line_items": order["products"]}
    shipping = [{**_consigned(address), "line_items": []} for address in order["shipping_addresses"]]
    if shipping:
        shipping[0] |= lines
    pickup = {"id": order["id"], "pickup_method_id": 1, "pickup_method_display_name": "Collect in store", **lines}
    pickups = [] if shipping else [pickup]
    return {"pickups": pickups, "shipping": shipping, "downloads": [], "email": {"gift_certificates": []}}


def _consigned(address: Payload) -> Payload:
    """The same address as a consignment: numbers where the sub-resource has text."""
    return {
        name: float(value) if name in {"base_cost", "cost_inc_tax"} else value
        for name, value in address.items()
        if name != "order_id"
    }


def _by_id(found: Mapping[int, Payload], request: Request) -> list[Payload]:
    wanted = listed(request, "id:in")
    return [one for one in found.values() if not wanted or str(one["id"]) in wanted]


def _modified(found: Iterable[Payload], request: Request) -> list[Payload]:
    return dated(found, request, "date_modified", "date_modified:min", "date_modified:max")


def _cut(customer: Payload, hidden: set[str]) -> Payload:
    """What `include` shows: no more than ten addresses and attributes."""
    shown = {name: value for name, value in customer.items() if name not in hidden}
    return {name: value[:10] if name in {"addresses", "attributes"} else value for name, value in shown.items()}
