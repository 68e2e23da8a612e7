"""The commands, one per verb. Each ends with a summary for a person, or one JSON document with --json."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from connectors.sandbox import population
from models.facts import Verdict
from models.ports import Source
from resolver import explain, land, pipeline, publish, steward
from resolver.cli import closing, evaluate, link, rehearsal, sandbox, shown, templates, wiring, workspace
from resolver.cli.exits import Exit, explained
from resolver.run import Run
from resolver.site import WrongSite

app = typer.Typer(
    help="Makes one customer out of the five that a retailer's systems know, explains every merge and can undo it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
app.add_typer(sandbox.app, name="sandbox")
app.command("link", epilog="Example: resolver link people.csv --out clusters.parquet")(link.link_command)
app.command("evaluate", epilog="Example: resolver evaluate pairs.parquet --ask 50 --out ask.csv")(
    evaluate.evaluate_command
)

InWorkspace = Annotated[Path, typer.Option("--workspace", "-w", help="Folder with site.toml and policy.toml.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for programs.")]
Here = Path()
DEMO_SOURCES = ("bigcommerce", "commercetools", "pos")
DEMO_DESTINATIONS = ("aptos", "novomind")


def main() -> None:
    """Entry point of the `resolver` command."""
    app()


@app.command(epilog="Example: resolver init shops")
def init(
    folder: Annotated[Path, typer.Argument(help="Where to make the workspace.")] = Here, as_json: AsJson = False
) -> None:
    """Make a workspace: site.toml (where we are), policy.toml (how we decide) and an empty warehouse."""
    with explained(as_json):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((workspace.SITE, templates.SITE), (workspace.POLICY, templates.POLICY)):
            if (folder / name).exists():
                raise FileExistsError(f"{folder / name} is there already. Take another folder, or edit that file.")
            (folder / name).write_text(text, encoding="utf-8")
        with workspace.opened(workspace.read(folder)):
            pass
    shown.made_workspace(folder, as_json=as_json)


@app.command("land", epilog="Example: resolver land bigcommerce --full")
def land_command(
    names: Annotated[list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Only these sources.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what changed.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read the quarantine again, without asking the sources.")
    ] = False,
    where: InWorkspace = Here,
    as_json: AsJson = False,
) -> None:
    """Bring in what the sources say: raw, append-only, once."""
    step = land.again if again else land.everything if full else land.records
    with explained(as_json):
        if full and again:
            raise WrongSite("--full asks the sources for everything, --again asks them for nothing: give one of them.")
        place = workspace.read(where)
        sources = wiring.sources(place.site, where, names or ())
        with workspace.opened(place) as warehouse, shown.progress(as_json=as_json) as progress:
            before = _waiting(warehouse, sources) if again else 0
            with workspace.begun(place, warehouse, "land", progress) as run:
                for source in sources:
                    step(run, source)
            answer = explain.run(warehouse, run.run_id)
            after = _waiting(warehouse, sources) if again else 0
    shown.run({**answer, "read_again": before, "still_waiting": after} if again else answer, as_json=as_json)
    raise typer.Exit(Exit.PARTLY if after else _code(answer))


def _waiting(warehouse: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> int:
    """How many payloads of these sources wait in quarantine."""
    return explain.waiting_in_quarantine(warehouse, [source.name for source in sources])


@app.command(epilog="Example: resolver quarantine bigcommerce --payloads")
def quarantine(
    source: Annotated[str | None, typer.Argument(help="Only what this source said.")] = None,
    payloads: Annotated[bool, typer.Option("--payloads", help="Show each payload as it came: personal data.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    where: InWorkspace = Here,
    as_json: AsJson = False,
) -> None:
    """List refused payloads with their reasons, and records that wait for another one, such as an order's customer.

    After a fix of mapping or code, `resolver land --again` reads the payloads anew, without asking the source.
    """
    with explained(as_json):
        place = workspace.read(where)
        with workspace.opened(place) as warehouse:
            answer = explain.quarantine(warehouse, source, limit)
        if source and source not in place.site.sources and not (answer["refused"] or answer["waiting"]):
            raise WrongSite(f"{source} is not configured, and nothing of it is refused or waits.")
    if not payloads:
        answer = {**answer, "refused": [{k: v for k, v in row.items() if k != "raw"} for row in answer["refused"]]}
    shown.quarantine(answer, as_json=as_json)


@app.command("resolve", epilog="Example: resolver resolve -w shops")
def resolve_command(where: InWorkspace = Here, as_json: AsJson = False) -> None:
    """Work out who everyone is from what has landed: judge, cluster, choose golden fields."""
    _run("resolve", where, lambda run, place: pipeline.resolve(run, ()), as_json=as_json)


@app.command("publish", epilog="Example: resolver publish aptos --dry-run")
def publish_command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[DESTINATION]...", help="Only these destinations.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent, as a diff. Sends nothing.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Send refused messages again, from today's profiles.")] = False,
    where: InWorkspace = Here,
    as_json: AsJson = False,
) -> None:
    """Tell the destinations what changed since they last heard from us."""
    if dry_run:
        _show_plan(where, names or (), as_json=as_json)
        return
    step = publish.rejected_to if again else publish.to

    def tell(run: Run, place: workspace.Workspace) -> None:
        for destination in wiring.destinations(place.site, where, names or ()):
            step(run, destination)

    _run("publish", where, tell, as_json=as_json)


@app.command("judge", epilog="Example: resolver judge pos:member:C1 bigcommerce:customer:42 non_match --steward anna")
def judge_command(
    one: Annotated[str, typer.Argument(metavar="RECORD", help="A record key.")],
    other: Annotated[str, typer.Argument(metavar="RECORD", help="Another one.")],
    verdict: Annotated[Verdict, typer.Argument(help="Are the two one person?")],
    who: Annotated[str, typer.Option("--steward", help="Who says so; kept in the ledger.")],
    why: Annotated[str, typer.Option(help="For whoever asks later.")] = "",
    where: InWorkspace = Here,
    as_json: AsJson = False,
) -> None:
    """Settle who is who as a steward: undo a merge, join what was kept apart. Holds in every later run."""

    def settle(run: Run, place: workspace.Workspace) -> None:
        steward.judge(run, one, other, verdict, who, why)
        pipeline.resolve(run, ())

    _run("judge", where, settle, as_json=as_json)


@app.command("run", epilog="Example: resolver run -w shops --json")
def run_command(where: InWorkspace = Here, as_json: AsJson = False) -> None:
    """Land, resolve and publish: what a scheduler calls."""
    with explained(as_json):
        answer = everything(workspace.read(where), as_json=as_json)
    _end(answer, as_json=as_json)


@app.command("explain", epilog="Example: resolver explain bigcommerce:customer:42 pos:member:C0001001")
def explain_command(
    what: Annotated[str, typer.Argument(metavar="RECORD|PROFILE", help="A record key or a profile id.")],
    other: Annotated[
        str | None, typer.Argument(metavar="[RECORD]", help="Another record: why are the two (not) one?")
    ] = None,
    where: InWorkspace = Here,
    as_json: AsJson = False,
) -> None:
    """Answer why: rule or match weight with its parts, model, run, history. From the ledger."""
    with explained(as_json), workspace.opened(workspace.read(where)) as warehouse:
        if other:
            shown.pair(explain.pair(warehouse, what, other), as_json=as_json)
        elif ":" in what:
            shown.record(explain.record(warehouse, what), as_json=as_json)
        else:
            shown.profile(explain.profile(warehouse, what), as_json=as_json)


@app.command(epilog="Example: resolver status --json")
def status(where: InWorkspace = Here, as_json: AsJson = False) -> None:
    """How the warehouse stands: sources, quarantine, profiles, conflicts, destinations, the latest runs."""
    with explained(as_json), workspace.opened(workspace.read(where)) as warehouse:
        shown.status(explain.status(warehouse), as_json=as_json)


@app.command(epilog="Example: resolver demo --people 600")
def demo(
    where: Annotated[Path, typer.Option("--workspace", "-w", help="Where to make the demo's workspace.")] = Path(
        "workspace/demo"
    ),
    people: Annotated[int, typer.Option(min=20, max=20_000, help="How many people live in the sandbox.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Which people.")] = 1,
    as_json: AsJson = False,
) -> None:
    """The whole way once: sandbox shops and tills, landing, resolution, publication. Run it again: nothing happens."""
    with explained(as_json):
        rehearsal.prepare(where, people, seed, DEMO_SOURCES, DEMO_DESTINATIONS)
        place = workspace.read(where)
        with rehearsal.sandbox_of(where):
            answer = everything(place, as_json=as_json)
        with workspace.opened(place) as warehouse:
            closing.tell(warehouse, where, population.read(where / sandbox.PEOPLE), answer, as_json=as_json)
    # Some payloads of the sandbox are spoilt on purpose: that they are refused is what the demo shows, not a failure.
    raise typer.Exit(Exit.DONE if answer["outcome"] == "done" else Exit.PARTLY)


@sandbox.app.command("workspace", epilog="Example: resolver sandbox workspace rehearsal --people 2000")
def sandbox_workspace_command(
    folder: Annotated[Path, typer.Argument(help="Where to make the workspace.")],
    people: Annotated[int, typer.Option(min=20, max=1_000_000, help="How many people live in the sandbox.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Which people.")] = 1,
    source: Annotated[
        list[str] | None, typer.Option(help="Only this source; may be given several times. Without it, all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a workspace in which every source and destination is a sandbox: to rehearse any of the other commands."""
    with explained(as_json):
        rehearsal.prepare(folder, people, seed, wiring.chosen(source or ()), wiring.known("destination"))
    shown.made_rehearsal(folder, as_json=as_json)


def everything(place: workspace.Workspace, *, as_json: bool) -> explain.Answer:
    """Land, resolve and publish in one run; what it did, from the ledger."""
    sources: list[Source] = wiring.sources(place.site, place.folder)
    destinations = wiring.destinations(place.site, place.folder)
    with workspace.opened(place) as warehouse, shown.progress(as_json=as_json) as progress:
        with workspace.begun(place, warehouse, "run", progress) as run:
            pipeline.resolve(run, sources)
            pipeline.announce(run, destinations)
        return explain.run(warehouse, run.run_id)


def _run(command: str, where: Path, step: Callable[[Run, workspace.Workspace], None], *, as_json: bool) -> None:
    with explained(as_json):
        place = workspace.read(where)
        with workspace.opened(place) as warehouse, shown.progress(as_json=as_json) as progress:
            with workspace.begun(place, warehouse, command, progress) as run:
                step(run, place)
            answer = explain.run(warehouse, run.run_id)
    _end(answer, as_json=as_json)


def _show_plan(where: Path, names: Sequence[str], *, as_json: bool) -> None:
    with explained(as_json):
        place = workspace.read(where)
        destinations = wiring.destinations(place.site, where, names)
        with workspace.opened(place) as warehouse:
            shown.plans({d.name: publish.plan(warehouse, d) for d in destinations}, as_json=as_json)


def _end(answer: explain.Answer, *, as_json: bool) -> None:
    shown.run(answer, as_json=as_json)
    raise typer.Exit(_code(answer))


def _code(answer: explain.Answer) -> Exit:
    """3 where the run refused records, had troubles, or a destination refused or did not hear something."""
    refused = any(row["refused"] for row in answer["landed"])
    undelivered = any(row["state"] != "accepted" for row in answer["sent"])
    return Exit.PARTLY if refused or undelivered or answer["outcome"] != "done" else Exit.DONE
