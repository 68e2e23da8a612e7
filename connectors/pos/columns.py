"""Which column of a delimited drop holds what: found by header, whatever its case and punctuation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

RECEIPT_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "store": ("store id", "store", "store number", "retail store id", "ship node"),
    "till": ("workstation id", "till", "till id", "register", "register id", "terminal"),
    "receipt": ("transaction number", "receipt number", "receipt"),
    "sequence": ("transaction sequence number",),
    "transaction_id": ("transaction id",),
    "line": ("line sequence number", "line number", "line"),
    "at": ("transaction date", "transaction time", "transaction date time", "timestamp"),
    "business_day": ("business date", "business day", "business day date"),
    "type": ("type", "line type", "transaction type"),
    "status": ("status code", "status", "transaction status"),
    "sku": ("item id", "sku", "article"),
    "name": ("item description", "description"),
    "quantity": ("quantity", "qty"),
    "amount": ("amount", "extended amount", "line amount"),
    "unit_price": ("unit price", "price"),
    "discount": ("discount", "discount amount"),
    "tax": ("tax", "tax amount"),
    "currency": ("currency", "currency code"),
    "total": ("transaction total", "total"),
    "tender": ("tender", "tender type"),
    "cashier": ("operator id", "cashier", "cashier id"),
    "customer": ("customer number", "customer id"),
    "loyalty_number": ("loyalty card", "loyalty number", "loyalty id"),
    "points_earned": ("points earned",),
    "points_redeemed": ("points redeemed",),
    "given_name": ("first name", "given name"),
    "family_name": ("last name", "family name", "surname"),
    "full_name": ("customer name", "full name"),
    "email": ("email", "e mail", "email address"),
    "phone": ("phone", "phone number", "telephone", "mobile"),
    "line1": ("address", "address line 1", "street"),
    "postcode": ("postcode", "postal code", "zip"),
    "city": ("city", "town"),
    "country": ("country", "country code"),
    "original_store": ("original store id",),
    "original_till": ("original workstation id",),
    "original_day": ("original business date",),
    "original_receipt": ("original transaction number",),
    "original_line": ("original line sequence number",),
}

MEMBER_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "customer": ("customer number", "customer id", "member id"),
    "loyalty_number": ("loyalty card", "loyalty number", "loyalty id", "card number"),
    "programme": ("programme", "program", "loyalty program id"),
    "tier": ("tier", "level", "loyalty tier"),
    "tier_expires": ("tier expires", "tier expiry", "tier expires on"),
    "balance": ("points balance", "balance", "points"),
    "state": ("status", "member status"),
    "enrolled_at": ("enrolled at", "enrolment date", "enrollment date", "joined"),
    "changed_at": ("changed at", "updated at", "last modified"),
    "title": ("title", "salutation"),
    "given_name": ("first name", "given name"),
    "middle_name": ("middle name",),
    "family_name": ("last name", "family name", "surname"),
    "full_name": ("name", "full name", "customer name"),
    "name_suffix": ("suffix", "name suffix"),
    "sex": ("sex", "gender"),
    "birth_date": ("birth date", "date of birth", "birthday"),
    "language": ("language",),
    "store": ("store id", "home store", "store", "store number"),
    "email": ("email", "e mail", "email address"),
    "phone": ("phone", "phone number", "telephone", "mobile"),
    "line1": ("address", "address line 1"),
    "line2": ("address line 2",),
    "house_number": ("house number",),
    "street": ("street",),
    "postcode": ("postcode", "postal code", "zip"),
    "city": ("city", "town"),
    "region": ("region", "state", "county"),
    "country": ("country", "country code"),
    "email_consent": ("email consent", "email opt in"),
    "sms_consent": ("sms consent", "sms opt in"),
    "phone_consent": ("phone consent", "phone opt in"),
    "email_consent_at": ("email consent at",),
    "sms_consent_at": ("sms consent at",),
    "phone_consent_at": ("phone consent at",),
    "consent_at": ("consent at", "consent date"),
}

ENTRY_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "external_id": ("external id", "entry id", "id"),
    "account": ("loyalty card", "loyalty number", "loyalty id", "account"),
    "programme": ("programme", "program", "loyalty program id"),
    "movement": ("movement", "kind", "type"),
    "points": ("points", "amount"),
    "at": ("at", "posted at", "entry date", "timestamp"),
    "expires_on": ("expires on", "expiry"),
    "reason": ("reason", "description"),
    "store": ("store id", "store", "store number"),
}

DROPPED: Final = (
    "operator name",
    "cashier name",
    "payment card",
    "payment card number",
    "primary account number",
    "pan",
    "masked pan",
    "expiry date",
)
"""Headers that never land."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Headers by our word: the known ones, and what a retailer calls them."""

    known: Mapping[str, tuple[str, ...]]
    told: Mapping[str, str]
    dropped: tuple[str, ...]

    def places(self, header: Sequence[str]) -> dict[str, int]:
        """Where each of our words stands. A retailer's own name goes before the known ones."""
        at = {plain(name): place for place, name in reversed(list(enumerate(header)))}
        found = {}
        for word, names in self.known.items():
            for name in (self.told[word],) if word in self.told else names:
                if plain(name) in at:
                    found[word] = at[plain(name)]
                    break
        return found

    def landing(self, header: Sequence[str]) -> list[int]:
        """The places that may land: all but the dropped ones."""
        never = {plain(name) for name in self.dropped}
        return [place for place, name in enumerate(header) if plain(name) not in never]


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A header without case and punctuation: `Line-Sequence_Number` is `linesequencenumber`."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
