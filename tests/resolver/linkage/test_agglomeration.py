"""Average link on bounded log-odds: the answer does not depend on order, and walls stand."""

from itertools import combinations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.linkage import LinkagePolicy, agglomerate, components
from resolver.linkage.agglomeration import Bounds, clusters

BOUNDS = Bounds(low=-2.0, high=10.0, unscored=-2.0)
Scores = dict[tuple[int, int], float]

scored = st.dictionaries(
    st.sampled_from(list(combinations(range(8), 2))), st.integers(-500, 1200).map(lambda n: n / 100), max_size=28
)
some_pairs = st.lists(st.sampled_from(list(combinations(range(8), 2))), max_size=4, unique=True)


def ends(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def one_at_a_time(scores: Scores, walls: list[tuple[int, int]]) -> list[int]:
    """The definition: join the best two clusters, then the next best, while the mean is positive."""
    label = list(range(8))
    while True:
        best = None
        for a, b in combinations(sorted(set(label)), 2):
            cross = [(min(i, j), max(i, j)) for i in range(8) for j in range(8) if label[i] == a and label[j] == b]
            bounded = [min(max(scores.get(pair, -2.0), -2.0), 10.0) for pair in cross]
            mean = round(sum(bounded) / len(cross), 9)
            if mean > 0 and not set(cross) & set(walls) and (best is None or mean > best[0]):
                best = (mean, a, b)
        if best is None:
            return label
        label = [best[1] if cluster == best[2] else cluster for cluster in label]


@settings(max_examples=150, deadline=None)
@given(scored, some_pairs)
def test_joining_mutual_bests_at_once_is_joining_the_best_one_at_a_time(
    scores: Scores, walls: list[tuple[int, int]]
) -> None:
    found = clusters(8, *ends(list(scores)), np.array(list(scores.values())), BOUNDS, ends(walls))
    expected = one_at_a_time(scores, walls)
    means = {round(value, 2) for value in scores.values()}
    if len(means) == len(scores):  # equal scores may be joined in either order
        assert found.tolist() == expected


@settings(max_examples=100, deadline=None)
@given(scored, some_pairs, st.randoms())
def test_shuffled_pairs_and_records_give_the_same_partition(scores: Scores, walls: list, draw) -> None:
    names = [f"r{i}" for i in range(8)]
    rows = [(names[a], names[b], value) for (a, b), value in scores.items()]
    kept_apart = pa.table({"left": [names[a] for a, _ in walls], "right": [names[b] for _, b in walls]},
                          schema=pa.schema([("left", pa.string()), ("right", pa.string())]))  # fmt: skip
    first = partition(names, rows, kept_apart)
    draw.shuffle(names)
    draw.shuffle(rows)
    assert partition(names, [(b, a, value) for a, b, value in rows], kept_apart) == first


def partition(names: list[str], rows: list[tuple[str, str, float]], walls: pa.Table) -> dict[str, str]:
    answer = agglomerate(names, pairs(rows), walls=walls).clusters
    assert answer["record"].to_pylist() == names
    return dict(zip(answer["record"].to_pylist(), answer["cluster"].to_pylist(), strict=True))


def pairs(rows: list[tuple[str, str, float]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return pa.table([pa.array(columns[0], pa.string()), pa.array(columns[1], pa.string()), pa.array(columns[2], pa.float64())],
                    names=["left", "right", "log_odds"])  # fmt: skip


def two(left: str, right: str) -> pa.Table:
    return pa.table({"left": [left], "right": [right]})


def clusters_of(answer: pa.Table) -> dict[str, str]:
    return dict(zip(answer["record"].to_pylist(), answer["cluster"].to_pylist(), strict=True))


def test_a_chain_of_lookalikes_is_not_one_person() -> None:
    chain = [(f"r{i}", f"r{i + 1}", 1.5) for i in range(9)]
    found = clusters_of(agglomerate([f"r{i}" for i in range(10)], pairs(chain)).clusters)
    assert max(list(found.values()).count(c) for c in found.values()) <= 2


def test_walls_beat_joins_and_both_are_reported() -> None:
    joins = pa.table({"left": ["a", "b"], "right": ["b", "c"]})
    answer = agglomerate(["a", "b", "c"], pairs([]), walls=two("a", "c"), joins=joins)
    found = clusters_of(answer.clusters)
    assert found["a"] != found["c"]
    assert answer.cut_joins.num_rows == 1
    assert answer.held_walls.to_pylist() == [{"left": "a", "right": "c"}]


def test_a_join_holds_whatever_the_weights_say() -> None:
    answer = agglomerate(["a", "b"], pairs([("a", "b", -30.0)]), joins=two("a", "b"))
    assert set(clusters_of(answer.clusters).values()) == {"a"}


def test_a_record_that_could_be_either_of_two_people_is_left_alone_and_doubtful() -> None:
    near = pairs([("father", "j", 4.0), ("j", "son", 4.0)])
    answer = agglomerate(["father", "son", "j"], near, contradictions=two("father", "son"))
    assert len(set(clusters_of(answer.clusters).values())) == 3
    doubtful = dict(zip(answer.clusters["record"].to_pylist(), answer.clusters["doubtful"].to_pylist(), strict=True))
    assert doubtful["j"]


def test_a_contradiction_alone_parts_but_many_records_outvote_it() -> None:
    assert (
        len(
            set(
                clusters_of(
                    agglomerate(["a", "b"], pairs([("a", "b", 9.0)]), contradictions=two("a", "b")).clusters
                ).values()
            )
        )
        == 2
    )
    names = [f"r{i}" for i in range(6)]
    certain = pairs([(a, b, 9.0) for a, b in combinations(names, 2)])
    answer = agglomerate(names, certain, contradictions=two("r0", "r5"), policy=LinkagePolicy(margin=0))
    assert len(set(clusters_of(answer.clusters).values())) == 1


def test_components_are_what_joins_chain_together() -> None:
    joins = pa.table({"left": ["a", "c"], "right": ["b", "b"]})
    found = components(["d", "c", "b", "a"], joins)
    assert found.to_pylist() == [{"record": r, "component": c} for r, c in zip("abcd", "aaad", strict=True)]
