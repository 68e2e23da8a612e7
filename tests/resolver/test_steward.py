"""A steward's word: it undoes a merge, joins what was kept apart, and holds in every later run."""

import duckdb
import pytest

from models.landing import SourceRecord
from resolver import pipeline, steward
from resolver.explain import Unknown
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from resolver.run import begun
from tests.conftest import Clock
from tests.ledger import Settle, people
from tests.telling import told

ANNA, ANN, BERT = "shop:customer:1", "till:member:2", "shop:customer:3"


@pytest.fixture
def said() -> list[SourceRecord]:
    card = {"given_name": "Anna", "family_name": "Berg", "loyalty_number": "LC-1"}
    bert = {"record": BERT, "given_name": "Bert", "family_name": "Olsen", "email": "bert@example.com"}
    return [told({"record": ANNA, **card}), told({"record": ANN, **card}), told(bert)]


def _judged(connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel, *pair: str) -> None:
    one, other, verdict = pair
    with begun("judge", connection, Policy(), model, clock) as run:
        steward.judge(run, one, other, verdict, "anna", "she told me")  # type: ignore[arg-type]
        pipeline.resolve(run, ())


def test_a_merge_is_undone_and_stays_undone(
    settle: Settle, connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel, said: list[SourceRecord]
) -> None:
    settle(said)
    assert {ANNA, ANN} in people(connection)
    _judged(connection, clock, model, ANN, ANNA, "non_match")
    assert {ANNA} in people(connection)
    settle(said)
    assert {ANNA} in people(connection)
    assert {ANN} in people(connection)


def test_what_was_kept_apart_is_joined(
    settle: Settle, connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel, said: list[SourceRecord]
) -> None:
    settle(said)
    _judged(connection, clock, model, BERT, ANNA, "match")
    assert {ANNA, ANN, BERT} in people(connection)


def test_a_record_that_is_not_there_cannot_be_judged(
    settle: Settle, connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel, said: list[SourceRecord]
) -> None:
    settle(said)
    for one, other in ((ANNA, "shop:customer:99"), (ANNA, ANNA)):
        with pytest.raises(Unknown):
            _judged(connection, clock, model, one, other, "match")
