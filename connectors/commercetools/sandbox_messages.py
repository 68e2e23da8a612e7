"""The messages that the sandbox writes when somebody changes something, as far as customers and orders go."""

from collections.abc import Iterator, Mapping
from typing import Any

Held = Mapping[str, Any]
"""A resource as the project holds it."""
Payload = tuple[str, Held]
"""Type of a message and what it says beside the fields that every message has."""

_CUSTOMER = {
    "email": "CustomerEmailChanged",
    "firstName": "CustomerFirstNameSet",
    "lastName": "CustomerLastNameSet",
    "externalId": "CustomerExternalIdSet",
    "stores": "CustomerStoresSet",
}
_ORDER = {
    "orderState": "OrderStateChanged",
    "shipmentState": "OrderShipmentStateChanged",
    "paymentState": "OrderPaymentStateChanged",
    "customerEmail": "OrderCustomerEmailSet",
}


def of_creation(path: str, resource: Held) -> Iterator[Payload]:
    """A customer signed up, or an order was placed."""
    if path == "customers":
        yield "CustomerCreated", {"customer": resource}
    elif path == "orders":
        yield "OrderCreated", {"order": resource}


def of_change(path: str, before: Held, after: Held) -> Iterator[Payload]:
    """What changed, in the order of the fields above; what no message tells of gives none."""
    named = {"customers": _CUSTOMER, "orders": _ORDER}.get(path, {})
    for field, kind in named.items():
        if before.get(field) != after.get(field):
            yield kind, {field: after[field]} if field in after else {}
    if path == "customers" and before.get("custom") != after.get("custom"):
        yield "CustomerCustomTypeSet", {"customFields": after.get("custom", {})}
    if path == "orders" and before.get("customerId") != after.get("customerId"):
        yield "OrderCustomerSet", {"customer": {"typeId": "customer", "id": after.get("customerId")}}
    for added in after.get("returnInfo", [])[len(before.get("returnInfo", [])) :]:
        yield "ReturnInfoAdded", {"returnInfo": added}


def of_deletion(path: str, resource: Held) -> Iterator[Payload]:
    """The only trace that a deleted resource leaves."""
    if path == "customers":
        yield "CustomerDeleted", {"email": resource["email"]}
    elif path == "orders":
        yield "OrderDeleted", {"order": resource}
