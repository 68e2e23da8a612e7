"""How a store answers: pages, cursors, date filters, shapes of lists, dates and errors per version, quota headers."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from connectors.bigcommerce.payloads import moment

Payload = dict[str, Any]

STORE_HASH = "sandbox"
WINDOW_MS = 30_000
LARGEST_PAGE = 250


def dated(found: Iterable[Payload], request: Request, field: str, least: str, most: str) -> list[Payload]:
    """Filtered by the two parameters, inclusive; one that is absent or unreadable filters nothing."""
    since, until = _asked_date(request, least), _asked_date(request, most)
    return [one for one in found if (since is None or one[field] >= since) and (until is None or one[field] <= until)]


def _asked_date(request: Request, name: str) -> datetime | None:
    try:
        return moment(request.query_params.get(name))
    except ValueError:
        return None


def number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdigit() else default


def listed(request: Request, name: str) -> set[str]:
    return {part for part in request.query_params.get(name, "").split(",") if part}


def page(request: Request, found: list[Payload]) -> list[Payload]:
    limit = number(request, "limit", 50)
    start = (max(number(request, "page", 1), 1) - 1) * limit
    return found[start : start + limit]


def collection(request: Request, found: list[Payload]) -> Response:
    found = sorted(found, key=lambda one: one["id"])
    return v3({"data": page(request, found), "meta": {"pagination": _pagination(request, len(found))}})


def by_cursor(request: Request, found: list[Payload], always: bool) -> Response:
    """The cursor is told on the first page and, by most stores, on those that were asked for by one."""
    found = sorted(found, key=lambda one: one["id"])
    after = request.query_params.get("after")
    rest = [one for one in found if one["id"] > int(b64decode(after)[3:])] if after else found
    shown = rest[: number(request, "limit", 50)] if after else page(request, found)
    meta: Payload = {"pagination": _pagination(request, len(found))}
    if (after is None and number(request, "page", 1) == 1) or (after is not None and always):
        meta["cursor_pagination"] = {"count": len(shown), "per_page": number(request, "limit", 50)}
        if shown:
            meta["cursor_pagination"] |= {"start_cursor": _cursor(shown[0]), "end_cursor": _cursor(shown[-1])}
    return v3({"data": shown, "meta": meta})


def _cursor(one: Payload) -> str:
    return b64encode(f"id:{one['id']}".encode()).decode()


def _pagination(request: Request, total: int) -> Payload:
    limit = number(request, "limit", 50)
    return {
        "total": total,
        "count": len(range(total)[:limit]),
        "per_page": limit,
        "current_page": number(request, "page", 1),
        "total_pages": -(-total // limit),
        "links": {},
    }


def link(resource: str) -> Payload:
    return {"url": f"https://api.bigcommerce.com/stores/{STORE_HASH}/v2{resource}", "resource": resource}


def _rfc_2822(value: object) -> str:
    if isinstance(value, datetime):
        return format_datetime(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def v2(told: Payload | list[Payload]) -> Response:
    if not told:
        return nothing()
    return _json(orjson.dumps(told, default=_rfc_2822, option=orjson.OPT_PASSTHROUGH_DATETIME))


def v3(told: Payload) -> Response:
    return _json(orjson.dumps(told, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS))


def _json(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(content, status_code=status, media_type="application/json", headers=headers)


def nothing() -> Response:
    return Response(status_code=204)


def missing() -> Response:
    return error(404, "The requested resource was not found.", v2=True)


def too_many(*, v2: bool) -> Response:
    return error(413, "The page size is too large.", v2=v2, details={"max_limit": LARGEST_PAGE})


def error(
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


def quota_headers(quota: int, left: int, reset_ms: int) -> dict[str, str]:
    return {
        "X-Rate-Limit-Time-Window-Ms": str(WINDOW_MS),
        "X-Rate-Limit-Time-Reset-Ms": str(reset_ms),
        "X-Rate-Limit-Requests-Quota": str(quota),
        "X-Rate-Limit-Requests-Left": str(left),
    }
