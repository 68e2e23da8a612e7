"""Customers as persons."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, get_args

from connectors.magento.payloads import Customer, CustomerAddress, kept
from connectors.magento.terms import StoreView, Terms
from models.base import Words
from models.loyalty import LoyaltyMember, Tier
from models.records import Person

# Shops name their own attributes; compared without case and punctuation.
_KNOWN = {
    "loyaltynumber": "loyalty_number",
    "loyaltycard": "loyalty_number",
    "loyaltycardnumber": "loyalty_number",
    "loyaltytier": "loyalty_tier",
    "loyaltypoints": "loyalty_points",
    "mobile": "mobile",
    "mobilenumber": "mobile",
    "mobilephone": "mobile",
    "phonenumber": "phone",
    "telephone": "phone",
    "language": "language",
    "preferredlanguage": "language",
}
_Extra = Literal["website_id", "group_id", "taxvat", "created_in"]
_EXTRA: tuple[_Extra, ...] = get_args(_Extra)
SEXES = {"1": "M", "2": "F"}
"""The vendor's option ids; 3 is `not specified`."""


def customer_body(told: Customer, terms: Terms) -> Person:
    """A registered customer. Loyalty, phones and the like come from custom attributes by their codes."""
    known, others = _answers(told)
    number, view, places = known.get("loyalty_number"), terms.view(told.get("store_id")), told.get("addresses", ())
    return Person.model_validate(
        {
            "title": told.get("prefix") or None,
            "given_name": told.get("firstname") or None,
            "middle_name": told.get("middlename") or None,
            "family_name": told.get("lastname") or None,
            "name_suffix": told.get("suffix") or None,
            "organisation": next((company for place in places if (company := place.get("company"))), None),
            "sex": SEXES.get(told.get("gender") or ""),
            "birth_date": told.get("dob") or None,
            "language": known.get("language"),
            "locale": view.locale,
            "brand": view.brand,
            "store": told.get("store_id") or None,
            "contact_points": list(_contacts(told, places, known)),
            "addresses": list(_addresses(places)),
            "identifiers": [{"kind": "loyalty_number", "value": number}] if number else [],
            "consents": list(_newsletter(told, view, terms)),
            "loyalty": [_member(number, known)] if number else [],
            "created_at": terms.moment(told.get("created_at")),
            "attributes": others | _leftovers(told),
        }
    )


def _answers(told: Customer) -> tuple[Mapping[str, str], dict[str, str]]:
    """What the shop's own attributes say: by our words where we have one, and all else by the shop's codes."""
    known: dict[str, str] = {}
    others: dict[str, str] = {}
    for attribute in told.get("custom_attributes", ()):
        code, value = attribute["attribute_code"], attribute.get("value")
        if value not in (None, "", [], {}):
            word = _known(code)
            (known if word else others)[word or code] = _said(value)
    return known, others


def _said(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return value
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@lru_cache(maxsize=1_000)
def _known(code: str) -> str:
    """What we call the attribute; nothing if it is the shop's own affair. A shop has a few dozen codes."""
    return _KNOWN.get("".join(letter for letter in code.casefold() if letter.isalnum()), "")


def _contacts(told: Customer, places: Sequence[CustomerAddress], known: Mapping[str, str]) -> Iterator[Words]:
    """A customer has no phone number of its own: shops keep one in an attribute, everybody else has those of addresses.

    An e-mail address that still waits to be confirmed is not verified; that one does not wait proves nothing.
    """
    if email := told.get("email"):
        yield {
            "kind": "email",
            "value": email,
            "primary": True,
            "verified": False if told.get("confirmation") else None,
        }
    phones = {known[label]: label for label in ("phone", "mobile") if label in known}
    for place in sorted(places, key=lambda place: not place.get("default_billing")):
        if phone := place.get("telephone"):
            phones.setdefault(phone, _use(place) or "address")
    for at, (phone, label) in enumerate(phones.items()):
        yield {"kind": "phone", "value": phone, "label": label, "primary": at == 0}


def _use(place: CustomerAddress) -> str | None:
    if place.get("default_billing"):
        return "billing, shipping" if place.get("default_shipping") else "billing"
    return "shipping" if place.get("default_shipping") else None


def rest_of(street: Sequence[str]) -> str | None:
    """The lines of a street behind its first one, in one."""
    return ", ".join([line for line in street[1:] if line]) or None


def _addresses(places: Sequence[CustomerAddress]) -> Iterator[Words]:
    """The default billing address is the first one; without one, the first in the book is."""
    ordered = sorted(places, key=lambda place: (not place.get("default_billing"), not place.get("default_shipping")))
    for at, place in enumerate(ordered):
        street, region = place.get("street", ()), place.get("region", {})
        yield {
            "label": _use(place),
            "line1": (street[0] or None) if street else None,
            "line2": rest_of(street),
            "postcode": place.get("postcode") or None,
            "city": place.get("city") or None,
            "region": region.get("region") or region.get("region_code") or None,
            "country": place.get("country_id") or None,
            "primary": at == 0,
        }


def _newsletter(told: Customer, view: StoreView, terms: Terms) -> Iterator[Words]:
    """Yes or no where the answer says it, since when is not told. An answer that leaves it out says nothing."""
    listed = told.get("extension_attributes", {}).get("is_subscribed")
    subscribed = told.get("read_apart", {}).get("is_subscribed") if listed is None else listed
    email, silent = (
        told.get("email"),
        subscribed is None or (not subscribed and terms.unsubscribed_means == "no_answer"),
    )
    if email and not silent:
        status = "opt_in" if subscribed else "opt_out"
        yield {"contact_point": email, "channel": "email", "brand": view.brand, "status": status}


def _member(number: str, known: Mapping[str, str]) -> LoyaltyMember:
    """Validation of the balance (whole points) is the model's; its refusal names the path."""
    return LoyaltyMember.model_validate(
        {"account": number, "tier": _tier(known.get("loyalty_tier")), "balance": known.get("loyalty_points")}
    )


@lru_cache(maxsize=100)
def _tier(code: str | None) -> Tier | None:
    return Tier(code=code) if code else None


def _leftovers(told: Customer) -> dict[str, str]:
    """What else has no field of ours, by the vendor's names."""
    left: dict[str, str] = {name: value for name in _EXTRA if (value := told.get(name))}
    balance = told.get("read_apart", {}).get("balance")
    if balance and balance["amount"]:
        left["store_credit"] = str(kept(balance["amount"]))
        if currency := balance.get("base_currency_code"):
            left["store_credit_currency"] = currency
    return left
