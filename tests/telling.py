"""A source made of records in our own words: what stories and ledger tests let shops and tills say."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from models.landing import Page, Refusal, SourceRecord, Window
from models.orders import Order
from models.records import ContactPoint, Identifier, Person, PostalAddress, RecordKey

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_ADDRESS = ("line1", "house_number", "street", "postcode", "city", "region", "country")


class Telling:
    """A Source that says exactly these records, in pages of two, with every window."""

    def __init__(self, name: str, said: Sequence[SourceRecord]) -> None:
        self.name = name
        self._said = [record for record in said if record.key.source == name]
        self.listed = frozenset[str]()
        self.is_live = False
        self.objects = sorted({record.key.object for record in self._said}, key=lambda o: (o == "order", o))

    def pages(self, object: str, window: Window) -> Iterator[Page]:  # noqa: A002
        records = [record for record in self._said if record.key.object == object]
        for i in range(0, len(records), 2):
            yield Page(records=tuple(records[i : i + 2]), correlation_id=f"{self.name}-{object}-{i}")

    def missing(self, object: str, source_ids: Sequence[str]) -> Iterator[Page]:  # noqa: A002
        return iter(())

    def landed(self, object: str, window: Window) -> None:  # noqa: A002
        """Nothing to archive."""

    def translate(self, object: str, raw: str) -> SourceRecord | Refusal:  # noqa: A002
        return SourceRecord.model_validate_json(raw)


def tellings(said: Sequence[SourceRecord]) -> list[Telling]:
    """One source per name that occurs."""
    return [Telling(name, said) for name in sorted({record.key.source for record in said})]


def told(shorthand: Mapping[str, Any]) -> SourceRecord:
    """A record from a story's shorthand: a person, or an order where `bought` stands."""
    say = dict(shorthand)
    key = RecordKey.parse(say.pop("record"))
    changed_at = say.pop("changed_at", LONG_AGO)
    bought = say.pop("bought", None)
    person = _person(say)
    body: Person | Order = _order(key, bought, person, changed_at) if bought is not None else person
    record = SourceRecord(key=key, raw="", body=body, changed_at=changed_at)
    raw = orjson.dumps(record.model_dump(mode="json", exclude={"raw"}), option=orjson.OPT_SORT_KEYS).decode()
    return record.model_copy(update={"raw": raw})


def _person(say: dict[str, Any]) -> Person:
    points = [
        ContactPoint(kind=kind, value=say.pop(kind), verified=say.pop(f"{kind}_verified", None), primary=True)
        for kind in ("email", "phone")
        if kind in say
    ]
    address = {name: say.pop(name) for name in _ADDRESS if name in say}
    card = say.pop("loyalty_number", None)
    points_balance = say.pop("points", None)
    if points_balance is not None:
        say["loyalty"] = [{"account": card, "balance": points_balance}]
    return Person.model_validate(
        {
            **say,
            "contact_points": points,
            "addresses": [PostalAddress(**address)] if address else [],
            "identifiers": [Identifier(kind="loyalty_number", value=card)] if card else [],
        }
    )


def _order(key: RecordKey, bought: Mapping[str, Any], person: Person, at: datetime) -> Order:
    card = next((i.value for i in person.identifiers if i.kind == "loyalty_number"), None)
    return Order.model_validate(
        {
            "number": key.source_id,
            "status": "complete",
            "placed_at": at,
            "channel": "pos" if key.source == "pos" else "web",
            "currency": "GBP",
            "total": {"amount": "10.00", "currency": "GBP"},
            "person": person if person != Person() else None,
            "loyalty_number": card,
            **bought,
        }
    )
