"""Addresses and the contacts in them, of customers and of orders."""

from collections.abc import Iterator

from connectors.commercetools.payloads import VendorAddress
from connectors.commercetools.reading import Words


def postal(told: VendorAddress, *, label: str | None, primary: bool) -> Words:
    """A PostalAddress. A street without a number of its own may hold the number too, so it goes to `line1`."""
    apart = bool(told.street_number)
    return {
        "label": label,
        "line1": None if apart else told.street_name,
        "street": told.street_name if apart else None,
        "house_number": told.street_number or None,
        "line2": _second_line(told),
        "postcode": told.postal_code,
        "city": told.city,
        "region": told.region or told.state,
        "country": told.country,
        "primary": primary,
    }


def one_line(told: VendorAddress) -> str:
    """The place as one text, for consents about post."""
    parts = (told.street_name, told.street_number, told.postal_code, told.city, told.country)
    return " ".join(part for part in parts if part)


def contacts(told: VendorAddress, label: str) -> Iterator[Words]:
    """Phone, mobile and e-mail of whoever receives there, as ContactPoints."""
    if told.phone:
        yield {"kind": "phone", "value": told.phone, "label": label}
    if told.mobile:
        yield {"kind": "phone", "value": told.mobile, "label": "mobile"}
    if told.email:
        yield {"kind": "email", "value": told.email, "label": label}


def is_for(told: VendorAddress, given: str | None, family: str | None) -> bool:
    """Whether the address is addressed to this person, or to nobody by name.

    An address book holds the parents' and the friend's addresses too; their phones are not the customer's.
    """
    return _agree(told.first_name, given) and _agree(told.last_name, family)


def unique(points: Iterator[Words]) -> list[Words]:
    """Each contact once, the first mention wins."""
    seen: dict[tuple[str, str], Words] = {}
    for point in points:
        seen.setdefault((point["kind"], point["value"]), point)
    return list(seen.values())


def _second_line(told: VendorAddress) -> str | None:
    parts = (told.additional_street_info, told.building, told.apartment, told.p_o_box, told.additional_address_info)
    return ", ".join(part for part in parts if part) or None


def _agree(one: str | None, other: str | None) -> bool:
    if not one or not other:
        return True
    return one.strip().casefold() == other.strip().casefold()
