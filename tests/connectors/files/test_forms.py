"""The same people in CSV, NDJSON and Parquet are the same records; what cannot be read spoils nothing but itself."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from connectors.files.columns import Pattern
from connectors.files.tables import Bounds, payloads
from models.landing import Refusal, SourceRecord
from models.records import Person
from tests.connectors.conformance import Read, read
from tests.connectors.files.folder import EVERYTHING, source_over

COLUMNS = ("id", "first", "last", "mail", "joined", "Shoe size", "héad,er")
PATTERN: Mapping[str, Any] = {
    "id": "id",
    "columns": {"given_name": "first", "family_name": "last", "email": "mail", "created_at": "joined"},
    "zone": "Europe/Paris",
}
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
MOMENT = st.one_of(st.just(""), st.datetimes().map(lambda at: at.isoformat()), TEXT)
ROW = st.tuples(TEXT, TEXT, TEXT, TEXT, MOMENT, TEXT, TEXT)


def write(folder: Path, form: str, rows: Sequence[Sequence[str]], columns: Sequence[str] = COLUMNS) -> None:
    path = folder / f"people.{form}"
    if form == "csv":
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerows([columns, *rows])
        path.write_bytes(text.getvalue().encode())
    elif form == "ndjson":
        lines = (json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in rows)
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    else:
        told = {name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(columns)}
        pq.write_table(pa.table(told), path)


def read_as(folder: Path, form: str, rows: Sequence[Sequence[str]]) -> Read:
    for old in folder.iterdir():
        old.unlink()
    write(folder, form, rows)
    return read(source_over(folder, people={**PATTERN, "files": f"people.{form}"}), EVERYTHING)


@trying(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=8))
def test_any_table_gives_the_same_records_in_every_form(rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    in_csv, in_ndjson, in_parquet = (read_as(tmp_path, form, rows) for form in ("csv", "ndjson", "parquet"))
    assert understood(in_csv) == understood(in_ndjson) == understood(in_parquet)
    assert len(in_csv.records) + len(in_csv.refused) == len(rows)


def understood(told: Read) -> list[object]:
    """What a table says, but for the payloads: those are the rows as each form writes them."""
    return [
        *((one.key, one.body, one.changed_at) for one in told.records),
        *((one.source_id, one.reasons) for one in told.refused),
    ]


@trying(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=5), form=st.sampled_from(["csv", "ndjson", "parquet"]))
def test_a_payload_gives_its_record_again(rows: list[tuple[str, ...]], form: str, tmp_path: Path) -> None:
    told = read_as(tmp_path, form, rows)
    source = source_over(tmp_path, people={**PATTERN, "files": f"people.{form}"})
    for record in told.records:
        assert source.translate("person", record.raw) == record
    for refusal in told.refused:
        assert source.translate("person", refusal.raw) == refusal


@trying(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), form=st.sampled_from(["csv", "ndjson", "parquet"]))
def test_no_bytes_bring_the_reader_down(data: bytes, form: str, tmp_path: Path) -> None:
    (tmp_path / f"people.{form}").write_bytes(data if form != "csv" else b"id,first,last,mail,joined\n" + data)
    source = source_over(tmp_path, people={**PATTERN, "files": f"people.{form}"})
    told = read(source, EVERYTHING)
    for raw, outcome in outcomes(told):
        assert source.translate("person", raw) == outcome


def outcomes(told: Read) -> list[tuple[str, SourceRecord | Refusal]]:
    return [*((one.raw, one) for one in told.records), *((one.raw, one) for one in told.refused)]


def people(told: Read) -> list[Person]:
    return [record.body for record in told.records if isinstance(record.body, Person)]


def over(folder: Path, content: bytes, name: str = "people.csv", **pattern: Any) -> Read:
    (folder / name).write_bytes(content)
    return read(source_over(folder, people={**PATTERN, "files": name, **pattern}), EVERYTHING)


def problems(told: Read) -> list[tuple[str, str]]:
    return [(reason.path, reason.problem) for refusal in told.refused for reason in refusal.reasons]


HEAD = b"id,first,last,mail,joined\n"


def test_a_row_with_too_few_cells_is_refused_alone(tmp_path: Path) -> None:
    told = over(tmp_path, HEAD + b"1,Ana,B,a@x,\n2,Bo\xff\n3,Cy,D,c@x,\n")
    assert told.ids("person") == ["people:1", "people:3"]
    assert problems(told) == [("", "expected 5 cells, found 2")]
    assert "2,Boÿ" in told.refused[0].raw


def test_a_row_in_no_known_encoding_is_refused_alone_and_can_be_read_once_it_is_known(tmp_path: Path) -> None:
    told = over(tmp_path, HEAD + b"1,Ana,B,a@x,\n2,J\xf6rg,K,j@x,\n")
    assert told.ids("person") == ["people:1"]
    mended = source_over(tmp_path, people={**PATTERN, "files": "people.csv", "encodings": ["utf-8", "cp1252"]})
    again = mended.translate("person", told.refused[0].raw)
    assert isinstance(again, SourceRecord)
    assert isinstance(again.body, Person)
    assert again.body.given_name == "Jörg"


DEEP = b'{"id":9,"first":' + b"[" * 700 + b"]" * 700 + b"}"


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b'"x"', b'{"id":"\\ud800"}', b"[" * 3000, DEEP, b'{"id": 1', b"\xff\xfe{}"]
)
def test_one_bad_line_is_one_refusal(line: bytes, tmp_path: Path) -> None:
    told = over(tmp_path, b'{"id":1,"first":"Ana"}\n' + line + b'\n{"id":2}\n', "people.ndjson")
    assert told.ids("person") == ["people:1", "people:2"]
    assert len(told.refused) == 1


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    told = over(tmp_path, b'{"id":1,"points":1.50,"big":12345678901234567890,"on":true}', "people.ndjson")
    assert people(told)[0].attributes == {"points": "1.50", "big": "12345678901234567890", "on": "true"}


def test_typed_columns_of_parquet_are_told_as_a_text_file_would(tmp_path: Path) -> None:
    columns = {
        "id": pa.array([7]),
        "first": pa.array([b"Ana"], pa.binary()),
        "last": pa.array([None], pa.null()),
        "mail": pa.array(["a@x"]).dictionary_encode(),
        "joined": pa.array([datetime.fromisoformat("2026-03-01T10:00")], pa.timestamp("ns")),
        "born": pa.array([date(1980, 2, 3)]),
        "share": pa.array([0.5]),
        "nothing": pa.array([float("nan")]),
        "list": pa.array([["a", "b"]]),
    }
    pq.write_table(pa.table(columns), tmp_path / "people.parquet")
    told = read(source_over(tmp_path, people={**PATTERN, "files": "people.parquet"}), EVERYTHING)
    (person,) = people(told)
    assert (told.ids("person"), person.given_name, person.family_name) == (["people:7"], "Ana", None)
    assert str(person.created_at) == "2026-03-01 09:00:00+00:00"
    assert person.attributes == {"born": "1980-02-03", "share": "0.5"}
    assert '"list":["a","b"]' in told.records[0].raw


@pytest.mark.parametrize(
    "content",
    [
        HEAD.decode().encode("utf-16"),
        b"\xef\xbb\xbf" + HEAD,
        HEAD.replace(b",", b";"),
        HEAD.replace(b",", b"\t"),
        HEAD.replace(b"\n", b"\r\n"),
        b'"id","first","last","mail","joined","two\nlines"\n',
    ],
)
def test_headers_are_found_whatever_the_mark_the_delimiter_and_the_line_end(content: bytes, tmp_path: Path) -> None:
    cells = ["1", "Ana", "Ber,zina;\tx", "a@x", "", *(["z"] if b"lines" in content else [])]
    delimiter = next((mark for mark in ";\t" if mark.encode() in content), ",")
    row = delimiter.join(f'"{cell}"' for cell in cells) + "\n"
    told = over(tmp_path, content + row.encode("utf-16-le" if content.startswith(b"\xff") else "utf-8"))
    assert [person.family_name for person in people(told)] == ["Ber,zina;\tx"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "there is no header"),
        (b"first,last\nAna,B\n", "there is no column id, joined, mail"),
        (b"id,first,last,mail,joined,first\n", "two columns have the same name"),
    ],
)
def test_a_file_without_the_columns_of_the_map_is_refused_whole(content: bytes, problem: str, tmp_path: Path) -> None:
    told = over(tmp_path, content)
    assert (told.records, problems(told)) == ([], [("people.csv", problem)])


def test_parquet_that_is_cut_off_is_refused_whole(tmp_path: Path) -> None:
    write(tmp_path, "parquet", [("1", "", "", "", "", "", "")])
    whole = (tmp_path / "people.parquet").read_bytes()
    told = over(tmp_path, whole[: len(whole) // 2], "people.parquet")
    assert problems(told) == [("people.parquet", "not a Parquet file, or cut off")]


def test_columns_that_must_not_land_are_nowhere(tmp_path: Path) -> None:
    card = b"4111111111111111"
    told = over(tmp_path, b"id,first,last,mail,joined,pan\n1,A,B,,," + card + b"\n2," + card + b"\n", dropped=["pan"])
    lines = over(tmp_path, b'{"id":1,"pan":"' + card + b'"}\n{"pan":"' + card, "people.ndjson", dropped=["pan"])
    for raw, _ in (*outcomes(told), *outcomes(lines)):
        assert card.decode() not in raw
    assert len(told.refused) == len(lines.refused) == 1


def test_memory_follows_the_row_and_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(HEAD + b"".join(b"%d,%s,B,,\n" % (number, b"x" * 400) for number in range(40_000)))
    pattern = Pattern.model_validate({**PATTERN, "files": "people.csv"})
    before, most, count = pa.total_allocated_bytes(), 0, 0
    with path.open("rb") as file:
        for _ in payloads(file, pattern, Bounds(row_bytes=65_536)):
            count += 1
            most = max(most, pa.total_allocated_bytes() - before)
    assert (count, path.stat().st_size > 16_000_000) == (40_000, True)
    assert most < 4_000_000


def test_refusals_are_values(tmp_path: Path) -> None:
    told = over(tmp_path, HEAD + b",Ana,B,a@x,\n")
    assert isinstance(told.refused[0], Refusal)
    assert problems(told) == [("id", "required: it names the record")]
