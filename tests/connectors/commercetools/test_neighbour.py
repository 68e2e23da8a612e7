"""A server that other people wrote is read completely, and written back to: what we believe of the vendor is not ours alone."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from connectors.commercetools.source import connect
from models.engagement import Event
from models.errors import Contradicted, Rejected
from models.landing import Deletion, Other, SourceRecord, Window
from models.orders import Order, Settlement
from models.ports import Source
from models.records import Person
from tests.connectors.commercetools.contract import violations
from tests.connectors.commercetools.neighbour import PROJECT, Neighbour, started
from tests.connectors.commercetools.project import Clock, records
from tests.connectors.commercetools.writing import give_loyalty_number, writing_door

pytestmark = pytest.mark.needs_shared

NEXT_YEAR = Window(until=datetime(2100, 1, 1, tzinfo=UTC))
CHANGED = {"action": "setFirstName", "firstName": "Changed"}


@pytest.fixture(scope="module")
def neighbour() -> Iterator[Neighbour]:
    with started() as found:
        yield found


@pytest.fixture(scope="module")
def retail(neighbour: Neighbour) -> str:
    """Key of the type that gives resources a loyalty number."""
    name = {"en": "Loyalty number"}
    field = {"name": "loyaltyNumber", "label": name, "required": False, "type": {"name": "String"}}
    held = ["customer", "order", "payment"]
    draft = {"key": "retail", "name": name, "resourceTypeIds": held, "fieldDefinitions": [field]}
    return str(neighbour.post("types", draft)["key"])


def reading(neighbour: Neighbour, **changes: Any) -> Source:
    clock = Clock()
    return connect(neighbour.settings(**changes), clock=clock, sleep=clock.sleep)


def latest(source: Source, kind: str) -> dict[str, SourceRecord]:
    return {record.key.source_id: record for record in records(source, kind, NEXT_YEAR)}


def imported(neighbour: Neighbour) -> dict[str, Any]:
    """A guest's order of one custom line over 5940 yen."""
    amount = {"currencyCode": "JPY", "centAmount": 5940}
    slug = f"wrap-{uuid4().hex[:8]}"
    wrap = {"name": {"en": "Wrap"}, "slug": slug, "quantity": 1, "money": amount}
    draft = {
        "orderNumber": slug,
        "customerEmail": "guest@example.com",
        "totalPrice": amount,
        "billingAddress": {"country": "JP", "firstName": "Taro", "lastName": "Sato"},
        "customLineItems": [wrap | {"taxCategory": {"typeId": "tax-category", "id": "x"}}],
    }
    return neighbour.post("orders/import", draft)


def test_customers_come_each_once(neighbour: Neighbour) -> None:
    signed_up = {neighbour.sign_up(f"Given{number}")["id"] for number in range(23)}
    told = [record.key.source_id for record in records(reading(neighbour, page_size=5), "customer", NEXT_YEAR)]
    assert signed_up <= set(told)
    assert len(told) == len(set(told))


def test_a_change_between_two_pages_loses_nobody_although_an_offset_would(neighbour: Neighbour) -> None:
    everybody = {neighbour.sign_up(f"Given{number}")["id"] for number in range(12)} | set(_by_offset(neighbour))
    by_offset = set(_by_offset(neighbour, meanwhile=lambda page: neighbour.act("customers", page[0], CHANGED)))
    assert len(everybody - by_offset) == 1

    walk = reading(neighbour, page_size=4).pages("customer", NEXT_YEAR)
    first = next(walk).records
    mover = neighbour.get(f"customers/{first[0].key.source_id}")
    neighbour.act("customers", mover, {"action": "setFirstName", "firstName": "Moved"})
    told = [*first, *(record for page in walk for record in page.records)]
    times = Counter(record.key.source_id for record in told)
    assert set(times) == everybody
    assert [source_id for source_id, count in times.items() if count > 1] == [mover["id"]]
    assert '"firstName":"Moved"' in {record.key.source_id: record.raw for record in told}[mover["id"]]


def _by_offset(neighbour: Neighbour, meanwhile: Any = None) -> Iterator[str]:
    """Ids, by the paging that drifts: the first page changes while the second one is awaited."""
    for offset in range(0, 10_000, 4):
        page = neighbour.get("customers", ("sort", "lastModifiedAt asc"), ("limit", 4), ("offset", offset))["results"]
        yield from (each["id"] for each in page)
        if not page:
            return
        if meanwhile and offset == 0:
            meanwhile(page)


def test_a_window_holds_what_changed_in_it(neighbour: Neighbour) -> None:
    before = neighbour.sign_up("Before")
    inside = before
    while inside["lastModifiedAt"] == before["lastModifiedAt"]:
        inside = neighbour.sign_up("Inside")
    since = datetime.fromisoformat(inside["lastModifiedAt"])
    told = records(reading(neighbour), "customer", Window(since=since, until=NEXT_YEAR.until))
    found = {record.key.source_id for record in told}
    assert inside["id"] in found
    assert before["id"] not in found


def test_orders_payments_and_refunds_arrive(neighbour: Neighbour) -> None:
    amount = {"currencyCode": "JPY", "centAmount": 5940}
    payment = neighbour.post("payments", {"amountPlanned": amount, "paymentMethodInfo": {"method": "CREDIT_CARD"}})
    steps = [
        {"action": "addTransaction", "transaction": {"type": kind, "state": "Success", "amount": amount}}
        for kind in ("Charge", "Refund")
    ]
    neighbour.act("payments", payment, *steps)
    made = imported(neighbour)
    neighbour.act("orders", made, {"action": "addPayment", "payment": {"typeId": "payment", "id": payment["id"]}})
    order = latest(reading(neighbour), "order")[made["id"]].body
    assert isinstance(order, Order)
    assert (order.customer, order.total.amount, order.total.currency) == (None, Decimal(5940), "JPY")
    assert order.person is not None
    assert order.person.family_name == "Sato"
    assert order.settlements == (payment["id"],)
    found = latest(reading(neighbour), "payment")[payment["id"]].body
    assert isinstance(found, Settlement)
    assert [(tender.tender, tender.amount.amount) for tender in found.tenders] == [("CREDIT_CARD", Decimal(5940))]
    assert [refund.amount.amount for refund in found.refunds] == [Decimal(5940)]


def test_a_return_and_a_customer_who_claims_the_order_arrive_with_its_next_version(neighbour: Neighbour) -> None:
    made = imported(neighbour)
    line, owner = made["customLineItems"][0]["id"], neighbour.sign_up("Owner")
    item = {"quantity": 1, "customLineItemId": line, "shipmentState": "Returned"}
    back = neighbour.act("orders", made, {"action": "addReturnInfo", "items": [item], "returnTrackingId": "R1"})
    neighbour.act("orders", back, {"action": "setCustomerId", "customerId": owner["id"]})
    order = latest(reading(neighbour), "order")[made["id"]].body
    assert isinstance(order, Order)
    assert [(each.line, each.quantity, each.state) for each in order.returns] == [(line, Decimal(1), "Returned")]
    assert order.customer == owner["id"]


def test_carts_stores_and_groups_arrive(neighbour: Neighbour, retail: str) -> None:
    key = uuid4().hex
    store = neighbour.post("stores", {"key": key, "name": {"en": "Linden"}})
    group = neighbour.post("customer-groups", {"key": key, "groupName": "Very important"})
    custom = {"type": {"typeId": "type", "key": retail}, "fields": {"loyaltyNumber": "LC5"}}
    cart = neighbour.post("carts", {"currency": "EUR", "anonymousId": "visitor-5", "custom": custom})
    source = reading(neighbour)
    assert latest(source, "store")[store["id"]].body == Other(what="store", code=key, name="Linden")
    found = latest(source, "customer_group")[group["id"]].body
    assert found == Other(what="customer-group", code=key, name="Very important")
    visited = latest(source, "cart")[cart["id"]].body
    assert isinstance(visited, Event)
    assert (visited.event, visited.anonymous, visited.attributes["loyalty_number"]) == ("cart", "visitor-5", "LC5")


def test_a_customer_who_is_deleted_is_missed(neighbour: Neighbour) -> None:
    gone, stays = neighbour.sign_up("Gone"), neighbour.sign_up("Stays")
    neighbour.delete("customers", gone)
    (page,) = reading(neighbour).missing("customer", [gone["id"], stays["id"]])
    told = {record.key.source_id: record.body for record in page.records}
    assert told[gone["id"]] == Deletion()
    assert isinstance(told[stays["id"]], Person)


def test_a_project_without_messages_says_so(neighbour: Neighbour) -> None:
    assert neighbour.project()["messages"]["enabled"] is False
    since = datetime.now(UTC) - timedelta(hours=1)
    with pytest.raises(Rejected) as raised:
        list(reading(neighbour).pages("message", Window(since=since, until=since + timedelta(hours=1))))
    assert raised.value.code == "messages_off"


@pytest.mark.parametrize("path", ["customers", "orders"])
def test_a_loyalty_number_is_written_back_and_read_again(neighbour: Neighbour, retail: str, path: str) -> None:
    made = neighbour.sign_up("Member") if path == "customers" else imported(neighbour)
    number = f"LC{uuid4().hex[:8]}"
    door = writing_door(neighbour.settings(), Clock())
    written, overtaken = give_loyalty_number(door, f"/{PROJECT}/{path}/{made['id']}", number, retail)
    assert (overtaken, written["version"] > made["version"]) == (0, True)
    body = latest(reading(neighbour), path.removesuffix("s"))[made["id"]].body
    told = [member.account for member in body.loyalty] if isinstance(body, Person) else [body.loyalty_number]  # type: ignore[union-attr]
    assert told == [number]


def test_a_stale_write_is_refused_and_decided_anew(neighbour: Neighbour, retail: str) -> None:
    made = neighbour.sign_up("Member")
    door = writing_door(neighbour.settings(), Clock())
    path = f"/{PROJECT}/customers/{made['id']}"
    theirs, _ = give_loyalty_number(door, path, "THEIRS", retail)
    with pytest.raises(Contradicted) as raised:
        door.post(path, json={"version": made["version"], "actions": [CHANGED]})
    assert raised.value.code == "ConcurrentModification"
    ours, overtaken = give_loyalty_number(door, path, "OURS", retail)
    assert (ours["custom"], ours["version"], overtaken) == (theirs["custom"], theirs["version"], 0)


@pytest.mark.parametrize(
    ("path", "schema"), [("customers", "CustomerPagedQueryResponse"), ("stores", "StorePagedQueryResponse")]
)
def test_the_neighbour_itself_follows_the_vendors_openapi(neighbour: Neighbour, path: str, schema: str) -> None:
    assert violations(schema, neighbour.get(path, ("limit", 100))) == []
