"""The vendor's shapes of what is sold: orders, and the invoices, shipments and credit memos that follow them."""

from connectors.magento.payloads import Amount, CurrencyCode, Id, Shape, Text, Time


class OrderAddress(Shape):
    """Billing or shipping address of an order."""

    firstname: Text = None
    middlename: Text = None
    lastname: Text = None
    prefix: Text = None
    suffix: Text = None
    company: Text = None
    street: tuple[str, ...] = ()
    postcode: Text = None
    city: Text = None
    region: Text = None
    country_id: Text = None
    telephone: Text = None
    email: Text = None


class OrderItem(Shape):
    """A position. What was chosen of a configurable or bundled product stands as items below it."""

    item_id: Id
    parent_item_id: Text = None
    product_type: Text = None
    sku: Text = None
    name: Text = None
    qty_ordered: Amount = 1.0
    price_incl_tax: Amount | None = None
    price: Amount | None = None
    row_total: Amount | None = None
    tax_amount: Amount | None = None
    tax_percent: Amount | None = None
    discount_amount: Amount | None = None
    discount_tax_compensation_amount: Amount | None = None
    weee_tax_applied_row_amount: Amount | None = None
    """A fixed tax on the product, e.g. for its disposal."""


Items = tuple[OrderItem, ...]


class Payment(Shape):
    """How it was paid. Card data is taken out before a payload becomes one of ours."""

    method: Text = None
    last_trans_id: Text = None
    amount_authorized: Amount | None = None


class Shipping(Shape):
    """Where the goods go and how."""

    address: OrderAddress | None = None
    method: Text = None


class ShippingAssignment(Shape):
    """A part of the order that goes to one address; core shops have one."""

    shipping: Shipping = Shipping()


class AppliedTax(Shape):
    """One tax over the whole order; `percent` is 19 for 19 %."""

    title: Text = None
    code: Text = None
    percent: Amount | None = None
    amount: Amount


class OrderExtension(Shape):
    """What modules add to an order."""

    shipping_assignments: tuple[ShippingAssignment, ...] = ()
    applied_taxes: tuple[AppliedTax, ...] = ()
    customer_balance_amount: Amount | None = None
    gift_cards_amount: Amount | None = None
    reward_currency_amount: Amount | None = None
    reward_points_balance: Text = None
    pickup_location_code: Text = None
    loyalty_number: Text = None
    """This and the two below: by the shop's loyalty module, not by the vendor."""
    loyalty_points_earned: int | None = None
    loyalty_points_redeemed: int | None = None


class Order(Shape):
    """An order with everything the list of orders brings."""

    entity_id: Id
    increment_id: Id
    state: Text = None
    status: Id
    store_id: Text = None
    created_at: Time
    updated_at: Time | None = None
    order_currency_code: CurrencyCode
    customer_id: Text = None
    customer_is_guest: int | None = None
    customer_email: Text = None
    customer_firstname: Text = None
    customer_middlename: Text = None
    customer_lastname: Text = None
    customer_prefix: Text = None
    customer_suffix: Text = None
    customer_dob: Text = None
    customer_gender: Text = None
    customer_group_id: Text = None
    customer_taxvat: Text = None
    grand_total: Amount
    total_paid: Amount | None = None
    total_invoiced: Amount | None = None
    total_refunded: Amount | None = None
    tax_amount: Amount | None = None
    shipping_amount: Amount | None = None
    shipping_incl_tax: Amount | None = None
    shipping_discount_amount: Amount | None = None
    coupon_code: Text = None
    discount_description: Text = None
    shipping_description: Text = None
    ext_order_id: Text = None
    ext_customer_id: Text = None
    original_increment_id: Text = None
    relation_parent_real_id: Text = None
    store_name: Text = None
    items: Items
    billing_address: OrderAddress | None = None
    payment: Payment = Payment()
    extension_attributes: OrderExtension = OrderExtension()


class ItemOfOrder(Shape):
    """Which position of the order an item is, and below which it stands."""

    item_id: Id
    parent_item_id: Text = None


class KnownOrder(Shape):
    """What the vendor tells with the order only, and never changes."""

    payment: Payment = Payment()
    items: tuple[ItemOfOrder, ...] = ()


class Positioned(Shape):
    """A number of pieces of one position of the order."""

    order_item_id: Id
    qty: Amount | None = None
    price: Amount | None = None


class Apart(Shape):
    """Added by us to what follows an order: what was read apart from it."""

    order: KnownOrder | None = None


Pieces = tuple[Positioned, ...]


class Vouchers(Shape):
    """What was paid, or paid back, by store credit and gift cards; totals leave it out."""

    customer_balance_amount: Amount | None = None
    gift_cards_amount: Amount | None = None


class FollowsOrder(Shape):
    """What invoices, shipments and credit memos have in common."""

    entity_id: Id
    order_id: Id
    store_id: Text = None
    created_at: Time | None = None
    updated_at: Time | None = None
    items: Pieces = ()
    read_apart: Apart = Apart()


class Invoice(FollowsOrder):
    """A demand for money; state 2 is paid."""

    state: int | None = None
    grand_total: Amount
    order_currency_code: CurrencyCode
    transaction_id: Text = None


class Comment(Shape):
    """A remark on a credit memo."""

    comment: Text = None


class CreditMemo(FollowsOrder):
    """Money that goes back and what came back for it; state 3 is canceled."""

    state: int | None = None
    grand_total: Amount
    order_currency_code: CurrencyCode
    comments: tuple[Comment, ...] = ()
    extension_attributes: Vouchers = Vouchers()


class Track(Shape):
    """A parcel of a shipment."""

    entity_id: Text = None
    track_number: Text = None
    carrier_code: Text = None
    title: Text = None
    created_at: Time | None = None


class Shipment(FollowsOrder):
    """Goods that left, in one or more parcels."""

    tracks: tuple[Track, ...] = ()


class Transaction(Shape):
    """What passed between the shop and who moves its money. The vendor does not say how much it was."""

    transaction_id: Id
    order_id: Id
    created_at: Time | None = None


class Returned(Shape):
    """A number of pieces that the customer wants to bring back."""

    order_item_id: Id
    qty_requested: Amount | None = None


class ReturnRequest(Shape):
    """Goods that a customer wants to bring back, and how far that has come. Credit memos tell what did come back."""

    entity_id: Id
    increment_id: Text = None
    order_id: Id
    store_id: Text = None
    customer_id: Text = None
    date_requested: Time
    status: Text = None
    items: tuple[Returned, ...] = ()
