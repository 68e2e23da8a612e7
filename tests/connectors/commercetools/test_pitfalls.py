"""What practitioners report about this vendor, made to happen: the same records land, or the writer decides anew."""

from collections import Counter

import pytest

from connectors.commercetools.sandbox import serving
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.errors import Contradicted
from models.landing import Window
from models.orders import Order, Settlement
from models.records import Person
from tests.connectors.commercetools.project import (
    UNTIL,
    Clock,
    crowded_shop,
    fixture_shop,
    reading,
    records,
    resources,
    settings,
)
from tests.connectors.commercetools.writing import give_loyalty_number, writing_door

TYPED, UNTYPED = resources("customers")[0]["id"], resources("customers")[1]["id"]


def test_no_page_is_asked_for_by_an_offset_which_the_vendor_caps() -> None:
    clock = Clock()
    shop = crowded_shop(clock, 60)
    with reading(shop, clock, page_size=7) as source:
        assert len(records(source, "customer")) == 60
    assert len(shop.asked) > 8
    assert not [query for query in shop.asked if "offset" in query]


def test_the_same_mailbox_in_two_stores_is_two_customers() -> None:
    clock = Clock()
    with reading(fixture_shop(clock), clock) as source:
        people = [record.body for record in records(source, "customer")]
    mails = Counter(each.contact_points[0].value.lower() for each in people if isinstance(each, Person))
    assert mails["familie.kruse@example.de"] == 2


def test_a_guest_order_that_is_claimed_between_two_reads_is_told_with_its_customer() -> None:
    clock = Clock()
    faults = Faults(1, {"order_claimed": 1.0}, in_a_row=1)
    with reading(fixture_shop(clock), clock, faults) as source:
        since = clock()
        told = records(source, "order", Window(since=since, until=UNTIL))
    claimed = [record.body for record in told]
    assert faults.injected["order_claimed"] > 0
    assert [each.customer for each in claimed if isinstance(each, Order)] == [min(TYPED, UNTYPED)]


def test_a_payment_with_a_new_version_and_no_news_says_the_same() -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    with reading(shop, clock) as source:
        before = {record.key: record for record in records(source, "payment")}
    faults = Faults(1, {"payment_bumped": 1.0}, in_a_row=1)
    with reading(shop, clock, faults) as source:
        after = {record.key: record for record in records(source, "payment")}
    bumped = [key for key, record in after.items() if record.raw != before[key].raw]
    assert faults.injected["payment_bumped"] > 0
    assert bumped
    assert {key: record.body for key, record in after.items()} == {key: r.body for key, r in before.items()}


@pytest.mark.parametrize("kind", ["customers", "orders", "payments", "carts"])
def test_a_writer_who_is_overtaken_reads_again_and_writes_once(kind: str) -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    faults = Faults(1, {"overtaken": 1.0}, in_a_row=1)
    bare = next(each for each in resources(kind) if "custom" not in each)
    with running({"shop": serving(shop, faults)}) as urls:
        door = writing_door(settings(urls["shop"]), clock)
        written, overtaken = give_loyalty_number(door, f"/sandbox/{kind}/{bare['id']}", "LC7")
    assert overtaken == 1
    assert written["custom"]["fields"] == {"loyaltyNumber": "LC7"}
    assert written["version"] == bare["version"] + 2


def test_a_writer_never_writes_over_what_another_one_decided_meanwhile() -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    with running({"shop": serving(shop, Faults())}) as urls:
        door = writing_door(settings(urls["shop"]), clock)
        read = door.get(f"/sandbox/customers/{UNTYPED}").json()
        theirs, _ = give_loyalty_number(door, f"/sandbox/customers/{UNTYPED}", "THEIRS")
        late = {"version": read["version"], "actions": [{"action": "setFirstName", "firstName": "Late"}]}
        with pytest.raises(Contradicted) as raised:
            door.post(f"/sandbox/customers/{UNTYPED}", json=late)
        assert raised.value.code == "ConcurrentModification"
        ours, _ = give_loyalty_number(door, f"/sandbox/customers/{UNTYPED}", "OURS")
    assert ours == theirs


def test_a_loyalty_number_that_is_written_back_is_read() -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    with running({"shop": serving(shop, Faults())}) as urls:
        door = writing_door(settings(urls["shop"]), clock)
        give_loyalty_number(door, f"/sandbox/customers/{UNTYPED}", "LC7")
    with reading(shop, clock) as source:
        told = {record.key.source_id: record.body for record in records(source, "customer")}
    person = told[UNTYPED]
    assert isinstance(person, Person)
    assert [member.account for member in person.loyalty] == ["LC7"]


def test_a_refund_leaves_the_order_as_it_was() -> None:
    clock = Clock()
    shop = fixture_shop(clock)
    payment = resources("payments")[0]
    amount = {"currencyCode": "EUR", "centAmount": 500}
    refund = {"action": "addTransaction", "transaction": {"type": "Refund", "state": "Success", "amount": amount}}
    since = clock()
    with running({"shop": serving(shop, Faults())}) as urls:
        door = writing_door(settings(urls["shop"]), clock)
        door.post(f"/sandbox/payments/{payment['id']}", json={"version": payment["version"], "actions": [refund]})
    with reading(shop, clock) as source:
        later = Window(since=since, until=UNTIL)
        assert records(source, "order", later) == []
        (told,) = records(source, "payment", later)
    assert isinstance(told.body, Settlement)
    assert str(told.body.refunds[-1].amount.amount) == "5.00"
