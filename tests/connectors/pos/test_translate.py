"""From a receipt to an order: what is no purchase, signs, voids, times, totals, people, points."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.pos.terms import Terms
from models.consent import ConsentEvent
from models.loyalty import LoyaltyMember
from tests.connectors.pos.tills import ONE_LINE, SALE, TERMS, order, refusal, transaction, unposted

LOYALTY = (
    "<LoyaltyAccount><LoyaltyCard><PrimaryAccountNumber>LC-1</PrimaryAccountNumber></LoyaltyCard>{}</LoyaltyAccount>"
)
VOID = (
    "<TransactionLink><RetailStoreID>7</RetailStoreID><WorkstationID>2</WorkstationID>{}"
    "<SequenceNumber>0030</SequenceNumber></TransactionLink>"
)
POINTS = '<Points Type="PointsEarned">12</Points><Points Type="PointsRedeemed">5</Points>'


def line(quantity: str, amount: str, number: int = 1, *, element: str = "Sale", more: str = "", flags: str = "") -> str:
    return (
        f"<LineItem{flags}><SequenceNumber>{number}</SequenceNumber><{element}><ItemID>A</ItemID>"
        f"<ExtendedAmount>{amount}</ExtendedAmount><Quantity>{quantity}</Quantity>{more}</{element}></LineItem>"
    )


def customer(inside: str, flags: str = "") -> str:
    return ONE_LINE + f"<Customer{flags}>{inside}</Customer>"


@pytest.mark.parametrize(
    "status", ["Canceled", "Voided", "TransactionVoided", "Suspended", "vx:Suspended", "CANCELLED"]
)
def test_what_was_never_paid_is_no_purchase(status: str) -> None:
    assert unposted(transaction(status=status)) in ("Canceled", "Voided", "Suspended")


def test_training_and_drawers_are_no_purchases() -> None:
    assert unposted(transaction(TrainingModeFlag="true")) == "training"
    assert unposted(transaction(CancelFlag="true")) == "Canceled"
    assert unposted("<Transaction><ControlTransaction/></Transaction>") == "ControlTransaction"


@pytest.mark.parametrize("status", ["Finished", "Returned", "Tendered", "Totaled", "Resumed", "SuspendedRetrieved"])
def test_every_other_status_is_a_purchase_in_its_own_word(status: str) -> None:
    assert order(transaction(status=status)).status == status


def test_a_status_that_is_not_told_is_not_made_up() -> None:
    assert order(transaction()).status == "not stated"


@pytest.mark.parametrize(
    "goods",
    [
        line("1", "4.00", element="Return"),
        line("-1", "4.00"),
        line("1", "-4.00"),
        line("-1", "-4.00", element="Return"),
    ],
)
@pytest.mark.parametrize("total", ["4.00", "-4.00"])
def test_a_return_is_negative_in_all_ways_of_writing_it(goods: str, total: str) -> None:
    told = order(transaction(goods, total=total))
    assert told.transaction == "return"
    assert (told.lines[0].quantity, told.lines[0].amount.amount) == (Decimal("-1"), Decimal("-4.00"))
    assert told.total.amount == Decimal("-4.00")


def test_goods_that_go_both_ways_are_an_exchange_with_the_total_of_the_till() -> None:
    told = order(transaction(line("1", "4.00", element="Return") + line("1", "9.00", 2), total="5.00"))
    assert told.transaction == "exchange"
    assert told.total.amount == Decimal("5.00")
    back = order(transaction(line("1", "9.00", element="Return") + line("1", "4.00", 2), total="5.00"))
    assert back.total.amount == Decimal("-5.00")


def test_a_voided_line_takes_the_line_that_it_names_with_it() -> None:
    void = line("1", "4.00", 2, more="<ItemLink>1</ItemLink>", flags=' VoidFlag="true"')
    told = order(transaction(line("1", "4.00") + void + line("1", "9.00", 3), total="9.00"))
    assert [one.line_id for one in told.lines] == ["3"]
    assert told.attributes["voided_lines"] == "1,2"


def test_a_link_on_a_good_line_voids_nothing() -> None:
    told = order(transaction(line("1", "4.00") + line("1", "0.25", 2, more="<ItemLink>1</ItemLink>"), total="4.25"))
    assert len(told.lines) == 2


@pytest.mark.parametrize("name", ["SaleForDelivery", "SaleForPickup"])
def test_goods_that_are_sent_or_collected_later_are_goods(name: str) -> None:
    assert [one.line_id for one in order(transaction(line("1", "10.00", element=name))).lines] == ["1"]


@pytest.mark.parametrize("name", ["SalesPersonID", "SaleAssociate", "ReturnReason"])
def test_what_a_vendor_puts_beside_the_goods_is_none(name: str) -> None:
    goods = ONE_LINE.replace("<Sale>", f"<{name}>7</{name}><Sale>")
    assert [one.sku for one in order(transaction(goods)).lines] == ["A"]


def test_a_voided_payment_is_no_payment() -> None:
    tender = '<LineItem{}><Tender TenderType="Cash"><Amount>10.00</Amount></Tender></LineItem>'
    told = order(transaction(ONE_LINE + tender.format(' VoidFlag="true"') + tender.format("")))
    assert [(one.tender, str(one.amount.amount)) for one in told.tenders] == [("Cash", "10.00")]


def test_a_void_after_the_sale_names_the_receipt_that_it_reverses() -> None:
    link = VOID.format("<BusinessDayDate>2026-03-13</BusinessDayDate>")
    told = order(transaction(ONE_LINE + link, status="PostVoided"))
    assert (told.transaction, told.reverses) == ("void", "7-2-2026-03-13-0030")
    same_day = order(transaction(ONE_LINE + VOID.format(""), status="PostVoided"))
    assert same_day.reverses == "7-2-2026-03-14-0030"


def test_a_void_without_a_link_reverses_the_receipt_of_its_own_key() -> None:
    told = order(transaction(status="PostVoided"))
    assert told.reverses == told.number == "7-2-2026-03-14-0031"


def test_the_key_keeps_zeros_and_holds_the_business_day() -> None:
    assert order(transaction(head={"RetailStoreID": "0007"})).number == "0007-2-2026-03-14-0031"


def test_the_store_is_the_unit_that_says_so() -> None:
    units = (
        '<BusinessUnit><UnitID>9</UnitID></BusinessUnit><BusinessUnit><UnitID TypeCode="{}">5</UnitID></BusinessUnit>'
    )
    for kind, store in (("RetailStore", "5"), ("XX:Country", "9")):
        raw = transaction(head={"RetailStoreID": ""}).replace("<WorkstationID>", units.format(kind) + "<WorkstationID>")
        assert order(raw).store == store


def test_a_time_without_a_zone_is_the_stores_and_never_utc() -> None:
    terms = Terms(default_zone="Europe/London", store_zones={"7": "Asia/Tokyo"})
    raw = transaction(head={"EndDateTime": "2026-07-14T14:00:00"})
    assert order(raw, TERMS).placed_at == datetime(2026, 7, 14, 13, tzinfo=UTC)
    assert order(raw, terms).placed_at == datetime(2026, 7, 14, 5, tzinfo=UTC)


def test_a_time_with_a_zone_keeps_it() -> None:
    raw = transaction(head={"EndDateTime": "2026-07-14T14:00:00.5+09:00"})
    assert order(raw).placed_at == datetime(2026, 7, 14, 5, 0, 0, 500_000, tzinfo=UTC)


def test_of_the_hour_that_comes_twice_the_first_is_meant() -> None:
    raw = transaction(head={"EndDateTime": "2026-10-25T01:30:00"})
    assert order(raw).placed_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_missing_business_day_is_the_day_on_the_stores_calendar() -> None:
    raw = transaction(head={"BusinessDayDate": "", "EndDateTime": "2026-03-14T20:00:00Z"})
    told = order(raw, Terms(default_zone="Asia/Tokyo"))
    assert told.business_day == date(2026, 3, 15)
    assert told.attributes["business_day_from"] == "time"


def test_a_receipt_without_a_time_is_placed_at_the_start_of_its_day() -> None:
    told = order(transaction(head={"EndDateTime": ""}), Terms(default_zone="Europe/Berlin"))
    assert told.placed_at == datetime(2026, 3, 13, 23, tzinfo=UTC)
    assert told.attributes["time_from"] == "business_day"


@pytest.mark.parametrize(
    ("head", "path"),
    [
        ({"RetailStoreID": ""}, "store"),
        ({"WorkstationID": ""}, "till"),
        ({"SequenceNumber": ""}, "sequence"),
        ({"BusinessDayDate": "14.03.2026"}, "business_day"),
        ({"BusinessDayDate": "2026-02-30"}, "business_day"),
        ({"BusinessDayDate": "9999-12-31", "EndDateTime": ""}, "business_day"),
        ({"EndDateTime": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"RetailStoreID": "7\nforged"}, "store"),
        ({"BusinessDayDate": "", "EndDateTime": ""}, "business_day"),
        ({"EndDateTime": "14/03/2026 12:00"}, "at"),
        ({"EndDateTime": "2026-03-14T25:00:00"}, "at"),
        ({"CurrencyCode": "pounds"}, "currency"),
        ({"CurrencyCode": ""}, "currency"),
    ],
)
def test_what_a_receipt_cannot_do_without_is_a_reason_with_its_path(head: dict[str, str], path: str) -> None:
    told = refusal(transaction(head=head))
    assert [reason.path for reason in told.reasons] == [path]


@pytest.mark.parametrize("number", ["abc", "1e5", "NaN", "Infinity", "1,50", "9" * 40, "٣"])
def test_a_number_that_is_none_is_a_reason_without_the_value(number: str) -> None:
    told = refusal(transaction(line(number, "4.00")))
    assert [reason.path for reason in told.reasons] == ["lines[0].quantity"]
    assert number not in told.reasons[0].problem
    assert told.source_id == "7-2-2026-03-14-0031"


def test_prices_whose_product_is_no_price_are_refused() -> None:
    price = "<ActualSalesUnitPrice>9999999999</ActualSalesUnitPrice><Quantity>9999999999</Quantity>"
    told = refusal(transaction(SALE.format(price)))
    assert [reason.path for reason in told.reasons] == ["amount"]
    assert told.source_id == "7-2-2026-03-14-0031"


def test_every_reason_is_told_at_once() -> None:
    told = refusal(transaction(line("x", "y"), total="z", head={"RetailStoreID": ""}))
    assert {reason.path for reason in told.reasons} == {"store", "total", "lines[0].quantity", "lines[0].amount"}


def test_a_line_without_an_amount_is_price_times_quantity() -> None:
    goods = SALE.format("<ActualSalesUnitPrice>2.50</ActualSalesUnitPrice><Quantity>3</Quantity>")
    assert order(transaction(goods)).lines[0].amount.amount == Decimal("7.50")
    assert refusal(transaction(SALE.format(""))).reasons[0].path == "lines[0].amount"


def test_the_total_of_the_till_stands_and_the_difference_is_kept() -> None:
    told = order(transaction(total="8.50"))
    assert told.total.amount == Decimal("8.50")
    assert (told.attributes["line_sum"], told.attributes["line_difference"]) == ("10.00", "-1.50")


def test_without_a_grand_total_what_was_paid_is_the_total() -> None:
    paid = (
        '<LineItem><Tender TenderType="Cash"><Amount>20.00</Amount><TenderChange><Amount>11.00</Amount></TenderChange>'
        "</Tender></LineItem>"
    )
    told = order(transaction(ONE_LINE + paid, total=None))
    assert (told.total.amount, told.attributes["total_from"]) == (Decimal("9.00"), "tenders")
    net = '<Total TotalType="TransactionNetAmount">8.00</Total><Total TotalType="TransactionTaxAmount">1.00</Total>'
    assert order(transaction(ONE_LINE + net, total=None)).total.amount == Decimal("9.00")
    assert order(transaction(total=None)).attributes["total_from"] == "lines"


def test_no_currency_is_told_as_xxx_and_none_is_made_up() -> None:
    goods = ONE_LINE.replace("<ExtendedAmount>", '<ExtendedAmount Currency="XXX">')
    assert refusal(transaction(goods, head={"CurrencyCode": ""})).reasons[0].path == "currency"
    euros = ONE_LINE.replace("<ExtendedAmount>", '<ExtendedAmount Currency="EUR">')
    assert order(transaction(euros, head={"CurrencyCode": ""})).currency == "EUR"
    terms = Terms(default_zone="UTC", default_currency="SEK")
    assert order(transaction(head={"CurrencyCode": ""}), terms).currency == "SEK"


def test_an_amount_in_another_currency_keeps_it_and_is_not_added() -> None:
    euros = line("1", "9.00", 2).replace("<ExtendedAmount>", '<ExtendedAmount Currency="EUR">')
    told = order(transaction(ONE_LINE + euros))
    assert told.lines[1].amount.currency == "EUR"
    assert told.attributes["line_sum"] == "10.00"


def test_discounts_rewards_and_taxes_are_kept() -> None:
    body = (
        line(
            "1",
            "8.00",
            more="<RetailPriceModifier><Amount>2.00</Amount><PromotionID>P1</PromotionID></RetailPriceModifier>",
        )
        + "<LineItem><Discount><Amount>1.00</Amount><PromotionID>P2</PromotionID></Discount></LineItem>"
        + '<LineItem><Tax TaxType="VAT"><Amount>1.17</Amount><Percent>20</Percent></Tax></LineItem>'
    )
    told = order(transaction(body, total="7.00"))
    assert [(one.code, str(one.amount.amount)) for one in told.lines[0].discounts] == [("P1", "2.00")]
    assert [(one.code, str(one.amount.amount)) for one in told.discounts] == [("P2", "1.00")]
    assert [(one.name, str(one.rate), str(one.amount.amount), one.included) for one in told.taxes] == [
        ("VAT", "20", "1.17", True)
    ]


def test_tax_on_top_of_the_lines_is_not_included() -> None:
    told = order(transaction(ONE_LINE + "<LineItem><Tax><Amount>0.80</Amount></Tax></LineItem>", total="10.80"))
    assert not told.taxes[0].included


def test_schema_defaults_are_never_applied() -> None:
    person = order(
        transaction(
            customer("<CustomerID>C1</CustomerID><TelephoneNumber><LocalNumber>1</LocalNumber></TelephoneNumber>")
        )
    ).person
    assert person is not None
    assert person.sex is None
    assert person.contact_points[0].label is None
    assert not person.contact_points[0].primary


def test_a_customer_who_was_taken_away_again_did_not_buy() -> None:
    gone = "<CustomerID>C9</CustomerID>"
    for flags in (' CancelFlag="true"', ' Action="Remove"', ' Action="vx:Delete"'):
        assert order(transaction(customer(gone, flags))).person is None


def test_of_several_customers_the_last_who_stayed_bought() -> None:
    body = customer("<CustomerID>C1</CustomerID>") + "<Customer><CustomerID>C2</CustomerID></Customer>"
    body += '<Customer CancelFlag="true"><CustomerID>C3</CustomerID></Customer>'
    person = order(transaction(body)).person
    assert person is not None
    assert [one.value for one in person.identifiers] == ["C2"]


def test_the_account_of_a_customer_who_was_taken_away_goes_with_them() -> None:
    account = LOYALTY.format("<CustomerID>C9</CustomerID>")
    told = order(transaction(customer("<CustomerID>C9</CustomerID>", ' CancelFlag="true"') + account))
    assert (told.person, told.loyalty_number) == (None, None)


def test_a_customer_who_was_merged_at_the_till_says_so() -> None:
    person = order(transaction(customer("<CustomerID>C1</CustomerID>", ' Action="Merge"'))).person
    assert person is not None
    assert person.attributes["customer_action"] == "Merge"


def test_numbers_of_zeros_only_are_none() -> None:
    zeros = LOYALTY.format("").replace("LC-1", "0000000000")
    told = order(transaction(customer("<CustomerID>000000</CustomerID>") + zeros))
    assert told.loyalty_number is None
    assert told.person is not None
    assert told.person.identifiers == ()


def test_a_card_alone_is_a_person_and_an_account() -> None:
    told = order(transaction(ONE_LINE + LOYALTY.format("")))
    assert told.loyalty_number == "LC-1"
    assert told.customer is None
    assert told.person is not None
    assert [(one.kind, one.value) for one in told.person.identifiers] == [("loyalty_number", "LC-1")]
    assert told.person.loyalty == (LoyaltyMember(account="LC-1"),)


def test_nobody_captured_is_nobody() -> None:
    assert order(transaction()).person is None


def test_an_opt_out_at_the_till_covers_every_way_to_reach_the_person() -> None:
    contacts = "<EMail>a@example.com</EMail><TelephoneNumber><LocalNumber>07</LocalNumber></TelephoneNumber>"
    told = order(transaction(customer(f"{contacts}<PrivacyOptOut>true</PrivacyOptOut>")))
    assert told.person is not None
    expected = [("a@example.com", "email"), ("07", "phone"), ("07", "sms")]
    assert [(one.contact_point, one.channel) for one in told.person.consents] == expected
    assert {(one.status, one.at) for one in told.person.consents} == {("opt_out", told.placed_at)}


def test_no_opt_out_is_no_consent() -> None:
    told = order(transaction(customer("<EMail>a@example.com</EMail><PrivacyOptOut>false</PrivacyOptOut>")))
    consents: tuple[ConsentEvent, ...] = told.person.consents if told.person else ()
    assert consents == ()


def test_points_are_entries_that_add_and_take() -> None:
    points = f'<LoyaltyProgramID>club</LoyaltyProgramID>{POINTS}<Points Type="EndingBalance">99</Points>'
    told = order(transaction(ONE_LINE + LOYALTY.format(points)), Terms(default_zone="UTC", programmes={"club": "main"}))
    assert [(one.external_id, one.movement, one.points) for one in told.loyalty] == [
        ("pos:7-2-2026-03-14-0031:earn", "earn", 12),
        ("pos:7-2-2026-03-14-0031:redeem", "redeem", -5),
    ]
    assert told.person is not None
    assert told.person.loyalty == (LoyaltyMember(account="LC-1", programme="main", balance=99),)


def test_points_of_returned_goods_are_taken_back_whatever_their_sign() -> None:
    for points in ("12", "-12"):
        account = LOYALTY.format(f'<Points Type="PointsEarned">{points}</Points>')
        told = order(transaction(line("1", "4.00", element="Return") + account, total="4.00"))
        assert [(one.movement, one.points) for one in told.loyalty] == [("reverse_earn", -12)]


def test_points_of_a_void_name_the_entries_that_they_take_back() -> None:
    account = LOYALTY.format(POINTS)
    told = order(transaction(ONE_LINE + account + VOID.format(""), status="PostVoided"))
    assert [(one.movement, one.points, one.reverses) for one in told.loyalty] == [
        ("reverse_earn", -12, "pos:7-2-2026-03-14-0030:earn"),
        ("reverse_redeem", 5, "pos:7-2-2026-03-14-0030:redeem"),
    ]
    itself = order(transaction(ONE_LINE + account, status="PostVoided"))
    assert itself.loyalty[0].external_id != itself.loyalty[0].reverses == "pos:7-2-2026-03-14-0031:earn"


def test_points_that_are_no_whole_number_are_refused() -> None:
    account = LOYALTY.format('<Points Type="PointsEarned">many</Points>')
    assert refusal(transaction(ONE_LINE + account)).reasons[0].path == "points[0].points"


def test_a_zone_that_does_not_exist_is_refused_with_its_setting() -> None:
    with pytest.raises(ValueError, match="default_zone"):
        Terms(default_zone="Europe/Londn")
    with pytest.raises(ValueError, match="store_zones"):
        Terms(default_zone="UTC", store_zones={"1": "../../etc/passwd"})
