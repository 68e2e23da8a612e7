"""Gathering: each person as told, each order with whoever made it, and what refers to something that is not there yet."""

from decimal import Decimal
from typing import Any

import duckdb

from models.engagement import Event
from models.landing import Other, SourceRecord
from models.loyalty import MOST_POINTS
from models.orders import LARGEST_AMOUNT, Fulfilment, Money, Order, Refund, Settlement
from models.records import RecordKey
from resolver import gather, land
from resolver.run import Run
from tests.ledger import Settle
from tests.telling import LONG_AGO, tellings, told


def gathered(run: Run, *said: SourceRecord) -> None:
    for source in tellings(said):
        land.records(run, source)
    gather.records(run)


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def refund(of: str, **more: Any) -> SourceRecord:
    paid_back = Refund(refund_id="R1", amount=Money(amount=Decimal("4.00"), currency="GBP"))
    body = Settlement(order=of, refunds=(paid_back,))
    key = RecordKey(source="bigcommerce", object="refund", source_id="R1")
    return SourceRecord(key=key, raw=body.model_dump_json(), body=body, changed_at=LONG_AGO, **more)


def test_an_order_belongs_to_the_customer_it_names(connection: duckdb.DuckDBPyConnection, a_run: Run) -> None:
    gathered(
        a_run,
        told({"record": "bigcommerce:customer:1", "given_name": "Ana"}),
        told({"record": "bigcommerce:order:9", "bought": {"customer": "1"}}),
    )
    assert rows(connection, "select order_record, owner from derived.purchase") == [
        ("bigcommerce:order:9", "bigcommerce:customer:1")
    ]
    assert rows(connection, "select record from derived.told") == [("bigcommerce:customer:1",)]


def test_a_guest_order_speaks_for_itself(connection: duckdb.DuckDBPyConnection, a_run: Run) -> None:
    gathered(a_run, told({"record": "bigcommerce:order:9", "given_name": "Ana", "email": "a@x.example", "bought": {}}))
    assert rows(connection, "select order_record, owner from derived.purchase") == [("bigcommerce:order:9",) * 2]
    assert rows(connection, "select record, given_name, email from derived.told") == [
        ("bigcommerce:order:9", "Ana", "a@x.example")
    ]


def test_stores_notices_and_carts_make_nobody_and_wait_for_nothing(
    connection: duckdb.DuckDBPyConnection, a_run: Run
) -> None:
    said: dict[str, Other | Event] = {
        "store": Other(what="store", code="linden-lv", name="Linden"),
        "message": Other(what="CustomerEmailVerified", customer="1"),
        "cart": Event(event="cart", at=LONG_AGO, customer="1"),
    }
    gathered(
        a_run,
        *(
            SourceRecord(key=RecordKey(source="shop", object=name, source_id="1"), raw=name, body=body)
            for name, body in said.items()
        ),
    )
    assert rows(connection, "select count(*) from derived.current_record") == [(3,)]
    for table in ("told", "told_identifier", "purchase", "waiting", "customer"):
        assert rows(connection, f"from derived.{table}") == [], table


def test_the_largest_amounts_and_points_that_may_land_can_be_worked_with(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    most, points = f"{LARGEST_AMOUNT - 1}.9999", MOST_POINTS - 1
    entry = {"account": "C1", "external_id": "e1", "movement": "earn", "points": points, "at": LONG_AGO}
    settle(
        [
            told({"record": "pos:member:1", "given_name": "Ana", "loyalty_number": "C1", "points": points}),
            told(
                {
                    "record": "pos:order:1",
                    "loyalty_number": "C1",
                    "bought": {"total": {"amount": most, "currency": "GBP"}, "loyalty": [entry]},
                }
            ),
        ]
    )
    assert rows(connection, "select total from derived.purchase") == [(Decimal(most),)]
    assert rows(connection, "select balance from derived.balance") == [(points,)]


def test_an_order_waits_for_its_customer_and_then_finds_it(connection: duckdb.DuckDBPyConnection, a_run: Run) -> None:
    gathered(a_run, told({"record": "bigcommerce:order:9", "bought": {"customer": "1"}}))
    assert rows(connection, "select record, reason from derived.waiting") == [
        ("bigcommerce:order:9", "customer has not landed")
    ]
    gathered(a_run, told({"record": "bigcommerce:customer:1", "given_name": "Ana"}))
    assert rows(connection, "from derived.waiting") == []
    assert rows(connection, "select owner from derived.purchase") == [("bigcommerce:customer:1",)]


def test_the_same_customer_number_in_another_shop_is_somebody_else(
    connection: duckdb.DuckDBPyConnection, a_run: Run
) -> None:
    gathered(
        a_run,
        told({"record": "commercetools:customer:1", "given_name": "Ana"}),
        told({"record": "bigcommerce:order:9", "bought": {"customer": "1"}}),
    )
    assert rows(connection, "select owner from derived.purchase") == [("bigcommerce:order:9",)]


def test_a_refund_that_comes_before_its_order_waits_and_is_added_once(
    connection: duckdb.DuckDBPyConnection, a_run: Run
) -> None:
    gathered(a_run, refund("9"))
    assert rows(connection, "select record, reason from derived.waiting") == [
        ("bigcommerce:refund:R1", "order has not landed")
    ]
    order = told({"record": "bigcommerce:order:9", "bought": {}})
    gathered(a_run, order)
    gathered(a_run, order, refund("9"))
    [(refunds,)] = rows(connection, "select (body->'refunds')::varchar from derived.purchase")
    assert refunds.count("R1") == 1
    assert rows(connection, "from derived.waiting") == []


def test_the_contact_that_its_source_verified_is_matched_on_first(
    connection: duckdb.DuckDBPyConnection, a_run: Run
) -> None:
    points = [
        {"kind": "email", "value": "first@x.example", "primary": True},
        {"kind": "email", "value": "checked@x.example", "verified": True},
    ]
    record = told({"record": "bigcommerce:customer:1"})
    person = {**record.body.model_dump(), "contact_points": points}
    gathered(a_run, SourceRecord.model_validate({**record.model_dump(), "body": {**person, "kind": "person"}}))
    assert rows(connection, "select email, email_verified from derived.told") == [("checked@x.example", True)]
    assert rows(connection, "select value from derived.told_identifier where kind = 'email' order by 1") == [
        ("checked@x.example",),
        ("first@x.example",),
    ]


def test_a_customer_number_of_a_source_is_an_identifier_everywhere(
    connection: duckdb.DuckDBPyConnection, a_run: Run
) -> None:
    gathered(
        a_run,
        told({"record": "pos:member:C7", "identifiers": []}),
        told({"record": "pos:receipt:5", "bought": {"customer": "C7", "channel": "pos"}}),
    )
    found = rows(connection, "select distinct kind, value from derived.told_identifier")
    assert found == [("external_id", "pos_customer:C7")]


def test_a_subscriber_with_a_customers_number_is_not_that_customer(
    connection: duckdb.DuckDBPyConnection, a_run: Run
) -> None:
    gathered(
        a_run,
        told({"record": "bigcommerce:subscriber:1", "given_name": "Bea", "email": "bea@x.example"}),
        told({"record": "bigcommerce:order:9", "bought": {"customer": "1"}}),
    )
    assert rows(connection, "select owner from derived.purchase") == [("bigcommerce:order:9",)]
    assert rows(connection, "select record from derived.waiting") == [("bigcommerce:order:9",)]
    assert rows(connection, "select record from derived.told_identifier where kind = 'external_id'") == [
        ("bigcommerce:order:9",)
    ]


def test_a_shipment_that_is_told_apart_from_its_order_reaches_it(
    connection: duckdb.DuckDBPyConnection, a_run: Run
) -> None:
    body = Settlement(order="9", fulfilments=(Fulfilment(fulfilment_id="S1", carrier="EX", tracking_number="EX1"),))
    key = RecordKey(source="magento", object="shipment", source_id="S1")
    shipment = SourceRecord(key=key, raw=body.model_dump_json(), body=body, changed_at=LONG_AGO)
    gathered(a_run, told({"record": "magento:order:9", "email": "a@x.example", "bought": {}}), shipment)
    [(order,)] = rows(connection, "select body from derived.purchase")
    assert [f.tracking_number for f in Order.model_validate_json(order).fulfilments] == ["EX1"]


def test_gathering_again_gives_the_same_rows(connection: duckdb.DuckDBPyConnection, a_run: Run) -> None:
    said = [
        told(
            {"record": "bigcommerce:customer:1", "given_name": "Ana", "email": "a@x.example", "phone": "+447911123456"}
        ),
        told({"record": "bigcommerce:order:9", "bought": {"customer": "1"}}),
        refund("9"),
    ]
    gathered(a_run, *said)
    tables = ("told", "told_identifier", "purchase", "waiting")
    before = {table: sorted(map(repr, rows(connection, f"from derived.{table}"))) for table in tables}
    gather.records(a_run)
    assert {table: sorted(map(repr, rows(connection, f"from derived.{table}"))) for table in tables} == before


def test_the_schema_page_shows_the_standardised_record_as_standardise_makes_it(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    columns = "select column_name, data_type from duckdb_columns() where table_name = 'record' order by column_index"
    on_the_page = rows(connection, columns)
    settle()
    assert rows(connection, columns) == on_the_page


def test_a_record_without_a_country_is_of_the_country_in_which_nearly_all_customers_of_its_store_live(
    connection: duckdb.DuckDBPyConnection, a_run: Run
) -> None:
    at_home = [told({"record": f"pos:member:{n}", "store": "0307", "country": "DE"}) for n in range(3)]
    abroad = [
        told({"record": f"pos:member:9{n}", "store": "airport", "country": c}) for n, c in enumerate(("DE", "PL"))
    ]
    said = [told({"record": f"pos:receipt:{store}", "phone": "0171 2345678", "bought": {"store": store}})
            for store in ("0307", "airport", "nowhere")]  # fmt: skip
    gathered(a_run, *at_home, *abroad, *said)
    assert rows(connection, "select record, country from derived.told where object = 'receipt' order by record") == [
        ("pos:receipt:0307", "DE"), ("pos:receipt:airport", None), ("pos:receipt:nowhere", None)
    ]  # fmt: skip
    assert rows(connection, "select country from derived.told_identifier where record = 'pos:receipt:0307'") == [
        ("DE",)
    ]
