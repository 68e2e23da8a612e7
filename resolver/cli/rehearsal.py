"""A workspace of sandboxes: people, what is dropped as files, and a site.toml that names every stand-in."""

import importlib
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import tomlkit

from connectors.sandbox import population
from resolver.cli import templates
from resolver.cli.sandbox import PEOPLE
from resolver.cli.workspace import POLICY, SITE

PACE = 400
"""Requests a second that the sandbox destinations grant; real ones grant a few."""
_WITHOUT_PEOPLE = {"files", "novomind"}
"""Vendors that keep nobody of their own in the generated population."""


class SandboxFailed(OSError):
    """The sandbox servers did not come up; the text holds what they said."""


def prepare(where: Path, people: int, seed: int, sources: Sequence[str], destinations: Sequence[str]) -> None:
    """Make a workspace of these vendors' sandboxes, unless one is there: that is used as it is, with its people."""
    if (where / SITE).is_file():
        return
    where.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(where / PEOPLE, ignore_errors=True)
    systems = tuple(vendor for vendor in sources if vendor not in _WITHOUT_PEOPLE)
    spec = population.PopulationSpec.model_validate({"people": people, "seed": seed, "systems": systems})
    population.write(spec, where / PEOPLE)
    (where / POLICY).write_text(templates.POLICY, encoding="utf-8")
    (where / SITE).write_text(_site(where, sources, destinations), encoding="utf-8")


def _site(where: Path, sources: Sequence[str], destinations: Sequence[str]) -> str:
    """site.toml with every server on a free port of this machine, and every drop in a folder of its own."""
    inhabitants = population.read(where / PEOPLE)
    modules = {vendor: _sandbox(vendor) for vendor in {*sources, *destinations}}
    urls = _free_addresses(sorted(vendor for vendor, module in modules.items() if hasattr(module, "site")))
    site = tomlkit.document()
    for line in templates.REHEARSAL_SITE.splitlines():
        site.add(tomlkit.comment(line))
    site["warehouse"] = "warehouse.duckdb"
    site["sources"] = {
        vendor: modules[vendor].site(urls[vendor])
        if vendor in urls
        else _dropped(modules[vendor], inhabitants, where, vendor)
        for vendor in sources
    }
    site["destinations"] = {
        vendor: {**modules[vendor].site(urls[vendor]), "requests_per_second": PACE} for vendor in destinations
    }
    return tomlkit.dumps(site)


def _sandbox(vendor: str) -> ModuleType:
    return importlib.import_module(f"connectors.{vendor}.sandbox")


def _dropped(module: ModuleType, inhabitants: population.Population, where: Path, vendor: str) -> dict[str, Any]:
    """Write what this vendor drops, and the settings that read it."""
    folder = f"drop/{vendor}"
    module.write_drop(inhabitants, where / folder)
    settings: dict[str, Any] = module.settings(inhabitants, Path(folder))
    return {**settings, "folder": folder}


def _free_addresses(vendors: Sequence[str]) -> dict[str, str]:
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in vendors]
    ports = {vendor: taken.getsockname()[1] for vendor, taken in zip(vendors, listening, strict=True)}
    for taken in listening:
        taken.close()
    return {vendor: f"http://127.0.0.1:{port}" for vendor, port in ports.items()}


@contextmanager
def sandbox_of(where: Path, *options: str) -> Iterator[None]:
    """The sandbox servers of a workspace, in a process of their own, while the block runs. Raises SandboxFailed.

    options: of `resolver sandbox serve`.
    """
    command = [sys.executable, "-m", "resolver", "sandbox", "serve", "--workspace", str(where), "--json", *options]
    servers = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert servers.stdout is not None
        assert servers.stderr is not None
        first = servers.stdout.readline()
        if "error" in (json.loads(first) if first else {"error": ""}):
            raise SandboxFailed(f"The sandbox did not start: {first or servers.stderr.read()}")
        yield
    finally:
        servers.terminate()
        servers.wait(timeout=10)
