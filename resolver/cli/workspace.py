"""A workspace: the folder with site.toml, policy.toml, the warehouse and the log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from resolver import policy, run, site, warehouse
from resolver.cli.wiring import now
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from resolver.run import Progress, Run
from resolver.site import Site, WrongSite

SITE = "site.toml"
POLICY = "policy.toml"
LOG = "resolver.log"


class NoWorkspace(Exception):
    """The folder is no workspace; the text says how to make one."""


@dataclass(frozen=True)
class Workspace:
    """Where we are and how we decide, read and checked."""

    folder: Path
    site: Site
    policy: Policy
    model: LinkageModel

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.folder / self.site.warehouse


def read(folder: Path) -> Workspace:
    """The workspace in a folder. Raises NoWorkspace, WrongSite, WrongPolicy."""
    if not (folder / SITE).is_file():
        raise NoWorkspace(f"{folder / SITE} is not there. Make a workspace with: resolver init {folder}")
    where = site.read(folder / SITE)
    how = policy.read(folder / POLICY) if (folder / POLICY).is_file() else Policy()
    return Workspace(folder, where, how, _model(folder / where.model) if where.model else LinkageModel.shipped())


def _model(path: Path) -> LinkageModel:
    try:
        return LinkageModel.load(path)
    except (OSError, ValueError) as error:
        raise WrongSite(f"model = {path}: not a linkage model that can be read: {error}") from error


@contextmanager
def opened(workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the workspace, ours alone while the block runs. Raises WarehouseBusy.

    What connectors and steps log meanwhile (keys, counts, correlation ids, never contents) goes to the workspace's log.
    """
    with (
        _logging_to(workspace.folder / LOG),
        warehouse.opened(workspace.warehouse, clock=now, wait_seconds=workspace.site.wait_seconds) as connection,
    ):
        yield connection


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    written = logging.FileHandler(path, encoding="utf-8", delay=True)
    written.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    ours = [logging.getLogger(package) for package in ("connectors", "resolver")]
    for logger in ours:
        logger.addHandler(written)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in ours:
            logger.removeHandler(written)
            logger.setLevel(logging.NOTSET)
            logger.propagate = True
        written.close()


@contextmanager
def begun(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, command: str, progress: Progress
) -> Iterator[Run]:
    """A run in this workspace."""
    with run.begun(command, connection, workspace.policy, workspace.model, now, progress) as begun_run:
        yield begun_run
