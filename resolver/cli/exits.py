"""How a command ends: with a code that a scheduler can use and an error that says what to do next."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import duckdb
import typer
from rich.console import Console

from connectors.fieldmap import WrongMap
from models.errors import OutsideError
from resolver.cli.workspace import NoWorkspace
from resolver.explain import Unknown
from resolver.policy import WrongPolicy
from resolver.site import WrongSite
from resolver.warehouse import WarehouseBusy


class Exit(IntEnum):
    """0 done, 1 failed, 2 wrong usage or configuration, 3 done but with refused or undelivered records."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    PARTLY = 3


_WRONG = (NoWorkspace, WrongPolicy, WrongSite, WrongMap, Unknown, FileExistsError)
_FAILED = (OutsideError, WarehouseBusy, OSError)
_DISK_FULL = "No space left on device"
_NO_ROOM = "The disk of the warehouse is full. What is in it stays and is whole; make room and run the command again."
_INTERRUPTED = "Interrupted. What is in the warehouse stays and is whole; run the command again to go on."


@contextmanager
def explained(as_json: bool) -> Iterator[None]:
    """Turn the errors that a person can act on into a message and an exit code; others keep their traceback."""
    try:
        yield
    except (*_WRONG, *_FAILED) as error:
        complain(str(error), as_json=as_json)
        raise typer.Exit(Exit.WRONG_USAGE if isinstance(error, _WRONG) else Exit.FAILED) from error
    except duckdb.Error as error:
        is_full = _DISK_FULL in str(error)
        if not is_full and not isinstance(error, duckdb.IOException):
            raise
        complain(_NO_ROOM if is_full else f"The warehouse cannot be read or written: {error}", as_json=as_json)
        raise typer.Exit(Exit.FAILED) from error
    except (KeyboardInterrupt, RuntimeError) as error:
        # DuckDB tells Ctrl-C in the middle of a query as a RuntimeError of its own.
        if isinstance(error, RuntimeError) and str(error) != "Query interrupted":
            raise
        complain(_INTERRUPTED, as_json=as_json)
        raise typer.Exit(Exit.FAILED) from error


def complain(message: str, *, as_json: bool) -> None:
    """An error for a person on standard error, or for a program on standard output."""
    if as_json:
        typer.echo(json.dumps({"error": message}))
    else:
        Console(stderr=True, emoji=False).print(message, style="red", markup=False, highlight=False)
