"""Money: as written, in one currency."""

import pytest
from pydantic import ValidationError

from models.orders import money


def test_an_amount_stays_as_it_was_written_whatever_was_written_before() -> None:
    for text in ("1.5", "1.50", "1.5000", "1.5"):
        assert money(text, "EUR").model_dump_json() == f'{{"amount":"{text}","currency":"EUR"}}'
    assert money("1.5", "EUR") == money("1.50", "EUR")


def test_the_same_amount_in_another_currency_is_other_money() -> None:
    assert money("1.50", "EUR") != money("1.50", "GBP")


@pytest.mark.parametrize(
    ("amount", "currency", "field"),
    [
        ("a lot", "EUR", "amount"),
        ("Infinity", "EUR", "amount"),
        ("1e13", "EUR", "amount"),
        ("-1e13", "EUR", "amount"),
        ("", "EUR", "amount"),
        ("1", "euro", "currency"),
    ],
)
def test_what_is_no_money_is_refused_by_field_each_time(amount: str, currency: str, field: str) -> None:
    for _ in range(2):
        with pytest.raises(ValidationError) as raised:
            money(amount, currency)
        assert [error["loc"] for error in raised.value.errors()] == [(field,)]
