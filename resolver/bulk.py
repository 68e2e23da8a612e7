"""Read a stretch of a file with DuckDB's own readers, and land the rows that are plain beyond doubt in one statement.

Which rows those are, the source has said by a regular expression. Each of the others is left to its `translate`, which
accepts it or says what is wrong. The rows land in the order of the file where a record is told more than once.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import orjson
import pyarrow as pa
from duckdb.func import ARROW

from models.landing import Bulk, ConsentPlaces, People, Refusal, SourceRecord
from resolver.run import Run
from resolver.warehouse import queries

_QUERIES = queries("bulk")


class Unreadable(Exception):
    """DuckDB cannot read the stretch: a torn row, a line that is too long, an id that it reads otherwise than Python.

    Its source reads it a page at a time.
    """


Outcome = SourceRecord | Refusal


def read(run: Run, bulk: Bulk, translate: Callable[[str, str], Outcome]) -> Sequence[Outcome]:
    """Read the stretch for `append`, and tell what `translate` says of the other rows. Raises Unreadable."""
    _read(run.warehouse, bulk)
    [(rows,)] = run.warehouse.execute(_QUERIES["rows"]).fetchall()
    if rows != bulk.rows:
        raise Unreadable(f"{rows} rows of {bulk.rows}")
    run.warehouse.execute(_QUERIES["together"])
    doubtful = run.warehouse.execute(_QUERIES["doubtful"], {"before": bulk.before}).fetchall()
    outcomes = [translate(bulk.object, bulk.payload(position, line)) for position, line in doubtful]
    told = [one.key.source_id for one in outcomes if isinstance(one, SourceRecord)]
    [(apart,)] = run.warehouse.execute(_QUERIES["apart"], {"id_prefix": bulk.id_prefix, "told": told}).fetchall()
    if apart:
        raise Unreadable(f"{apart} records are told by plain rows and by others")
    return outcomes


def append(run: Run, bulk: Bulk) -> tuple[int, int]:
    """Append the plain rows of the stretch that are new. Returns how many those are, and how many had landed before."""
    warehouse, names = run.warehouse, {"record_prefix": f"{bulk.source}:{bulk.object}:{bulk.id_prefix}"}
    [(plain, before_first)] = warehouse.execute(_QUERIES["numbered"]).fetchall()
    warehouse.execute(_QUERIES["unfit"], names)
    [(landed,)] = warehouse.execute(
        _QUERIES["append"],
        {
            **names, "before_first": before_first, "source": bulk.source, "object": bulk.object,
            "id_prefix": bulk.id_prefix, "fetched_at": run.clock(), "run_id": run.run_id,
            "correlation_id": bulk.correlation_id,
        },
    ).fetchall()  # fmt: skip
    return landed, plain - landed


def done(run: Run) -> None:
    """Give back the memory of the last stretch."""
    run.warehouse.execute(_QUERIES["done"])


def _read(warehouse: duckdb.DuckDBPyConnection, bulk: Bulk) -> None:
    people = bulk.people
    reading: dict[str, Any] = {
        "path": bulk.path,
        "before": bulk.before,
        "plain": bulk.plain,
        "pointers": [_pointer(name) for name in (*people.columns, *people.attributes)],
        "p": _places(people),
        "c": [_consent(one) for one in people.consents] or [_consent(None)],
        "asked": list(people.answers),
        "meant": list(people.answers.values()),
    }
    of_form: dict[str, dict[str, Any]] = {
        "ndjson": {"longest": bulk.longest},
        "csv": {
            "columns": dict.fromkeys(bulk.header, "VARCHAR"), "delimiter": bulk.delimiter,
            "longest": bulk.longest,
        },
        "parquet": {},
    }  # fmt: skip
    warehouse.execute(_QUERIES["macros"])
    try:
        with _hashing(warehouse):
            warehouse.execute(_QUERIES[f"read_{bulk.form}"], reading | of_form[bulk.form])
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException) as error:
        raise Unreadable(type(error).__name__) from error


@contextmanager
def _hashing(warehouse: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let SQL use Python's SHA-256, which is the processor's own: DuckDB's takes more than twice the time."""
    warehouse.create_function("hashed", _hashed, ["VARCHAR"], "VARCHAR", type=ARROW)
    try:
        yield
    finally:
        warehouse.remove_function("hashed")


def _hashed(texts: pa.ChunkedArray) -> pa.Array:
    return pa.array([hashlib.sha256(text).hexdigest() for text in texts.cast(pa.binary()).to_pylist()])


_WORDS = (
    "id", "changed_at", "created_at", "title", "given_name", "middle_name", "family_name", "full_name", "name_suffix",
    "organisation", "sex", "birth_date", "birth_year", "language", "locale", "brand", "store", "line1", "line2",
    "house_number", "street", "postcode", "city", "region", "country", "loyalty_number", "loyalty_programme",
    "loyalty_tier", "loyalty_tier_expires", "loyalty_points", "loyalty_enrolled_at",
)  # fmt: skip


def _places(people: People) -> dict[str, Any]:
    """The places and the texts between them that the statement joins."""
    return {
        **{word: people.words.get(word) for word in _WORDS},
        "own_brand": people.brand,
        "own_programme": "" if people.programme == "main" else _said("programme", people.programme),
        "email": [place for place, _ in people.emails] or [None],
        "email_label": _labels(people.emails),
        "email_verified": ',"verified":true' if "email" in people.verified else "",
        "phone": [place for place, _ in people.phones] or [None],
        "phone_label": _labels(people.phones),
        "phone_verified": ',"verified":true' if "phone" in people.verified else "",
        "identifier": [place for place, _ in people.identifiers] or [None],
        "kind_before": [f',{{"kind":{_json(kind)},"value":"' for _, kind in people.identifiers] or [""],
        "first_attribute": len(people.columns) + 1,
        "attribute_before": [f',{_json(name)}:"' for name in people.attributes] or [""],
    }


def _json(text: str) -> str:
    return orjson.dumps(text).decode()


def _said(name: str, text: str) -> str:
    return f',"{name}":{_json(text)}'


def _pointer(name: str) -> str:
    """JSON pointer to the value under this name; in a JSON path an asterisk would be a pattern, even in quotes."""
    return f"/{name.replace('~', '~0').replace('/', '~1')}"


def _labels(contacts: Sequence[tuple[int, str | None]]) -> list[str]:
    return ["" if label is None else _said("label", label) for _, label in contacts] or [""]


def _consent(one: ConsentPlaces | None) -> dict[str, Any]:
    if one is None:
        return {
            "status": None, "about": [None], "post": False, "at": None, "proof": None, "channel": "", "brand": None,
            "purpose": "",
        }  # fmt: skip
    return {
        "status": one.status,
        "about": list(one.about) or [None],
        "post": not one.about,
        "at": one.at,
        "proof": one.proof,
        "channel": f'","channel":"{one.channel}"',
        "brand": None if one.brand is None else _said("brand", one.brand),
        "purpose": "" if one.purpose == "marketing" else _said("purpose", one.purpose),
    }
