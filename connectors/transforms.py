"""The transforms a field map may name: pure functions from one of our values to a destination's value."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from models.records import RecordKey

Item = dict[str, Any]
Options = Mapping[str, Any]

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_STRICTEST_FIRST = ("opt_out", "pending", "opt_in")


class Unfit(ValueError):
    """A value that a field cannot take. The text names what is wrong and never the value."""


def iso_date(value: Any, options: Options) -> str:  # noqa: ANN401 - any JSON value
    """The day of a date or a moment, `2026-03-14`."""
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise Unfit("no date that the calendar knows") from None


def typed_list(value: Sequence[str], options: Options) -> list[Item]:
    """Contact points as {value, primary, type}: the primary one first, the rest by their text, none twice."""
    primary = options["primary"]
    ordered = sorted(set(value) | ({primary} if primary else set()), key=lambda text: (text != primary, text))
    return [{"value": text, **_rank(text == primary, options["types"])} for text in ordered]


def _rank(primary: bool, types: Mapping[str, str]) -> Item:
    label = types.get("primary", types.get("other")) if primary else types.get("other")
    return {"primary": primary, "type": label}


def e164_list(value: Sequence[str], options: Options) -> list[Item]:
    """As `typed_list`, for phone numbers; only those in E.164, because nobody could dial the others."""
    return [item for item in typed_list(value, options) if _E164.fullmatch(item["value"])]


def address_list(value: Any, options: Options) -> list[Item]:  # noqa: ANN401 - one address or several
    """Postal addresses as {line1, line2, city, region, postcode, country, primary, type}, empty ones left out."""
    addresses = value if isinstance(value, list | tuple) else [value]
    filled = [_address(told, index == 0, options) for index, told in enumerate(addresses)]
    return [address for address in filled if address["line1"] or address["city"] or address["postcode"]]


def _address(told: Mapping[str, Any], primary: bool, options: Options) -> Item:
    parts = [told.get("street"), told.get("house_number")]
    if told.get("country") in options["number_first"]:
        parts.reverse()
    line1 = told.get("line1") or " ".join(part for part in parts if part) or None
    kept = {key: told.get(key) for key in ("line2", "city", "region", "postcode", "country")}
    return {**kept, **_rank(primary, options["types"]), "line1": line1}


def alternate_keys(value: Sequence[str], options: Options) -> list[Item]:
    """Record keys as {system, value}, after the golden one; `allow` keeps only some kinds of record."""
    golden = [{"system": "golden", "value": options["primary"]}] if options["primary"] else []
    keys = [RecordKey.parse(text) for text in sorted(set(value))]
    kept = (key for key in keys if options["allow"] is None or key.object in options["allow"])
    return golden + [record_system(key) for key in kept]


def record_system(key: RecordKey) -> Item:
    """How a destination knows a record of ours: the source and kind as system, the id as value."""
    return {"system": f"{key.source}:{key.object}", "value": key.source_id}


def effective_consents(value: Sequence[Item], options: Options) -> list[Item]:
    """Every answer of every contact point in a fixed order. `undated` stands where nobody knows when it was given."""
    dated = [{**consent, "at": consent.get("at") or options["undated"]} for consent in value]
    return sorted(dated, key=_consent_order)


def _consent_order(consent: Item) -> tuple[str, ...]:
    keys = ("channel", "contact_point", "brand", "purpose", "status", "at", "proof")
    return tuple(str(consent.get(key) or "") for key in keys)


def consent_summary(value: Sequence[Item], options: Options) -> str:
    """One line for a person at a desk, `email/brand_a: opt_out`: the strictest answer of each channel and brand."""
    strictest: dict[str, str] = {}
    for consent in value:
        topic = "/".join(part for part in (consent["channel"], consent.get("brand")) if part)
        status = min(consent["status"], strictest.get(topic, "opt_in"), key=_STRICTEST_FIRST.index)
        strictest[topic] = status
    return "; ".join(f"{topic}: {strictest[topic]}" for topic in sorted(strictest))


TRANSFORMS: Mapping[str, Callable[[Any, Options], Any]] = MappingProxyType(
    {
        transform.__name__: transform
        for transform in (
            iso_date,
            typed_list,
            e164_list,
            address_list,
            alternate_keys,
            effective_consents,
            consent_summary,
        )
    }
)

OPTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "typed_list": frozenset({"types", "primary"}),
        "e164_list": frozenset({"types", "primary"}),
        "address_list": frozenset({"types", "number_first"}),
        "alternate_keys": frozenset({"primary"}),
        "effective_consents": frozenset({"undated"}),
    }
)
"""Which options of a field say something to which transform."""
