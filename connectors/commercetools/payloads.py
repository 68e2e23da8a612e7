"""The parts of commercetools' resources that we read, as the vendor names them. The rest stays in the raw payload.

Shapes are checked dictionaries, which cost half of what models would. What the vendor left out is left out of them too;
what it told as null is None.
"""

from typing import Annotated, Any, Literal, Required

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, with_config
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from connectors.payload import named_by_others
from models.orders import Currency

Instant = Annotated[AwareDatetime, Field(strict=True)]
"""ISO 8601 text. Numbers, which would be taken for seconds since 1970, are refused."""
Id = Annotated[str, StringConstraints(pattern=r"\S")]
FractionDigits = Annotated[int, Field(ge=0, le=20)]

as_told = with_config(ConfigDict(extra="ignore", alias_generator=to_camel, coerce_numbers_to_str=True))
"""Names as the vendor writes them, unknown fields ignored, ids lenient: a number for a text is text."""


@as_told
class CentMoney(TypedDict):
    """Whole units of the currency's smallest coin: 1050 with two fraction digits is 10.50; yen have none."""

    type: Literal["centPrecision"]
    currency_code: Currency
    units: Annotated[int, Field(alias="centAmount")]
    """Of which 10 ** fraction_digits are one of the currency."""
    fraction_digits: FractionDigits


@as_told
class PreciseMoney(TypedDict):
    """Units of a fraction of the smallest coin, as unit prices of bulk goods need them."""

    type: Literal["highPrecision"]
    currency_code: Currency
    units: Annotated[int, Field(alias="preciseAmount")]
    """Of which 10 ** fraction_digits are one of the currency."""
    fraction_digits: FractionDigits


Texts = Annotated[dict[str, str], named_by_others("expected texts by language")]
VendorMoney = Annotated[CentMoney | PreciseMoney, Field(discriminator="type")]


@as_told
class KeyReference(TypedDict):
    """Points to a store or business unit by its key."""

    key: str


@as_told
class Expanded(TypedDict, total=False):
    """What a reference carries when it was expanded: the little that names the thing."""

    key: str | None
    name: Any
    code: str | None


@as_told
class Reference(TypedDict, total=False):
    """Points to a resource by its id."""

    id: Required[Id]
    type_id: str | None
    obj: Expanded | None


def known_as(reference: Reference) -> str:
    """Key, code or plain name if the reference was expanded, else the id."""
    named = reference.get("obj")
    if named is None:
        return reference["id"]
    name = named.get("name")
    plain = name if isinstance(name, str) else None
    return named.get("code") or named.get("key") or plain or reference["id"]


@as_told
class CustomFields(TypedDict, total=False):
    """What a shop adds to a resource, by its own names."""

    fields: dict[str, Any]


@as_told
class VendorAddress(TypedDict, total=False):
    """A postal address with the contacts of whoever lives or receives there."""

    id: str | None
    key: str | None
    title: str | None
    salutation: str | None
    first_name: str | None
    last_name: str | None
    street_name: str | None
    street_number: str | None
    additional_street_info: str | None
    postal_code: str | None
    city: str | None
    region: str | None
    state: str | None
    country: str | None
    company: str | None
    building: str | None
    apartment: str | None
    p_o_box: Annotated[str | None, Field(alias="pOBox")]
    phone: str | None
    mobile: str | None
    email: str | None
    additional_address_info: str | None


@as_told
class GroupAssignment(TypedDict):
    """A further customer group of a customer."""

    customer_group: Reference


@as_told
class VendorCustomer(TypedDict, total=False):
    """A customer's account."""

    id: Required[Id]
    created_at: Required[Instant]
    last_modified_at: Required[Instant]
    key: str | None
    customer_number: str | None
    external_id: str | None
    email: Required[str]
    is_email_verified: bool | None
    title: str | None
    salutation: str | None
    first_name: str | None
    middle_name: str | None
    last_name: str | None
    date_of_birth: str | None
    company_name: str | None
    vat_id: str | None
    locale: str | None
    authentication_mode: str | None
    addresses: list[VendorAddress]
    default_shipping_address_id: str | None
    default_billing_address_id: str | None
    shipping_address_ids: list[str]
    billing_address_ids: list[str]
    stores: list[KeyReference]
    customer_group: Reference | None
    customer_group_assignments: list[GroupAssignment]
    custom: CustomFields | None


@as_told
class Transaction(TypedDict, total=False):
    """One step of a payment. Only those with state Success moved money."""

    id: Required[Id]
    type: Required[str]
    state: Required[str]
    amount: Required[VendorMoney]
    timestamp: Instant | None
    interaction_id: str | None


@as_told
class PaymentMethod(TypedDict, total=False):
    """By which means and through which provider."""

    payment_interface: str | None
    method: str | None


@as_told
class VendorPayment(TypedDict, total=False):
    """A payment: the order refers to it, it does not refer to the order."""

    id: Required[Id]
    created_at: Required[Instant]
    last_modified_at: Required[Instant]
    amount_planned: Required[VendorMoney]
    payment_method_info: PaymentMethod
    transactions: list[Transaction]
