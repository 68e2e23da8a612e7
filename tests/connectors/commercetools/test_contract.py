"""An independent judge: the vendor's own example payloads. Another one is in test_neighbour.py."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from connectors.commercetools.api import stamp
from connectors.commercetools.reading import ShopFields
from connectors.commercetools.translate import translate
from models.landing import SourceRecord, Window
from models.orders import Order, Settlement
from models.records import Person
from tests.connectors.commercetools.contract import shared, violations
from tests.connectors.commercetools.project import raw

NEXT_YEAR = Window(until=datetime(2100, 1, 1, tzinfo=UTC))
PROJECT = "demo"


def example(name: str) -> Any:
    return orjson.loads(shared("examples", f"{name}.example.json").read_bytes())


def accepted(kind: str, payload: object) -> SourceRecord:
    found = translate(kind, raw(payload), ShopFields())
    assert isinstance(found, SourceRecord), found
    return found


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", ["customer", "customer-update-response"])
def test_the_vendors_customers_translate_without_loss(name: str) -> None:
    told = example(name)
    record = accepted("customer", told)
    assert isinstance(record.body, Person)
    assert (record.key.source_id, record.changed_at) == (told["id"], datetime.fromisoformat(told["lastModifiedAt"]))
    person = record.body
    assert (person.given_name, person.family_name) == (told["firstName"], told["lastName"])
    assert (person.contact_points[0].value, person.contact_points[0].verified) == (told["email"], False)
    for address, one in zip(person.addresses, told["addresses"], strict=True):
        assert (address.street, address.house_number) == (one["streetName"], one["streetNumber"])
        assert (address.postcode, address.city, address.country) == (one["postalCode"], one["city"], one["country"])


@pytest.mark.needs_shared
def test_the_vendors_order_translates_without_loss() -> None:
    told = example("order")
    order = accepted("order", told).body
    assert isinstance(order, Order)
    assert (order.customer, order.status, order.number) == (told["customerId"], "Open", told["id"])
    (line,) = order.lines
    assert (line.sku, line.name, line.quantity) == ("some-sku-123", "MyProduct", Decimal(1))
    assert (line.amount.amount, line.amount.currency) == (Decimal("10.00"), "EUR")
    (tax,) = line.taxes
    assert (tax.name, tax.rate, tax.amount.amount, tax.included) == ("Bla", Decimal(10), Decimal("6.34"), False)


@pytest.mark.needs_shared
def test_the_vendors_imported_order_translates_with_its_custom_line() -> None:
    order = accepted("order", example("order-import-create")).body
    assert isinstance(order, Order)
    assert (order.number, order.customer, order.total.amount) == ("100000001", None, Decimal("42.00"))
    assert [(line.sku, line.name) for line in order.lines] == [("mySlug", "Name EN")]


@pytest.mark.needs_shared
def test_the_vendors_payment_moved_no_money_yet() -> None:
    payment = accepted("payment", example("payment")).body
    assert isinstance(payment, Settlement)
    assert (payment.tenders, payment.refunds) == ((), ())


@pytest.mark.needs_shared
@pytest.mark.parametrize(("name", "kind"), [("customers", "customer"), ("orders", "order"), ("payments", "payment")])
def test_all_of_the_vendors_listed_resources_translate(name: str, kind: str) -> None:
    for told in example(name)["results"]:
        assert accepted(kind, told).key.source_id == told["id"]


@pytest.mark.needs_shared
def test_seeded_mistakes_in_a_resource_break_the_vendors_contract() -> None:
    good = example("customer")
    assert violations("Customer", good) == []
    mistakes: list[dict[str, Any]] = [
        {"version": "1"},
        {"addresses": {}},
        {"email": None},
        {"authenticationMode": "Guess"},
    ]
    for wrong in mistakes:
        assert violations("Customer", good | wrong)


def test_our_times_sort_as_text_as_they_do_as_times() -> None:
    moments = [datetime(2026, 1, 1, 0, 0, 0, ms * 1000, tzinfo=UTC) for ms in (0, 5, 50, 500, 999)]
    assert sorted(map(stamp, moments)) == list(map(stamp, moments))
