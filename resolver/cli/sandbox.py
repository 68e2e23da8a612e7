"""The sandbox from the command line: people to fill it, and servers that speak like the vendors."""

import importlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from starlette.types import ASGIApp

from connectors.sandbox import population
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import serve
from resolver import site
from resolver.cli import shown
from resolver.cli.exits import explained
from resolver.cli.workspace import SITE
from resolver.site import Site, WrongSite

app = typer.Typer(help="Stand-ins for shops, tills and destinations, on this machine.", no_args_is_help=True)

PEOPLE = "people"
FAULTS = {"unavailable": 0.5, "dropped": 0.2, "hung_up": 0.1, "slow": 0.2}
"""How the rate of faults that every vendor knows is shared out."""

_FAULT = re.compile(r"(?P<vendor>[a-z]+):(?P<name>[a-z_]+)=(?P<share>0?\.\d+|0|1|1\.0)")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for programs.")]


@app.command("people", epilog="Example: resolver sandbox people --people 10000 --out population")
def people_command(
    out: Annotated[Path, typer.Option(help="Folder to write the Parquet tables to.")],
    people: Annotated[int, typer.Option(min=20, max=50_000_000, help="How many people.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Which people: the same seed gives the same bytes.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Write a retail population with its ground truth: people, records, orders, loyalty, consents. Any size."""
    with explained(as_json), shown.progress(as_json=as_json) as progress:
        spec = population.PopulationSpec(people=people, seed=seed)
        summary = population.write(spec, out, lambda done, total: progress("people", done, total))
    shown.population(out, summary, as_json=as_json)


@app.command("serve", epilog="Example: resolver sandbox serve -w workspace/demo")
def serve_command(
    where: Annotated[
        Path, typer.Option("--workspace", "-w", help="Workspace whose site.toml names the addresses.")
    ] = Path(),
    faults: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of requests that go wrong, in the ways that all vendors know.")
    ] = 0.01,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VENDOR:NAME=SHARE",
            help="A fault of one vendor, e.g. bigcommerce:throttled=0.05; may be given several times.",
        ),
    ] = None,
    rejects: Annotated[float, typer.Option(min=0, max=0.5, help="Share of messages that destinations refuse.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Which requests go wrong.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Serve the vendors that a workspace's site.toml names on loopback, until interrupted."""
    with explained(as_json):
        place = site.read(where / SITE)
        ports = addresses(place)
        if not ports:
            raise WrongSite(f"{where / SITE} names no source or destination on 127.0.0.1 that has a sandbox.")
        refusing = dict.fromkeys(place.destinations, rejects)
        rates = {vendor: {**_everywhere(faults), **_own(vendor, fault or ())} for vendor in ports}
        apps = _apps(ports, where / PEOPLE, rates, refusing, seed)
        serve(apps, ports, lambda urls: shown.served(urls, as_json=as_json))


def addresses(place: Site) -> dict[str, int]:
    """The port of every vendor that the site expects on loopback."""
    ports = {}
    for vendor, settings in {**place.sources, **place.destinations}.items():
        url = urlsplit(str(settings.get("base_url") or settings.get("api_url") or settings.get("login_url") or ""))
        if url.hostname == "127.0.0.1" and url.port:
            ports[vendor] = url.port
    return ports


def _everywhere(share: float) -> dict[str, float]:
    return {name: part * share for name, part in FAULTS.items()}


def _own(vendor: str, said: Sequence[str]) -> dict[str, float]:
    """The faults that were asked of this vendor. Raises WrongSite for what is not understood."""
    found = {}
    for text in said:
        match = _FAULT.fullmatch(text)
        if match is None:
            raise WrongSite(f"--fault {text}: write VENDOR:NAME=SHARE, e.g. bigcommerce:throttled=0.05")
        if match["vendor"] == vendor:
            found[match["name"]] = float(match["share"])
    return found


def _apps(
    ports: Mapping[str, int],
    people: Path,
    rates: Mapping[str, Mapping[str, float]],
    refusing: Mapping[str, float],
    seed: int,
) -> dict[str, ASGIApp]:
    inhabitants = population.read(people)
    apps: dict[str, ASGIApp] = {}
    for vendor in ports:
        options = {"reject_rate": refusing[vendor]} if vendor in refusing else {}
        module = importlib.import_module(f"connectors.{vendor}.sandbox")
        try:
            apps[vendor] = module.app(inhabitants, Faults(seed, rates[vendor]), **options)
        except ValueError as error:
            raise WrongSite(f"--fault {vendor}: {error}") from error
    return apps
