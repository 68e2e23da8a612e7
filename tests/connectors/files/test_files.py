"""A folder of files: what is read when, where it goes, what a row becomes, and what nobody can make it do."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.files.columns import Pattern
from connectors.files.source import Settings
from models.errors import Rejected, TryLater
from models.landing import Refusal, SourceRecord, Window
from models.records import Person
from tests.connectors.conformance import read
from tests.connectors.files.folder import EVERYTHING, source_over

PATTERN: dict[str, Any] = {"files": "people*.csv", "id": "id", "columns": {"given_name": "name"}}
HEAD = "id,name\n"


def put(path: Path, *rows: str, head: str = HEAD) -> Path:
    path.write_text(head + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def ids(folder: Path, window: Window = EVERYTHING, **settings: Any) -> list[str]:
    return read(source_over(folder, settings=settings, people=PATTERN), window).ids("person")


# ---- what a row becomes ----------------------------------------------------------------------------------------------
WHOLE = {
    "id": "No",
    "columns": {
        "title": "Title", "given_name": "First", "family_name": "Last", "birth_date": "Born", "email": ["Mail", "Mail 2"],
        "phone": "Tel", "line1": "Street", "postcode": "Zip", "city": "Town", "country": "Land", "store": "Shop",
        "loyalty_number": "Card", "loyalty_tier": "Level", "loyalty_points": "Points", "loyalty_tier_expires": "Until",
        "created_at": "Since",
    },
    "identifiers": {"bigcommerce_customer": "Shop id"},
    "consents": [
        {"channel": "email", "status": "News", "at": "News at", "proof": "Form"},
        {"channel": "sms", "status": "Text", "brand": "outlet"},
        {"channel": "post", "status": "Post"},
    ],
    "changed_at": "Changed", "zone": "Europe/Berlin", "moments": ["%d.%m.%Y %H:%M"], "verified": ["email"], "brand": "harbour",
}  # fmt: skip
ROW = {
    "No": " 7 ", "Title": "Dr", "First": "Ana", "Last": "B.", "Born": "03/02/80", "Mail": "a@x.example", "Mail 2": "b@x.example",
    "Tel": "0000000000", "Street": "1 Row", "Zip": "01067", "Town": "Dresden", "Land": "DE", "Shop": "0304", "Card": "LC1",
    "Level": "gold", "Points": "120", "Until": "2027-01-31", "Since": "25.10.2026 02:30", "Shop id": "42", "News": "Yes",
    "News at": "2026-03-01T10:00:00Z", "Form": "doi-1", "Text": "N", "Post": "pending", "Changed": "2026-07-01", "Size": "38",
}  # fmt: skip


def translated(row: Mapping[str, Any], **pattern: Any) -> SourceRecord | Refusal:
    import orjson

    source = source_over(Path(), club={"files": "club.ndjson", **WHOLE, **pattern})
    return source.translate("person", orjson.dumps({"pattern": "club", "row": row}).decode())


def person(row: Mapping[str, Any], **pattern: Any) -> Person:
    record = translated(row, **pattern)
    assert isinstance(record, SourceRecord)
    assert isinstance(record.body, Person)
    return record.body


def problems(row: Mapping[str, Any], **pattern: Any) -> dict[str, str]:
    refusal = translated(row, **pattern)
    assert isinstance(refusal, Refusal)
    return {reason.path: reason.problem for reason in refusal.reasons}


def test_every_column_of_the_map_finds_its_word() -> None:
    record = translated(ROW)
    assert isinstance(record, SourceRecord)
    assert str(record.key) == "files:person:club:7"
    assert str(record.changed_at) == "2026-06-30 22:00:00+00:00"
    told = person(ROW)
    assert (told.title, told.given_name, told.family_name, told.birth_date) == ("Dr", "Ana", "B.", "03/02/80")
    assert [(point.value, point.primary, point.verified) for point in told.contact_points] == [
        ("a@x.example", True, True), ("b@x.example", False, True), ("0000000000", True, None),
    ]  # fmt: skip
    (address,) = told.addresses
    assert (address.line1, address.postcode, address.city, address.country) == ("1 Row", "01067", "Dresden", "DE")
    assert {one.kind: one.value for one in told.identifiers} == {"bigcommerce_customer": "42", "loyalty_number": "LC1"}
    assert (told.store, told.brand, told.attributes) == ("0304", "harbour", {"Size": "38"})


def test_loyalty_stands_on_the_person() -> None:
    (member,) = person(ROW).loyalty
    assert (member.account, member.programme, member.balance) == ("LC1", "main", 120)
    assert member.tier is not None
    assert (member.tier.code, str(member.tier.expires_on)) == ("gold", "2027-01-31")


@pytest.mark.parametrize("columns", [{}, {"loyalty_number": "Card"}])
def test_a_loyalty_number_is_an_identifier_whether_or_not_there_is_an_account(columns: dict[str, str]) -> None:
    told = person(ROW, columns=columns, consents=[], identifiers={"shop": "Shop id", "loyalty_number": "Card"})
    assert [(one.kind, one.value) for one in told.identifiers] == [("shop", "42"), ("loyalty_number", "LC1")]


def test_an_answer_is_about_its_contact_point() -> None:
    told = [(one.channel, one.contact_point, one.status, one.brand, one.proof) for one in person(ROW).consents]
    assert told == [
        ("email", "a@x.example", "opt_in", "harbour", "doi-1"),
        ("sms", "0000000000", "opt_out", "outlet", None),
        ("post", "1 Row, 01067, Dresden, DE", "pending", "harbour", None),
    ]


def test_of_the_hour_that_comes_twice_the_first_is_meant() -> None:
    assert str(person(ROW).created_at) == "2026-10-25 00:30:00+00:00"


def test_each_wrong_cell_is_named_by_its_column_and_never_quoted() -> None:
    wrong = {"Points": "many", "Until": "soon", "Since": "long ago", "News": "perhaps", "Changed": "0001-01-01T00:00"}
    told = problems(ROW | wrong)
    assert set(told) == set(wrong)
    assert not any(text in problem for problem in told.values() for text in wrong.values())


def test_an_answer_about_nothing_is_refused_and_not_lost() -> None:
    row = {name: text for name, text in ROW.items() if name != "Tel"}
    assert problems(row) == {"Text": "an answer, but the row has nothing that it could be about"}


def test_a_list_where_a_value_was_expected_is_refused() -> None:
    assert problems(ROW | {"First": ["Ana"]}) == {"First": "a list or a table where one value was expected"}


def test_a_row_without_an_id_is_refused_with_the_reason() -> None:
    assert problems(ROW | {"No": "  "}) == {"No": "required: it names the record"}


def test_only_named_columns_become_attributes_where_they_are_named() -> None:
    assert person(ROW, attributes=["First"]).attributes == {"First": "Ana"}


def test_a_payload_of_a_pattern_that_is_gone_stays_refused() -> None:
    source = source_over(Path(), people=PATTERN)
    told = source.translate("person", '{"pattern":"other","row":{"id":"1"}}')
    assert isinstance(told, Refusal)
    assert told.reasons[0].path == "pattern"


# ---- which files, when -----------------------------------------------------------------------------------------------
def test_a_file_is_read_once_its_marker_lies_there(tmp_path: Path) -> None:
    put(tmp_path / "people1.csv", "1,Ana")
    assert ids(tmp_path, done_suffix=".done") == []
    (tmp_path / "people1.csv.done").touch()
    assert ids(tmp_path, done_suffix=".done") == ["people:1"]


def test_what_came_late_is_read_whatever_time_it_tells_of(tmp_path: Path) -> None:
    path = put(tmp_path / "people1.csv", "1,Ana")
    os.utime(path, (1_000_000_000, 1_000_000_000))  # its arrival, which nobody can set, is now
    today = path.stat().st_ctime
    since = EVERYTHING.until.fromtimestamp(today - 5, tz=EVERYTHING.until.tzinfo)
    assert ids(tmp_path, Window(since=since, until=EVERYTHING.until)) == ["people:1"]
    later = EVERYTHING.until.fromtimestamp(today + 5, tz=EVERYTHING.until.tzinfo)
    assert ids(tmp_path, Window(since=later, until=EVERYTHING.until)) == []


LATELY = Window(since=EVERYTHING.until.replace(year=2000), until=EVERYTHING.until)


@pytest.mark.parametrize("people", [PATTERN, {**PATTERN, "dropped": ["other"]}], ids=["in bulk", "by page"])
def test_a_file_goes_to_the_archive_once_its_window_is_on_disk(tmp_path: Path, people: dict[str, Any]) -> None:
    folder, archive = tmp_path / "in", tmp_path / "archive"
    folder.mkdir()
    put(folder / "people1.csv", *(f"{number},Ana" for number in range(600)))
    (folder / "people1.csv.done").touch()
    source = source_over(folder, settings={"archive": archive, "done_suffix": ".done"}, people=people)
    assert list(source.pages("person", LATELY))
    assert (folder / "people1.csv").exists()  # the last page may not be on disk yet
    source.landed("person", LATELY)
    assert list(folder.iterdir()) == []
    assert sorted(path.name for path in archive.glob("*/*")) == ["people1.csv", "people1.csv.done"]


def test_what_cannot_be_read_to_its_end_stays_where_somebody_sees_it(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "people1.csv"
    path.write_bytes(b"No;Other\n1;2\n")
    source = source_over(folder, settings={"archive": tmp_path / "archive"}, people=PATTERN)
    assert read(source, LATELY).refused
    source.landed("person", LATELY)
    assert path.exists()


def test_a_full_run_reads_the_archive_again_and_a_delta_run_does_not(tmp_path: Path) -> None:
    folder, archive = tmp_path / "in", tmp_path / "archive"
    folder.mkdir()
    source = source_over(folder, settings={"archive": archive}, people=PATTERN)
    for number in (1, 2):  # the same name twice
        put(folder / "people.csv", f"{number},Ana")
        assert read(source, LATELY).ids("person") == [f"people:{number}"]
        source.landed("person", LATELY)
    assert read(source, EVERYTHING).ids("person") == ["people:1", "people:2"]
    assert read(source, LATELY).ids("person") == []


def test_a_file_that_grows_while_it_is_read_stays_for_the_next_run(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = put(folder / "people1.csv", "1,Ana")
    source = source_over(folder, settings={"archive": tmp_path / "archive"}, people=PATTERN)
    pages = source.pages("person", EVERYTHING)
    next(pages)
    path.write_text(path.read_text(encoding="utf-8") + "2,Bo\n", encoding="utf-8")
    list(pages)
    source.landed("person", EVERYTHING)
    assert path.exists()
    assert read(source, EVERYTHING).ids("person") == ["people:1", "people:2"]


def test_a_file_belongs_to_the_first_pattern_that_fits(tmp_path: Path) -> None:
    put(tmp_path / "people1.csv", "1,Ana")
    source = source_over(tmp_path, first=PATTERN, second={**PATTERN, "files": "*.csv"})
    assert read(source, EVERYTHING).ids("person") == ["first:1"]


def test_without_the_folder_the_run_comes_back_later(tmp_path: Path) -> None:
    with pytest.raises(TryLater):
        ids(tmp_path / "nowhere")


def test_there_is_nothing_but_people(tmp_path: Path) -> None:
    with pytest.raises(Rejected):
        next(source_over(tmp_path, people=PATTERN).pages("order", EVERYTHING))


# ---- what nobody can make it do --------------------------------------------------------------------------------------
@pytest.mark.parametrize("files", ["../people.csv", "/etc/passwd", "a/*.csv", "..", ".hidden.csv", "a\\b.csv", ""])
def test_a_pattern_cannot_lead_out_of_the_folder(files: str) -> None:
    with pytest.raises(ValidationError):
        Pattern(files=files, id="id", form="csv")


@pytest.mark.parametrize("name", ["../x", "a:b", "", "A B"])
def test_a_pattern_has_a_plain_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"folder": tmp_path, "patterns": {name: PATTERN}})


def test_links_folders_and_pipes_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    put(tmp_path / "secret.csv", "1,Ana")
    (folder / "people1.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "people2.csv").mkdir()
    os.mkfifo(folder / "people3.csv")
    assert ids(folder) == []


def test_a_file_that_is_too_long_is_refused_whole(tmp_path: Path) -> None:
    put(tmp_path / "people1.csv", *(f"{number},Ana" for number in range(50)))
    told = read(source_over(tmp_path, settings={"bounds": {"file_bytes": 100}}, people=PATTERN), EVERYTHING)
    assert (told.records, told.refused[0].reasons[0].problem) == ([], "the file is longer than 100 bytes")


def test_a_line_that_is_too_long_is_refused_alone(tmp_path: Path) -> None:
    (tmp_path / "people.ndjson").write_text('{"id":1}\n{"id":2,"name":"' + "x" * 500 + '"}\n{"id":3}', encoding="utf-8")
    pattern = {"files": "people.ndjson", "id": "id"}
    told = read(source_over(tmp_path, settings={"bounds": {"row_bytes": 100}}, people=pattern), EVERYTHING)
    assert told.ids("person") == ["people:1", "people:3"]
    assert told.refused[0].reasons[0].problem == "the line is longer than 100 bytes"


def test_a_row_that_is_too_long_ends_the_file_with_a_reason(tmp_path: Path) -> None:
    put(tmp_path / "people1.csv", "1,Ana", '2,"' + "x" * 5000)
    told = read(source_over(tmp_path, settings={"bounds": {"row_bytes": 1000}}, people=PATTERN), EVERYTHING)
    assert [reason.problem for refusal in told.refused for reason in refusal.reasons] == [
        "a row is longer than 1000 bytes"
    ]


def test_a_name_that_does_not_print_cannot_break_a_log_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    put(tmp_path / "people\nERROR forged.csv", "1,Ana")
    assert ids(tmp_path) == ["people:1"]
    assert "\n" not in caplog.messages[-1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": {"firstname": "a"}}, {"columns": {"given_name": ["a", "b"]}}, {"zone": "Mars/Base"},
        {"encodings": ["utf-16"]}, {"encodings": []}, {"files": "people.dat"}, {"dropped": ["id"]}, {"delimiter": ";;"},
        {"colums": {}},
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Pattern.model_validate(PATTERN | wrong)
