"""One person told under two names, and two people under one roof: judged by the shipped model."""

import polars as pl
import pytest

from resolver.linkage import link

Name = dict[str, str]
HOME = {"street": "Lindenstraße", "house_number": "14", "postcode": "50674", "city": "Köln", "country": "DE",
        "birth_date": "1981-02-11"}  # fmt: skip


def one_person(left: Name, right: Name, **both: str) -> bool:
    """Whether two records that agree in `both`, the birth date and the address are linked."""
    rows = [{"given_name": None, "family_name": None, "full_name": None, "name_suffix": None,
             **HOME, **both, **name, "id": i} for i, name in enumerate((left, right))]  # fmt: skip
    [one, other] = link(pl.DataFrame(rows, infer_schema_length=None)).clusters["cluster"].to_pylist()
    return bool(one == other)


def name(given: str, family: str = "Brandtner") -> Name:
    return {"given_name": given, "family_name": family}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (name("Elizabeth"), name("Liz")),
        (name("Katrin"), name("K.")),
        (name("Katrin"), name("Brandtner", "Katrin")),
        (name("Katrin"), {"full_name": "Brandtner, Dr. Katrin"}),
        (name("Jürgen", "Müller"), name("Juergen", "Mueller")),
        (name("Γιώργος", "Παπαδόπουλος"), name("Giorgos", "Papadopoulos")),
        (name("Catherine"), name("Kathryn")),
        (name("Katrin"), name("Kartin")),
        (name("Katrin"), name("Katrin", "Brandtner-Hoffmann")),
        (name("Katrin"), name("Katrin", "Hoffmann")),
    ],
    ids=[
        "nickname", "initial", "swapped", "one field with a title", "umlauts", "another script", "by ear", "slip",
        "double name", "married",
    ],
)  # fmt: skip
def test_one_person_told_in_two_ways(left: Name, right: Name) -> None:
    assert one_person(left, right, email="sunnypanda81@web.de", phone="0151 23456789")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (name("Robert"), name("Roswitha")),
        ({**name("John"), "name_suffix": "Jr"}, {**name("John"), "name_suffix": "Sr"}),
    ],
    ids=["a beginning in common", "junior and senior"],
)
def test_two_people_of_one_household(left: Name, right: Name) -> None:
    """They share birth date, address and the family's mailbox and telephone: twins, say."""
    assert not one_person(left, right, email="brandtner.family@web.de", phone="0221 7728140")
