"""Identifiers: one spelling per value, and guards on those that too many people share."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from resolver import warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy, RulePolicy, RulesPolicy
from tests.conftest import Clock
from tests.ledger import settling
from tests.telling import told

SHARED, ONES_OWN = "+447911123456", "+447912345678"
TOLD = (
    *[told({"record": f"mail:c:{n}", "email": e}) for n, e in enumerate(("anna@x.example", " Anna@X.Example ", "ANNA@x.example"))],
    told({"record": "phone:c:1", "phone": "0171 2345678", "country": "DE"}),
    told({"record": "phone:c:2", "phone": "+49 171 2345678"}),
    told({"record": "phone:c:3", "phone": "0171 2345678", "country": "GB"}),
    told({"record": "phone:c:4", "phone": "07911 765432"}),
    told({"record": "nothing:c:1", "email": "noreply@example.com", "phone": "0000000000", "country": "GB"}),
    told({"record": "nothing:c:2", "email": "not an address", "loyalty_number": "0000"}),
    told({"record": "card:c:1", "loyalty_number": "LC 300-0001"}),
    told({"record": "card:c:2", "loyalty_number": "lc3000001"}),
    *[told({"record": f"shared:c:{n}", "given_name": n, "phone": SHARED}) for n in ("Anna", "Bertram", "Chloe")],
    *[told({"record": f"own:c:{n}", "given_name": n, "phone": ONES_OWN}) for n in ("Katherine", "Kate", "K")],
    *[told({"record": f"store:c:{n}", "loyalty_number": "STORE01"}) for n in range(4)],
    told({"record": "home:c:landline", "phone": "030 2345678", "country": "DE"}),
    told({"record": "home:c:mobile", "phone": "0171 3456789", "country": "DE"}),
    told({"record": "home:c:family", "given_name": "Kate", "family_name": "Ostrander", "email": "theostranders@x.example"}),
    told({"record": "home:c:own", "given_name": "Kate", "family_name": "Ostrander", "email": "kate.ostrander@x.example"}),
    told({"record": "home:c:initial", "given_name": "K", "family_name": "Ostrander", "email": "kate.ostrander@y.example"}),
    told({"record": "home:c:slip", "given_name": "Ktae", "family_name": "Ostrander", "email": "kate_ostrander@z.example"}),
    told({"record": "home:c:turned", "given_name": "Ostrander", "family_name": "Kate", "email": "theostranders@y.example"}),
    told({"record": "home:c:ending", "given_name": "Vita", "family_name": "Paeglerite", "email": "family.paegleritis@x.example"}),
    told({"record": "home:c:other_family", "given_name": "Yoko", "family_name": "Watanabe", "email": "ueda.family@x.example"}),
    told({"record": "home:c:plural", "given_name": "Kate", "family_name": "Ostrander", "email": "theblackmans1@x.example"}),
    told({"record": "home:c:theo", "given_name": "Theodoros", "family_name": "Katsaros", "email": "theodoros@x.example"}),
    *[told({"record": f"home:c:{n}", "given_name": n, "phone": "+12068076662"}) for n in ("Elizabeth", "Erica")],
    *[told({"record": f"home:c:{n}", "given_name": n, "phone": "+12068076663"}) for n in ("Katherine", "Kate")],
    *[told({"record": f"home:c:{n}", "given_name": n, "phone": "+12068076664"}) for n in ("Malgorzata", "Gosia")],
    *[told({"record": f"home:c:{n}", "given_name": n, "phone": "+447914567890"}) for n in ("Peter", "Laura")],
    told({"record": "turned:c:1", "given_name": "Kate", "family_name": "Ostrander", "phone": "+447913456789"}),
    told({"record": "turned:c:2", "given_name": "Ostrander", "family_name": "Kate", "phone": "+447913456789"}),
    told({"record": "checked:c:1", "email": "yes@x.example", "email_verified": True}),
    told({"record": "checked:c:2", "email": "no@x.example", "email_verified": False}),
    told({"record": "checked:c:3", "email": "unsaid@x.example"}),
)  # fmt: skip


@pytest.fixture(scope="module")
def identified(model: LinkageModel) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse that was told all this, in which a card of four records is one too many."""
    clock = Clock()
    policy = Policy(default_country="GB", rules=RulesPolicy(loyalty_number=RulePolicy(max_records=3)))
    with warehouse.opened(":memory:", clock=clock) as connection:
        settling(connection, clock, model)(TOLD, policy)
        yield connection


def values(connection: duckdb.DuckDBPyConnection, source: str, kind: str) -> dict[str, str]:
    found = connection.execute(
        "select record, value from derived.identifier where starts_with(record, ? || ':') and kind = ?", [source, kind]
    ).fetchall()
    return dict(found)


def guard(connection: duckdb.DuckDBPyConnection, value: str) -> tuple[Any, ...]:
    [found] = connection.execute(
        "select distinct usable, guard from derived.identifier where value = ?", [value]
    ).fetchall()
    return found


def test_one_mailbox_spelt_three_ways_is_one_identifier(identified: duckdb.DuckDBPyConnection) -> None:
    assert list(values(identified, "mail", "email").values()) == ["anna@x.example"] * 3


def test_a_national_phone_number_is_read_in_the_country_of_its_record(identified: duckdb.DuckDBPyConnection) -> None:
    found = values(identified, "phone", "phone")
    assert found["phone:c:1"] == found["phone:c:2"] == "+491712345678"
    assert found.get("phone:c:3") != "+491712345678"


def test_a_record_without_a_country_is_read_in_that_of_the_policy(identified: duckdb.DuckDBPyConnection) -> None:
    assert values(identified, "phone", "phone")["phone:c:4"] == "+447911765432"


@pytest.mark.parametrize("kind", ["email", "phone", "loyalty_number"])
def test_what_stands_for_nothing_is_no_identifier(identified: duckdb.DuckDBPyConnection, kind: str) -> None:
    assert values(identified, "nothing", kind) == {}


def test_a_card_number_counts_without_its_spaces_and_case(identified: duckdb.DuckDBPyConnection) -> None:
    assert set(values(identified, "card", "loyalty_number").values()) == {"lc3000001"}


def test_a_value_held_under_several_names_is_no_key_and_says_why(identified: duckdb.DuckDBPyConnection) -> None:
    assert guard(identified, SHARED) == (False, "held under 3 different given names")


def test_short_forms_and_initials_of_one_name_are_one_person(identified: duckdb.DuckDBPyConnection) -> None:
    assert guard(identified, ONES_OWN) == (True, None)


def test_a_name_told_the_other_way_round_is_nobody_else(identified: duckdb.DuckDBPyConnection) -> None:
    assert guard(identified, "+447913456789") == (True, None)


def test_a_value_on_too_many_records_is_no_key(identified: duckdb.DuckDBPyConnection) -> None:
    assert guard(identified, "store01") == (False, "more than 3 records hold it")


def test_a_value_is_verified_where_its_source_says_so(identified: duckdb.DuckDBPyConnection) -> None:
    verified = identified.execute(
        "select record from derived.identifier where starts_with(record, 'checked') and kind = 'email' and verified"
    ).fetchall()
    assert verified == [("checked:c:1",)]


def test_what_may_be_anybodys_of_a_household_is_a_households(identified: duckdb.DuckDBPyConnection) -> None:
    found = identified.execute(
        "select record, household from derived.identifier where record like 'home:%' and kind in ('email', 'phone')"
    ).fetchall()
    assert dict(found) == {
        "home:c:landline": True,
        "home:c:mobile": False,
        "home:c:family": True,
        "home:c:own": False,
        "home:c:initial": False,
        "home:c:slip": False,
        "home:c:turned": True,
        "home:c:ending": True,
        "home:c:other_family": True,
        "home:c:plural": True,
        "home:c:theo": False,
        # of a number that may be a landline: two names that are known to be two, one name, a pet name that is not known
        "home:c:Elizabeth": True,
        "home:c:Erica": True,
        "home:c:Katherine": False,
        "home:c:Kate": False,
        "home:c:Malgorzata": False,
        "home:c:Gosia": False,
        # a mobile is one person's, who lent it or gave it up
        "home:c:Peter": False,
        "home:c:Laura": False,
    }
