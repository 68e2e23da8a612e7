"""Files in bulk: DuckDB reads what is plain, Python the rest, and nobody could tell which was which."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import connectors.files.bulk
from connectors.files.bulk import stretches
from connectors.files.columns import Pattern
from connectors.files.tables import Bounds
from models.landing import Bulk
from models.ports import Source
from resolver import explain, land, run, warehouse
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from tests.benchmarks.landing import ByPage
from tests.conftest import Clock
from tests.connectors.files.folder import EVERYTHING, source_over

PATTERN: dict[str, Any] = {
    "id": "id", "changed_at": "changed", "brand": "harbour", "programme": "club", "verified": ["email"],
    "columns": {
        "title": "title", "given_name": "first", "family_name": "last", "email": ["mail", "mail 2"], "phone": "tel",
        "line1": "street", "postcode": "zip", "city": "town", "brand": "brand", "loyalty_number": "card",
        "loyalty_tier": "tier", "loyalty_tier_expires": "until", "loyalty_points": "points", "created_at": "joined",
    },
    "identifiers": {"shop \"one\"": "shop id"},
    "consents": [
        {"channel": "email", "status": "news", "at": "news at", "proof": "form"},
        {"channel": "post", "status": "letters", "purpose": "catalogue", "brand": "outlet"},
    ],
}  # fmt: skip
COLUMNS = (
    "id", "title", "first", "last", "mail", "mail 2", "tel", "street", "zip", "town", "brand", "card", "tier", "until",
    "points", "joined", "changed", "shop id", "news", "news at", "form", "letters", "size", "Größe",
)  # fmt: skip
NASTY = (
    "", " ", "x", " x", "x ", "x\u00a0", "\u2003x", "x\x85", "null", "NULL", "true", "nan", '"', 'a"b', '""', "'", "\\", "\\n", "a,b",
    ",", ",,", "a;b", "x\n", "a\nb", "a\r\nb", "\t", "\x1f", "\x7f", "é", "ß", "\U0001f600", "{", "}", "[1]", "a:b", '":null', ',"',
    "0", "-0", "00", "01", "1", "-5", "+5", "1_000", "1.0", "1.50", "1e5", "999999999999999999999", "7\u0663", "٣",
    "2026-01-31", "2026-02-29", "2024-02-29", "2026-02-30", "20260131", "2026-W05-1", "0000-01-01", "0001-01-01", "9999-12-31",
    "2026-01-31T10:00:00Z", "2026-01-31 10:00:00", "2026-01-31T10:00", "2026-01-31T24:00:00Z", "2026-01-31T10:00:60Z",
    "2026-01-31T10:00:00.5Z", "2026-01-31T10:00:00.500Z", "2026-01-31T10:00:00.000Z", "2026-01-31T10:00:00.000001Z",
    "2026-01-31T10:00:00+02:00", "2026-01-31T10:00:00z", "2026-01-31x10:00:00Z", "yes", "Yes", "YES", "yEs", "no", "1", "pending",
    "perhaps", " yes", "main", "club", "#1", "%s", "{}", "$1", "\\1",
)  # fmt: skip
"""Cells at which two readers may differ."""
CELL = st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6))
VALUE = st.one_of(
    CELL, st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.integers(0, 3), st.just(1.50),
    st.lists(CELL, max_size=2), st.dictionaries(CELL, CELL, max_size=1),
)  # fmt: skip
PLAIN = {"id": "1", "title": "Ms", "first": "Ana", "last": "Bé", "mail": "a@x.example", "street": "1 Row", "town": "Ulm",
         "card": "c1", "tier": "gold", "until": "2027-01-31", "points": "5", "joined": "2026-01-01T10:00:00Z", "news": "yes",
         "letters": "no", "shop id": "7", "size": "38"}  # fmt: skip

Landed = tuple[list[Any], list[Any]]


def rows_of(value: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Plain rows with a few cells that are not."""
    spoilt = st.dictionaries(st.sampled_from(COLUMNS), value, max_size=3)
    number = st.integers(1, 6).map(lambda number: {"id": str(number)})
    row = st.builds(lambda one, wrong: dict.fromkeys(COLUMNS) | PLAIN | one | wrong, number, spoilt)
    return st.lists(row, min_size=1, max_size=12)


def landed(source: Source) -> Landed:
    """What lands and what is refused, but for when and in what order."""
    return brought(source)[1]


def brought(source: Source) -> tuple[land.Landed, Landed]:
    """The counts, and what landed."""
    clock = Clock()
    with (
        warehouse.opened(":memory:", clock=clock) as connection,
        run.begun("land", connection, Policy(), LinkageModel.shipped(), clock) as begun,
    ):
        told = land.records(begun, source)
        records = connection.execute(
            "select record, source, object, source_id, content_hash, raw, kind, body::varchar, changed_at, source_id "
            "from ledger.source_record"
        ).fetchall()
        refused = connection.execute(
            "select source, object, source_id, content_hash, raw, state, reasons::varchar from ledger.quarantine"
        ).fetchall()
        assert (told.landed, told.refused) == (len(records), len(refused))
    return told, (sorted(records, key=str), sorted(refused, key=str))


def both_ways(folder: Path, name: str, content: bytes, **pattern: Any) -> tuple[Landed, Landed]:
    for old in folder.iterdir():
        old.unlink()
    (folder / name).write_bytes(content)
    source = source_over(folder, people={**PATTERN, **pattern, "files": name})
    return landed(source), landed(ByPage(source))


def in_csv(rows: Sequence[dict[str, Any]], end: str = "\n", quoting: Any = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator=end, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def in_parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.BytesIO()
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in COLUMNS}
    columns |= {
        "visits": pa.array([len(str(row)) for row in rows]),
        "active": pa.array([bool(row["mail"]) for row in rows]),
    }
    pq.write_table(pa.table(columns), text)
    return text.getvalue()


trying = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LINE = st.sampled_from(
    [b'{"first":"x"}', b"{bad", b"[1]", b'"x"', b"\xff", b"", b"   ", b'{"id":"8",}', b'{"id":"8","id":"9"}', b'{"id":"8","new":"x"}', b'{"id":NaN}',
     b'{"id":"8","points":nan}', b' {"id":"8"} ', b'{"id":"8"}{"id":"9"}', b'{"id":"8"} x', b'{"ID":"8"}', b'{"id":"8","first":"\\u00e9"}',
     b'{"id":"8","first":"\\ud800"}', b'{"points":1.0,"id":"8"}', b'{"id": "8", "title": "x"}', b'{"id" : "8"}', b"null", b"{}",
     b'\xc2\xa0{"id":"8"}', b'{"id":"8"}\r']
)  # fmt: skip


@trying
@given(rows=rows_of(VALUE), spoilt=st.lists(LINE, max_size=3), blanks=st.booleans(), ascii_only=st.booleans())
def test_ndjson_lands_the_same_both_ways(
    rows: list[dict[str, Any]], spoilt: list[bytes], blanks: bool, ascii_only: bool, tmp_path: Path
) -> None:
    separators = (", ", ": ") if blanks else (",", ":")
    lines = [json.dumps(row, separators=separators, ensure_ascii=ascii_only).encode() for row in rows]
    in_bulk, by_page = both_ways(tmp_path, "people.ndjson", b"\n".join([*lines, *spoilt]))
    assert in_bulk == by_page


@trying
@given(
    rows=rows_of(CELL), end=st.sampled_from(["\n", "\r\n"]), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
)
def test_csv_lands_the_same_both_ways(rows: list[dict[str, Any]], end: str, quoting: Any, tmp_path: Path) -> None:
    in_bulk, by_page = both_ways(tmp_path, "people.csv", in_csv(rows, end, quoting))
    assert in_bulk == by_page


@trying
@given(rows=rows_of(st.one_of(CELL, st.none())))
def test_parquet_lands_the_same_both_ways(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    in_bulk, by_page = both_ways(tmp_path, "people.parquet", in_parquet(rows))
    assert in_bulk == by_page


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_every_nasty_cell_lands_the_same_both_ways_in_every_column(form: str, tmp_path: Path) -> None:
    whole = [cell for cell in NASTY if form != "csv" or not (set(cell) & {"\r", '"'})]
    rows = [
        dict.fromkeys(COLUMNS) | PLAIN | {"id": f"n{number}"} | {column: cell}
        for number, (column, cell) in enumerate(product(COLUMNS, whole))
    ]
    if form == "ndjson":
        content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    else:
        content = in_csv(rows) if form == "csv" else in_parquet(rows)
    in_bulk, by_page = both_ways(tmp_path, f"people.{form}", content)
    assert in_bulk == by_page
    told, _ = brought(source_over(tmp_path, people={**PATTERN, "files": f"people.{form}"}))
    assert told.pages == 1, "DuckDB has not read the file, and the page way was compared with itself"


def test_attributes_of_any_name_and_value_land_the_same_both_ways(tmp_path: Path) -> None:
    names = ("*", "#", "#-1", "$", "$.id", "a.b", "a b", "1", "id*", "?", "@", "Größe", "'", "/id", "ID")
    told = (
        '"x"',
        '""',
        "0",
        "-7",
        "123456789012345",
        "0.5",
        "-1234.56",
        "1.0",
        "1.50",
        "1e5",
        "true",
        "null",
        '"1.50"',
        "[1]",
        '{"a":1}',
    )
    lines = [
        f'{{"number":{number},"{name}":{value},"last":"y"}}'
        for number, (name, value) in enumerate(product(names, told))
    ]  # fmt: skip
    bare: dict[str, Any] = {
        "id": "number", "changed_at": None, "columns": {"given_name": "first"}, "identifiers": {}, "consents": [],
    }  # fmt: skip
    in_bulk, by_page = both_ways(tmp_path, "people.ndjson", "\n".join(lines).encode(), **bare)
    assert in_bulk == by_page
    told_first = json.loads(in_bulk[0][0][7])
    assert told_first["attributes"] == {"*": "x", "last": "y"}
    assert len(bulks(source_over(tmp_path, people={**PATTERN, **bare, "files": "people.ndjson"}))) == 1


@trying
@given(
    data=st.lists(
        st.sampled_from([b"a", b",", b'"', b'""', b"\n", b"\r\n", b" ", b"\xc3\xa9", b"1", b"'", b"\\", b"\t"]),
        max_size=40,
    )
)
def test_no_csv_is_read_in_two_ways(data: list[bytes], tmp_path: Path) -> None:
    in_bulk, by_page = both_ways(
        tmp_path, "few.csv", b"id,first,size\n" + b"".join(data), columns={"given_name": "first"}, identifiers={}, consents=[],
        changed_at=None,
    )  # fmt: skip
    assert in_bulk == by_page


@pytest.mark.parametrize("delimiter", [",", "|"])
@pytest.mark.parametrize(
    "row", ["1,Ana,38,", "1,Ana,38,,", "1,Ana,,", ",,,", '1,Ana,38,""', '1,"A,b",38,', '1,"A\nb",38,', '"1","A\nb",,""']
)
def test_a_row_that_ends_with_empty_cells_beyond_the_columns_is_refused_both_ways(
    row: str, delimiter: str, tmp_path: Path
) -> None:
    content = f"id,first,size\n0,Bo,37\n{row}\n".replace(",", delimiter).encode()
    bare: dict[str, Any] = {"columns": {"given_name": "first"}, "identifiers": {}, "consents": [], "changed_at": None}
    in_bulk, by_page = both_ways(tmp_path, "few.csv", content, **bare)
    assert in_bulk == by_page
    assert (len(in_bulk[0]), len(in_bulk[1])) == (1, 1)


def test_a_last_cell_that_is_empty_is_no_cell_too_many(tmp_path: Path) -> None:
    content = b'id,first,size\n0,Bo,\n1,"A,b,c",\n2,"A\nb,",""\n'
    bare: dict[str, Any] = {"columns": {"given_name": "first"}, "identifiers": {}, "consents": [], "changed_at": None}
    in_bulk, by_page = both_ways(tmp_path, "few.csv", content, **bare)
    assert in_bulk == by_page
    assert [bulk.rows for bulk in bulks(source_over(tmp_path, people={**PATTERN, **bare, "files": "few.csv"}))] == [3]


@trying
@given(
    header=st.sampled_from(['"id","first","size"', 'id,"first",size', '"id",first,"size"', "id,first,size"]),
    mark=st.sampled_from(["", "\ufeff"]),
    end=st.sampled_from(["\n", "\r\n"]),
    rows=st.lists(st.tuples(*[st.sampled_from(["1", "x", '"x"', '"a,b"', '"a""b"', ""])] * 3), min_size=1),
)
def test_a_quoted_header_is_read_in_bulk_and_lands_the_same_both_ways(
    header: str, mark: str, end: str, rows: list[tuple[str, ...]], tmp_path: Path
) -> None:
    content = (mark + "".join(f"{line}{end}" for line in [header, *map(",".join, rows)])).encode()
    bare: dict[str, Any] = {"columns": {"given_name": "first"}, "identifiers": {}, "consents": [], "changed_at": None}
    in_bulk, by_page = both_ways(tmp_path, "few.csv", content, **bare)
    assert in_bulk == by_page
    is_plain = end == "\n" or '"' not in ",".join(map(",".join, rows))
    assert bool(bulks(source_over(tmp_path, people={**PATTERN, **bare, "files": "few.csv"}))) == is_plain


@pytest.mark.parametrize(
    "header",
    ['"id","fir\nst"', '"id", "first"', 'id,fi"rst', '"id"x,first', '"id","first', "id,first\r0,Bo", '"id","fi""rst"'],
)
def test_an_oddly_quoted_header_lands_the_same_both_ways_and_not_in_bulk(header: str, tmp_path: Path) -> None:
    bare: dict[str, Any] = {"columns": {}, "identifiers": {}, "consents": [], "changed_at": None}
    in_bulk, by_page = both_ways(tmp_path, "few.csv", f"{header}\n1,Ana\n2,Bea\n".encode(), **bare)
    assert in_bulk == by_page
    assert bulks(source_over(tmp_path, people={**PATTERN, **bare, "files": "few.csv"})) == []


def test_python_is_asked_only_about_rows_that_are_not_plain(tmp_path: Path, landing: "Land") -> None:
    class Asked(ByPage):
        asked = 0

        def pages(self, *told: Any) -> Iterator[Any]:
            return self.source.pages(*told)

        def translate(self, *told: Any) -> Any:
            self.asked += 1
            return self.source.translate(*told)

    rows = [dict.fromkeys(COLUMNS) | PLAIN | {"id": str(number)} for number in range(20)]
    rows[7]["joined"] = "soon"
    for name, content in (
        ("people.ndjson", "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()),
        ("people.csv", in_csv(rows)),
        ("people.parquet", in_parquet(rows)),
    ):
        (tmp_path / name).write_bytes(content)
        source = Asked(source_over(tmp_path, people={**PATTERN, "files": name}))
        landing(source)
        assert source.asked == 1, name


Land = Callable[..., land.Landed]


@pytest.fixture
def landing(connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel) -> Land:
    def once(source: Source, step: Callable[..., land.Landed] = land.everything) -> land.Landed:
        with run.begun("land", connection, Policy(), model, clock) as begun:
            return step(begun, source)

    return once


def people(folder: Path, name: str, *rows: dict[str, Any], **pattern: Any) -> Source:
    (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return source_over(folder, people={"id": "id", "columns": {"given_name": "first"}, "files": name, **pattern})


def test_what_has_landed_one_way_is_known_the_other(tmp_path: Path, landing: Land) -> None:
    source = people(tmp_path, "people.ndjson", {"id": 1, "first": "Ana"}, {"id": 2, "first": "Bo"}, {"first": "Cy"})
    first = landing(ByPage(source))
    assert (first.landed, first.refused) == (2, 1)
    again = landing(source)
    assert (again.landed, again.known, again.refused) == (0, 2, 0)


def test_a_row_that_is_told_twice_in_a_file_lands_once_and_its_last_version_counts(
    tmp_path: Path, landing: Land, connection: duckdb.DuckDBPyConnection
) -> None:
    told = [{"id": 1, "first": name} for name in ("Ana", "Anna", "Ana", "Anja")]
    landing(people(tmp_path, "people.ndjson", *told))
    names = connection.execute("select body->>'given_name' from ledger.source_record order by fact").fetchall()
    assert names == [("Ana",), ("Anna",), ("Anja",)]
    assert connection.execute("select body->>'given_name' from derived.current_record").fetchall() == [("Anja",)]


@pytest.mark.parametrize("names", [("Ana ", "Bea"), ("Ana", "Bea ")], ids=["doubtful first", "doubtful last"])
def test_of_two_rows_that_tell_one_record_the_later_counts_whoever_reads_them(
    names: tuple[str, str], tmp_path: Path, connection: duckdb.DuckDBPyConnection, landing: Land
) -> None:
    rows = [dict.fromkeys(COLUMNS) | PLAIN | {"first": name, "changed": "2026-01-31T10:00:00Z"} for name in names]
    (tmp_path / "people.csv").write_bytes(in_csv(rows))
    landing(source_over(tmp_path, people={**PATTERN, "files": "people.csv"}))
    current = connection.execute("select trim(body->>'given_name') from derived.current_record").fetchall()
    assert current == [("Bea",)]


@pytest.mark.parametrize("odd", [b'\xc2\xa0{"id":"8"}', b'{"id":"\\u00a08"}', b'{"id":"8\xe2\x80\x83"}'])
@pytest.mark.parametrize("plain_first", [True, False])
def test_a_record_whose_id_one_row_tells_as_only_python_reads_it_lands_the_same_both_ways(
    odd: bytes, plain_first: bool, tmp_path: Path
) -> None:
    rows = [b'{"id":"8"}', odd] if plain_first else [odd, b'{"id":"8"}']
    in_bulk, by_page = both_ways(tmp_path, "people.ndjson", b"\n".join(rows))
    assert in_bulk == by_page


def test_refused_rows_of_a_bulk_file_are_read_again_after_a_fix(
    tmp_path: Path, landing: Land, connection: duckdb.DuckDBPyConnection
) -> None:
    rows = ({"id": 1, "first": "Ana", "joined": "2026-01-01"}, {"id": 2, "first": "Bo", "joined": "01.02.2026"})
    dated = {"given_name": "first", "created_at": "joined"}
    told = landing(people(tmp_path, "people.ndjson", *rows, columns=dated))
    assert (told.landed, told.refused) == (1, 1)
    [waiting] = explain.status(connection)["waiting_in_quarantine"]
    assert waiting["reasons"] == [
        {"path": "joined", "problem": "no moment in ISO 8601 or in one of the forms of the settings"}
    ]
    mended = people(tmp_path, "people.ndjson", *rows, columns=dated, moments=["%d.%m.%Y"])
    assert landing(mended, land.again).landed == 1
    assert explain.status(connection)["waiting_in_quarantine"] == []


def test_a_stretch_that_cannot_be_written_is_not_half_written(
    tmp_path: Path, a_run: run.Run, connection: duckdb.DuckDBPyConnection
) -> None:
    source = people(tmp_path, "people.ndjson", {"id": 1}, {"id": 2}, {"id": 3, "first": ["x"]})
    connection.execute("drop table ledger.quarantine")
    with pytest.raises(duckdb.CatalogException):
        land.records(a_run, source)
    assert connection.execute("select count(*) from ledger.source_record").fetchall() == [(0,)]


def test_a_file_larger_than_a_stretch_lands_whole(
    tmp_path: Path, landing: Land, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.files.bulk._STRETCH", 100)
    rows = [{"id": number, "first": "Ana"} for number in range(50)]
    told = landing(people(tmp_path, "people.ndjson", *rows))
    assert told.landed == 50
    assert told.pages > 5
    assert len(bulks(people(tmp_path, "people.ndjson", *rows))) == told.pages


@trying
@given(
    rows=rows_of(CELL), spoilt=st.lists(LINE, max_size=3), form=st.sampled_from(["ndjson", "csv"]),
    block=st.integers(3, 400), stretch=st.integers(3, 2_000), end=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_wherever_a_block_of_a_file_ends_the_same_lands_both_ways(
    rows: list[dict[str, Any]], spoilt: list[bytes], form: str, block: int, stretch: int, end: str, tmp_path: Path
) -> None:
    lines = [*(json.dumps(row, ensure_ascii=False).encode() for row in rows), *spoilt]
    content = b"\n".join(lines) if form == "ndjson" else in_csv(rows, end)
    with (
        patch.object(connectors.files.bulk, "_BLOCK", block),
        patch.object(connectors.files.bulk, "_STRETCH", stretch),
    ):
        in_bulk, by_page = both_ways(tmp_path, f"people.{form}", b"\xef\xbb\xbf" + content)
    assert in_bulk == by_page


def test_a_quote_that_stays_open_does_not_lead_through_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.files.bulk._BLOCK", 100)
    path = tmp_path / "people.csv"
    path.write_bytes(b'id,first\n1,"Ana\n' + b"2,Bo\n" * 10_000)
    pattern = Pattern.model_validate({"files": "*.csv", "id": "id", "columns": {"given_name": "first"}})
    with path.open("rb") as file:
        assert list(stretches(file, pattern, Bounds(row_bytes=1_000))) == [None]
        assert file.tell() < 3_000


def bulks(source: Source) -> list[Bulk]:
    return [told for told in source.pages("person", EVERYTHING) if isinstance(told, Bulk)]


@pytest.mark.parametrize(
    "name", ["people_*.ndjson", "people_[1].ndjson", "people_{a,b}.ndjson", "people_?.csv.gz.ndjson"]
)
def test_a_name_is_a_name_and_no_pattern(name: str, tmp_path: Path, landing: Land) -> None:
    people(tmp_path, "people_1.ndjson", {"id": "of another file"})
    source = people(tmp_path, name, {"id": 1}, files="people_*.ndjson")
    (tmp_path / "people_1.ndjson").unlink()
    people(tmp_path, "peoples.ndjson", {"id": 2})
    assert landing(source).landed == 1


def test_a_file_that_is_replaced_by_a_link_while_it_is_read_leads_nowhere(
    tmp_path: Path, landing: Land, connection: duckdb.DuckDBPyConnection
) -> None:
    source = people(tmp_path, "people.ndjson", {"id": 1})
    secret = tmp_path / "secret"
    secret.write_text('{"id":"secret"}\n', encoding="utf-8")

    class Swapped(ByPage):
        def pages(self, *asked: Any) -> Iterator[Any]:
            for told in self.source.pages(*asked):
                (tmp_path / "people.ndjson").unlink()
                (tmp_path / "people.ndjson").symlink_to(secret)
                yield told

    landing(Swapped(source))
    assert connection.execute("select source_id from ledger.source_record").fetchall() == [("people:1",)]


@pytest.mark.parametrize(
    ("name", "content", "pattern"),
    [
        ("people.csv", 'id,first\n1,"Ana"\n'.encode("utf-16"), {}),
        ("people.csv", b"id,first\n1,J\xf6rg\n", {"encodings": ["utf-8", "cp1252"]}),
        ("people.csv", b'id,first\n1, "Ana"\n', {}),
        ("people.csv", b"id,first\n1,Ana\r", {}),
        ("people.csv", b"id,first,FIRST\n1,Ana,x\n", {}),
        ("people.ndjson", b'{"id":1,"first":"Ana","pan":"4111"}\n', {"dropped": ["pan"]}),
        ("people.ndjson", b'{"id":1,"a\\"b":"x"}\n', {}),
    ],
)
def test_what_is_not_plain_keeps_the_page_way(
    name: str, content: bytes, pattern: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    source = source_over(tmp_path, people={"id": "id", "columns": {"given_name": "first"}, "files": name, **pattern})
    assert bulks(source) == []
    assert len(landed(source)[0]) == 1


def test_a_torn_row_and_a_long_line_keep_their_reasons(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(b"id,first\n1,Ana\n2\n")
    (tmp_path / "people.ndjson").write_bytes(b'{"id":1}\n{"id":2,"first":"' + b"x" * 500 + b'"}\n')
    for name, problem in (
        ("people.csv", "expected 2 cells, found 1"),
        ("people.ndjson", "the line is longer than 300 bytes"),
    ):
        source = source_over(
            tmp_path,
            settings={"bounds": {"row_bytes": 300}},
            people={"id": "id", "columns": {"given_name": "first"}, "files": name},
        )
        records, [refusal] = landed(source)
        assert len(records) == 1
        assert problem in refusal[-1]
