"""Messages: what people did, who was deleted when, and never a hole that nobody notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from connectors.commercetools.messages import Numbers
from connectors.commercetools.reading import ShopFields
from connectors.commercetools.sandbox_shop import Shop
from connectors.commercetools.translate import translate
from connectors.sandbox.faults import Faults
from models.engagement import Event
from models.errors import Forgotten, Rejected
from models.landing import Deletion, Other, Page, SourceRecord, Window
from models.ports import Source
from resolver import land, run
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.connectors.commercetools.contract import violations
from tests.connectors.commercetools.project import Clock, fixture_shop, raw, reading, resources

ANNA = resources("customers")[0]["id"]
GUEST_ORDER = resources("orders")[1]["id"]


@dataclass
class Busy:
    """A project in which things happen, read message by message."""

    shop: Shop
    source: Source
    clock: Clock
    began: datetime

    def live(self) -> None:
        """A customer signs up; a guest's order is cancelled, comes back in part, and another customer is deleted."""
        self.shop.create(
            "customers", resources("customers")[1] | {"id": "new", "email": "new@example.com", "version": 1}
        )
        self.shop.touch("customers", ANNA, firstName="Anne")
        self.shop.touch("orders", GUEST_ORDER, orderState="Cancelled")
        self.shop.touch("orders", GUEST_ORDER, returnInfo=[{"items": []}])
        self.shop.touch("orders", GUEST_ORDER, paymentState="Paid")
        bystander = resources("customers")[2]
        self.shop.remove("customers", bystander["id"], bystander["version"])

    def pages(self, since: datetime | None = None) -> list[Page]:
        return list(self.source.pages("message", Window(since=since, until=self.clock() + timedelta(seconds=1))))

    def told(self, since: datetime | None = None) -> list[SourceRecord]:
        return [record for page in self.pages(since) for record in page.records]


@contextmanager
def busy(faults: Faults | None = None) -> Iterator[Busy]:
    clock = Clock()
    shop = fixture_shop(clock)
    with reading(shop, clock, faults, page_size=2) as source:
        yield Busy(shop, source, clock, clock())


def test_what_people_did_is_told_as_events() -> None:
    with busy() as project:
        project.live()
        told = project.told(project.began)
    events = [record.body for record in told if isinstance(record.body, Event)]
    assert [(each.event, each.customer, each.order) for each in events] == [
        ("registration", "new", None),
        ("cancellation", None, GUEST_ORDER),
        ("return", None, GUEST_ORDER),
    ]
    assert events[0].store == resources("customers")[1]["stores"][0]["key"]
    assert all(each.at >= project.began for each in events)


def test_what_changed_otherwise_lands_as_a_notice() -> None:
    with busy() as project:
        project.live()
        notices = [record.body for record in project.told(project.began) if isinstance(record.body, Other)]
    assert [(each.what, each.customer, each.order) for each in notices] == [
        ("CustomerFirstNameSet", ANNA, None),
        ("OrderPaymentStateChanged", None, GUEST_ORDER),
    ]


def test_a_deleted_customer_is_a_deletion_with_its_time_and_without_its_mailbox() -> None:
    deleted = resources("customers")[2]
    with busy() as project:
        project.live()
        (ended,) = [record for record in project.told(project.began) if isinstance(record.body, Deletion)]
        assert project.source.translate("customer", ended.raw) == ended
    assert str(ended.key) == f"commercetools:customer:{deleted['id']}"
    assert isinstance(ended.body, Deletion)
    assert ended.body.at == ended.changed_at
    assert ended.changed_at is not None
    assert ended.changed_at > project.began
    assert "@" not in ended.raw


def test_an_order_in_its_message_names_its_customer_or_visitor() -> None:
    told = [
        {
            "id": f"m{number}",
            "createdAt": "2026-03-14T08:15:30.125Z",
            "type": "OrderCreated",
            "sequenceNumber": 1,
            "resource": {"typeId": "order", "id": order["id"]},
            "order": order,
        }
        for number, order in enumerate(resources("orders")[:2])
    ]
    bodies = [translate("message", raw(each), ShopFields()) for each in told]
    events = [found.body for found in bodies if isinstance(found, SourceRecord)]
    assert [(each.customer, each.anonymous) for each in events if isinstance(each, Event)] == [
        (ANNA, None),
        (None, "visitor-9"),
    ]


def test_an_order_too_large_for_its_message_is_asked_for() -> None:
    with busy(Faults(1, {"payload_left_out": 1.0}, in_a_row=1)) as project:
        order = resources("orders")[0] | {"id": "large", "version": 1}
        project.shop.create("orders", order)
        told = project.told(project.began)
    assert [(record.key.object, record.key.source_id) for record in told] == [
        ("message", "message-1-large-1"),
        ("order", "large"),
    ]
    assert "payloadNotIncluded" in told[0].raw
    assert isinstance(told[0].body, Event)
    assert told[0].body.order == "large"


def test_an_order_that_is_not_read_is_not_asked_for_either() -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    since = clock()
    with reading(shop, clock, objects=("message",)) as source:
        shop.create("orders", resources("orders")[0] | {"id": "large", "version": 1})
        shop.leave_payload_out()
        window = Window(since=since, until=clock() + timedelta(seconds=1))
        told = [record.key.object for page in source.pages("message", window) for record in page.records]
    assert told == ["message"]


def test_one_that_is_gone_by_then_is_not_missed() -> None:
    with busy() as project:
        order = resources("orders")[0] | {"id": "large", "version": 1}
        project.shop.create("orders", order)
        project.shop.leave_payload_out()
        project.shop.messages_on = False
        project.shop.remove("orders", "large", 1)
        project.shop.messages_on = True
        assert [record.key.object for record in project.told(project.began)] == ["message"]


def test_a_gap_in_the_numbers_says_so_after_what_there_is() -> None:
    with busy(Faults(1, {"messages_lost": 0.5}, in_a_row=1)) as project:
        project.live()
        project.shop.lose_message()
        pages = project.source.pages("message", Window(since=project.began, until=project.clock()))
        first = next(pages)
        with pytest.raises(Forgotten) as raised:
            list(pages)
    assert first.records
    assert raised.value.code == "messages_lost"
    assert GUEST_ORDER not in str(raised.value)


def test_numbers_need_not_come_in_their_order() -> None:
    numbers = Numbers()
    numbers.note([{"resource": {"typeId": "order", "id": "1"}, "sequenceNumber": number} for number in (5, 3, 4)])
    numbers.note(["no message", {"resource": None}, {"resource": {"typeId": "order"}}])
    assert numbers.gaps({}) == 0
    numbers.note([{"resource": {"typeId": "order", "id": "1"}, "sequenceNumber": 7}])
    assert numbers.gaps({}) == 1


@pytest.mark.parametrize("lost", ["before the window", "first in the window", None])
def test_a_gap_where_two_windows_meet_is_seen(lost: str | None) -> None:
    with busy() as project:
        for name in ("A", "B", "C"):
            project.shop.touch("customers", ANNA, firstName=name)
        project.clock.sleep(60)
        since = project.clock()
        for name in ("D", "E"):
            project.shop.touch("customers", ANNA, firstName=name)
        messages = project.shop.all("messages")
        earlier = [one["id"] for one in messages if datetime.fromisoformat(one["createdAt"]) < since]
        if lost:
            project.shop.forget(earlier[-1] if lost == "before the window" else messages[len(earlier)]["id"])
            with pytest.raises(Forgotten) as raised:
                project.told(since)
            assert raised.value.code == "messages_lost"
        else:
            assert len(project.told(since)) == 2
        for message in earlier[:-1]:
            project.shop.forget(message)
        if lost == "before the window":
            assert len(project.told(since)) == 2, "what is not kept any more is no gap"


def test_messages_that_have_expired_say_so() -> None:
    with busy() as project:
        project.live()
        project.clock.sleep(timedelta(days=16).total_seconds())
        with pytest.raises(Forgotten) as raised:
            project.told(project.began)
        assert raised.value.code == "messages_expired"
        assert project.told() == []
        assert project.told(project.clock() - timedelta(days=1)) == []


def test_a_project_without_messages_says_so() -> None:
    with busy(Faults(1, {"messages_off": 1.0}, in_a_row=1)) as project:
        with pytest.raises(Rejected) as raised:
            project.told(project.began)
        assert raised.value.code == "messages_off"


def test_a_read_of_everything_takes_what_messages_there_are() -> None:
    with busy() as project:
        project.live()
        project.shop.lose_message()
        project.shop.messages_on = False
        assert project.told()


def test_messages_about_products_are_not_read() -> None:
    with busy() as project:
        project.live()
        project.shop.load(
            "messages",
            [
                {
                    "id": "p1",
                    "createdAt": "2026-10-01T12:00:00.500Z",
                    "lastModifiedAt": "2026-10-01T12:00:00.500Z",
                    "type": "ProductPublished",
                    "sequenceNumber": 1,
                    "resource": {"typeId": "product", "id": "p"},
                }
            ],
        )
        assert "p1" not in {record.key.source_id for record in project.told()}


@pytest.mark.needs_shared
def test_messages_and_carts_follow_the_vendors_openapi() -> None:
    with busy() as project:
        project.live()
        held = project.shop.all("messages")
    kinds = {"CustomerCreated", "CustomerFirstNameSet", "CustomerDeleted"}
    for message in held:
        schema = f"{message['type']}Message" if message["type"] in kinds else "Message"
        assert violations(schema, message) == [], message["type"]
    assert kinds <= {message["type"] for message in held}
    assert [found for cart in resources("carts") for found in violations("Cart", cart)] == []


def test_a_deletion_between_two_runs_ends_the_customer_and_a_gap_is_mended_by_a_full_read(
    connection: duckdb.DuckDBPyConnection, model: LinkageModel
) -> None:
    clock = Clock(datetime(2026, 10, 1, 12, tzinfo=UTC))
    shop = fixture_shop(clock)

    def landed() -> tuple[set[str], list[str]]:
        clock.sleep(600)
        with reading(shop, clock) as source, run.begun("land", connection, Policy(), model, clock) as begun:
            land.records(begun, source)
        known = connection.execute("select source_id from derived.current_record where object = 'customer'").fetchall()
        return {source_id for (source_id,) in known}, begun.troubles

    assert landed() == ({each["id"] for each in resources("customers")}, [])
    first, second = resources("customers")[1], resources("customers")[2]
    shop.remove("customers", first["id"], first["version"])
    known, troubles = landed()
    assert (first["id"] in known, troubles) == (False, [])
    # The message that would have told of this one is never seen.
    for name in ("A", "B"):
        shop.touch("customers", ANNA, firstName=name)
    shop.remove("customers", second["id"], second["version"])
    for message in shop.all("messages"):
        if message["resource"]["id"] == second["id"]:
            shop.forget(message["id"])
    clock.sleep(timedelta(days=20).total_seconds())
    known, troubles = landed()
    assert second["id"] not in known
    assert [("not kept" in said, "Everything is read instead" in said) for said in troubles] == [(True, True)]
