"""From what sources tell about people to one spelling per value."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from resolver import normal_forms, standard_form


@pytest.fixture
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def standardised(connection: duckdb.DuckDBPyConnection, **told: str | None) -> dict[str, Any]:
    connection.register("told", pa.table({name: pa.array([value], pa.string()) for name, value in told.items()}))
    standard_form.people(connection, "told", "person")
    row = connection.table("person").fetchall()[0]
    found = dict(zip(connection.table("person").columns, row, strict=True))
    connection.execute("drop table person")
    return found


def test_columns_that_a_source_lacks_count_as_never_told(scratch: duckdb.DuckDBPyConnection) -> None:
    person = standardised(scratch, record="1", family_name="Kelly")
    assert person["family_name"] == "kelly"
    assert person["email"] is None
    assert person["is_person"]


@pytest.mark.parametrize(
    ("full_name", "given", "middle", "family", "suffix"),
    [
        ("John A. Smith Jr.", "john", "a", "smith", "jr"),
        ("Smith, John", "john", None, "smith", None),
        ("Dr. Anna van der Berg", "anna", None, "van der berg", None),
        ("Sir John Starkey, 1st Baronet", "john", None, "starkey", None),
        ("Lord Byron", None, None, "byron", None),
        ("Mary O'Brien", "mary", None, "obrien", None),
        ("Юрий Гагарин", "yuriy", None, "gagarin", None),
    ],
)
def test_a_full_name_is_taken_apart(
    scratch: duckdb.DuckDBPyConnection, full_name: str, given: str, middle: str, family: str, suffix: str
) -> None:
    person = standardised(scratch, record="1", full_name=full_name)
    assert (person["given_name"], person["middle_name"], person["family_name"], person["name_suffix"]) == (
        given, middle, family, suffix)  # fmt: skip


def test_guest_guest_is_nobody_but_a_guest_with_an_address_is_somebody(scratch: duckdb.DuckDBPyConnection) -> None:
    nobody = standardised(scratch, record="1", given_name="Guest", family_name="Guest")
    somebody = standardised(scratch, record="1", given_name="Guest", family_name="Guest", email="ana@web.de")
    assert not nobody["is_person"]
    assert somebody["is_person"]
    assert somebody["given_name"] is None
    assert somebody["kept_out"] == ["name:placeholder"]


def test_companies_are_no_persons(scratch: duckdb.DuckDBPyConnection) -> None:
    company = standardised(scratch, record="1", full_name="Acme Widgets Ltd", email="info@acme.com")
    assert not company["is_person"]
    assert company["kept_out"] == ["name:company"]
    assert standardised(scratch, record="1", given_name="Yi", family_name="Sha")["is_person"]


def test_placeholders_are_kept_out_and_said_to_be(scratch: duckdb.DuckDBPyConnection) -> None:
    person = standardised(
        scratch, record="1", family_name="Kelly", email="noreply@shop.com", phone="0000000000", birth_date="1900-01-01"
    )
    assert (person["email"], person["phone_national"], person["birth_date"]) == (None, None, None)
    assert set(person["kept_out"]) == {"email:placeholder", "phone:placeholder", "birth_date:placeholder"}


@pytest.mark.parametrize(
    ("told", "number", "street"),
    [({"address_line": "12a North Main Street"}, "12a", "n main st"), ({"address_line": "Hauptstraße 12 a"}, "12a", "hauptstrasse"),
     ({"house_number": "7", "street": "Elm Road"}, "7", "elm rd")],
)  # fmt: skip
def test_house_numbers_stand_before_or_behind(
    scratch: duckdb.DuckDBPyConnection, told: dict[str, str], number: str, street: str
) -> None:
    person = standardised(scratch, record="1", **told)
    assert (person["house_number"], person["street"]) == (number, street)


@pytest.mark.parametrize("text", ["1990-05-23", "19900523", "23.05.1990", "1990-23-05", "23/05/1990"])
def test_birth_dates_of_all_shapes_are_one_date(scratch: duckdb.DuckDBPyConnection, text: str) -> None:
    assert str(standardised(scratch, record="1", birth_date=text)["birth_date"]) == "1990-05-23"


@pytest.mark.parametrize("text", ["6719074981", "671-907-4981", "0000000000", "123", "1234567890", "020 7946 0958"])
def test_phones_without_a_country_are_read_by_sql_as_by_the_pure_function(
    scratch: duckdb.DuckDBPyConnection, text: str
) -> None:
    person = standardised(scratch, record="1", phone=text)
    assert person["phone_national"] == normal_forms.phone(text, None).national
    assert person["phone"] is None


def test_emails_are_read_by_sql_as_by_the_pure_function(scratch: duckdb.DuckDBPyConnection) -> None:
    for text in ["J.Smith+x@Gmail.com", "noemail@noemail.com", " ana@web.de ", "a b@web.de", "ana@web", "ANA@WEB.DE"]:
        person = standardised(scratch, record="1", email=text)
        address = normal_forms.email(text)
        assert person["email"] == address, text
        assert person["mailbox"] == (normal_forms.mailbox(address) if address else None), text
