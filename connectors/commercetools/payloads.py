"""The parts of commercetools' resources that we read, as the vendor names them. The rest stays in the raw payload."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from models.orders import Currency

Instant = Annotated[AwareDatetime, Field(strict=True)]
"""ISO 8601 text. Numbers, which would be taken for seconds since 1970, are refused."""
Id = Annotated[str, StringConstraints(pattern=r"\S")]


class Payload(BaseModel):
    """Names as the vendor writes them, unknown fields ignored, ids lenient: a number for a text is text."""

    model_config = ConfigDict(
        extra="ignore", alias_generator=to_camel, coerce_numbers_to_str=True, populate_by_name=False, frozen=True
    )


class CentMoney(Payload):
    """Whole units of the currency's smallest coin: 1050 with two fraction digits is 10.50; yen have none."""

    type: Literal["centPrecision"]
    currency_code: Currency
    cent_amount: int
    fraction_digits: int = Field(ge=0, le=20)

    @property
    def units(self) -> int:
        """Of which 10 ** fraction_digits are one of the currency."""
        return self.cent_amount


class PreciseMoney(Payload):
    """Units of a fraction of the smallest coin, as unit prices of bulk goods need them."""

    type: Literal["highPrecision"]
    currency_code: Currency
    precise_amount: int
    fraction_digits: int = Field(ge=0, le=20)

    @property
    def units(self) -> int:
        """Of which 10 ** fraction_digits are one of the currency."""
        return self.precise_amount


VendorMoney = Annotated[CentMoney | PreciseMoney, Field(discriminator="type")]


class KeyReference(Payload):
    """Points to a store or business unit by its key."""

    key: str


class Expanded(Payload):
    """What a reference carries when it was expanded: the little that names the thing."""

    key: str | None = None
    name: Any = None
    code: str | None = None


class Reference(Payload):
    """Points to a resource by its id."""

    id: Id
    type_id: str | None = None
    obj: Expanded | None = None

    @property
    def known_as(self) -> str:
        """Key, code or plain name if the reference was expanded, else the id."""
        if self.obj is None:
            return self.id
        plain = self.obj.name if isinstance(self.obj.name, str) else None
        return self.obj.code or self.obj.key or plain or self.id


class CustomFields(Payload):
    """What a shop adds to a resource, by its own names."""

    fields: dict[str, Any] = Field(default_factory=dict)


class VendorAddress(Payload):
    """A postal address with the contacts of whoever lives or receives there."""

    id: str | None = None
    key: str | None = None
    title: str | None = None
    salutation: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    street_name: str | None = None
    street_number: str | None = None
    additional_street_info: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    state: str | None = None
    country: str | None = None
    company: str | None = None
    department: str | None = None
    building: str | None = None
    apartment: str | None = None
    p_o_box: str | None = Field(default=None, alias="pOBox")
    phone: str | None = None
    mobile: str | None = None
    email: str | None = None
    additional_address_info: str | None = None


class GroupAssignment(Payload):
    """A further customer group of a customer."""

    customer_group: Reference


class VendorCustomer(Payload):
    """A customer's account."""

    id: Id
    created_at: Instant
    last_modified_at: Instant
    key: str | None = None
    customer_number: str | None = None
    external_id: str | None = None
    email: str
    is_email_verified: bool | None = None
    title: str | None = None
    salutation: str | None = None
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    date_of_birth: str | None = None
    company_name: str | None = None
    vat_id: str | None = None
    locale: str | None = None
    authentication_mode: str | None = None
    addresses: list[VendorAddress] = Field(default_factory=list)
    default_shipping_address_id: str | None = None
    default_billing_address_id: str | None = None
    shipping_address_ids: list[str] = Field(default_factory=list)
    billing_address_ids: list[str] = Field(default_factory=list)
    stores: list[KeyReference] = Field(default_factory=list)
    customer_group: Reference | None = None
    customer_group_assignments: list[GroupAssignment] = Field(default_factory=list)
    custom: CustomFields | None = None


class Transaction(Payload):
    """One step of a payment. Only those with state Success moved money."""

    id: Id
    type: str
    state: str
    amount: VendorMoney
    timestamp: Instant | None = None
    interaction_id: str | None = None


class PaymentMethod(Payload):
    """By which means and through which provider."""

    payment_interface: str | None = None
    method: str | None = None


class VendorPayment(Payload):
    """A payment: the order refers to it, it does not refer to the order."""

    id: Id
    created_at: Instant
    last_modified_at: Instant
    amount_planned: VendorMoney
    payment_method_info: PaymentMethod = PaymentMethod()
    transactions: list[Transaction] = Field(default_factory=list)
