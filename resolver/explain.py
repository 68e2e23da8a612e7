"""Read-only questions to the warehouse: why, why not, how it came to be, how it stands. Answers are plain data."""

from collections import deque
from collections.abc import Collection
from typing import Any

import duckdb
import orjson

from resolver.warehouse import queries, rows

_QUERIES = queries("explain")

Answer = dict[str, Any]


class Unknown(Exception):
    """The warehouse knows nothing by that name."""


def _ask(connection: duckdb.DuckDBPyConnection, query: str, **parameters: object) -> list[Answer]:
    found = rows(connection, _QUERIES[query], parameters or None)
    return [{name: _plain(name, value) for name, value in row.items()} for row in found]


_JSON_COLUMNS = frozenset({"because", "evidence", "candidates", "golden", "counts", "reasons"})


def _plain(name: str, value: object) -> object:
    return orjson.loads(value) if name in _JSON_COLUMNS and isinstance(value, str) else value


def record(connection: duckdb.DuckDBPyConnection, key: str) -> Answer:
    """Why this record is where it is: identifiers, guards, judgements, moves. Raises Unknown."""
    found = _ask(connection, "record", record=key)
    if not found:
        raise Unknown(
            f"No record {key}. `resolver status` shows what has landed; keys look like bigcommerce:customer:42."
        )
    return {
        **found[0],
        "identifiers": _ask(connection, "record_identifiers", record=key),
        "judgements": _ask(connection, "record_judgements", record=key),
        "moves": _ask(connection, "membership_history", record=key),
    }


def pair(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> Answer:
    """Why two records are, or are not, one person. Raises Unknown if either is not there."""
    left, right = sorted((one, other))
    a, b = record(connection, left), record(connection, right)
    together = a["profile"] == b["profile"]
    return {
        "left": {key: a[key] for key in ("record", "name", "profile", "kept_out", "is_person")},
        "right": {key: b[key] for key in ("record", "name", "profile", "kept_out", "is_person")},
        "together": together,
        "judgements": _ask(connection, "pair_judgements", left=left, right=right),
        "shared": _shared(a, b),
        "path": _path(_ask(connection, "ties", profile=a["profile"]), left, right) if together else [],
        "conflicts": [] if together else _between(connection, a["profile"], b["profile"]),
    }


def _shared(a: Answer, b: Answer) -> list[Answer]:
    mine = {(i["kind"], i["value"]): i for i in a["identifiers"]}
    return [mine[key] for i in b["identifiers"] if (key := (i["kind"], i["value"])) in mine]


def _between(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> list[Answer]:
    conflicts = _ask(connection, "profile_conflicts", profile=min(one, other))
    return [c for c in conflicts if c["attribute"].endswith(max(one, other))]


def _path(ties: list[Answer], start: str, end: str) -> list[Answer]:
    """The fewest judgements that lead from one record to the other."""
    neighbours: dict[str, list[tuple[str, Answer]]] = {}
    for tie in ties:
        neighbours.setdefault(tie["left_record"], []).append((tie["right_record"], tie))
        neighbours.setdefault(tie["right_record"], []).append((tie["left_record"], tie))
    came: dict[str, list[Answer]] = {start: []}
    waiting = deque([start])
    while waiting and end not in came:
        here = waiting.popleft()
        for there, tie in neighbours.get(here, ()):
            if there not in came:
                came[there] = [*came[here], tie]
                waiting.append(there)
    return came.get(end, [])


def profile(connection: duckdb.DuckDBPyConnection, name: str) -> Answer:
    """How a profile came to be: fields with provenance, members, history, what was sent. Raises Unknown."""
    found = _ask(connection, "profile", profile=name)
    if not found:
        raise Unknown(
            f"No profile {name}. Ids look like p-0123456789ab; `resolver explain RECORD` names a record's profile."
        )
    return {
        **found[0],
        "members": _ask(connection, "profile_members", profile=name),
        "history": _ask(connection, "profile_history", profile=name),
        "conflicts": _ask(connection, "profile_conflicts", profile=name),
        "loyalty": _ask(connection, "profile_loyalty", profile=name),
        "consent": _ask(connection, "profile_consent", profile=name),
        "publications": _ask(connection, "profile_publications", profile=name),
    }


def status(connection: duckdb.DuckDBPyConnection) -> Answer:
    """How the warehouse stands: sources, quarantine, pairs, profiles, conflicts, destinations, the latest runs."""
    return {
        "sources": _ask(connection, "sources"),
        "refusal_reasons": _ask(connection, "refusal_reasons"),
        "waiting_in_quarantine": _ask(connection, "refusals", limit=10),
        "verdicts": _ask(connection, "verdicts"),
        "joins": _ask(connection, "joins"),
        "totals": _ask(connection, "totals")[0],
        "conflicts": _ask(connection, "conflicts"),
        "publications": _ask(connection, "publications"),
        "outbox": _ask(connection, "outbox"),
        "error_queue": _ask(connection, "error_queue", limit=10),
        "runs": _ask(connection, "runs", limit=10),
    }


def quarantine(connection: duckdb.DuckDBPyConnection, source: str | None, limit: int) -> Answer:
    """Refused payloads with their reasons, and records that wait for another one; at most `limit` of each.

    Who waits is known as of the latest resolution: `landed_since` says whether something has landed after it.
    """
    return {
        "refused": _ask(connection, "quarantine", source=source, limit=limit),
        "waiting": _ask(connection, "waiting_records", source=source, limit=limit),
        **_ask(connection, "quarantine_in_all", source=source)[0],
    }


def waiting_in_quarantine(connection: duckdb.DuckDBPyConnection, sources: Collection[str]) -> int:
    """How many payloads of these sources wait for a fix."""
    return sum(int(row["rejected"]) for row in _ask(connection, "sources") if row["source"] in sources)


def run(connection: duckdb.DuckDBPyConnection, run_id: str) -> Answer:
    """What one run did, from the ledger."""
    found = [r for r in _ask(connection, "runs", limit=1_000_000) if r["run_id"] == run_id]
    if not found:
        raise Unknown(f"No run {run_id}. `resolver status` lists the latest.")
    return {
        **found[0],
        "landed": _ask(connection, "landed_by_run", run_id=run_id),
        "compared": _ask(connection, "compared_by_run", run_id=run_id),
        "sent": _ask(connection, "sent_by_run", run_id=run_id),
    }
