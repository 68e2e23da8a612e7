"""What to ask a Magento shop for: its objects, each complete with what other end points tell of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from connectors.http import Door
from connectors.magento.criteria import Filter, Group, query
from connectors.magento.keyset import ID, Lists, found_in
from connectors.magento.payloads_order import without_card_data
from models.errors import Rejected
from models.landing import Window

Payload = dict[str, Any]
Detail = Literal["consent", "balance"]

_REMEMBERED = 20_000
_OF_ORDER = "items[entity_id,payment[method],items[item_id,parent_item_id]]"


class Batch(NamedTuple):
    """The records of one page, complete with what was read for them."""

    items: tuple[Payload, ...]
    correlation_id: str


Reads = Callable[[Window], Iterator[Batch]]


@dataclass(frozen=True)
class Scope:
    """Which part of the installation: ids of websites and of store views; empty means all of them."""

    websites: tuple[int, ...] = ()
    store_views: tuple[int, ...] = ()


class Shop:
    """One installation behind a door that leads to `rest/<store code>/V1`.

    details: what to read for each customer, if the list does not tell it; `parallel` requests at a time.
    """

    def __init__(self, door: Door, lists: Lists, *, parallel: int, scope: Scope, details: Sequence[Detail]) -> None:
        self._door = door
        self._lists = lists
        self._parallel = parallel
        self._scope = scope
        self._details = details
        self._orders: dict[str, Payload] = {}

    def customers(self, window: Window) -> Iterator[Batch]:
        """Customers that changed in the window. That of an address is no change of the customer: a full read has it."""
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="magento") as pool:
            for found in self._lists.changed("customers/search", "id", window, self._customer_scope()):
                yield Batch(tuple(pool.map(self._detailed, found.items)), found.answer.correlation_id)

    def orders(self, window: Window) -> Iterator[Batch]:
        """Orders that changed in the window, without card data."""
        for found in self._lists.changed("orders", ID, window, self._sales_scope()):
            yield Batch(tuple(map(without_card_data, found.items)), found.answer.correlation_id)

    def following(self, path: str, window: Window) -> Iterator[Batch]:
        """Invoices, shipments or creditmemos that changed in the window, each with what only its order tells."""
        for found in self._lists.changed(path, ID, window, self._sales_scope()):
            orders = self._known_orders(one.get("order_id") for one in found.items)
            items = tuple({**one, "order": orders.get(str(one.get("order_id")))} for one in found.items)
            yield Batch(items, found.answer.correlation_id)

    def _customer_scope(self) -> tuple[Group, ...]:
        scope = self._scope
        return (*_among("website_id", scope.websites), *_among("store_id", scope.store_views))

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

    def _known_orders(self, order_ids: Iterable[object]) -> Mapping[str, Payload]:
        """By order id, what invoices and the like do not repeat: how it was paid, and which item stands below which.

        It never changes, so what was read for invoices serves shipments and credit memos too.
        """
        wanted = {number for number in order_ids if isinstance(number, int)}
        unknown = sorted(number for number in wanted if str(number) not in self._orders)
        if len(self._orders) + len(unknown) > _REMEMBERED:
            self._orders.clear()
            unknown = sorted(wanted)
        if unknown:
            self._orders.update((str(order[ID]), _known(order)) for order in self._read_orders(unknown))
        return self._orders

    def _read_orders(self, numbers: Sequence[int]) -> list[Payload]:
        """These orders, as far as the shop can load them: one that it cannot breaks a page, and is left out."""
        fields = f"{_OF_ORDER},total_count"
        asked = query(_among(ID, numbers), order=(ID,), page_size=len(numbers), fields=fields)
        answer = self._door.get(f"orders?{asked}")
        if answer.status != 404:
            return found_in(answer).items
        middle = len(numbers) // 2
        return [*self._read_orders(numbers[:middle]), *self._read_orders(numbers[middle:])] if middle else []

    def _detailed(self, customer: Payload) -> Payload:
        """The customer with what the list leaves out. One that is gone meanwhile, or has no id, stays as it is."""
        number, website = customer.get("id"), customer.get("website_id")
        if not isinstance(number, int):
            return customer
        if "consent" in self._details and not _tells_consent(customer):
            customer = self._with_consent(customer, number)
        if "balance" in self._details and isinstance(website, int):
            customer = self._with_balance(customer, number, website)
        return customer

    def _with_consent(self, customer: Payload, number: int) -> Payload:
        """Only the newsletter answer: the rest may be newer than the window."""
        answer = self._door.get(f"customers/{number}")
        told = answer.json() if answer.status == 200 else {}
        if not _tells_consent(told):
            return customer
        extension = customer.get("extension_attributes") or {}
        answered = {"is_subscribed": told["extension_attributes"]["is_subscribed"]}
        return {**customer, "extension_attributes": {**extension, **answered}}

    def _with_balance(self, customer: Payload, number: int, website: int) -> Payload:
        """Store credit is a part of Adobe Commerce; elsewhere the answer is 404."""
        answer = self._door.get(f"customers/{number}/balance/{website}")
        return {**customer, "balance": answer.json()} if answer.status == 200 else customer


def _among(field: str, numbers: Iterable[int]) -> tuple[Group, ...]:
    listed = ",".join(map(str, numbers))
    return ((Filter(field, "in", listed),),) if listed else ()


def _known(order: Payload) -> Payload:
    """Always in the same words, whatever a shop adds: it becomes part of another record's payload."""
    payment, items = order.get("payment") or {}, order.get("items") or []
    return {
        "payment": {"method": payment.get("method")},
        "items": [{"item_id": item.get("item_id"), "parent_item_id": item.get("parent_item_id")} for item in items],
    }


def _tells_consent(customer: Payload) -> bool:
    extension = customer.get("extension_attributes")
    return isinstance(extension, dict) and isinstance(extension.get("is_subscribed"), bool)
