"""The parts of carts, stores, customer groups and messages that we read, as the vendor names them."""

from typing import Required

from typing_extensions import TypedDict

from connectors.commercetools.payloads import CustomFields, Id, Instant, KeyReference, Texts, VendorMoney, as_told


@as_told
class CartVariant(TypedDict, total=False):
    """What lies in the cart."""

    sku: str | None


@as_told
class CartLine(TypedDict):
    """A line of goods."""

    variant: CartVariant


@as_told
class VendorCart(TypedDict, total=False):
    """A cart, current as of its version. It ends some time after its last change."""

    id: Required[Id]
    created_at: Required[Instant]
    last_modified_at: Required[Instant]
    cart_state: Required[str]
    customer_id: str | None
    anonymous_id: str | None
    store: KeyReference | None
    country: str | None
    locale: str | None
    origin: str | None
    line_items: list[CartLine]
    total_price: Required[VendorMoney]
    custom: CustomFields | None


@as_told
class StoreCountry(TypedDict):
    """Where a store sells."""

    code: str


@as_told
class VendorStore(TypedDict, total=False):
    """A storefront, which other resources name by its key."""

    id: Required[Id]
    created_at: Required[Instant]
    last_modified_at: Required[Instant]
    key: Required[str]
    name: Texts | None
    languages: list[str]
    countries: list[StoreCountry]
    custom: CustomFields | None


@as_told
class VendorGroup(TypedDict, total=False):
    """A customer group, which customers and orders name by its id."""

    id: Required[Id]
    created_at: Required[Instant]
    last_modified_at: Required[Instant]
    key: str | None
    name: Required[str]
    custom: CustomFields | None


@as_told
class ResourceReference(TypedDict):
    """What a message is about."""

    type_id: str
    id: Id


@as_told
class MessageCustomer(TypedDict, total=False):
    """A customer in a message: whole, or only a reference."""

    id: Required[str]
    stores: list[KeyReference]


@as_told
class MessageOrder(TypedDict, total=False):
    """An order in a message."""

    customer_id: str | None
    anonymous_id: str | None
    order_number: str | None
    store: KeyReference | None
    origin: str | None


@as_told
class UserIdentifiers(TypedDict, total=False):
    """By which the shop itself names the resource."""

    key: str | None
    external_id: str | None
    customer_number: str | None
    order_number: str | None


@as_told
class PayloadNotIncluded(TypedDict, total=False):
    """In the place of a payload that is too large for a message."""

    reason: str | None


@as_told
class VendorMessage(TypedDict, total=False):
    """A message: what happened to a resource, numbered for each resource from 1."""

    id: Required[Id]
    created_at: Required[Instant]
    type: Required[str]
    sequence_number: Required[int]
    resource: Required[ResourceReference]
    resource_user_provided_identifiers: UserIdentifiers
    payload_not_included: PayloadNotIncluded | None
    customer: MessageCustomer | None
    order: MessageOrder | None
    order_state: str | None
