"""A stand-in for novomind iAGENT: contacts within tenants and the relations between them, with state in memory."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandbox.faults import Faults
from connectors.sandbox.receiving import Body, Dialect, Journal, Refusals, Reply, Tokens, refused, utc_now, with_faults

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - opens nothing but this stand-in
USERNAME = "service"
PASSWORD = "sandbox-password"  # noqa: S105 - opens nothing but this stand-in
ACCEPT = "application/vnd.novomind.iagent-v2+json"

_BASE = "/iMail/api/rest"


class Shop:
    """What the service desk holds."""

    def __init__(self) -> None:
        self.contacts: dict[str, Body] = {}
        """By the contact's own id; each has its tenant and external id."""
        self.by_external: dict[tuple[str, str], str] = {}
        """Tenant and external id -> contact."""
        self.joined: dict[str, str] = {}
        """Contact -> the contact it is joined to."""

    def put(self, tenant: str, external_id: str, body: Body) -> Reply:
        """Create or change: absent is unchanged, null is cleared, custom fields one by one."""
        if body.get("externalId", external_id) != external_id:
            return refused(422, "other_external_id", "externalId")
        id_ = self.by_external.get((tenant, external_id))
        before = None if id_ is None else self.contacts[id_]
        if before is None and not body.get("name"):
            return refused(422, "required", "name")
        id_ = id_ or f"C{len(self.contacts) + 1:06d}"
        after = _merged(before or {"id": id_, "tenant": tenant, "externalId": external_id}, body)
        self.contacts[id_] = after
        self.by_external[tenant, external_id] = id_
        told = {**self.shown(id_), "changed": after != before}
        return Reply(201 if before is None else 200, told)

    def search(self, tenant: str | None, external_id: str | None) -> Reply:
        """Contacts of one tenant by external id."""
        id_ = self.by_external.get((str(tenant), str(external_id)))
        return Reply(200, {"items": [] if id_ is None else [self.shown(id_)]})

    def join(self, source: str, target: str) -> Reply:
        """Link the target to the source; nothing of either is lost. Never across tenants."""
        if source not in self.contacts or target not in self.contacts:
            return refused(404, "no_such_contact")
        if source == target or self.contacts[source]["tenant"] != self.contacts[target]["tenant"]:
            return refused(422, "not_joinable", "target")
        changed = self.joined.get(target) != source
        self.joined[target] = source
        return Reply(201, {"source": source, "target": target, "changed": changed})

    def release(self, source: str, target: str) -> Reply:
        """Take the link away again."""
        if self.joined.get(target) != source:
            return refused(404, "no_such_relation")
        del self.joined[target]
        return Reply(200, {"source": source, "target": target, "changed": True})

    def shown(self, id_: str) -> Body:
        """The contact as the interface shows it."""
        return {**self.contacts[id_], "joinedTo": self.joined.get(id_)}


def _merged(before: Body, told: Body) -> Body:
    after = dict(before)
    for key, value in told.items():
        if value is None:
            after.pop(key, None)
        else:
            after[key] = _merged(after.get(key) or {}, value) if isinstance(value, dict) else value
    return after


class _Server:
    """HTTP around the shop."""

    def __init__(self, shop: Shop, tokens: Tokens, journal: Journal, dialect: Dialect) -> None:
        self._shop = shop
        self._tokens = tokens
        self._journal = journal
        self._dialect = dialect

    def routes(self) -> list[Route]:
        """Every address of the contract, where this deployment has it."""
        table: list[tuple[str, str, Callable[[Request], Any]]] = [
            ("POST", "/token", self._token),
            ("PUT", "/contacts/external/{tenant}/{externalId}", self._put),
            ("GET", "/contacts", self._search),
            ("POST", "/contacts/{source}/relations", self._join),
            ("DELETE", "/contacts/{source}/relations/{target}", self._release),
        ]
        return [Route(_BASE + self._dialect.path(path), endpoint, methods=[method]) for method, path, endpoint in table]

    async def _token(self, request: Request) -> Response:
        wanted = {"grant_type": "password", "username": USERNAME, "password": PASSWORD}
        return _json(await self._tokens.granted(request, wanted))

    async def _put(self, request: Request) -> Response:
        tenant, external_id = request.path_params.values()
        return await self._write(request, "contact", lambda body: self._shop.put(tenant, external_id, body))

    async def _search(self, request: Request) -> Response:
        asked = self._dialect.heard(dict(request.query_params))
        found = self._shop.search(asked.get("tenant"), asked.get("externalId"))
        return self._answer(self._stranger(request) or found)

    async def _join(self, request: Request) -> Response:
        source = next(iter(request.path_params.values()))
        return await self._write(request, "join", lambda body: self._shop.join(source, str(body.get("target"))))

    async def _release(self, request: Request) -> Response:
        source, target = request.path_params.values()
        return await self._write(request, "release", lambda _: self._shop.release(source, target))

    async def _write(self, request: Request, operation: str, apply: Callable[[Body], Reply]) -> Response:
        stranger = self._stranger(request)
        if stranger is not None:
            return self._answer(stranger)
        reply = await self._journal.write(request, operation, lambda body: apply(self._dialect.heard(body)))
        return self._answer(reply)

    def _stranger(self, request: Request) -> Reply | None:
        if not self._tokens.accepts(request):
            return refused(401, "unauthorized")
        return None if request.headers.get("accept") == ACCEPT else refused(406, "version_not_pinned")

    def _answer(self, reply: Reply) -> Response:
        return _json(Reply(reply.status, self._dialect.said(reply.body))) if reply.good else _problem(reply)


def _problem(reply: Reply, headers: Mapping[str, str] | None = None) -> Response:
    """Message and status code, as the interface documents them, and which fields are to blame."""
    code = reply.body["code"]
    errors = [{"field": error["pointer"], "code": error["code"]} for error in reply.body.get("errors", [])]
    return _json(
        Reply(reply.status, {"message": code, "status": reply.status, "code": code, "errors": errors}), headers
    )


def _json(reply: Reply, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(reply.body), reply.status, dict(headers or {}), "application/json")


def site(base_url: str) -> dict[str, Any]:
    """Settings for a destination that writes to the sandbox at this address."""
    return {
        "base_url": base_url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "username": USERNAME,
        "password": PASSWORD,
    }


def app(
    population: object,
    faults: Faults,
    *,
    clock: Callable[[], datetime] = utc_now,
    reject_rate: float = 0.0,
    seed: int = 0,
    token_seconds: float = 3600.0,
    throttle_seconds: int = 0,
    dialect: Dialect = Dialect(),  # noqa: B008 - frozen
) -> Starlette:
    """iAGENT as an ASGI app; `app.state.shop` holds its state, `app.state.journal` counts what was written.

    population: not looked at; a service desk that is written to begins empty.
    throttle_seconds: whole seconds that a throttled request is told to wait; 0 is "at once".
    reject_rate: share of the addresses, chosen by `seed`, that are refused with 422 whatever they are sent.
    """
    shop, journal = Shop(), Journal(Refusals(reject_rate, seed))
    tokens = Tokens(CLIENT_ID, CLIENT_SECRET, seconds=token_seconds, clock=clock)
    answers = {
        "throttled": _problem(refused(429, "too_many_requests"), {"Retry-After": str(throttle_seconds)}),
        "unavailable": _problem(refused(503, "unavailable")),
    }
    served = Starlette(
        routes=_Server(shop, tokens, journal, dialect).routes(),
        middleware=[Middleware(with_faults, faults=faults, tokens=tokens, answers=answers)],
    )
    served.state.shop, served.state.journal = shop, journal
    return served
