"""The vendor's shapes, as far as we read them. Lenient where the vendor is: ids and amounts come as text or number.

An empty text says nothing; shapes keep it, and whoever reads one writes `or None`. Shapes are checked dictionaries with
pydantic's own types: models would cost twice as much, and a function of ours for each field more than all the rest.
Amounts stay text until they become money, so that four decimals stay four decimals.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal, Required

from pydantic import AfterValidator, BeforeValidator, ConfigDict, StringConstraints, with_config
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from connectors.payload import named_by_others

_MONTHS = {
    name: f"{number:02}"
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
NUMBER = r"^[+-]?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?$"
"""An amount; bounded, so that no sum of amounts can overflow."""
NUMBER_OR_NOTHING = rf"^$|{NUMBER}"


def moment(value: object) -> datetime | None:
    """RFC 2822 (v2) or ISO 8601 (v3). Without a zone it is UTC; an empty text says nothing. Raises ValueError."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("expected a date and time as text")
    try:
        at = datetime.fromisoformat(value) if value[:4].isdigit() else _rfc_2822(value)
    except (ValueError, OverflowError):
        raise ValueError("expected a date and time, as RFC 2822 or ISO 8601") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _rfc_2822(value: str) -> datetime:
    """`Thu, 15 Jan 2026 17:30:00 +0000`, as the vendor writes nearly all of them, is ISO 8601 in another order."""
    if len(value) != 31 or value[3:5] != ", " or value[5] == " " or not value.endswith(" +0000"):
        return parsedate_to_datetime(value)
    month = _MONTHS.get(value[8:11], "no month")
    return datetime.fromisoformat(f"{value[12:16]}-{month}-{value[5:7]}T{value[17:25]}+00:00")


def _is_link(value: object) -> bool:
    """Whether a link stands where a sub-resource was not asked for."""
    return isinstance(value, dict) and "resource" in value


def _listed(value: object) -> object:
    return [] if value is None or _is_link(value) else value


def _table(value: object) -> object:
    return {} if value is None or value == [] or _is_link(value) else value


Text = str | None
Id = Annotated[str, StringConstraints(min_length=1)]
Instant = Annotated[datetime | None, BeforeValidator(moment)]
Amount = Annotated[str, StringConstraints(pattern=NUMBER)]
AmountOrNone = Annotated[str, StringConstraints(pattern=NUMBER_OR_NOTHING)] | None
"""Left out or left empty where nothing is charged."""
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

_as_told = with_config(ConfigDict(extra="ignore", coerce_numbers_to_str=True))
"""Fields that we do not know stay in the raw payload."""


@_as_told
class Gone(TypedDict):
    """Stands in place of an object that the vendor no longer has. Ours: the vendor answers 404, or leaves it out."""

    id: Id
    gone: Literal[True]


def gone(number: int) -> dict[str, Any]:
    """The payload of an object that is gone."""
    return {"id": number, "gone": True}


@_as_told
class Priced(TypedDict, total=False):
    """Amounts are in the currency that was paid (`default_currency_code`); `currency_code` is how prices were shown."""

    default_currency_code: CurrencyCode | None
    currency_code: CurrencyCode | None


def currency_of(told: Priced) -> str:
    """The currency of every amount here. Raises ValueError where none is told."""
    currency = told.get("default_currency_code") or told.get("currency_code")
    if currency is None:
        raise ValueError("expected default_currency_code or currency_code, as ISO 4217")
    return currency


def _with_currency(told: Priced) -> Priced:
    currency_of(told)
    return told


class Dated(TypedDict, total=False):
    """What bears the time of its last change."""

    date_modified: Instant


def latest(own: Dated, parts: Iterable[Dated]) -> datetime | None:
    """The latest change of an object and its dated parts: the vendor does not move the object's date for those."""
    found = own.get("date_modified")
    for part in parts:
        at = part.get("date_modified")
        if at is not None and (found is None or at > found):
            found = at
    return found


@_as_told
class CustomerAddress(TypedDict, total=False):
    """An address in a customer's book."""

    address1: Text
    address2: Text
    city: Text
    state_or_province: Text
    postal_code: Text
    country_code: Text
    country: Text
    phone: Text
    address_type: Text


@_as_told
class AttributeValue(Dated, total=False):
    """A custom attribute of a customer; its name stands in `attribute_names` of the customer."""

    attribute_id: Required[Id]
    attribute_value: Text
    value: Text
    """The same, by the name under which it is written."""


@_as_told
class FormField(TypedDict, total=False):
    """An answer in the sign-up form."""

    name: Required[str]
    value: Any


@_as_told
class StoreCredit(TypedDict):
    """Money the shop owes the customer, in the shop's own currency, which is not told."""

    amount: Amount


@_as_told
class CookieConsent(TypedDict, total=False):
    """Which cookies and scripts of a storefront the customer allows: essential, functional, analytics, targeting."""

    allow: list[str]
    deny: list[str]


@_as_told
class Customer(Dated, total=False):
    """A registered customer with everything that `include` brings."""

    id: Required[Id]
    email: Text
    first_name: Text
    last_name: Text
    company: Text
    phone: Text
    customer_group_id: Text
    tax_exempt_category: Text
    date_created: Instant
    accepts_product_review_abandoned_cart_emails: bool | None
    origin_channel_id: Text
    addresses: Annotated[list[CustomerAddress], BeforeValidator(_listed)]
    attributes: Annotated[list[AttributeValue], BeforeValidator(_listed)]
    form_fields: Annotated[list[FormField], BeforeValidator(_listed)]
    store_credit_amounts: Annotated[list[StoreCredit], BeforeValidator(_listed)]
    shopper_profile_id: Text
    segment_ids: list[str] | None
    channel_ids: list[str] | None
    attribute_names: Annotated[dict[str, str], named_by_others("expected names by number")]
    """Added by us: names of the attributes above, which the vendor tells apart from the customers."""
    customer_group_name: Text
    """Added by us, from the list of groups."""
    consent: CookieConsent
    """Added by us, if it was asked for."""


@_as_told
class Subscriber(Dated, total=False):
    """An entry of the newsletter list, whether or not it belongs to a customer."""

    id: Required[Id]
    email: Required[Id]
    first_name: Text
    last_name: Text
    channel_id: Text
    date_created: Instant
    consents: list[str] | None
    source: Text
    order_id: Text


@_as_told
class OrderAddress(TypedDict, total=False):
    """Billing or shipping address of an order."""

    first_name: Text
    last_name: Text
    company: Text
    street_1: Text
    street_2: Text
    city: Text
    state: Text
    zip: Text
    country: Text
    country_iso2: Text
    phone: Text
    email: Text
    shipping_method: Text


@_as_told
class AppliedDiscount(TypedDict, total=False):
    """A discount's share in one product; with target `order` it is a part of a discount of the whole order."""

    amount: Required[Amount]
    name: Text
    code: Text
    target: Text


@_as_told
class OrderProduct(TypedDict, total=False):
    """A position of an order."""

    id: Required[Id]
    name: Text
    sku: Text
    quantity: Required[Amount]
    price_inc_tax: Required[Amount]
    total_inc_tax: Required[Amount]
    applied_discounts: Annotated[list[AppliedDiscount], BeforeValidator(_listed)]


Products = Annotated[list[OrderProduct], BeforeValidator(_listed)]


@_as_told
class PickupLocation(TypedDict, total=False):
    """The store where goods are collected."""

    code: Text
    name: Text


@_as_told
class Consignment(OrderAddress, total=False):
    """Where a part of the order goes: to an address, to a place of collection, or by e-mail."""

    id: Text
    pickup_method_display_name: Text
    location: PickupLocation | None
    line_items: Products


Consigned = Annotated[list[Consignment], BeforeValidator(_listed)]


@_as_told
class EmailConsignments(TypedDict, total=False):
    """Gift certificates that are sent by e-mail."""

    gift_certificates: Consigned


@_as_told
class Consignments(TypedDict, total=False):
    """All parts of an order by how they leave the shop."""

    shipping: Consigned
    pickups: Consigned
    downloads: Consigned
    email: Annotated[EmailConsignments, BeforeValidator(_table)]


@_as_told
class Coupon(TypedDict, total=False):
    """A coupon that was used on the order."""

    code: Text
    type: int | None
    discount: Required[Amount]


@_as_told
class OrderTax(TypedDict, total=False):
    """A tax on one line, on shipping or on handling."""

    name: Text
    rate: Required[Amount]
    line_amount: Required[Amount]
    order_product_id: Text
    line_item_type: Text


@_as_told
class ShippedItem(TypedDict):
    """A position in a parcel."""

    order_product_id: Id


@_as_told
class Shipment(TypedDict, total=False):
    """A parcel."""

    id: Required[Id]
    date_created: Instant
    tracking_number: Text
    tracking_carrier: Text
    shipping_method: Text
    shipping_provider: Text
    items: Annotated[list[ShippedItem], BeforeValidator(_listed)]


@_as_told
class Transaction(TypedDict, total=False):
    """A movement at the payment provider."""

    id: Required[Id]
    event: Required[str]
    method: Required[str]
    amount: Required[Amount]
    currency: Required[CurrencyCode]
    status: Text
    date_created: Instant
    gateway_transaction_id: Text


@_as_told
class Fee(TypedDict, total=False):
    """A charge that belongs to no product."""

    id: Required[Id]
    display_name_customer: Text
    cost_inc_tax: Required[Amount]


@_as_told
class Metafield(Dated, total=False):
    """A value that an app keeps with the order."""

    key: Required[str]
    value: Text


@_as_told
class OrderFields(Dated, Priced, total=False):
    """An order with the sub-resources that were read for it."""

    id: Required[Id]
    customer_id: Text
    date_created: Required[Annotated[datetime, BeforeValidator(moment)]]
    status: Required[str]
    payment_status: Text
    payment_method: Text
    total_inc_tax: Required[Amount]
    total_tax: AmountOrNone
    discount_amount: AmountOrNone
    store_credit_amount: AmountOrNone
    gift_certificate_amount: AmountOrNone
    shipping_cost_inc_tax: AmountOrNone
    handling_cost_inc_tax: AmountOrNone
    wrapping_cost_inc_tax: AmountOrNone
    customer_locale: Text
    channel_id: Text
    order_source: Text
    external_source: Text
    external_id: Text
    external_order_id: Text
    cart_id: Text
    is_deleted: bool
    is_email_opt_in: bool | None
    billing_address: OrderAddress | None
    products: Products
    shipping_addresses: Annotated[list[OrderAddress], BeforeValidator(_listed)]
    consignments: Annotated[Consignments, BeforeValidator(_table)]
    shipments: Annotated[list[Shipment], BeforeValidator(_listed)]
    coupons: Annotated[list[Coupon], BeforeValidator(_listed)]
    taxes: Annotated[list[OrderTax], BeforeValidator(_listed)]
    transactions: Annotated[list[Transaction], BeforeValidator(_listed)]
    fees: Annotated[list[Fee], BeforeValidator(_listed)]
    metafields: Annotated[list[Metafield], BeforeValidator(_listed)]


Order = Annotated[OrderFields, AfterValidator(_with_currency)]


@_as_told
class RefundItem(TypedDict, total=False):
    """What the refund is for."""

    item_type: Required[str]
    item_id: Text
    quantity: Amount | None


@_as_told
class RefundPayment(TypedDict, total=False):
    """A part of the money, by the payment provider that sent it back or declined to."""

    amount: Required[Amount]
    is_declined: bool


@_as_told
class Refund(TypedDict, total=False):
    """Money that went back, told apart from the order."""

    id: Required[Id]
    order_id: Required[Id]
    created: Required[Annotated[datetime, BeforeValidator(moment)]]
    reason: Text
    total_amount: Required[Amount]
    items: Annotated[list[RefundItem], BeforeValidator(_listed)]
    payments: Annotated[list[RefundPayment], BeforeValidator(_listed)]
    order: Required[Annotated[Priced, AfterValidator(_with_currency)]]
    """Added by us: the order's currency, which a refund does not tell."""
