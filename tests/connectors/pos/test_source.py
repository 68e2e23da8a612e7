"""A folder of drops: their order, what is new, told twice or contradicted, and what does not belong there."""

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.pos.source import Settings
from models.errors import Rejected, TryLater
from models.landing import Page, SourceRecord, Window
from models.orders import Order
from tests.connectors.pos.tills import FIXTURES, UNTIL, landed, poslog, tills, transaction

LONG_AGO = 1_000_000_000
LATER = datetime(2036, 1, 1, tzinfo=UTC)
"""After every file that a test writes, unless it is dated by hand."""


def drop(folder: Path, name: str, *transactions: str, at: float | None = None) -> Path:
    path = folder / name
    path.write_text(poslog(*transactions), encoding="utf-8")
    if at is not None:
        os.utime(path, (at, at))
    return path


def receipt(sequence: str, total: str = "10.00") -> str:
    return transaction(total=total, head={"SequenceNumber": sequence})


def ids(folder: Path, window: Window | None = None, **settings: object) -> list[str]:
    source = tills(folder, **settings)
    pages = source.pages("receipt", window or Window(until=UNTIL))
    return [record.key.source_id for page in pages for record in page.records]


def order(record: SourceRecord) -> Order:
    assert isinstance(record.body, Order)
    return record.body


def test_drops_are_read_by_age_and_then_by_name(tmp_path: Path) -> None:
    drop(tmp_path, "b.xml", receipt("1"), at=LONG_AGO + 1)
    drop(tmp_path, "c.xml", receipt("2"), at=LONG_AGO)
    drop(tmp_path, "a.xml", receipt("3"), at=LONG_AGO + 1)
    assert ids(tmp_path) == ["7-2-2026-03-14-2", "7-2-2026-03-14-3", "7-2-2026-03-14-1"]


def test_a_page_holds_at_most_500_and_pages_do_not_care_for_files(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", *(receipt(str(number)) for number in range(600)))
    drop(tmp_path, "b.xml", *(receipt(str(number)) for number in range(600, 1_100)))
    pages = list(tills(tmp_path).pages("receipt", Window(until=UNTIL)))
    assert [len(page.records) for page in pages] == [500, 500, 100]
    assert len({page.correlation_id for page in pages}) == 3


def test_two_readings_of_the_same_files_are_equal(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", receipt("1"), receipt("2", "x"))
    assert list(tills(tmp_path).pages("receipt", Window(until=UNTIL))) == pages_of(tmp_path)


def pages_of(folder: Path) -> list[Page]:
    return list(tills(folder).pages("receipt", Window(until=UNTIL)))


def test_a_receipt_that_is_told_again_is_handed_on_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    drop(tmp_path, "a.xml", receipt("1"), receipt("1"), receipt("2"))
    drop(tmp_path, "b.xml", receipt("1"))
    assert ids(tmp_path) == ["7-2-2026-03-14-1", "7-2-2026-03-14-2"]
    assert "repeated 2" in caplog.text


def test_another_content_of_one_key_lands_beside_the_first_and_names_it(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", receipt("1"), receipt("1", "12.00"), receipt("1", "12.00"), receipt("1", "13.00"))
    first, second, third = landed(tmp_path).records
    assert first.key.source_id == "7-2-2026-03-14-1"
    assert "conflicts_with" not in order(first).attributes
    for other in (second, third):
        assert other.key.source_id.startswith("7-2-2026-03-14-1-")
        assert len(other.key.source_id) == len("7-2-2026-03-14-1-12345678")
        assert order(other).attributes["conflicts_with"] == "7-2-2026-03-14-1"
        assert order(other).number == "7-2-2026-03-14-1"
        assert tills(tmp_path).translate("receipt", other.raw) == other
    assert second.key != third.key


def test_a_contradiction_keeps_its_id_whatever_else_is_dropped(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", receipt("1"), at=LONG_AGO)
    drop(tmp_path, "c.xml", receipt("1", "12.00"), at=LONG_AGO + 2)
    alone = set(ids(tmp_path))
    drop(tmp_path, "b.xml", receipt("1", "11.00"), at=LONG_AGO + 1)
    assert alone < set(ids(tmp_path))


def test_a_delta_run_sees_that_a_new_drop_contradicts_an_old_one(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", receipt("1"))
    drop(tmp_path, "b.xml", receipt("1", "12.00"), receipt("1"), receipt("2"), at=LATER.timestamp())
    window = Window(since=LATER, until=UNTIL)
    far = (LATER - datetime.now(tz=UTC)).days + 2
    contradicting, new = ids(tmp_path, window, look_back_days=far)
    assert contradicting.startswith("7-2-2026-03-14-1-")
    assert new == "7-2-2026-03-14-2"


def test_beyond_the_look_back_a_new_content_is_a_new_version(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", receipt("1"))
    drop(tmp_path, "b.xml", receipt("1", "12.00"), at=LATER.timestamp())
    assert ids(tmp_path, Window(since=LATER, until=UNTIL), look_back_days=0) == ["7-2-2026-03-14-1"]


def test_stores_may_be_compared_without_the_zeros_in_front(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", receipt("1"), receipt("0001"))
    assert ids(tmp_path) == ["7-2-2026-03-14-1", "7-2-2026-03-14-0001"]
    first, second = ids(tmp_path, key_zeros="stripped")
    assert first == "7-2-2026-03-14-1"
    assert second.startswith("7-2-2026-03-14-0001-")


def test_a_receipt_that_is_voided_under_its_own_key_is_a_new_version_of_it(tmp_path: Path) -> None:
    voided = transaction(head={"SequenceNumber": "1"}, status="PostVoided")
    drop(tmp_path, "a.xml", receipt("1"), voided)
    first, second = landed(tmp_path).records
    assert first.key == second.key
    assert (order(second).transaction, order(second).reverses) == ("void", order(first).number)


def test_a_delta_run_reads_what_arrived_since(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", receipt("1"))
    drop(tmp_path, "b.xml", receipt("2"), at=LATER.timestamp())
    assert ids(tmp_path, Window(since=LATER, until=UNTIL)) == ["7-2-2026-03-14-2"]
    assert ids(tmp_path, Window(since=LATER + timedelta(seconds=1), until=UNTIL)) == []


def test_an_old_file_that_was_moved_here_lately_is_new(tmp_path: Path) -> None:
    before = datetime.now(tz=UTC) - timedelta(minutes=5)
    drop(tmp_path, "a.xml", receipt("1"), at=LONG_AGO)
    assert ids(tmp_path, Window(since=before, until=UNTIL)) == ["7-2-2026-03-14-1"]


def test_a_torn_file_lands_what_precedes_the_damage(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.xml", receipt("1"), receipt("2"), receipt("3"))
    path.write_text(path.read_text()[:-100])
    drop(tmp_path, "b.xml", receipt("4"))
    told = landed(tmp_path)
    assert [record.key.source_id[-1] for record in told.records] == ["1", "2", "4"]
    (refused,) = told.refused
    assert refused.reasons[0].path == "a.xml"
    assert "not well-formed XML at line 1" in refused.reasons[0].problem
    assert refused.raw == tills(tmp_path).translate("receipt", refused.raw).raw


def test_a_mended_file_lands_the_rest(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.xml", receipt("1"), receipt("2"))
    whole = path.read_text()
    path.write_text(whole[:-100])
    before = landed(tmp_path).texts()
    path.write_text(whole)
    after = landed(tmp_path).texts()
    assert set(before) < set(after)
    assert len(after) == 2


def test_one_bad_receipt_is_refused_and_its_neighbours_land(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", receipt("1"), receipt("2", "many"), receipt("3"))
    told = landed(tmp_path)
    assert [record.key.source_id[-1] for record in told.records] == ["1", "3"]
    assert [(one.source_id, one.reasons[0].path) for one in told.refused] == [("7-2-2026-03-14-2", "total")]


def test_what_is_no_purchase_is_counted_and_not_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    drop(tmp_path, "a.xml", transaction(status="Canceled"), transaction(TrainingModeFlag="true"), transaction())
    told = landed(tmp_path)
    assert (len(told.records), told.refused) == (1, [])
    assert "landed 1, skipped (Canceled) 1, skipped (training) 1" in caplog.text


def test_what_is_no_purchase_says_so_when_it_is_read_alone(tmp_path: Path) -> None:
    told = tills(tmp_path).translate("receipt", transaction(status="Voided"))
    assert "not a purchase: Voided" in str(told)


def test_only_files_of_the_folder_itself_are_read(tmp_path: Path) -> None:
    folder, outside = tmp_path / "drops", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    drop(outside, "secret.xml", receipt("1"))
    (folder / "link.xml").symlink_to(outside / "secret.xml")
    (folder / "below.xml").symlink_to(outside)
    (folder / "sub.xml").mkdir()
    drop(folder / "sub.xml", "x.xml", receipt("2"))
    os.mkfifo(folder / "pipe.xml")
    drop(folder, ".hidden.xml", receipt("3"))
    drop(folder, "upload.xml.part", receipt("4"))
    drop(folder, "good.xml", receipt("5"))
    assert ids(folder) == ["7-2-2026-03-14-5"]


def test_a_name_that_does_not_print_cannot_forge_a_log_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "members\nERROR forged.csv").write_text("Customer Number\nC1\n")
    told = landed(tmp_path)
    assert len(told.records) == 1
    assert not any("\n" in line.getMessage() for line in caplog.records)


def test_with_done_markers_a_file_waits_for_its_own(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", receipt("1"))
    drop(tmp_path, "b.xml", receipt("2"))
    (tmp_path / "b.xml.done").touch()
    assert ids(tmp_path, done_suffix=".done") == ["7-2-2026-03-14-2"]


def test_a_folder_that_is_not_there_is_a_source_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(TryLater, match="folder"):
        ids(tmp_path / "unmounted")


def test_a_file_that_may_not_be_opened_is_refused_and_the_others_land(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may open every file")
    drop(tmp_path, "a.xml", receipt("1")).chmod(0)
    drop(tmp_path, "b.xml", receipt("2"))
    told = landed(tmp_path)
    assert (len(told.records), len(told.refused)) == (1, 1)


def test_an_object_that_tills_do_not_have_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Rejected):
        tills(tmp_path).pages("cart", Window(until=UNTIL))
    with pytest.raises(Rejected):
        tills(tmp_path).translate("cart", "{}")


def test_both_shapes_of_one_receipt_are_compared(tmp_path: Path) -> None:
    for name in ("TLOG_EXAMPLE_20260316020000.csv", "v6_sale_loyalty.xml"):
        (tmp_path / name).write_bytes((FIXTURES / name).read_bytes())
        os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    told = [record for record in landed(tmp_path).records if order(record).number == "0147-3-2026-03-14-8801"]
    assert [order(record).attributes.get("conflicts_with") for record in told] == [None, "0147-3-2026-03-14-8801"]


def test_every_setting_is_explained() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_setting_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="default_zone"):
        Settings.model_validate({"folder": tmp_path})
    with pytest.raises(ValueError, match="foldr"):
        Settings.model_validate({"folder": tmp_path, "default_zone": "UTC", "foldr": "x"})
