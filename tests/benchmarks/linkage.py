"""CPU seconds and peak memory of linkage, with plain Splink in one run beside it.

    python -m tests.benchmarks.linkage [--file records.parquet | --people 50000] [--model model.json]

Each contender runs in a process of its own, so that its CPU seconds and its peak memory are its own. Plain Splink is given
what an expert gives it: the same standardised records, library comparisons, eight blocking rules, EM, components at .99.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from resolver import standard_form
from resolver.linkage import LinkageModel, link
from resolver.linkage.tables import read
from tests.benchmarks.ship_model import told

RULES = (("mailbox",), ("phone_key",), ("family_key", "postcode"), ("given_name", "birth_digits"),
         ("family_key", "birth_digits"), ("given_name", "family_key", "district"), ("address", "given_name"),
         ("given_name", "family_key", "birth_year"))  # fmt: skip


def ours(file: str, model: str) -> pl.DataFrame:
    answer = link(file, model=LinkageModel.load(model) if model else None)
    return pl.DataFrame(answer.clusters.select(["id", "cluster"]))


def plain_splink(file: str, _: str) -> pl.DataFrame:
    rows = read(file)
    connection = duckdb.connect(config={"threads": 2})
    connection.register("told", rows.people)
    standard_form.people(connection, "told", "people")
    settings = SettingsCreator(
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
    linker = Linker(DuckDBAPI(connection).register("people"), settings, log_level=None)
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("mailbox", "given_name")], recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    training.estimate_parameters_using_expectation_maximisation(block_on("mailbox"), max_pairs=1e6)
    training.estimate_parameters_using_expectation_maximisation(block_on("family_key", "postcode"), max_pairs=1e6)
    predicted = linker.inference.predict(threshold_match_probability=0.99)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.99)
    answer = (
        found.as_duckdbpyrelation().pl().select(pl.col("record").alias("record"), pl.col("cluster_id").alias("cluster"))
    )
    ids = pl.DataFrame({"record": rows.people["record"].to_pylist(), "id": rows.id.to_pylist()})
    return ids.join(answer, on="record").select("id", "cluster")


def figures(
    contender: Callable[[str, str], pl.DataFrame], file: str, model: str, answers: "multiprocessing.Queue[str]"
) -> None:
    began = time.process_time()
    found = contender(file, model)
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    answers.put(f"{contender.__name__:14} {spent:7.1f} CPU s  {peak:5.2f} GiB  {_score(found, file)}")


def _score(found: pl.DataFrame, file: str) -> str:
    frame = pl.read_parquet(file)
    if "cluster" not in frame.columns:
        return ""
    both = frame.select("id", pl.col("cluster").alias("truth")).join(found, on="id")
    joined, true, right = (
        sum(n * (n - 1) // 2 for n in both.group_by(by).len()["len"])
        for by in (["cluster"], ["truth"], ["cluster", "truth"])
    )
    precision, recall = right / max(joined, 1), right / max(true, 1)
    return f"P {precision:.3f} R {recall:.3f} F1 {2 * precision * recall / max(precision + recall, 1e-9):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", default="")
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--model", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = asked.file or str(Path(folder) / "records.parquet")
        if not asked.file:
            frame = told(asked.people, 1, Path(folder)).drop("difficulties").rename({"person_id": "cluster"})
            frame.write_parquet(file)
        context = multiprocessing.get_context("spawn")
        for contender in (ours, plain_splink):
            answers: multiprocessing.Queue[str] = context.Queue()
            process = context.Process(target=figures, args=(contender, file, asked.model, answers))
            process.start()
            print(answers.get())
            process.join()


if __name__ == "__main__":
    main()
