"""Points that moved without a receipt, out of the till's export: welcome gifts, goodwill, expiry, transfers."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, ValidationError

from connectors.pos.exports import told
from connectors.pos.reading import SOURCE, read_damage
from connectors.pos.receipt import Code, Day, Text, Till, TillTime, WholeNumber, reasons_of
from connectors.pos.terms import Terms
from models.landing import Refusal, SourceRecord
from models.loyalty import EntryKind, LoyaltyEntry
from models.records import RecordKey

ENTRY: Final = "entry"


def _word(value: object) -> object:
    """The movement in our spelling: `Reverse-Earn` is `reverse_earn`."""
    return value.strip().casefold().replace(" ", "_").replace("-", "_") if isinstance(value, str) else value


class TillEntry(Till):
    """A row of the export."""

    external_id: Code
    account: Text
    programme: Text | None = None
    movement: Annotated[EntryKind, BeforeValidator(_word)]
    points: WholeNumber
    at: TillTime
    expires_on: Day | None = None
    reason: Text | None = None


def read_entry(raw: str, terms: Terms) -> SourceRecord | Refusal:
    """A movement of points from the payload of one row."""
    if raw.startswith('{"file":'):
        return read_damage(raw, ENTRY)
    texts = told(raw, terms.entry_headers())
    try:
        entry = TillEntry.model_validate(texts)
    except ValidationError as error:
        source_id = texts.get("external_id")
        return Refusal(source=SOURCE, object=ENTRY, source_id=source_id, raw=raw, reasons=reasons_of(error))
    at = terms.moment(entry.at, texts.get("store", ""))
    key = RecordKey(source=SOURCE, object=ENTRY, source_id=entry.external_id)
    return SourceRecord(key=key, raw=raw, body=_body(entry, terms, at), changed_at=at)


def _body(entry: TillEntry, terms: Terms, at: datetime) -> LoyaltyEntry:
    return LoyaltyEntry(
        account=entry.account,
        programme=terms.programme(entry.programme),
        external_id=f"{SOURCE}:{entry.external_id}",
        movement=entry.movement,
        points=entry.points,
        at=at,
        expires_on=entry.expires_on,
        reason=entry.reason,
    )
