"""Members and points come from the till's exports, whichever shape the file has."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models.landing import Refusal, SourceRecord
from models.loyalty import LoyaltyEntry
from models.records import Person
from tests.connectors.pos.tills import landed, tills

MEMBER = {
    "Customer Number": "C1",
    "Loyalty Card": "LC-1",
    "Tier": "gold",
    "Tier Expires": "2027-01-31",
    "Points Balance": "120",
    "Enrolled At": "2024-05-01",
    "Changed At": "2026-07-01T10:00:00",
    "First Name": "Zoë",
    "Last Name": "O'Neil, Jr",
    "Date of Birth": "1988-02-29",
    "Gender": "F",
    "Email": "zoe@example.com",
    "Phone": "07700 900123",
    "Address": "1 Sample Row",
    "City": "Exampleton",
    "Postcode": "ZZ9 9ZZ",
    "Country": "GB",
    "Store ID": "0007",
    "Email Consent": "opt_in",
    "Email Consent At": "2024-05-01T12:00:00Z",
    "SMS Consent": "NO",
}
ENTRY = {
    "External ID": "welcome:1",
    "Loyalty Card": "LC-1",
    "Kind": "adjust",
    "Points": "100",
    "At": "2024-05-01T12:00:00Z",
}


def csv_of(*rows: dict[str, str]) -> str:
    quoted = [",".join('"' + value.replace('"', '""') + '"' for value in row.values()) for row in rows]
    return "\n".join((",".join(rows[0]), *quoted)) + "\n"


def only(folder: Path, **settings: object) -> SourceRecord:
    told = landed(folder, **settings)
    assert told.refused == []
    (record,) = told.records
    assert tills(folder, **settings).translate(record.key.object, record.raw) == record
    return record


def refused(folder: Path, row: dict[str, str], name: str = "members.csv") -> Refusal:
    (folder / name).write_text(csv_of(row))
    told = landed(folder)
    assert told.records == []
    (refusal,) = told.refused
    assert tills(folder).translate(refusal.object, refusal.raw) == refusal
    return refusal


def test_a_member_is_a_person_with_card_tier_and_contacts(tmp_path: Path) -> None:
    (tmp_path / "members.csv").write_text(csv_of(MEMBER))
    record = only(tmp_path, store_zones={"0007": "Europe/London"}, brands={"0007": "harbour"})
    person = record.body
    assert isinstance(person, Person)
    assert str(record.key) == "pos:member:C1"
    assert record.changed_at == datetime(2026, 7, 1, 9, tzinfo=UTC)
    assert (person.given_name, person.family_name, person.birth_date) == ("Zoë", "O'Neil, Jr", "1988-02-29")
    assert [(one.kind, one.value) for one in person.identifiers] == [("pos_customer", "C1"), ("loyalty_number", "LC-1")]
    assert [one.value for one in person.contact_points] == ["zoe@example.com", "07700 900123"]
    assert (person.store, person.brand, person.addresses[0].line1) == ("0007", "harbour", "1 Sample Row")
    (account,) = person.loyalty
    assert (account.account, account.balance, account.status) == ("LC-1", 120, "active")
    assert account.tier is not None
    assert (account.tier.code, account.tier.expires_on) == ("gold", date(2027, 1, 31))
    assert account.enrolled_at == datetime(2024, 4, 30, 23, tzinfo=UTC)
    assert [(one.channel, one.status, one.contact_point, one.at, one.brand) for one in person.consents] == [
        ("email", "opt_in", "zoe@example.com", datetime(2024, 5, 1, 12, tzinfo=UTC), "harbour"),
        ("sms", "opt_out", "07700 900123", None, "harbour"),
    ]


def test_ndjson_and_parquet_tell_the_same_member(tmp_path: Path) -> None:
    bodies = []
    for ending in ("csv", "ndjson", "parquet"):
        folder = tmp_path / ending
        folder.mkdir()
        path = folder / f"Members_20260701.{ending}"
        if ending == "parquet":
            pq.write_table(pa.Table.from_pylist([MEMBER]), path)
        else:
            path.write_text(csv_of(MEMBER) if ending == "csv" else json.dumps({**MEMBER, "Points Balance": 120}))
        record = only(folder)
        bodies.append((record.key, record.raw, record.body))
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_member_without_a_customer_number_is_known_by_the_card(tmp_path: Path) -> None:
    (tmp_path / "members.csv").write_text(csv_of({**MEMBER, "Customer Number": "0000"}))
    assert str(only(tmp_path).key) == "pos:member:LC-1"


def test_a_member_whom_nothing_names_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, {**MEMBER, "Customer Number": "", "Loyalty Card": "000"}).reasons[0].path == "customer"


def test_what_is_wrong_with_a_member_is_told_by_path_and_without_its_value(tmp_path: Path) -> None:
    row = {
        **MEMBER,
        "Points Balance": "plenty",
        "Enrolled At": "May 1st",
        "Email Consent": "perhaps",
        "Tier Expires": "x",
    }
    told = refused(tmp_path, row)
    assert told.source_id == "C1"
    assert {one.path for one in told.reasons} == {"balance", "enrolled_at", "email_consent", "tier_expires"}
    assert not any(value in str(told.reasons) for value in ("plenty", "May 1st", "perhaps"))


def test_a_row_of_the_wrong_width_is_refused_alone(tmp_path: Path) -> None:
    (tmp_path / "members.csv").write_text("Customer Number,Email\nC1,a@example.com,x\nC2,b@example.com\n")
    told = landed(tmp_path)
    assert [record.key.source_id for record in told.records] == ["C2"]
    assert told.refused[0].reasons[0].problem == "expected 2 cells, found 3"


def test_a_retailers_own_headers_are_mapped(tmp_path: Path) -> None:
    (tmp_path / "members.csv").write_text("Kundennummer;Vorname\n7;Mia\n")
    person = only(tmp_path, member_columns={"customer": "kundennummer", "given_name": "Vorname"}).body
    assert isinstance(person, Person)
    assert person.given_name == "Mia"


def test_points_without_a_receipt_are_entries(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text(csv_of(ENTRY))
    record = only(tmp_path)
    assert str(record.key) == "pos:entry:welcome:1"
    assert record.body == LoyaltyEntry(
        account="LC-1",
        external_id="pos:welcome:1",
        movement="adjust",
        points=100,
        at=datetime(2024, 5, 1, 12, tzinfo=UTC),
    )


def test_ndjson_and_parquet_tell_the_same_points(tmp_path: Path) -> None:
    told = []
    for ending in ("csv", "ndjson", "parquet"):
        folder = tmp_path / ending
        folder.mkdir()
        path = folder / f"points.{ending}"
        if ending == "parquet":
            pq.write_table(pa.Table.from_pylist([ENTRY]), path)
        else:
            path.write_text(csv_of(ENTRY) if ending == "csv" else json.dumps({**ENTRY, "Points": 100}))
        record = only(folder)
        told.append((record.key, record.raw, record.body))
    assert told[0] == told[1] == told[2]


def test_an_entry_without_sense_is_refused(tmp_path: Path) -> None:
    told = refused(tmp_path, {**ENTRY, "Kind": "gift", "Points": "1.5", "At": ""}, "points.csv")
    assert {one.path for one in told.reasons} == {"movement", "points", "at"}
    assert told.source_id == "welcome:1"


def test_half_a_character_written_as_an_escape_is_refused_alone(tmp_path: Path) -> None:
    (tmp_path / "members.ndjson").write_text(
        '{"Customer Number": "C1", "First Name": "\\ud800"}\n{"Customer Number": "C2"}\n'
    )
    told = landed(tmp_path)
    assert [record.key.source_id for record in told.records] == ["C2"]
    assert len(told.refused) == 1


def test_a_parquet_file_with_a_broken_page_is_damaged_and_the_others_land(tmp_path: Path) -> None:
    path = tmp_path / "members_1.parquet"
    pq.write_table(pa.table({"Customer Number": [f"C{number}" for number in range(50_000)]}), path)
    data = bytearray(path.read_bytes())
    data[1_000:20_000] = bytes(19_000)
    path.write_bytes(data)
    (tmp_path / "members_2.csv").write_text("Customer Number\nX1\n")
    told = landed(tmp_path)
    assert "X1" in told.ids("member")
    assert [one.reasons[0].path for one in told.refused] == ["members_1.parquet"]
