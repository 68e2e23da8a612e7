"""What commercetools tells arrives in our words: nothing lost, nothing cleaned, nothing guessed."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from connectors.commercetools.reading import ShopFields
from connectors.commercetools.translate import translate
from models.consent import ConsentEvent
from models.engagement import Event
from models.landing import Other, Refusal, SourceRecord
from models.loyalty import LoyaltyMember, Tier
from models.orders import Money, Order, Settlement
from models.records import ContactPoint, Identifier, Person
from tests.connectors.commercetools.project import raw, resources

SHOP = ShopFields(brands={"linden-lv": "linden", "harbour-de": "harbour"})


def person(number: int, **changes: Any) -> Person:
    body = accepted("customer", resources("customers")[number] | changes).body
    assert isinstance(body, Person)
    return body


def order(number: int, **changes: Any) -> Order:
    body = accepted("order", resources("orders")[number] | changes).body
    assert isinstance(body, Order)
    return body


def settlement(number: int) -> Settlement:
    body = accepted("payment", resources("payments")[number]).body
    assert isinstance(body, Settlement)
    return body


def accepted(kind: str, resource: dict[str, Any]) -> SourceRecord:
    found = translate(kind, raw(resource), SHOP)
    assert isinstance(found, SourceRecord), found
    return found


def refused(kind: str, payload: object) -> Refusal:
    found = translate(kind, payload if isinstance(payload, str) else raw(payload), SHOP)
    assert isinstance(found, Refusal)
    return found


def paths(refusal: Refusal) -> list[str]:
    return [reason.path for reason in refusal.reasons]


def test_a_customer_keeps_names_title_birth_date_and_locale_as_told() -> None:
    told = person(0)
    names = (told.title, told.given_name, told.middle_name, told.family_name, told.organisation)
    assert names == ("Dr.", "Anna", "Marija", "Bērziņa", "Bērziņa Design")
    assert (told.birth_date, told.locale, told.store, told.brand) == ("1984-02-29", "lv-LV", "linden-lv", "linden")


def test_a_salutation_is_the_title_of_who_has_no_other() -> None:
    assert person(0, title=None).title == "Ms"
    assert person(0).attributes["salutation"] == "Ms"


def test_the_account_mail_says_whether_it_is_verified() -> None:
    first = person(0).contact_points[0]
    mail = "Anna.Berzina@example.lv"
    assert first == ContactPoint(kind="email", value=mail, label="account", primary=True, verified=True)
    assert person(1).contact_points[0].verified is False
    unsaid = {name: value for name, value in resources("customers")[1].items() if name != "isEmailVerified"}
    body = accepted("customer", unsaid).body
    assert isinstance(body, Person)
    assert body.contact_points[0].verified is None


def test_phones_of_other_people_in_the_address_book_are_not_the_customers() -> None:
    told = {point.value for point in person(0).contact_points if point.kind == "phone"}
    assert told == {"+371 67 000 000", "+371 20 000 001"}


def test_an_address_keeps_its_parts_and_which_one_is_preferred() -> None:
    billing, shipping = person(0).addresses
    assert (billing.label, billing.street, billing.house_number, billing.line2) == (
        *("billing", "Brīvības iela", "12"),
        "B, 4",
    )
    assert billing.primary
    assert (shipping.label, shipping.line1, shipping.line2, shipping.primary) == (
        *("shipping", "Jūras iela 5", "c/o Kalniņš"),
        False,
    )


def test_loyalty_in_custom_fields_is_a_member_and_an_identifier() -> None:
    told = person(0)
    assert told.loyalty == (LoyaltyMember(account="LC0000004564", tier=Tier(code="gold"), balance=1250),)
    assert Identifier(kind="loyalty_number", value="LC0000004564") in told.identifiers


def test_consents_in_custom_fields_name_the_contact_point_they_are_about() -> None:
    mail, sms, post = person(0).consents
    assert isinstance(mail, ConsentEvent)
    assert (mail.contact_point, mail.status, mail.proof) == ("Anna.Berzina@example.lv", "opt_in", "doi-1")
    assert (sms.contact_point, sms.channel, sms.status, sms.brand) == ("+371 20 000 001", "sms", "opt_out", "linden")
    assert (post.contact_point, post.status, post.at) == ("Brīvības iela 12 LV-1010 Rīga LV", "pending", None)


def test_custom_fields_without_a_word_of_ours_stay_as_attributes() -> None:
    told = person(0).attributes
    assert told["custom.favouriteColour"] == "green"
    assert told["custom.newsletterIssues"] == "12"
    assert told["stores"] == "linden-lv harbour-lv"


def test_custom_fields_are_read_by_the_names_that_the_shop_gave_them() -> None:
    custom = {"type": {"typeId": "type", "id": "t"}, "fields": {"card_no": "LC1", "loyaltyNumber": "other"}}
    found = translate(
        "customer", raw(resources("customers")[0] | {"custom": custom}), ShopFields(loyalty_number="card_no")
    )
    assert isinstance(found, SourceRecord)
    assert isinstance(found.body, Person)
    assert found.body.loyalty[0].account == "LC1"


def test_a_group_goes_by_its_key_once_the_reference_is_expanded() -> None:
    group = {"typeId": "customer-group", "id": "g", "obj": {"id": "g", "key": "vip", "name": "Very important"}}
    assert person(0, customerGroup=group).attributes["customer_group"] == "vip"


def test_the_total_is_lines_and_shipping_less_discounts_plus_taxes_on_top() -> None:
    for number in range(3):
        told = order(number)
        zero = Decimal(0)
        lines = sum((line.amount.amount for line in told.lines), zero)
        on_top = sum((tax.amount.amount for tax in told.taxes if not tax.included), zero)
        off = sum((discount.amount.amount for discount in told.discounts), zero)
        shipping = Decimal(told.attributes.get("shipping_amount", "0"))
        assert lines + shipping - off + on_top == told.total.amount


def test_a_line_is_its_unit_price_less_its_discounts() -> None:
    coat = order(0).lines[0]
    assert coat.unit_price is not None
    off = sum((discount.amount.amount for discount in coat.discounts), Decimal(0))
    assert (len(coat.discounts), off) == (2, Decimal("20.00"))
    assert coat.unit_price.amount * coat.quantity - off == coat.amount.amount
    assert (coat.sku, coat.name) == ("SKU-1", "Lietusmētelis")


def test_a_custom_line_is_a_line() -> None:
    wrap = order(0).lines[1]
    assert (wrap.line_id, wrap.sku, wrap.name, wrap.amount.amount) == ("c1", "gift-wrap", "Gift wrap", Decimal("4.20"))


def test_yen_have_no_fraction() -> None:
    assert order(1).total == Money(amount=Decimal(5940), currency="JPY")


def test_precise_prices_keep_all_their_digits() -> None:
    assert order(2).lines[0].unit_price == Money(amount=Decimal("0.123456"), currency="USD")


def test_a_guest_is_a_person_without_customer() -> None:
    told = order(1)
    assert told.customer is None
    assert told.person is not None
    assert (told.person.given_name, told.person.family_name) == ("Taro", "Sato")
    assert {point.value for point in told.person.contact_points} == {"taro@example.jp", "03-0000-0001"}
    assert told.person.identifiers == (Identifier(kind="anonymous_id", value="visitor-9"),)
    assert told.person.addresses[0].region == "Tokyo"


def test_a_guest_may_be_nothing_but_an_address_of_mail() -> None:
    told = order(2, shipping=[]).person
    assert told is not None
    assert [point.value for point in told.contact_points] == ["guest@example.com"]
    assert (told.given_name, told.addresses) == (None, ())


def test_parcels_bring_carrier_tracking_number_and_lines() -> None:
    first, second = order(0).fulfilments
    assert (first.carrier, first.tracking_number, first.lines) == ("Omniva", "OM123LV", ("l1",))
    assert (second.tracking_number, second.lines, second.status) == ("OM124LV", ("l1", "c1"), "Delivered")


def test_returns_and_payments_of_an_order_are_named() -> None:
    told = order(0)
    (back,) = told.returns
    assert (back.line, back.quantity, back.state, back.reason) == ("l1", Decimal(1), "Returned", "too small")
    assert told.settlements == tuple(payment["id"] for payment in resources("payments")[:2])
    assert told.payment_status == "paid"


def test_points_of_an_order_are_entries_of_their_own() -> None:
    earned, spent = order(0).loyalty
    number = resources("orders")[0]["id"]
    assert (earned.external_id, earned.points) == (f"commercetools:{number}:earn", 80)
    assert (spent.external_id, spent.points, spent.movement) == (f"commercetools:{number}:redeem", -500, "redeem")


def test_an_imported_order_was_placed_when_it_was_completed() -> None:
    assert order(2).placed_at.isoformat() == "2025-12-24T18:00:00+00:00"


def test_the_channel_is_what_the_shop_says_else_follows_from_the_origin() -> None:
    assert [order(number).channel for number in range(3)] == ["app", "web", "phone"]


def test_a_cart_is_what_its_owner_did_last() -> None:
    filled, ordered, visited = (accepted("cart", each).body for each in resources("carts"))
    assert isinstance(filled, Event)
    assert (filled.event, filled.customer, filled.store) == ("cart", resources("customers")[0]["id"], "linden-lv")
    assert (filled.channel, filled.at.isoformat()) == ("app", "2026-03-01T11:05:00.250000+00:00")
    assert {
        "state": "Active",
        "skus": "SKU-1",
        "brand": "linden",
        "currency": "EUR",
    }.items() <= filled.attributes.items()
    assert isinstance(ordered, Event)
    assert ordered.event == "checkout"
    assert isinstance(visited, Event)
    assert (visited.customer, visited.anonymous) == (None, "visitor-9")


def test_custom_fields_of_a_cart_are_kept() -> None:
    body = accepted("cart", resources("carts")[0]).body
    assert isinstance(body, Event)
    assert body.attributes["loyalty_number"] == "LC0000004564"
    assert (body.attributes["custom.giftNote"], body.attributes["custom.wrapped"]) == ("Daudz laimes", "true")


def test_stores_and_groups_tell_the_names_behind_keys_and_ids() -> None:
    told = resources("stores")[0] | {"name": {"de": "Linde", "en": "Linden"}, "countries": [{"code": "LV"}]}
    store = accepted("store", told).body
    assert store == Other(
        what="store", code="linden-lv", name="Linden", attributes={"brand": "linden", "countries": "LV"}
    )
    assert accepted("store", told | {"name": None}).body.kind == "other"
    group = accepted("customer_group", resources("customer-groups")[0]).body
    assert group == Other(what="customer-group", code="vip", name="Very important")


def test_coins_of_each_currency_are_as_small_as_told() -> None:
    for currency, digits, amount in (("KRW", 0, "5940"), ("EUR", 2, "59.40"), ("KWD", 3, "5.940")):
        money = {"type": "centPrecision", "currencyCode": currency, "centAmount": 5940, "fractionDigits": digits}
        told = order(1, totalPrice=money, taxedPrice=None, lineItems=[], customLineItems=[], shippingInfo=None)
        assert (str(told.total.amount), told.total.currency) == (amount, currency)


def test_a_mailbox_keeps_its_case_and_belongs_to_both_who_share_it_in_two_stores() -> None:
    told = [person(number) for number in range(len(resources("customers")))]
    mails = [each.contact_points[0].value for each in told]
    assert len({mail.lower() for mail in mails}) < len(set(mails)) == len(mails)
    assert len({each.store for each in told if each.contact_points[0].value.lower() == "familie.kruse@example.de"}) == 2


def test_only_successful_transactions_moved_money() -> None:
    card, voucher, pending = settlement(0), settlement(1), settlement(2)
    assert [(tender.tender, str(tender.amount.amount)) for tender in card.tenders] == [("CREDIT_CARD", "70.10")]
    assert [(back.refund_id, str(back.amount.amount)) for back in card.refunds] == [("t3", "40.00")]
    assert [back.reason for back in voucher.refunds] == ["chargeback"]
    assert (pending.tenders, pending.refunds) == ((), ())


def test_a_new_version_without_news_has_the_same_body() -> None:
    before = resources("payments")[0]
    after = before | {"version": 99, "lastModifiedAt": "2026-05-05T05:05:05.005Z"}
    assert accepted("payment", before).body == accepted("payment", after).body


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"email": None}, "email"),
        ({"lastModifiedAt": 1_700_000_000}, "lastModifiedAt"),
        ({"createdAt": "2026-01-01T00:00:00"}, "createdAt"),
        ({"id": " "}, "id"),
        ({"addresses": {"street": "x"}}, "addresses"),
        ({"custom": {"fields": {"loyaltyPoints": "many"}}}, "custom.fields.loyaltyPoints"),
        ({"custom": {"fields": {"consents": ["yes"]}}}, "custom.fields.consents[0]"),
        ({"custom": {"fields": {"consents": ['{"channel":"smoke"}']}}}, "custom.fields.consents[0].channel"),
    ],
)
def test_a_bad_customer_is_refused_at_the_field(change: dict[str, Any], where: str) -> None:
    assert where in paths(refused("customer", resources("customers")[0] | change))


@pytest.mark.parametrize(("entry", "where"), [("9" * 30, ""), ('{"channel":' + "9" * 30 + "}", ".channel")])
def test_a_number_of_any_length_is_refused_where_a_consent_should_stand(entry: str, where: str) -> None:
    told = raw(resources("customers")[0] | {"custom": {"fields": {"consents": ["here"]}}})
    assert f"custom.fields.consents[0]{where}" in paths(refused("customer", told.replace('"here"', entry)))


def test_a_bad_order_is_refused_at_the_field() -> None:
    bad = deepcopy(resources("orders")[0])
    bad["lineItems"][0]["totalPrice"]["centAmount"] = "a lot"
    bad["lineItems"][0]["price"]["value"] = {"type": "highPrecision", "currencyCode": "EUR", "fractionDigits": 4}
    bad["totalPrice"].pop("fractionDigits")
    assert set(paths(refused("order", bad))) == {
        "lineItems[0].totalPrice.centAmount",
        "lineItems[0].price.value.preciseAmount",
        "totalPrice.fractionDigits",
    }


def test_two_currencies_in_one_order_are_refused() -> None:
    bad = deepcopy(resources("orders")[0])
    bad["lineItems"][0]["totalPrice"]["currencyCode"] = "USD"
    assert paths(refused("order", bad)) == ["lineItems[0].totalPrice.currencyCode"]
    sent = next(deepcopy(one) for one in resources("orders") if one["shipping"])
    sent["shipping"][-1]["shippingInfo"]["price"]["currencyCode"] = "XTS"
    assert paths(refused("order", sent)) == [f"shipping[{len(sent['shipping']) - 1}].shippingInfo.price.currencyCode"]


def test_reasons_never_carry_values() -> None:
    bad = resources("customers")[0] | {"email": ["secret@example.com"], "dateOfBirth": {"day": "secret"}}
    told = refused("customer", bad)
    assert told.source_id == bad["id"]
    assert "secret" not in "".join(reason.problem + reason.path for reason in told.reasons)


@pytest.mark.parametrize("payload", ["", "null", "[]", "{", '"text"', "{}", '{"id": {}}'])
def test_what_is_no_resource_is_refused_without_an_id(payload: str) -> None:
    assert refused("payment", payload).source_id is None


def test_an_unknown_object_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="customer, order, payment"):
        translate("product", "{}", SHOP)
