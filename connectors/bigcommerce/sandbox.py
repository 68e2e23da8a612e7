"""A stand-in for a BigCommerce store: stateful, with the vendor's paging, limits, dates, errors and oddities.

It ignores parameters and dates that it does not understand, as the vendor does. Fault names beyond the common ones:
`throttled` (429 with the quota headers) and `overloaded` (429 without them).
"""

import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from itertools import islice
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.bigcommerce.payloads import moment
from connectors.bigcommerce.sandbox_render import brands, shop_of
from connectors.bigcommerce.sandbox_shop import Payload, Shop
from connectors.sandbox.faults import Faults, faulty
from connectors.sandbox.population import Population

__all__ = ["STORE_HASH", "TOKEN", "app", "brands", "serving", "site"]

STORE_HASH = "sandbox"
TOKEN = "sandbox-token"  # noqa: S105  opens nothing but the sandbox
WINDOW_MS = 30_000
LARGEST_PAGE = 250
_INCLUDES = {
    "addresses": "addresses",
    "storecredit": "store_credit_amounts",
    "attributes": "attributes",
    "formfields": "form_fields",
}


def app(population: Population, faults: Faults, *, spoilt: int = 0, **options: Any) -> Starlette:  # noqa: ANN401
    """The store of a generated population; `brands()` tells the brands of its channels.

    spoilt: so many of the newest orders of registered customers cannot be read. Other options as of `serving`.
    """
    shop = shop_of(population)
    of_customers = (number for number in sorted(shop.orders, reverse=True) if shop.orders[number]["customer_id"])
    for number in islice(of_customers, spoilt):
        shop.spoil_order(number)
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
    answers = {
        "throttled": _error(429, "Too many requests", headers=_quota_headers(quota, 0, throttled_ms)),
        "overloaded": _error(429, "The platform is busy"),
        "unavailable": _error(503, "Service Unavailable"),
    }
    limits = [Middleware(faulty, faults=faults, answers=answers), Middleware(_Gate, quota=quota, clock=clock)]
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
            await _error(401, "Unauthorized", v2="/v2/" in scope["path"])(scope, receive, send)
            return
        left, reset = self._count()
        quota_headers = _quota_headers(self._quota, max(left, 0), reset)
        if left < 0:
            await _error(429, "Too many requests", headers=quota_headers)(scope, receive, send)
            return
        extra = [(name.lower().encode(), value.encode()) for name, value in quota_headers.items()]

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
            "/v2/orders": self.orders,
            "/v2/orders/{order_id:int}": self.order,
            "/v2/orders/{order_id:int}/{part}": self.order_part,
            "/v3/orders/payment_actions/refunds": self.refunds,
            "/v3/orders/{order_id:int}/transactions": self.transactions,
            "/v3/orders/{order_id:int}/metafields": self.metafields,
        }
        return [Route(base + path, self._heard(answer)) for path, answer in by_path.items()]

    def _heard(self, answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            path = request.url.path.removeprefix(f"/stores/{STORE_HASH}")
            self._shop.before_answer(path)
            self._shop.asked.append(f"{path}?{request.url.query}")
            too_many = _number(request, "limit", 50) > LARGEST_PAGE
            return _too_many(v2=path.startswith("/v2")) if too_many else answer(request)

        return endpoint

    def customers(self, request: Request) -> Response:
        """GET /v3/customers: by page, or by cursor in the order of ids."""
        found = _dated(
            self._shop.customers.values(), request, "date_modified", "date_modified:min", "date_modified:max"
        )
        wanted = _listed(request, "id:in")
        found = [one for one in found if not wanted or str(one["id"]) in wanted]
        shown = {_INCLUDES[name] for name in _listed(request, "include") if name in _INCLUDES}
        hidden = set(_INCLUDES.values()) - shown
        return _by_cursor(request, [_cut(one, hidden) for one in found], self._tells_every_cursor)

    def attributes(self, request: Request) -> Response:
        """GET /v3/customers/attributes: definitions."""
        return _collection(
            request, [{"id": at, "name": name, "type": "string"} for at, name in self._shop.attribute_names.items()]
        )

    def addresses(self, request: Request) -> Response:
        """GET /v3/customers/addresses: the only way to more than ten of a customer. Has no filter on dates."""
        return _collection(request, self._of_customers(request, "addresses"))

    def attribute_values(self, request: Request) -> Response:
        """GET /v3/customers/attribute-values."""
        return _collection(request, self._of_customers(request, "attributes"))

    def subscribers(self, request: Request) -> Response:
        """GET /v3/customers/subscribers: pages only."""
        entries = self._shop.subscribers.values()
        return _collection(request, _dated(entries, request, "date_modified", "date_modified:min", "date_modified:max"))

    def orders(self, request: Request) -> Response:
        """GET /v2/orders: a bare list, 204 when there is none; archived orders are not shown."""
        found = _dated(self._shop.listed_orders(), request, "date_modified", "min_date_modified", "max_date_modified")
        least, most = _number(request, "min_id", 0), _number(request, "max_id", 2**63)
        found = [self._shown(order, request) for order in found if least <= order["id"] <= most]
        return _v2(_page(request, sorted(found, key=lambda order: order["id"])))

    def order(self, request: Request) -> Response:
        """GET /v2/orders/{id}: archived ones too."""
        order = self._shop.orders.get(request.path_params["order_id"])
        return _missing() if order is None else _v2(self._shown(order, request))

    def order_part(self, request: Request) -> Response:
        """GET /v2/orders/{id}/products and the like; 204 when there is none."""
        order_id, part = request.path_params["order_id"], request.path_params["part"]
        known = {"products", "shipping_addresses", "shipments", "coupons", "taxes"}
        if order_id not in self._shop.orders or part not in known:
            return _missing()
        return _v2(_page(request, self._shop.parts(part, order_id)))

    def transactions(self, request: Request) -> Response:
        """GET /v3/orders/{id}/transactions: 204 when there is none."""
        found = self._parts(request, "transactions")
        return found if isinstance(found, Response) else _collection(request, found) if found else _nothing()

    def metafields(self, request: Request) -> Response:
        """GET /v3/orders/{id}/metafields."""
        found = self._parts(request, "metafields")
        if isinstance(found, Response):
            return found
        namespace = request.query_params.get("namespace")
        return _collection(request, [one for one in found if namespace in {None, one["namespace"]}])

    def refunds(self, request: Request) -> Response:
        """GET /v3/orders/payment_actions/refunds: of the whole store, without totals."""
        found = _dated(self._shop.refunds.values(), request, "created", "created:min", "created:max")
        return _v3({"data": _page(request, found), "meta": {}})

    def _of_customers(self, request: Request, part: str) -> list[Payload]:
        wanted = _listed(request, "customer_id:in")
        customers = self._shop.customers.values()
        return [told for one in customers if not wanted or str(one["id"]) in wanted for told in one[part]]

    def _parts(self, request: Request, part: str) -> list[Payload] | Response:
        order_id = request.path_params["order_id"]
        if order_id not in self._shop.orders:
            return _error(404, "Not Found")
        return self._shop.parts(part, order_id)

    def _shown(self, order: Payload, request: Request) -> Payload:
        """The order with links to its parts, or with its parts as consignments if asked for in the right words."""
        asked = _listed(request, "include")
        link = f"/orders/{order['id']}"
        shown = {
            **order,
            "products": _link(f"{link}/products"),
            "shipping_addresses": _link(f"{link}/shipping_addresses"),
        }
        inline = "consignments.line_items" in asked and request.query_params.get("consignment_structure") == "object"
        shown["consignments"] = (
            _consignments(order) if inline and self._shows_consignments else _link(f"{link}/consignments")
        )
        shown["fees"] = [] if "fees" in asked and self._shows_consignments else _link(f"{link}/fees")
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


def _cut(customer: Payload, hidden: set[str]) -> Payload:
    """What `include` shows: no more than ten addresses and attributes."""
    shown = {name: value for name, value in customer.items() if name not in hidden}
    return {
        name: value[:10] if isinstance(value, list) and name in _INCLUDES.values() else value
        for name, value in shown.items()
    }


def _dated(found: Iterable[Payload], request: Request, field: str, least: str, most: str) -> list[Payload]:
    """Filtered by the two parameters, inclusive; one that is absent or unreadable filters nothing."""
    since, until = _asked_date(request, least), _asked_date(request, most)
    return [one for one in found if (since is None or one[field] >= since) and (until is None or one[field] <= until)]


def _asked_date(request: Request, name: str) -> datetime | None:
    try:
        return moment(request.query_params.get(name))
    except ValueError:
        return None


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdigit() else default


def _listed(request: Request, name: str) -> set[str]:
    return {part for part in request.query_params.get(name, "").split(",") if part}


def _page(request: Request, found: list[Payload]) -> list[Payload]:
    limit = _number(request, "limit", 50)
    start = (max(_number(request, "page", 1), 1) - 1) * limit
    return found[start : start + limit]


def _collection(request: Request, found: list[Payload]) -> Response:
    found = sorted(found, key=lambda one: one["id"])
    return _v3({"data": _page(request, found), "meta": {"pagination": _pagination(request, len(found))}})


def _by_cursor(request: Request, found: list[Payload], always: bool) -> Response:
    """The cursor is told on the first page and, by most stores, on those that were asked for by one."""
    found = sorted(found, key=lambda one: one["id"])
    after = request.query_params.get("after")
    rest = [one for one in found if one["id"] > int(b64decode(after)[3:])] if after else found
    shown = rest[: _number(request, "limit", 50)] if after else _page(request, found)
    meta: Payload = {"pagination": _pagination(request, len(found))}
    if (after is None and _number(request, "page", 1) == 1) or (after is not None and always):
        meta["cursor_pagination"] = {"count": len(shown), "per_page": _number(request, "limit", 50)}
        if shown:
            meta["cursor_pagination"] |= {"start_cursor": _cursor(shown[0]), "end_cursor": _cursor(shown[-1])}
    return _v3({"data": shown, "meta": meta})


def _cursor(one: Payload) -> str:
    return b64encode(f"id:{one['id']}".encode()).decode()


def _pagination(request: Request, total: int) -> Payload:
    limit = _number(request, "limit", 50)
    return {
        "total": total,
        "count": len(range(total)[:limit]),
        "per_page": limit,
        "current_page": _number(request, "page", 1),
        "total_pages": -(-total // limit),
        "links": {},
    }


def _link(resource: str) -> Payload:
    return {"url": f"https://api.bigcommerce.com/stores/{STORE_HASH}/v2{resource}", "resource": resource}


def _rfc_2822(value: object) -> str:
    if isinstance(value, datetime):
        return format_datetime(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def _v2(told: Payload | list[Payload]) -> Response:
    if not told:
        return _nothing()
    return _json(orjson.dumps(told, default=_rfc_2822, option=orjson.OPT_PASSTHROUGH_DATETIME))


def _v3(told: Payload) -> Response:
    return _json(orjson.dumps(told, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS))


def _json(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(content, status_code=status, media_type="application/json", headers=headers)


def _nothing() -> Response:
    return Response(status_code=204)


def _missing() -> Response:
    return _error(404, "The requested resource was not found.", v2=True)


def _too_many(*, v2: bool) -> Response:
    return _error(413, "The page size is too large.", v2=v2, details={"max_limit": LARGEST_PAGE})


def _error(
    status: int,
    title: str,
    *,
    v2: bool = False,
    details: Payload | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """v2 answers errors as a list, v3 as an object."""
    if v2:
        told: object = [{"status": status, "message": title, **({"details": details} if details else {})}]
    else:
        told = {"status": status, "title": title, "type": "https://developer.bigcommerce.com/api-docs", "errors": {}}
    return _json(orjson.dumps(told), status, headers)


def _quota_headers(quota: int, left: int, reset_ms: int) -> dict[str, str]:
    return {
        "X-Rate-Limit-Time-Window-Ms": str(WINDOW_MS),
        "X-Rate-Limit-Time-Reset-Ms": str(reset_ms),
        "X-Rate-Limit-Requests-Quota": str(quota),
        "X-Rate-Limit-Requests-Left": str(left),
    }
