"""Customers and newsletter subscribers as persons."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from connectors.bigcommerce.payloads import CookieConsent, Customer, CustomerAddress, Subscriber, latest
from models.base import Words
from models.loyalty import LoyaltyMember, Tier
from models.records import Person

# Shops name their own attributes and form fields; compared without case, blanks and punctuation.
_KNOWN = {
    "loyaltynumber": "loyalty_number",
    "loyaltycard": "loyalty_number",
    "loyaltytier": "loyalty_tier",
    "loyaltypoints": "loyalty_points",
    "birthdate": "birth_date",
    "dateofbirth": "birth_date",
    "birthday": "birth_date",
    "gender": "sex",
    "sex": "sex",
    "title": "title",
    "salutation": "title",
    "middlename": "middle_name",
    "language": "language",
    "preferredlanguage": "language",
}


def customer_body(told: Customer, brands: Mapping[str, str]) -> Person:
    """A registered customer. Loyalty, birth date and the like come from attributes and form fields by their names."""
    answers = dict(_answers(told))
    known = {word: value for name, value in answers.items() if (word := _known(name))}
    number = known.get("loyalty_number")
    brand = brands.get(told.get("origin_channel_id") or "")
    return Person.model_validate(
        {
            "title": known.get("title"),
            "given_name": told.get("first_name") or None,
            "middle_name": known.get("middle_name"),
            "family_name": told.get("last_name") or None,
            "organisation": told.get("company") or None,
            "sex": known.get("sex"),
            "birth_date": known.get("birth_date"),
            "language": known.get("language"),
            "brand": brand,
            "store": told.get("origin_channel_id") or None,
            "contact_points": list(_contacts(told)),
            "addresses": [_address(address, first=at == 0) for at, address in enumerate(told.get("addresses", ()))],
            "identifiers": [{"kind": "loyalty_number", "value": number}] if number else [],
            "consents": list(_mail_consent(told, brand)),
            "loyalty": [_member(number, known)] if number else [],
            "created_at": told.get("date_created"),
            "attributes": dict(_leftovers(told, answers)),
        }
    )


def customer_changed_at(told: Customer) -> datetime | None:
    """When it or an attribute of it was last changed."""
    return latest(told, told.get("attributes", ()))


def subscriber_body(told: Subscriber, brands: Mapping[str, str]) -> Person:
    """An entry of the newsletter list. What is not consented to any more was withdrawn when the entry changed."""
    consents, source, order = told.get("consents"), told.get("source"), told.get("order_id")
    given = {"marketing_newsletter"} if consents is None else set(consents)
    brand = brands.get(told.get("channel_id") or "")
    return Person.model_validate(
        {
            "given_name": told.get("first_name") or None,
            "family_name": told.get("last_name") or None,
            "brand": brand,
            "store": told.get("channel_id") or None,
            "contact_points": [{"kind": "email", "value": told["email"], "primary": True}],
            "consents": [
                {
                    "contact_point": told["email"],
                    "channel": "email",
                    "brand": brand,
                    "purpose": purpose,
                    "status": "opt_in" if consent in given else "opt_out",
                    "at": told.get("date_modified"),
                    "proof": f"order {order}" if order and consent in given else None,
                }
                for consent, purpose in (("marketing_newsletter", "marketing"), ("abandoned_cart", "abandoned_cart"))
            ],
            "created_at": told.get("date_created"),
            "attributes": {"signed_up_by": source} if source else {},
        }
    )


def _answers(told: Customer) -> Iterator[tuple[str, str]]:
    """Form fields and attributes by name; an attribute whose name is not known goes by its id."""
    for field in told.get("form_fields", ()):
        value = field.get("value")
        if value not in (None, "", []):
            yield field["name"], ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    names = told.get("attribute_names", {})
    for attribute in told.get("attributes", ()):
        number, value = attribute["attribute_id"], attribute.get("attribute_value") or attribute.get("value")
        if value:
            yield names.get(number, f"attribute {number}"), value


@lru_cache(maxsize=1_000)
def _known(name: str) -> str | None:
    """Our word for the shop's own name, if we have one. A shop has a few dozen names for all its customers."""
    return _KNOWN.get("".join(letter for letter in name.casefold() if letter.isalnum()))


def _contacts(told: Customer) -> Iterator[Words]:
    own = told.get("phone")
    if email := told.get("email"):
        yield {"kind": "email", "value": email, "primary": True}
    if own:
        yield {"kind": "phone", "value": own, "primary": True}
    for phone in dict.fromkeys([address.get("phone") for address in told.get("addresses", ())]):
        if phone and phone != own:
            yield {"kind": "phone", "value": phone, "label": "address"}


def _address(told: CustomerAddress, *, first: bool) -> Words:
    return {
        "label": told.get("address_type") or None,
        "line1": told.get("address1") or None,
        "line2": told.get("address2") or None,
        "postcode": told.get("postal_code") or None,
        "city": told.get("city") or None,
        "region": told.get("state_or_province") or None,
        "country": told.get("country_code") or told.get("country") or None,
        "primary": first,
    }


def _mail_consent(told: Customer, brand: str | None) -> Iterator[Words]:
    """One tick covers mails about product reviews and abandoned carts, since when is not told. No tick is no answer."""
    email = told.get("email")
    if email and told.get("accepts_product_review_abandoned_cart_emails"):
        yield {
            "contact_point": email,
            "channel": "email",
            "brand": brand,
            "purpose": "reviews_and_carts",
            "status": "opt_in",
        }


def _member(number: str, known: Mapping[str, str]) -> LoyaltyMember:
    """Validation of the balance (whole points) is the model's; its refusal names the path."""
    tier = known.get("loyalty_tier")
    return LoyaltyMember.model_validate(
        {"account": number, "tier": _tier(tier) if tier else None, "balance": known.get("loyalty_points")}
    )


@lru_cache(maxsize=1_000)
def _tier(code: str) -> Tier:
    return Tier(code=code)


def _leftovers(told: Customer, answers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What has no field of ours, by the shop's own names. Cookies are no contact point: their consent is kept here."""
    yield from ((name, value) for name, value in answers.items() if not _known(name))
    group = told.get("customer_group_id")
    if group and group != "0":
        yield "customer_group_id", group
    if name := told.get("customer_group_name"):
        yield "customer_group", name
    if exempt := told.get("tax_exempt_category"):
        yield "tax_exempt_category", exempt
    credit = sum(Decimal(credit["amount"]) for credit in told.get("store_credit_amounts", ()))
    if credit:
        yield "store_credit", str(credit)
    channels = told.get("channel_ids") or ()
    if len(channels) > 1:
        yield "channel_ids", ", ".join(channels)
    if segments := told.get("segment_ids"):
        yield "segment_ids", ", ".join(segments)
    if shopper := told.get("shopper_profile_id"):
        yield "shopper_profile_id", shopper
    if consent := told.get("consent"):
        yield from _cookies(consent)


def _cookies(consent: CookieConsent) -> Iterator[tuple[str, str]]:
    if allowed := consent.get("allow"):
        yield "cookies_allowed", ", ".join(allowed)
    if denied := consent.get("deny"):
        yield "cookies_denied", ", ".join(denied)
