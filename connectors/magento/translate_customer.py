"""Customers as persons."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from connectors.magento.payloads import Customer, CustomerAddress, kept
from connectors.magento.terms import Terms
from models.consent import ConsentEvent
from models.loyalty import LoyaltyMember, Tier
from models.records import ContactPoint, Identifier, Person, PostalAddress

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
_EXTRA = ("website_id", "group_id", "taxvat", "created_in")
_extra_of = attrgetter(*_EXTRA)
SEXES = {"1": "M", "2": "F"}
"""The vendor's option ids; 3 is `not specified`."""


def customer_body(told: Customer, terms: Terms) -> Person:
    """A registered customer. Loyalty, phones and the like come from custom attributes by their codes."""
    answers = dict(_answers(told))
    known = {_known(code): value for code, value in answers.items() if _known(code)}
    number, view = known.get("loyalty_number"), terms.view(told.store_id)
    return Person(
        title=told.prefix or None,
        given_name=told.firstname or None,
        middle_name=told.middlename or None,
        family_name=told.lastname or None,
        name_suffix=told.suffix or None,
        organisation=next((place.company for place in told.addresses if place.company), None),
        sex=SEXES.get(told.gender or ""),
        birth_date=told.dob or None,
        language=known.get("language"),
        locale=view.locale,
        brand=view.brand,
        store=told.store_id or None,
        contact_points=tuple(_contacts(told, known)),
        addresses=tuple(_addresses(told)),
        identifiers=(Identifier(kind="loyalty_number", value=number),) if number else (),
        consents=tuple(_newsletter(told, terms)),
        loyalty=(_member(number, known),) if number else (),
        created_at=terms.moment(told.created_at),
        attributes=_leftovers(told, answers),
    )


def _answers(told: Customer) -> Iterator[tuple[str, str]]:
    for attribute in told.custom_attributes:
        if attribute.value not in (None, "", [], {}):
            yield attribute.attribute_code, _said(attribute.value)


def _said(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return value
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@lru_cache(maxsize=1_000)
def _known(code: str) -> str:
    """What we call the attribute; nothing if it is the shop's own affair. A shop has a few dozen codes."""
    return _KNOWN.get("".join(letter for letter in code.casefold() if letter.isalnum()), "")


def _contacts(told: Customer, known: Mapping[str, str]) -> Iterator[ContactPoint]:
    """A customer has no phone number of its own: shops keep one in an attribute, everybody else has those of addresses.

    An e-mail address that still waits to be confirmed is not verified; that one does not wait proves nothing.
    """
    if told.email:
        yield ContactPoint(kind="email", value=told.email, primary=True, verified=False if told.confirmation else None)
    phones = {known[label]: label for label in ("phone", "mobile") if label in known}
    for place in sorted(told.addresses, key=lambda place: not place.default_billing):
        if place.telephone:
            phones.setdefault(place.telephone, _use(place) or "address")
    for at, (phone, label) in enumerate(phones.items()):
        yield ContactPoint(kind="phone", value=phone, label=label, primary=at == 0)


def _use(place: CustomerAddress) -> str | None:
    if place.default_billing:
        return "billing, shipping" if place.default_shipping else "billing"
    return "shipping" if place.default_shipping else None


def rest_of(street: Sequence[str]) -> str | None:
    """The lines of a street behind its first one, in one."""
    return ", ".join([line for line in street[1:] if line]) or None


def _addresses(told: Customer) -> Iterator[PostalAddress]:
    """The default billing address is the first one; without one, the first in the book is."""
    ordered = sorted(told.addresses, key=lambda place: (not place.default_billing, not place.default_shipping))
    for at, place in enumerate(ordered):
        yield PostalAddress(
            label=_use(place),
            line1=(place.street[0] or None) if place.street else None,
            line2=rest_of(place.street),
            postcode=place.postcode or None,
            city=place.city or None,
            region=place.region.region or place.region.region_code or None,
            country=place.country_id or None,
            primary=at == 0,
        )


def _newsletter(told: Customer, terms: Terms) -> Iterator[ConsentEvent]:
    """Yes or no where the answer says it, since when is not told. An answer that leaves it out says nothing."""
    listed, apart = told.extension_attributes.is_subscribed, told.read_apart.is_subscribed
    subscribed = apart if listed is None else listed
    silent = subscribed is None or (not subscribed and terms.unsubscribed_means == "no_answer")
    if told.email and not silent:
        yield ConsentEvent(
            contact_point=told.email,
            channel="email",
            brand=terms.view(told.store_id).brand,
            status="opt_in" if subscribed else "opt_out",
        )


def _member(number: str, known: Mapping[str, str]) -> LoyaltyMember:
    """Validation of the balance (whole points) is the model's; its refusal names the path."""
    return LoyaltyMember.model_validate(
        {"account": number, "tier": _tier(known.get("loyalty_tier")), "balance": known.get("loyalty_points")}
    )


@lru_cache(maxsize=100)
def _tier(code: str | None) -> Tier | None:
    return Tier(code=code) if code else None


def _leftovers(told: Customer, answers: Mapping[str, str]) -> dict[str, str]:
    """What has no field of ours, by the shop's own codes."""
    left = {code: value for code, value in answers.items() if not _known(code)}
    left |= {name: value for name, value in zip(_EXTRA, _extra_of(told), strict=True) if value}
    balance = told.read_apart.balance
    if balance is not None and balance.amount:
        left["store_credit"] = str(kept(balance.amount))
        if balance.base_currency_code:
            left["store_credit_currency"] = balance.base_currency_code
    return left
