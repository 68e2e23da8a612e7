"""Consents that a shop keeps in a custom field of a customer or an order."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from connectors.commercetools.payloads import Instant, Payload
from connectors.commercetools.reading import ShopFields, Unreadable, Words, reasons
from models.consent import Channel, ConsentStatus


class ConsentTold(Payload):
    """One answer."""

    channel: Channel
    status: ConsentStatus
    at: Instant | None = None
    brand: str | None = None
    purpose: str = "marketing"
    proof: str | None = None
    contact_point: str | None = None


class Reached:
    """By which contact point each channel reaches a person, for answers that do not say which one they are about."""

    def __init__(self, points: Iterable[Words], *, post: str | None, push: str | None) -> None:
        self._points = tuple(points)
        self._apart: dict[Channel, str | None] = {"post": post, "push": push}

    def by(self, channel: Channel) -> str | None:
        """None if there is nothing that an answer could be about."""
        if channel in self._apart:
            return self._apart[channel]
        kind = "email" if channel == "email" else "phone"
        found = [point for point in self._points if point["kind"] == kind]
        found.sort(key=lambda point: channel == "sms" and point["label"] != "mobile")
        return str(found[0]["value"]) if found else None


def consents(custom: Mapping[str, Any], shop: ShopFields, reached: Reached, brand: str | None) -> Iterator[Words]:
    """ConsentEvents, in the order told. One about a channel by which nobody is reached says nothing and is left out.

    Raises Unreadable for an entry that is no answer.
    """
    entries = custom.get(shop.consents) or []
    for number, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        said = _told(entry, f"custom.fields.{shop.consents}[{number}]")
        about = said.contact_point or reached.by(said.channel)
        if about is not None:
            yield {
                "contact_point": about,
                "channel": said.channel,
                "brand": said.brand or brand,
                "purpose": said.purpose,
                "status": said.status,
                "at": said.at,
                "proof": said.proof,
            }


def _told(entry: object, where: str) -> ConsentTold:
    try:
        return ConsentTold.model_validate_json(entry if isinstance(entry, str) else orjson.dumps(entry))
    except ValidationError as error:
        raise Unreadable(reasons(error, where)) from error
