"""A message: something that happened to a customer or an order, told apart from the customer or the order."""

from connectors.commercetools.payloads_project import VendorMessage
from connectors.commercetools.reading import without_blanks
from models.engagement import Event, EventKind
from models.landing import Other

_EVENTS: dict[str, EventKind] = {
    "CustomerCreated": "registration",
    "OrderCreated": "order",
    "OrderImported": "order",
    "ReturnInfoAdded": "return",
}
DELETES = {"CustomerDeleted": "customer", "OrderDeleted": "order"}
"""Type of the message -> object whose record it ends."""


def notice(told: VendorMessage) -> Event | Other:
    """An event where people did something; else a notice that names what changed of whom."""
    event, about, ordered = _event(told), told["resource"], told.get("order")
    customer, order = _customer(told), about["id"] if about["type_id"] == "order" else None
    if event is None:
        return Other(what=told["type"], customer=customer, order=order, attributes=_attributes(told))
    return Event(
        event=event,
        at=told["created_at"],
        customer=customer,
        anonymous=ordered.get("anonymous_id") if ordered else None,
        order=order,
        store=_store(told),
        attributes=_attributes(told) | {"message": told["type"]},
    )


def _event(told: VendorMessage) -> EventKind | None:
    if told["type"] == "OrderStateChanged" and told.get("order_state") == "Cancelled":
        return "cancellation"
    return _EVENTS.get(told["type"])


def _customer(told: VendorMessage) -> str | None:
    about, order, customer = told["resource"], told.get("order"), told.get("customer")
    if about["type_id"] == "customer":
        return about["id"]
    if order is not None:
        return order.get("customer_id") or None
    return customer["id"] if customer else None


def _store(told: VendorMessage) -> str | None:
    order, customer = told.get("order"), told.get("customer")
    if order and (store := order.get("store")):
        return store["key"]
    stores = customer.get("stores") if customer else None
    return stores[0]["key"] if stores else None


def _attributes(told: VendorMessage) -> dict[str, str]:
    named, order = told.get("resource_user_provided_identifiers", {}), told.get("order") or {}
    return without_blanks(
        {
            "sequence": str(told["sequence_number"]),
            "key": named.get("key"),
            "external_id": named.get("external_id"),
            "customer_number": named.get("customer_number"),
            "order_number": named.get("order_number") or order.get("order_number"),
            "origin": order.get("origin"),
            "order_state": told.get("order_state"),
        }
    )
