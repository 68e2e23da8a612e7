"""A run keeps what it used and how it ended, also when it fails or is cut off."""

import duckdb
import orjson
import pytest

from resolver import explain, run
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.conftest import Clock


def ended(connection: duckdb.DuckDBPyConnection, run_id: str) -> tuple[str, dict[str, object]]:
    answer = explain.run(connection, run_id)
    return answer["outcome"], answer["counts"]


def test_a_run_keeps_the_policy_the_model_and_the_code_it_used(
    connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel
) -> None:
    policy = Policy(default_country="GB")
    with run.begun("land", connection, policy, model, clock) as begun:
        pass
    [(command, said, model_hash, version)] = connection.execute(
        "select command, policy, model_hash, code_version from ledger.run where run_id = ?", [begun.run_id]
    ).fetchall()
    assert (command, model_hash) == ("land", model.content_hash)
    assert Policy.model_validate_json(said) == policy
    assert version


def test_a_run_ends_with_its_counts(connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel) -> None:
    with run.begun("resolve", connection, Policy(), model, clock) as begun:
        begun.count("pairs_compared", 3)
        begun.count("pairs_compared", 4)
    assert ended(connection, begun.run_id) == ("done", {"pairs_compared": 7, "troubles": []})


def test_a_trouble_does_not_end_a_run_but_it_ends_partly(
    connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel
) -> None:
    with run.begun("land", connection, Policy(), model, clock) as begun:
        begun.trouble("the shop is down")
    assert ended(connection, begun.run_id) == ("partly", {"troubles": ["the shop is down"]})


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_run_that_fails_says_so_in_the_ledger(
    connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel, error: type[BaseException]
) -> None:
    with pytest.raises(error), run.begun("land", connection, Policy(), model, clock) as begun:
        raise error
    assert ended(connection, begun.run_id)[0] == "failed"


def test_a_run_that_was_cut_off_is_shown_as_that(
    connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel
) -> None:
    cut_off = run.begun("land", connection, Policy(), model, clock)
    begun = cut_off.__enter__()
    assert explain.run(connection, begun.run_id)["outcome"] == "cut off"
    cut_off.__exit__(None, None, None)


def test_runs_of_one_second_have_ids_of_their_own(
    connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel
) -> None:
    still = clock()
    ids = set()
    for _ in range(3):
        with run.begun("land", connection, Policy(), model, lambda: still) as begun:
            ids.add(begun.run_id)
    assert len(ids) == 3


def test_the_policy_is_kept_as_json_that_can_be_asked(connection: duckdb.DuckDBPyConnection, a_run: run.Run) -> None:
    [(text,)] = connection.execute(
        "select policy->'review' from ledger.run where run_id = ?", [a_run.run_id]
    ).fetchall()
    assert orjson.loads(text)["high_probability"] == a_run.policy.review.high_probability
