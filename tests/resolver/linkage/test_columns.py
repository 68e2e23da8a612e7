"""Columns are recognised by their usual names."""

import pytest

from resolver.linkage.columns import UnknownField, understood


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        (["id", "first_name", "surname", "dob", "city", "email"],
         {"record", "given_name", "family_name", "birth_date", "city", "email"}),
        (["rec_id", "given_name", "surname", "street_number", "address_1", "suburb", "postcode", "state", "date_of_birth", "soc_sec_id"],
         {"record", "given_name", "family_name", "house_number", "address_line", "city", "postcode", "region", "birth_date", "national_id"}),
        (["Customer ID", "FirstName", "LastName", "ZIP Code", "E-Mail", "customerPhoneNumber", "Gender", "middleInitial"],
         {"record", "given_name", "family_name", "postcode", "email", "phone", "sex", "middle_name"}),
        (["name", "birth year", "work_email", "postcode_2019"], {"full_name", "birth_year", "email", "postcode"}),
    ],
)  # fmt: skip
def test_usual_spellings_are_understood(columns: list[str], fields: set[str]) -> None:
    assert set(understood(columns).fields) == fields


def test_a_birth_place_is_compared_and_is_no_city() -> None:
    found = understood(["id", "name", "birth_place", "occupation", "notes"])
    assert "city" not in found.fields
    assert found.others == ("birth_place", "occupation")
    assert found.unused == ("notes",)


def test_a_mapping_overrides_and_mistakes_are_named() -> None:
    assert understood(["a", "b"], [("a", "family_name")]).fields == {"family_name": "a"}
    with pytest.raises(UnknownField, match="no field 'surname'"):
        understood(["a"], [("a", "surname")])
    with pytest.raises(UnknownField, match="no column 'z'"):
        understood(["a"], also=["z"])


@pytest.mark.parametrize(
    ("wanted", "also", "twice"),
    [
        ([("a", "email"), ("b", "email")], [], "field 'email'"),
        ([("a", "email"), ("a", "record")], [], "column 'a'"),
        ([("a", "email")], ["a"], "column 'a'"),
        ([], ["b", "b"], "column 'b'"),
    ],
)
def test_nothing_is_mapped_twice(wanted: list[tuple[str, str]], also: list[str], twice: str) -> None:
    with pytest.raises(UnknownField, match=f"the {twice} is named twice"):
        understood(["a", "b"], wanted, also)
