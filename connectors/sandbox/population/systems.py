"""What each system keeps about a person, and what its ids look like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.sandbox.population.draws import Draws
from connectors.sandbox.population.spec import CountryCode, PopulationSpec, SystemName

Kind = Literal["shop", "till", "crm"]

BRANDS = ("harbour", "linden", "outlet")
STORES_PER_COUNTRY = 12
TILLS_PER_STORE = 4
COUNTRY_ORDER: tuple[CountryCode, ...] = ("US", "GB", "DE", "FR", "NL", "LV", "PL", "JP")


@dataclass(frozen=True)
class System:
    """Shares say in how many records of a person (not of a guest) a field is filled."""

    name: SystemName
    kind: Kind
    object: str
    email: float = 1.0
    phone: float = 0.8
    address: float = 0.9
    birth_date: float = 0.0
    middle_name: float = 0.0
    sex: float = 0.0
    title: float = 0.0
    full_name_only: float = 0.0
    upper_case: float = 0.0
    splits_street: bool = False
    keeps_marks: bool = False
    suffix_apart: bool = False
    verifies_email: bool = False


SYSTEMS: Mapping[SystemName, System] = {
    system.name: system
    for system in (
        System("bigcommerce", "shop", "customer", birth_date=0.10),
        System(
            "commercetools",
            "shop",
            "customer",
            phone=0.7,
            birth_date=0.40,
            middle_name=0.5,
            title=0.4,
            splits_street=True,
            keeps_marks=True,
            verifies_email=True,
        ),
        System("magento", "shop", "customer", birth_date=0.30, middle_name=0.3, sex=0.3),
        System(
            "pos",
            "till",
            "card",
            email=0.8,
            phone=0.88,
            address=0.7,
            birth_date=0.65,
            middle_name=0.2,
            sex=0.6,
            title=0.3,
            full_name_only=0.1,
            upper_case=0.25,
            suffix_apart=True,
        ),
        System(
            "salesforce",
            "crm",
            "contact",
            email=0.85,
            birth_date=0.5,
            middle_name=0.4,
            title=0.5,
            keeps_marks=True,
            suffix_apart=True,
        ),
        System("aptos", "crm", "customer", email=0.8, birth_date=0.5, sex=0.5, suffix_apart=True),
    )
}


def systems(spec: PopulationSpec) -> list[System]:
    """The spec's systems, in a fixed order."""
    return [system for name, system in SYSTEMS.items() if name in spec.systems]


def country_number(code: CountryCode) -> int:
    """A country's place in the order that store numbers follow."""
    return COUNTRY_ORDER.index(code)


def till_store(code: CountryCode, branch: int) -> str:
    """Code of a till's store, e.g. `0103`: country and branch (0 to 11). Every third belongs to the same brand."""
    return f"{country_number(code) + 1:02d}{branch + 1:02d}"


def shop_store(system: SystemName, code: CountryCode, brand: int) -> str:
    """A shop's own word for a brand's storefront in a country: a channel number, or a store key."""
    if system == "commercetools":
        return f"{BRANDS[brand]}-{code.lower()}"
    return str(country_number(code) * len(BRANDS) + brand + 1)


def source_ids(system: SystemName, draws: Draws, first: int, count: int) -> list[str]:
    """`count` ids of people's records, as the vendor forms them, counting from `first`."""
    return _FORMS[system](draws, first, count)


def order_ids(system: SystemName, draws: Draws, first: int, count: int) -> list[str]:
    """`count` ids of orders of a shop."""
    if system == "commercetools":
        return uuids(draws, f"{system} orders", count)
    return [str(first + i) for i in range(count)]


def uuids(draws: Draws, name: str, count: int) -> list[str]:
    """`count` random ids in the form of a version 4 UUID."""
    text = draws.stream(f"uuid {name}").bytes(16 * count).hex()
    parts = (text[i : i + 32] for i in range(0, 32 * count, 32))
    return [f"{p[:8]}-{p[8:12]}-4{p[13:16]}-{'89ab'[int(p[16], 16) % 4]}{p[17:20]}-{p[20:]}" for p in parts]


def _integers(_: Draws, first: int, count: int) -> list[str]:
    return [str(first + i) for i in range(count)]


def _uuids(draws: Draws, _: int, count: int) -> list[str]:
    return uuids(draws, "customers", count)


def _card_customers(_: Draws, first: int, count: int) -> list[str]:
    return [f"C{first + i:08d}" for i in range(count)]


def _salesforce(_: Draws, first: int, count: int) -> list[str]:
    return [f"0035g{_base62(first + i).rjust(10, '0')}AAA" for i in range(count)]


def _base62(number: int) -> str:
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = alphabet[rest] + digits
    return digits


def _aptos(_: Draws, first: int, count: int) -> list[str]:
    return [f"APT{first + i:09d}" for i in range(count)]


_FORMS: Mapping[SystemName, Callable[[Draws, int, int], list[str]]] = {
    "bigcommerce": _integers,
    "commercetools": _uuids,
    "magento": _integers,
    "pos": _card_customers,
    "salesforce": _salesforce,
    "aptos": _aptos,
}


def loyalty_number(serial: int) -> str:
    """A loyalty number of ten digits, the last of which is a Luhn check digit, e.g. `LC0000004564`."""
    digits = [int(digit) for digit in reversed(f"{serial:09d}")]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[::2])
    return f"LC{serial:09d}{-(doubled + sum(digits[1::2])) % 10}"
