"""A customer's account as a person."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.commercetools.payloads import Payload, VendorAddress, VendorCustomer
from connectors.commercetools.reading import (
    ShopFields,
    Words,
    other_fields,
    own_fields,
    text,
    told_in,
    without_blanks,
)
from connectors.commercetools.translate_address import contacts, is_for, one_line, postal, unique
from connectors.commercetools.translate_consent import Reached, consents
from models.records import Person


class LoyaltyTold(Payload):
    """What the custom fields say about the account in the loyalty programme."""

    number: str | None = None
    tier: str | None = None
    points: int | None = None


def person(told: VendorCustomer, shop: ShopFields) -> Person:
    """Raises Unreadable if a custom field that we read holds something else than it should."""
    custom = own_fields(told.custom)
    store = told.stores[0].key if told.stores else None
    brand = shop.brand_of(custom, store)
    points = unique(_contact_points(told))
    member = _member(custom, shop)
    return Person.model_validate(
        {
            "title": told.title or told.salutation,
            "given_name": told.first_name,
            "middle_name": told.middle_name,
            "family_name": told.last_name,
            "organisation": told.company_name,
            "birth_date": told.date_of_birth,
            "locale": told.locale,
            "brand": brand,
            "store": store,
            "contact_points": points,
            "addresses": list(_addresses(told)),
            "identifiers": list(_identifiers(told, member)),
            "consents": list(consents(custom, shop, _reached_by(told, points), brand)),
            "loyalty": [member] if member else [],
            "created_at": told.created_at,
            "attributes": _attributes(told, custom, shop),
        }
    )


def _contact_points(told: VendorCustomer) -> Iterator[Words]:
    yield {
        "kind": "email",
        "value": told.email,
        "label": "account",
        "primary": True,
        "verified": told.is_email_verified,
    }
    for address in told.addresses:
        if is_for(address, told.first_name, told.last_name):
            yield from contacts(address, _label(address, told) or "address")


def _addresses(told: VendorCustomer) -> Iterator[Words]:
    preferred = told.default_billing_address_id or told.default_shipping_address_id
    for address in told.addresses:
        primary = address.id is not None and address.id == preferred
        yield postal(address, label=_label(address, told), primary=primary)


def _label(address: VendorAddress, told: VendorCustomer) -> str | None:
    if address.id in told.billing_address_ids or address.id == told.default_billing_address_id is not None:
        return "billing"
    if address.id in told.shipping_address_ids or address.id == told.default_shipping_address_id is not None:
        return "shipping"
    return address.key


def _identifiers(told: VendorCustomer, member: Words | None) -> Iterator[Words]:
    if member:
        yield {"kind": "loyalty_number", "value": member["account"]}
    if told.external_id:
        yield {"kind": "external_id", "value": told.external_id}
    if told.customer_number:
        yield {"kind": "commercetools_customer_number", "value": told.customer_number}


def _member(custom: Mapping[str, Any], shop: ShopFields) -> Words | None:
    """The LoyaltyMember, if there is a number."""
    names = {"number": shop.loyalty_number, "tier": shop.loyalty_tier, "points": shop.loyalty_points}
    told = told_in(LoyaltyTold, custom, names)
    if not told.number or not told.number.strip():
        return None
    tier = {"code": told.tier} if told.tier else None
    return {"account": told.number, "programme": shop.programme, "tier": tier, "balance": told.points}


def _reached_by(told: VendorCustomer, points: Iterable[Words]) -> Reached:
    return Reached(points, post=next(map(one_line, told.addresses), None), push=told.id)


def _attributes(told: VendorCustomer, custom: Mapping[str, Any], shop: ShopFields) -> dict[str, str]:
    groups = [each.customer_group.known_as for each in told.customer_group_assignments]
    known: dict[str, str | None] = {
        "key": told.key,
        "salutation": told.salutation if told.title else None,
        "vat_id": told.vat_id,
        "customer_group": told.customer_group.known_as if told.customer_group else None,
        "customer_groups": " ".join(groups),
        "stores": " ".join(store.key for store in told.stores),
        "authentication": told.authentication_mode,
        "loyalty_points": None if text(custom.get(shop.loyalty_number)) else text(custom.get(shop.loyalty_points)),
    }
    return without_blanks(known) | other_fields(custom, shop)
