"""`resolver link`: who is who in any table of people, without labels and without configuration."""

from pathlib import Path
from typing import Annotated

import tomlkit
import typer

from resolver import policy as decided
from resolver.cli import shown
from resolver.cli.exits import Exit, complain, explained
from resolver.linkage import Linkage, LinkageModel, LinkagePolicy, WrongModel, link
from resolver.linkage.columns import UnknownField
from resolver.linkage.engine import Threshold
from resolver.linkage.tables import Unreadable
from resolver.policy import WrongPolicy


def link_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, Parquet or NDJSON of person records.")],
    out: Annotated[Path, typer.Option(help="Parquet to write: source, id, cluster, review; one row per input row.")],
    pairs: Annotated[Path | None, typer.Option(help="Parquet to write: every judged pair with its evidence.")] = None,
    ids: Annotated[str | None, typer.Option("--id", metavar="COL", help="Column with the record's id.")] = None,
    source: Annotated[str | None, typer.Option(metavar="COL", help="Column that names the record's source.")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COL=FIELD", help="What a column holds, if its name does not tell."),
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(metavar="COL,COL", help="Further columns to compare, at most four.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="policy.toml; its [linkage] is used.")] = None,
    model: Annotated[Path | None, typer.Option(help="A linkage model to use instead of training one.")] = None,
    threshold: Annotated[str, typer.Option(help="`auto`, or a match probability above which clusters join.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="For what is drawn at random in training.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output, for programs.")
    ] = False,
) -> None:
    """Work out which rows of a table of people are one person. Needs no labels and no configuration.

    Beside OUT it writes the policy and the model that were used, to be edited and passed back.
    """
    with explained(as_json):
        try:
            _check_folders(out, pairs)
            linkage = link(
                files,
                id=ids,
                source=source,
                columns=_mapping(columns or []),
                also=[name.strip() for names in also or [] for name in names.split(",") if name.strip()],
                policy=_linkage(policy) if policy else None,
                model=LinkageModel.load(model) if model else None,
                threshold=_threshold(threshold),
                seed=seed,
            )
        except (Unreadable, UnknownField, WrongModel, FileNotFoundError) as error:
            complain(str(error), as_json=as_json)
            raise typer.Exit(Exit.WRONG_USAGE) from error
        written = _written(linkage, out, pairs)
    shown.linked(linkage.summary(), written, as_json=as_json)


def _check_folders(*written: Path | None) -> None:
    """Hours of work are not to be lost because nobody can write them down."""
    for path in written:
        if path and not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: there is no folder {path.parent}")


def _mapping(told: list[str]) -> dict[str, str]:
    mapping = dict(pair.partition("=")[::2] for pair in told)
    if not all(mapping.values()):
        raise WrongPolicy("--map takes COLUMN=FIELD, e.g. --map surname_at_birth=family_name")
    if len(mapping) < len(told):
        raise WrongPolicy("--map names a column twice; a column holds one field")
    return mapping


def _linkage(policy: Path) -> LinkagePolicy:
    """What [linkage] says; where it is silent, the defaults of a table, not those of profiles."""
    return LinkagePolicy.model_validate(decided.read(policy).linkage.model_dump(exclude_unset=True))


def _threshold(told: str) -> Threshold:
    if told == "auto":
        return "auto"
    try:
        probability = float(told)
    except ValueError:
        probability = -1.0
    if not 0 < probability < 1:
        raise WrongPolicy(f"--threshold {told}: write auto, or a probability between 0 and 1")
    return probability


def _written(linkage: Linkage, out: Path, pairs: Path | None) -> dict[str, Path]:
    written = {"clusters": out, "model": out.with_suffix(".model.json"), "policy": out.with_suffix(".policy.toml")}
    linkage.save_clusters(out)
    linkage.model.save(written["model"])
    chosen = linkage.policy.model_dump(mode="json", exclude_none=True)
    written["policy"].write_text(tomlkit.dumps({"linkage": chosen}), encoding="utf-8")
    if pairs:
        linkage.save_pairs(pairs)
        written["pairs"] = pairs
    return written
