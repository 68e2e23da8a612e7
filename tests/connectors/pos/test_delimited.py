"""Lines of a drop become receipts, however they were encoded, quoted, repeated or torn."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.drops import Damaged
from connectors.pos.delimited import receipts
from connectors.pos.poslog import Bounds
from connectors.pos.reading import Outcome, read_lines
from connectors.pos.receipt import Unposted
from connectors.pos.tables import table_of
from connectors.pos.terms import Terms
from models.landing import Refusal, SourceRecord
from models.orders import Order
from tests.connectors.pos.tills import TERMS

HEADER = (
    "Store ID,Workstation ID,Transaction Number,Line Sequence Number,Transaction Date,"
    "Type,Item ID,Quantity,Amount,Currency,Email"
)


def row(
    receipt: str = "1",
    line: str = "1",
    *,
    at: str = "2026-03-14T12:00:00",
    type_: str = "SALE",
    amount: str = "4.00",
    email: str = "",
    quantity: str = "1",
) -> str:
    return f"7,2,{receipt},{line},{at},{type_},A,{quantity},{amount},GBP,{email}"


def outcomes(data: str | bytes, terms: Terms = TERMS, name: str = "TLOG.csv") -> list[Outcome]:
    raw = data.encode() if isinstance(data, str) else data
    table = table_of(name, io.BytesIO(raw), Bounds(), terms.encodings)
    return [read_lines(text, terms) for text in receipts(name, table, terms.receipt_headers())]


def orders(data: str | bytes, terms: Terms = TERMS, name: str = "TLOG.csv") -> list[Order]:
    found = outcomes(data, terms, name)
    assert all(isinstance(one, SourceRecord) for one in found), found
    return [one.body for one in found if isinstance(one, SourceRecord) and isinstance(one.body, Order)]


def drop(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def test_lines_of_one_receipt_come_together_also_when_others_stand_between() -> None:
    told = orders(drop(row("1", "1"), row("2", "1"), row("1", "2", amount="5.00")))
    assert [(order.sequence, len(order.lines), str(order.total.amount)) for order in told] == [
        ("1", 2, "9.00"),
        ("2", 1, "4.00"),
    ]


def test_the_same_number_at_another_till_or_day_is_another_receipt() -> None:
    other_till = row().replace("7,2,", "7,3,", 1)
    assert len(orders(drop(row(), other_till, row(at="2026-03-15T12:00:00")))) == 3


def test_a_line_that_comes_twice_counts_once() -> None:
    assert str(orders(drop(row(), row()))[0].total.amount) == "4.00"


def test_two_contents_of_one_line_number_are_refused() -> None:
    (told,) = outcomes(drop(row(), row(amount="5.00")))
    assert isinstance(told, Refusal)
    assert told.reasons[0].path == "line"


def test_equal_lines_without_numbers_are_two_lines() -> None:
    header = HEADER.replace("Line Sequence Number,", "")
    bare = row().replace("7,2,1,1,", "7,2,1,", 1)
    assert str(orders(drop(bare, bare, header=header))[0].total.amount) == "8.00"


def test_lines_that_name_two_people_are_refused() -> None:
    (told,) = outcomes(drop(row(email="a@example.com"), row(line="2", email="b@example.com")))
    assert isinstance(told, Refusal)
    assert [reason.path for reason in told.reasons] == ["email"]
    assert "example.com" not in told.reasons[0].problem


def test_an_exchange_is_one_receipt_with_goods_both_ways() -> None:
    (told,) = orders(drop(row(type_="EXCH"), row(line="2", amount="9.00")))
    assert (told.transaction, str(told.total.amount)) == ("exchange", "5.00")


def test_an_adjustment_of_the_stock_is_no_purchase() -> None:
    (told,) = outcomes(drop(row(type_="ADJU", amount="0.00", quantity="-1")))
    assert told == Unposted(why="ADJU")
    (beside,) = orders(drop(row(), row(line="2", type_="ADJU", amount="0.00", quantity="-1")))
    assert (len(beside.lines), beside.attributes["adjustments"]) == (1, "2")


def test_an_adjustment_of_the_price_keeps_its_own_sign() -> None:
    (told,) = orders(drop(row(), row(line="2", type_="ADJU", amount="-1.00")))
    assert (told.transaction, str(told.total.amount)) == ("sale", "3.00")


def test_a_type_that_nobody_knows_is_refused() -> None:
    (told,) = outcomes(drop(row(type_="LOAN")))
    assert isinstance(told, Refusal)
    assert told.reasons[0].path == "lines[0].type"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_names_survive_the_encoding(encoding: str) -> None:
    (told,) = orders(drop(row(email="zoë@example.com")).encode(encoding))
    assert told.person is not None
    assert told.person.contact_points[0].value == "zoë@example.com"


def test_text_in_no_agreed_encoding_is_refused() -> None:
    with pytest.raises(Damaged, match="encodings"):
        outcomes(drop(row(email="ë")).encode("latin-1"), Terms(default_zone="UTC", encodings=("utf-8",)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(delimiter: str) -> None:
    assert len(orders(drop(row(), row("2")).replace(",", delimiter))) == 2


def test_quoted_fields_hold_delimiters_quotes_and_line_breaks() -> None:
    header = "Store ID,Workstation ID,Transaction Number,Business Date,Type,Quantity,Amount,Currency,Customer Name"
    text = header + '\r\n7,2,1,2026-03-14,SALE,1,4.00,GBP,"O\'Neil, ""Ann""\r\nII"\r\n'
    (told,) = orders(text)
    assert told.person is not None
    assert told.person.full_name == 'O\'Neil, "Ann"\r\nII'


def test_decimal_commas_are_read_where_the_settings_say_so() -> None:
    terms = Terms(default_zone="Europe/Berlin", decimal_mark=",")
    text = drop(row(amount="X")).replace(",", ";").replace("X", "1.234,50")
    assert str(orders(text, terms)[0].total.amount) == "1234.50"


def test_a_retailers_own_headers_are_mapped() -> None:
    terms = Terms(default_zone="UTC", columns={"store": "Filiale", "till": "Kasse"})
    text = drop(row()).replace("Store ID", "FILIALE").replace("Workstation ID", "kasse")
    assert orders(text, terms)[0].store == "7"


def test_the_published_layout_is_read_with_prices_beside_it() -> None:
    header = (
        "Item ID,UOM,Class,Ship node,Transaction number,Workstation ID,Transaction Date,Transaction Sequence Number,"
        "Line Sequence number,Quantity,Type,Status code,Amount,Currency"
    )
    sold = "A,EACH,GOOD,0147,8801,3,2026-03-14T17:01:45Z,1,1,2,SALE,COMPLETE,48.00,GBP"
    [told] = orders(drop(sold, header=header))
    assert (told.number, told.status, told.lines[0].sku) == ("0147-3-2026-03-14-8801", "COMPLETE", "A")


def test_a_mapping_for_a_word_that_we_do_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="filiale"):
        Terms(default_zone="UTC", columns={"filiale": "Store"})


def test_a_drop_without_the_needed_columns_is_refused_by_name() -> None:
    with pytest.raises(Damaged, match="no column for till, quantity"):
        outcomes("Store ID,Transaction Number,Type\n7,1,SALE\n")
    with pytest.raises(Damaged, match="header"):
        outcomes("")
    with pytest.raises(Damaged, match="header"):
        outcomes("<POSLog/>")


def test_columns_with_cards_and_names_of_cashiers_never_land() -> None:
    text = drop(row() + ",****1234,Kim", header=HEADER + ",Masked PAN,operator_name")
    (told,) = outcomes(text)
    assert isinstance(told, SourceRecord)
    assert "1234" not in told.raw
    assert "Kim" not in told.raw


def test_a_row_of_the_wrong_width_refuses_its_receipt_and_no_other() -> None:
    told = outcomes(drop(row("1"), row("2"), row("2", "2") + ",too,long", row("3"), "7,2,4,1,2026-03-14T12:00:00,SALE"))
    assert [type(one) for one in told] == [SourceRecord, Refusal, SourceRecord, Refusal]
    assert "expected 11 cells, found 13" in str(told[1])


@pytest.mark.parametrize("end", ['"a@exam', ""])
def test_a_receipt_that_the_file_ends_within_does_not_land_in_part(end: str) -> None:
    torn = drop(row("1"), row("2"), row("2", "2", email=end)).rstrip("\n")
    torn = torn if end else torn[: torn.rindex("2026")]
    told = outcomes(torn)
    assert [type(one) for one in told] == [SourceRecord, Refusal]


def test_a_file_that_ends_within_a_character_does_not_land_its_last_receipt() -> None:
    told = outcomes(drop(row("1"), row("2", email="zoë")).rstrip("\n").encode()[:-1])
    assert [type(one) for one in told] == [SourceRecord, Refusal]


def test_points_of_a_receipt_stand_on_each_line_and_count_once() -> None:
    header = HEADER + ",Loyalty Card,Points Earned,Points Redeemed"
    (told,) = orders(drop(row() + ",LC-1,12,5", row(line="2") + ",LC-1,12,5", header=header))
    assert [(one.movement, one.points) for one in told.loyalty] == [("earn", 12), ("redeem", -5)]


def test_a_return_names_what_it_brings_back() -> None:
    what = ("Store ID", "Workstation ID", "Business Date", "Transaction Number", "Line Sequence Number")
    header = ",".join((HEADER, *(f"Original {name}" for name in what)))
    (told,) = orders(drop(row(type_="RETN") + ",7,2,2026-03-01,0009,3", header=header))
    assert told.lines[0].returns_line == "7-2-2026-03-01-0009/3"


def test_ndjson_and_parquet_tell_the_same_as_delimited_text(tmp_path: Path) -> None:
    text = drop(row("1"), row("1", "2", amount="5.00"), row("2", email="a@example.com"))
    names = HEADER.split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in text.splitlines()[1:]]
    ndjson = "\n".join(json.dumps({name: value or None for name, value in one.items()}) for one in rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    expected = orders(text)
    assert orders(ndjson, name="x.ndjson") == expected
    assert orders((tmp_path / "x.parquet").read_bytes(), name="x.parquet") == expected


def test_a_parquet_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["1"]}), tmp_path / "x.parquet")
    with pytest.raises(Damaged, match="Parquet"):
        outcomes((tmp_path / "x.parquet").read_bytes()[:-8], name="x.parquet")


def test_a_line_of_ndjson_that_is_no_flat_object_is_refused_alone() -> None:
    good = json.dumps(dict(zip(HEADER.split(","), row().split(","), strict=True)))
    told = outcomes(f'{good}\n[1]\n{{"Store ID": {{"a": 1}}}}\n' + good.replace('"1"', '"2"', 1), name="x.ndjson")
    assert [type(one) for one in told] == [SourceRecord, Refusal, Refusal, SourceRecord]


def test_a_drop_beyond_the_agreed_size_is_refused() -> None:
    with pytest.raises(Damaged, match="longer than 10 bytes"):
        table_of("x.csv", io.BytesIO(b"x" * 11), Bounds(table_bytes=10), ("utf-8",))


def test_a_small_file_that_unpacks_to_very_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({name: ["x" * 1_000] * 20_000 for name in HEADER.split(",")}), path)
    data = path.read_bytes()
    assert len(data) < 200_000
    table = table_of("x.parquet", io.BytesIO(data), Bounds(unpacked_bytes=5_000_000), ("utf-8",))
    with pytest.raises(Damaged, match="unpacks to more than 5000000 bytes"):
        list(table.rows)
