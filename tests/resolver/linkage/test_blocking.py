"""Blocking proposes each pair once, within its budget."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resolver.linkage import blocking


def parts(records: int, **told: list[int]) -> dict[str, np.ndarray]:
    names = {part for rule in blocking.RULES for part in rule} - set(blocking.ALTERNATIVES)
    empty = {name: np.zeros(records, np.uint64) for name in names | {"given", "family"}}
    return empty | {name: np.array(values, np.uint64) for name, values in told.items()}


def proposed(found: np.ndarray) -> list[tuple[int, int]]:
    left, right = blocking.unpacked(found)
    return list(zip(left.tolist(), right.tolist(), strict=True))


def test_records_that_share_a_key_are_proposed_once_in_order() -> None:
    found = proposed(blocking.candidates(parts(5, email=[7, 7, 0, 7, 0], phone=[1, 1, 0, 0, 2]), 25.0))
    assert found == [(0, 1), (0, 3), (1, 3)]


def test_a_missing_part_proposes_nothing() -> None:
    assert not proposed(blocking.candidates(parts(4), 25.0))


def test_a_given_name_meets_a_family_name() -> None:
    keys = parts(2, given=[3, 4], family=[4, 3], birth=[9, 9])
    keys["birth"][:] = [9, 9]
    assert (0, 1) in proposed(blocking._proposed(keys, ("any_name", "birth"), 25.0))


def test_the_largest_blocks_go_first_when_the_budget_is_short() -> None:
    keys = [1] * 50 + [2, 2, 3, 3]
    found = proposed(blocking.candidates(parts(54, email=keys), 1.0))
    assert found == [(50, 51), (52, 53)]


def test_every_pair_inside_clusters_is_listed_once() -> None:
    cluster = np.array([0, 1, 0, 1, 0])
    assert proposed(blocking.pairs_within(cluster)) == sorted([*combinations([0, 2, 4], 2), *combinations([1, 3], 2)])


@given(st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([1, 2, 2**63, 2**63 + 1]), max_size=40))
def test_keys_are_put_in_their_order_whatever_bits_they_share(keys: list[int]) -> None:
    told = np.array(keys, np.uint64)
    assert blocking.order_of(told).tolist() == np.argsort(told, kind="stable").tolist()


def test_the_first_rule_that_proposes_a_pair_is_named() -> None:
    keys = parts(4, given=[3, 4, 3, 0], family=[4, 3, 0, 0], birth=[9, 9, 9, 9], email=[0, 0, 5, 5])
    left, right = np.array([0, 2, 0]), np.array([1, 3, 3])
    assert blocking.blocked_by(keys, left, right) == ["birth", "email", "birth"]
    keys["birth"][:] = 0
    keys["postcode"] = np.array([8, 8, 0, 7], np.uint64)
    assert blocking.blocked_by(keys, left, right) == ["any_name + postcode", "email", "none"]


def test_random_pairs_are_all_pairs_when_there_are_few() -> None:
    assert proposed(blocking.random_pairs(5, 1000, 1)) == list(combinations(range(5), 2))
    assert blocking.random_pairs(10_000, 500, 1).tolist() == blocking.random_pairs(10_000, 500, 1).tolist()
