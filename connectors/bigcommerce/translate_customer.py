"""Customers and newsletter subscribers as persons."""

from collections.abc import Iterator, Mapping

from connectors.bigcommerce.payloads import Customer, CustomerAddress, Subscriber
from models.consent import ConsentEvent
from models.loyalty import LoyaltyMember, Tier
from models.records import ContactPoint, Identifier, Person, PostalAddress

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
    known = {_KNOWN[_plain(name)]: value for name, value in answers.items() if _plain(name) in _KNOWN}
    number = known.get("loyalty_number")
    return Person(
        title=known.get("title"),
        given_name=told.first_name,
        middle_name=known.get("middle_name"),
        family_name=told.last_name,
        organisation=told.company,
        sex=known.get("sex"),
        birth_date=known.get("birth_date"),
        language=known.get("language"),
        brand=brands.get(told.origin_channel_id or ""),
        store=told.origin_channel_id,
        contact_points=tuple(_contacts(told)),
        addresses=tuple(_address(address, first=at == 0) for at, address in enumerate(told.addresses)),
        identifiers=(Identifier(kind="loyalty_number", value=number),) if number else (),
        consents=tuple(_mail_consent(told, brands)),
        loyalty=(_member(number, known),) if number else (),
        created_at=told.date_created,
        attributes=dict(_leftovers(told, answers)),
    )


def subscriber_body(told: Subscriber, brands: Mapping[str, str]) -> Person:
    """An entry of the newsletter list. What is not consented to any more was withdrawn when the entry changed."""
    given = {"marketing_newsletter"} if told.consents is None else set(told.consents)
    return Person(
        given_name=told.first_name,
        family_name=told.last_name,
        brand=brands.get(told.channel_id or ""),
        store=told.channel_id,
        contact_points=(ContactPoint(kind="email", value=told.email, primary=True),),
        consents=tuple(
            ConsentEvent(
                contact_point=told.email,
                channel="email",
                brand=brands.get(told.channel_id or ""),
                purpose=purpose,
                status="opt_in" if consent in given else "opt_out",
                at=told.date_modified,
            )
            for consent, purpose in (("marketing_newsletter", "marketing"), ("abandoned_cart", "abandoned_cart"))
        ),
        created_at=told.date_created,
    )


def _answers(told: Customer) -> Iterator[tuple[str, str]]:
    """Form fields and attributes by name; an attribute whose name is not known goes by its id."""
    for field in told.form_fields:
        if field.value not in (None, "", []):
            yield field.name, ", ".join(map(str, field.value)) if isinstance(field.value, list) else str(field.value)
    for attribute in told.attributes:
        if attribute.attribute_value is not None:
            name = told.attribute_names.get(attribute.attribute_id, f"attribute {attribute.attribute_id}")
            yield name, attribute.attribute_value


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _contacts(told: Customer) -> Iterator[ContactPoint]:
    if told.email:
        yield ContactPoint(kind="email", value=told.email, primary=True)
    if told.phone:
        yield ContactPoint(kind="phone", value=told.phone, primary=True)
    for phone in dict.fromkeys(address.phone for address in told.addresses):
        if phone and phone != told.phone:
            yield ContactPoint(kind="phone", value=phone, label="address")


def _address(told: CustomerAddress, *, first: bool) -> PostalAddress:
    return PostalAddress(
        label=told.address_type,
        line1=told.address1,
        line2=told.address2,
        postcode=told.postal_code,
        city=told.city,
        region=told.state_or_province,
        country=told.country_code or told.country,
        primary=first,
    )


def _mail_consent(told: Customer, brands: Mapping[str, str]) -> Iterator[ConsentEvent]:
    """One tick covers mails about product reviews and abandoned carts, since when is not told. No tick is no answer."""
    if told.email and told.accepts_product_review_abandoned_cart_emails:
        yield ConsentEvent(
            contact_point=told.email,
            channel="email",
            brand=brands.get(told.origin_channel_id or ""),
            purpose="reviews_and_carts",
            status="opt_in",
        )


def _member(number: str, known: Mapping[str, str]) -> LoyaltyMember:
    """Validation of the balance (whole points) is the model's; its refusal names the path."""
    tier = known.get("loyalty_tier")
    return LoyaltyMember.model_validate(
        {"account": number, "tier": Tier(code=tier) if tier else None, "balance": known.get("loyalty_points")}
    )


def _leftovers(told: Customer, answers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What has no field of ours, by the shop's own names."""
    yield from ((name, value) for name, value in answers.items() if _plain(name) not in _KNOWN)
    if told.customer_group_id:
        yield "customer_group_id", told.customer_group_id
    if told.tax_exempt_category:
        yield "tax_exempt_category", told.tax_exempt_category
    credit = sum((credit.amount for credit in told.store_credit_amounts), start=0)
    if credit:
        yield "store_credit", str(credit)
