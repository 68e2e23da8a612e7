"""A server that speaks like commercetools: one project with customers, orders, payments and carts, kept in memory.

Faults beyond those of every sandbox: `throttled` (429 with Retry-After), `gateway` (502 from something that speaks no
JSON), `query_timed_out` (a 400 that is worth another try) and `token_expired` (the token ends before its time). What
happens in the project before a request is answered: `overtaken` (somebody else writes first, so that the version is
stale), `payment_bumped` (a payment has a new version and nothing new in it), `order_claimed` (a guest's order gains its
customer), `payload_left_out` (an order is too large for its message), `messages_lost` (one is gone, which leaves a gap)
and `messages_off`.
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.commercetools.sandbox_predicate import Malformed
from connectors.commercetools.sandbox_query import expanded, page
from connectors.commercetools.sandbox_render import fill, spoil_orders
from connectors.commercetools.sandbox_shop import RESOURCES, TOKEN_SECONDS, Resource, Shop, Stale
from connectors.commercetools.sandbox_write import Unfit, check_email_is_free, edit
from connectors.sandbox.faults import Faults, faulty
from connectors.sandbox.population import Population

PROJECT_KEY = "sandbox"
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  a fixed word for a server on loopback
_TOKEN_PATH = "/oauth/token"  # noqa: S105  a path
_TIMED_OUT = ("QueryTimedOut", "The query timed out.")
_GRANTS = {
    "customers": "customers",
    "customer-groups": "customers",
    "orders": "orders",
    "payments": "payments",
    "carts": "orders",
    "stores": "stores",
    "types": "types",
    "messages": "messages",
    "settings": "project_settings",
}
"""What the view_ and manage_ scopes of each collection, and of the project itself, are called."""


class Refused(Exception):
    """An answer in the vendor's error shape."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.status, self.code, self.more = status, code, more


def app(
    population: Population,
    faults: Faults,
    *,
    clock: Callable[[], datetime] | None = None,
    spoilt: int = 0,
    seed: int = 0,
) -> Starlette:
    """The project of a generated population.

    clock: the time of changes, the machine's if none is given. spoilt: so many of the newest orders of customers hold
    points that are no number. seed: of the disorder in which unsorted resources come.
    """
    shop = Shop(PROJECT_KEY, clock or _system_clock)
    fill(shop, population)
    spoil_orders(shop, spoilt)
    return serving(shop, faults, seed=seed)


def site(base_url: str) -> dict[str, Any]:
    """Settings for a source that reads the sandbox at this address."""
    return {
        "api_url": base_url,
        "auth_url": base_url,
        "project_key": PROJECT_KEY,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }


def serving(shop: Shop, faults: Faults, *, seed: int = 0) -> Starlette:
    """The server of a shop that is filled already; `app.state.shop` is that shop."""
    server = _Server(shop, Random(seed))  # noqa: S311  a repeatable disorder is wanted
    routes = [
        Route(_TOKEN_PATH, server.token, methods=["POST"]),
        Route("/{project}", server.settings, methods=["GET"]),
        Route("/{project}/{path}", server.many, methods=["GET"]),
        Route("/{project}/customers", server.sign_up, methods=["POST"]),
        Route("/{project}/{path}/{identity}", server.one, methods=["GET"]),
        Route("/{project}/{path}/{identity}", server.update, methods=["POST"]),
        Route("/{project}/{path}/{identity}", server.delete, methods=["DELETE"]),
    ]
    project = Starlette(routes=routes, exception_handlers=_EXPLAINED, middleware=[Middleware(_Faults, faults, shop)])
    project.state.shop = shop
    project.middleware_stack = (
        project.build_middleware_stack()
    )  # now, so that an unknown fault is refused before serving
    return project


def _system_clock() -> datetime:
    return datetime.now(UTC)


class _Server:
    def __init__(self, shop: Shop, shuffle: Random) -> None:
        self._shop = shop
        self._shuffle = shuffle

    async def token(self, request: Request) -> Response:
        """A token for an API client that names itself by HTTP Basic."""
        if not _knows_secret(request.headers.get("Authorization", "")):
            said = "Please provide valid client credentials using HTTP Basic Authentication."
            raise Refused(401, "invalid_client", said, error="invalid_client", error_description=said)
        form = dict([*parse_qsl((await request.body()).decode()), *request.query_params.multi_items()])
        if form.get("grant_type") != "client_credentials":
            said = "Please provide a supported grant_type."
            raise Refused(400, "unsupported_grant_type", said, error="unsupported_grant_type", error_description=said)
        scope = form.get("scope") or f"manage_project:{self._shop.project_key}"
        if any(each.partition(":")[2] != self._shop.project_key for each in scope.split()):
            said = "The scope is malformed, or of another project."
            raise Refused(400, "invalid_scope", said, error="invalid_scope", error_description=said)
        token = self._shop.issue_token(frozenset(each.partition(":")[0] for each in scope.split()))
        granted = {"access_token": token, "expires_in": TOKEN_SECONDS, "scope": scope, "token_type": "Bearer"}
        return JSONResponse(granted)

    async def settings(self, request: Request) -> Response:
        """The project's own settings."""
        self._admit(request, "view", "settings")
        return _json(200, self._shop.settings())

    async def many(self, request: Request) -> Response:
        """A page of a collection."""
        path = self._admit(request, "view")
        self._shop.before_answer(path)
        self._shop.asked.append(f"{path}?{request.url.query}")
        told = page(self._shop, path, request.query_params.multi_items(), self._shuffle)
        if self._shop.times_out_above is not None and told["limit"] > self._shop.times_out_above:
            raise Refused(400, *_TIMED_OUT)
        return _json(200, told)

    async def one(self, request: Request) -> Response:
        """One resource by id or key."""
        path = self._admit(request, "view")
        found = self._find(path, request.path_params["identity"])
        return _json(200, expanded(self._shop, found, request.query_params.multi_items()))

    async def sign_up(self, request: Request) -> Response:
        """A new customer."""
        self._admit(request, "manage", "customers")
        draft = await _body(request)
        if not isinstance(draft.get("email"), str):
            raise Refused(400, "InvalidJsonInput", "Request body does not contain valid JSON. email: Missing value")
        check_email_is_free(self._shop, draft["email"], draft.get("stores", []), None)
        identity = f"customer-{len(self._shop.all('customers')) + 1}"
        customer = {"id": identity, **_NEW_CUSTOMER, **{k: v for k, v in draft.items() if k != "password"}}
        return _json(201, {"customer": self._shop.create("customers", customer)})

    async def update(self, request: Request) -> Response:
        """Update actions on the version that the writer knows."""
        path = self._admit(request, "manage")
        body = await _body(request)
        found = self._find(path, request.path_params["identity"])
        changes = edit(self._shop, path, body.get("actions"))
        return _json(200, self._shop.change(path, found["id"], _version(body.get("version")), changes))

    async def delete(self, request: Request) -> Response:
        """Remove a resource; `dataErasure` changes nothing that could be seen here."""
        path = self._admit(request, "manage")
        found = self._find(path, request.path_params["identity"])
        return _json(200, self._shop.remove(path, found["id"], _version(request.query_params.get("version"))))

    def _admit(self, request: Request, right: str, path: str | None = None) -> str:
        """The collection that the request is about. Raises Refused for a bad token, scope, project or path."""
        scopes = self._shop.scopes_of(_bearer(request.headers.get("Authorization", "")))
        if scopes is None:
            raise Refused(401, "invalid_token", "invalid_token", error="invalid_token")
        path = path or request.path_params["path"]
        if request.path_params["project"] != self._shop.project_key or path not in _GRANTS:
            raise Refused(404, "ResourceNotFound", f"URI not found: {request.url.path}")
        granted = {f"{right}_{_GRANTS[path]}", f"manage_{_GRANTS[path]}", "manage_project"}
        if not scopes & granted:
            said = "Insufficient scope."
            raise Refused(403, "insufficient_scope", said, error="insufficient_scope", error_description=said)
        return path

    def _find(self, path: str, identity: str) -> Resource:
        found = self._shop.find(path, identity)
        if found is None:
            raise Refused(404, "ResourceNotFound", f"The Resource with ID '{identity}' was not found.")
        return found


_NEW_CUSTOMER: Mapping[str, Any] = {
    "addresses": [],
    "shippingAddressIds": [],
    "billingAddressIds": [],
    "isEmailVerified": False,
    "stores": [],
    "authenticationMode": "Password",
    "customerGroupAssignments": [],
}


class _Faults:
    """The faults of this vendor, in its words, in front of the server."""

    def __init__(self, app: ASGIApp, faults: Faults, shop: Shop) -> None:
        busy = {"statusCode": 429, "message": "Too many requests", "errors": []}
        down = _error(503, "ServiceUnavailable", "Service unavailable")
        late = _error(400, *_TIMED_OUT)
        self._door = faulty(
            app,
            faults,
            {
                "throttled": _json(429, busy, {"Retry-After": "1"}),
                "unavailable": _json(503, down),
                "gateway": Response("<html>502 Bad Gateway</html>", 502, media_type="text/html"),
                "query_timed_out": _Reads(app, _json(400, late)),
                "token_expired": _TokenExpired(app, shop),
                "overtaken": _Meanwhile(app, {"POST", "DELETE"}, lambda path: _overtake(shop, path)),
                "payment_bumped": _Meanwhile(app, {"GET"}, lambda path: _bump_a_payment(shop)),
                "order_claimed": _Meanwhile(app, {"GET"}, lambda path: _claim_an_order(shop)),
                "payload_left_out": _Meanwhile(app, {"GET"}, lambda path: shop.leave_payload_out()),
                "messages_lost": _Meanwhile(app, {"GET"}, lambda path: shop.lose_message()),
                "messages_off": _Meanwhile(app, {"GET"}, lambda path: _switch_off(shop)),
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door(scope, receive, send)


class _Meanwhile(Response):
    """Something happens in the project before a request of these methods is answered as ever."""

    def __init__(self, app: ASGIApp, methods: Collection[str], happens: Callable[[str], None]) -> None:
        super().__init__()
        self._app, self._methods, self._happens = app, methods, happens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in self._methods:
            self._happens(scope["path"])
        await self._app(scope, receive, send)


def _overtake(shop: Shop, path: str) -> None:
    """Somebody else writes to what this request is about."""
    collection, _, identity = path.removeprefix(f"/{shop.project_key}/").partition("/")
    if collection in RESOURCES and shop.find(collection, identity) is not None:
        shop.bump(collection, identity)


def _bump_a_payment(shop: Shop) -> None:
    """The one that has been left alone for longest."""
    if payments := shop.all("payments"):
        shop.bump("payments", min(payments, key=lambda each: (each["lastModifiedAt"], each["id"]))["id"])


def _claim_an_order(shop: Shop) -> None:
    """The oldest order of a guest; its customer signed up later."""
    guests = [each for each in shop.all("orders") if "customerId" not in each]
    if guests and (customers := shop.all("customers")):
        order = min(guests, key=lambda each: (each["createdAt"], each["id"]))
        shop.touch("orders", order["id"], customerId=min(each["id"] for each in customers))


def _switch_off(shop: Shop) -> None:
    shop.messages_on = False


class _Reads(Response):
    """A fault of queries only; other requests pass."""

    def __init__(self, app: ASGIApp, answer: Response) -> None:
        super().__init__()
        self._app, self._answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taker = self._answer if scope["method"] == "GET" else self._app
        await taker(scope, receive, send)


class _TokenExpired(Response):
    """Ends the token of the request and answers 401. A token that was never used passes: it cannot be old."""

    def __init__(self, app: ASGIApp, shop: Shop) -> None:
        super().__init__()
        self._app, self._shop = app, shop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._shop.revoke_used(_bearer(Request(scope).headers.get("Authorization", "")))
        await self._app(scope, receive, send)


def _knows_secret(authorization: str) -> bool:
    scheme, _, told = authorization.partition(" ")
    try:
        return scheme == "Basic" and b64decode(told).decode() == f"{CLIENT_ID}:{CLIENT_SECRET}"
    except ValueError:
        return False


def _bearer(authorization: str) -> str:
    return authorization.removeprefix("Bearer ")


def _version(told: object) -> int:
    try:
        return int(str(told))
    except ValueError as error:
        raise Refused(400, "InvalidJsonInput", "version: Missing required value") from error


async def _body(request: Request) -> dict[str, Any]:
    try:
        told = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Refused(400, "InvalidJsonInput", "Request body does not contain valid JSON.") from error
    if not isinstance(told, dict):
        raise Refused(400, "InvalidJsonInput", "Request body does not contain a JSON object.")
    return told


def _json(status: int, told: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(told), status, headers, media_type="application/json")


def _error(status: int, code: str, message: str, **more: object) -> dict[str, Any]:
    """`currentVersion` belongs to the error itself, the words of OAuth to the whole."""
    detail = {"code": code, "message": message} | {k: v for k, v in more.items() if k == "currentVersion"}
    outer = {k: v for k, v in more.items() if k != "currentVersion"}
    return {"statusCode": status, "message": message, "errors": [detail], **outer}


async def _refused(_request: Request, error: Exception) -> Response:
    told = error if isinstance(error, Refused) else Refused(500, "General", "")
    return _json(told.status, _error(told.status, told.code, str(told), **told.more))


async def _malformed(_request: Request, error: Exception) -> Response:
    said = str(error)
    message = said if said.startswith("Malformed parameter") else f"Malformed parameter: where: {said}"
    return _json(400, _error(400, "InvalidInput", message))


async def _unfit(_request: Request, error: Exception) -> Response:
    code = error.code if isinstance(error, Unfit) else "InvalidOperation"
    return _json(400, _error(400, code, str(error)))


async def _stale(_request: Request, error: Exception) -> Response:
    current = error.current if isinstance(error, Stale) else 0
    message = "Version mismatch. Concurrent modification."
    return _json(409, _error(409, "ConcurrentModification", message, currentVersion=current))


_EXPLAINED = {Refused: _refused, Malformed: _malformed, Unfit: _unfit, Stale: _stale}
