"""Addresses and the contacts in them, of customers and of orders."""

from collections.abc import Iterable, Iterator

from connectors.commercetools.payloads import VendorAddress
from models.base import Words


def postal(told: VendorAddress, *, label: str | None, primary: bool) -> Words:
    """A PostalAddress. A street without a number of its own may hold the number too, so it goes to `line1`."""
    street, number = told.get("street_name"), told.get("street_number") or None
    return {
        "label": label,
        "line1": None if number else street,
        "street": street if number else None,
        "house_number": number,
        "line2": _second_line(told),
        "postcode": told.get("postal_code"),
        "city": told.get("city"),
        "region": told.get("region") or told.get("state"),
        "country": told.get("country"),
        "primary": primary,
    }


def one_line(told: VendorAddress) -> str:
    """The place as one text, for consents about post."""
    street, number = told.get("street_name"), told.get("street_number")
    parts = (street, number, told.get("postal_code"), told.get("city"), told.get("country"))
    return " ".join([part for part in parts if part])


def contacts(told: VendorAddress, label: str) -> Iterator[Words]:
    """Phone, mobile and e-mail of whoever receives there, as ContactPoints."""
    if phone := told.get("phone"):
        yield {"kind": "phone", "value": phone, "label": label}
    if mobile := told.get("mobile"):
        yield {"kind": "phone", "value": mobile, "label": "mobile"}
    if email := told.get("email"):
        yield {"kind": "email", "value": email, "label": label}


def is_for(told: VendorAddress, given: str | None, family: str | None) -> bool:
    """Whether the address is addressed to this person, or to nobody by name.

    An address book holds the parents' and the friend's addresses too; their phones are not the customer's.
    """
    return _agree(told.get("first_name"), given) and _agree(told.get("last_name"), family)


def unique(points: Iterable[Words]) -> list[Words]:
    """Each contact once, the first mention wins."""
    seen: dict[tuple[str, str], Words] = {}
    for point in points:
        seen.setdefault((point["kind"], point["value"]), point)
    return list(seen.values())


def _second_line(told: VendorAddress) -> str | None:
    street, building, apartment = told.get("additional_street_info"), told.get("building"), told.get("apartment")
    parts = (street, building, apartment, told.get("p_o_box"), told.get("additional_address_info"))
    return ", ".join([part for part in parts if part]) or None


def _agree(one: str | None, other: str | None) -> bool:
    if not one or not other or one == other:
        return True
    return one.strip().casefold() == other.strip().casefold()
