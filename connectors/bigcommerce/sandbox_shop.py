"""The sandbox's memory: a store's objects in the vendor's shapes, and the changes that people make to them.

Dates are kept as datetimes and written as each version of the API writes them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Payload = dict[str, Any]
Parts = dict[int, list[Payload]]


def _nothing(_: str) -> None:
    return None


@dataclass
class Shop:
    """Everything one store holds, by id. Tests may change it while it is being read."""

    customers: dict[int, Payload] = field(default_factory=dict)
    """With `addresses`, `attributes`, `form_fields` and `store_credit_amounts`, shown as `include` asks."""
    attribute_names: dict[int, str] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    """Customer groups: id -> name."""
    consents: dict[int, Payload] = field(default_factory=dict)
    """Cookies that a customer allows and denies, by the customer's id."""
    subscribers: dict[int, Payload] = field(default_factory=dict)
    orders: dict[int, Payload] = field(default_factory=dict)
    """With `products` and `shipping_addresses` in full; answers show links or consignments in their place."""
    shipments: Parts = field(default_factory=dict)
    coupons: Parts = field(default_factory=dict)
    taxes: Parts = field(default_factory=dict)
    transactions: Parts = field(default_factory=dict)
    metafields: Parts = field(default_factory=dict)
    refunds: dict[int, Payload] = field(default_factory=dict)
    before_answer: Callable[[str], None] = _nothing
    """Called with the path of each request before it is answered: the moment at which a test changes things."""
    asked: list[str] = field(default_factory=list)
    """Path and query of each request that was answered, in order."""

    def edit_customer(self, customer_id: int, at: datetime, **fields: object) -> None:
        """Change a customer; the vendor moves `date_modified`."""
        self.customers[customer_id].update(fields, date_modified=at)

    def edit_address(self, customer_id: int, place: int, **fields: object) -> None:
        """Change an address through the API: the customer's `date_modified` stays where it was."""
        self.customers[customer_id]["addresses"][place].update(fields)

    def edit_attribute(self, customer_id: int, attribute_id: int, value: str, at: datetime) -> None:
        """Change an attribute: the value's own date moves, the customer's stays where it was."""
        for told in self.customers[customer_id]["attributes"]:
            if told["attribute_id"] == attribute_id:
                told.update(attribute_value=value, date_modified=at)

    def edit_metafield(self, order_id: int, key: str, value: str, at: datetime) -> None:
        """Change what an app keeps with an order: the field's own date moves, the order's stays where it was."""
        for told in self.metafields[order_id]:
            if told["key"] == key:
                told.update(value=value, date_modified=at)

    def edit_shipment(self, order_id: int, place: int, **fields: object) -> None:
        """Change a parcel, e.g. its tracking number: the order's date stays where it was."""
        self.shipments[order_id][place].update(fields)

    def remove_customer(self, customer_id: int) -> None:
        """A hard delete; orders keep the id."""
        del self.customers[customer_id]

    def remove_subscriber(self, subscriber_id: int) -> None:
        """Taken off the newsletter list."""
        del self.subscribers[subscriber_id]

    def remove_order(self, order_id: int) -> None:
        """Gone for good, as when the vendor empties the archive."""
        del self.orders[order_id]

    def edit_subscriber(self, subscriber_id: int, at: datetime, **fields: object) -> None:
        """Change an entry of the newsletter list."""
        self.subscribers[subscriber_id].update(fields, date_modified=at)

    def edit_order(self, order_id: int, at: datetime, **fields: object) -> None:
        """Change an order; the vendor moves `date_modified`."""
        self.orders[order_id].update(fields, date_modified=at)

    def spoil_order(self, order_id: int) -> None:
        """Break what nobody can do without: the total is no number and the date no date."""
        self.orders[order_id].update(total_inc_tax="n/a", date_created="unknown")

    def archive_order(self, order_id: int, at: datetime) -> None:
        """What the vendor calls deleting: gone from lists, still readable by id."""
        self.edit_order(order_id, at, is_deleted=True)

    def listed_orders(self) -> list[Payload]:
        """Orders that lists show."""
        return [order for order in self.orders.values() if not order["is_deleted"]]

    def parts(self, name: str, order_id: int) -> list[Payload]:
        """The sub-resource of an order. Raises KeyError for an unknown order."""
        order = self.orders[order_id]
        if name in {"products", "shipping_addresses"}:
            return list(order[name])
        by_order: Mapping[str, Parts] = {
            "shipments": self.shipments,
            "coupons": self.coupons,
            "taxes": self.taxes,
            "transactions": self.transactions,
            "metafields": self.metafields,
        }
        return by_order[name].get(order_id, [])
