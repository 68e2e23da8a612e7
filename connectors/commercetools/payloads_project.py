"""The parts of carts, stores, customer groups and messages that we read, as the vendor names them."""

from pydantic import Field

from connectors.commercetools.payloads import CustomFields, Id, Instant, KeyReference, Payload, VendorMoney


class CartVariant(Payload):
    """What lies in the cart."""

    sku: str | None = None


class CartLine(Payload):
    """A line of goods."""

    variant: CartVariant


class VendorCart(Payload):
    """A cart, current as of its version. It ends some time after its last change."""

    id: Id
    created_at: Instant
    last_modified_at: Instant
    cart_state: str
    customer_id: str | None = None
    anonymous_id: str | None = None
    store: KeyReference | None = None
    country: str | None = None
    locale: str | None = None
    origin: str | None = None
    line_items: list[CartLine] = Field(default_factory=list)
    total_price: VendorMoney
    custom: CustomFields | None = None


class StoreCountry(Payload):
    """Where a store sells."""

    code: str


class VendorStore(Payload):
    """A storefront, which other resources name by its key."""

    id: Id
    created_at: Instant
    last_modified_at: Instant
    key: str
    name: dict[str, str] | None = None
    languages: list[str] = Field(default_factory=list)
    countries: list[StoreCountry] = Field(default_factory=list)
    custom: CustomFields | None = None


class VendorGroup(Payload):
    """A customer group, which customers and orders name by its id."""

    id: Id
    created_at: Instant
    last_modified_at: Instant
    key: str | None = None
    name: str
    custom: CustomFields | None = None


class ResourceReference(Payload):
    """What a message is about."""

    type_id: str
    id: Id


class MessageCustomer(Payload):
    """A customer in a message: whole, or only a reference."""

    id: str
    stores: list[KeyReference] = Field(default_factory=list)


class MessageOrder(Payload):
    """An order in a message."""

    customer_id: str | None = None
    anonymous_id: str | None = None
    order_number: str | None = None
    store: KeyReference | None = None
    origin: str | None = None


class UserIdentifiers(Payload):
    """By which the shop itself names the resource."""

    key: str | None = None
    external_id: str | None = None
    customer_number: str | None = None
    order_number: str | None = None


class PayloadNotIncluded(Payload):
    """In the place of a payload that is too large for a message."""

    reason: str | None = None


class VendorMessage(Payload):
    """A message: what happened to a resource, numbered for each resource from 1."""

    id: Id
    created_at: Instant
    type: str
    sequence_number: int
    resource: ResourceReference
    resource_user_provided_identifiers: UserIdentifiers = UserIdentifiers()
    payload_not_included: PayloadNotIncluded | None = None
    customer: MessageCustomer | None = None
    order: MessageOrder | None = None
    order_state: str | None = None
