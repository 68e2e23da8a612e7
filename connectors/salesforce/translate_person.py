"""Contacts and person accounts in our words."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Any

from connectors.salesforce.catalogue import address, person_field
from connectors.salesforce.org import Org
from connectors.salesforce.payloads import VendorConsent, VendorMembership, VendorPerson, blank_is_none
from models.consent import ConsentEvent, ConsentStatus
from models.loyalty import LoyaltyMember
from models.records import ContactPoint, Identifier, Person, PostalAddress

STATUS: Mapping[str, str] = {"active": "active", "merged": "merged"}
"""Member statuses that go on; every other one (Cancelled, Suspended, Inactive ...) is closed."""
_ANSWERS: Mapping[str, ConsentStatus] = {
    "optin": "opt_in",
    "optout": "opt_out",
    "seen": "pending",
    "notseen": "pending",
}
_ADDRESSES = tuple(
    (label, prefix, frozenset(address(prefix)))
    for label, prefix in (
        ("mailing", "Mailing"),
        ("mailing", "PersonMailing"),
        ("other", "Other"),
        ("other", "PersonOther"),
        ("billing", "Billing"),
        ("shipping", "Shipping"),
    )
)
"""Our label, the prefix of its components, and their names."""


def person(vendor: VendorPerson, told: Mapping[str, Any], org: Org) -> Person:
    """A contact or a person account. `told` is the whole payload: it holds custom fields and addresses."""
    number = _custom(told, org.fields.loyalty_number)
    addresses = tuple(_addresses(told))
    return Person(
        title=vendor.salutation,
        given_name=vendor.first_name,
        middle_name=vendor.middle_name,
        family_name=vendor.last_name,
        name_suffix=vendor.suffix,
        sex=vendor.gender_identity,
        birth_date=vendor.birthdate,
        locale=_custom(told, org.fields.locale),
        brand=_custom(told, org.fields.brand) or org.brand,
        store=_custom(told, org.fields.store),
        contact_points=tuple(_contact_points(vendor)),
        addresses=addresses,
        identifiers=tuple(_identifiers(vendor, number)),
        consents=(*_refusals(vendor), *_answers(vendor, addresses)),
        loyalty=tuple(_memberships(vendor, org)),
        created_at=vendor.created_date,
        attributes=_attributes(vendor),
    )


def enrolled(day: Any) -> datetime | None:  # noqa: ANN401  a date or None
    """A day of enrolment as a moment: its beginning in UTC, the vendor keeps no time of day."""
    return datetime.combine(day, time(), UTC) if day else None


def member_status(told: str | None) -> Any:  # noqa: ANN401  one of LoyaltyMember's statuses
    """Our status of a membership."""
    return STATUS.get((told or "active").lower(), "closed")


def addresses_of(told: Mapping[str, Any], label: str, prefix: str) -> Iterator[PostalAddress]:
    """The address with this prefix, if any of its components is told."""
    part = {name: blank_is_none(told, f"{prefix}{name}") for name in ("Street", "City", "PostalCode")}
    region = blank_is_none(told, f"{prefix}State") or blank_is_none(told, f"{prefix}StateCode")
    country = blank_is_none(told, f"{prefix}CountryCode") or blank_is_none(told, f"{prefix}Country")
    if not any((*part.values(), region, country)):
        return
    first, _, rest = (part["Street"] or "").replace("\r\n", "\n").partition("\n")
    yield PostalAddress(
        label=label,
        line1=first or None,
        line2=rest.replace("\n", ", ") or None,
        postcode=part["PostalCode"],
        city=part["City"],
        region=region,
        country=country,
        primary=label == "mailing",
    )


def _addresses(told: Mapping[str, Any]) -> Iterator[PostalAddress]:
    for label, prefix, components in _ADDRESSES:
        if not components.isdisjoint(told):
            yield from addresses_of(told, label, prefix)


def _custom(told: Mapping[str, Any], name: str) -> str | None:
    return blank_is_none(told, name) or blank_is_none(told, person_field(name))


def _phones(vendor: VendorPerson) -> dict[str, str]:
    told = {
        "mobile": vendor.mobile_phone,
        "business": vendor.phone,
        "home": vendor.home_phone,
        "other": vendor.other_phone,
    }
    return {label: value for label, value in told.items() if value}


def _contact_points(vendor: VendorPerson) -> Iterator[ContactPoint]:
    if vendor.email:
        yield ContactPoint(kind="email", value=vendor.email, label="email", primary=True)
    for place, (label, value) in enumerate(_phones(vendor).items()):
        yield ContactPoint(kind="phone", value=value, label=label, primary=place == 0)


def _identifiers(vendor: VendorPerson, number: str | None) -> Iterator[Identifier]:
    if vendor.person_contact_id:
        yield Identifier(kind="salesforce_customer", value=vendor.person_contact_id)
    told = [number, *(each.membership_number for each in _listed(vendor))]
    for value in dict.fromkeys(each for each in told if each):
        yield Identifier(kind="loyalty_number", value=value)


def _listed(vendor: VendorPerson) -> Iterator[VendorMembership]:
    """Memberships of the person; one that hangs on account and contact alike comes once."""
    listed = (*vendor.loyalty_program_members, *vendor.contact_loyalty_program_members)
    return iter({each.id: each for each in listed}.values())


def _memberships(vendor: VendorPerson, org: Org) -> Iterator[LoyaltyMember]:
    for each in _listed(vendor):
        if each.membership_number:
            yield LoyaltyMember(
                account=each.membership_number,
                programme=org.programme_of(each.programme),
                status=member_status(each.member_status),
                enrolled_at=enrolled(each.enrollment_date),
            )


def _refusals(vendor: VendorPerson) -> Iterator[ConsentEvent]:
    """The two check boxes. Ticked is an undated no; not ticked says nothing, it is how every record begins."""
    if vendor.opted_out_of_email and vendor.email:
        yield ConsentEvent(contact_point=vendor.email, channel="email", status="opt_out", proof="HasOptedOutOfEmail")
    if vendor.do_not_call:
        for phone in dict.fromkeys(_phones(vendor).values()):
            yield ConsentEvent(contact_point=phone, channel="phone", status="opt_out", proof="DoNotCall")


def _answers(vendor: VendorPerson, addresses: tuple[PostalAddress, ...]) -> Iterator[ConsentEvent]:
    for each in vendor.contact_point_type_consents:
        status = _ANSWERS.get(each.privacy_consent_status.lower())
        if status is None:
            continue
        for channel, point in _points(each, vendor, addresses):
            yield ConsentEvent(
                contact_point=point,
                channel=channel,
                brand=each.brand,
                purpose=each.purpose or "marketing",
                status=status,
                at=each.capture_date or each.effective_from,
                proof=each.capture_source,
            )


def _points(told: VendorConsent, vendor: VendorPerson, addresses: tuple[PostalAddress, ...]) -> Iterator[Any]:
    """(channel, contact point) of each point that an answer about a kind of contact point is about."""
    kind, channel = told.contact_point_type.lower(), (told.channel or "").lower()
    if kind == "email" and vendor.email:
        yield "email", vendor.email
    if kind == "phone" and "sms" in channel:
        yield from (("sms", phone) for phone in list(_phones(vendor).values())[:1])
    elif kind == "phone":
        yield from (("phone", phone) for phone in dict.fromkeys(_phones(vendor).values()))
    if kind == "mailingaddress":
        yield from (("post", _one_line(each)) for each in addresses if each.primary)


def _one_line(address: PostalAddress) -> str:
    parts = (address.line1, address.line2, address.postcode, address.city, address.region, address.country)
    return ", ".join(part for part in parts if part)


def _attributes(vendor: VendorPerson) -> dict[str, str]:
    told = {
        "account": vendor.account_id,
        "account_name": vendor.account_name,
        "job_title": vendor.job_title,
        "department": vendor.department,
        "lead_source": vendor.lead_source,
        "email_bounced_at": vendor.email_bounced.isoformat() if vendor.email_bounced else None,
    }
    return {name: value for name, value in told.items() if value}
