"""Write a population to a folder, block by block: what is in memory is one chunk, whatever the size."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from connectors.sandbox.population import story
from connectors.sandbox.population.block import Block
from connectors.sandbox.population.numbers import check_room
from connectors.sandbox.population.sheet import Count
from connectors.sandbox.population.spec import PopulationSpec
from connectors.sandbox.population.tables import BlockTables, draw

TABLES = ("people", "records", "truth", "orders", "loyalty", "loyalty_entries", "consents")
Progress = Callable[[int, int], None]
"""Called with the people written so far and the people in all."""


@dataclass(frozen=True)
class Summary:
    """What was written: rows per table, records per (system, object), and per difficulty what could and did happen."""

    people: int
    rows: Mapping[str, int]
    records: Mapping[str, int]
    difficulties: Mapping[str, Count]

    def rate(self, difficulty: str) -> float:
        """The measured rate of a difficulty, 0 where it could not occur."""
        count = self.difficulties[difficulty]
        return count.affected / count.eligible if count.eligible else 0.0


def tables(spec: PopulationSpec, block: int) -> BlockTables:
    """All tables of one block, made without any other. Block 0 holds the protagonists."""
    size = spec.block_size(block)
    if block:
        return draw(Block(spec, block, size))
    drawn = draw(Block(spec, block, size - story.people()))
    return BlockTables(story.plant(spec, drawn.tables), drawn.counts)


def write(
    spec: PopulationSpec, directory: Path, progress: Progress = lambda done, total: None, blocks_per_chunk: int = 2
) -> Summary:
    """Write the population's Parquet files, `spec.json` and `summary.json` into `directory`, which is made if needed.

    A chunk of blocks becomes one row group of each file. Files of the same names are replaced.
    Raises OSError, and ValueError when a country has too few numbers for its people.
    """
    check_room(spec)
    directory.mkdir(parents=True, exist_ok=True)
    tally = _Tally()
    sinks: dict[str, pq.ParquetWriter] = {}
    try:
        for first in range(0, spec.blocks, blocks_per_chunk):
            last = min(first + blocks_per_chunk, spec.blocks)
            _write_chunk(spec, range(first, last), directory, sinks, tally)
            progress(min(last * spec.block_people, spec.people), spec.people)
    finally:
        for sink in sinks.values():
            sink.close()
    summary = tally.summary(spec)
    _note(directory / "spec.json", spec.model_dump(mode="json"))
    _note(directory / "summary.json", _as_json(summary))
    return summary


def write_people(people: int, seed: int, directory: Path, progress: Progress = lambda done, total: None) -> Summary:
    """Write a population of `people` with the default rates, systems and countries. See `write`."""
    return write(PopulationSpec(people=people, seed=seed), directory, progress)


def _write_chunk(
    spec: PopulationSpec, blocks: range, directory: Path, sinks: dict[str, pq.ParquetWriter], tally: "_Tally"
) -> None:
    """Draw some blocks, write them as one row group of each file, and let go of them."""
    chunk = [tables(spec, number) for number in blocks]
    tally.add(chunk)
    for name in TABLES:
        _append(sinks, directory, name, pl.concat([block.tables[name] for block in chunk]))


def _append(sinks: dict[str, pq.ParquetWriter], directory: Path, name: str, frame: pl.DataFrame) -> None:
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    if name not in sinks:
        sinks[name] = pq.ParquetWriter(directory / f"{name}.parquet", table.schema, compression="zstd")
    sinks[name].write_table(table, row_group_size=max(len(frame), 1))


class _Tally:
    def __init__(self) -> None:
        self.rows = dict.fromkeys(TABLES, 0)
        self.records: dict[str, int] = {}
        self.counts: dict[str, Count] = {}

    def add(self, chunk: list[BlockTables]) -> None:
        """Count the blocks of a chunk."""
        for block in chunk:
            for name in TABLES:
                self.rows[name] += len(block.tables[name])
            for system, kind, count in block.tables["records"].group_by("system", "object").len().iter_rows():
                key = f"{system}:{kind}"
                self.records[key] = self.records.get(key, 0) + count
            for name, found in block.counts.items():
                self.counts[name] = self.counts.get(name, Count(0, 0)) + found

    def summary(self, spec: PopulationSpec) -> Summary:
        return Summary(spec.people, self.rows, dict(sorted(self.records.items())), dict(sorted(self.counts.items())))


def _as_json(summary: Summary) -> dict[str, Any]:
    return {
        "people": summary.people,
        "rows": summary.rows,
        "records": summary.records,
        "difficulties": {
            name: {"eligible": count.eligible, "affected": count.affected}
            for name, count in summary.difficulties.items()
        },
    }


def _note(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
