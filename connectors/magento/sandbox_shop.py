"""The sandbox's memory: an installation's objects in the vendor's shapes, and the changes that people make to them.

Times are kept as datetimes in UTC and written without a zone; what is None is left out of answers, as the vendor does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Payload = dict[str, Any]
Objects = dict[int, Payload]


_SHOPS_OWN = frozenset({"id", "group_id", "created_at", "created_in", "store_id", "website_id", "extension_attributes"})


def _nothing(_: str) -> None:
    return None


@dataclass
class Shop:
    """Everything one installation holds, by id. Tests may change it while it is being read."""

    customers: Objects = field(default_factory=dict)
    balances: dict[tuple[int, int], float] = field(default_factory=dict)
    """Store credit by customer and website."""
    orders: Objects = field(default_factory=dict)
    invoices: Objects = field(default_factory=dict)
    shipments: Objects = field(default_factory=dict)
    creditmemos: Objects = field(default_factory=dict)
    transactions: Objects = field(default_factory=dict)
    returns: Objects = field(default_factory=dict)
    store_views: dict[int, int] = field(default_factory=dict)
    """Website by store view."""
    before_answer: Callable[[str], None] = _nothing
    """Called with the path of each request before it is answered: the moment at which a test changes things."""
    asked: list[str] = field(default_factory=list)
    """Path and query of each request that was answered, in order."""

    def edit_customer(self, customer_id: int, at: datetime, **fields: object) -> None:
        """Change a customer; the vendor moves `updated_at`."""
        self.customers[customer_id].update(fields, updated_at=at)

    def replace_customer(self, customer_id: int, at: datetime, told: Payload) -> None:
        """Write a customer as the vendor does: what is left out is gone, but for what is the shop's own."""
        own = {name: value for name, value in self.customers[customer_id].items() if name in _SHOPS_OWN}
        self.customers[customer_id] = {"addresses": [], "custom_attributes": [], **own, **told, "updated_at": at}

    def edit_address(self, customer_id: int, place: int, **fields: object) -> None:
        """Change an address by itself: the customer's `updated_at` stays where it was."""
        self.customers[customer_id]["addresses"][place].update(fields)

    def remove_customer(self, customer_id: int) -> None:
        """A hard delete. Orders lose the id, and nobody moves their `updated_at`."""
        del self.customers[customer_id]
        for order in self.orders.values():
            if order["customer_id"] == customer_id:
                order["customer_id"] = None

    def remove(self, name: str, number: int) -> None:
        """Delete something that was sold, in the database: the vendor's own pages do not offer it."""
        del self.sold(name)[number]

    def sold(self, name: str) -> Objects:
        """The objects that go by this name."""
        return {
            "order": self.orders,
            "invoice": self.invoices,
            "shipment": self.shipments,
            "creditmemo": self.creditmemos,
            "transaction": self.transactions,
            "return": self.returns,
        }[name]

    def decide_return(self, number: int, status: str) -> None:
        """Authorise, refuse or close a return: nobody keeps when."""
        self.returns[number].update(status=status)

    def edit_order(self, order_id: int, at: datetime, **fields: object) -> None:
        """Change an order; the vendor moves `updated_at`."""
        self.orders[order_id].update(fields, updated_at=at)

    def spoil_order(self, order_id: int) -> None:
        """Break what nobody can do without: the total is no number and the date no date."""
        self.orders[order_id].update(grand_total="n/a", created_at="unknown")
