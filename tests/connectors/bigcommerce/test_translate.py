"""What BigCommerce tells, in our words. The payloads in data/fixtures/bigcommerce are made up."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.bigcommerce.translate import translate
from models.landing import Deletion, Reason, Refusal, SourceRecord
from models.orders import Money, Order, Settlement
from models.records import Person

FIXTURES = Path(__file__).parents[3] / "data" / "fixtures" / "bigcommerce"
BRANDS = {"7": "linden"}
Payload = dict[str, Any]


def payload(object_: str) -> Payload:
    told: Payload = orjson.loads((FIXTURES / f"{object_}.json").read_bytes())
    return told


def told(object_: str, change: Callable[[Payload], object] = lambda _: None) -> SourceRecord | Refusal:
    changed = payload(object_)
    change(changed)
    return translate(object_, orjson.dumps(changed).decode(), BRANDS)


def body(object_: str, change: Callable[[Payload], object] = lambda _: None) -> Any:
    record = told(object_, change)
    assert isinstance(record, SourceRecord), record
    return record.body


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def test_a_customer_is_a_person_with_contacts_and_addresses() -> None:
    record = told("customer")
    assert isinstance(record, SourceRecord)
    assert str(record.key) == "bigcommerce:customer:42"
    assert record.changed_at == datetime(2026, 1, 15, 17, 30, 5, tzinfo=UTC)
    person = record.body
    assert isinstance(person, Person)
    assert (person.given_name, person.family_name, person.organisation) == ("Ilze", "Ozoliņa", None)
    assert (person.brand, person.store, person.birth_date) == ("linden", "7", "1988-11-30")
    assert [(point.kind, point.value, point.label) for point in person.contact_points] == [
        ("email", "Ilze.Ozolina@post.example", None),
        ("phone", "+371 2000 0042", None),
        ("phone", "63600000", "address"),
    ]
    assert [(place.line1, place.postcode, place.country, place.primary) for place in person.addresses] == [
        ("Brīvības iela 10", "LV-1010", "LV", True),
        ("Ostas iela 1", "LV-3601", "LV", False),
    ]


def test_loyalty_is_found_however_the_shop_spells_the_names_of_its_attributes() -> None:
    person = body("customer")
    assert [(one.kind, one.value) for one in person.identifiers] == [("loyalty_number", "LC-0000042")]
    (member,) = person.loyalty
    assert (member.account, member.tier.code, member.balance) == ("LC-0000042", "gold", 1250)


def test_what_has_no_field_of_ours_keeps_the_name_the_shop_gave_it() -> None:
    assert body("customer").attributes == {
        "Interests": "ceramics, tea",
        "attribute 9": "size 38",
        "customer_group_id": "3",
        "store_credit": "12.5",
    }


def test_what_the_vendor_tells_beside_the_person_is_kept_under_its_own_names() -> None:
    person = body(
        "customer",
        lambda told: told.update(
            customer_group_name="Friends",
            channel_ids=[7, 8],
            segment_ids=["s-1"],
            shopper_profile_id="p-1",
            consent={"allow": ["essential"], "deny": ["analytics", "targeting"]},
        ),
    )
    expected = {
        "customer_group": "Friends",
        "channel_ids": "7, 8",
        "segment_ids": "s-1",
        "shopper_profile_id": "p-1",
        "cookies_allowed": "essential",
        "cookies_denied": "analytics, targeting",
    }
    assert expected.items() <= person.attributes.items()


@pytest.mark.parametrize("nobody", [0, "0", "", None])
def test_customers_without_a_group_are_in_no_group(nobody: object) -> None:
    assert "customer_group_id" not in body("customer", lambda told: told.update(customer_group_id=nobody)).attributes


def test_a_customer_changed_when_an_attribute_did() -> None:
    at = "2026-02-01T00:00:00Z"
    record = told("customer", lambda customer: customer["attributes"][1].update(date_modified=at))
    assert isinstance(record, SourceRecord)
    assert record.changed_at == datetime(2026, 2, 1, tzinfo=UTC)


def test_a_subscriber_of_a_checkout_has_the_order_as_proof_of_the_yes() -> None:
    person = body("subscriber", lambda told: told.update(source="order", order_id=1001))
    assert {one.status: one.proof for one in person.consents} == {"opt_in": "order 1001", "opt_out": None}
    assert person.attributes == {"signed_up_by": "order"}


def test_a_subscriber_withdrew_what_is_not_on_the_list_any_more() -> None:
    consents = body("subscriber").consents
    assert [(one.purpose, one.status, one.brand) for one in consents] == [
        ("marketing", "opt_out", "linden"),
        ("abandoned_cart", "opt_in", "linden"),
    ]
    assert {one.at for one in consents} == {datetime(2025, 6, 1, 8, tzinfo=UTC)}


def test_a_customer_s_tick_is_a_yes_without_a_date_and_no_tick_is_no_answer() -> None:
    assert body("customer", lambda told: told.update(accepts_product_review_abandoned_cart_emails=False)).consents == ()
    (consent,) = body("customer").consents
    assert (consent.purpose, consent.status, consent.at) == ("reviews_and_carts", "opt_in", None)


def test_an_order_is_in_the_currency_that_was_paid() -> None:
    order = body("order")
    assert isinstance(order, Order)
    assert (order.currency, order.total) == ("EUR", eur("52.3600"))
    assert order.attributes["display_currency"] == "USD"
    assert order.placed_at == datetime(2026, 1, 15, 17, 30, tzinfo=UTC)
    assert (order.customer, order.payment_status, order.channel, order.brand) == ("42", "paid", "web", "linden")


def test_lines_come_from_every_consignment_and_include_tax_less_their_own_discounts() -> None:
    lines = body("order").lines
    assert [(line.line_id, line.quantity, line.amount.amount) for line in lines] == [
        ("100101", 1, Decimal("29.0000")),
        ("100102", 2, Decimal("19.9600")),
        ("100103", 1, Decimal("1.5000")),
        ("fee-5", 1, Decimal("3.0000")),
    ]
    assert [(discount.code, discount.amount) for discount in lines[0].discounts] == [("FIVE", eur("5.0000"))]
    assert [(tax.name, tax.amount, tax.included) for tax in lines[0].taxes] == [("PVN", eur("5.9000"), True)]


def test_discounts_of_the_order_leave_out_those_that_lines_have_taken() -> None:
    discounts = body("order").discounts
    assert [(one.code, one.name, one.amount) for one in discounts] == [
        ("SHIPFREE", "free shipping", eur("0")),
        (None, "order discount", eur("3.0000")),
    ]


def test_taxes_of_the_order_add_up_by_rate() -> None:
    (tax,) = body("order").taxes
    assert (tax.name, tax.rate, tax.amount, tax.included) == ("PVN", Decimal("21.0000"), eur("9.0900"), True)


def test_an_order_whose_tax_rows_were_not_read_still_tells_its_tax() -> None:
    (tax,) = body("order", lambda order: order.pop("taxes")).taxes
    assert (tax.amount, tax.included) == (eur("9.0900"), True)


def test_tenders_are_money_that_came_and_no_card_number() -> None:
    tenders = body("order").tenders
    assert [(one.tender, one.amount.amount, one.reference) for one in tenders] == [
        ("credit_card", Decimal("42.36"), "ch-2"),
        ("store_credit", Decimal(10), "902"),
    ]
    assert "4242" not in body("order").model_dump_json()


def test_without_transactions_the_order_s_own_words_tell_how_it_was_paid() -> None:
    tenders = body("order", lambda order: order.update(transactions=[])).tenders
    assert [(one.tender, one.amount) for one in tenders] == [
        ("Credit Card", eur("42.3600")),
        ("store_credit", eur("10.0000")),
    ]


def test_parcels_and_collections_are_fulfilments() -> None:
    fulfilments = body("order").fulfilments
    assert [(one.fulfilment_id, one.carrier, one.tracking_number, one.lines) for one in fulfilments] == [
        ("61", "dhl", "LV123", ("100101",)),
        ("pickup-77", None, None, ("100103",)),
    ]


def test_the_buyer_does_not_live_where_the_present_went() -> None:
    buyer = body("order").person
    assert [(place.label, place.line1) for place in buyer.addresses] == [
        ("billing", "Brīvības iela 10"),
        ("shipping", "Ostas iela 1"),
    ]
    assert buyer.consents[0].status == "opt_in"


def test_points_move_on_the_account_that_the_loyalty_app_noted() -> None:
    order = body("order")
    assert order.loyalty_number == "LC-0000042"
    assert [(one.external_id, one.movement, one.points) for one in order.loyalty] == [
        ("bigcommerce:1001:earn", "earn", 52),
        ("bigcommerce:1001:redeem", "redeem", -100),
    ]


@pytest.mark.parametrize("zero", [0, "0", None])
def test_customer_zero_is_nobody(zero: object) -> None:
    order = body("order", lambda told: told.update(customer_id=zero))
    assert order.customer is None
    assert order.person.contact_points[0].value == "ilze@post.example"


def test_an_archived_order_is_a_deletion() -> None:
    assert body("order", lambda told: told.update(is_deleted=True)) == Deletion(at=datetime(2026, 1, 16, 8, tzinfo=UTC))


@pytest.mark.parametrize("external", [17, "17", None, ""])
def test_external_ids_may_be_numbers_texts_or_nothing(external: object) -> None:
    order = body("order", lambda told: told.update(external_id=external))
    assert order.attributes.get("external_id") in {"17", None}


def test_parts_read_one_by_one_give_the_same_order_as_consignments() -> None:
    def taken_apart(order: Payload) -> None:
        parts = order.pop("consignments")
        order["consignments"] = {"url": "https://api.example/consignments", "resource": "/orders/1001/consignments"}
        order["products"] = [line for part in parts["shipping"] + parts["pickups"] for line in part["line_items"]]
        order["shipping_addresses"] = parts["shipping"]

    apart, whole = body("order", taken_apart), body("order")
    assert apart.lines == whole.lines
    assert apart.person == whole.person


def test_a_refund_is_a_settlement_in_the_order_s_currency() -> None:
    settlement = body("refund")
    assert isinstance(settlement, Settlement)
    (refund,) = settlement.refunds
    assert (settlement.order, refund.refund_id, refund.amount) == ("1001", "31", eur("7.49"))
    assert refund.reason == "one cup was broken"
    assert [(one.line, one.quantity) for one in settlement.returns] == [("100102", Decimal(1))]


def test_money_that_the_provider_declined_to_send_back_did_not_go_back() -> None:
    def declined(amount: float) -> Callable[[Payload], object]:
        return lambda told: told["payments"].append(
            {"id": 2, "provider_id": "x", "amount": amount, "is_declined": True}
        )

    (refund,) = body("refund", declined(2.49)).refunds
    assert refund.amount == eur("5.00")
    assert body("refund", declined(7.49)).refunds == ()


def test_a_refund_of_tax_alone_names_no_goods() -> None:
    settlement = body("refund", lambda told: told.update(items=[], total_amount=1.2))
    assert ([one.amount for one in settlement.refunds], settlement.returns) == ([eur("1.2")], ())


def test_the_store_where_goods_are_collected_is_kept() -> None:
    def collected(order: Payload) -> None:
        order["consignments"]["pickups"][0]["location"] = {"id": 3, "name": "Rīga, Brīvības", "code": "RIX-1"}

    assert body("order", collected).attributes["pickup_store"] == "RIX-1"


def test_an_order_changed_when_its_points_did() -> None:
    at = "2026-02-01T00:00:00Z"
    record = told("order", lambda order: order["metafields"][1].update(date_modified=at))
    assert isinstance(record, SourceRecord)
    assert record.changed_at == datetime(2026, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("told_points", ["-100", "100", "+100", " 100"])
def test_points_used_are_taken_whatever_their_sign(told_points: str) -> None:
    order = body("order", lambda order: order["metafields"][2].update(value=told_points))
    assert [entry.points for entry in order.loyalty] == [52, -100]


@pytest.mark.parametrize(
    "told_date",
    [
        "Thu, 15 Jan 2026 17:30:00 +0000",
        "Thu, 15 Jan 2026 17:30:00 GMT",
        "15 Jan 2026 17:30 UTC",
        "2026-01-15T17:30:00Z",
        "2026-01-15T17:30:00",
        "2026-01-15T19:30:00+02:00",
    ],
)
def test_dates_are_read_in_every_form_that_the_vendor_writes(told_date: str) -> None:
    assert body("order", lambda order: order.update(date_created=told_date)).placed_at == datetime(
        2026, 1, 15, 17, 30, tzinfo=UTC
    )


def test_amounts_keep_their_decimals() -> None:
    order = body("order", lambda order: order.update(total_inc_tax="52.3600"))
    assert order.model_dump(mode="json")["total"] == {"amount": "52.3600", "currency": "EUR"}


def test_a_refused_amount_says_what_was_expected() -> None:
    refusal = told("order", lambda order: order.update(total_inc_tax="a lot"))
    assert isinstance(refusal, Refusal)
    assert refusal.reasons == (Reason(path="total_inc_tax", problem="expected an amount, as a number or as text"),)


def broken(order: Payload) -> None:
    order["date_created"] = "some day in May"
    order["consignments"]["shipping"][1]["line_items"][0]["quantity"] = "two"
    order["default_currency_code"] = "euro"


def test_a_refusal_says_where_and_what_but_not_the_value() -> None:
    refusal = told("order", broken)
    assert isinstance(refusal, Refusal)
    assert refusal.source_id == "1001"
    assert {reason.path for reason in refusal.reasons} == {
        "date_created",
        "consignments.shipping[1].line_items[0].quantity",
        "default_currency_code",
    }
    text = " ".join(reason.problem for reason in refusal.reasons)
    assert not any(value in text for value in ("May", "two", "euro"))


@pytest.mark.parametrize(
    ("object_", "change", "path"),
    [
        ("customer", lambda told: told.pop("id"), "id"),
        ("customer", lambda told: told.update(email=["a", "b"]), "email"),
        ("subscriber", lambda told: told.update(email=""), "email"),
        ("order", lambda told: told.pop("total_inc_tax"), "total_inc_tax"),
        ("order", lambda told: told.update(total_inc_tax=""), "total_inc_tax"),
        ("order", lambda told: told.update(products="none"), "products"),
        ("order", lambda told: told["transactions"][0].update(currency="euro"), "transactions[0].currency"),
        ("order", lambda told: told["metafields"][1].update(value="many"), "points"),
        ("order", lambda told: told.update(date_created="Thu, 99 Jan 2026 17:30:00 +0000"), "date_created"),
        ("refund", lambda told: told.update(order=None), "order"),
        ("refund", lambda told: told.update(order={}), "order"),
        ("refund", lambda told: told.update(total_amount=float("inf")), "total_amount"),
    ],
)
def test_what_is_missing_or_of_another_type_is_refused(
    object_: str, change: Callable[[Payload], object], path: str
) -> None:
    refusal = told(object_, change)
    assert isinstance(refusal, Refusal)
    assert [reason.path for reason in refusal.reasons] == [path]


def test_what_is_no_json_is_refused_whole() -> None:
    refusal = translate("order", "<html>", BRANDS)
    assert isinstance(refusal, Refusal)
    assert refusal.reasons == (Reason(path="", problem="expected JSON"),)


def test_a_points_balance_that_is_no_number_is_refused() -> None:
    refusal = told("customer", lambda customer: customer["attributes"][2].update(attribute_value="many"))
    assert isinstance(refusal, Refusal)
    assert [reason.path for reason in refusal.reasons] == ["balance"]
