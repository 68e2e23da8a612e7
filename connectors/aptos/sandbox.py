"""A stand-in for the Aptos CRM: the contract's semantics, with state in memory."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.aptos import sandbox_feed, sandbox_render
from connectors.sandbox.faults import Faults
from connectors.sandbox.population import Population
from connectors.sandbox.receiving import Body, Dialect, Journal, Refusals, Reply, Tokens, refused, utc_now

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - opens nothing but this stand-in

_CONSENT_STATUSES = {"opt_in", "opt_out", "pending", "unknown"}
_INTERACTIONS = {"note", "task", "appointment", "outreach"}
_LONGEST_NAME = 50


class Shop:
    """What the CRM holds."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.customers: dict[str, Body] = {}
        """By customer number."""
        self.by_key: dict[tuple[str, str], str] = {}
        """Alternate key -> customer number. A key belongs to whoever claimed it last."""
        self.transactions: dict[str, Body] = {}
        self.accounts: dict[str, Body] = {}
        self.entries: dict[tuple[str, str], Body] = {}
        self.interactions: dict[tuple[str, str], Body] = {}
        self.changes: list[tuple[str, Body]] = []
        """Object and its state at each change, oldest first."""
        self.forgotten = 0
        """Cursors to places of `changes` before this one have expired."""
        self.asked: list[str] = []
        """Path and query of each page of changes that was answered."""
        self.before_answer: Callable[[str], None] = lambda object_: None
        """Called with the object before a page of its changes is put together; a test may change things here."""
        self._versions: dict[tuple[str, str], int] = {}
        self._keys_of: dict[str, set[tuple[str, str]]] = {}
        self._clock = clock

    def load(self, object_: str, key: str, body: Body, at: datetime) -> None:
        """Put something in as it is, changed at this moment; later than what was loaded before, or the feed lies."""
        if object_ == "customers":
            self._claim(key, _keys(body))
        held: Any = self._held(object_)
        held[tuple(key.split("/")) if object_ in ("loyalty_entries", "interactions") else key] = body
        self._versions[object_, key] = self._versions.get((object_, key), 0) + 1
        self.changes.append((object_, {**sandbox_feed.told(object_, key, body), "modifiedAt": at.isoformat()}))

    def vanish(self, object_: str, key: str) -> None:
        """Take something out without a trace: neither the feed nor anybody who asks for it finds it any more."""
        self._held(object_).pop(key)
        self._relabel(object_, key, "vanished")
        if object_ == "customers":
            self._claim(key, set())

    def hide(self, object_: str, key: str) -> None:
        """Let the feed forget something that is still there for whoever asks for it."""
        self._relabel(object_, key, f"hidden {object_}")

    def asked_for(self, object_: str, key: str, held: Body) -> Body:
        """Something as it is now, with what the feed tells beside it: when it changed, hidden or not."""
        kinds = {object_, f"hidden {object_}"}
        told = next((body for kind, body in reversed(self.changes) if kind in kinds and body["id"] == key), {})
        return {**told, **held}

    def _relabel(self, object_: str, key: str, label: str) -> None:
        """Change the object of its changes, so that the places of the others stay what cursors say."""
        self.changes = [(label if kind == object_ and body["id"] == key else kind, body) for kind, body in self.changes]

    def number_of(self, system: str, value: str) -> str | None:
        """The customer whom this key means, after following merges."""
        number = self.by_key.get((system, value))
        seen = set()
        while number is not None and number not in seen and self.customers[number].get("status") == "merged":
            seen.add(number)
            number = self.by_key.get(("golden", str(self.customers[number].get("mergedInto"))), number)
        return number

    def put_customer(self, system: str, value: str, body: Body) -> Reply:
        """Create or change: absent is unchanged, null is cleared."""
        wrong = _wrong_in_customer(body)
        if wrong:
            return refused(422, "invalid_value", *wrong)
        number = self.by_key.get((system, value)) or f"A{len(self.customers) + 1:06d}"
        before = self.customers.get(number)
        after = _merged(before or {"customerNumber": number, "status": "active"}, body)
        self._claim(number, {(system, value), *_keys(after)})
        self.customers[number] = after
        return self._written(("customers", number), before, after)

    def put_transaction(self, key: str, body: Body) -> Reply:
        """The natural key takes its content once."""
        missing = [name for name in ("type", "status", "occurredAt", "currency", "lines") if name not in body]
        if missing:
            return refused(422, "required", *(f"/{name}" for name in missing))
        if self._owner(body) is None:
            return refused(422, "unknown_customer", "/customerKey")
        held = self.transactions.get(key)
        if held is not None and held != body:
            return refused(409, "key_content_conflict")
        self.transactions[key] = body
        return self._written(("transactions", key), held, body)

    def get_transaction(self, key: str) -> Reply:
        """The content, with the customer it belongs to now."""
        held = self.transactions.get(key)
        return refused(404, "not_found") if held is None else Reply(200, {**held, "customerNumber": self._owner(held)})

    def put_account(self, account: str, body: Body) -> Reply:
        """The state of a loyalty account; below nought is refused."""
        if body.get("accountId") != account or "planKey" not in body:
            return refused(422, "required", "/accountId", "/planKey")
        if any(body.get(name, 0) < 0 for name in ("pointsBalance", "pointsPending")):
            return refused(422, "negative_balance", "/pointsBalance")
        if "customerKey" in body and self._owner(body) is None:
            return refused(422, "unknown_customer", "/customerKey")
        before = self.accounts.get(account)
        after = self.accounts[account] = _merged(before or {}, body)
        return self._written(("loyalty_accounts", account), before, after)

    def put_entry(self, account: str, external_id: str, body: Body) -> Reply:
        """A posting, once; it may not take more than there is."""
        if account not in self.accounts or not {"kind", "points", "occurredAt"} <= body.keys():
            return refused(422, "required", "/kind", "/points", "/occurredAt")
        held = self.entries.get((account, external_id))
        if held is not None and held != body:
            return refused(409, "key_content_conflict")
        balance = self.accounts[account].get("pointsBalance", 0) + (body["points"] if held is None else 0)
        if balance < 0:
            return refused(422, "insufficient_points", "/points")
        self.accounts[account]["pointsBalance"] = balance
        self.entries[account, external_id] = body
        return self._written(("loyalty_entries", f"{account}/{external_id}"), held, body)

    def put_interaction(self, kind: str, external_id: str, body: Body) -> Reply:
        """A note, task, appointment or outreach."""
        missing = {"customerNumber", "associateId", "occurredAt"} - body.keys()
        if kind not in _INTERACTIONS or missing:
            return refused(422, "required", *(f"/{name}" for name in sorted(missing)))
        before = self.interactions.get((kind, external_id))
        self.interactions[kind, external_id] = body
        return self._written(("interactions", f"{kind}/{external_id}"), before, body)

    def _held(self, object_: str) -> Any:  # noqa: ANN401 - tables with different keys
        return {
            "customers": self.customers,
            "transactions": self.transactions,
            "loyalty_accounts": self.accounts,
            "loyalty_entries": self.entries,
            "interactions": self.interactions,
        }[object_]

    def _owner(self, body: Body) -> str | None:
        key = body.get("customerKey", {})
        return self.number_of(str(key.get("system")), str(key.get("value")))

    def _claim(self, number: str, keys: set[tuple[str, str]]) -> None:
        for key in self._keys_of.get(number, set()) - keys:
            if self.by_key[key] == number:
                del self.by_key[key]
        self._keys_of[number] = keys
        self.by_key.update(dict.fromkeys(keys, number))

    def _written(self, place: tuple[str, str], before: Body | None, after: Body) -> Reply:
        if after != before:
            self._versions[place] = self._versions.get(place, 0) + 1
            self.changes.append((place[0], {**self._told(place, after), "modifiedAt": self._clock().isoformat()}))
        told = {"id": place[1], "version": str(self._versions[place]), "changed": after != before}
        return Reply(201 if before is None else 200, told)

    def _told(self, place: tuple[str, str], body: Body) -> Body:
        """As the feed tells it: with the number of the customer to whom a key of ours led."""
        owner = {"customerNumber": self._owner(body)} if "customerKey" in body else {}
        return sandbox_feed.told(*place, {**body, **owner})


def _merged(before: Body, told: Body) -> Body:
    return {key: value for key, value in {**before, **told}.items() if value is not None}


def _keys(customer: Body) -> set[tuple[str, str]]:
    return {(key["system"], key["value"]) for key in customer.get("alternateKeys", [])}


def _wrong_in_customer(body: Body) -> list[str]:
    names = [
        f"/{name}" for name in ("firstName", "middleName", "lastName") if len(body.get(name) or "") > _LONGEST_NAME
    ]
    consents = [
        f"/consents/{index}/status"
        for index, consent in enumerate(body.get("consents") or [])
        if consent.get("status") not in _CONSENT_STATUSES or not consent.get("capturedAt")
    ]
    return names + consents + ([] if _is_day(body.get("birthDate")) else ["/birthDate"])


def _is_day(told: Any) -> bool:  # noqa: ANN401 - any JSON value
    try:
        return told is None or bool(date.fromisoformat(told))
    except (TypeError, ValueError):
        return False


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
            ("POST", "/oauth/token", self._token),
            ("PUT", "/customers/by-key/{system}/{value}", self._put_customer),
            ("GET", "/customers", self._lookup),
            ("GET", "/customers/{customerNumber}", self._get_customer),
            ("PUT", "/transactions/{store}/{workstation}/{businessDate}/{sequence}", self._put_transaction),
            ("GET", "/transactions/{store}/{workstation}/{businessDate}/{sequence}", self._get_transaction),
            ("PUT", "/loyalty/accounts/{accountId}", self._put_account),
            ("GET", "/loyalty/accounts/{accountId}", self._get_account),
            ("PUT", "/loyalty/accounts/{accountId}/entries/{externalId}", self._put_entry),
            ("PUT", "/interactions/{kind}/{externalId}", self._put_interaction),
            ("GET", "/changes/{object}", self._changes),
        ]
        return [Route(self._dialect.path(path), endpoint, methods=[method]) for method, path, endpoint in table]

    async def _token(self, request: Request) -> Response:
        return self._answer(await self._tokens.granted(request, {"grant_type": "client_credentials"}))

    async def _put_customer(self, request: Request) -> Response:
        at = request.path_params
        return await self._write(
            request, "customer", lambda body: self._shop.put_customer(at["system"], at["value"], body)
        )

    async def _put_transaction(self, request: Request) -> Response:
        key = "/".join(request.path_params.values())
        return await self._write(request, "transaction", lambda body: self._shop.put_transaction(key, body))

    async def _put_account(self, request: Request) -> Response:
        account = next(iter(request.path_params.values()))
        return await self._write(request, "loyalty", lambda body: self._shop.put_account(account, body))

    async def _put_entry(self, request: Request) -> Response:
        account, external_id = request.path_params.values()
        return await self._write(request, "entry", lambda body: self._shop.put_entry(account, external_id, body))

    async def _put_interaction(self, request: Request) -> Response:
        kind, external_id = request.path_params.values()
        return await self._write(
            request, "interaction", lambda body: self._shop.put_interaction(kind, external_id, body)
        )

    async def _get_customer(self, request: Request) -> Response:
        held = self._shop.customers.get(request.path_params["customerNumber"])
        if held is None:
            return self._read(request, refused(404, "not_found"))
        if held.get("status") == "merged":
            gone = refused(410, "merged")
            return self._read(request, Reply(410, {**gone.body, "mergedInto": held["mergedInto"]}))
        return self._read(request, Reply(200, self._shop.asked_for("customers", held["customerNumber"], held)))

    async def _lookup(self, request: Request) -> Response:
        asked = self._dialect.heard(dict(request.query_params))
        limit = int(asked.pop("limit", 10))
        found = [held for held in self._shop.customers.values() if self._meets(held, asked)]
        return self._read(request, Reply(200, {"items": found[: min(limit, 50)]}))

    def _meets(self, held: Body, asked: Mapping[str, str]) -> bool:
        answers = {
            "alternateKey": [f"{key['system']}:{key['value']}" for key in held.get("alternateKeys", [])],
            "customerNumber": [held["customerNumber"]],
            "email": [email["value"] for email in held.get("emails", [])],
            "phone": [phone["value"] for phone in held.get("phones", [])],
            "cardNumber": [card.get("cardNumber") for card in held.get("cards", [])],
        }
        return bool(asked) and all(value in answers.get(name, []) for name, value in asked.items())

    async def _get_transaction(self, request: Request) -> Response:
        return self._read(request, self._shop.get_transaction("/".join(request.path_params.values())))

    async def _get_account(self, request: Request) -> Response:
        account = next(iter(request.path_params.values()))
        held = self._shop.accounts.get(account)
        if held is None:
            return self._read(request, refused(404, "not_found"))
        return self._read(request, Reply(200, self._shop.asked_for("loyalty_accounts", account, held)))

    async def _changes(self, request: Request) -> Response:
        object_ = request.path_params["object"]
        reply = sandbox_feed.page(self._shop, object_, self._dialect.heard(dict(request.query_params)))
        answer = self._read(request, reply)
        if answer.status_code < 400:
            self._shop.asked.append(f"{request.url.path}?{request.url.query}")
        return answer

    async def _write(self, request: Request, operation: str, apply: Callable[[Body], Reply]) -> Response:
        if not self._tokens.accepts(request):
            return self._answer(refused(401, "unauthorised"))
        reply = await self._journal.write(request, operation, lambda body: apply(self._dialect.heard(body)))
        return self._answer(reply)

    def _read(self, request: Request, reply: Reply) -> Response:
        return self._answer(reply if self._tokens.accepts(request) else refused(401, "unauthorised"))

    def _answer(self, reply: Reply) -> Response:
        if reply.good:
            return _json(self._dialect.said(reply.body), reply.status, "application/json")
        return _json(_problem(reply.status, reply.body), reply.status, "application/problem+json")


def _problem(status: int, said: Body) -> Body:
    kind = f"https://aptos.invalid/problems/{said.get('code', said.get('error', 'unknown'))}"
    return {"type": kind, "status": status, **{key: said[key] for key in ("errors", "mergedInto") if key in said}}


def _json(body: Body, status: int, media_type: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(orjson.dumps(body), status, named, media_type)


def _fault_answers(throttle_seconds: int) -> Mapping[str, Response]:
    def answer(status: int, code: str, **headers: str) -> Response:
        return _json(_problem(status, {"code": code}), status, "application/problem+json", **headers)

    return {
        "throttled": answer(429, "too_many_requests", Retry_After=str(throttle_seconds)),
        "unavailable": answer(503, "unavailable"),
    }


def site(base_url: str) -> dict[str, Any]:
    """The settings by which this CRM is reached at `base_url`, as a source and as a destination."""
    return {"base_url": base_url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def app(
    population: Population | None,
    faults: Faults,
    *,
    clock: Callable[[], datetime] = utc_now,
    reject_rate: float = 0.0,
    seed: int = 0,
    token_seconds: float = 3600.0,
    throttle_seconds: int = 0,
    dialect: Dialect = Dialect(),  # noqa: B008 - frozen
) -> Starlette:
    """The CRM as an ASGI app; `app.state.shop` holds its state, `app.state.journal` counts what was written.

    population: its CRM's customers, with their points, notes and purchases at tills; without one it begins empty.
    throttle_seconds: whole seconds that a throttled request is told to wait; 0 is "at once".
    reject_rate: share of the addresses, chosen by `seed`, that are refused with 422 whatever they are sent.
    """
    shop, journal = Shop(clock), Journal(Refusals(reject_rate, seed))
    if population is not None:
        sandbox_render.fill(shop, population)
    tokens = Tokens(CLIENT_ID, CLIENT_SECRET, seconds=token_seconds, clock=clock)
    answers = _fault_answers(throttle_seconds)
    served = Starlette(
        routes=_Server(shop, tokens, journal, dialect).routes(),
        middleware=[
            Middleware(
                sandbox_feed.with_faults,
                faults=faults,
                tokens=tokens,
                answers=answers,
                forgotten=_json(_problem(400, {"code": "cursor_expired"}), 400, "application/problem+json"),
                cursor=dialect.names.get("cursor", "cursor"),
            )
        ],
    )
    served.state.shop, served.state.journal = shop, journal
    return served
