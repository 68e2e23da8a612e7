"""Members out of the till's enrolment export: who joined, with which card, at which level, and how to reach them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, ValidationError

from connectors.pos.elements import told_identity
from connectors.pos.exports import told
from connectors.pos.reading import SOURCE, read_damage
from connectors.pos.receipt import Code, Day, Text, Till, TillTime, WholeNumber, reasons_of
from connectors.pos.terms import Terms
from models.consent import Channel, ConsentEvent, ConsentStatus
from models.landing import Reason, Refusal, SourceRecord
from models.loyalty import LoyaltyMember, Tier
from models.records import ContactPoint, Identifier, Person, PostalAddress, RecordKey

MEMBER: Final = "member"

_ANSWERS: Final[dict[str, ConsentStatus]] = {
    **dict.fromkeys(("yes", "y", "true", "1", "opt_in", "in"), "opt_in"),
    **dict.fromkeys(("no", "n", "false", "0", "opt_out", "out"), "opt_out"),
    "pending": "pending",
}
_STATES: Final = {"active": "active", "merged": "merged", "closed": "closed", "inactive": "closed", "blocked": "closed"}
_NAMES: Final = ("title", "given_name", "middle_name", "family_name", "full_name", "name_suffix")
_PERSONAL: Final = (*_NAMES, "sex", "birth_date", "language", "store")
_ADDRESS: Final = ("line1", "line2", "house_number", "street", "postcode", "city", "region", "country")
_CONSENTS: Final[tuple[tuple[Channel, str], ...]] = (("email", "email"), ("sms", "phone"), ("phone", "phone"))


def _answer(value: object) -> object:
    if isinstance(value, str) and value.strip().casefold() in _ANSWERS:
        return _ANSWERS[value.strip().casefold()]
    raise ValueError("expected yes, no or pending")


def _state(value: object) -> object:
    if isinstance(value, str) and value.strip().casefold() in _STATES:
        return _STATES[value.strip().casefold()]
    raise ValueError("expected active, inactive, closed, blocked or merged")


def _day_or_time(value: object) -> object:
    """A day alone begins at midnight of the store."""
    return f"{value}T00:00:00" if isinstance(value, str) and len(value.strip()) == 10 else value


Answer = Annotated[ConsentStatus, BeforeValidator(_answer)]
DayOrTime = Annotated[TillTime, BeforeValidator(_day_or_time)]


class TillMember(Till):
    """The parts of a row that are more than text."""

    customer: Code | None = None
    loyalty_number: Code | None = None
    programme: Text | None = None
    tier: Text | None = None
    tier_expires: Day | None = None
    balance: WholeNumber | None = None
    state: Annotated[Literal["active", "merged", "closed"], BeforeValidator(_state)] = "active"
    enrolled_at: DayOrTime | None = None
    changed_at: DayOrTime | None = None
    email_consent: Answer | None = None
    sms_consent: Answer | None = None
    phone_consent: Answer | None = None
    email_consent_at: DayOrTime | None = None
    sms_consent_at: DayOrTime | None = None
    phone_consent_at: DayOrTime | None = None
    consent_at: DayOrTime | None = None
    """Of every answer that has no time of its own."""


def read_member(raw: str, terms: Terms) -> SourceRecord | Refusal:
    """A member from the payload of one row."""
    if raw.startswith('{"file":'):
        return read_damage(raw, MEMBER)
    texts = told(raw, terms.member_headers())
    try:
        member = TillMember.model_validate(texts)
    except ValidationError as error:
        return _refused(raw, reasons_of(error), told_identity(texts.get("customer")))
    source_id = told_identity(member.customer) or told_identity(member.loyalty_number)
    if source_id is None:
        return _refused(raw, (Reason(path="customer", problem="neither a customer nor a loyalty number"),), None)
    person = _person(texts, member, terms)
    return SourceRecord(
        key=RecordKey(source=SOURCE, object=MEMBER, source_id=source_id),
        raw=raw,
        body=person,
        changed_at=_moment(member.changed_at, texts, terms) or person.created_at,
    )


def _person(texts: dict[str, str], member: TillMember, terms: Terms) -> Person:
    number = told_identity(member.loyalty_number)
    ids = {"pos_customer": told_identity(member.customer), "loyalty_number": number}
    address = {word: texts[word] for word in _ADDRESS if word in texts}
    enrolled_at = _moment(member.enrolled_at, texts, terms)
    brand = terms.brands.get(texts.get("store", ""))
    return Person.model_validate(
        {
            **{word: texts[word] for word in _PERSONAL if word in texts},
            "brand": brand,
            "contact_points": [ContactPoint(kind=kind, value=texts[kind]) for kind in _contacts(texts)],
            "addresses": [PostalAddress.model_validate(address)] if address else [],
            "identifiers": [Identifier(kind=kind, value=value) for kind, value in ids.items() if value],
            "consents": list(_consents(texts, member, terms, brand)),
            "loyalty": [_loyalty(number, member, terms, enrolled_at)] if number else [],
            "created_at": enrolled_at,
        }
    )


def _contacts(texts: dict[str, str]) -> Sequence[Literal["email", "phone"]]:
    kinds: tuple[Literal["email", "phone"], ...] = ("email", "phone")
    return [kind for kind in kinds if kind in texts]


def _consents(texts: dict[str, str], member: TillMember, terms: Terms, brand: str | None) -> Iterator[ConsentEvent]:
    for channel, contact in _CONSENTS:
        answer: ConsentStatus | None = getattr(member, f"{channel}_consent")
        if answer is not None and contact in texts:
            at = _moment(getattr(member, f"{channel}_consent_at") or member.consent_at, texts, terms)
            yield ConsentEvent(contact_point=texts[contact], channel=channel, brand=brand, status=answer, at=at)


def _loyalty(number: str, member: TillMember, terms: Terms, enrolled_at: datetime | None) -> LoyaltyMember:
    return LoyaltyMember(
        account=number,
        programme=terms.programme(member.programme),
        status=member.state,
        tier=Tier(code=member.tier, expires_on=member.tier_expires) if member.tier else None,
        balance=member.balance,
        enrolled_at=enrolled_at,
    )


def _moment(at: datetime | None, texts: dict[str, str], terms: Terms) -> datetime | None:
    return None if at is None else terms.moment(at, texts.get("store", ""))


def _refused(raw: str, reasons: tuple[Reason, ...], source_id: str | None) -> Refusal:
    return Refusal(source=SOURCE, object=MEMBER, source_id=source_id, raw=raw, reasons=reasons)
