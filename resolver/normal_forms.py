"""Normal forms: one spelling for e-mail addresses, phones, names, addresses and dates.

Pure functions over single values. `standard_form` calls those that SQL cannot express on the distinct values of a
column; everything else in the product that must spell a value as the linkage does calls them directly.
An empty or unusable value is None, never an empty string.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

import anyascii
import phonenumbers
from cleanco.termdata import terms_by_type
from faker.providers import person
from metaphone import doublemetaphone
from nameparser.config.particles import PARTICLES
from nameparser.config.suffixes import SUFFIX_ACRONYMS
from nameparser.config.titles import TITLES
from nicknames import NickNamer

GERMAN_PAIRS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})
EMAIL = re.compile(r"^[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s,;<>()]+$")
NO_REPLY = (
    r"(no-?_?reply|do-?not-?reply|no-?e?-?mail|none|null|test|unknown|na|n\.a|nomail|guest|customer|invalid|dummy"
    r"|example)[0-9]*"
)
FAMILY_WORDS = (
    r"^(family|familie|famille|familia|famiglia|rodzina)|(family|familie|famille|familia|famiglia|rodzina)$"
    r"|^the[a-z]{3,}s$"
)
"""What the letters of a mailbox say that a family shares, thesmiths among them."""
USUALLY = 3
COMPANY_TYPES = (
    "Corporation",
    "Limited",
    "Limited Liability Company",
    "Limited Liability Partnership",
    "Limited Partnership",
)
AMBIGUOUS_COMPANY_WORDS = frozenset({"teo", "tov", "vat", "zat", "dat", "cpt", "asa", "aps", "ans", "aat", "pty"})


def ascii_form(text: str) -> str:
    """Lower-case ASCII spelling: German umlauts as two letters, other diacritics dropped, other scripts
    transliterated."""
    composed = unicodedata.normalize("NFC", text).casefold().translate(GERMAN_PAIRS)
    return str(anyascii.anyascii(composed)).lower()


def email(text: str | None) -> str | None:
    """Lower-case address without `mailto:` and spaces; None when it is no address or a stand-in for none."""
    if text is None:
        return None
    bare = re.sub(r"\s+", "", ascii_form(text)).removeprefix("mailto:")
    if not EMAIL.match(bare) or re.fullmatch(NO_REPLY, bare.partition("@")[0]):
        return None
    return bare


def mailbox(address: str) -> str:
    """The mailbox behind an address: sub-address dropped, and the dots that Gmail ignores."""
    local, _, domain = address.partition("@")
    local = local.partition("+")[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


@dataclass(frozen=True)
class DiallingPlan:
    """What a country's plain national numbers look like, read from the metadata of phonenumbers."""

    code: str
    trunk: str
    national: re.Pattern[str]
    lengths: frozenset[int]


@functools.cache
def dialling_plan(country: str) -> DiallingPlan | None:
    """The plan of an ISO 3166 alpha-2 country, or None when phonenumbers has none."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country.upper(), None)
    if metadata is None or metadata.general_desc is None:
        return None
    kinds = (metadata.fixed_line, metadata.mobile, metadata.toll_free, metadata.premium_rate, metadata.shared_cost,
             metadata.personal_number, metadata.voip, metadata.pager, metadata.uan, metadata.voicemail)  # fmt: skip
    patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    trunk = metadata.national_prefix if metadata.national_prefix_transform_rule is None else None
    return DiallingPlan(
        code=str(metadata.country_code),
        trunk=trunk or "",
        national=re.compile("|".join(f"(?:{pattern})" for pattern in patterns)),
        lengths=frozenset(metadata.general_desc.possible_length),
    )


@dataclass(frozen=True)
class Phone:
    """One telephone number: E.164 when it is a valid number of a known country, and the digits people dial."""

    e164: str | None
    national: str | None


NO_PHONE = Phone(None, None)


def phone(text: str | None, country: str | None) -> Phone:
    """E.164 and national digits of a number as told in a country; both None for placeholders and fragments."""
    if text is None:
        return NO_PHONE
    digits = re.sub(r"\D", "", text)
    if len(digits) < 7 or is_placeholder_number(digits):
        return NO_PHONE
    plain = _plain_phone(text, digits, country)
    return plain or _parsed_phone(text, digits, country)


def is_landline(e164: str) -> bool | None:
    """Whether the numbering plan says so; None where landlines and mobiles look alike, as in the US."""
    kind = phonenumbers.number_type(phonenumbers.parse(e164))
    if kind == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE:
        return None
    return bool(kind == phonenumbers.PhoneNumberType.FIXED_LINE)


def is_placeholder_number(digits: str) -> bool:
    """True for 0000000000, 5555555555, 1234567890 and their like: at most two different digits, or a straight run."""
    core = digits[-9:]
    return len(set(core)) <= 2 or core in "01234567890123456789" or core in "98765432109876543210"


def _plain_phone(text: str, digits: str, country: str | None) -> Phone | None:
    """The fast way for a number in its country's plain national shape; None sends it to phonenumbers."""
    plan = dialling_plan(country) if country else None
    if plan is None or not re.fullmatch(r"[\d ./-]+", text):
        return None
    national = digits[len(plan.trunk) :] if plan.trunk and digits.startswith(plan.trunk) else digits
    if len(national) not in plan.lengths or not plan.national.fullmatch(national):
        return None
    if national.startswith(plan.code) or (national != digits and plan.national.fullmatch(digits)):
        return None  # it can be read in two ways: let phonenumbers decide
    return Phone(f"+{plan.code}{national}", national)


def _parsed_phone(text: str, digits: str, country: str | None) -> Phone:
    international = text.strip().startswith("+") or (country is None and digits.startswith("00"))
    if country is None and not international:
        return Phone(None, digits[-10:])
    try:
        number = phonenumbers.parse("+" + digits.removeprefix("00") if international else text, country)
    except phonenumbers.NumberParseException:
        return Phone(None, digits[-10:])
    if not phonenumbers.is_valid_number(number):
        return Phone(None, digits[-10:])
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164, str(phonenumbers.national_significant_number(number)))


@functools.cache
def _nicknames() -> NickNamer:
    return NickNamer()


def given_forms(given: str) -> list[str]:
    """The name and the full forms that it may be short for, sorted: two names sharing one may be one name.

    `bob` gives bob and robert; `alexandra` gives itself only, so that alexander and alexandra share nothing
    although both are called alex.
    """
    return sorted({given, *_nicknames().canonicals_of(given)})


@functools.cache
def _languages_of_names() -> dict[str, tuple[int, int]]:
    """Given name -> in how many languages it is a man's and a woman's, as Faker lists them."""
    men: dict[str, set[str]] = {}
    women: dict[str, set[str]] = {}
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for attribute, names in (("male", men), ("female", women)):
            for kind in ("names", "romanized_names"):
                for name in getattr(provider, f"first_{kind}_{attribute}", ()):
                    names.setdefault(ascii_form(name), set()).add(module.name.partition("_")[0])
    return {name: (len(men.get(name, ())), len(women.get(name, ()))) for name in men.keys() | women.keys()}


def given_sex(given: str) -> str | None:
    """`m` or `f` for a given name that is a man's or a woman's in most languages that have it, `x` for one that may be
    either's, None where fewer than two languages have it."""
    men, women = _languages_of_names().get(given, (0, 0))
    if men + women < 2:
        return None
    return "m" if men >= USUALLY * women else "f" if women >= USUALLY * men else "x"


def sound(word: str) -> str | None:
    """Double Metaphone's primary code; None when the word has no sound (digits, one letter)."""
    code = str(doublemetaphone(word)[0])
    return code or None


@functools.cache
def titles() -> frozenset[str]:
    """Words before a name that are not part of it; those that are also given names (dean, earl) are left out."""
    words = {word.replace(".", "") for word in TITLES if word.isascii() and " " not in word}
    return frozenset(word for word in words if word.isalpha() and not _is_given_name(word))


@functools.cache
def honours() -> frozenset[str]:
    """Words after a name that are not part of it (phd, bt, 1st); those that can be said aloud may be names and are
    left out."""
    words = {word.replace(".", "") for word in SUFFIX_ACRONYMS if word.isascii() and word.isalpha()}
    return frozenset(word for word in words if len(word) > 1 and not set(word) & set("aeiouy")) | HONOURS


def _is_given_name(word: str) -> bool:
    return bool(_nicknames().nicknames_of(word) or _nicknames().canonicals_of(word))


@functools.cache
def particles() -> frozenset[str]:
    """Words that begin a family name of several words (van, de la, von)."""
    return frozenset(word for word in PARTICLES if word.isascii() and word.isalpha())


NOBODY = frozenset(
    "guest unknown customer client kunde gast invite anonymous anonym test tester none null na nn nil no "
    "name noname cash walkin walk in pos shop store user web checkout default firstname lastname first "
    "last tbd xxx xx x".split()
)
SUFFIXES = frozenset({"jr", "jnr", "junior", "sr", "snr", "senior", "ii", "iii", "iv", "2nd", "3rd"})
SALUTATIONS = frozenset(
    "mr mrs ms miss mx mister dr doctor prof professor sir dame lord lady rev revd reverend capt captain "
    "major colonel general herr frau monsieur madame mme mlle senor senora".split()
)
HONOURS = frozenset("baronet esq esquire mba obe mbe cbe 1st 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th".split())
STREET_WORDS = {
    "street": "st", "str": "st", "strasse": "st", "avenue": "ave", "av": "ave", "road": "rd", "lane": "ln",
    "drive": "dr",
    "court": "ct", "place": "pl", "square": "sq", "boulevard": "blvd", "bd": "blvd", "terrace": "ter", "terr": "ter",
    "crescent": "cres", "cr": "cres", "close": "cl", "highway": "hwy", "parkway": "pkwy", "circle": "cir",
    "circuit": "cct",
    "north": "n", "south": "s", "east": "e", "west": "w", "saint": "st", "mount": "mt", "apartment": "apt",
    "unit": "apt",
    "flat": "apt", "parade": "pde", "grove": "gr", "gardens": "gdns", "alley": "aly", "trail": "trl", "way": "wy",
}  # fmt: skip


@functools.cache
def company_words() -> frozenset[str]:
    """Legal forms that close a company's name; short ones and those that are also people's names are left out."""
    terms = {term.removesuffix(".") for kind in COMPANY_TYPES for term in terms_by_type[kind]}
    return frozenset(
        t for t in terms if len(t) > 2 and t.isascii() and t.isalpha() and t not in AMBIGUOUS_COMPANY_WORDS
    )


def birth_date(year: int, month: int, day: int) -> date | None:
    """The date, or the date with day and month exchanged when only that exists, else None."""
    for m, d in ((month, day), (day, month)):
        try:
            return date(year, m, d)
        except ValueError:
            continue
    return None
