"""What a person sees: progress while a command works, tables when it ends. With --json the same answer as JSON."""

import difflib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from connectors.sandbox.population import Summary
from resolver.explain import Answer
from resolver.publish import Planned
from resolver.run import Progress, silent

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_DIFF_LINES = 40
_RULES = 12


def console() -> Console:
    """Standard output, as wide as the terminal and at least 100 columns."""
    plain = Console(emoji=False)  # else the :receipt: of a record key becomes a picture
    return plain if plain.is_terminal else Console(emoji=False, width=max(plain.width, 120))


def as_json_document(answer: object) -> None:
    """One JSON document on standard output."""
    typer.echo(orjson.dumps(answer, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())


@contextmanager
def progress(*, as_json: bool) -> Iterator[Progress]:
    """Bars on a terminal; a line per step elsewhere; nothing for programs."""
    if as_json:
        yield silent
    elif sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


@contextmanager
def _bars() -> Iterator[Progress]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def report(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield report


def _lines() -> Progress:
    seen: set[str] = set()

    def report(step: str, done: int, total: int | None) -> None:
        if step not in seen:
            seen.add(step)
            typer.echo(f"{step} ...", err=True)

    return report


def table(
    title: str, rows: Sequence[Mapping[str, object]], *, columns: Sequence[str] = (), out: Console | None = None
) -> None:
    """Rows as a table; nothing where there are none."""
    if not rows:
        return
    names = columns or list(rows[0])
    grid = Table(title=title, title_justify="left", header_style="bold")
    for name in names:
        grid.add_column(
            name.replace("_", " "), justify="right" if _is_number(rows[0][name]) else "left", overflow="fold"
        )
    for row in rows:
        grid.add_row(*(_cell(row[name]) for name in names))
    (out or console()).print(grid)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any) -> str:  # noqa: ANN401, PLR0911  one line per kind of value
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.2f}"
        case int():
            return f"{value:,}"
        case {"judge": _} | {"alone": _} | {"gone": _} | {"moved_to": _}:
            return escape(_visible(_because(value)))
        case dict() | list():
            return escape(_visible(orjson.dumps(value, default=str).decode()))
        case _:
            return escape(_visible(str(value)))


def _visible(text: str) -> str:
    """The text, with what a terminal would obey instead of showing it as its code: payloads hold anything."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def made_workspace(folder: Path, *, as_json: bool) -> None:
    """What `init` made and what to do next."""
    if as_json:
        as_json_document({"workspace": str(folder)})
        return
    out = console()
    out.print(f"Made a workspace in [bold]{escape(str(folder))}[/bold]: site.toml, policy.toml and an empty warehouse.")
    out.print(f"Next: name your sources in site.toml, then run  resolver run -w {escape(str(folder))}", highlight=False)


def made_rehearsal(folder: Path, *, as_json: bool) -> None:
    """What `resolver sandbox workspace` made, and what comes next."""
    if as_json:
        as_json_document({"workspace": str(folder)})
        return
    where = escape(str(folder))
    out = console()
    out.print(f"Made a workspace in [bold]{where}[/bold]: people, drops, and a site.toml that names their sandboxes.")
    out.print(f"Next: resolver sandbox serve -w {where} &", highlight=False)
    out.print(f"then: resolver run -w {where}", highlight=False)


def run(answer: Answer, *, as_json: bool) -> None:
    """What a run did."""
    if as_json:
        as_json_document(answer)
        return
    out = console()
    table("Landed in this run", answer["landed"], out=out)
    _compared(answer["compared"], out)
    table("Sent in this run", answer["sent"], out=out)
    for trouble in (answer["counts"] or {}).get("troubles", []):
        out.print(f"[yellow]{escape(_visible(trouble))}[/yellow]")
    if "read_again" in answer:
        _read_again(answer["read_again"], answer["still_waiting"], out)
    out.print(f"Run {answer['run_id']} ({answer['command']}): [bold]{answer['outcome']}[/bold]")


def _read_again(before: int, after: int, out: Console) -> None:
    """What became of the quarantine."""
    if not before:
        out.print("There was nothing in quarantine to read again.")
    elif not after:
        out.print(f"{before:,} refused payloads were read again, and all of them could be read.")
    else:
        out.print(f"{before:,} refused payloads were read again; of {after:,} resolver quarantine still says why not.")


def _compared(reads: Sequence[Mapping[str, Any]], out: Console) -> None:
    """What full reads found beside their records; a sentence where that is nothing."""
    told = [row for row in reads if row["missed_by_deltas"] or row["no_longer_there"] or row["there_but_not_listed"]]
    table("Full reads, compared with what had landed", told, out=out)
    if reads and not told:
        out.print("Full reads found nothing that deltas had missed, and nothing gone.")


def quarantine(answer: Answer, *, as_json: bool) -> None:
    """What has not come through, and why."""
    if as_json:
        as_json_document(answer)
        return
    out = console()
    refused = [{**row, "reasons": _said(row["reasons"])} for row in answer["refused"]]
    table("Refused payloads", refused, out=out)
    table("Waiting for another record", answer["waiting"], out=out)
    for told, name in (("refused", "refused payloads"), ("waiting", "waiting records")):
        if len(answer[told]) < answer[f"{told}_in_all"]:
            out.print(f"{len(answer[told]):,} of {answer[f'{told}_in_all']:,} {name} are shown; --limit shows more.")
    if not refused and not answer["waiting"]:
        out.print("Nothing is refused." if answer["landed_since"] else "Nothing is refused, and nothing waits.")
    if answer["landed_since"]:
        out.print("Records have landed since the last resolution: what waits for another one shows after it.")


def _said(reasons: Sequence[Mapping[str, str]]) -> str:
    return "; ".join(": ".join(filter(None, (reason["path"], reason["problem"]))) for reason in reasons)


def status(answer: Answer, *, as_json: bool) -> None:
    """How the warehouse stands."""
    if as_json:
        as_json_document(answer)
        return
    out = console()
    table("Sources", answer["sources"], out=out)
    table("Refused, and why", answer["refusal_reasons"], out=out)
    table("The warehouse", [answer["totals"]], out=out)
    table("Records, by what ties them to their profile", answer["joins"], out=out)
    table("Conflicts that wait for a steward", answer["conflicts"], out=out)
    table("Messages", answer["publications"], out=out)
    table("Waiting and refused messages", answer["outbox"], out=out)
    table("Refused messages", answer["error_queue"], out=out)
    table("Latest runs", answer["runs"], columns=("run_id", "command", "began_at", "ended_at", "outcome"), out=out)


def record(answer: Answer, *, as_json: bool) -> None:
    """Why a record is where it is."""
    if as_json:
        as_json_document(answer)
        return
    out = console()
    out.print(
        f"[bold]{escape(answer['record'])}[/bold] belongs to profile [bold]{answer['profile']}[/bold]", highlight=False
    )
    told = ("name", "email", "phone", "birth_date", "address", "loyalty_number", "kept_out", "is_person")
    table(
        "As told",
        [{"field": name, "value": answer[name]} for name in told if answer[name] not in (None, "", [])],
        out=out,
    )
    table("Identifiers", answer["identifiers"], out=out)
    _judgements("Judgements", answer["judgements"], out)
    table("Moves", answer["moves"], columns=("recorded_at", "change", "profile", "because", "run_id"), out=out)


def pair(answer: Answer, *, as_json: bool) -> None:
    """Why two records are, or are not, one person."""
    if as_json:
        as_json_document(answer)
        return
    out = console()
    verdict = "one person" if answer["together"] else "not one person"
    out.print(
        f"[bold]{escape(answer['left']['record'])}[/bold] and "
        f"[bold]{escape(answer['right']['record'])}[/bold]: {verdict}"
    )
    table("The two", [answer["left"], answer["right"]], columns=("record", "name", "profile"), out=out)
    shared = ("kind", "value", "people", "usable", "guard", "household")
    table("Identifiers in common", answer["shared"], columns=shared, out=out)
    _judgements("Judgements about this pair", answer["judgements"], out)
    table("How they are tied", answer["path"], out=out)
    table("Open conflicts between their profiles", answer["conflicts"], columns=("kind", "rule", "candidates"), out=out)
    if not answer["judgements"] and not answer["together"]:
        out.print(
            "No rule joins them, and the linkage model never proposed the pair or gave it less than the policy keeps."
        )


def _judgements(title: str, judgements: Sequence[Answer], out: Console) -> None:
    flat = [
        {
            **({"with": j["other"]} if "other" in j else {}),
            "verdict": j["verdict"],
            "judge": j["judge"],
            "match_probability": j["evidence"].get("match_probability"),
            "evidence": _evidence(j["evidence"]),
            "run": j["run_id"],
        }
        for j in judgements
    ]
    table(title, flat, out=out)


def _evidence(evidence: Mapping[str, Any]) -> str:
    if "levels" not in evidence:
        return ", ".join(f"{name}: {value}" for name, value in evidence.items())
    against = [f"contradiction: {evidence['contradiction']}"] if "contradiction" in evidence else []
    parts = [f"{name}: {part['level']} ({part['weight']:+.1f} bits)" for name, part in evidence["levels"].items()]
    return "\n".join(against + parts)


def _because(reason: Mapping[str, Any]) -> str:
    if "judge" not in reason:
        return ", ".join(
            name.replace("_", " ") + ("" if value is True else f" {value}") for name, value in reason.items()
        )
    weight = "" if reason.get("log_odds") is None else f", log-odds {reason['log_odds']:.1f}"
    return f"{reason['judge']} with {reason['with']}{weight}"


def profile(answer: Answer, *, as_json: bool) -> None:
    """How a profile came to be."""
    if as_json:
        as_json_document(answer)
        return
    out = console()
    heir = f", superseded by {answer['superseded_by']}" if answer["superseded_by"] else ""
    out.print(
        f"Profile [bold]{answer['profile']}[/bold], version {answer['version']}, {answer['state']}{heir}",
        highlight=False,
    )
    golden = answer["golden"]
    told_by = {p["field"]: p for p in golden.get("provenance", [])}
    fields = [
        {
            "field": name,
            "value": value,
            "from": told_by.get(name, {}).get("record"),
            "rule": told_by.get(name, {}).get("rule"),
        }
        for name, value in golden.items()
        if name not in ("profile", "provenance") and value not in (None, [])
    ]
    table("Golden fields", fields, out=out)
    table("Records", answer["members"], columns=("record", "because", "run_id"), out=out)
    table("Loyalty", answer["loyalty"], out=out)
    table("Consent", answer["consent"], out=out)
    table("Open conflicts", answer["conflicts"], columns=("kind", "attribute", "rule", "candidates"), out=out)
    table("History", answer["history"], columns=("recorded_at", "event", "detail", "run_id"), out=out)
    table(
        "Published",
        answer["publications"],
        columns=("destination", "object", "target_key", "sequence", "state"),
        out=out,
    )


def plans(planned: Mapping[str, Sequence[Planned]], *, as_json: bool) -> None:
    """What a publication would send."""
    if as_json:
        as_json_document({name: [message.__dict__ for message in messages] for name, messages in planned.items()})
        return
    out = console()
    for name, messages in planned.items():
        out.print(f"[bold]{name}[/bold]: {len(messages)} messages would be sent")
        for message in messages[:_DIFF_LINES]:
            out.print(f"{message.object} {message.target_key} (profile {message.profile})", highlight=False)
            for line in _diff(message):
                out.print(f"  [{'green' if line.startswith('+') else 'red'}]{escape(line)}[/]", highlight=False)
        if len(messages) > _DIFF_LINES:
            out.print(f"... and {len(messages) - _DIFF_LINES} more; --json shows all of them.")


def _diff(message: Planned) -> list[str]:
    held = _pretty(message.held) if message.held else []
    lines = difflib.unified_diff(held, _pretty(message.payload), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def _pretty(payload: str) -> list[str]:
    return orjson.dumps(orjson.loads(payload), option=orjson.OPT_INDENT_2).decode().splitlines()


def served(urls: Mapping[str, str], *, as_json: bool) -> None:
    """Where the sandbox answers; the first line that a waiting program reads."""
    if as_json:
        typer.echo(orjson.dumps({"serving": dict(urls)}).decode())
        return
    table(
        "The sandbox answers until you press Ctrl-C", [{"vendor": name, "address": url} for name, url in urls.items()]
    )


def population(folder: Path, summary: Summary, *, as_json: bool) -> None:
    """What a written population holds."""
    if as_json:
        as_json_document({"folder": str(folder), **asdict(summary)})
        return
    out = console()
    table(f"A population of {summary.people:,} people in {folder}", _counted("table", summary.rows), out=out)
    table("Records", _counted("system and object", summary.records), out=out)
    found = [
        {"difficulty": name, "could": count.eligible, "did": count.affected}
        for name, count in summary.difficulties.items()
    ]
    table("Difficulties", found, out=out)


def _counted(what: str, numbers: Mapping[str, int]) -> list[dict[str, object]]:
    return [{what: name, "rows": number} for name, number in numbers.items()]


def linked(summary: Answer, written: Mapping[str, Path], *, as_json: bool) -> None:
    """What was understood of a table of people, what came out, and where it is."""
    if as_json:
        as_json_document({**summary, "written": {what: str(path) for what, path in written.items()}})
        return
    out = console()
    fields = [{"column": column, "understood as": field} for field, column in summary["fields"].items()]
    fields += [{"column": column, "understood as": "compared as it is"} for column in summary["further"]]
    fields += [{"column": column, "understood as": "- (not used; --map or --also)"} for column in summary["unused"]]
    table("What the columns hold", fields, out=out)
    for warning in summary["warnings"]:
        out.print(f"[yellow]{escape(warning)}[/yellow]")
    rules = list(summary["blocking"].items())[:_RULES]
    table(
        f"Blocking rules, at most {summary['pairs_per_record']:g} pairs per record each",
        [{"records agree on": rule, "judged pairs": pairs} for rule, pairs in rules],
        out=out,
    )
    figures = ("records", "clusters", "largest", "review", "compared", "judged", "model")
    table("Who is who", [{"": name, "figure": summary[name]} for name in figures], out=out)
    table("Written", [{"what": what, "file": path} for what, path in written.items()], out=out)


def asked(number: int, out: Path, *, as_json: bool) -> None:
    """Where the pairs are that a steward is asked about."""
    if as_json:
        as_json_document({"pairs": number, "written": str(out)})
        return
    console().print(
        f"{number} pairs to judge are in {escape(str(out))}: write yes or no into the column match, "
        f"then  resolver evaluate PAIRS --labels {escape(str(out))}",
        highlight=False,
    )


def quality(found: Answer, *, as_json: bool) -> None:
    """Precision, recall, F1 and blocking recall with their intervals."""
    if as_json:
        as_json_document(found)
        return
    rows = [
        {"figure": name.replace("_", " "), **found[name]} for name in ("precision", "recall", "f1", "blocking_recall")
    ]
    figures = [{name: value if name == "figure" else f"{value:.4f}" for name, value in row.items()} for row in rows]
    table(f"Quality of the clusters, 95 % intervals, from {found['labels']} labels", figures)
