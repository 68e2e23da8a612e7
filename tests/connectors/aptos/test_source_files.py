"""The CRM's daily files: whole or not at all, in their order, under two maps, and the same records as the feed."""

import hashlib
import logging
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.aptos import sandbox
from connectors.aptos.destination import read_map
from connectors.aptos.sandbox import Shop
from connectors.aptos.sandbox_files import DayWriter
from connectors.aptos.source import Settings, connect
from models.landing import Deletion, Window
from models.ports import Source
from models.records import Person
from tests.connectors.aptos.crm import COUNTS, DEPLOYMENTS, OURS, SPOILT, fill, hour, identity, put
from tests.connectors.conformance import PassingTime, Read, read

EVERYTHING = Window(until=datetime(2100, 1, 1, tzinfo=UTC))
DAY = date(2026, 1, 1)
HEADER = (
    "ACTION|CUSTOMER_NO|ALT_SYSTEM|ALT_KEY|FIRST_NAME|LAST_NAME|EMAIL|EMAIL_TYPE|PHONE|PHONE_TYPE|ADDR_TYPE|ADDR1|CITY"
    "|POSTAL|COUNTRY|STORE_OF_RECORD|EMAIL_OPTIN|EMAIL_OPTIN_TS|SMS_OPTIN|SMS_OPTIN_TS|MODIFIED_TS"
)
ROW = (
    "U|A778|golden|gid-2|Jörg|Beispiel|joerg.beispiel@example.de|HOME|||HOME|Musterweg 1|Köln|50000|DE|0502|N|"
    "2026-03-01T10:00:00Z|U||2026-03-15T08:00:00Z"
)


@pytest.fixture
def shop() -> Shop:
    filled = Shop(lambda: datetime(2026, 3, 1, tzinfo=UTC))
    fill(filled)
    return filled


def source_over(folder: Path, deployment: str = "ours") -> Source:
    time = PassingTime()
    settings = Settings(daily_files=folder, fieldmap=DEPLOYMENTS[deployment][0])
    return connect(settings, clock=time.clock, sleep=time.sleep)


def writer(folder: Path, deployment: str = "ours") -> DayWriter:
    fieldmap, _, columns = DEPLOYMENTS[deployment]
    source = read_map(fieldmap).source
    assert source is not None
    return DayWriter(folder, source, columns)


def over(folder: Path, *rows: str, spoil: Callable[[bytes], bytes] = lambda content: content) -> Read:
    path = writer(folder).put("CUSTOMER_20260316_0001.csv", HEADER, rows)
    path.write_bytes(spoil(path.read_bytes()))
    return read(source_over(folder), EVERYTHING)


def problems(told: Read) -> list[tuple[str, str]]:
    return [(reason.path, reason.problem) for refusal in told.refused for reason in refusal.reasons]


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_the_files_of_a_day_tell_every_object_under_either_map(deployment: str, shop: Shop, tmp_path: Path) -> None:
    for day in (DAY, date(2026, 1, 2)):
        writer(tmp_path, deployment).write(shop, day)
    source = source_over(tmp_path, deployment)
    told = read(source, EVERYTHING)
    assert not source.is_live
    for object_, count in COUNTS.items():
        ours = {OURS} if object_ == "transaction" else set()
        spoilt = set() if object_ == "customer" else {SPOILT}  # no flat file can hold that one's damage
        wanted = [identity(object_, number) for number in range(1, count + 1) if number not in spoilt | ours]
        assert told.ids(object_) == sorted(wanted), object_
    assert len(told.refused) == len(COUNTS) - 1


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_payload_of_a_file_gives_its_record_again(deployment: str, shop: Shop, tmp_path: Path) -> None:
    writer(tmp_path, deployment).write(shop, DAY)
    source = source_over(tmp_path, deployment)
    told = read(source, EVERYTHING)
    for outcome in told.records:
        assert source.translate(outcome.key.object, outcome.raw) == outcome
    for refusal in told.refused:
        assert source.translate(refusal.object, refusal.raw) == refusal


def test_a_row_of_the_flat_file_is_a_person(tmp_path: Path) -> None:
    told = over(tmp_path, ROW)
    (person,) = [record.body for record in told.records]
    assert isinstance(person, Person)
    assert (told.ids("customer"), person.given_name, person.addresses[0].city) == (["A778"], "Jörg", "Köln")
    assert [point.kind for point in person.contact_points] == ["email"]
    assert [(one.channel, one.status) for one in person.consents] == [("email", "opt_out")]
    assert [(one.kind, one.value) for one in person.identifiers] == [("golden", "gid-2")]


def test_a_row_that_says_deleted_is_a_deletion(tmp_path: Path) -> None:
    (record,) = over(tmp_path, "D" + ROW[1:]).records
    assert isinstance(record.body, Deletion)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            lambda told: told.replace(b"Musterweg", b"Musterw\xc3\xa9g"),
            "the SHA-256 of the trailer is not that of the rows",
        ),
        (lambda told: told.replace(b"TRL|1|", b"TRL|2|"), "the trailer counts 2 rows, the file holds 1"),
        (lambda told: told[: told.index(b"TRL|")], "there is no trailer: the file is cut off, or something else"),
        (lambda told: told[:-70], "there is no trailer: the file is cut off, or something else"),
        (lambda told: b"", "there is no trailer: the file is cut off, or something else"),
        (
            lambda told: told.replace(b"TRL|1|", ROW.encode() + b"\nTRL|1|"),
            "the trailer counts 1 rows, the file holds 2",
        ),
    ],
)
def test_a_file_whose_trailer_disagrees_is_refused_whole(
    spoil: Callable[[bytes], bytes], problem: str, tmp_path: Path
) -> None:
    told = over(tmp_path, ROW, spoil=spoil)
    assert told.records == []
    assert problems(told) == [("CUSTOMER_20260316_0001.csv", problem)]


def test_a_file_with_another_header_is_refused_whole(tmp_path: Path) -> None:
    told = over(tmp_path, ROW, spoil=lambda content: content.replace(b"EMAIL|", b"MAIL|", 1))
    assert problems(told) == [("CUSTOMER_20260316_0001.csv", "there is no column EMAIL")]


def test_the_sum_is_that_of_the_bytes_between_header_and_trailer(tmp_path: Path) -> None:
    row = ROW.encode() + b"\r\n"
    trailer = f"TRL|1|{hashlib.sha256(row).hexdigest().upper()}".encode()
    (tmp_path / "CUSTOMER_20260316_0001.csv").write_bytes(HEADER.encode() + b"\r\n" + row + trailer)
    (tmp_path / "CUSTOMER_20260316_0001.csv.done").touch()
    assert read(source_over(tmp_path), EVERYTHING).ids("customer") == ["A778"]


@pytest.mark.needs_shared
def test_the_sample_of_the_contract_is_read(tmp_path: Path) -> None:
    from tests.connectors.aptos.test_contract import SHARED

    sample = SHARED / "contracts" / "aptos" / "batch_customer_20260316_0001.csv"
    if not sample.exists():
        pytest.skip("the sample lies beside the project and is not here (set SHARED_DIR)")
    (tmp_path / "CUSTOMER_20260316_0001.csv").write_bytes(sample.read_bytes())
    (tmp_path / "CUSTOMER_20260316_0001.csv.done").touch()
    told = read(source_over(tmp_path), EVERYTHING)
    assert told.ids("customer") == ["A778"]
    assert problems(told) == [("CUSTOMER_NO", "Field required")]


def test_one_bad_row_is_one_refusal(tmp_path: Path) -> None:
    told = over(
        tmp_path,
        ROW,
        "U|A9|too|few",
        ROW.replace("A778", "A779").replace("|N|", "|maybe|"),
        ROW.replace("A778", 'A7"80'),
    )
    assert told.ids("customer") == ['A7"80', "A778"]
    assert problems(told) == [
        ("CUSTOMER_20260316_0001.csv", "expected 21 cells, found 4"),
        ("EMAIL_OPTIN", "the code has no entry in source.codes.file_answer, and there is no '*'"),
    ]


def test_a_file_is_read_once_its_marker_lies_there(shop: Shop, tmp_path: Path) -> None:
    writer(tmp_path).write(shop, DAY)
    for marker in tmp_path.glob("*.done"):
        marker.unlink()
    assert read(source_over(tmp_path), EVERYTHING).texts() == []


def test_days_are_read_in_their_order_whenever_the_files_came(shop: Shop, tmp_path: Path) -> None:
    put(shop, "customer", 1, datetime(2026, 1, 5, tzinfo=UTC), firstName="Newer")
    for day in (date(2026, 1, 5), DAY):
        for path in writer(tmp_path).write(shop, day):
            os.utime(path, (2_000_000_000 - day.day, 2_000_000_000 - day.day))
    told = read(source_over(tmp_path), EVERYTHING)
    assert '"Newer"' in told.latest()[f"aptos:customer:{identity('customer', 1)}"]


def test_only_files_that_came_in_the_window_are_read(shop: Shop, tmp_path: Path) -> None:
    writer(tmp_path).write(shop, DAY)
    later = Window(since=datetime(2099, 1, 1, tzinfo=UTC), until=EVERYTHING.until)
    assert read(source_over(tmp_path), later).texts() == []


def test_a_link_out_of_the_folder_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = writer(tmp_path).put("CUSTOMER_20260316_0001.csv", HEADER, [ROW])
    (folder / path.name).symlink_to(path)
    (folder / f"{path.name}.done").touch()
    assert read(source_over(folder), EVERYTHING).texts() == []


def test_the_log_names_files_and_reasons_and_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    over(tmp_path, ROW, spoil=lambda content: content.replace(b"TRL|1|", b"TRL|2|"))
    told = "\n".join(caplog.messages)
    assert "refused whole" in told
    assert "Beispiel" not in told


def test_the_moment_of_change_is_the_rows_own(shop: Shop, tmp_path: Path) -> None:
    writer(tmp_path).write(shop, DAY)
    told = {str(record.key): record.changed_at for record in read(source_over(tmp_path), EVERYTHING).records}
    assert told[f"aptos:customer:{identity('customer', 3)}"] == hour(3)


def test_landed_files_go_into_the_archive_and_refused_ones_stay(shop: Shop, tmp_path: Path) -> None:
    folder, archive = tmp_path / "in", tmp_path / "archive"
    folder.mkdir()
    writer(folder).write(shop, DAY)
    broken = writer(folder).put("CUSTOMER_20260316_0001.csv", HEADER, [ROW])
    broken.write_bytes(broken.read_bytes()[:-70])
    time = PassingTime()
    source = connect(Settings(daily_files=folder, archive=archive), clock=time.clock, sleep=time.sleep)
    first = read(source, EVERYTHING)
    for object_ in source.objects:
        source.landed(object_, EVERYTHING)
    assert {path.name for path in folder.iterdir()} == {broken.name, f"{broken.name}.done"}
    later = read(source, Window(since=datetime(2099, 1, 1, tzinfo=UTC), until=EVERYTHING.until))
    assert (later.texts(), len(later.refused)) == ([], 1)
    assert read(source, EVERYTHING).texts() == first.texts()


def test_an_archive_needs_daily_files_and_a_folder_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="archive"):
        Settings(daily_files=tmp_path, archive=tmp_path)
    with pytest.raises(ValidationError, match="archive"):
        Settings.model_validate({**sandbox.site("http://127.0.0.1:1"), "archive": tmp_path})


def test_a_file_belongs_to_the_first_object_whose_pattern_fits(shop: Shop, tmp_path: Path) -> None:
    ours = (Path(sandbox.__file__).parent / "fieldmap.toml").read_text(encoding="utf-8")
    wide = ours.replace('pattern = "TRANSACTION_{yyyymmdd}_{seq}.ndjson"', 'pattern = "*_{yyyymmdd}_{seq}.*"')
    (tmp_path / "map.toml").write_text(wide, encoding="utf-8")
    (tmp_path / "in").mkdir()
    writer(tmp_path / "in").put("CUSTOMER_20260316_0001.csv", HEADER, [ROW])
    time = PassingTime()
    settings = Settings(daily_files=tmp_path / "in", fieldmap=tmp_path / "map.toml")
    told = read(connect(settings, clock=time.clock, sleep=time.sleep), EVERYTHING)
    assert (told.ids("customer"), told.ids("transaction"), told.refused) == (["A778"], [], [])
