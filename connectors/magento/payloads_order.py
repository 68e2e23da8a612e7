"""The vendor's shapes of what is sold: orders, and the invoices, shipments and credit memos that follow them."""

from typing import Required

from typing_extensions import TypedDict

from connectors.magento.payloads import Amount, CurrencyCode, Id, Text, Time, as_told


@as_told
class OrderAddress(TypedDict, total=False):
    """Billing or shipping address of an order."""

    firstname: Text
    middlename: Text
    lastname: Text
    prefix: Text
    suffix: Text
    company: Text
    street: list[str]
    postcode: Text
    city: Text
    region: Text
    country_id: Text
    telephone: Text
    email: Text


@as_told
class OrderItem(TypedDict, total=False):
    """A position. What was chosen of a configurable or bundled product stands as items below it."""

    item_id: Required[Id]
    parent_item_id: Text
    sku: Text
    name: Text
    qty_ordered: Amount
    price_incl_tax: Amount | None
    price: Amount | None
    row_total: Amount | None
    tax_amount: Amount | None
    tax_percent: Amount | None
    discount_amount: Amount | None
    discount_tax_compensation_amount: Amount | None
    weee_tax_applied_row_amount: Amount | None
    """A fixed tax on the product, e.g. for its disposal."""


Items = list[OrderItem]


@as_told
class Payment(TypedDict, total=False):
    """How it was paid. Card data is taken out before a payload becomes one of ours."""

    method: Text
    last_trans_id: Text
    amount_authorized: Amount | None


@as_told
class Shipping(TypedDict, total=False):
    """Where the goods go and how."""

    address: OrderAddress | None
    method: Text


@as_told
class ShippingAssignment(TypedDict, total=False):
    """A part of the order that goes to one address; core shops have one."""

    shipping: Shipping


@as_told
class AppliedTax(TypedDict, total=False):
    """One tax over the whole order; `percent` is 19 for 19 %."""

    title: Text
    code: Text
    percent: Amount | None
    amount: Required[Amount]


@as_told
class OrderExtension(TypedDict, total=False):
    """What modules add to an order."""

    shipping_assignments: list[ShippingAssignment]
    applied_taxes: list[AppliedTax]
    customer_balance_amount: Amount | None
    gift_cards_amount: Amount | None
    reward_currency_amount: Amount | None
    reward_points_balance: Text
    pickup_location_code: Text
    loyalty_number: Text
    """This and the two below: by the shop's loyalty module, not by the vendor."""
    loyalty_points_earned: int | None
    loyalty_points_redeemed: int | None


@as_told
class Order(TypedDict, total=False):
    """An order with everything the list of orders brings."""

    entity_id: Required[Id]
    increment_id: Required[Id]
    state: Text
    status: Required[Id]
    store_id: Text
    created_at: Required[Time]
    updated_at: Time | None
    order_currency_code: Required[CurrencyCode]
    customer_id: Text
    customer_is_guest: int | None
    customer_email: Text
    customer_firstname: Text
    customer_middlename: Text
    customer_lastname: Text
    customer_prefix: Text
    customer_suffix: Text
    customer_dob: Text
    customer_gender: Text
    customer_group_id: Text
    customer_taxvat: Text
    grand_total: Required[Amount]
    total_paid: Amount | None
    total_invoiced: Amount | None
    total_refunded: Amount | None
    tax_amount: Amount | None
    shipping_amount: Amount | None
    shipping_incl_tax: Amount | None
    shipping_discount_amount: Amount | None
    coupon_code: Text
    discount_description: Text
    shipping_description: Text
    ext_order_id: Text
    ext_customer_id: Text
    original_increment_id: Text
    relation_parent_real_id: Text
    store_name: Text
    items: Required[Items]
    billing_address: OrderAddress | None
    payment: Payment
    extension_attributes: OrderExtension


@as_told
class ItemOfOrder(TypedDict, total=False):
    """Which position of the order an item is, and below which it stands."""

    item_id: Required[Id]
    parent_item_id: Text


@as_told
class KnownOrder(TypedDict, total=False):
    """What the vendor tells with the order only, and never changes."""

    payment: Payment
    items: list[ItemOfOrder]


@as_told
class Positioned(TypedDict, total=False):
    """A number of pieces of one position of the order."""

    order_item_id: Required[Id]
    qty: Amount | None
    price: Amount | None


@as_told
class Apart(TypedDict, total=False):
    """Added by us to what follows an order: what was read apart from it."""

    order: KnownOrder | None


Pieces = list[Positioned]


@as_told
class Vouchers(TypedDict, total=False):
    """What was paid, or paid back, by store credit and gift cards; totals leave it out."""

    customer_balance_amount: Amount | None
    gift_cards_amount: Amount | None


@as_told
class FollowsOrder(TypedDict, total=False):
    """What invoices, shipments and credit memos have in common."""

    entity_id: Required[Id]
    order_id: Required[Id]
    store_id: Text
    created_at: Time | None
    updated_at: Time | None
    items: Pieces
    read_apart: Apart


@as_told
class Invoice(FollowsOrder, total=False):
    """A demand for money; state 2 is paid."""

    state: int | None
    grand_total: Required[Amount]
    order_currency_code: Required[CurrencyCode]
    transaction_id: Text


@as_told
class Comment(TypedDict, total=False):
    """A remark on a credit memo."""

    comment: Text


@as_told
class CreditMemo(FollowsOrder, total=False):
    """Money that goes back and what came back for it; state 3 is canceled."""

    state: int | None
    grand_total: Required[Amount]
    order_currency_code: Required[CurrencyCode]
    comments: list[Comment]
    extension_attributes: Vouchers


@as_told
class Track(TypedDict, total=False):
    """A parcel of a shipment."""

    entity_id: Text
    track_number: Text
    carrier_code: Text
    title: Text
    created_at: Time | None


@as_told
class Shipment(FollowsOrder, total=False):
    """Goods that left, in one or more parcels."""

    tracks: list[Track]


@as_told
class Transaction(TypedDict, total=False):
    """What passed between the shop and who moves its money. The vendor does not say how much it was."""

    transaction_id: Required[Id]
    order_id: Required[Id]
    created_at: Time | None


@as_told
class Returned(TypedDict, total=False):
    """A number of pieces that the customer wants to bring back."""

    order_item_id: Required[Id]
    qty_requested: Amount | None


@as_told
class ReturnRequest(TypedDict, total=False):
    """Goods that a customer wants to bring back, and how far that has come. Credit memos tell what did come back."""

    entity_id: Required[Id]
    increment_id: Text
    order_id: Required[Id]
    store_id: Text
    customer_id: Text
    date_requested: Required[Time]
    status: Text
    items: list[Returned]
