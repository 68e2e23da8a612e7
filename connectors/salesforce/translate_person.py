"""Contacts and person accounts in our words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any, Literal, get_args

from connectors.salesforce.catalogue import address, person_field
from connectors.salesforce.org import Org
from connectors.salesforce.payloads import (
    VendorAddress,
    VendorConsent,
    VendorMembership,
    VendorPerson,
    VendorTypeConsent,
    blank_is_none,
)
from models.base import Words
from models.consent import ConsentStatus
from models.records import Person

STATUS: Mapping[str, str] = {"active": "active", "merged": "merged"}
"""Member statuses that go on; every other one (Cancelled, Suspended, Inactive ...) is closed."""
_ANSWERS: Mapping[str, ConsentStatus] = {
    "optin": "opt_in",
    "optout": "opt_out",
    "seen": "pending",
    "notseen": "pending",
}
_ADDRESSES = tuple(
    (label, address(prefix))
    for label, prefix in (
        ("mailing", "Mailing"),
        ("mailing", "PersonMailing"),
        ("other", "Other"),
        ("other", "PersonOther"),
        ("billing", "Billing"),
        ("shipping", "Shipping"),
    )
)
"""Our label, and the names of the components in the order of `address`."""
_Attribute = Literal["account_id", "account_name", "job_title", "department", "lead_source"]
_ATTRIBUTES: Mapping[str, _Attribute] = {
    "account": "account_id",
    "account_name": "account_name",
    "job_title": "job_title",
    "department": "department",
    "lead_source": "lead_source",
}
_Wish = Literal[
    "should_forget",
    "opted_out_of_processing",
    "opted_out_of_profiling",
    "opted_out_of_tracking",
    "opted_out_of_geo_tracking",
]
_WISHES: tuple[_Wish, ...] = get_args(_Wish)


def person(vendor: VendorPerson, told: Mapping[str, Any], org: Org) -> Person:
    """A contact or a person account. `told` is the whole payload: it holds custom fields and addresses."""
    fields = org.fields
    places = _addresses(vendor, told)
    points = tuple(_contact_points(vendor))
    listed = _listed(vendor)
    return Person.model_validate(
        {
            "title": vendor.get("salutation"),
            "given_name": vendor.get("first_name"),
            "middle_name": vendor.get("middle_name"),
            "family_name": vendor.get("last_name"),
            "name_suffix": vendor.get("suffix"),
            "sex": vendor.get("gender_identity"),
            "birth_date": vendor.get("birthdate"),
            "locale": _custom(told, fields.locale),
            "brand": _custom(told, fields.brand) or org.brand,
            "store": _custom(told, fields.store),
            "contact_points": points,
            "addresses": places,
            "identifiers": tuple(_identifiers(vendor, _custom(told, fields.loyalty_number), listed)),
            "consents": (*_refusals(vendor, points, places), *_answers(vendor, places)),
            "loyalty": tuple(_memberships(listed, org)),
            "created_at": vendor.get("created_date"),
            "attributes": _attributes(vendor),
        }
    )


def enrolled(day: Any) -> datetime | None:  # noqa: ANN401  a date or None
    """A day of enrolment as a moment: its beginning in UTC, the vendor keeps no time of day."""
    return datetime.combine(day, time(), UTC) if day else None


def member_status(told: str | None) -> Any:  # noqa: ANN401  one of LoyaltyMember's statuses
    """Our status of a membership."""
    return STATUS.get((told or "active").lower(), "closed")


def address_of(label: str, told: Sequence[Any]) -> Words | None:
    """The address with these components, in the order of the catalogue; None if none of them is told."""
    street, city, state, state_code, postcode, country, country_code = (each or None for each in told)
    region, land = state or state_code, country_code or country
    if not (street or city or postcode or region or land):
        return None
    first, _, rest = (street or "").replace("\r\n", "\n").partition("\n")
    return {
        "label": label,
        "line1": first or None,
        "line2": rest.replace("\n", ", ") or None,
        "postcode": postcode,
        "city": city,
        "region": region,
        "country": land,
        "primary": label == "mailing",
    }


def addresses_of(told: Mapping[str, Any], label: str, names: Sequence[str]) -> Words | None:
    """The address whose components have these names; mostly none of them is told."""
    if told.keys().isdisjoint(names):
        return None
    return address_of(label, [blank_is_none(told, name) for name in names])


def _addresses(vendor: VendorPerson, told: Mapping[str, Any]) -> list[Words]:
    """Those of the record, then those of its Individual that are others."""
    found = [place for label, names in _ADDRESSES if (place := addresses_of(told, label, names))]
    for point in vendor.get("contact_point_addresses", ()):
        place = _contact_point_place(point)
        if place and _one_line(place) not in map(_one_line, found):
            found.append(place)
    return found


def _contact_point_place(told: VendorAddress) -> Words | None:
    parts = (
        told.get("street"),
        told.get("city"),
        told.get("state"),
        told.get("state_code"),
        told.get("postal_code"),
        told.get("country"),
        told.get("country_code"),
    )
    return address_of((told.get("address_type") or "contact point").lower(), parts)


def _custom(told: Mapping[str, Any], name: str) -> str | None:
    return blank_is_none(told, name) if name in told else blank_is_none(told, person_field(name))


def _phones(vendor: VendorPerson) -> dict[str, str]:
    told = {
        "mobile": vendor.get("mobile_phone"),
        "business": vendor.get("phone"),
        "home": vendor.get("home_phone"),
        "other": vendor.get("other_phone"),
    }
    return {label: value for label, value in told.items() if value}


def _contact_points(vendor: VendorPerson) -> Iterator[Words]:
    """Those of the record, then those of its Individual that are others."""
    phones, own = _phones(vendor), vendor.get("email")
    if own:
        yield {"kind": "email", "value": own, "label": "email", "primary": True}
    for place, (label, value) in enumerate(phones.items()):
        yield {"kind": "phone", "value": value, "label": label, "primary": place == 0}
    for each in vendor.get("contact_point_emails", ()):
        email, primary = each.get("email_address"), bool(each.get("is_primary")) and not own
        if email and email.lower() != (own or "").lower():
            yield {"kind": "email", "value": email, "label": "contact point", "primary": primary}
    for point in vendor.get("contact_point_phones", ()):
        number, primary = point.get("telephone_number"), bool(point.get("is_primary")) and not phones
        if number and number not in phones.values():
            label = (point.get("phone_type") or "contact point").lower()
            yield {"kind": "phone", "value": number, "label": label, "primary": primary}


def _identifiers(vendor: VendorPerson, number: str | None, listed: Sequence[VendorMembership]) -> Iterator[Words]:
    if contact := vendor.get("person_contact_id"):
        yield {"kind": "salesforce_customer", "value": contact}
    for value in dict.fromkeys([number, *[each.get("membership_number") for each in listed]]):
        if value:
            yield {"kind": "loyalty_number", "value": value}


def _listed(vendor: VendorPerson) -> Sequence[VendorMembership]:
    """Memberships of the person; one that hangs on account and contact alike comes once."""
    listed = (*vendor.get("loyalty_program_members", ()), *vendor.get("contact_loyalty_program_members", ()))
    return listed if len(listed) < 2 else tuple({each["id"]: each for each in listed}.values())


def _memberships(listed: Sequence[VendorMembership], org: Org) -> Iterator[Words]:
    for each in listed:
        if number := each.get("membership_number"):
            yield {
                "account": number,
                "programme": org.programme_of(each.get("programme")),
                "status": member_status(each.get("member_status")),
                "enrolled_at": enrolled(each.get("enrollment_date")),
            }


def _refusals(vendor: VendorPerson, points: Sequence[Words], places: Sequence[Words]) -> Iterator[Words]:
    """The check boxes. Ticked is an undated no; not ticked says nothing, it is how every record begins."""
    if vendor.get("opted_out_of_email") and (email := vendor.get("email")):
        yield _no("email", email, "HasOptedOutOfEmail")
    if vendor.get("do_not_call"):
        yield from (_no("phone", phone, "DoNotCall") for phone in dict.fromkeys(_phones(vendor).values()))
    if vendor.get("opted_out_of_solicitation"):
        for point in points:
            channels = ("email",) if point["kind"] == "email" else ("phone", "sms")
            yield from (_no(channel, point["value"], "HasOptedOutSolicit") for channel in channels)
        yield from (_no("post", _one_line(each), "HasOptedOutSolicit") for each in places)


def _no(channel: str, point: str, proof: str) -> Words:
    return {"contact_point": point, "channel": channel, "status": "opt_out", "proof": proof}


def _answers(vendor: VendorPerson, places: Sequence[Words]) -> Iterator[Words]:
    """What was answered about a kind of contact point, and about single ones."""
    for answer in vendor.get("contact_point_type_consents", ()):
        yield from _answered(answer, _points(answer, vendor, places))
    for email in vendor.get("contact_point_emails", ()):
        for each in email.get("contact_point_consents", ()):
            yield from _answered(each, [("email", email.get("email_address"))])
    for phone in vendor.get("contact_point_phones", ()):
        for each in phone.get("contact_point_consents", ()):
            yield from _answered(each, [("sms" if _by_sms(each) else "phone", phone.get("telephone_number"))])
    for point in vendor.get("contact_point_addresses", ()):
        place = _contact_point_place(point)
        for each in point.get("contact_point_consents", ()):
            yield from _answered(each, [("post", _one_line(place) if place else None)])


def _answered(told: VendorConsent, points: Any) -> Iterator[Words]:  # noqa: ANN401  pairs of channel and contact point
    status, at = _answer(told)
    for channel, point in points if status else ():
        if point:
            yield {
                "contact_point": point,
                "channel": channel,
                "brand": told.get("brand"),
                "purpose": told.get("purpose") or "marketing",
                "status": status,
                "at": at,
                "proof": told.get("capture_source"),
            }


def _answer(told: VendorConsent) -> tuple[ConsentStatus | None, datetime | None]:
    """What was said, and when: a yes when it was confirmed, if it was. A yes that had ended by then is a no since."""
    status = _ANSWERS.get(told["privacy_consent_status"].lower())
    said_at = told.get("capture_date") or told.get("effective_from")
    if status != "opt_in":
        return status, said_at
    ended, changed = told.get("effective_to"), told.get("system_modstamp")
    if ended and changed and ended <= changed:
        return "opt_out", ended
    return status, told.get("double_consent_capture_date") or said_at


def _points(told: VendorTypeConsent, vendor: VendorPerson, places: Sequence[Words]) -> Iterator[tuple[str, str | None]]:
    """(channel, contact point) of each point that an answer about a kind of contact point is about."""
    kind = told["contact_point_type"].lower()
    if kind == "email":
        yield "email", vendor.get("email")
    if kind == "phone" and _by_sms(told):
        yield from (("sms", phone) for phone in list(_phones(vendor).values())[:1])
    elif kind == "phone":
        yield from (("phone", phone) for phone in dict.fromkeys(_phones(vendor).values()))
    if kind == "mailingaddress":
        yield from (("post", _one_line(each)) for each in places if each["primary"])


def _by_sms(told: VendorConsent) -> bool:
    return "sms" in (told.get("channel") or "").lower()


def _one_line(place: Words) -> str:
    names = ("line1", "line2", "postcode", "city", "region", "country")
    return ", ".join(place[name] for name in names if place[name])


def _attributes(vendor: VendorPerson) -> dict[str, str]:
    said = {ours: value for ours, theirs in _ATTRIBUTES.items() if (value := vendor.get(theirs))}
    if bounced := vendor.get("email_bounced"):
        said["email_bounced_at"] = bounced.isoformat()
    return said | {wish: "true" for wish in _WISHES if vendor.get(wish)}
