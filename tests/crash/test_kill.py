"""kill -9 in the middle: the next run ends in the same ledger and the same CRM as one that nobody disturbed."""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.aptos import sandbox
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from tests.ledger import OF_LANDING, OF_PUBLISHING, OF_WHO_IS_WHO, content

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"
LEDGERS = (*OF_LANDING, *OF_WHO_IS_WHO, *OF_PUBLISHING)

When = Literal["before", "after"]


def start(path: Path, url: str, *steps: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "ignore", "-m", "tests.crash.running", str(path), url, *steps]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finish(path: Path, url: str, *steps: str) -> None:
    process = start(path, url, *steps)
    process.communicate(timeout=60)
    assert process.returncode == 0


@dataclass
class Watched:
    """The CRM's stand-in, which kills who writes to it at a certain write: before it does anything, or before it answers."""

    app: ASGIApp
    writes: int = 0
    kill_at: int | None = None
    when: When = "before"
    victim: "subprocess.Popen[str] | None" = field(default=None, repr=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT":
            await self.app(scope, receive, send)
            return
        self.writes += 1
        fatal = self.writes == self.kill_at
        if fatal and self.when == "before":
            self._kill()
        await self.app(scope, receive, self._killing(send) if fatal and self.when == "after" else send)

    def _killing(self, send: Send) -> Send:
        async def killing(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._kill()
            await send(message)

        return killing

    def _kill(self) -> None:
        assert self.victim is not None
        os.kill(self.victim.pid, signal.SIGKILL)
        self.victim.wait()


@dataclass
class Crm:
    """The stand-in's address, what it holds, and the watcher in front of it."""

    url: str
    watched: Watched
    shop: sandbox.Shop
    effects: Counter[str]

    def state(self) -> dict[str, Any]:
        """What it holds, whatever numbers it gave to its customers."""
        customers = {
            key: {name: value for name, value in self.shop.customers[number].items() if name != "customerNumber"}
            for key, number in self.shop.by_key.items()
        }
        return {"customers": customers, "transactions": self.shop.transactions, "accounts": self.shop.accounts}


@contextmanager
def crm() -> Iterator[Crm]:
    app = sandbox.app(None, Faults())
    watched = Watched(app)
    with running({"aptos": watched}) as urls:
        yield Crm(urls["aptos"], watched, app.state.shop, app.state.journal.effects)


def ledger(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(path)) as connection:
        return content(connection, LEDGERS)


@dataclass(frozen=True)
class Undisturbed:
    """What a run ends in that nobody kills; and a warehouse that is resolved but has told nobody."""

    resolved: Path
    ledger: dict[str, list[tuple[Any, ...]]]
    crm: dict[str, Any]
    effects: dict[str, int]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    path, resolved = folder / "warehouse.duckdb", folder / "resolved.duckdb"
    finish(path, NOWHERE, "resolve")
    shutil.copy(path, resolved)
    with crm() as told:
        finish(path, told.url, "announce")
        return Undisturbed(resolved, ledger(path), told.state(), dict(told.effects))


def ends_the_same(path: Path, told: Crm, undisturbed: Undisturbed) -> None:
    assert ledger(path) == undisturbed.ledger
    assert told.state() == undisturbed.crm
    assert dict(told.effects) == undisturbed.effects, "something took effect twice, or never"


def test_the_town_is_worth_killing_for(undisturbed: Undisturbed) -> None:
    assert undisturbed.effects == {"customer": 12, "transaction": 12, "loyalty": 12}
    assert len(undisturbed.ledger["source_record"]) == 36
    assert all(undisturbed.ledger[name] for name in ("membership", "profile_version", "rendering", "publication"))


@pytest.mark.parametrize("progress", [2, 11])
def test_killed_while_landing(tmp_path: Path, undisturbed: Undisturbed, progress: int) -> None:
    path = tmp_path / "warehouse.duckdb"
    victim = start(path, NOWHERE, "resolve")
    _kill_when(victim, lambda line, seen: line.startswith("land") and seen == progress)
    landed = len(ledger(path)["source_record"])
    assert 0 < landed < 36
    assert ledger(path)["membership"] == []
    with crm() as told:
        finish(path, told.url, "resolve", "announce")
        ends_the_same(path, told, undisturbed)
        [(cut_off,)] = _ask(
            path, "select count(*) from ledger.run where run_id not in (select run_id from ledger.run_end)"
        )
        assert cut_off == 1


def test_killed_while_working_out_who_is_who(tmp_path: Path, undisturbed: Undisturbed) -> None:
    path = tmp_path / "warehouse.duckdb"
    victim = start(path, NOWHERE, "resolve")
    _kill_when(victim, lambda line, seen: line.startswith("judge"))
    with crm() as told:
        finish(path, told.url, "resolve", "announce")
        ends_the_same(path, told, undisturbed)


def _kill_when(victim: "subprocess.Popen[str]", reached: Callable[[str, int], bool]) -> None:
    assert victim.stdout is not None
    for seen, line in enumerate(victim.stdout, start=1):
        if reached(line, seen):
            victim.kill()
            break
    victim.communicate(timeout=60)
    assert victim.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("write", "when"), [(1, "after"), (14, "before"), (23, "after")])
def test_killed_while_publishing(tmp_path: Path, undisturbed: Undisturbed, write: int, when: When) -> None:
    path = tmp_path / "warehouse.duckdb"
    shutil.copy(undisturbed.resolved, path)
    with crm() as told:
        told.watched.kill_at, told.watched.when = write, when
        told.watched.victim = victim = start(path, told.url, "announce")
        victim.communicate(timeout=60)
        assert victim.returncode == -signal.SIGKILL
        finish(path, told.url, "announce")
        ends_the_same(path, told, undisturbed)


def _ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path)) as connection:
        return connection.execute(query).fetchall()
