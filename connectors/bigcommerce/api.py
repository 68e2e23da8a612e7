"""Asking a BigCommerce store: which end points tell an object whole, date filters, rate headers, error shapes.

Dates only filter; how pages are turned is in paging.py. The parts of a customer or an order may change without it.
Where the vendor dates the parts (attributes of customers, metafields of orders) a delta asks for those too; addresses,
form fields, shipments and transactions have no dates to ask for, so that only a full read sees them change alone.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import islice
from typing import NamedTuple

from connectors.bigcommerce.paging import Pages, Payload, items
from connectors.bigcommerce.payloads import gone, moment
from connectors.http import Answer, Door, by_status, retry_after
from connectors.payload import read_path
from models.errors import OutsideError, Rejected, SignInAgain, TryLater
from models.landing import Window

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_INCLUDED = "addresses,storecredit,attributes,formfields"
_WITH_GOODS = {"include": "consignments.line_items,fees", "consignment_structure": "object"}
_LONGEST_ID = 18
_INSTRUMENTS = ("payment_instrument_token", "provider_instrument_token")


class Batch(NamedTuple):
    """The objects of one page, complete with their sub-resources."""

    items: tuple[Payload, ...]
    correlation_id: str


class Asked(NamedTuple):
    """Which parts of objects to read. Each costs requests.

    orders: sub-resources of orders. customers: sub-resources of customers.
    namespace: of the order metafields to read, if any.
    """

    orders: Sequence[str] = ()
    customers: Sequence[str] = ()
    namespace: str | None = None


class Store:
    """One store behind a door. `parallel` requests at a time for the parts of objects."""

    def __init__(self, door: Door, *, page_size: int, parallel: int, asked: Asked) -> None:
        self._door = door
        self._pages = Pages(door, page_size)
        self._parallel = parallel
        self._asked = asked
        segments = ",shopper_profile_id,segment_ids" if "segments" in asked.customers else ""
        self._whole = {"include": _INCLUDED + segments}

    def customers(self, window: Window) -> Iterator[Batch]:
        """Customers that changed in the window, or an attribute of whom did, with everything that they have."""
        complete = self._customer_parts()
        seen: set[int] = set()
        for answer in self._pages.by_cursor("v3/customers", {**_modified(window), **self._whole}):
            told = complete(_held(answer, "date_modified", window))
            seen.update(_id(customer.get("id")) for customer in told)
            yield Batch(_within(window, told, "attributes"), answer.correlation_id)
        touched = self._owners("v3/customers/attribute-values", window, "customer_id", {})
        for _, answer in self._by_ids("v3/customers", touched - seen, self._whole):
            yield Batch(_within(window, complete(items(answer)), "attributes"), answer.correlation_id)

    def customers_by_id(self, ids: Sequence[int]) -> Iterator[Batch]:
        """These customers as they are now; one that is gone is marked as gone."""
        complete = self._customer_parts()
        yield from self._found("v3/customers", ids, self._whole, complete)

    def subscribers(self, window: Window) -> Iterator[Batch]:
        """Entries of the newsletter list that changed in the window."""
        seen: set[int] = set()
        for answer in self._pages.backwards("v3/customers/subscribers", _modified(window)):
            held = [told for told in _held(answer, "date_modified", window) if _id(told.get("id")) not in seen]
            seen.update({_id(told.get("id")) for told in held} - {0})
            yield Batch(tuple(held), answer.correlation_id)

    def subscribers_by_id(self, ids: Sequence[int]) -> Iterator[Batch]:
        """These entries as they are now; one that is gone is marked as gone."""
        yield from self._found("v3/customers/subscribers", ids, {}, list)

    def orders(self, window: Window) -> Iterator[Batch]:
        """Orders that changed in the window, or a metafield of which did, with goods, addresses and what was asked."""
        params = {"sort": "id:asc", **_WITH_GOODS, **_between("{}_date_modified", window, format_datetime)}
        seen: set[int] = set()
        with self._pool() as pool:
            for answer in self._pages.by_least_id("v2/orders", params):
                told = tuple(pool.map(self._detailed, _held(answer, "date_modified", window)))
                seen.update(_id(order.get("id")) for order in told)
                yield Batch(_within(window, told, "metafields"), answer.correlation_id)
            if self._asked.namespace:
                fields = {"namespace": self._asked.namespace}
                touched = self._owners("v3/orders/metafields", window, "resource_id", fields)
                for batch in pool.map(self._order, sorted(touched - seen)):
                    yield Batch(_within(window, batch.items, "metafields"), batch.correlation_id)

    def orders_by_id(self, ids: Sequence[int]) -> Iterator[Batch]:
        """These orders as they are now, archived ones too, which no list shows; one that is gone is marked as gone."""
        with self._pool() as pool:
            yield from pool.map(self._order, ids)

    def refunds(self, window: Window) -> Iterator[Batch]:
        """Refunds created in the window, each with its order's currency. A refund is neither changed nor deleted."""
        params = _between("created:{}", window, _iso)
        with self._pool() as pool:
            for answer in self._pages.forwards("v3/orders/payment_actions/refunds", params):
                held = _held(answer, "created", window)
                orders = sorted({_id(refund.get("order_id")) for refund in held} - {0})
                priced = dict(zip(orders, pool.map(self._pricing, orders), strict=True))
                told = ({**refund, "order": priced.get(_id(refund.get("order_id")))} for refund in held)
                yield Batch(tuple(told), answer.correlation_id)

    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._parallel, thread_name_prefix="bigcommerce")

    def _owners(self, path: str, window: Window, owner: str, params: Payload) -> set[int]:
        """Whose dated parts changed in the window. A full read needs none of them: it brings every owner anyway."""
        if window.since is None:
            return set()
        answers = self._pages.backwards(path, {**params, **_modified(window)})
        changed = (told for answer in answers for told in _held(answer, "date_modified", window))
        return {_id(told.get(owner)) for told in changed} - {0}

    def _by_ids(self, path: str, ids: Iterable[int], params: Payload) -> Iterator[tuple[list[int], Answer]]:
        """Ids and their answer, a page at a time. Raises Rejected where others come: the store did not hear the ids."""
        rest = iter(sorted(ids))
        while wanted := list(islice(rest, self._pages.size)):
            asked = {**params, "id:in": ",".join(map(str, wanted)), "limit": self._pages.size}
            answer = self._door.get(path, params=asked)
            if not {_id(told.get("id")) for told in items(answer)} <= set(wanted):
                message = f"{answer.asked}: the filter on id was not applied"
                raise Rejected(message, correlation_id=answer.correlation_id, code="filter_ignored")
            yield wanted, answer

    def _found(
        self, path: str, ids: Sequence[int], params: Payload, complete: Callable[[list[Payload]], list[Payload]]
    ) -> Iterator[Batch]:
        for wanted, answer in self._by_ids(path, ids, params):
            told = complete(items(answer))
            lost = set(wanted) - {_id(one["id"]) for one in told}
            yield Batch((*told, *(gone(one) for one in sorted(lost))), answer.correlation_id)

    def _customer_parts(self) -> Callable[[list[Payload]], list[Payload]]:
        """What completes customers: addresses and attributes beyond ten, names, and the details that were asked for."""
        attributes = _names(self._pages.whole("v3/customers/attributes"))
        groups = _names(self._pages.whole("v2/customer_groups"))

        def complete(customers: list[Payload]) -> list[Payload]:
            self._complete(customers, "addresses", "address_count", "v3/customers/addresses")
            self._complete(customers, "attributes", "attribute_count", "v3/customers/attribute-values")
            if "consent" in self._asked.customers:
                with self._pool() as pool:
                    customers = list(pool.map(self._with_consent, customers))
            return [_with_names(customer, attributes, groups) for customer in customers]

        return complete

    def _complete(self, customers: list[Payload], part: str, counted: str, path: str) -> None:
        """`include` cuts lists at ten: read the longer ones apart."""
        cut = [customer for customer in customers if _id(customer.get(counted)) > len(_objects(customer.get(part)))]
        if owners := {number for customer in cut if (number := _id(customer.get("id")))}:
            read = self._pages.whole(path, {"customer_id:in": ",".join(map(str, sorted(owners)))})
            for customer in cut:
                customer[part] = [told for told in read if told.get("customer_id") == customer.get("id")]

    def _with_consent(self, customer: Payload) -> Payload:
        """With the answer about cookies. Its `updated_at` is the time of our asking, by the vendor's own words."""
        if not _id(customer.get("id")):
            return customer
        answer = self._door.get(f"v3/customers/{customer['id']}/consent")
        if answer.status == 404:
            return customer
        told = _object(answer)
        return {**customer, "consent": {name: sorted(told.get(name) or ()) for name in ("allow", "deny")}}

    def _order(self, order_id: int) -> Batch:
        answer = self._door.get(f"v2/orders/{order_id}", params=_WITH_GOODS)
        if answer.status == 404:
            return Batch((gone(order_id),), answer.correlation_id)
        order = _object(answer)
        return Batch((order if order.get("is_deleted") else self._detailed(order),), answer.correlation_id)

    def _detailed(self, order: Payload) -> Payload:
        """The order with its parts. One that cannot have any (nothing shipped, no coupon ...) is not asked for them.

        One without a readable id is left as it is, and refused later.
        """
        number = _id(order.get("id"))
        if not number:
            return order
        path = f"orders/{number}"
        parts: dict[str, Callable[[], list[Payload]]] = {}
        if not _inline(order.get("consignments")):
            parts["products"] = lambda: self._pages.whole(f"v2/{path}/products")
            parts["shipping_addresses"] = lambda: self._pages.whole(f"v2/{path}/shipping_addresses")
        if _positive(order.get("items_shipped")):
            parts["shipments"] = lambda: self._pages.whole(f"v2/{path}/shipments")
        if _positive(order.get("coupon_discount")):
            parts["coupons"] = lambda: self._pages.whole(f"v2/{path}/coupons")
        if _positive(order.get("total_tax")):
            parts["taxes"] = lambda: self._pages.whole(f"v2/{path}/taxes", {"details": "true"})
        if _positive(order.get("total_inc_tax")):
            parts["transactions"] = lambda: _without_instruments(self._pages.whole(f"v3/{path}/transactions"))
        if self._asked.namespace:
            fields = {"namespace": self._asked.namespace}
            parts["metafields"] = lambda: self._pages.whole(f"v3/{path}/metafields", fields)
        wanted = {"products", "shipping_addresses", "metafields", *self._asked.orders}
        return {**order, **{part: read() for part, read in parts.items() if part in wanted}}

    def _pricing(self, order_id: int) -> Payload | None:
        """What a refund needs to know of its order; archived orders stay readable by id."""
        answer = self._door.get(f"v2/orders/{order_id}")
        if answer.status == 404:
            return None
        order = _object(answer)
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


def _object(answer: Answer) -> Payload:
    """One object that was asked for by its id. Raises TryLater if something else came in its place."""
    told = answer.json()
    if not isinstance(told, dict):
        message = f"{answer.asked}: expected an object"
        raise TryLater(message, correlation_id=answer.correlation_id, code=str(answer.status))
    return told


def _id(told: object) -> int:
    """A number that may stand in a path; 0 for what is none."""
    text = str(told) if isinstance(told, int | str) and not isinstance(told, bool) else ""
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_ID else 0


def _objects(told: object) -> list[Payload]:
    """The objects of a list. What else stands in its place, or in it, is for the translation to refuse."""
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _held(answer: Answer, field: str, window: Window) -> list[Payload]:
    """The page's objects that belong to the window; those without a readable date do, and are refused later.

    Raises Rejected if the page shows that the date filter was ignored: a delta would silently become a full read.
    """
    dated = [(item, _date(item.get(field))) for item in items(answer)]
    if window.since and any(at is not None and at < window.since - _DAY for _, at in dated):
        message = f"{answer.asked}: the filter on {field} was not applied"
        raise Rejected(message, correlation_id=answer.correlation_id, code="filter_ignored")
    return [item for item, at in dated if at is None or window.holds(at)]


def _date(told: object) -> datetime | None:
    try:
        return moment(told)
    except ValueError:
        return None


def _within(window: Window, told: Iterable[Payload], part: str) -> tuple[Payload, ...]:
    """Those whose latest change, of their own or of a part, lies in the window; the others are for the next one."""
    return tuple(one for one in told if (at := _latest(one, part)) is None or window.holds(at))


def _latest(told: Payload, part: str) -> datetime | None:
    changes = [_date(one.get("date_modified")) for one in (told, *_objects(told.get(part)))]
    return max((at for at in changes if at is not None), default=None)


def _names(told: list[Payload]) -> dict[str, str]:
    return {str(one["id"]): str(one["name"]) for one in told if "id" in one and "name" in one}


def _with_names(customer: Payload, attributes: dict[str, str], groups: dict[str, str]) -> Payload:
    """Only the names that it needs, so that a new attribute or group does not make every customer look changed."""
    own = {str(told.get("attribute_id")) for told in _objects(customer.get("attributes"))}
    group = groups.get(str(customer.get("customer_group_id")))
    named = {**customer, "attribute_names": {key: attributes[key] for key in sorted(own & attributes.keys())}}
    return {**named, "customer_group_name": group} if group else named


def _without_instruments(transactions: list[Payload]) -> list[Payload]:
    """Without the tokens by which a stored card can be charged: they are secrets, and no part of what happened."""
    return [{name: value for name, value in told.items() if name not in _INSTRUMENTS} for told in transactions]


def _inline(consignments: object) -> bool:
    """Whether the parts of the order came with it: they hold lines, and not links to them."""
    if not isinstance(consignments, dict) or "resource" in consignments:
        return False
    parts = [part for kind in ("shipping", "pickups", "downloads") for part in _objects(consignments.get(kind))]
    parts += _objects(read_path(consignments, "email.gift_certificates"))
    lines = [line for part in parts for line in _objects(part.get("line_items"))]
    return bool(lines) and not any("resource" in line for line in lines)


def _positive(told: object) -> bool:
    """Whether there is something to read; what cannot be read as a number is no reason to leave it out."""
    try:
        return told is not None and float(str(told) or 0) > 0
    except ValueError:
        return True
