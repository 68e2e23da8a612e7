"""One spelling for e-mails, phones and names."""

import random

import phonenumbers
import pytest

from resolver import normal_forms

COUNTRIES = ("US", "GB", "DE", "FR", "NL", "LV", "PL", "JP", "ES", "IT", "CA")


@pytest.mark.parametrize(
    ("text", "ascii_form"),
    [("Müller", "mueller"), ("Mueller", "mueller"), ("Łódź", "lodz"), ("Юрий", "yuriy"), ("Ōkubo", "okubo"),
     ("Weiß", "weiss"), ("José", "jose")],
)  # fmt: skip
def test_names_of_all_scripts_have_an_ascii_form(text: str, ascii_form: str) -> None:
    assert normal_forms.ascii_form(text) == ascii_form


@pytest.mark.parametrize(
    "text", ["noreply@shop.com", "NO-REPLY@shop.com", "nobody", "a@b", "none@none.com", "@x.de", ""]
)
def test_stand_ins_are_no_email_address(text: str) -> None:
    assert normal_forms.email(text) is None


def test_sub_addresses_and_gmail_dots_lead_to_one_mailbox() -> None:
    assert normal_forms.mailbox("j.smith+shop@gmail.com") == normal_forms.mailbox("jsmith@googlemail.com")
    assert normal_forms.mailbox("j.smith@web.de") != normal_forms.mailbox("jsmith@web.de")


@pytest.mark.parametrize("text", ["0000000000", "1111111111", "+49 1234567890", "12345", "0101010101"])
def test_placeholder_numbers_are_no_phone(text: str) -> None:
    assert normal_forms.phone(text, "DE") == normal_forms.NO_PHONE


def test_the_same_number_told_in_four_ways_is_one_number() -> None:
    told = ["020 7946 0958", "+44 20 7946 0958", "+44 (0)20 7946 0958", "02079460958"]
    assert {normal_forms.phone(text, "GB").e164 for text in told} == {"+442079460958"}


@pytest.mark.parametrize(
    ("number", "is_landline"),
    [("+493023456789", True), ("+491712345678", False), ("+33479408706", True), ("+12125550142", None)],
)
def test_a_landline_is_what_the_numbering_plan_keeps_for_them(number: str, is_landline: bool | None) -> None:
    assert normal_forms.is_landline(number) is is_landline


def test_plain_shapes_are_read_as_phonenumbers_reads_them() -> None:
    draw = random.Random(7)
    for country in COUNTRIES:
        plan = normal_forms.dialling_plan(country)
        assert plan is not None
        for _ in range(300):
            length = draw.choice(sorted(plan.lengths))
            text = draw.choice(["", plan.trunk]) + "".join(draw.choice("0123456789") for _ in range(length))
            plain = normal_forms._plain_phone(text, text, country)
            if plain is not None:
                assert plain.e164 == _parsed(text, country), (text, country)


def _parsed(text: str, country: str) -> str | None:
    number = phonenumbers.parse(text, country)
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def test_a_short_form_that_two_names_share_does_not_make_them_one() -> None:
    alexander, alexandra = (set(normal_forms.given_forms(name)) for name in ("alexander", "alexandra"))
    alex, bob, robert = (set(normal_forms.given_forms(name)) for name in ("alex", "bob", "robert"))
    assert not alexander & alexandra
    assert alex & alexander
    assert alex & alexandra
    assert bob & robert


@pytest.mark.parametrize(
    ("name", "sex"),
    [("alexander", "m"), ("alexandra", "f"), ("erica", "f"), ("kim", "x"), ("dvaid", None), ("m", None)],
)
def test_a_given_name_is_a_mans_or_a_womans_in_most_languages_or_either_or_unknown(name: str, sex: str | None) -> None:
    assert normal_forms.given_sex(name) == sex


def test_titles_and_company_words_are_not_peoples_names() -> None:
    assert {"dr", "mrs", "sir"} <= normal_forms.titles()
    assert "dean" not in normal_forms.titles()
    assert {"gmbh", "ltd", "inc"} <= normal_forms.company_words()
    assert "sha" not in normal_forms.company_words()
