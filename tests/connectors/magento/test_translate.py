"""What Magento tells, in our words. The payloads in data/fixtures/magento are made up."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.magento.cards import without_card_data
from connectors.magento.terms import StoreView, Terms
from connectors.magento.translate import OBJECTS, translate
from models.engagement import Event
from models.landing import Reason, Refusal, SourceRecord
from models.orders import Money, Order, Settlement
from models.records import Person

FIXTURES = Path(__file__).parents[3] / "data" / "fixtures" / "magento"
LINDEN = StoreView(brand="linden", locale="lv-LV", channel="app")
TERMS = Terms(store_views={"17": LINDEN})
Payload = dict[str, Any]


def payload(object_: str) -> Payload:
    told: Payload = orjson.loads((FIXTURES / f"{object_}.json").read_bytes())
    return told


def told(object_: str, change: Callable[[Payload], object] = lambda _: None, **terms: Any) -> SourceRecord | Refusal:
    changed = payload(object_)
    change(changed)
    return translate(object_, orjson.dumps(changed).decode(), TERMS.model_copy(update=terms))


def body(object_: str, change: Callable[[Payload], object] = lambda _: None, **terms: Any) -> Any:
    record = told(object_, change, **terms)
    assert isinstance(record, SourceRecord), record
    return record.body


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def test_a_customer_is_a_person_with_contacts_and_addresses() -> None:
    record = told("customer")
    assert isinstance(record, SourceRecord)
    assert str(record.key) == "magento:customer:42"
    assert record.changed_at == datetime(2026, 1, 15, 17, 30, 5, tzinfo=UTC)
    person = record.body
    assert isinstance(person, Person)
    assert (person.title, person.given_name, person.middle_name, person.family_name) == (
        "Dr.",
        "Ilze",
        "Marta",
        "Ozoliņa",
    )
    assert (person.sex, person.birth_date, person.organisation) == ("F", "1988-11-30", "SIA Kuģis")
    assert (person.brand, person.locale, person.store) == ("linden", "lv-LV", "17")
    assert [(point.value, point.label, point.primary) for point in person.contact_points] == [
        ("Ilze.Ozolina@post.example", None, True),
        ("+371 2999 0042", "mobile", True),
        ("+371 2000 0042", "billing", False),
        ("63600000", "shipping", False),
    ]
    assert [(place.line1, place.line2, place.region, place.label, place.primary) for place in person.addresses] == [
        ("Brīvības iela 10", None, "Rīga", "billing", True),
        ("Ostas iela 1", "2. stāvs", None, "shipping", False),
    ]


def test_loyalty_is_found_however_the_shop_spells_the_codes_of_its_attributes() -> None:
    person = body("customer")
    assert [(one.kind, one.value) for one in person.identifiers] == [("loyalty_number", "LC-0000042")]
    (member,) = person.loyalty
    assert (member.account, member.tier.code, member.balance) == ("LC-0000042", "gold", 1250)


def test_what_has_no_field_of_ours_keeps_the_name_the_shop_gave_it() -> None:
    assert body("customer").attributes == {
        "interests": "ceramics, tea",
        "website_id": "17",
        "group_id": "3",
        "taxvat": "LV12345678901",
        "created_in": "Linden Latvia",
        "store_credit": "12.5000",
        "store_credit_currency": "EUR",
    }


def test_a_newsletter_answer_that_is_not_told_is_no_answer() -> None:
    (consent,) = body("customer").consents
    assert (consent.contact_point, consent.status, consent.at) == ("Ilze.Ozolina@post.example", "opt_in", None)
    (consent,) = body("customer", lambda one: one.update(extension_attributes={"is_subscribed": False})).consents
    assert consent.status == "opt_out"
    assert body("customer", lambda one: one.update(extension_attributes={})).consents == ()
    assert body("customer", lambda one: one.update(extension_attributes=[])).consents == ()
    assert body("customer", lambda one: one.pop("extension_attributes")).consents == ()


def test_a_shop_may_say_that_not_subscribed_means_never_asked() -> None:
    def unsubscribed(one: Payload) -> None:
        one.update(extension_attributes={"is_subscribed": False})

    assert body("customer", unsubscribed, unsubscribed_means="no_answer").consents == ()


def test_an_address_that_waits_for_its_confirmation_is_not_verified() -> None:
    assert body("customer").contact_points[0].verified is None
    assert body("customer", lambda one: one.update(confirmation="abc")).contact_points[0].verified is False


def test_empty_tables_of_php_are_lists_and_lists_with_gaps_are_tables() -> None:
    def as_php_does(one: Payload) -> None:
        one["addresses"] = {str(2 * at): {**place, "region": []} for at, place in enumerate(one["addresses"])}
        one["custom_attributes"] = []

    person = body("customer", as_php_does)
    assert [place.city for place in person.addresses] == ["Rīga", "Ventspils"]
    assert person.identifiers == ()


def test_an_order_tells_its_buyer_and_where_it_was_placed() -> None:
    order = body("order")
    assert isinstance(order, Order)
    assert (order.number, order.customer, order.channel, order.brand) == ("17000000100", "42", "app", "linden")
    assert (order.status, order.payment_status, order.attributes["state"]) == (
        "packed_at_warehouse",
        "paid",
        "processing",
    )
    assert order.placed_at == datetime(2026, 1, 15, 17, 30, tzinfo=UTC)
    assert order.person is not None
    assert [point.value for point in order.person.contact_points] == ["Ilze.Ozolina@post.example", "+371 2000 0042"]
    assert [(place.line1, place.label) for place in order.person.addresses] == [
        ("Brīvības iela 10", "billing"),
        ("Ostas iela 1", "shipping"),
    ]


def test_where_a_gift_went_is_not_where_the_buyer_lives() -> None:
    def gift(one: Payload) -> None:
        one["extension_attributes"]["shipping_assignments"][0]["shipping"]["address"]["firstname"] = "Aivars"

    assert [place.label for place in body("order", gift).person.addresses] == ["billing"]


def test_a_guest_has_no_id_and_neither_has_who_was_deleted() -> None:
    def guest(one: Payload) -> None:
        one.update(customer_is_guest=1, customer_id=None, customer_firstname=None, customer_lastname=None)

    order = body("order", guest)
    assert order.customer is None
    assert (order.person.given_name, order.person.family_name) == ("Ilze", "Ozoliņa")
    assert body("order", lambda one: one.update(customer_id=None)).customer is None
    assert body("order", lambda one: one.update(customer_id=0)).customer is None


def test_a_configurable_product_and_a_bundle_are_counted_once() -> None:
    lines = body("order").lines
    assert [(line.line_id, line.sku, line.quantity, line.amount.amount) for line in lines] == [
        ("501", "TEE-M", 2, Decimal("42.3500")),
        ("503", "KIT", 1, Decimal("36.3000")),
    ]
    assert [(tax.rate, tax.amount) for line in lines for tax in line.taxes] == [(21, eur("7.35")), (21, eur("6.30"))]
    assert [(off.code, off.name, off.amount) for off in lines[0].discounts] == [("FIVE", "Five off", eur("5"))]


def test_an_order_adds_up_with_shipping_and_vouchers() -> None:
    """Vouchers were paid with: the vendor's grand total leaves them out, ours does not."""
    order = body("order")
    assert order.total == eur("83.7500")
    shipping = Decimal(order.attributes["shipping_incl_tax"])
    off = sum(discount.amount.amount for discount in order.discounts)
    assert [(one.name, one.amount) for one in order.discounts] == [("shipping discount", eur("1"))]
    assert abs(sum(line.amount.amount for line in order.lines) + shipping - off - order.total.amount) <= Decimal("0.06")
    assert [(tax.name, tax.rate, tax.amount, tax.included) for tax in order.taxes] == [("PVN", 21, eur("14.7"), True)]


def test_money_with_an_invoice_is_the_invoice_s_to_tell() -> None:
    assert [(one.tender, one.amount) for one in body("order").tenders] == [
        ("store_credit", eur("10")),
        ("gift_card", eur("4.6")),
    ]
    (tender,) = body("invoice").tenders
    assert (tender.tender, tender.amount, tender.reference) == ("stripe_payments", eur("69.15"), "T-77")
    without = body("order", lambda one: one.update(total_invoiced=0))
    assert (without.tenders[-1].tender, without.tenders[-1].amount) == ("stripe_payments", eur("69.15"))


def test_an_invoice_that_is_open_or_canceled_brought_no_money() -> None:
    assert body("invoice", lambda one: one.update(state=1)).tenders == ()
    assert body("invoice", lambda one: one.update(state=3)).tenders == ()


def test_dust_of_php_s_floats_is_no_money() -> None:
    assert body("order", lambda one: one.update(extension_attributes=[])).total.amount == Decimal("69.1500")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"total_paid": 0}, "pending"),
        ({"total_paid": 0, "state": "canceled"}, "failed"),
        ({"total_refunded": 5}, "part_refunded"),
        ({"total_refunded": 69.15}, "refunded"),
        ({"total_paid": 0, "grand_total": 0}, "paid"),
        ({"total_paid": 0, "payment": {"method": "card", "amount_authorized": 69.15}}, "authorised"),
    ],
)
def test_the_state_of_payment_follows_from_the_amounts(changes: Payload, status: str) -> None:
    assert body("order", lambda one: one.update(changes)).payment_status == status


def test_points_of_the_order_are_signed_entries_of_its_card() -> None:
    order = body("order")
    assert order.loyalty_number == "LC-0000042"
    assert [(one.external_id, one.movement, one.points) for one in order.loyalty] == [
        ("magento:100:earn", "earn", 69),
        ("magento:100:redeem", "redeem", -100),
    ]


def test_a_shipment_has_a_fulfilment_per_parcel_with_the_lines_of_the_order() -> None:
    settlement = body("shipment")
    assert isinstance(settlement, Settlement)
    assert settlement.order == "100"
    assert [(one.fulfilment_id, one.carrier, one.tracking_number, one.lines) for one in settlement.fulfilments] == [
        ("8-11", "DPD", "LV001", ("501", "503")),
        ("8-12", "omniva", "LV002", ("501", "503")),
    ]
    (bare,) = body("shipment", lambda one: one.update(tracks=[])).fulfilments
    assert (bare.fulfilment_id, bare.carrier, bare.at) == ("8", None, datetime(2026, 1, 16, 9, tzinfo=UTC))


def test_a_credit_memo_is_money_and_goods_that_went_back_each_once() -> None:
    settlement = body("creditmemo")
    (refund,) = settlement.refunds
    assert (refund.amount, refund.reason) == (eur("23.1750"), "too small")
    assert [(one.return_id, one.line, one.quantity) for one in settlement.returns] == [("9:501", "501", 1)]


def test_without_its_order_a_credit_memo_counts_what_has_a_price() -> None:
    returns = body("creditmemo", lambda one: one.pop("read_apart")).returns
    assert [(one.line, one.quantity) for one in returns] == [("501", 1)]


def test_a_canceled_credit_memo_did_nothing() -> None:
    settlement = body("creditmemo", lambda one: one.update(state=3))
    assert (settlement.refunds, settlement.returns) == ((), ())


def test_times_have_the_zone_that_the_settings_say() -> None:
    record = told("order", time_zone="Europe/Riga")
    assert isinstance(record, SourceRecord)
    assert isinstance(record.body, Order)
    assert record.body.placed_at == datetime(2026, 1, 15, 15, 30, tzinfo=UTC)
    assert record.changed_at == datetime(2026, 1, 16, 7, tzinfo=UTC)


def test_card_data_does_not_become_a_part_of_the_payload() -> None:
    order = payload("order")
    clean = without_card_data(orjson.dumps(order).decode())
    for trace in ("1111", "I OZOLINA", "0:3:AAAA", "VISA", "4111", "tok_1"):
        assert trace not in clean
    record = translate("order", clean, TERMS)
    assert isinstance(record, SourceRecord)
    assert record.body == body("order")


@pytest.mark.parametrize(
    ("object_", "change", "paths"),
    [
        ("customer", {"created_at": "yesterday", "id": None}, ["created_at", "id"]),
        ("customer", {"custom_attributes": [{"attribute_code": "loyalty_number", "value": "1"},
                                            {"attribute_code": "loyalty_points", "value": "many"}]}, ["balance"]),
        ("order", {"grand_total": "a lot", "order_currency_code": "euro"}, ["grand_total", "order_currency_code"]),
        ("order", {"items": [{"item_id": 1, "row_total": True}]}, ["items[0].row_total"]),
        ("order", {"created_at": None}, ["created_at"]),
        ("invoice", {"grand_total": "NaN"}, ["grand_total"]),
        ("creditmemo", {"order_id": None}, ["order_id"]),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place_and_without_its_value(
    object_: str, change: Payload, paths: list[str]
) -> None:
    refusal = told(object_, lambda one: one.update(change))
    assert isinstance(refusal, Refusal)
    assert sorted(reason.path for reason in refusal.reasons) == paths
    assert not any(word in reason.problem for reason in refusal.reasons for word in ("yesterday", "a lot", "many"))


@pytest.mark.parametrize("object_", OBJECTS)
def test_what_is_no_object_is_refused(object_: str) -> None:
    refusal = translate(object_, "{", TERMS)
    assert isinstance(refusal, Refusal)
    assert refusal.reasons == (Reason(path="", problem="expected JSON"),)
    assert isinstance(translate(object_, "[1]", TERMS), Refusal)


def test_a_fixed_tax_on_a_product_is_a_part_of_its_price() -> None:
    def disposal(one: Payload) -> None:
        one["items"][2]["weee_tax_applied_row_amount"] = 1.5

    before, after = body("order").lines[1], body("order", disposal).lines[1]
    assert after.amount.amount - before.amount.amount == Decimal("1.5")
    assert [(tax.name, tax.amount) for tax in after.taxes] == [(None, eur("6.30")), ("fixed product tax", eur("1.5"))]


def as_php_may(one: Any) -> Any:
    """The same payload as other versions and modules write it: nothing as null, numbers as text, tables as lists."""
    if isinstance(one, list):
        return {str(2 * at): as_php_may(value) for at, value in enumerate(one)} if one else one
    if isinstance(one, dict):
        return {name: as_php_may(value) for name, value in one.items()} | {"middlename_2": None, "fax": ""}
    return str(one) if isinstance(one, float) else one


@pytest.mark.parametrize("object_", OBJECTS)
def test_however_php_writes_a_payload_it_says_the_same(object_: str) -> None:
    plain, other = told(object_), told(object_, lambda one: one.update(as_php_may(dict(one))))
    assert isinstance(plain, SourceRecord)
    assert isinstance(other, SourceRecord), other
    assert other.body == plain.body
    assert (other.key, other.changed_at) == (plain.key, plain.changed_at)


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_text_says_nothing(empty: object) -> None:
    fields = ("prefix", "middlename", "suffix", "dob", "gender", "taxvat", "store_id", "email", "created_at")
    person = body("customer", lambda one: one.update(dict.fromkeys(fields, empty)))
    assert (person.title, person.middle_name, person.birth_date, person.store, person.created_at) == (None,) * 5
    assert not [point for point in person.contact_points if point.kind == "email"]
    assert body("customer", lambda one: one.update(created_at="0000-00-00 00:00:00")).created_at is None


def test_a_transaction_says_to_which_order_it_belongs_and_no_amount() -> None:
    record = told("transaction")
    assert isinstance(record, SourceRecord)
    assert record.body == Settlement(order="100")
    assert record.changed_at == datetime(2026, 1, 15, 17, 31, tzinfo=UTC)


def test_a_return_that_was_asked_for_is_an_event_and_no_goods() -> None:
    record = told("return")
    assert isinstance(record, SourceRecord)
    assert record.body == Event(
        event="return",
        at=datetime(2026, 1, 20, 8, 15, tzinfo=UTC),
        customer="42",
        order="100",
        channel="app",
        store="17",
        attributes={"number": "17000000004", "status": "authorized", "lines": "501: 1"},
    )
    assert body("return", lambda one: one.update(customer_id=0)).customer is None


def test_amounts_that_do_not_add_up_to_the_cent_are_told_as_they_are() -> None:
    """Shops round taxes by line, by unit or over the whole order: the total is theirs to say."""

    def a_cent_off(one: Payload) -> None:
        one.update(tax_amount=14.71, grand_total=69.16)
        one["extension_attributes"]["applied_taxes"][0]["amount"] = 14.71

    order, lines = body("order", a_cent_off), body("order").lines
    assert order.total == eur("83.76")
    assert [tax.amount for tax in order.taxes] == [eur("14.71")]
    assert order.lines == lines
