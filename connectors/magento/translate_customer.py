"""Customers as persons."""

from collections.abc import Iterator, Mapping
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
SEXES = {"1": "M", "2": "F"}
"""The vendor's option ids; 3 is `not specified`."""


def customer_body(told: Customer, terms: Terms) -> Person:
    """A registered customer. Loyalty, phones and the like come from custom attributes by their codes."""
    answers = dict(_answers(told))
    known = {_KNOWN[_plain(code)]: value for code, value in answers.items() if _plain(code) in _KNOWN}
    number, view = known.get("loyalty_number"), terms.view(told.store_id)
    return Person(
        title=told.prefix,
        given_name=told.firstname,
        middle_name=told.middlename,
        family_name=told.lastname,
        name_suffix=told.suffix,
        organisation=next((place.company for place in told.addresses if place.company), None),
        sex=SEXES.get(told.gender or ""),
        birth_date=told.dob,
        language=known.get("language"),
        locale=view.locale,
        brand=view.brand,
        store=told.store_id,
        contact_points=tuple(_contacts(told, known)),
        addresses=tuple(_addresses(told)),
        identifiers=(Identifier(kind="loyalty_number", value=number),) if number else (),
        consents=tuple(_newsletter(told, terms)),
        loyalty=(_member(number, known),) if number else (),
        created_at=terms.moment(told.created_at),
        attributes=dict(_leftovers(told, answers)),
    )


def _answers(told: Customer) -> Iterator[tuple[str, str]]:
    for attribute in told.custom_attributes:
        if attribute.value not in (None, "", [], {}):
            yield attribute.attribute_code, _said(attribute.value)


def _said(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _plain(code: str) -> str:
    return "".join(letter for letter in code.casefold() if letter.isalnum())


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
    uses = [name for name, used in (("billing", place.default_billing), ("shipping", place.default_shipping)) if used]
    return ", ".join(uses) or None


def _addresses(told: Customer) -> Iterator[PostalAddress]:
    """The default billing address is the first one; without one, the first in the book is."""
    ordered = sorted(told.addresses, key=lambda place: (not place.default_billing, not place.default_shipping))
    for at, place in enumerate(ordered):
        yield PostalAddress(
            label=_use(place),
            line1=place.street[0] if place.street else None,
            line2=", ".join(line for line in place.street[1:] if line) or None,
            postcode=place.postcode,
            city=place.city,
            region=place.region.region or place.region.region_code,
            country=place.country_id,
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
    tier = known.get("loyalty_tier")
    return LoyaltyMember.model_validate(
        {"account": number, "tier": Tier(code=tier) if tier else None, "balance": known.get("loyalty_points")}
    )


def _leftovers(told: Customer, answers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What has no field of ours, by the shop's own codes."""
    yield from ((code, value) for code, value in answers.items() if _plain(code) not in _KNOWN)
    for name in ("website_id", "group_id", "taxvat", "created_in"):
        if getattr(told, name):
            yield name, getattr(told, name)
    balance = told.read_apart.balance
    if balance is not None and balance.amount:
        yield "store_credit", str(kept(balance.amount))
        if balance.base_currency_code:
            yield "store_credit_currency", balance.base_currency_code
