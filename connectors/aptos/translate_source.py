"""What the CRM tells, in our words. Pure: the same payload and map give the same record.

A payload is an item of the feed (or a line of an NDJSON file) as canonical JSON; `{"row": {...}}` for a line of a
delimited file, by column; `{"file": ..., "problem": ...}` for a line or a file that could not be read at all;
`{"gone": ...}` for a record that the CRM no longer has, without a word of when.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cached_property, partial
from typing import Any

import orjson
from pydantic import ValidationError

from connectors.aptos.shape import shape
from connectors.aptos.source_map import Location, Picks, SourceMap
from connectors.aptos.told import (
    OBJECTS,
    Told,
    ToldAccount,
    ToldConsent,
    ToldCustomer,
    ToldEntry,
    ToldInteraction,
    ToldLine,
    ToldTransaction,
)
from connectors.payload import canonical
from models.engagement import Activity
from models.landing import Body, Deletion, Reason, Refusal, SourceRecord
from models.loyalty import LoyaltyEntry, LoyaltyMember, Tier
from models.orders import Order
from models.records import Person, RecordKey

SOURCE = "aptos"

_ANCHOR = "_customer"
_PERSONAL = (
    "title",
    "given_name",
    "middle_name",
    "family_name",
    "full_name",
    "sex",
    "birth_date",
    "language",
    "brand",
    "store",
)
_ADDRESS = ("line1", "line2", "postcode", "city", "region", "country")
_CONTACT_OF = {"email": "emails", "sms": "phones", "phone": "phones"}
_KEYS: Mapping[str, tuple[str, ...]] = {
    "customer": ("id",),
    "transaction": ("store", "till", "business_day", "sequence"),
    "loyalty_account": ("account",),
    "loyalty_entry": ("account", "external_id"),
    "interaction": ("kind", "external_id"),
}
_JOINED_BY = {"transaction": "-"}
_UNREAD = ({"file", "problem", "size"}, {"file", "problem", "line"})
"""What our own word of a file or a line that could not be read holds; a record of the CRM may have such fields beside
others."""


Words = dict[str, Any]
"""What one of our values is made of."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A posting of ours that came back. It is told by its own source and is no news."""

    raw: str


@dataclass(frozen=True)
class Reading:
    """How payloads are read: the map, and our programme by the CRM's plan."""

    map: SourceMap
    programmes: Mapping[str, str]

    @cached_property
    def shapes(self) -> Mapping[str, type[Told]]:
        """By object: the model that reads an item of the feed."""
        return {name: shape(OBJECTS[name], read.fields, self.map) for name, read in self.map.objects.items()}

    def read(self, object: str, raw: str) -> SourceRecord | Refusal | Echo:  # noqa: A002
        """Read one payload. ValueError for an object that the CRM does not have."""
        if object not in self.map.objects:
            raise ValueError(f"{SOURCE} tells {', '.join(self.map.objects)}, not {object!r}")
        item = _item(raw)
        if isinstance(item, Reason):
            return _refusal(object, raw, None, item)
        if "gone" in item and item.keys() <= {"gone", "merged_into"}:
            return _gone(object, raw, item)
        read = self.map.objects[object]
        if len(item) == 1 and "row" in item and read.file is not None and read.file.fields:
            return self._read_columns(object, raw, read.file.picks, item["row"])
        if read.picks.by_place:
            return self._read_columns(object, raw, read.picks, item)
        try:
            told = self.shapes[object].model_validate(_said(item) if _may_say_nothing(raw) else item)
        except ValidationError as error:
            words, _ = self.map.told(read.picks, item)
            return _refusal(object, raw, _source_id(object, words), *_wrong(error, _place))
        return self._record(object, raw, told)

    def _read_columns(self, object: str, raw: str, picks: Picks, row: Any) -> SourceRecord | Refusal | Echo:  # noqa: A002, ANN401
        """What tells lists by place: a line of a delimited file, or a feed as flat as one."""
        words, reasons = self.map.told(picks, row)
        if reasons:
            return _refusal(object, raw, _source_id(object, words), *reasons)
        try:
            told = OBJECTS[object].model_validate(words)
        except ValidationError as error:
            place = partial(self.map.place, picks.fields)
            return _refusal(object, raw, _source_id(object, words), *_wrong(error, place))
        return self._record(object, raw, told)

    def _record(self, object: str, raw: str, told: Told) -> SourceRecord | Refusal | Echo:  # noqa: A002
        if isinstance(told, ToldTransaction) and told.own_key and self._is_ours(told.own_key):
            return Echo(raw)
        source_id = _source_id(object, told.__dict__)
        key = RecordKey(source=SOURCE, object=object, source_id=str(source_id))
        try:
            body = self._bodies[object](told)
        except ValidationError as error:  # an amount that is none, or more points than there are
            return _refusal(object, raw, source_id, *_wrong(error, _place))
        return SourceRecord(key=key, raw=raw, body=body, changed_at=getattr(told, "modified_at", None))

    @cached_property
    def _bodies(self) -> Mapping[str, Callable[[Any], Body]]:
        return {
            "customer": self._customer,
            "transaction": _order,
            "loyalty_account": self._member,
            "loyalty_entry": self._entry,
            "interaction": _activity,
        }

    def _is_ours(self, system: str) -> bool:
        return any(fnmatchcase(system, pattern) for pattern in self.map.own)

    # ---- customers ---------------------------------------------------------------------------------------------
    def _customer(self, told: ToldCustomer) -> Person | Deletion:
        ours = any(key.system == self.map.golden for key in told.alternate_keys)
        if told.state in ("merged", "deleted"):
            # What we retired ourselves points at a golden id, which is no customer of the CRM's.
            return Deletion(at=told.modified_at, merged_into=None if ours else told.merged_into)
        said = told.__dict__
        return Person.model_validate(
            {
                **{word: said[word] for word in _PERSONAL},
                "contact_points": list(_contact_points(told)),
                "addresses": list(_addresses(told)),
                "identifiers": [*_cards(told), *(self._keys_of_ours(told) if ours else self._keys(told))],
                "consents": [event for consent in told.consents for event in self._consents(consent, told)],
                "created_at": told.created_at,
                "attributes": dict(_attributes(told)),
            }
        )

    def _keys(self, told: ToldCustomer) -> Iterator[Words]:
        """The alternate keys, by the kinds of the map."""
        for key in sorted(told.alternate_keys, key=lambda key: (key.system, key.value)):
            yield _identifier(self._kind(key.system), key.value)

    def _keys_of_ours(self, told: ToldCustomer) -> Iterator[Words]:
        """The alternate keys of a customer that we published: it carries one for every record of the profile.

        They are our own words. Taken as evidence, they would hold together a profile that has since been cut. So only
        the first one that names a customer somewhere identifies; the others are kept as `alternate_key`.
        """
        keys = sorted(told.alternate_keys, key=lambda key: (key.system, key.value))
        kinds = [self._kind(key.system) for key in keys]
        anchor = next((place for place, kind in enumerate(kinds) if kind.endswith(_ANCHOR)), None)
        for place, (key, kind) in enumerate(zip(keys, kinds, strict=True)):
            if place == anchor or key.system == self.map.golden:
                yield _identifier(kind, key.value)
            else:
                yield _identifier("alternate_key", f"{key.system}:{key.value}")

    def _kind(self, system: str) -> str:
        kinds = self.map.codes.get("identifier_kinds", {})
        return kinds.get(system, kinds.get("*", "{value}")).replace("{value}", system.replace(":", "_"))

    def _consents(self, consent: ToldConsent, told: ToldCustomer) -> Iterator[Words]:
        """An answer that names no contact point is about all of its channel."""
        if consent.status == "unknown":
            return
        points = getattr(told, _CONTACT_OF.get(consent.channel, ""), ())
        about = [consent.contact_point] if consent.contact_point else [point.value for point in points]
        at = None if consent.at == self.map.undated else consent.at
        if consent.status == "opt_in":
            at = consent.confirmed_at or at
        for point in about:
            yield {
                "contact_point": point,
                "channel": consent.channel,
                "brand": consent.brand,
                "purpose": consent.purpose,
                "status": consent.status,
                "at": at,
                "proof": consent.proof,
            }

    # ---- loyalty -----------------------------------------------------------------------------------------------
    def _member(self, told: ToldAccount) -> LoyaltyMember:
        return LoyaltyMember(
            account=told.account,
            programme=self._programme(told.plan),
            status=told.status,
            tier=None if told.tier is None else Tier(code=told.tier, expires_on=told.tier_expires_on),
            balance=told.balance,
            enrolled_at=told.enrolled_at,
            customer=told.customer,
            attributes=dict(_about_account(told)),
        )

    def _entry(self, told: ToldEntry) -> LoyaltyEntry:
        return LoyaltyEntry(
            account=told.account,
            programme=self._programme(told.plan),
            external_id=f"{SOURCE}:{told.external_id}",
            movement=told.movement,
            points=told.points,
            at=told.at,
            expires_on=told.expires_on,
            order=None if told.transaction is None else told.transaction.replace("/", "-"),
            reverses=None if told.reverses is None else f"{SOURCE}:{told.reverses}",
            reason=told.reason,
        )

    def _programme(self, plan: str | None) -> str:
        return self.programmes.get(plan, plan) if plan else "main"


def gone(source_id: str, survivor: str | None) -> str:
    """The payload of a record that the CRM no longer has; `survivor` took its place, if anything did."""
    return canonical({"gone": source_id} | ({"merged_into": survivor} if survivor else {}))


def _gone(object_: str, raw: str, item: Mapping[str, Any]) -> SourceRecord:
    key = RecordKey(source=SOURCE, object=object_, source_id=str(item["gone"]))
    return SourceRecord(key=key, raw=raw, body=Deletion(merged_into=item.get("merged_into")))


def refused_echo(object_: str, raw: str) -> Refusal:
    """Our own posting, asked for by its payload: there is no record of it here."""
    return _refusal(object_, raw, None, Reason(path="", problem="our own posting, which its own source tells"))


def _item(raw: str) -> dict[str, Any] | Reason:
    try:
        item = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Reason(path="", problem="not a JSON object")
    if not isinstance(item, dict):
        return Reason(path="", problem="not a JSON object")
    if item.keys() in _UNREAD:
        return Reason(path=str(item["file"]), problem=str(item["problem"]))
    return item


def _may_say_nothing(raw: str) -> bool:
    """Whether something in a payload may be null or blank; in most there is nothing of the kind."""
    return "null" in raw or '""' in raw or '" ' in raw or '"\\' in raw or not raw.isascii()


def _said(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The same without what says nothing: null, and texts of blanks. Items of lists stay, so that places do."""
    if isinstance(value, dict):
        return {
            name: _said(inner)
            for name, inner in value.items()
            if inner is not None and not (isinstance(inner, str) and not inner.strip())
        }
    return [_said(item) for item in value] if isinstance(value, list) else value


def _wrong(error: ValidationError, place: Callable[[Location], str]) -> Iterator[Reason]:
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        yield Reason(path=place(one["loc"]), problem=one["msg"].removeprefix("Value error, "))


def _place(location: Location) -> str:
    """`lines[0].amount`, in the words of the feed."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _source_id(object_: str, words: Mapping[str, Any]) -> str | None:
    """The id, if all its parts are there; it lets a corrected payload find its refusal."""
    parts = [str(words.get(word) or "").strip() for word in _KEYS[object_]]
    return _JOINED_BY.get(object_, ":").join(parts) if all(parts) else None


def _refusal(object_: str, raw: str, source_id: str | None, *reasons: Reason) -> Refusal:
    return Refusal(source=SOURCE, object=object_, source_id=source_id, raw=raw, reasons=tuple(reasons))


def _identifier(kind: str, value: str) -> Words:
    return {"kind": kind, "value": value}


def _cards(told: ToldCustomer) -> Iterator[Words]:
    for card in told.cards:
        if card.kind != "none":
            yield _identifier(card.kind, card.number)


def _contact_points(told: ToldCustomer) -> Iterator[Words]:
    for email in told.emails:
        yield {"kind": "email", "value": email.value, "label": email.label, "primary": email.primary}
    for phone in told.phones:
        yield {"kind": "phone", "value": phone.value, "label": phone.label, "primary": phone.primary}


def _addresses(told: ToldCustomer) -> Iterator[Words]:
    for address in told.addresses:
        where = {word: getattr(address, word) for word in _ADDRESS}
        if any(where.values()):
            yield {**where, "label": address.label, "primary": address.primary}


def _attributes(told: ToldCustomer) -> Iterator[tuple[str, str]]:
    """What else the CRM keeps, among it the preferences that associates noted; answers about nothing we can name."""
    for name, value in told.attributes.items():
        if value is not None and str(value).strip():
            yield name, ("true" if value else "false") if isinstance(value, bool) else str(value)
    if told.household:
        yield "household", told.household
    if told.state != "active":
        yield "status", told.state
    for consent in told.consents:
        points = getattr(told, _CONTACT_OF.get(consent.channel, ""), ())
        if consent.status != "unknown" and not (consent.contact_point or points):
            yield f"consent.{consent.channel}", consent.status


def _about_account(told: ToldAccount) -> Iterator[tuple[str, str]]:
    """What a membership has no place for."""
    if told.card_numbers:
        yield "card_numbers", " ".join(told.card_numbers)
    if told.points_pending is not None:
        yield "points_pending", str(told.points_pending)


# ---- transactions ----------------------------------------------------------------------------------------------------
def _order(told: ToldTransaction) -> Order:
    """Inner values are handed over as mappings: pydantic makes them together with the order, at a third of the cost."""
    number = "-".join((told.store, told.till, told.business_day.isoformat(), told.sequence))
    original = _original(told)
    lines = [_line(line, told.currency, original) for line in told.lines]
    total = told.gross if told.gross is not None else sum((line["amount"]["amount"] for line in lines), Decimal(0))
    return Order.model_validate(
        {
            "number": number,
            "transaction": told.type,
            "status": told.status,
            "placed_at": told.occurred_at,
            "channel": told.channel,
            "brand": told.brand,
            "store": told.store,
            "till": told.till,
            "cashier": told.cashier,
            "business_day": told.business_day,
            "sequence": told.sequence,
            "currency": told.currency,
            "customer": told.customer,
            "loyalty_number": told.card,
            "total": _money(total, told.currency),
            "lines": lines,
            "taxes": () if told.tax is None else ({"amount": _money(told.tax, told.currency)},),
            "tenders": [
                {"tender": tender.tender, "amount": _money(tender.amount, told.currency)} for tender in told.tenders
            ],
            "reverses": original if told.type == "void" else None,
            "attributes": _about(told, original),
        }
    )


def _money(amount: Decimal, currency: str) -> Words:
    return {"amount": amount, "currency": currency}


def _original(told: ToldTransaction) -> str | None:
    """Number of the transaction that this one takes back: built like our numbers, or as the CRM says it."""
    parts = (told.original_store, told.original_till, told.original_day, told.original_sequence)
    return "-".join(str(part) for part in parts) if all(parts) else told.original


def _about(told: ToldTransaction, original: str | None) -> dict[str, str]:
    """What an order has no place for. The discount is of lines and order together, so it stands here."""
    found = {
        "order_reference": told.order_reference,
        "original": original,
        "net": None if told.net is None else str(told.net),
        "discount": None if told.discount is None else str(told.discount),
    }
    return {name: value for name, value in found.items() if value}


def _line(told: ToldLine, currency: str, original: str | None) -> Words:
    """A return brings negative goods and negative money, whichever sign the CRM writes."""
    back = told.kind == "return"
    return {
        "line_id": told.seq,
        "sku": told.item,
        "name": told.description,
        "quantity": -abs(told.quantity) if back else told.quantity,
        "amount": _money(-abs(told.amount) if back else told.amount, currency),
        "returns_line": original if back else None,
    }


def _activity(told: ToldInteraction) -> Activity:
    return Activity.model_validate(told.activity())
