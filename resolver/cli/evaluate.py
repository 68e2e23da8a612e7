"""`resolver evaluate`: how good a linkage is, from no labels, few or many."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from resolver.cli import shown
from resolver.cli.exits import Exit, complain, explained
from resolver.linkage import quality
from resolver.linkage.quality import NothingToEstimate

_MATCH = "match"
_SIDES = ("left", "right")


class WrongLabels(ValueError):
    """The file with the steward's answers cannot be used; the text says why."""


def evaluate_command(
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="What `resolver link --pairs` wrote.")],
    ask: Annotated[int | None, typer.Option(min=2, help="Write a sample of this many pairs for a steward.")] = None,
    out: Annotated[Path, typer.Option(help="CSV for the sample; `match` is to be filled in.")] = Path("ask.csv"),
    labels: Annotated[Path | None, typer.Option(help="That CSV with `match` filled in: yes or no.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which sample.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, for programs.")] = False,
) -> None:
    """Precision, recall and F1 of the clusters with 95 % intervals, and how much of it all blocking found.

    Without labels, what labelled data sets taught stands in, and the intervals are as wide as those sets differ. With
    --ask it writes a stratified sample to judge by hand, both records side by side; --labels reads it back. Records
    that tell the very same count once.
    """
    with explained(as_json):
        try:
            considered = quality.considered(_judged(pairs))
            if ask:
                asked = _asked(considered, ask, seed, out)
                shown.asked(asked, out, as_json=as_json)
                return
            found = quality.estimate(considered, _labels(labels), seed)
        except (NothingToEstimate, WrongLabels) as error:
            complain(str(error), as_json=as_json)
            raise typer.Exit(Exit.WRONG_USAGE) from error
    shown.quality(asdict(found), as_json=as_json)


def _judged(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise NothingToEstimate(f"{path}: no Parquet file such as `resolver link --pairs` writes") from error


def _asked(considered: pa.Table, size: int, seed: int, out: Path) -> int:
    """Write the sample: what is to be filled in, who the two records are, and field by field what both tell."""
    sample = pl.DataFrame(quality.sample(considered, size, seed))
    fields = sample["left"].struct.fields if "left" in sample.columns else []
    told = [name for name in fields if any(sample[side].struct.field(name).is_not_null().any() for side in _SIDES)]
    beside = [pl.col(side).struct.field(name).alias(f"{side}_{name}") for name in told for side in _SIDES]
    sample.select(pl.lit("").alias(_MATCH), "stratum", *quality.PAIR, *beside).write_csv(out)
    return sample.height


def _labels(path: Path | None) -> pa.Table:
    if path is None:
        return pa.table({"stratum": pa.array([], pa.int64()), _MATCH: pa.array([], pa.bool_())})
    try:
        told = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise WrongLabels(f"{path}: {error}") from error
    if not {"stratum", _MATCH} <= set(told.columns):
        raise WrongLabels(f"{path}: needs the columns stratum and {_MATCH} of the sample that --ask wrote")
    answered = told.with_columns(pl.col(_MATCH).fill_null("").str.strip_chars().str.to_lowercase()).filter(
        pl.col(_MATCH) != ""
    )
    wrong = set(answered[_MATCH]) - {"yes", "no"}
    if wrong:
        raise WrongLabels(
            f"{path}: {_MATCH} is yes or no, or empty where nobody knows; found {', '.join(sorted(wrong))}"
        )
    strata = answered["stratum"].cast(pl.Int64, strict=False)
    if strata.null_count():
        raise WrongLabels(f"{path}: stratum is the number that --ask wrote; it is not to be changed")
    match = pa.array((answered[_MATCH] == "yes").to_list(), pa.bool_())
    return pa.table({"stratum": pa.array(strata.to_list(), pa.int64()), _MATCH: match})
