"""Points: moved once, owned by one, never made or lost by working out who is who."""

from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from models.landing import SourceRecord
from models.loyalty import LoyaltyMember
from models.records import RecordKey
from resolver import warehouse
from resolver.linkage import LinkageModel
from tests.conftest import Clock
from tests.ledger import Settle, counts, settling
from tests.telling import told


def receipt(number: str, *postings: dict[str, Any], **say: Any) -> SourceRecord:
    entries = [{"account": "LC-1", "movement": "earn", "at": "2025-01-01T10:00:00Z", **posting} for posting in postings]
    return told({"record": f"pos:receipt:{number}", "bought": {"loyalty": entries}, **say})


def member(record: str, account: str, **say: Any) -> SourceRecord:
    points = {name: say.pop(name) for name in ("balance", "status", "tier", "enrolled_at") if name in say}
    return told({"record": record, "loyalty": [{"account": account, **points}], **say})


def balances(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(connection.execute("select account, balance from derived.loyalty_account").fetchall())


def conflicts(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        "select attribute, rule from derived.open_conflict where kind = 'loyalty' order by all"
    ).fetchall()


def test_a_posting_moves_points_once_however_often_it_is_told(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    earned = receipt("1", {"external_id": "t1", "points": 100}, {"external_id": "t1", "points": 100})
    settle([member("pos:member:1", "LC-1"), earned])
    settle([receipt("1", {"external_id": "t1", "points": 100}, changed_at="2026-01-01T00:00:00Z")])
    settle([receipt("2", {"external_id": "t1", "points": 100})])
    assert balances(connection) == {"LC-1": 100}
    assert counts(connection, ("loyalty_entry",)) == {"loyalty_entry": 1}
    assert conflicts(connection) == []


def test_the_same_posting_with_other_content_is_a_conflict_and_moves_nothing(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([member("pos:member:1", "LC-1"), receipt("1", {"external_id": "t1", "points": 100})])
    again = [receipt("1", {"external_id": "t1", "points": 120}, changed_at="2026-01-01T00:00:00Z")]
    settle(again)
    settle(again)
    assert balances(connection) == {"LC-1": 100}
    assert conflicts(connection) == [("posting t1 of LC-1", "same posting, other content")]
    assert counts(connection, ("conflict",)) == {"conflict": 1}


def test_the_balance_is_the_sum_of_all_movements(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    settle(
        [
            member("pos:member:1", "LC-1"),
            receipt(
                "1",
                {"external_id": "t1", "points": 100},
                {"external_id": "t2", "points": -30, "movement": "redeem"},
                {"external_id": "t3", "points": -20, "movement": "expire"},
            ),
        ]
    )
    assert balances(connection) == {"LC-1": 50}


def test_what_the_source_tells_is_published_and_drift_is_a_conflict(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle([member("pos:member:1", "LC-1", balance=80), receipt("1", {"external_id": "t1", "points": 100})])
    assert balances(connection) == {"LC-1": 80}
    assert conflicts(connection) == [("balance of LC-1", "told by the source")]


def test_the_newest_balance_that_is_told_counts_and_an_undated_one_least(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    same = {"given_name": "Ana", "loyalty_number": "LC-1"}
    settle(
        [
            member("pos:member:1", "LC-1", balance=10, changed_at="2024-01-01T00:00:00Z", **same),
            member("shop:customer:1", "LC-1", balance=20, changed_at="2025-01-01T00:00:00Z", **same),
            member("till:customer:1", "LC-1", balance=30, changed_at=None, **same),
        ]
    )
    assert balances(connection) == {"LC-1": 20}


def test_a_balance_never_goes_below_nought_and_the_shortfall_is_put_before_a_steward(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    returned = {"external_id": "t3", "points": -100, "movement": "reverse_earn"}
    spent = {"external_id": "t2", "points": -80, "movement": "redeem"}
    settle([member("pos:member:1", "LC-1"), receipt("1", {"external_id": "t1", "points": 100}, spent, returned)])
    assert balances(connection) == {"LC-1": 0}
    assert [attribute for attribute, _ in conflicts(connection)] == ["shortfall of LC-1"]


def test_two_programmes_may_use_the_same_number(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    cards = [{"account": "77", "programme": programme, "balance": 5} for programme in ("main", "kids")]
    told_twice = [{**card, "balance": 9} for card in cards]
    said = [
        told({"record": "pos:member:1", "given_name": "Ana", "loyalty": cards}),
        told({"record": "shop:customer:2", "given_name": "Bo", "loyalty": told_twice}),
    ]
    settle(said)
    before = counts(connection, ("conflict",))
    settle(said)
    assert counts(connection, ("conflict",)) == before == {"conflict": 2}
    assert [attribute for attribute, _ in conflicts(connection)] == ["owner of 77", "owner of 77 of kids"]
    found = connection.execute(
        "select programme, account, balance from derived.loyalty_account order by all"
    ).fetchall()
    assert [row[:2] for row in found] == [("kids", "77"), ("main", "77")]


def test_a_receipt_with_a_swiped_card_makes_nobody_its_owner(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    settle(
        [
            member("pos:member:1", "LC-1", given_name="Ana", loyalty_number="LC-1"),
            receipt("1", {"external_id": "t1", "points": 5}, given_name="Bo", loyalty_number="LC-1"),
        ]
    )
    owners = connection.execute("select account, record from derived.loyalty_account").fetchall()
    assert owners == [("LC-1", "pos:member:1")]


def test_one_person_with_two_accounts_keeps_both_until_a_steward_joins_them(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    ana = {"given_name": "Ana", "email": "ana@x.example", "email_verified": True}
    settle([member("pos:member:1", "LC-1", balance=10, **ana), member("shop:customer:1", "LC-2", balance=20, **ana)])
    assert balances(connection) == {"LC-1": 10, "LC-2": 20}
    assert [attribute for attribute, _ in conflicts(connection)] == ["accounts of main"]


def test_an_account_that_two_people_claim_has_one_owner_and_a_conflict(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    claims = [
        member("pos:member:1", "LC-1", given_name="Ana", enrolled_at="2024-01-01T00:00:00Z", balance=10),
        member("shop:customer:2", "LC-1", given_name="Bo", enrolled_at="2025-01-01T00:00:00Z"),
    ]
    settle(claims)
    owners = connection.execute("select account, record, balance from derived.loyalty_account").fetchall()
    assert owners == [("LC-1", "pos:member:1", 10)]
    assert [attribute for attribute, _ in conflicts(connection)] == ["owner of LC-1"]


MEMBERS = ("pos:member:1", "shop:customer:1", "till:customer:1")


@settings(max_examples=3, deadline=None)
@given(cards=st.lists(st.lists(st.sampled_from(["C-1", "C-2", "C-3"]), min_size=3, max_size=3), min_size=2, max_size=2))
def test_points_are_conserved_whoever_merges_and_splits(cards: list[list[str]], model: LinkageModel) -> None:
    """Three members with an account each, whose shared card number joins and parts them from run to run."""
    clock = Clock()
    with warehouse.opened(":memory:", clock=clock) as connection:
        settle = settling(connection, clock, model)
        for day, held in enumerate(cards, start=1):
            settle(
                [
                    member(
                        record, f"LC-{n}", given_name="Ana", balance=10**n, changed_at=f"2026-01-0{day}T00:00:00Z",
                        identifiers=[], email=f"{card.lower()}@x.example", email_verified=True,
                    )
                    for n, (record, card) in enumerate(zip(MEMBERS, held, strict=True), start=1)
                ]
            )  # fmt: skip
            assert balances(connection) == {"LC-1": 10, "LC-2": 100, "LC-3": 1000}
            owned = connection.execute(
                "select a.account from derived.loyalty_account a join derived.crosswalk c using (record, profile)"
            ).fetchall()
            assert len(owned) == 3, "each account lies with the profile of its member"


def test_an_entry_told_as_a_record_of_its_own_counts_like_one_on_a_receipt(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    entry = {
        "kind": "entry",
        "account": "LC-1",
        "external_id": "t1",
        "movement": "earn",
        "points": 100,
        "at": "2025-01-01T10:00:00Z",
    }
    own = SourceRecord.model_validate(
        {"key": {"source": "pos", "object": "points", "source_id": "t1"}, "raw": "t1", "body": entry}
    )
    on_receipt = receipt("1", {"external_id": "t1", "points": 100})
    settle([member("pos:member:1", "LC-1"), own])
    settle([on_receipt])
    assert balances(connection) == {"LC-1": 100}
    assert counts(connection, ("loyalty_entry",)) == {"loyalty_entry": 1}


def test_a_member_that_is_a_record_of_its_own_belongs_to_the_customer_whom_it_names(
    settle: Settle, connection: duckdb.DuckDBPyConnection
) -> None:
    account = LoyaltyMember(account="LC-9", balance=70, customer="9")
    alone = LoyaltyMember(account="LC-8", balance=5)
    said = [
        SourceRecord(
            key=RecordKey(source="crm", object="loyalty_account", source_id=body.account),
            raw=body.model_dump_json(),
            body=body,
        )
        for body in (account, alone)
    ]
    settle([told({"record": "crm:customer:9", "given_name": "Ana"}), *said])
    [(profile,)] = connection.execute(
        "select profile from derived.crosswalk where record = 'crm:customer:9'"
    ).fetchall()
    assert connection.execute("select account, profile, balance from derived.loyalty_account").fetchall() == [
        ("LC-9", profile, 70)
    ]
