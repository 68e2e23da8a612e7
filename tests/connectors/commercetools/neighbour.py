"""A commercetools server that other people wrote, on this machine: installed by `make neighbour`, started by a test."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from connectors.commercetools.source import Settings
from tests.connectors.commercetools.contract import shared

PROJECT = "demo"
_INSTALLED = Path(__file__).parent / "mock" / "node_modules"
_OLDEST_NODE = 20
_STARTS_IN = 60.0


class Neighbour:
    """The server, as someone who sets up and runs a shop there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, trust_env=False)
        form = {"grant_type": "client_credentials", "scope": f"manage_project:{PROJECT}"}
        told = httpx.post(f"{url}/oauth/token", params=form, data=form, auth=("client", "secret"), trust_env=False)
        self._http.headers["Authorization"] = f"Bearer {told.json()['access_token']}"

    def post(self, path: str, body: object) -> dict[str, Any]:
        """What the server answers; it must like it."""
        return _told(self._http.post(f"{PROJECT}/{path}", json=body))

    def get(self, path: str, *params: tuple[str, str | int]) -> dict[str, Any]:
        return _told(self._http.get(f"{PROJECT}/{path}", params=httpx.QueryParams(list(params))))

    def project(self) -> dict[str, Any]:
        """The project's settings."""
        return _told(self._http.get(PROJECT))

    def act(self, path: str, resource: dict[str, Any], *actions: dict[str, Any]) -> dict[str, Any]:
        """Update actions on the version that is given."""
        return self.post(f"{path}/{resource['id']}", {"version": resource["version"], "actions": list(actions)})

    def delete(self, path: str, resource: dict[str, Any]) -> None:
        _told(self._http.delete(f"{PROJECT}/{path}/{resource['id']}", params={"version": resource["version"]}))

    def sign_up(self, name: str) -> dict[str, Any]:
        """A customer with a mailbox that nobody else has."""
        draft = {"email": f"{uuid4().hex}@example.com", "password": "p", "firstName": name}
        told: dict[str, Any] = self.post("customers", draft)["customer"]
        return told

    def settings(self, **changes: Any) -> Settings:
        """By which our source reads this server."""
        told = {"project_key": PROJECT, "client_id": "client", "client_secret": SecretStr("secret")}
        return Settings(**(told | {"auth_url": self.url, "api_url": self.url} | changes))


@contextmanager
def started() -> Iterator[Neighbour]:
    """The server on a free port of this machine while the block runs; skips where it is not installed."""
    _skip_unless_there()
    port = _free_port()
    # Node looks for packages beside the script, so the script goes where they are.
    script = Path(shutil.copy(shared("mock", "server-sorted.mjs"), _INSTALLED / f"server-{port}.mjs"))
    environment = {"PATH": os.environ["PATH"], "PORT": str(port), "CT_AUTH": "1"}
    try:
        with subprocess.Popen(
            ["node", script.name], cwd=_INSTALLED, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as server:
            try:
                assert server.stdout is not None
                ready, _, _ = select([server.stdout], [], [], _STARTS_IN)
                said = server.stdout.readline().decode() if ready else "nothing"
                assert str(port) in said, f"the server of other people did not start; it said {said}"
                yield Neighbour(f"http://127.0.0.1:{port}")
            finally:
                server.terminate()
    finally:
        script.unlink()


def _skip_unless_there() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine: other people's commercetools server cannot be started")
    if not (_INSTALLED / ".installed").exists():
        pytest.skip("other people's commercetools server is not installed: `make neighbour` installs it")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < _OLDEST_NODE:
        pytest.skip(f"other people's commercetools server needs node {_OLDEST_NODE}; here is {version}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _told(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told
