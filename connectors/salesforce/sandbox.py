"""A server that speaks like Salesforce: one org with its records, kept in memory.

Faults beyond those of every sandbox: `limited` (403 REQUEST_LIMIT_EXCEEDED), `session_expired` (the session ends before
its time), `locator_forgotten` (400 INVALID_QUERY_LOCATOR in the middle of a result), `gateway` (502 without JSON),
`job_failed` (a Bulk job ends as Failed) and `late_commit` (the latest change of the last ten minutes is not seen yet by
this request, although its stamp is set; the overlap of the next window brings it).

How the vendor is without any fault: pages of changing sizes, REST and Bulk with two spellings of times, related records
nested or dotted, locators up to the word `null`, empty cells for null, equal stamps, merged records in queryAll alone,
fields without filter, formulas without stamp, compound fields refused by Bulk, a log of deletions that forgets.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.salesforce.sandbox_org import LATE, Found, Job, Org
from connectors.salesforce.sandbox_render import CURRENCY, PROGRAMME, fill, spoil_entries
from connectors.salesforce.sandbox_schema import PREFIXES
from connectors.salesforce.sandbox_soql import Malformed, Query, parse
from connectors.salesforce.sandbox_tell import as_csv, as_json, rest_time
from connectors.sandbox.faults import Faults, faulty
from connectors.sandbox.population import Population

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  a fixed word for a server on loopback
USERNAME = "resolver@sandbox.example"
AUDIENCE = "https://login.salesforce.com"
VERSION = "v62.0"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_ASSERTION = 300
_SESSION = ("INVALID_SESSION_ID", "Session expired or invalid")
_LIMIT = ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
_LOCATOR = ("INVALID_QUERY_LOCATOR", "invalid query locator")


class Refused(Exception):
    """An answer in the vendor's error shape."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def app(
    population: Population,
    faults: Faults,
    *,
    clock: Callable[[], datetime] | None = None,
    page_sizes: Iterable[int] = (2000, 500, 1200),
    spoilt: int = 0,
    certificate: str | None = None,
) -> Starlette:
    """The org of a generated population.

    clock: the time of changes and sessions, the machine's if none is given. page_sizes: records per page, in turn.
    spoilt: so many of the newest postings hold half points. certificate: public RSA key in PEM by which JWTs are
    verified; without one, only the client secret opens the org.
    """
    org = Org(clock or _system_clock, page_sizes)
    fill(org, population)
    spoil_entries(org, spoilt)
    return serving(org, faults, certificate=certificate)


def site(base_url: str) -> dict[str, Any]:
    """Settings for a source that reads the sandbox at this address."""
    return {
        "login_url": base_url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "org": {"currency": "EUR", "programmes": {PROGRAMME: "main"}, "spendable": CURRENCY, "entry_ids": "journal"},
    }


def serving(org: Org, faults: Faults, *, certificate: str | None = None) -> Starlette:
    """The server of an org that is filled already; `app.state.shop` is that org."""
    server = _Server(org, certificate)
    root = "/services/data/{version}"
    routes = [
        Route("/services/oauth2/token", server.token, methods=["POST"]),
        Route("/services/data", server.versions),
        Route(root + "/limits", server.limits),
        Route(root + "/sobjects", server.objects),
        Route(root + "/sobjects/{object}/describe", server.describe),
        Route(root + "/sobjects/{object}/deleted", server.deleted),
        Route(root + "/sobjects/{object}/deleted/", server.deleted),
        Route(root + "/sobjects/{object}/{id}", server.record),
        Route(root + "/sobjects/{object}/{id}/{field}", server.blob),
        Route(root + "/{scope:str}/", server.query),
        Route(root + "/jobs/query", server.start, methods=["POST"]),
        Route(root + "/jobs/query/{job}", server.job),
        Route(root + "/jobs/query/{job}/results", server.results),
        Route(root + "/query/{locator}", server.more),
        Route(root + "/queryAll/{locator}", server.more),
        Route(root + "/{scope:str}", server.query),
    ]
    explained: Mapping[Any, Any] = {Refused: server.refused, Malformed: server.refused}
    served = Starlette(routes=routes, exception_handlers=explained, middleware=[Middleware(_Faults, faults, org)])
    served.router.redirect_slashes = False
    served.state.shop = org
    served.middleware_stack = served.build_middleware_stack()  # now, so that an unknown fault is refused before serving
    return served


def _system_clock() -> datetime:
    return datetime.now(UTC)


class _Server:
    def __init__(self, org: Org, certificate: str | None) -> None:
        self._org = org
        self._key = RSAKey.import_key(certificate) if certificate else None

    async def token(self, request: Request) -> Response:
        """A session for a client secret, or for a JWT that our key has signed."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        grant = form.get("grant_type")
        if grant == "client_credentials":
            known = form.get("client_id") == CLIENT_ID and form.get("client_secret") == CLIENT_SECRET
            problem = None if known else ("invalid_client", "invalid client credentials")
        elif grant == _JWT_GRANT:
            problem = self._assertion_problem(form.get("assertion", ""))
        else:
            problem = ("unsupported_grant_type", "grant type not supported")
        if problem:
            return _json(400, {"error": problem[0], "error_description": problem[1]})
        instance = str(request.base_url).rstrip("/")
        told = {"access_token": self._org.issue_token(), "instance_url": instance, "token_type": "Bearer"}
        issued = str(int(self._org.clock().timestamp() * 1000))
        told |= {"scope": "api", "id": f"{instance}/id/00Dsandbox/005sandbox", "issued_at": issued}
        return _json(200, {**told, "signature": "c2FuZGJveA=="})

    def _assertion_problem(self, assertion: str) -> tuple[str, str] | None:
        if self._key is None:
            return ("invalid_client_id", "client has no certificate")
        try:
            claims = jwt.decode(assertion, self._key, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return ("invalid_grant", "invalid assertion")
        now, ends = self._org.clock().timestamp(), claims.get("exp")
        if not isinstance(ends, int) or not now < ends <= now + _LONGEST_ASSERTION:
            return ("invalid_grant", "expired authorization code")
        expected = {"iss": CLIENT_ID, "sub": USERNAME, "aud": AUDIENCE}
        return None if expected.items() <= claims.items() else ("invalid_grant", "user hasn't approved this consumer")

    async def versions(self, _request: Request) -> Response:
        """Which versions there are; asked without a session."""
        version = VERSION.removeprefix("v")
        return _json(200, [{"label": "Sandbox", "url": f"/services/data/{VERSION}", "version": version}])

    async def limits(self, request: Request) -> Response:
        """What is left of the day's requests."""
        self._admit(request)
        left = self._org.allowance - self._org.used
        return self._answer({"DailyApiRequests": {"Max": self._org.allowance, "Remaining": left}})

    async def objects(self, request: Request) -> Response:
        """The objects of this org."""
        self._admit(request)
        told = [{"name": name, "label": name, "queryable": True, "replicateable": True} for name in self._org.schema]
        return self._answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": told})

    async def describe(self, request: Request) -> Response:
        """One object's fields."""
        self._admit(request)
        name = self._object(request)
        prefix = next((prefix for prefix, named in PREFIXES.items() if named == name), None)
        fields = [each.told() for each in self._org.schema[name].values()]
        return self._answer(
            {
                "name": name,
                "label": name,
                "keyPrefix": prefix,
                "queryable": True,
                "replicateable": True,
                "fields": fields,
            }
        )

    async def deleted(self, request: Request) -> Response:
        """Ids of what was deleted between two minutes."""
        self._admit(request)
        name = self._object(request)
        start, end = (_minute(request.query_params.get(each, "")) for each in ("start", "end"))
        known = self._org.deletions_known_since
        if known is not None and start < known:
            raise Refused(400, "INVALID_REPLICATION_DATE", "start is before what is remembered of deletions")
        told = [(id_, at) for id_, at in self._org.deletions(name) if start <= at < end]
        if len(told) > self._org.largest_deletion_list:
            raise Refused(400, "EXCEEDED_ID_LIMIT", "too many deletions in this time span")
        listed = [{"id": id_, "deletedDate": rest_time(at)} for id_, at in told]
        earliest = min((at for _, at in self._org.deletions(name)), default=start)
        covered = {"earliestDateAvailable": rest_time(earliest), "latestDateCovered": rest_time(end)}
        return self._answer({"deletedRecords": listed, **covered})

    async def record(self, request: Request) -> Response:
        """One record with all its fields."""
        self._admit(request)
        name = self._object(request)
        found = self._org.find(name, request.path_params["id"])
        if found is None or found.get("IsDeleted"):
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        every = Found(name, tuple(self._org.schema[name]), [found], "query")
        return self._answer(as_json(self._org, every, found, request.path_params["version"]))

    async def blob(self, request: Request) -> Response:
        """The bytes of a binary field."""
        self._admit(request)
        name = self._object(request)
        found = self._org.find(name, request.path_params["id"])
        field = self._org.field(name, request.path_params["field"])
        if found is None or found.get("IsDeleted") or field is None or not field.binary:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        self._org.asked.append(request.url.path)
        told = str(found.get(field.name) or "").encode()
        return Response(told, 200, self._usage(), media_type="application/octetstream")

    async def query(self, request: Request) -> Response:
        """The first page of a query, or a number."""
        self._admit(request)
        scope = request.path_params["scope"]
        if scope not in {"query", "queryAll"}:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        query = parse(request.query_params.get("q", ""), self._org)
        self._org.before_answer(query.object)
        found = self._found(query, scope)
        if query.counts:
            return self._answer({"totalSize": len(found.records), "done": True, "records": []})
        self._org.asked.append(f"{request.url.path}?{request.url.query}")
        return self._page(found, 0, request)

    async def more(self, request: Request) -> Response:
        """A further page; its locator is good for one session's life."""
        self._admit(request)
        kept = self._org.locators.get(request.path_params["locator"])
        if kept is None:
            raise Refused(400, *_LOCATOR)
        self._org.before_answer(kept[0].object)
        self._org.asked.append(request.url.path)
        return self._page(*kept, request)

    def _found(self, query: Query, scope: str) -> Found:
        return Found(query.object, query.fields, query.run(self._org, bin_too=scope == "queryAll"), scope)

    def _page(self, found: Found, place: int, request: Request) -> Response:
        end = place + min(self._org.page_size(), _batch_size(request))
        version = request.path_params["version"]
        rows = [as_json(self._org, found, each, version) for each in found.records[place:end]]
        done = end >= len(found.records)
        more = {} if done else {"nextRecordsUrl": self._next(found, end, version)}
        return self._answer({"totalSize": len(found.records), "done": done, **more, "records": rows})

    def _next(self, found: Found, place: int, version: str) -> str:
        return f"/services/data/{version}/{found.scope}/{self._org.keep(found, place)}"

    async def start(self, request: Request) -> Response:
        """A new Bulk query job."""
        self._admit(request)
        told = orjson.loads(await request.body())
        query = parse(told.get("query", ""), self._org)
        compound = [path for path in query.fields if (named := self._org.field(query.object, path)) and named.compound]
        if compound or query.counts or told.get("operation") not in {"query", "queryAll"}:
            raise Refused(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")
        if query.object in self._org.not_in_bulk:
            raise Refused(400, "INVALIDENTITY", f"Entity '{query.object}' is not supported by the Bulk API.")
        job = f"750{self._org.number():015d}"
        self._org.jobs[job] = Job(told["operation"], told["query"], self._found(query, told["operation"]))
        return self._answer(self._state_of(job))

    async def job(self, request: Request) -> Response:
        """How far a job is."""
        self._admit(request)
        job = self._job(request)
        job.looks += 1
        return self._answer(self._state_of(request.path_params["job"]))

    async def results(self, request: Request) -> Response:
        """A page of results as CSV; the locator of the last one is the word null."""
        self._admit(request)
        job, found = self._job(request), self._job(request).found
        locator = request.query_params.get("locator")
        if locator is not None and locator not in job.locators:
            raise Refused(400, *_LOCATOR)
        place = job.locators[locator] if locator is not None else 0
        self._org.before_answer(found.object)
        self._org.asked.append(f"{request.url.path}?{request.url.query}")
        end = place + int(request.query_params.get("maxRecords", "50000"))
        rows, following = found.records[place:end], "null"
        if end < len(found.records):
            following = f"MT{end:08d}"
            job.locators[following] = end
        headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(rows)), **self._usage()}
        return Response(as_csv(self._org, found, rows), 200, headers, media_type="text/csv; charset=UTF-8")

    def _state_of(self, job: str) -> dict[str, Any]:
        held = self._org.jobs[job]
        states = ("UploadComplete", "InProgress", "JobComplete")
        state = states[2] if held.looks >= self._org.looks_until_complete else states[min(held.looks, 1)]
        state = "Failed" if held.failed else state
        told = {"id": job, "operation": held.operation, "object": held.found.object, "state": state}
        return {**told, "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA", "apiVersion": 62.0}

    def _job(self, request: Request) -> Job:
        job = self._org.jobs.get(request.path_params["job"])
        if job is None:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        return job

    def _object(self, request: Request) -> str:
        name = str(request.path_params["object"])
        if name not in self._org.schema:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        return name

    def _admit(self, request: Request) -> None:
        """Raises Refused without an open session, or when the day's requests are used up."""
        if not self._org.knows(_bearer(request.headers.get("Authorization", ""))):
            raise Refused(401, *_SESSION)
        if self._org.used >= self._org.allowance:
            raise Refused(403, *_LIMIT)
        self._org.used += 1

    async def refused(self, _request: Request, error: Exception) -> Response:
        """An error in the vendor's shape."""
        status, code = 400, getattr(error, "code", "UNKNOWN_EXCEPTION")
        if isinstance(error, Refused):
            status = error.status
        return _json(status, [{"message": str(error), "errorCode": code}], self._usage())

    def _answer(self, told: object) -> Response:
        return _json(200, told, self._usage())

    def _usage(self) -> dict[str, str]:
        return {"Sforce-Limit-Info": f"api-usage={self._org.used}/{self._org.allowance}"}


class _Faults:
    """The faults of this vendor, in its words, in front of the server."""

    def __init__(self, app: ASGIApp, faults: Faults, org: Org) -> None:
        self._door = faulty(
            app,
            faults,
            {
                "limited": _WithSession(app, _error(403, *_LIMIT)),
                "unavailable": _error(503, "SERVER_UNAVAILABLE", "Server unavailable"),
                "gateway": Response("<html>502 Bad Gateway</html>", 502, media_type="text/html"),
                "session_expired": _SessionExpired(app, org),
                "locator_forgotten": _LocatorForgotten(app, _error(400, *_LOCATOR)),
                "job_failed": _JobFailed(app, org),
                "late_commit": _LateCommit(app),
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door(scope, receive, send)


class _WithSession(Response):
    """A fault of requests that a session signs; asking for a token passes."""

    def __init__(self, app: ASGIApp, answer: Response) -> None:
        super().__init__()
        self._app, self._answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taker = self._app if scope["path"].endswith("/oauth2/token") else self._answer
        await taker(scope, receive, send)


class _LocatorForgotten(_WithSession):
    """A fault of further pages alone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        further = "/01g" in scope["path"] or b"locator=" in scope["query_string"]
        taker = self._answer if further else self._app
        await taker(scope, receive, send)


class _SessionExpired(Response):
    """Ends the session of the request and answers 401. One that was never used passes: it cannot be old."""

    def __init__(self, app: ASGIApp, org: Org) -> None:
        super().__init__()
        self._app, self._org = app, org

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._org.end_used_session(_bearer(Request(scope).headers.get("Authorization", "")))
        await self._app(scope, receive, send)


class _JobFailed(Response):
    """Fails the Bulk job that is looked at; other requests pass."""

    def __init__(self, app: ASGIApp, org: Org) -> None:
        super().__init__()
        self._app, self._org = app, org

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        before, _, job = scope["path"].rpartition("/")
        if before.endswith("/jobs/query") and job in self._org.jobs:
            self._org.jobs[job].failed = True
        await self._app(scope, receive, send)


class _LateCommit(Response):
    """Answers as if the latest change were not committed yet."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = LATE.set(True)
        try:
            await self._app(scope, receive, send)
        finally:
            LATE.reset(token)


def _bearer(authorization: str) -> str:
    return authorization.removeprefix("Bearer ")


def _batch_size(request: Request) -> int:
    told = request.headers.get("Sforce-Query-Options", "").partition("batchSize=")[2]
    return int(told) if told.isdigit() else 2000


def _minute(told: str) -> datetime:
    """Seconds are ignored. A plus that was not escaped arrives as a blank."""
    try:
        return datetime.fromisoformat(told.replace(" ", "+")).replace(second=0, microsecond=0).astimezone(UTC)
    except ValueError as error:
        raise Refused(400, "INVALID_REPLICATION_DATE", "start and end are times with a zone") from error


def _json(status: int, told: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(told), status, headers, media_type="application/json")


def _error(status: int, code: str, message: str) -> Response:
    """Errors are a list."""
    return _json(status, [{"message": message, "errorCode": code}])
