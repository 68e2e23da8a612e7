"""CPU seconds, peak memory and F1 of linkage, with plain Splink in the same run beside it.

    python -m tests.benchmarks.linkage                                 the table: 100,000 and a million rows, order-heavy
    python -m tests.benchmarks.linkage --frontier docs/frontier.svg    F1 against CPU over comparison budgets
    python -m tests.benchmarks.linkage --file people.parquet [--model model.json]

Each contender runs in a process of its own, so that its CPU seconds and its peak memory are its own; both read the file and
standardise it. Plain Splink is given what an expert gives it: the standardised records, library comparisons, eight
blocking rules, EM, components at .99. With a saved model neither trains: ours and Splink's come from 100,000 other rows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from resolver import standard_form
from resolver.linkage import LinkageModel, LinkagePolicy, link
from resolver.linkage.tables import read
from tests.benchmarks.labelled import SHARED
from tests.benchmarks.retail import order_heavy, retail

RULES = (("mailbox",), ("phone_key",), ("family_key", "postcode"), ("given_name", "birth_digits"),
         ("family_key", "birth_digits"), ("given_name", "family_key", "district"), ("address", "given_name"),
         ("given_name", "family_key", "birth_year"))  # fmt: skip
RETAIL = SHARED / "datasets" / "retail_100k" / "records.parquet"
MILLION = 1_000_000
BUDGETS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Task:
    """A file to link; the model to use, trained on the file itself when empty; where to keep a trained one; the budget."""

    file: str
    model: str = ""
    keep: str = ""
    pairs_per_record: float | None = None


@dataclass(frozen=True)
class Cost:
    """What a contender spent, and how well it did."""

    cpu: float
    gib: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1e-9)


Contender = Callable[[Task], pl.DataFrame]


def ours(task: Task) -> pl.DataFrame:
    """`link`, as anybody calls it; a smaller budget is also spent on training."""
    model = LinkageModel.load(f"{task.model}.ours") if task.model else None
    answer = link(task.file, model=model, policy=_policy(task.pairs_per_record))
    if task.keep:
        answer.model.save(f"{task.keep}.ours")
    return pl.DataFrame(answer.clusters.select(["id", "cluster"]))


def _policy(pairs_per_record: float | None) -> LinkagePolicy:
    if pairs_per_record is None:
        return LinkagePolicy()
    drawn = int(min(500_000, 200_000 * max(pairs_per_record, 0.25)))
    return LinkagePolicy(pairs_per_record=pairs_per_record, random_pairs=drawn, training_pairs=drawn)


def plain_splink(task: Task) -> pl.DataFrame:
    """Splink 5 as its documentation shows it."""
    rows = read(task.file)
    connection = duckdb.connect(config={"threads": 2})
    connection.register("told", rows.people)
    standard_form.people(connection, "told", "people")
    api = DuckDBAPI(connection)
    people = api.register("people")
    if task.model:
        linker = Linker(people, json.loads(Path(f"{task.model}.splink").read_text()), log_level=None)
    else:
        linker = Linker(people, _settings(), log_level=None)
        _train(linker)
    if task.keep:
        linker.misc.save_model_to_json(f"{task.keep}.splink", overwrite=True)
    predicted = linker.inference.predict(threshold_match_probability=0.99, warning_mode="never")
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.99)
    answer = found.as_duckdbpyrelation().pl().select("record", pl.col("cluster_id").alias("cluster"))
    ids = pl.DataFrame({"record": rows.people["record"].to_pylist(), "id": rows.id.to_pylist()})
    return ids.join(answer, on="record").select("id", "cluster")


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        comparisons=[
            cl.JaroWinklerAtThresholds("given_name", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("family_key", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("birth_digits", [1, 2]),
            cl.JaroWinklerAtThresholds("mailbox", [0.92]),
            cl.LevenshteinAtThresholds("phone_key", [1]),
            cl.JaroWinklerAtThresholds("address", [0.92]),
            cl.LevenshteinAtThresholds("postcode", [1]),
        ],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in RULES],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )


def _train(linker: Linker) -> None:
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("mailbox", "given_name")], recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    training.estimate_parameters_using_expectation_maximisation(block_on("mailbox"), max_pairs=1e6)
    training.estimate_parameters_using_expectation_maximisation(block_on("family_key", "postcode"), max_pairs=1e6)


def measured(contender: Contender, task: Task) -> Cost:
    """Run a contender in a process of its own."""
    context = multiprocessing.get_context("spawn")
    costs: multiprocessing.Queue[Cost] = context.Queue()
    process = context.Process(target=_run, args=(contender, task, costs))
    process.start()
    cost = costs.get()
    process.join()
    return cost


def _run(contender: Contender, task: Task, costs: multiprocessing.Queue[Cost]) -> None:
    began = time.process_time()
    found = contender(task)
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    costs.put(Cost(spent, peak, *_precision_and_recall(found, task.file)))


def _precision_and_recall(found: pl.DataFrame, file: str) -> tuple[float, float]:
    both = pl.read_parquet(file).select("id", pl.col("cluster").alias("truth")).join(found, on="id")
    joined, true, right = (
        sum(n * (n - 1) // 2 for n in both.group_by(by).len()["len"])
        for by in (["cluster"], ["truth"], ["cluster", "truth"])
    )
    return right / max(joined, 1), right / max(true, 1)


def tasks(folder: Path, wanted: Sequence[str]) -> Iterable[tuple[str, Task]]:
    """The rows of the table: a name and what to do. The first keeps the models that the later ones use."""
    small = RETAIL if RETAIL.exists() else _written(retail(100_000), folder / "small.parquet")
    model = str(folder / "model")
    yield "100,000 rows, from nothing", Task(str(small), keep=model)
    if "million" in wanted:
        million = _written(retail(MILLION, seed=2), folder / "million.parquet")
        yield "1,000,000 rows, from nothing", Task(str(million))
        yield "1,000,000 rows, saved model", Task(str(million), model=model)
    if "orders" in wanted:
        orders = _written(order_heavy(pl.read_parquet(small)), folder / "orders.parquet")
        yield "820,000 orders, saved model", Task(str(orders), model=model)


def _written(frame: pl.DataFrame, path: Path) -> Path:
    frame.write_parquet(path)
    return path


def table(rows: Iterable[tuple[str, Task]]) -> None:
    """Print what both spent on every row of the table."""
    print(f"{'':30}{'':14}{'CPU s':>8}{'GiB':>7}{'P':>8}{'R':>8}{'F1':>8}  CPU, plain Splink = 1")
    for name, task in rows:
        us, plain = measured(ours, task), measured(plain_splink, task)
        for who, cost in (("ours", us), ("plain Splink", plain)):
            quality = f"{cost.precision:8.4f}{cost.recall:8.4f}{cost.f1:8.4f}"
            print(f"{name:30}{who:14}{cost.cpu:8.1f}{cost.gib:7.2f}{quality}  {cost.cpu / plain.cpu:.2f}", flush=True)


def frontier(file: str, picture: Path) -> None:
    """Draw F1 against CPU seconds for a row of budgets, from nothing, with plain Splink beside it."""
    budgets = (*BUDGETS, None)
    costs = [measured(ours, Task(file, pairs_per_record=budget)) for budget in budgets]
    plain = measured(plain_splink, Task(file))
    names = ["default" if budget is None else f"{budget:g}" for budget in budgets]
    for name, cost in (*zip(names, costs, strict=True), ("plain Splink", plain)):
        print(f"{name:14}{cost.cpu:8.1f} CPU s  {cost.gib:5.2f} GiB  F1 {cost.f1:.4f}", flush=True)
    picture.write_text(_drawn(list(zip(names, costs, strict=True)), plain), encoding="utf-8")


def _drawn(points: Sequence[tuple[str, Cost]], plain: Cost) -> str:
    """A picture of its own: CPU seconds to the right, F1 upwards."""
    width, height, edge = 640, 360, 56
    furthest = max(cost.cpu for _, cost in points) * 1.1
    lowest = min(plain.f1, *(cost.f1 for _, cost in points)) - 0.02

    def place(cost: Cost) -> tuple[float, float]:
        across, up = cost.cpu / furthest, (cost.f1 - lowest) / (1 - lowest)
        return edge + across * (width - 2 * edge), height - edge - up * (height - 2 * edge)

    def dot(name: str, cost: Cost, colour: str) -> str:
        x, y = place(cost)
        return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="{colour}"/><text x="{x + 6:.0f}" y="{y + 14:.0f}">{name}</text>'

    ordered = sorted((cost for name, cost in points if name != "default"), key=lambda cost: cost.cpu)
    line = " ".join("{:.0f},{:.0f}".format(*place(cost)) for cost in ordered)
    ticks = [
        f'<text x="{edge - 34}" y="{place(Cost(0, 0, f, f))[1] + 4:.0f}">{f:.2f}</text>'
        for f in (lowest, (1 + lowest) / 2, 1.0)
    ]
    seconds = [int(furthest * part) for part in (0.0, 0.5, 1.0)]
    ticks += [f'<text x="{place(Cost(s, 0, 1, 1))[0]:.0f}" y="{height - edge + 18}">{s}</text>' for s in seconds]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<path d="M{edge},{edge} V{height - edge} H{width - edge}" fill="none" stroke="#888"/>',
        f'<polyline points="{line}" fill="none" stroke="#2a6f97"/>',
        *(dot(name, cost, "#2a6f97") for name, cost in points),
        dot("plain Splink 5", plain, "#c1121f"),
        *ticks,
        f'<text x="{width / 2:.0f}" y="{height - 12}">CPU seconds, training included</text>',
        f'<text x="{edge}" y="{edge - 14}">F1 of pairs in clusters, by pairs per record that each blocking rule may propose</text>',
        "</svg>\n",
    ])  # fmt: skip


def main() -> None:
    """Print the table, or draw the frontier."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", default="", help="link this file instead; its truth is in the column cluster")
    parser.add_argument("--model", default="", help="with --file: MODEL.ours and MODEL.splink are used")
    parser.add_argument("--only", default="million,orders", help="further rows of the table, by comma; empty for none")
    parser.add_argument("--frontier", type=Path, help="draw F1 against CPU into this SVG file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [("", Task(asked.file, asked.model))] if asked.file else tasks(Path(folder), asked.only.split(","))
        if asked.frontier:
            frontier(next(task.file for _, task in rows), asked.frontier)
        else:
            table(rows)


if __name__ == "__main__":
    main()
