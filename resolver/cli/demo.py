"""The demo: a workspace with sandbox people, and the story that its warehouse tells in the end."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tomlkit

from connectors.aptos import sandbox as aptos
from connectors.bigcommerce import sandbox as bigcommerce
from connectors.commercetools import sandbox as commercetools
from connectors.novomind import sandbox as novomind
from connectors.pos import sandbox as pos
from connectors.sandbox import population
from resolver.cli import templates
from resolver.cli.sandbox import DROP, PEOPLE
from resolver.cli.workspace import POLICY, SITE

SERVED = ("bigcommerce", "commercetools", "aptos", "novomind")
SANDBOX_PACE = 400
"""Requests a second that the sandbox destinations grant; real ones grant a few."""


class SandboxFailed(OSError):
    """The sandbox servers did not come up; the text holds what they said."""


def prepare(where: Path, people: int, seed: int) -> None:
    """Make the demo's workspace, unless it is there: then it is used as it is, with the people it has."""
    if (where / SITE).is_file():
        return
    where.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(where / PEOPLE, ignore_errors=True)
    population.write(population.PopulationSpec(people=people, seed=seed), where / PEOPLE)
    inhabitants = population.read(where / PEOPLE)
    pos.write_drop(inhabitants, where / DROP)
    (where / POLICY).write_text(templates.POLICY, encoding="utf-8")
    (where / SITE).write_text(_site(inhabitants), encoding="utf-8")


def _site(inhabitants: population.Population) -> str:
    """site.toml with every vendor on a free port of this machine."""
    url = {vendor: f"http://127.0.0.1:{port}" for vendor, port in _free_ports().items()}
    site = tomlkit.document()
    for line in templates.DEMO_SITE.splitlines():
        site.add(tomlkit.comment(line))
    site["warehouse"] = "warehouse.duckdb"
    site["sources"] = {
        "bigcommerce": bigcommerce.site(url["bigcommerce"]),
        "commercetools": {
            "api_url": url["commercetools"],
            "auth_url": url["commercetools"],
            "project_key": commercetools.PROJECT_KEY,
            "client_id": commercetools.CLIENT_ID,
            "client_secret": commercetools.CLIENT_SECRET,
        },
        "pos": pos.settings(inhabitants, Path(DROP)) | {"folder": DROP},
    }
    site["destinations"] = {
        "aptos": {
            "base_url": url["aptos"],
            "client_id": aptos.CLIENT_ID,
            "client_secret": aptos.CLIENT_SECRET,
            "requests_per_second": SANDBOX_PACE,
        },
        "novomind": {
            "base_url": url["novomind"],
            "client_id": novomind.CLIENT_ID,
            "client_secret": novomind.CLIENT_SECRET,
            "username": novomind.USERNAME,
            "password": novomind.PASSWORD,
            "requests_per_second": SANDBOX_PACE,
        },
    }
    return tomlkit.dumps(site)


def _free_ports() -> dict[str, int]:
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in SERVED]
    ports = {vendor: taken.getsockname()[1] for vendor, taken in zip(SERVED, listening, strict=True)}
    for taken in listening:
        taken.close()
    return ports


@contextmanager
def sandbox_of(where: Path) -> Iterator[None]:
    """The sandbox servers of a workspace, in a process of their own, while the block runs. Raises SandboxFailed."""
    command = [sys.executable, "-m", "resolver", "sandbox", "serve", "--workspace", str(where), "--json"]
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
