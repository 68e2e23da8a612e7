"""Asking a BigCommerce store: paging that survives change, date filters, rate headers, error shapes.

Pages go by id (a cursor for v3, `min_id` for v2) wherever the vendor allows it: what changes while we read keeps its
place or leaves the window, and then the next window has it. Dates only filter.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any, NamedTuple

from connectors.bigcommerce.payloads import moment
from connectors.http import Answer, Door, by_status, retry_after
from models.errors import OutsideError, Rejected, SignInAgain, TryLater
from models.landing import Window

Payload = dict[str, Any]

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_PART_PAGE = 250


class Batch(NamedTuple):
    """The objects of one page, complete with their sub-resources."""

    items: tuple[Payload, ...]
    correlation_id: str


class Store:
    """One store behind a door.

    details: which sub-resources of orders to read, `parallel` requests at a time.
    namespace: of the order metafields to read, if any.
    """

    def __init__(
        self, door: Door, *, page_size: int, parallel: int, details: Sequence[str], namespace: str | None
    ) -> None:
        self._door = door
        self._page_size = page_size
        self._parallel = parallel
        self._details = details
        self._namespace = namespace

    def customers(self, window: Window) -> Iterator[Batch]:
        """Customers that changed in the window, with all addresses, attributes (and their names) and form fields."""
        names = {str(told["id"]): str(told["name"]) for told in self._all("v3/customers/attributes")}
        params = {**_modified(window), "include": "addresses,storecredit,attributes,formfields"}
        for answer in self._by_cursor("v3/customers", params):
            customers = _held(answer, "date_modified", window)
            self._complete(customers, "addresses", "address_count", "v3/customers/addresses")
            self._complete(customers, "attributes", "attribute_count", "v3/customers/attribute-values")
            yield Batch(tuple(_with_names(customer, names) for customer in customers), answer.correlation_id)

    def subscribers(self, window: Window) -> Iterator[Batch]:
        """Entries of the newsletter list that changed in the window."""
        seen: set[object] = set()
        for answer in self._backwards("v3/customers/subscribers", _modified(window)):
            held = [told for told in _held(answer, "date_modified", window) if told.get("id") not in seen]
            seen.update(told.get("id") for told in held)
            yield Batch(tuple(held), answer.correlation_id)

    def orders(self, window: Window) -> Iterator[Batch]:
        """Orders that changed in the window, with products, addresses, and the details that were asked for."""
        params = {
            "limit": self._page_size,
            "sort": "id:asc",
            "include": "consignments.line_items,fees",
            "consignment_structure": "object",
            **_between("{}_date_modified", window, format_datetime),
        }
        with self._pool() as pool:
            for answer in self._by_least_id("v2/orders", params):
                held = _held(answer, "date_modified", window)
                yield Batch(tuple(pool.map(self._detailed, held)), answer.correlation_id)

    def refunds(self, window: Window) -> Iterator[Batch]:
        """Refunds created in the window, each with its order's currency. A refund never changes."""
        with self._pool() as pool:
            for answer in self._forwards("v3/orders/payment_actions/refunds", _between("created:{}", window, _iso)):
                held = _held(answer, "created", window)
                orders = sorted({refund["order_id"] for refund in held if "order_id" in refund})
                priced = dict(zip(orders, pool.map(self._pricing, orders), strict=True))
                items = ({**refund, "order": priced.get(refund.get("order_id"))} for refund in held)
                yield Batch(tuple(items), answer.correlation_id)

    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._parallel, thread_name_prefix="bigcommerce")

    def _by_cursor(self, path: str, params: Payload) -> Iterator[Answer]:
        """By the vendor's cursor, in the order of ids. Where a page does not tell the cursor we form it as it does."""
        last = 0
        cursor: Payload = {}
        while items := _items(answer := self._door.get(path, params={**params, "limit": self._page_size, **cursor})):
            last = _advanced(answer, items, last)
            yield answer
            meta = answer.json().get("meta", {}).get("cursor_pagination", {})
            cursor = {"after": meta.get("end_cursor") or b64encode(f"id:{last}".encode()).decode()}

    def _by_least_id(self, path: str, params: Payload) -> Iterator[Answer]:
        last = 0
        while items := _items(answer := self._door.get(path, params={**params, "min_id": last + 1})):
            last = _advanced(answer, items, last)
            yield answer

    def _backwards(self, path: str, params: Payload) -> Iterator[Answer]:
        """From the last page to the first: what leaves the window moves the rest towards pages still to be read.

        So nothing is skipped, and an object may come twice.
        """
        probe = self._door.get(path, params={**params, "limit": 1, "page": 1})
        total = probe.json()["meta"]["pagination"]["total"] if _items(probe) else 0
        for page in range(-(-total // self._page_size), 0, -1):
            yield self._door.get(path, params={**params, "limit": self._page_size, "page": page})

    def _forwards(self, path: str, params: Payload) -> Iterator[Answer]:
        """For what is only ever added, behind the end. A page past the end may be empty or repeat the last."""
        seen: set[object] = set()
        for page in count(1):
            answer = self._door.get(path, params={**params, "limit": self._page_size, "page": page})
            fresh = {item.get("id") for item in _items(answer)} - seen
            if not fresh:
                return
            seen |= fresh
            yield answer

    def _all(self, path: str, params: Payload | None = None) -> list[Payload]:
        """A short list whole, e.g. the parts of one order; empty if its owner is gone meanwhile."""
        found: list[Payload] = []
        for page in count(1):
            answer = self._door.get(path, params={**(params or {}), "limit": _PART_PAGE, "page": page})
            items = _items(answer) if answer.status != 404 else []
            if items and found and items[-1] == found[-1]:
                raise Rejected(f"{answer.asked}: the pages repeat", correlation_id=answer.correlation_id, code="no_end")
            found += items
            if len(items) < _PART_PAGE:
                break
        return found

    def _complete(self, customers: list[Payload], part: str, number: str, path: str) -> None:
        """`include` cuts lists at ten: read the longer ones apart."""
        cut = [customer for customer in customers if (customer.get(number) or 0) > len(customer.get(part) or [])]
        if cut:
            read = self._all(path, {"customer_id:in": ",".join(str(customer["id"]) for customer in cut)})
            for customer in cut:
                customer[part] = [told for told in read if told.get("customer_id") == customer["id"]]

    def _detailed(self, order: Payload) -> Payload:
        """The order with its parts. One that cannot have any (nothing shipped, no coupon ...) is not asked for them.

        One without a readable id is left as it is, and refused later.
        """
        if not isinstance(order.get("id"), int):
            return order
        path = f"orders/{order['id']}"
        parts: dict[str, Callable[[], list[Payload]]] = {}
        if not _inline(order.get("consignments")):
            parts["products"] = lambda: self._all(f"v2/{path}/products")
            parts["shipping_addresses"] = lambda: self._all(f"v2/{path}/shipping_addresses")
        if _positive(order.get("items_shipped")):
            parts["shipments"] = lambda: self._all(f"v2/{path}/shipments")
        if _positive(order.get("coupon_discount")):
            parts["coupons"] = lambda: self._all(f"v2/{path}/coupons")
        if _positive(order.get("total_tax")):
            parts["taxes"] = lambda: self._all(f"v2/{path}/taxes", {"details": "true"})
        if _positive(order.get("total_inc_tax")):
            parts["transactions"] = lambda: self._all(f"v3/{path}/transactions")
        if self._namespace:
            parts["metafields"] = lambda: self._all(f"v3/{path}/metafields", {"namespace": self._namespace})
        wanted = {"products", "shipping_addresses", "metafields", *self._details}
        return {**order, **{part: read() for part, read in parts.items() if part in wanted}}

    def _pricing(self, order_id: object) -> Payload | None:
        """What a refund needs to know of its order; archived orders stay readable by id."""
        answer = self._door.get(f"v2/orders/{order_id}")
        if answer.status == 404:
            return None
        order = answer.json()
        return {name: order.get(name) for name in ("currency_code", "default_currency_code")}


def error_of(answer: Answer) -> OutsideError | None:
    """A 404 may be a value (`Store` looks at the status); 403 is a token that lacks a scope."""
    if answer.status == 404:
        return None
    if answer.status == 403:
        return SignInAgain(f"{answer.asked}: the token lacks the scope for this", code="403")
    return by_status(answer)


def wait_from(keep_free: int) -> Callable[[Answer], float | None]:
    """Seconds until the quota is renewed, once no more than `keep_free` requests of it are left.

    A 429 without these headers is the platform's own load; there is no time to wait for, so the door backs off.
    """

    def wait(answer: Answer) -> float | None:
        reset = _number(answer.headers.get("X-Rate-Limit-Time-Reset-Ms"))
        left = _number(answer.headers.get("X-Rate-Limit-Requests-Left"))
        if reset is not None and (answer.status == 429 or (left is not None and left <= keep_free)):
            return reset / 1000
        return _number(answer.headers.get("X-Retry-After")) or retry_after(answer)

    return wait


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.strip().isdigit() else None


def _modified(window: Window) -> Payload:
    return _between("date_modified:{}", window, _iso)


def _between(name: str, window: Window, written: Callable[[datetime], str]) -> Payload:
    """The window as the vendor's two parameters, a second wider at both ends: whether they include it is not told."""
    params = {name.format("max"): written(window.until + _SECOND)}
    if window.since:
        params[name.format("min")] = written(window.since - _SECOND)
    return params


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _items(answer: Answer) -> list[Payload]:
    """The objects of a page: a bare list in v2, under `data` in v3, none with 204."""
    if answer.status == 404:
        raise Rejected(f"{answer.asked}: not found", correlation_id=answer.correlation_id, code="404")
    if answer.status == 204 or not answer.content:
        return []
    told = answer.json()
    items = told.get("data") if isinstance(told, dict) else told
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        message = f"{answer.asked}: expected a list of objects"
        raise TryLater(message, correlation_id=answer.correlation_id, code=str(answer.status))
    return items


def _advanced(answer: Answer, items: list[Payload], last: int) -> int:
    """The last id of the page. The vendor ignores parameters that it does not know: then pages would never end."""
    ids = [item["id"] for item in items if isinstance(item.get("id"), int)]
    if not ids or min(ids) <= last:
        message = f"{answer.asked}: the page begins again at an id that was read before"
        raise Rejected(message, correlation_id=answer.correlation_id, code="no_progress")
    return int(max(ids))


def _held(answer: Answer, field: str, window: Window) -> list[Payload]:
    """The page's objects that belong to the window; those without a readable date do, and are refused later.

    Raises Rejected if the page shows that the date filter was ignored: a delta would silently become a full read.
    """
    dated = [(item, _date(item.get(field))) for item in _items(answer)]
    if window.since and any(at is not None and at < window.since - _DAY for _, at in dated):
        message = f"{answer.asked}: the filter on {field} was not applied"
        raise Rejected(message, correlation_id=answer.correlation_id, code="filter_ignored")
    return [item for item, at in dated if at is None or window.holds(at)]


def _date(told: object) -> datetime | None:
    try:
        return moment(told)
    except ValueError:
        return None


def _with_names(customer: Payload, names: dict[str, str]) -> Payload:
    """Only the names of its own attributes, so that a new attribute does not make every customer look changed."""
    own = {str(told.get("attribute_id")) for told in customer.get("attributes") or ()}
    return {**customer, "attribute_names": {key: names[key] for key in sorted(own & names.keys())}}


def _inline(consignments: object) -> bool:
    """Whether the parts of the order came with it: they hold lines, and not links to them."""
    if not isinstance(consignments, dict) or "resource" in consignments:
        return False
    parts = [part for kind in ("shipping", "pickups", "downloads") for part in consignments.get(kind) or ()]
    parts += (consignments.get("email") or {}).get("gift_certificates") or ()
    lines = [line for part in parts for line in part.get("line_items") or ()]
    return bool(lines) and not any("resource" in line for line in lines)


def _positive(told: object) -> bool:
    """Whether there is something to read; what cannot be read as a number is no reason to leave it out."""
    try:
        return told is not None and float(str(told) or 0) > 0
    except ValueError:
        return True
