"""The parts of an order that we read, as the vendor names them."""

from decimal import Decimal

from pydantic import Field

from connectors.commercetools.payloads import (
    CustomFields,
    Id,
    Instant,
    KeyReference,
    Payload,
    Reference,
    VendorAddress,
    VendorMoney,
)


class DiscountPortion(Payload):
    """What one discount takes off."""

    discount: Reference
    discounted_amount: VendorMoney


class DiscountedPrice(Payload):
    """A price after discounts, and the discounts."""

    value: VendorMoney
    included_discounts: list[DiscountPortion] = Field(default_factory=list)


class DiscountedQuantity(Payload):
    """How many of a line's pieces have this discounted price."""

    quantity: int
    discounted_price: DiscountedPrice


class ProductDiscount(Payload):
    """The price of a variant while a product discount holds."""

    value: VendorMoney
    discount: Reference


class VendorPrice(Payload):
    """The list price of one piece."""

    value: VendorMoney
    discounted: ProductDiscount | None = None


class TaxPortion(Payload):
    """The tax of one rate."""

    name: str | None = None
    rate: Decimal
    amount: VendorMoney


class TaxedPrice(Payload):
    """Net, gross and the taxes between them."""

    total_net: VendorMoney
    total_gross: VendorMoney
    tax_portions: list[TaxPortion] = Field(default_factory=list)
    total_tax: VendorMoney | None = None


class TaxRate(Payload):
    """Which tax holds for a line and whether its price contains it."""

    name: str | None = None
    amount: Decimal
    included_in_price: bool


class Variant(Payload):
    """What was bought."""

    sku: str | None = None


class VendorLine(Payload):
    """What lines of goods and custom lines (fees, engraving, gift wrap) have in common."""

    id: Id
    name: dict[str, str] = Field(default_factory=dict)
    quantity: int
    total_price: VendorMoney
    taxed_price: TaxedPrice | None = None
    tax_rate: TaxRate | None = None
    discounted_price_per_quantity: list[DiscountedQuantity] = Field(default_factory=list)


class GoodsLine(VendorLine):
    """A line of goods."""

    product_id: str | None = None
    variant: Variant
    price: VendorPrice | None = None


class CustomLine(VendorLine):
    """A line that is no product."""

    slug: str | None = None
    money: VendorMoney


class TrackingData(Payload):
    """Where a parcel is."""

    tracking_id: str | None = None
    carrier: str | None = None
    is_return: bool = False


class DeliveryItem(Payload):
    """Pieces of a line in a delivery or parcel; the id is the line's."""

    id: str
    quantity: int


class Parcel(Payload):
    """A box."""

    id: Id
    created_at: Instant | None = None
    tracking_data: TrackingData | None = None
    items: list[DeliveryItem] = Field(default_factory=list)


class Delivery(Payload):
    """What went out together."""

    id: Id
    created_at: Instant | None = None
    items: list[DeliveryItem] = Field(default_factory=list)
    parcels: list[Parcel] = Field(default_factory=list)


class ShippingInfo(Payload):
    """How an order is sent and what that costs."""

    shipping_method_name: str | None = None
    price: VendorMoney
    discounted_price: DiscountedPrice | None = None
    deliveries: list[Delivery] = Field(default_factory=list)


class Shipping(Payload):
    """One of several ways in which the parts of an order are sent."""

    shipping_key: str
    shipping_info: ShippingInfo
    shipping_address: VendorAddress | None = None


class ReturnItem(Payload):
    """Pieces of a line that come back."""

    id: Id
    quantity: int
    line_item_id: str | None = None
    custom_line_item_id: str | None = None
    shipment_state: str | None = None
    payment_state: str | None = None
    created_at: Instant | None = None
    last_modified_at: Instant | None = None


class ReturnInfo(Payload):
    """What came back together."""

    items: list[ReturnItem] = Field(default_factory=list)
    return_date: Instant | None = None
    return_tracking_id: str | None = None


class TotalDiscount(Payload):
    """What was taken off the whole order."""

    discounted_amount: VendorMoney
    included_discounts: list[DiscountPortion] = Field(default_factory=list)


class DiscountCode(Payload):
    """A code somebody typed in, and whether it was good for something."""

    discount_code: Reference
    state: str | None = None


class PaymentInfo(Payload):
    """Which payments belong to an order."""

    payments: list[Reference] = Field(default_factory=list)


class VendorOrder(Payload):
    """An order, current as of its version."""

    id: Id
    created_at: Instant
    last_modified_at: Instant
    completed_at: Instant | None = None
    order_number: str | None = None
    purchase_order_number: str | None = None
    customer_id: str | None = None
    customer_email: str | None = None
    customer_group: Reference | None = None
    anonymous_id: str | None = None
    business_unit: KeyReference | None = None
    store: KeyReference | None = None
    line_items: list[GoodsLine] = Field(default_factory=list)
    custom_line_items: list[CustomLine] = Field(default_factory=list)
    total_price: VendorMoney
    taxed_price: TaxedPrice | None = None
    discount_on_total_price: TotalDiscount | None = None
    discount_codes: list[DiscountCode] = Field(default_factory=list)
    billing_address: VendorAddress | None = None
    shipping_address: VendorAddress | None = None
    shipping_info: ShippingInfo | None = None
    shipping: list[Shipping] = Field(default_factory=list)
    payment_info: PaymentInfo | None = None
    country: str | None = None
    locale: str | None = None
    origin: str | None = None
    order_state: str
    shipment_state: str | None = None
    payment_state: str | None = None
    return_info: list[ReturnInfo] = Field(default_factory=list)
    custom: CustomFields | None = None
