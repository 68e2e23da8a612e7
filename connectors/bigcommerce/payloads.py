"""The vendor's shapes, as far as we read them. Lenient where the vendor is: ids and amounts come as text or number."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator


def _text(value: object) -> object:
    """Numbers are told as text now and then; an empty text says nothing."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if value != "" else None


def moment(value: object) -> datetime | None:
    """RFC 2822 (v2) or ISO 8601 (v3). Without a zone it is UTC; an empty text says nothing. Raises ValueError."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("expected a date and time as text")
    try:
        at = datetime.fromisoformat(value) if value[:4].isdigit() else parsedate_to_datetime(value)
    except ValueError:
        raise ValueError("expected a date and time, as RFC 2822 or ISO 8601") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _amount(value: object) -> object:
    """Amounts are text with four decimals (v2) or numbers (v3)."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("expected a finite number")
    return value


def _amount_or_none(value: object) -> object:
    """An amount that the vendor leaves out, or leaves empty, where nothing is charged."""
    return "0" if value is None or value == "" else _amount(value)


def _is_link(value: object) -> bool:
    """Whether a link stands where a sub-resource was not asked for."""
    return isinstance(value, dict) and "resource" in value


def _listed(value: object) -> object:
    return [] if value is None or _is_link(value) else value


def _table(value: object) -> object:
    return {} if value is None or value == [] or _is_link(value) else value


Text = Annotated[str | None, BeforeValidator(_text)]
Id = Annotated[str, StringConstraints(min_length=1), BeforeValidator(_text)]
Instant = Annotated[datetime | None, BeforeValidator(moment)]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
AmountOrNone = Annotated[Decimal, BeforeValidator(_amount_or_none)]


class Shape(BaseModel):
    """Fields that we do not know stay in the raw payload."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Priced(Shape):
    """Amounts are in the currency that was paid (`default_currency_code`); `currency_code` is how prices were shown."""

    default_currency_code: CurrencyCode | None = None
    currency_code: CurrencyCode | None = None

    @model_validator(mode="after")
    def _has_currency(self) -> Self:
        if self.default_currency_code is None and self.currency_code is None:
            raise ValueError("expected default_currency_code or currency_code, as ISO 4217")
        return self

    @property
    def currency(self) -> str:
        """The currency of every amount here."""
        return self.default_currency_code or self.currency_code or ""


class CustomerAddress(Shape):
    """An address in a customer's book."""

    first_name: Text = None
    last_name: Text = None
    company: Text = None
    address1: Text = None
    address2: Text = None
    city: Text = None
    state_or_province: Text = None
    postal_code: Text = None
    country_code: Text = None
    country: Text = None
    phone: Text = None
    address_type: Text = None


class AttributeValue(Shape):
    """A custom attribute of a customer; its name stands in `attribute_names` of the customer."""

    attribute_id: Id
    attribute_value: Annotated[Text, Field(validation_alias=AliasChoices("attribute_value", "value"))] = None


class FormField(Shape):
    """An answer in the sign-up form."""

    name: str
    value: Any = None


class StoreCredit(Shape):
    """Money the shop owes the customer, in the shop's own currency, which is not told."""

    amount: Amount


class Customer(Shape):
    """A registered customer with everything that `include` brings."""

    id: Id
    email: Text = None
    first_name: Text = None
    last_name: Text = None
    company: Text = None
    phone: Text = None
    customer_group_id: Text = None
    tax_exempt_category: Text = None
    date_created: Instant = None
    date_modified: Instant = None
    accepts_product_review_abandoned_cart_emails: bool | None = None
    origin_channel_id: Text = None
    addresses: Annotated[list[CustomerAddress], BeforeValidator(_listed)] = []
    attributes: Annotated[list[AttributeValue], BeforeValidator(_listed)] = []
    form_fields: Annotated[list[FormField], BeforeValidator(_listed)] = []
    store_credit_amounts: Annotated[list[StoreCredit], BeforeValidator(_listed)] = []
    attribute_names: dict[str, str] = {}
    """Added by us: names of the attributes above, which the vendor tells apart from the customers."""


class Subscriber(Shape):
    """An entry of the newsletter list, whether or not it belongs to a customer."""

    id: Id
    email: Id
    first_name: Text = None
    last_name: Text = None
    channel_id: Text = None
    date_created: Instant = None
    date_modified: Instant = None
    consents: list[str] | None = None


class OrderAddress(Shape):
    """Billing or shipping address of an order."""

    id: Text = None
    first_name: Text = None
    last_name: Text = None
    company: Text = None
    street_1: Text = None
    street_2: Text = None
    city: Text = None
    state: Text = None
    zip: Text = None
    country: Text = None
    country_iso2: Text = None
    phone: Text = None
    email: Text = None
    shipping_method: Text = None


class AppliedDiscount(Shape):
    """A discount's share in one product; with target `order` it is a part of a discount of the whole order."""

    amount: Amount
    name: Text = None
    code: Text = None
    target: Text = None


class OrderProduct(Shape):
    """A position of an order."""

    id: Id
    name: Text = None
    sku: Text = None
    quantity: Amount
    price_inc_tax: Amount
    total_inc_tax: Amount
    applied_discounts: Annotated[list[AppliedDiscount], BeforeValidator(_listed)] = []


Products = Annotated[list[OrderProduct], BeforeValidator(_listed)]


class Consignment(OrderAddress):
    """Where a part of the order goes: to an address, to a place of collection, or by e-mail."""

    pickup_method_display_name: Text = None
    line_items: Products = []


Consigned = Annotated[list[Consignment], BeforeValidator(_listed)]


class EmailConsignments(Shape):
    """Gift certificates that are sent by e-mail."""

    gift_certificates: Consigned = []


class Consignments(Shape):
    """All parts of an order by how they leave the shop."""

    shipping: Consigned = []
    pickups: Consigned = []
    downloads: Consigned = []
    email: Annotated[EmailConsignments, BeforeValidator(_table)] = EmailConsignments()


class Coupon(Shape):
    """A coupon that was used on the order."""

    code: Text = None
    type: int | None = None
    discount: Amount


class OrderTax(Shape):
    """A tax on one line, on shipping or on handling."""

    name: Text = None
    rate: Amount
    line_amount: Amount
    order_product_id: Text = None
    line_item_type: Text = None


class ShippedItem(Shape):
    """A position in a parcel."""

    order_product_id: Id


class Shipment(Shape):
    """A parcel."""

    id: Id
    date_created: Instant = None
    tracking_number: Text = None
    tracking_carrier: Text = None
    shipping_method: Text = None
    shipping_provider: Text = None
    items: Annotated[list[ShippedItem], BeforeValidator(_listed)] = []


class Transaction(Shape):
    """A movement at the payment provider."""

    id: Id
    event: str
    method: str
    amount: Amount
    currency: str
    status: Text = None
    date_created: Instant = None
    gateway_transaction_id: Text = None


class Fee(Shape):
    """A charge that belongs to no product."""

    id: Id
    display_name_customer: Text = None
    cost_inc_tax: Amount


class Metafield(Shape):
    """A value that an app keeps with the order."""

    key: str
    value: Text = None


class Order(Priced):
    """An order with the sub-resources that were read for it."""

    id: Id
    customer_id: Text = None
    date_created: Annotated[datetime, BeforeValidator(moment)]
    date_modified: Instant = None
    status: str
    payment_status: Text = None
    payment_method: Text = None
    total_inc_tax: Amount
    total_tax: AmountOrNone = Decimal(0)
    discount_amount: AmountOrNone = Decimal(0)
    store_credit_amount: AmountOrNone = Decimal(0)
    gift_certificate_amount: AmountOrNone = Decimal(0)
    shipping_cost_inc_tax: AmountOrNone = Decimal(0)
    handling_cost_inc_tax: AmountOrNone = Decimal(0)
    wrapping_cost_inc_tax: AmountOrNone = Decimal(0)
    customer_locale: Text = None
    channel_id: Text = None
    order_source: Text = None
    external_source: Text = None
    external_id: Text = None
    external_order_id: Text = None
    cart_id: Text = None
    is_deleted: bool = False
    is_email_opt_in: bool | None = None
    billing_address: OrderAddress | None = None
    products: Products = []
    shipping_addresses: Annotated[list[OrderAddress], BeforeValidator(_listed)] = []
    consignments: Annotated[Consignments, BeforeValidator(_table)] = Consignments()
    shipments: Annotated[list[Shipment], BeforeValidator(_listed)] = []
    coupons: Annotated[list[Coupon], BeforeValidator(_listed)] = []
    taxes: Annotated[list[OrderTax], BeforeValidator(_listed)] = []
    transactions: Annotated[list[Transaction], BeforeValidator(_listed)] = []
    fees: Annotated[list[Fee], BeforeValidator(_listed)] = []
    metafields: Annotated[list[Metafield], BeforeValidator(_listed)] = []


class RefundItem(Shape):
    """What the refund is for."""

    item_type: str
    item_id: Text = None
    quantity: Amount | None = None


class RefundedOrder(Priced):
    """Added by us: the order's currency, which a refund does not tell."""


class Refund(Shape):
    """Money that went back, told apart from the order."""

    id: Id
    order_id: Id
    created: Annotated[datetime, BeforeValidator(moment)]
    reason: Text = None
    total_amount: Amount
    items: Annotated[list[RefundItem], BeforeValidator(_listed)] = []
    order: RefundedOrder
