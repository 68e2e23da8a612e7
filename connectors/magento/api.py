"""What to ask a Magento shop for: its objects, each complete with what other end points tell of it."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from connectors.http import Answer, Door
from connectors.magento.cards import without_card_data, without_gateway_data
from connectors.magento.criteria import Filter, Group
from connectors.magento.faultwords import is_no_route
from connectors.magento.keyset import Found, Listing, Lists
from connectors.magento.payloads import meant
from connectors.magento.rows import Payload, Row, row_of, with_member
from connectors.magento.translate import unloadable
from connectors.payload import bounded, canonical, read_path
from models.errors import Rejected, TryLater
from models.landing import Window

log = logging.getLogger(__name__)

Detail = Literal["consent", "balance"]

_REMEMBERED = 20_000
_OF_ORDER = "items[entity_id,payment[method],items[item_id,parent_item_id]],total_count"
_ORDERS = Listing("orders")

LISTINGS: Mapping[str, Listing] = {
    "customer": Listing("customers/search", told_id="id"),
    "order": _ORDERS,
    "invoice": Listing("invoices"),
    "shipment": Listing("shipments"),
    "creditmemo": Listing("creditmemos"),
    "transaction": Listing("transactions", told_id="transaction_id", asked_id="transaction_id", changed="created_at"),
    "return": Listing("returns", changed="date_requested"),
}


class Batch(NamedTuple):
    """The payloads of one page, complete with what was read for them."""

    raws: tuple[str, ...]
    correlation_id: str


@dataclass(frozen=True)
class Scope:
    """Which part of the installation: ids of websites and of store views; empty means all of them."""

    websites: tuple[int, ...] = ()
    store_views: tuple[int, ...] = ()


class Shop:
    """One installation behind a door that leads to `rest/<store code>/V1`.

    details: what to read for each customer, if the list does not tell it; `parallel` requests at a time.
    returns_change_for: how long after it was asked for a return may still change.
    """

    def __init__(
        self,
        door: Door,
        lists: Lists,
        *,
        parallel: int,
        scope: Scope,
        details: Sequence[Detail],
        returns_change_for: timedelta,
    ) -> None:
        self._door = door
        self._lists = lists
        self._parallel = parallel
        self._scope = scope
        self._details = details
        self._returns_change_for = returns_change_for
        self._has_store_credit = True
        self._orders: dict[int, Payload] = {}
        self._completed: Mapping[str, Callable[[Sequence[Row]], tuple[str, ...]]] = {
            "customer": self._with_details,
            "order": lambda rows: tuple(without_card_data(row.text) for row in rows),
            "invoice": self._with_orders,
            "shipment": self._with_orders,
            "creditmemo": self._with_orders,
            "transaction": lambda rows: tuple(without_gateway_data(row.text) for row in rows),
            "return": lambda rows: tuple(row.text for row in rows),
        }

    def changed(self, name: str, window: Window) -> Iterator[Batch]:
        """Rows of this object that changed in the window. That of an address is no change of its customer.

        Returns are those that may have changed, as nobody dates their changes: each that was asked for lately.
        """
        if name == "return":
            yield from self._returns(window)
            return
        for found in self._lists.changed(LISTINGS[name], window, self._scope_of(name)):
            yield self._batch(name, self._in_scope(found) if name == "transaction" else found)

    def _returns(self, window: Window) -> Iterator[Batch]:
        """A part of Adobe Commerce; elsewhere there are none."""
        lately = Window(since=window.since and window.since - self._returns_change_for, until=window.until)
        try:
            for found in self._lists.changed(LISTINGS["return"], lately, self._sales_scope()):
                yield self._batch("return", found)
        except Rejected as error:
            if error.code != "no_route":
                raise
            log.info("magento: this shop has no returns")

    def _in_scope(self, found: Found) -> Found:
        """Transactions do not know their store view; their orders do."""
        scope = self._sales_scope()
        if not scope:
            return found
        orders = sorted({number for row in found.rows if isinstance(number := row.told.get("order_id"), int)})
        pages = self._lists.known(_ORDERS, orders, "items[entity_id],total_count", scope)
        inside = {row.told[_ORDERS.told_id] for page in pages for row in page.rows}
        return replace(found, rows=tuple(row for row in found.rows if row.told.get("order_id") in inside))

    def known(self, name: str, numbers: Sequence[int]) -> Iterator[Batch]:
        """Those of these rows that the shop has, in its settings' scope or not. One that it cannot load is refused."""
        for found in self._lists.known(LISTINGS[name], numbers):
            yield self._batch(name, found)

    def _batch(self, name: str, found: Found) -> Batch:
        broken = (unloadable(name, number) for number in found.unloadable)
        return Batch((*self._completed[name](found.rows), *broken), found.correlation_id)

    def _scope_of(self, name: str) -> tuple[Group, ...]:
        scope = self._scope
        if name == "customer":
            return (*_among("website_id", scope.websites), *_among("store_id", scope.store_views))
        return () if name == "transaction" else self._sales_scope()

    def _sales_scope(self) -> tuple[Group, ...]:
        """Sales know their store view only. By id: the shop's own scope in the path does not limit sales."""
        views = self._scope.store_views or (self._views_of_websites if self._scope.websites else ())
        return _among("store_id", views)

    @cached_property
    def _views_of_websites(self) -> tuple[int, ...]:
        answer = self._door.get("store/storeViews")
        views = tuple(view["id"] for view in answer.json() if view["website_id"] in self._scope.websites)
        if not views:
            raise Rejected(f"{answer.asked}: the websites of the settings have no store view", code="scope")
        return views

    def _with_orders(self, rows: Sequence[Row]) -> tuple[str, ...]:
        """What follows orders, each with what only its order tells."""
        orders = self._known_orders(row.told.get("order_id") for row in rows)
        return tuple(_with_apart(row.text, _order_apart(orders, row.told.get("order_id"))) for row in rows)

    def _known_orders(self, order_ids: Iterable[object]) -> Mapping[int, Payload]:
        """By order id, what invoices and the like do not repeat: how it was paid, and which item stands below which.

        It never changes, so what was read for invoices serves shipments and credit memos too. An order that the shop
        cannot load is left out.
        """
        wanted = {number for number in order_ids if isinstance(number, int)}
        unknown = sorted(wanted - self._orders.keys())
        if len(self._orders) + len(unknown) > _REMEMBERED:
            self._orders.clear()
            unknown = sorted(wanted)
        for found in self._lists.known(_ORDERS, unknown, _OF_ORDER):
            self._orders.update((row.told[_ORDERS.told_id], _known(row.told)) for row in found.rows)
        return self._orders

    def _with_details(self, rows: Sequence[Row]) -> tuple[str, ...]:
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="magento") as pool:
            return tuple(pool.map(self._detailed, rows))

    def _detailed(self, row: Row) -> str:
        """The customer with what the list leaves out. One that is gone meanwhile, or has no id, stays as it is."""
        number, website = row.told.get("id"), row.told.get("website_id")
        apart: dict[str, str] = {}
        if isinstance(number, int):
            if "consent" in self._details and not _tells_consent(row.told):
                apart |= self._consent(number)
            if "balance" in self._details and isinstance(website, int):
                apart |= self._balance(number, website)
        return _with_apart(row.text, apart)

    def _consent(self, number: int) -> dict[str, str]:
        """Only the newsletter answer: the rest may be newer than the window."""
        answer = self._asked(f"customers/{number}")
        told = row_of(answer).told if answer is not None and answer.status == 200 else {}
        if not _tells_consent(told):
            return {}
        return {"is_subscribed": canonical(told["extension_attributes"]["is_subscribed"])}

    def _balance(self, number: int, website: int) -> dict[str, str]:
        """Store credit is a part of Adobe Commerce: elsewhere there is no such end point, and it is asked for once."""
        if not self._has_store_credit:
            return {}
        answer = self._asked(f"customers/{number}/balance/{website}")
        if answer is not None and answer.status == 200:
            return {"balance": row_of(answer).text}
        if answer is not None and is_no_route(answer):
            self._has_store_credit = False
        return {}

    def _asked(self, path: str) -> Answer | None:
        """The answer for one customer; None if the shop fails over this one however often it is asked."""
        try:
            return self._door.get(path)
        except TryLater as error:
            if error.code != "500":
                raise
            log.warning("%s: what lists leave out stays untold", error)
            return None


def _among(field: str, numbers: Iterable[int]) -> tuple[Group, ...]:
    listed = ",".join(map(str, numbers))
    return ((Filter(field, "in", listed),),) if listed else ()


def _with_apart(text: str, apart: Mapping[str, str]) -> str:
    """The row as it was sent, and behind it what was read apart from it, in a member that is ours."""
    if not apart:
        return text
    return with_member(text, "read_apart", "{" + ",".join(f'"{name}":{told}' for name, told in apart.items()) + "}")


def _order_apart(orders: Mapping[int, Payload], number: object) -> Mapping[str, str]:
    return {"order": canonical(orders[number])} if isinstance(number, int) and number in orders else {}


def _known(order: Payload) -> Payload:
    """Always in the same words, whatever a shop adds: it becomes part of another record's payload.

    What is no list of positions here is refused with the order itself.
    """
    told = meant(bounded(order))
    items = told.get("items")
    listed = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return {
        "payment": {"method": read_path(told, "payment.method")},
        "items": [{"item_id": item.get("item_id"), "parent_item_id": item.get("parent_item_id")} for item in listed],
    }


def _tells_consent(customer: Payload) -> bool:
    extension = customer.get("extension_attributes")
    return isinstance(extension, dict) and isinstance(extension.get("is_subscribed"), bool)
