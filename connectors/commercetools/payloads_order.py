"""The parts of an order that we read, as the vendor names them."""

from decimal import Decimal
from typing import Required

from typing_extensions import TypedDict

from connectors.commercetools.payloads import (
    CustomFields,
    Id,
    Instant,
    KeyReference,
    Reference,
    Texts,
    VendorAddress,
    VendorMoney,
    as_told,
)


@as_told
class DiscountPortion(TypedDict):
    """What one discount takes off."""

    discount: Reference
    discounted_amount: VendorMoney


@as_told
class DiscountedPrice(TypedDict, total=False):
    """A price after discounts, and the discounts."""

    value: Required[VendorMoney]
    included_discounts: list[DiscountPortion]


@as_told
class DiscountedQuantity(TypedDict):
    """How many of a line's pieces have this discounted price."""

    quantity: int
    discounted_price: DiscountedPrice


@as_told
class ProductDiscount(TypedDict):
    """The price of a variant while a product discount holds."""

    value: VendorMoney
    discount: Reference


@as_told
class VendorPrice(TypedDict, total=False):
    """The list price of one piece."""

    value: Required[VendorMoney]
    discounted: ProductDiscount | None


@as_told
class TaxPortion(TypedDict, total=False):
    """The tax of one rate."""

    name: str | None
    rate: Required[Decimal]
    amount: Required[VendorMoney]


@as_told
class TaxedPrice(TypedDict, total=False):
    """Gross, and the taxes in it."""

    total_gross: Required[VendorMoney]
    tax_portions: list[TaxPortion]
    total_tax: VendorMoney | None


@as_told
class TaxRate(TypedDict, total=False):
    """Which tax holds for a line and whether its price contains it."""

    name: str | None
    amount: Required[Decimal]
    included_in_price: Required[bool]


@as_told
class Variant(TypedDict, total=False):
    """What was bought."""

    sku: str | None


@as_told
class VendorLine(TypedDict, total=False):
    """What lines of goods and custom lines (fees, engraving, gift wrap) have in common."""

    id: Required[Id]
    name: Texts
    quantity: Required[int]
    total_price: Required[VendorMoney]
    taxed_price: TaxedPrice | None
    tax_rate: TaxRate | None
    discounted_price_per_quantity: list[DiscountedQuantity]


@as_told
class GoodsLine(VendorLine, total=False):
    """A line of goods."""

    product_id: str | None
    variant: Required[Variant]
    price: VendorPrice | None


@as_told
class CustomLine(VendorLine, total=False):
    """A line that is no product."""

    slug: str | None
    money: Required[VendorMoney]


@as_told
class TrackingData(TypedDict, total=False):
    """Where a parcel is."""

    tracking_id: str | None
    carrier: str | None
    is_return: bool


@as_told
class DeliveryItem(TypedDict):
    """Pieces of a line in a delivery or parcel; the id is the line's."""

    id: str


@as_told
class Parcel(TypedDict, total=False):
    """A box."""

    id: Required[Id]
    created_at: Instant | None
    tracking_data: TrackingData | None
    items: list[DeliveryItem]


@as_told
class Delivery(TypedDict, total=False):
    """What went out together."""

    id: Required[Id]
    created_at: Instant | None
    items: list[DeliveryItem]
    parcels: list[Parcel]


@as_told
class ShippingInfo(TypedDict, total=False):
    """How an order is sent and what that costs."""

    shipping_method_name: str | None
    price: Required[VendorMoney]
    discounted_price: DiscountedPrice | None
    deliveries: list[Delivery]


@as_told
class Shipping(TypedDict, total=False):
    """One of several ways in which the parts of an order are sent."""

    shipping_key: Required[str]
    shipping_info: Required[ShippingInfo]
    shipping_address: VendorAddress | None


@as_told
class ReturnItem(TypedDict, total=False):
    """Pieces of a line that come back."""

    id: Required[Id]
    quantity: Required[int]
    line_item_id: str | None
    custom_line_item_id: str | None
    shipment_state: str | None
    comment: str | None
    created_at: Instant | None


@as_told
class ReturnInfo(TypedDict, total=False):
    """What came back together."""

    items: list[ReturnItem]
    return_date: Instant | None
    return_tracking_id: str | None


@as_told
class TotalDiscount(TypedDict, total=False):
    """What was taken off the whole order."""

    discounted_amount: Required[VendorMoney]
    included_discounts: list[DiscountPortion]


@as_told
class DiscountCode(TypedDict):
    """A code somebody typed in."""

    discount_code: Reference


@as_told
class PaymentInfo(TypedDict, total=False):
    """Which payments belong to an order."""

    payments: list[Reference]


@as_told
class VendorOrder(TypedDict, total=False):
    """An order, current as of its version."""

    id: Required[Id]
    created_at: Required[Instant]
    last_modified_at: Required[Instant]
    completed_at: Instant | None
    order_number: str | None
    purchase_order_number: str | None
    customer_id: str | None
    customer_email: str | None
    customer_group: Reference | None
    anonymous_id: str | None
    business_unit: KeyReference | None
    store: KeyReference | None
    line_items: list[GoodsLine]
    custom_line_items: list[CustomLine]
    total_price: Required[VendorMoney]
    taxed_price: TaxedPrice | None
    discount_on_total_price: TotalDiscount | None
    discount_codes: list[DiscountCode]
    billing_address: VendorAddress | None
    shipping_address: VendorAddress | None
    shipping_info: ShippingInfo | None
    shipping: list[Shipping]
    payment_info: PaymentInfo | None
    country: str | None
    locale: str | None
    origin: str | None
    order_state: Required[str]
    shipment_state: str | None
    payment_state: str | None
    return_info: list[ReturnInfo]
    custom: CustomFields | None
