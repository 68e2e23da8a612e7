"""A stand-in for a Magento installation: stateful, with the vendor's searches, signatures, errors and oddities.

Fault names beyond the common ones: `throttled` (429), `firewall` (403) and `challenged` (200), all pages of a firewall
that says nothing more, `failing` (500), `token_expired`, and `nonce_used` (401, as when something on the way sends a
request twice).
What does not come and go but is how an installation is, is switched on by `sandbox_habits.habits_of(name, seed)`.
Whoever writes a customer wipes what is left out, as with the vendor.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.magento.sandbox_auth import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    NONCE_USED,
    TOKEN,
    TOKEN_SECRET,
    Gate,
    No,
)
from connectors.magento.sandbox_habits import Habits
from connectors.magento.sandbox_render import shop_of, store_views
from connectors.magento.sandbox_search import Unsearchable, chosen, criteria, found, number_of, page_of
from connectors.magento.sandbox_shop import Objects, Payload, Shop
from connectors.sandbox.faults import Faults, faulty
from connectors.sandbox.population import Population
from connectors.sandbox.receiving import utc_now

__all__ = ["app", "serving", "site"]

Answering = Callable[[Request], Response]


def app(population: Population, faults: Faults, *, spoilt: int = 0, habits: Habits | None = None) -> Starlette:
    """The shop of a generated population. spoilt: so many of the newest orders of customers cannot be read."""
    shop = shop_of(population)
    of_customers = (number for number in sorted(shop.orders, reverse=True) if shop.orders[number]["customer_id"])
    for number in islice(of_customers, spoilt):
        shop.spoil_order(number)
    return serving(shop, faults, habits)


def site(base_url: str) -> dict[str, Any]:
    """The settings by which `source.connect` reaches this shop when it is served at `base_url`."""
    return {
        "base_url": base_url,
        "consumer_key": CONSUMER_KEY,
        "consumer_secret": CONSUMER_SECRET,
        "access_token": TOKEN,
        "access_token_secret": TOKEN_SECRET,
        "page_size": 300,
        "store_views": store_views(),
    }


def serving(
    shop: Shop, faults: Faults, habits: Habits | None = None, clock: Callable[[], datetime] = utc_now
) -> Starlette:
    """The shop as an ASGI app; `app.state.shop` is its memory."""
    habits = habits or Habits()
    gate = Gate(habits.bearer, clock)
    desk = _Desk(shop, habits, gate)
    answers: dict[str, Response] = {
        "throttled": HTMLResponse("<h1>Too Many Requests</h1>", 429),
        "firewall": HTMLResponse("<h1>Forbidden</h1>", 403),
        "challenged": HTMLResponse("<h1>Checking your browser</h1>", 200),
        "unavailable": HTMLResponse("<h1>Service Temporarily Unavailable</h1>", 503),
        "failing": _refusal(500, No("Internal Error. Details are available in Magento log file.")),
        "nonce_used": _refusal(401, NONCE_USED),
    }
    answers["token_expired"] = _Expired(gate)
    doors = [Middleware(faulty, faults=faults, answers=answers), Middleware(_Guarded, gate=gate)]
    store = Starlette(routes=desk.routes(), middleware=doors)
    store.state.shop = shop
    store.middleware_stack = store.build_middleware_stack()  # now, so that an unknown fault is refused before serving
    return store


class _Expired(Response):
    """The fault `token_expired`: tokens end before their time, and the request finds that out by itself."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End them, and pass the request on."""
        self._gate.end_tokens()
        await _Guarded(scope["app"].router, self._gate)(scope, receive, send)


_TOKENS = ("/integration/admin/token", "/ims/token/v3")
"""Where nobody needs a token, because tokens are handed out there."""


class _Guarded:
    """The shop behind its gate."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        heads = {name: value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        url = f"{scope['scheme']}://{heads.get(b'host', '')}{scope['path']}?{query}"
        if scope["path"].endswith(_TOKENS):
            await self._app(scope, receive, send)
            return
        no = self._gate.refuses(scope["method"], url, heads.get(b"authorization", ""))
        await (self._app if no is None else _refusal(401, no))(scope, receive, send)


class _Desk:
    """Answers the requests."""

    def __init__(self, shop: Shop, habits: Habits, gate: Gate) -> None:
        self._shop = shop
        self._gate = gate
        self._habits = habits
        self._turn = 0

    def routes(self) -> list[Route]:
        """Under every store view's code and under none."""
        shop = self._shop
        answers: Mapping[str, Answering] = {
            "customers/search": lambda request: self._search(
                request, [self._listed(one) for one in _of(shop.customers)]
            ),
            "customers/{id:int}": lambda request: self._one(request, shop.customers, "customerId"),
            "customers/{id:int}/balance/{website:int}": self._balance,
            "orders": lambda request: self._search(request, _of(shop.orders)),
            "orders/{id:int}": lambda request: self._one(request, shop.orders, "entityId"),
            "invoices": lambda request: self._search(request, _of(shop.invoices)),
            "shipments": lambda request: self._search(request, _of(shop.shipments)),
            "creditmemos": lambda request: self._search(request, _of(shop.creditmemos)),
            "transactions": lambda request: self._search(request, _of(shop.transactions)),
            "returns": self._returns,
            "store/storeViews": self._store_views,
        }
        bases = ("/rest/V1", "/rest/{code}/V1", "/{tenant}/V1")
        reads = [Route(f"{base}/{path}", self._noted(answer)) for base in bases for path, answer in answers.items()]
        admin = [Route(f"{base}/integration/admin/token", self._admin_token, methods=["POST"]) for base in bases]
        writes = [Route(f"{base}/customers/{{id:int}}", self._replace, methods=["PUT"]) for base in bases]
        return [*admin, Route("/ims/token/v3", self._ims_token, methods=["POST"]), *writes, *reads]

    async def _admin_token(self, request: Request) -> Response:
        token = self._gate.admin_token(await request.json())
        if token is None:
            return _refusal(401, No("The account sign-in was incorrect or your account is disabled temporarily."))
        return Response(orjson.dumps(token), media_type="application/json")

    async def _replace(self, request: Request) -> Response:
        """PUT of a customer, which wipes what is left out."""
        number, told = request.path_params["id"], (await request.json()).get("customer") or {}
        if number not in self._shop.customers:
            return _missing("customerId", number)
        lacking = [name for name in ("email", "firstname", "lastname") if not told.get(name)]
        if lacking:
            return _refusal(400, No('"%fieldName" is required. Enter and try again.', {"fieldName": lacking[0]}))
        self._shop.replace_customer(number, self._gate.clock(), told)
        return self._json(self._shop.customers[number])

    async def _ims_token(self, request: Request) -> Response:
        """By the identity service, which is another server and speaks in other words."""
        token = self._gate.ims_token(dict(parse_qsl((await request.body()).decode())))
        told = {"error": "invalid_client"} if token is None else {"access_token": token, "expires_in": 86_399}
        return Response(orjson.dumps(told), 400 if token is None else 200, media_type="application/json")

    def _noted(self, answer: Answering) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            path = request.url.path
            self._shop.before_answer(path.rpartition("/V1")[2])
            self._shop.asked.append(f"{path}?{request.url.query}")
            return answer(request)

        return endpoint

    def _listed(self, customer: Payload) -> Payload:
        """A customer as lists show them."""
        return customer if self._habits.lists_consent else {**customer, "extension_attributes": {}}

    def _search(self, request: Request, rows: list[Payload]) -> Response:
        habits, asked = self._habits, request.query_params
        wanted = criteria(request.url.query)
        if (wanted.page_size or 0) > habits.largest_page:
            message = "Maximum SearchCriteria pageSize is %max"
            return _refusal(400, No(message, {"max": habits.largest_page}))
        if habits.deepest_row is not None and wanted.page * (wanted.page_size or 0) > habits.deepest_row:
            return HTMLResponse("<h1>Backend fetch failed</h1>", 503)
        try:
            all_found = found(rows, wanted, filters_in=habits.filters_in, either=habits.reads_or)
        except Unsearchable as no:
            return _refusal(400, No("Column %1 cannot be searched", [str(no)]))
        if not wanted.order:
            all_found = self._shuffled(all_found)
        page = page_of(all_found, wanted)
        if any(habits.breaks(number_of(row)) for row in page):
            return self._unloadable()
        if habits.slow_page is not None and len(page) > habits.slow_page:
            return HTMLResponse("<h1>Gateway Timeout</h1>", 504)
        told = {"items": list(page), "search_criteria": wanted.told(), "total_count": len(all_found)}
        return self._json(chosen(told, asked["fields"]) if "fields" in asked else told)

    def _shuffled(self, rows: list[Payload]) -> list[Payload]:
        """Another order each time, as of a database that was not told one."""
        if not rows:
            return rows
        self._turn = (self._turn + 3) % len(rows)
        return rows[self._turn :] + rows[: self._turn]

    def _one(self, request: Request, objects: Objects, field: str) -> Response:
        number = request.path_params["id"]
        if number not in objects:
            return _missing(field, number)
        return self._unloadable() if self._habits.breaks(number) else self._json(objects[number])

    def _unloadable(self) -> Response:
        """What a row that cannot be loaded does to every answer that it is a part of."""
        said = {404: "The entity that was requested doesn't exist. Verify the entity and try again."}
        report = "Internal Error. Details are available in Magento log file. Report ID: webapi-65a1c0de"
        return _refusal(self._habits.broken_with, No(said.get(self._habits.broken_with, report)))

    def _balance(self, request: Request) -> Response:
        number, website = request.path_params["id"], request.path_params["website"]
        if not self._habits.commerce:
            return _refusal(404, No("Request does not match any route."))
        if number not in self._shop.customers:
            return _missing("customerId", number)
        told = {"customer_id": number, "website_id": website, "base_currency_code": "EUR"}
        return self._json({**told, "amount": self._shop.balances.get((number, website), 0.0)})

    def _returns(self, request: Request) -> Response:
        if not self._habits.commerce:
            return _refusal(404, No("Request does not match any route."))
        return self._search(request, _of(self._shop.returns))

    def _store_views(self, _: Request) -> Response:
        return self._json(
            [
                {
                    "id": view,
                    "code": f"view_{view}",
                    "name": f"View {view}",
                    "website_id": website,
                    "store_group_id": website,
                    "is_active": 1,
                }
                for view, website in self._shop.store_views.items()
            ]
        )

    def _json(self, told: object) -> Response:
        zone = ZoneInfo(self._habits.tells_in)

        def written(value: object) -> str | float:
            if isinstance(value, datetime):
                return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
            if isinstance(value, Decimal):
                return float(value)
            raise TypeError(f"{type(value).__name__} has no place in an answer")

        content = orjson.dumps(_without_nothing(told), default=written, option=orjson.OPT_PASSTHROUGH_DATETIME)
        return Response(content, media_type="application/json")


def _of(objects: Objects) -> list[Payload]:
    return list(objects.values())


def _without_nothing(told: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The vendor leaves out what is null, and writes an empty table as an empty list."""
    if isinstance(told, dict):
        kept = {name: _without_nothing(value) for name, value in told.items() if value is not None}
        return {name: value for name, value in kept.items() if value != {}}
    return [_without_nothing(one) for one in told] if isinstance(told, list) else told


def _missing(field: str, number: int) -> Response:
    return _refusal(404, No("No such entity with %fieldName = %fieldValue", {"fieldName": field, "fieldValue": number}))


def _refusal(status: int, no: No) -> Response:
    told = {"message": no.message} | ({"parameters": no.parameters} if no.parameters is not None else {})
    return Response(orjson.dumps(told), status, media_type="application/json")
