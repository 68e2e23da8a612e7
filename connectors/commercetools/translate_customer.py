"""A customer's account as a person."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors.commercetools.payloads import VendorAddress, VendorCustomer, as_told, known_as
from connectors.commercetools.reading import (
    ShopFields,
    other_fields,
    own_fields,
    text,
    told_in,
    without_blanks,
)
from connectors.commercetools.translate_address import contacts, is_for, postal, unique
from connectors.commercetools.translate_consent import Reached, consents
from models.base import Words
from models.records import Person


@as_told
class LoyaltyTold(TypedDict):
    """What the custom fields say about the account in the loyalty programme."""

    number: str | None
    tier: str | None
    points: int | None


_LOYALTY = TypeAdapter(LoyaltyTold)


def person(told: VendorCustomer, shop: ShopFields) -> Person:
    """Raises Unreadable if a custom field that we read holds something else than it should."""
    custom = own_fields(told.get("custom"))
    stores, addresses = told.get("stores"), told.get("addresses", [])
    store = stores[0]["key"] if stores else None
    brand = shop.brand_of(custom, store)
    labels = [_label(address, told) for address in addresses]
    points = unique(_contact_points(told, labels))
    reached = Reached(points, post=addresses[0] if addresses else None, push=told["id"])
    member = _member(custom, shop)
    return Person.model_validate(
        {
            "title": told.get("title") or told.get("salutation"),
            "given_name": told.get("first_name"),
            "middle_name": told.get("middle_name"),
            "family_name": told.get("last_name"),
            "organisation": told.get("company_name"),
            "birth_date": told.get("date_of_birth"),
            "locale": told.get("locale"),
            "brand": brand,
            "store": store,
            "contact_points": points,
            "addresses": _addresses(told, labels),
            "identifiers": _identifiers(told, member),
            "consents": list(consents(custom, shop, reached, brand)),
            "loyalty": [member] if member else [],
            "created_at": told["created_at"],
            "attributes": _attributes(told, custom, shop),
        }
    )


def _contact_points(told: VendorCustomer, labels: Iterable[str | None]) -> Iterator[Words]:
    yield {
        "kind": "email",
        "value": told["email"],
        "label": "account",
        "primary": True,
        "verified": told.get("is_email_verified"),
    }
    for address, label in zip(told.get("addresses", ()), labels, strict=True):
        if is_for(address, told.get("first_name"), told.get("last_name")):
            yield from contacts(address, label or "address")


def _addresses(told: VendorCustomer, labels: Iterable[str | None]) -> list[Words]:
    preferred = told.get("default_billing_address_id") or told.get("default_shipping_address_id")
    return [
        postal(address, label=label, primary=preferred is not None and address.get("id") == preferred)
        for address, label in zip(told.get("addresses", ()), labels, strict=True)
    ]


def _label(address: VendorAddress, told: VendorCustomer) -> str | None:
    identity = address.get("id")
    if identity is None:
        return address.get("key")
    if identity in told.get("billing_address_ids", ()) or identity == told.get("default_billing_address_id"):
        return "billing"
    if identity in told.get("shipping_address_ids", ()) or identity == told.get("default_shipping_address_id"):
        return "shipping"
    return address.get("key")


def _identifiers(told: VendorCustomer, member: Words | None) -> list[Words]:
    known = (
        ("loyalty_number", member["account"] if member else None),
        ("external_id", told.get("external_id")),
        ("commercetools_customer_number", told.get("customer_number")),
    )
    return [{"kind": kind, "value": value} for kind, value in known if value]


def _member(custom: Mapping[str, Any], shop: ShopFields) -> Words | None:
    """The LoyaltyMember, if there is a number."""
    names = {"number": shop.loyalty_number, "tier": shop.loyalty_tier, "points": shop.loyalty_points}
    told = told_in(_LOYALTY, custom, names)
    if told is None or not told["number"] or not told["number"].strip():
        return None
    tier = {"code": told["tier"]} if told["tier"] else None
    return {"account": told["number"], "programme": shop.programme, "tier": tier, "balance": told["points"]}


def _attributes(told: VendorCustomer, custom: Mapping[str, Any], shop: ShopFields) -> dict[str, str]:
    group = told.get("customer_group")
    known: dict[str, str | None] = {
        "key": told.get("key"),
        "salutation": told.get("salutation") if told.get("title") else None,
        "vat_id": told.get("vat_id"),
        "customer_group": known_as(group) if group else None,
        "customer_groups": " ".join(
            [known_as(each["customer_group"]) for each in told.get("customer_group_assignments", ())]
        ),
        "stores": " ".join([store["key"] for store in told.get("stores", ())]),
        "authentication": told.get("authentication_mode"),
        "loyalty_points": None if text(custom.get(shop.loyalty_number)) else text(custom.get(shop.loyalty_points)),
    }
    return without_blanks(known) | other_fields(custom, shop)
