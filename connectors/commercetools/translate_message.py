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
    event = _event(told)
    customer, order = _customer(told), told.resource.id if told.resource.type_id == "order" else None
    if event is None:
        return Other(what=told.type, customer=customer, order=order, attributes=_attributes(told))
    return Event(
        event=event,
        at=told.created_at,
        customer=customer,
        anonymous=told.order.anonymous_id if told.order else None,
        order=order,
        store=_store(told),
        attributes=_attributes(told) | {"message": told.type},
    )


def _event(told: VendorMessage) -> EventKind | None:
    if told.type == "OrderStateChanged" and told.order_state == "Cancelled":
        return "cancellation"
    return _EVENTS.get(told.type)


def _customer(told: VendorMessage) -> str | None:
    if told.resource.type_id == "customer":
        return told.resource.id
    if told.order:
        return told.order.customer_id or None
    return told.customer.id if told.customer else None


def _store(told: VendorMessage) -> str | None:
    if told.order and told.order.store:
        return told.order.store.key
    return told.customer.stores[0].key if told.customer and told.customer.stores else None


def _attributes(told: VendorMessage) -> dict[str, str]:
    named = told.resource_user_provided_identifiers
    return without_blanks(
        {
            "sequence": str(told.sequence_number),
            "key": named.key,
            "external_id": named.external_id,
            "customer_number": named.customer_number,
            "order_number": named.order_number or (told.order.order_number if told.order else None),
            "origin": told.order.origin if told.order else None,
            "order_state": told.order_state,
        }
    )
