"""A small org for the conformance suite: pages of contacts, memberships, postings, orders, activities and notes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.salesforce import sandbox
from connectors.salesforce.ids import long_id
from connectors.salesforce.sandbox import serving
from connectors.salesforce.sandbox_org import Org
from connectors.salesforce.source import Settings, connect
from connectors.sandbox.server import running
from models.landing import Window
from tests.connectors.conformance import Delta, Scenario, Stage, Stand

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CUT = datetime(2026, 3, 1, tzinfo=UTC)
SINCE, UNTIL = BEGIN + timedelta(hours=8), BEGIN + timedelta(hours=16)
COUNT = 19
SPOILT = 5
CLERK = "0055g0000000001AAA"
LONG_NOTE = 3
PREFIXES = {
    "contact": "003",
    "account": "001",
    "member": "0lM",
    "entry": "0lL",
    "order": "801",
    "task": "00T",
    "event": "00U",
    "note": "06A",
}
OBJECTS = {
    "contact": "Contact",
    "account": "Account",
    "member": "LoyaltyProgramMember",
    "entry": "LoyaltyLedger",
    "order": "Order",
    "task": "Task",
    "event": "Event",
    "note": "ContentDocumentLink",
}
"""The vendor's object by whose id we know a record."""


def hour(number: int) -> datetime:
    """When record n of each object changed; 11 to 14 in the same second."""
    return BEGIN + timedelta(hours=11 if 11 <= number <= 14 else number)


def identity(object_: str, number: int) -> str:
    """Ids are in another order than the changes."""
    return long_id(f"{PREFIXES[object_]}5g{number * 37 % 100:02d}{number:08d}")


def world(stage: Stage) -> Org:
    """Record n of each object changed n hours after BEGIN."""
    org = Org(lambda: CUT + timedelta(hours=1), page_sizes=(5, 3, 4))
    org.load("LoyaltyProgram", [_stamped("0lp5g0000000001AAA", 0, Name="Rewards")])
    org.load("Individual", [_stamped("0PK5g0000000001AAA", 0)])
    for number in range(1, COUNT + 1):
        for object_, records in records_of(number).items():
            org.load(object_, records)
    del stage
    return org


def _stamped(id_: str, number: int, **fields: Any) -> dict[str, Any]:
    at = hour(number)
    return {"Id": id_, "CreatedDate": BEGIN, "LastModifiedDate": at, "SystemModstamp": at, **fields}


def records_of(number: int) -> dict[str, list[dict[str, Any]]]:
    contact, account, member = (identity(name, number) for name in ("contact", "account", "member"))
    order, name = identity("order", number), {"FirstName": f"Given{number}", "LastName": f"Family{number}"}
    mail, points = f"shopper{number}@mail.example", number + (0.5 if number == SPOILT else 0)
    held = {"ContactId": contact, "ProgramId": "0lp5g0000000001AAA"}
    return {
        "Contact": [_stamped(contact, number, Email=mail, MailingStreet=f"Long Lane {number}", **name)],
        "Account": [_stamped(account, number, IsPersonAccount=True, PersonEmail=f"p{mail}", **name)],
        "LoyaltyProgramMember": [_stamped(member, number, MembershipNumber=f"LC{number:010d}", **held)],
        "LoyaltyMemberCurrency": [_stamped(f"0lN5g{number:010d}AAA", number, LoyaltyMemberId=member, PointsBalance=7)],
        "LoyaltyLedger": [
            _stamped(
                identity("entry", number),
                number,
                Points=points,
                EventType="Credit",
                LoyaltyProgramMemberId=member,
            )
        ],
        "Order": [
            _stamped(
                order,
                number,
                OrderNumber=f"{number:08d}",
                Status="Activated",
                EffectiveDate="2026-01-01",
                BillToContactId=contact,
            )
        ],
        "OrderItem": [
            _stamped(
                f"8025g{number:010d}AAA", number, OrderId=order, UnitPrice=None if number == SPOILT else 9, Quantity=1
            )
        ],
        "Task": [_stamped(identity("task", number), number, WhoId=contact, CreatedById=CLERK)],
        "Event": [
            _stamped(identity("event", number), number, WhoId=contact, CreatedById=CLERK, StartDateTime=hour(number))
        ],
        **_note(number, contact),
    }


def _note(number: int, contact: str) -> dict[str, list[dict[str, Any]]]:
    """One of them is longer than its preview."""
    at, told = hour(number), f"Likes wool, size {30 + number}. " * (20 if number == LONG_NOTE else 1)
    note: dict[str, Any] = {"Id": f"0695g{number:010d}AAA", "CreatedDate": BEGIN, "LastModifiedDate": at}
    note |= {"Title": "Sizes", "TextPreview": told[:255], "Content": f"<p>{told}</p>", "ContentSize": len(told) + 7}
    link = {"Id": identity("note", number), "ContentDocumentId": note["Id"], "LinkedEntityId": contact}
    return {
        "ContentNote": [{**note, "CreatedById": CLERK, "OwnerId": CLERK}],
        "ContentDocumentLink": [{**link, "SystemModstamp": at}],
    }


def arm(org: Org) -> None:
    """Between pages records of earlier and later pages change, and one is added."""
    seen: dict[str, int] = {}
    own = {"Contact": "contact", "Account": "account", "Order": "order", "Task": "task"}

    def before(object_: str) -> None:
        seen[object_] = seen.get(object_, 0) + 1
        if seen[object_] == 3 and object_ in own:
            _change(org, object_, own[object_])

    org.before_answer = before


def _change(org: Org, object_: str, told_as: str) -> None:
    for number in (1, 2, 3, COUNT):
        if number != SPOILT:
            org.touch(object_, identity(told_as, number), CreatedDate=BEGIN + timedelta(minutes=number))
    late = {
        **records_of(50)[object_][0],
        "LastModifiedDate": CUT + timedelta(hours=2),
        "SystemModstamp": CUT + timedelta(hours=2),
    }
    org.load(object_, [late])


def vanish(org: Org) -> dict[str, frozenset[str]]:
    """One record of each object is gone, and nothing tells of it; its ids by our objects."""
    for told_as, object_ in OBJECTS.items():
        org.vanish(object_, identity(told_as, 2))
    return {told_as: frozenset({identity(told_as, 2)}) for told_as in OBJECTS}


@contextmanager
def stand(stage: Stage) -> Iterator[Stand]:
    app = serving(world(stage), stage.faults)
    with running({"salesforce": app}) as urls:
        told = {**sandbox.site(urls["salesforce"]), "reserve": 0.0, "bulk_page": 4}
        settings = Settings.model_validate(told)
        source = connect(settings, clock=stage.time.clock, sleep=stage.time.sleep)
        org = app.state.shop
        yield Stand(source, asked=lambda: org.asked, disturb=lambda: arm(org), vanish=lambda: vanish(org))


def ids(object_: str, numbers: range) -> frozenset[str]:
    refused = {SPOILT} if object_ in {"entry", "order"} else set()
    return frozenset(identity(object_, number) for number in numbers if number not in refused)


def scenario() -> Scenario:
    return Scenario(
        vendor="salesforce",
        stand=stand,
        cut=CUT,
        expected={object_: ids(object_, range(1, COUNT + 1)) for object_ in PREFIXES},
        refused={object_: frozenset({identity(object_, SPOILT)}) for object_ in ("entry", "order")},
        delta=Delta(Window(since=SINCE, until=UNTIL), {each: ids(each, range(8, 16)) for each in PREFIXES}),
        faults={
            "limited": 0.03,
            "unavailable": 0.04,
            "gateway": 0.04,
            "session_expired": 0.05,
            "locator_forgotten": 0.05,
            "dropped": 0.04,
            "hung_up": 0.04,
            "slow": 0.02,
        },
        told_wait=("limited", 60.0),
        secrets=(sandbox.CLIENT_SECRET, "00Dsandbox!token"),
    )
