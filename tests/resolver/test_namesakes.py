"""Whom a cluster of people with one name holds, told apart by what each has of his own.

The weights are left out: each test puts all that was told into one cluster, as if they had joined it.
"""

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from resolver import namesakes
from resolver.run import Run
from tests.ledger import Settle
from tests.telling import told

ROOF = {"line1": "3 Victoria Road", "postcode": "M13 9RR", "country": "GB"}
JOHN = {"given_name": "John", "family_name": "Swift", **ROOF}


@pytest.fixture
def people(settle: Settle, a_run: Run, connection: duckdb.DuckDBPyConnection) -> Any:
    """people(a record's shorthand, ...) -> the parts of the one cluster that they are, in the order of the records."""

    def parted(*said: dict[str, Any]) -> list[list[str]]:
        settle([told(each) for each in said])
        records = sorted(each["record"] for each in said)
        together = pa.table({"record": records, "cluster": [records[0]] * len(records)})
        return _parts(namesakes.parted(a_run, together))

    return parted


def _parts(clusters: pa.Table) -> list[list[str]]:
    by_cluster: dict[str, list[str]] = {}
    for row in clusters.to_pylist():
        by_cluster.setdefault(row["cluster"], []).append(row["record"])
    return sorted(by_cluster.values())


def john(record: str, **say: Any) -> dict[str, Any]:
    return {"record": record, **JOHN, **say}


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("johnswift77@a.example", "jswift1977@posteo.example", True),
        ("johnswift77@a.example", "jswift78@posteo.example", False),
        ("johnswift77@a.example", "jswift1978@posteo.example", False),
        ("johnswift577@a.example", "jswift577@posteo.example", False),
        ("john7swift7@a.example", "jswift77@posteo.example", False),
    ],
)
def test_two_addresses_of_one_name_with_one_year_of_birth_are_one_persons(
    people: Any, one: str, other: str, is_one: bool
) -> None:
    found = people(john("shop:customer:1", email=one), john("till:member:2", email=other))
    assert len(found) == (1 if is_one else 2)


@pytest.mark.parametrize(("birth_date", "is_one"), [("1977-03-21", True), ("1978-03-21", False), (None, False)])
def test_an_address_with_the_year_of_a_birth_date_is_that_persons(
    people: Any, birth_date: str | None, is_one: bool
) -> None:
    found = people(
        john("shop:customer:1", email="johnswift77@a.example"),
        john("till:member:2", email="john.swift@posteo.example", birth_date=birth_date),
    )
    assert len(found) == (1 if is_one else 2)


def test_one_year_of_birth_does_not_make_twins_one(people: Any) -> None:
    found = people(
        john("shop:customer:1", email="johnswift77@a.example"),
        {**john("till:member:2", email="peter.swift77@posteo.example", birth_date="1977-03-21"), "given_name": "Peter"},
    )
    assert len(found) == 2


def test_two_of_one_name_born_a_generation_apart_share_no_third(people: Any) -> None:
    found = people(
        john("shop:customer:1", birth_date="1978-05-03", phone="0161 584 0360"),
        john("till:member:2", birth_date="2006-03-06", phone="07980 716051"),
        john("crm:contact:3"),
    )
    assert found == [["crm:contact:3"], ["shop:customer:1"], ["till:member:2"]]


def test_two_spellings_of_one_birth_date_are_no_contradiction(people: Any) -> None:
    found = people(
        john("shop:customer:1", birth_date="1978-05-03"),
        john("till:member:2", birth_date="1978-03-05"),
        john("crm:contact:3"),
    )
    assert len(found) == 1


@pytest.mark.parametrize(
    ("email", "is_one"),
    [
        ("john.swift2006@a.example", False),
        ("john.swift1979@a.example", True),
        ("john.swift560@a.example", True),
    ],
)
def test_a_year_in_an_address_a_generation_away_from_a_birth_date_is_another_persons(
    people: Any, email: str, is_one: bool
) -> None:
    found = people(
        john("shop:customer:1", email=email),
        john("till:member:2", email="theswifts@posteo.example", birth_date="1978-05-03"),
        john("crm:contact:3", email="theswifts@posteo.example"),
    )
    assert len(found) == (1 if is_one else 3)


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("luckysky@a.example", "luckysky@posteo.example", True),
        ("johnswift@a.example", "johnswift@posteo.example", False),
        ("johannswyft@a.example", "johannswyft@posteo.example", False),
    ],
)
def test_one_local_part_at_two_providers_is_one_persons_unless_it_is_a_name(
    people: Any, one: str, other: str, is_one: bool
) -> None:
    found = people(
        john("shop:customer:1", email=one),
        john("till:member:2", email=other),
        {**john("crm:contact:3", email=other), "given_name": "Johann", "family_name": "Swyft"},
    )
    assert (_with("shop:customer:1", found) == _with("till:member:2", found)) == is_one


@pytest.mark.parametrize(("source", "is_one"), [("shop", False), ("crm", True)])
def test_two_accounts_of_one_shop_under_one_family_mailbox_are_two_peoples(
    people: Any, source: str, is_one: bool
) -> None:
    found = people(
        john("shop:customer:1", email="theswifts771@a.example", phone="07980 716051"),
        john(f"{source}:customer:2", email="theswifts771@a.example"),
    )
    assert len(found) == (1 if is_one else 2)


def _with(record: str, parts: Sequence[list[str]]) -> list[str]:
    [found] = [part for part in parts if record in part]
    return found
