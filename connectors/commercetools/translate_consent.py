"""Consents that a shop keeps in a custom field of a customer or an order."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Required

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from connectors.commercetools.payloads import Instant, VendorAddress, as_told
from connectors.commercetools.reading import ShopFields, Unreadable, reasons
from connectors.commercetools.translate_address import one_line
from models.base import Words
from models.consent import Channel, ConsentStatus


@as_told
class ConsentTold(TypedDict, total=False):
    """One answer."""

    channel: Required[Channel]
    status: Required[ConsentStatus]
    at: Instant | None
    brand: str | None
    purpose: str
    proof: str | None
    contact_point: str | None


_CONSENT = TypeAdapter(ConsentTold)


class Reached:
    """By which contact point each channel reaches a person, for answers that do not say which one they are about."""

    def __init__(self, points: Iterable[Words], *, post: VendorAddress | None, push: str | None) -> None:
        self._points = points
        self._post = post
        self._push = push

    def by(self, channel: Channel) -> str | None:
        """None if there is nothing that an answer could be about."""
        if channel == "push":
            return self._push
        if channel == "post":
            return None if self._post is None else one_line(self._post)
        kind = "email" if channel == "email" else "phone"
        found = [point for point in self._points if point["kind"] == kind]
        if channel == "sms":
            found.sort(key=lambda point: point["label"] != "mobile")
        return str(found[0]["value"]) if found else None


def consents(custom: Mapping[str, Any], shop: ShopFields, reached: Reached, brand: str | None) -> Iterator[Words]:
    """ConsentEvents, in the order told. One about a channel by which nobody is reached says nothing and is left out.

    Raises Unreadable for an entry that is no answer.
    """
    entries = custom.get(shop.consents)
    if not entries:
        return
    for number, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        said = _told(entry, shop, number)
        about = said.get("contact_point") or reached.by(said["channel"])
        if about is not None:
            yield {
                "contact_point": about,
                "channel": said["channel"],
                "brand": said.get("brand") or brand,
                "purpose": said.get("purpose", "marketing"),
                "status": said["status"],
                "at": said.get("at"),
                "proof": said.get("proof"),
            }


def _told(entry: object, shop: ShopFields, number: int) -> ConsentTold:
    """The entry in its shape. As text, like all else: there a number is no time. Numbers may be of any length."""
    try:
        return _CONSENT.validate_json(entry if isinstance(entry, str) else json.dumps(entry))
    except ValidationError as error:
        raise Unreadable(reasons(error, f"custom.fields.{shop.consents}[{number}]")) from error
