"""Everything that touches Splink: which level each pair reaches, and the charts that explain a model and a pair.

Splink writes the SQL from our comparison specification and DuckDB runs it; the parameters come from our own mixture
(see mixture.py), so Splink's estimation is not used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from splink import DuckDBAPI, Linker
from splink.internals.charts import SplinkChart, WaterfallChart
from splink.internals.comparison_vector_values import compute_comparison_vector_values_from_id_pairs_sqls
from splink.internals.pipeline import CTEPipeline

from resolver.linkage.blocking import Pairs, unpacked
from resolver.linkage.comparisons import Comparison

CHUNK = 4_000_000
Levels = NDArray[np.uint8]
Chart = SplinkChart


def settings(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The comparisons as Splink settings, without parameters."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "comparisons": [_comparison(c) for c in comparisons],
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    missing = {"sql_condition": comparison.missing, "label_for_charts": "missing", "is_null_level": True}
    levels = [{"sql_condition": level.sql, "label_for_charts": level.name} for level in comparison.levels]
    return {"output_column_name": comparison.name, "comparison_levels": [missing, *levels]}


class Comparer:
    """Compares pairs of the records in the table `linkage_record` of a connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, comparisons: Sequence[Comparison]) -> None:
        self._connection = connection
        self._comparisons = comparisons
        self._query = _levels_sql(connection, comparisons)

    def levels(self, pairs: Pairs) -> Levels:
        """The level that every packed, sorted pair reaches: one row per comparison, one column per pair.

        0 is missing, 1 the strongest level, and so on in the order of the comparison's levels.
        """
        reached = np.empty((len(self._comparisons), pairs.size), np.uint8)
        for start in range(0, pairs.size, CHUNK):
            chunk = pairs[start : start + CHUNK]
            reached[:, start : start + chunk.size] = self._levels_of(chunk)
        return reached

    def _levels_of(self, pairs: Pairs) -> Levels:
        left, right = unpacked(pairs)
        rows = pa.table({"join_key_l": left.astype(np.int32), "join_key_r": right.astype(np.int32)})
        self._connection.register("linkage_pairs", rows)
        found = self._connection.execute(self._query).fetchnumpy()
        self._connection.unregister("linkage_pairs")
        packed = (found["unique_id_l"].astype(np.uint64) << np.uint64(32)) | found["unique_id_r"].astype(np.uint64)
        place = np.searchsorted(pairs, packed)
        reached = np.empty((len(self._comparisons), pairs.size), np.uint8)
        for row, comparison in zip(reached, self._comparisons, strict=True):
            gamma = found[f"gamma_{comparison.name}"]
            row[place] = np.where(gamma < 0, 0, len(comparison.levels) - gamma)
        return reached


def _levels_sql(connection: duckdb.DuckDBPyConnection, comparisons: Sequence[Comparison]) -> str:
    linker = Linker(DuckDBAPI(connection).register("linkage_record"), settings(comparisons), log_level=None)
    parsed = linker._settings_obj
    pipeline = CTEPipeline()
    pipeline.enqueue_sql("select '0' as match_key, * from linkage_pairs", "__splink__blocked_id_pairs")
    pipeline.enqueue_list_of_sqls(
        compute_comparison_vector_values_from_id_pairs_sqls(
            parsed._columns_to_select_for_blocking,
            parsed._columns_to_select_for_comparison_vector_values,
            input_tablename_l="linkage_record",
            input_tablename_r="linkage_record",
            source_dataset_input_column=None,
            unique_id_input_column=parsed.column_info_settings.unique_id_input_column,
        )
    )
    return str(pipeline.generate_cte_pipeline_sql())


def match_weights_chart(
    connection: duckdb.DuckDBPyConnection,
    comparisons: Sequence[Comparison],
    trained: Mapping[str, Sequence[tuple[float, float]]],
    prior: float,
) -> Chart[Any]:
    """Splink's chart of match weights for (m, u) per comparison and level.

    The connection has the table `linkage_record`, which may be empty.
    """
    drawn = settings(comparisons)
    drawn["probability_two_random_records_match"] = prior
    for comparison in drawn["comparisons"]:
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for level, (m, u) in zip(levels, trained[comparison["output_column_name"]], strict=True):
            level |= {"m_probability": m, "u_probability": u}
    linker = Linker(DuckDBAPI(connection).register("linkage_record"), drawn, log_level=None)
    return linker.visualisations.match_weights_chart()


def match_weights_histogram(
    connection: duckdb.DuckDBPyConnection, comparisons: Sequence[Comparison], judged: pa.Table
) -> Chart[Any]:
    """Splink's histogram of the match weights of judged pairs. The connection has the table `linkage_record`."""
    api = DuckDBAPI(connection)
    linker = Linker(api.register("linkage_record"), settings(comparisons), log_level=None)
    weights = linker.table_management.register_table_predict(api.register(judged.select(["match_weight"])))
    return linker.visualisations.match_weights_histogram(weights)


@dataclass(frozen=True)
class Bar:
    """One part of a match weight: the comparison, the level reached, its weight in bits, what both records tell."""

    name: str
    level: str
    weight: float
    left: str = ""
    right: str = ""


def waterfall_chart(pairs: Sequence[Sequence[Bar]]) -> Chart[Any]:
    """Splink's chart of how match weights come about: for every pair its bars, the first the prior, the last the sum.

    Splink would make the bars of its own model's parameters; these are ours.
    """
    records = [
        {
            "record_number": number, "bar_sort_order": place, "column_name": bar.name, "label_for_charts": bar.level,
            "log2_bayes_factor": bar.weight, "bayes_factor": 2.0**bar.weight, "value_l": bar.left, "value_r": bar.right,
        }
        for number, bars in enumerate(pairs)
        for place, bar in enumerate(bars)
    ]  # fmt: skip
    return _Waterfall(records)


class _Waterfall(WaterfallChart):
    """Splink's slider has a stop for every bar; this one has a stop for every pair."""

    @property
    def chart_spec(self) -> dict[str, Any]:
        drawn = super().chart_spec
        drawn["params"][0]["bind"]["max"] = max((row["record_number"] for row in self.chart_data), default=0)
        return drawn
