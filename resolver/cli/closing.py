"""What the demo tells in the end: figures that a shop manager understands, three people's stories, what to try next."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from connectors.sandbox.keys import record_key
from connectors.sandbox.population import Population, Protagonists, protagonists
from resolver import explain
from resolver.cli import shown
from resolver.explain import Answer

_SAYS = {
    "one": "[green]One person.[/green]",
    "apart": "[green]Kept apart.[/green]",
    "review": "[yellow]Not merged, not dismissed: it waits for a steward.[/yellow]",
}
"""What became of a story's records, by what the ledger says of them."""


def tell(
    warehouse: duckdb.DuckDBPyConnection, where: Path, people: Population, answer: Answer, *, as_json: bool
) -> None:
    """The closing page; every figure comes from the ledger."""
    state = explain.status(warehouse)
    stories = [_told(warehouse, story) for story in protagonists(people)]
    if as_json:
        shown.as_json_document({"run": answer, "status": state, "stories": stories})
        return
    out = shown.console()
    _sources(out, answer, state)
    _people(out, answer, state)
    _destinations(out, answer)
    for story in stories:
        _story(out, story)
    _next(out, where, stories)


def _sources(out: Console, answer: Answer, state: Answer) -> None:
    by_object = {(row["source"], row["object"]): row for row in answer["landed"]}
    rows = [
        {
            "source": row["source"],
            "object": row["object"],
            "records": row["records"],
            "new_in_this_run": by_object.get((row["source"], row["object"]), {}).get("landed", 0),
            "refused": row["rejected"],
        }
        for row in state["sources"]
    ]
    shown.table("What the shops and tills said", rows, out=out)
    shown.table("Refused, and why (nothing else was lost)", state["refusal_reasons"], out=out)


def _people(out: Console, answer: Answer, state: Answer) -> None:
    totals = state["totals"]
    figures = [
        ("records that tell of a person", totals["records"]),
        ("pairs compared in this run", answer["counts"].get("pairs_compared", 0)),
        *((f"joined: {row['tied_by']}", row["records"]) for row in state["joins"] if row["tied_by"] != "alone"),
        ("golden profiles", totals["profiles"]),
        ("of these, made of several records", totals["profiles_of_several"]),
        ("profiles merged into an older one", totals["merged_away"]),
        *((f"conflicts waiting: {row['kind']}", row["conflicts"]) for row in state["conflicts"]),
        ("orders and receipts", totals["orders"]),
        ("of these, somebody's", totals["orders_attached"]),
        ("loyalty points", totals["points"]),
    ]
    shown.table("Who is who", [{"": name, "number": number} for name, number in figures], out=out)


def _destinations(out: Console, answer: Answer) -> None:
    if answer["sent"]:
        shown.table("What was sent in this run", answer["sent"], out=out)
    else:
        out.print("[green]Nothing was sent in this run: the destinations know all of this already.[/green]")
    for trouble in answer["counts"].get("troubles", []):
        out.print(f"[yellow]{escape(trouble)}[/yellow]")


def _told(warehouse: duckdb.DuckDBPyConnection, story: Protagonists) -> Answer:
    keys = [record_key(*record) for record in story.records]
    records = [explain.record(warehouse, key) for key in keys]
    pairs = [explain.pair(warehouse, one, other) for i, one in enumerate(keys) for other in keys[i + 1 :]]
    return {
        "title": story.title,
        "why": story.why,
        "outcome": outcome(pairs),
        "records": [{"record": r["record"], "name": r["name"], "profile": r["profile"]} for r in records],
        "ties": [f"{p['left']['record']} - {p['right']['record']}: {said}" for p in pairs if (said := _reason(p))],
    }


def outcome(pairs: Sequence[Answer]) -> str:
    """`review` if any two of the records wait for a steward, `one` if all share a profile, else `apart`."""
    if any(pair["conflicts"] for pair in pairs):
        return "review"
    return "one" if all(pair["together"] for pair in pairs) else "apart"


def _reason(found: Answer) -> str:
    if found["conflicts"]:
        return f"waits for a steward ({found['conflicts'][0]['rule']})"
    for judgement in found["judgements"]:
        if judgement["verdict"] != "non_match":
            return _judgement(judgement, found["together"])
    return ""


def _judgement(judgement: Mapping[str, Any], together: bool) -> str:
    if judgement["judge"].startswith("rule:"):
        return str(judgement["judge"]).removeprefix("rule:").replace("_", " ")
    probability = judgement["evidence"]["match_probability"]
    return f"match probability {probability:.2f}" + ("" if together else ", outweighed by what keeps them apart")


def _story(out: Console, story: Answer) -> None:
    members = "\n".join(f"  {r['profile']}  {r['name'] or '(no name)'}  ({r['record']})" for r in story["records"])
    ties = "\n".join(f"  {tie}" for tie in story["ties"])
    text = f"{escape(story['why'])}\n{_SAYS[story['outcome']]}\n{members}" + (f"\n{ties}" if ties else "")
    out.print(Panel(text, title=escape(story["title"]), title_align="left", width=min(out.width, 110)))


def _next(out: Console, where: Path, stories: Sequence[Answer]) -> None:
    last = [row["record"] for row in stories[-1]["records"]][:2]
    out.print("Next, try:")
    for command in (
        f"resolver explain {stories[0]['records'][0]['profile']} -w {where}",
        f"resolver explain {' '.join(last)} -w {where}",
        f"resolver demo -w {where}        # again: nothing new lands, nothing is sent",
    ):
        out.print(f"  .venv/bin/{command}", highlight=False, markup=False, soft_wrap=True)
