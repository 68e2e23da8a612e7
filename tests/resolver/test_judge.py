"""Judgements: what the rules settle, what contradicts them, and that only what changed is judged anew."""

from typing import Any

import duckdb
import orjson
import pytest

from models.landing import SourceRecord
from resolver import judge
from resolver.policy import Policy, RulePolicy, RulesPolicy
from resolver.run import Run
from tests.conftest import Clock
from tests.ledger import Settle, by_rule, counts, people
from tests.telling import tellings, told

ANA, ANNA = "bigcommerce:customer:1", "pos:member:1"


def pair(left: dict[str, Any], right: dict[str, Any]) -> list[SourceRecord]:
    return [told({"record": ANA, **left}), told({"record": ANNA, **right})]


def verdicts(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute("select judge, verdict from derived.judgement order by all").fetchall()


@pytest.mark.parametrize(
    ("left", "right", "rule"),
    [
        ({"loyalty_number": "LC-1234"}, {"loyalty_number": "LC-1234"}, "same_loyalty_number"),
        ({"email": "a@x.example", "email_verified": True}, {"email": "A@x.example"}, "same_email"),
        ({"phone": "+447911123456"}, {"phone": "+44 7911 123456"}, "same_phone"),
    ],
)
def test_an_identifier_in_common_makes_one_person(
    connection: duckdb.DuckDBPyConnection, settle: Settle, left: dict[str, Any], right: dict[str, Any], rule: str
) -> None:
    name = {"given_name": "Ana", "family_name": "Silva"}
    settle(pair({**name, **left}, {**name, **right}))
    assert verdicts(connection) == [(f"rule:{rule}", "match")]
    assert people(connection) == {frozenset({ANA, ANNA})}
    [(evidence,)] = connection.execute("select evidence from derived.judgement").fetchall()
    assert orjson.loads(evidence)["identifier"] == rule.removeprefix("same_")


@pytest.mark.parametrize(("phone", "is_settled"), [("0161 584 0360", False), ("07911 123456", True)])
def test_a_familys_mailbox_settles_a_name_together_with_a_telephone_of_ones_own(
    connection: duckdb.DuckDBPyConnection, settle: Settle, phone: str, is_settled: bool
) -> None:
    john = {"given_name": "John", "family_name": "Swift", "email": "theswifts@x.example", "email_verified": True}
    settle(pair(*[{**john, "phone": phone, "country": "GB"}] * 2))
    assert (("rule:same_email", "match") in verdicts(connection)) == is_settled


def test_a_number_of_another_system_in_common_makes_one_person(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    known_as = [{"kind": "crm_contact", "value": "77"}]
    settle([_with_identifiers(record, known_as) for record in pair({"given_name": "Ana"}, {"given_name": "Ana"})])
    assert verdicts(connection) == [("rule:same_external_id", "match")]
    assert people(connection) == {frozenset({ANA, ANNA})}


def _with_identifiers(record: SourceRecord, identifiers: list[dict[str, str]]) -> SourceRecord:
    body = {**record.body.model_dump(mode="json"), "identifiers": identifiers}
    return SourceRecord.model_validate({**record.model_dump(mode="json"), "body": body})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"given_name": "Ana"}, {"given_name": "Bertram"}),
        ({"given_name": "Ana", "birth_date": "1980-01-31"}, {"given_name": "Ana", "birth_date": "2001-12-24"}),
        ({"given_name": "John", "name_suffix": "Jr"}, {"given_name": "John", "name_suffix": "Sr"}),
    ],
    ids=["given names", "birth dates", "junior and senior"],
)
def test_records_that_contradict_each_other_are_not_joined_by_a_card(
    connection: duckdb.DuckDBPyConnection, settle: Settle, left: dict[str, Any], right: dict[str, Any]
) -> None:
    settle(pair({"loyalty_number": "LC-1234", **left}, {"loyalty_number": "LC-1234", **right}))
    assert verdicts(connection) == []
    assert len(people(connection)) == 2


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"phone": "030 54532906", "email": "familie.kohler@x.example"},) * 2,
        ({"phone": "+447911123456", "name_suffix": "Sr"}, {"phone": "+447911123456"}),
        ({"loyalty_number": "LC-1234"}, {"loyalty_number": "LC-1234", "family_name": "Branderpert"}),
    ],
    ids=["landline and family mailbox", "one says senior", "a clerk's card"],
)
def test_what_two_people_may_share_makes_nobody_one_by_rule(
    connection: duckdb.DuckDBPyConnection, settle: Settle, left: dict[str, Any], right: dict[str, Any]
) -> None:
    name = {"given_name": "Heinz", "family_name": "Kohler", "country": "DE"}
    settle(pair({**name, **left}, {**name, **right}))
    assert verdicts(connection) == []


def test_an_address_that_nobody_verified_joins_nobody_by_rule(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    same = {"given_name": "Ana", "family_name": "Silva", "email": "a@x.example"}
    settle(pair(same, same))
    assert verdicts(connection) == []


def test_a_rule_that_the_policy_switches_off_judges_nothing(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    same = {"given_name": "Ana", "loyalty_number": "LC-1234"}
    settle(pair(same, same), Policy(rules=RulesPolicy(loyalty_number=RulePolicy(enabled=False))))
    assert verdicts(connection) == []


def test_a_judgement_that_still_holds_is_not_repeated(connection: duckdb.DuckDBPyConnection, settle: Settle) -> None:
    same = {"given_name": "Ana", "loyalty_number": "LC-1234"}
    settle(pair(same, same))
    settle(pair(same, {**same, "family_name": "Silva", "changed_at": "2026-01-01T00:00:00Z"}))
    assert counts(connection, ("judgement",)) == {"judgement": 1}


def test_a_judgement_that_nothing_supports_any_more_is_withdrawn_and_may_come_back(
    connection: duckdb.DuckDBPyConnection, settle: Settle
) -> None:
    same = {"given_name": "Ana", "loyalty_number": "LC-1234"}
    corrected = {**same, "loyalty_number": "LC-9999"}
    for day, right in enumerate((same, corrected, same), start=1):
        settle(pair(same, {**right, "changed_at": f"2026-01-0{day}T00:00:00Z"}))
    history = connection.execute(
        "select verdict, evidence->>'withdrawn' from ledger.judgement order by fact"
    ).fetchall()
    assert history == [("match", None), ("non_match", "true"), ("match", None)]
    assert people(connection) == {frozenset({ANA, ANNA})}


def test_weights_are_kept_with_their_evidence_and_judged_once(
    connection: duckdb.DuckDBPyConnection, a_run: Run, clock: Clock
) -> None:
    ana = {
        "given_name": "Ana", "family_name": "Silvestri", "birth_date": "1980-01-31", "email": "ana.s@x.example",
        "postcode": "N1 9GU", "street": "Caledonian Road", "house_number": "90", "city": "London", "country": "GB",
    }  # fmt: skip
    stranger = {"given_name": "Bo", "family_name": "Lund", "birth_date": "1955-05-05", "email": "bo@y.example"}
    by_rule(a_run, tellings([*pair(ana, {**ana, "given_name": "Anna"}), told({"record": "pos:member:2", **stranger})]))
    judge.by_weight(a_run)
    [(left, right, verdict, judged_by, log_odds, text)] = connection.execute(
        "select left_record, right_record, verdict, judge, log_odds, evidence from ledger.judgement"
        " where verdict = 'match'"
    ).fetchall()
    assert (left, right, verdict) == (ANA, ANNA, "match")
    assert judged_by == f"model:{a_run.model.content_hash[:12]}"
    evidence = orjson.loads(text)
    assert log_odds > 0
    assert evidence["match_probability"] >= a_run.policy.review.high_probability
    assert {"given", "family"} <= set(evidence["levels"])
    assert evidence["proposed_by"]
    before = counts(connection, ("judgement",))
    judge.by_weight(a_run)
    assert counts(connection, ("judgement",)) == before


@pytest.mark.parametrize(
    ("two", "third"),
    [
        ({"birth_date": "1980-01-31"}, {"birth_date": "2001-12-24"}),
        ({"name_suffix": "Jr"}, {"name_suffix": "Sr"}),
    ],
)
def test_a_namesake_on_the_same_card_does_not_come_between_two_who_agree(
    connection: duckdb.DuckDBPyConnection, settle: Settle, two: dict[str, str], third: dict[str, str]
) -> None:
    card = {"given_name": "John", "loyalty_number": "LC-1234"}
    settle([*pair({**card, **two}, {**card, **two}), told({"record": "till:member:9", **card, **third})])
    assert people(connection) == {frozenset({ANA, ANNA}), frozenset({"till:member:9"})}
