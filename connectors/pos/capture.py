"""Who bought, as captured at the till: customers, addresses, contacts, loyalty accounts and the points they moved."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element

from connectors.pos.elements import (
    Parts,
    attribute,
    first,
    flagged,
    parts,
    said,
    says_yes,
    text,
    told_identity,
    without_prefix,
)
from models.records import ContactPoint, Identifier, PostalAddress

Told = dict[str, Any]

_TAKEN_AWAY: Final = frozenset({"Remove", "Delete"})
_LOYALTY: Final = frozenset({"LoyaltyReward", "LoyaltyMembership"})


def captured(retail: Parts) -> Told:
    """The person, the accounts and the points of a transaction, by our names."""
    customer, gone = _customers(retail.get("Customer", []))
    holders = [holder for holder in _live(retail.get("LoyaltyAccount", ())) if text(holder, "CustomerID") not in gone]
    rewards = [reward for item in _live(retail.get("LineItem", ())) for reward in item if reward.tag in _LOYALTY]
    accounts = _accounts([*holders, *rewards])
    return {
        "person": _person(customer, [account["account"] for account in accounts]),
        "opted_out": says_yes(text(customer, "PrivacyOptOut")),
        "accounts": accounts,
        "points": [points for holder in (*holders, *rewards) for points in _points(holder)],
    }


def _customers(everyone: Sequence[Element]) -> tuple[Element | None, frozenset[str]]:
    """The last customer who was not taken away again, and the ids of those who were."""
    live = list(_live(everyone))
    if len(live) == len(everyone):
        return (live[-1] if live else None), frozenset()
    stayed = {text(customer, "CustomerID") for customer in live}
    gone = {text(customer, "CustomerID") for customer in everyone} - stayed
    return (live[-1] if live else None), frozenset(customer for customer in gone if customer)


def _live(elements: Iterable[Element]) -> Iterator[Element]:
    for element in elements:
        if not element.keys():
            yield element
            continue
        taken_away = without_prefix(attribute(element, "Action")) in _TAKEN_AWAY
        if not taken_away and not flagged(element, "CancelFlag", "VoidFlag", "DeleteFlag"):
            yield element


def _person(customer: Element | None, loyalty_numbers: list[str]) -> Told | None:
    """What a Person is made of; brand, consents and accounts are for the receipt to add."""
    of = parts(customer)
    customer_id = told_identity(said(of, "CustomerID"))
    identifiers = [Identifier(kind="pos_customer", value=customer_id)] if customer_id else []
    identifiers += [Identifier(kind="loyalty_number", value=number) for number in loyalty_numbers]
    if customer is None and not identifiers:
        return None
    day = (said(of, "BirthDayMonth") or "").removeprefix("--").removesuffix("Z") or None
    year = (said(of, "BirthYear") or "").removesuffix("Z") or None
    told: Told = {
        **_names(first(of, "Name")),
        "birth_date": f"{year}-{day}" if year and day else None,
        "birth_year": year,
        "sex": attribute(customer, "Gender"),
        "contact_points": tuple(_contact_points(of)),
        "addresses": tuple(_address(address) for address in of.get("Address", ())),
        "identifiers": tuple(identifiers),
        "attributes": _preferences(customer, None if year else day),
    }
    return {name: value for name, value in told.items() if value}


def _names(name: Element | None) -> dict[str, str | None]:
    if name is None:
        return {}
    of = parts(name)
    by_place = {attribute(part, "Location"): text(part) for part in of.get("Name", ())}
    return {
        "title": said(of, "Salutation"),
        "given_name": by_place.get("First") or said(of, "FirstName"),
        "middle_name": by_place.get("Middle") or said(of, "MiddleName"),
        "family_name": by_place.get("Last") or said(of, "LastName"),
        "full_name": said(of, "OfficialName") or said(of, "FullName") or text(name) or by_place.get(None),
        "name_suffix": said(of, "Suffix"),
    }


def _contact_points(customer: Parts) -> Iterator[ContactPoint]:
    for email in (*customer.get("EMail", ()), *customer.get("Email", ())):
        value = text(email, "EMailAddress") or text(email, "EmailAddress") or text(email)
        if value:
            yield ContactPoint(kind="email", value=value, label=attribute(email, "TypeCode"))
    for telephone in (*customer.get("TelephoneNumber", ()), *customer.get("Telephone", ())):
        value = _phone(telephone)
        if value:
            yield ContactPoint(kind="phone", value=value, label=attribute(telephone, "TypeCode"))


def _phone(telephone: Element) -> str | None:
    whole = text(telephone, "FullTelephoneNumber") or text(telephone)
    country = text(telephone, "ITUCountryCode") or text(telephone, "CountryCode")
    number = (text(telephone, "AreaCode") or "") + (text(telephone, "LocalNumber") or "")
    if whole or not number:
        return whole
    return f"+{country.removeprefix('+')}{number}" if country else number


def _address(address: Element) -> PostalAddress:
    of = parts(address)
    lines = [line for line in (text(part) for part in of.get("AddressLine", ())) if line]
    return PostalAddress(
        label=attribute(address, "AddressType"),
        line1=lines[0] if lines else None,
        line2=", ".join(lines[1:]) or None,
        postcode=said(of, "PostalCode"),
        city=said(of, "City"),
        region=said(of, "Territory"),
        country=attribute(first(of, "Country"), "Code") or said(of, "Country"),
    )


def _preferences(customer: Element | None, birth_day: str | None) -> dict[str, str]:
    told = {
        "contact_preference": attribute(customer, "ContactPreference"),
        "birth_day": birth_day,
        "customer_action": without_prefix(attribute(customer, "Action")),
    }
    return {name: value for name, value in told.items() if value}


def _accounts(holders: Iterable[Element]) -> list[Told]:
    found: dict[str, Told] = {}
    for holder in holders:
        number = _loyalty_number(holder)
        if number and number not in found:
            programme = text(holder, "LoyaltyProgramID") or text(holder, "LoyaltyAccount", "LoyaltyProgramID")
            found[number] = {"account": number, "programme": programme, "balance": _balance(holder)}
    return list(found.values())


def _loyalty_number(holder: Element) -> str | None:
    """What the customer showed: the card, else the account, else a vendor's membership."""
    told = (
        text(holder, "LoyaltyCard", "PrimaryAccountNumber"),
        text(holder, "LoyaltyAccount", "LoyaltyAccountID"),
        text(holder, "LoyaltyAccountID"),
        text(holder, "LoyaltyID"),
        text(holder, "MembershipID"),
    )
    return next((number for number in told if told_identity(number)), None)


def _moved(holder: Element) -> Iterator[tuple[str, str]]:
    """Each number of points below an account or reward, with the words that say what it is."""
    for parent in holder.iter():
        for part in parent:
            if part.tag.startswith("Points") and text(part):
                words = f"{parent.tag} {part.tag} {attribute(part, 'Type', 'TypeCode') or ''}"
                yield words.casefold(), text(part) or ""


def _points(holder: Element) -> Iterator[Told]:
    for words, points in _moved(holder):
        if "balance" in words:
            continue
        if "redeem" in words or "redemption" in words:
            yield {"movement": "redeem", "points": points}
        elif "earn" in words or "award" in words or "accru" in words:
            yield {"movement": "earn", "points": points}


def _balance(holder: Element) -> str | None:
    balances = [points for words, points in _moved(holder) if "balance" in words]
    return balances[-1] if balances else None
