"""Train the linkage model that ships, on a generated population.

    python -m tests.benchmarks.ship_model [--people 10000] [--seed 1]

No label is used. The file holds shares per comparison level and hashed term frequencies; the same people and seed give
the same bytes.
"""

import argparse
import tempfile
from pathlib import Path

import polars as pl

from connectors.sandbox import population
from resolver import linkage

MODEL = Path(linkage.__file__).parent / "shipped_model.json"


def told(people: int, seed: int, folder: Path) -> pl.DataFrame:
    """What shops and tills tell of a generated population, one row per record, with its truth and difficulties."""
    population.write_people(people, seed, folder)
    key = pl.concat_str("system", "object", "source_id", separator=":").alias("id")
    records = pl.read_parquet(folder / "records.parquet").with_columns(key)
    truth = pl.read_parquet(folder / "truth.parquet").with_columns(key).select("id", "person_id", "difficulties")
    dropped = ("object", "source_id", "created_at", "modified_at", "deleted_at")
    return records.drop(dropped).rename({"system": "source"}).join(truth, on="id")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        frame = told(asked.people, asked.seed, Path(folder)).drop("person_id", "difficulties")
    linked = linkage.link(frame, policy=linkage.LinkagePolicy(small=0), seed=asked.seed)
    linked.model.save(MODEL)
    print(f"{MODEL.name}: trained on {linked.model.trained_on} records, {linked.model.content_hash[:12]}")


if __name__ == "__main__":
    main()
