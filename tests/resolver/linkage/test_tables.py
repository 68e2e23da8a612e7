"""Tables of people from anywhere: what a file or frame must be, and what is said of one that is none."""

from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from resolver.linkage import link
from resolver.linkage.columns import UnknownField
from resolver.linkage.tables import Unreadable, read

ANA = {"id": ["1", "2"], "name": ["Ana Berg", "Ana  BERG"], "email": ["ana@web.de", "ana@web.de"]}


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(ANA),
        pa.table(ANA),
        pa.RecordBatch.from_pydict(ANA),
        duckdb.sql("select * from (values ('1', 'Ana Berg', 'ana@web.de'), ('2', 'Ana  BERG', 'ana@web.de')) as t(id, name, email)"),
    ],
    ids=["polars", "arrow", "record batch", "duckdb"],
)  # fmt: skip
def test_any_frame_that_speaks_arrow_is_a_table(frame: pl.DataFrame) -> None:
    assert link(frame).clusters["cluster"].to_pylist() == ["1", "1"]


def test_a_frame_of_pandas_is_a_table() -> None:
    """With its categories, times, and numbers that are whole although they are told as fractions."""
    pandas = pytest.importorskip("pandas")
    born = pandas.to_datetime(["1980-01-02", None])
    frame = pandas.DataFrame({**ANA, "dob": born, "sex": pandas.Categorical(["f", "f"]), "phone": [4922155501.0, None]})
    told = read(frame[::-1]).people
    assert told["birth_date"].to_pylist() == [None, "1980-01-02"]
    assert told["phone"].to_pylist() == [None, "4922155501"]
    assert told["sex"].to_pylist() == ["f", "f"]


@pytest.mark.parametrize("nothing", [[], {"name": "Ana"}, pl.LazyFrame(ANA)], ids=["no file", "one row", "a plan"])
def test_what_is_no_table_is_refused_with_what_would_be_one(nothing: pl.DataFrame) -> None:
    with pytest.raises(Unreadable, match="is no table of people: give a path, several, or a data frame"):
        link(nothing)


@pytest.mark.parametrize("line", ["2,Berg, Ana,ana@web.de", "2,Ana Berg"], ids=["a cell too many", "a cell too few"])
def test_lines_of_different_lengths_are_no_table(tmp_path: Path, line: str) -> None:
    """They are not read as one column either; the message says which line it is and shows nobody's data."""
    (tmp_path / "people.csv").write_text(f"id,name,email\n1,Ana Berg,ana@web.de\n{line}\n", encoding="utf-8")
    with pytest.raises(
        Unreadable, match=r"people\.csv: .*Line: 3 Expected Number of Columns: 3 Found: [24]$"
    ) as refused:
        read(tmp_path / "people.csv")
    assert "Ana" not in str(refused.value)


def test_columns_that_nobody_named_are_numbered_and_can_be_mapped(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("1,Ana Berg,ana@web.de\n2,Otto Quast,otto@web.de\n", encoding="utf-8")
    with pytest.raises(Unreadable, match=r"there are: column0, column1, column2 \(the first line names none.*--map"):
        read(tmp_path / "people.csv")
    mapped = read(tmp_path / "people.csv", id="column0", columns={"column2": "email"})
    assert mapped.people["email"].to_pylist() == ["ana@web.de", "otto@web.de"]


def test_a_file_in_another_encoding_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes("id,name\n1,Jürgen Müller\n".encode("latin-1"))
    with pytest.raises(Unreadable, match=r"Line: 2 .*This file is not utf-8 encoded\.$"):
        read(tmp_path / "people.csv")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_cells_may_be_parted_by_what_the_file_likes(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "name", "email"], ["1", "Berg, Ana", "ana@web.de"], ["2", "Ana Berg", "ana@web.de"]]
    (tmp_path / "people.csv").write_text("".join(f"{delimiter.join(row)}\n" for row in rows), encoding="utf-8")
    assert read(tmp_path / "people.csv").people["email"].to_pylist() == ["ana@web.de", "ana@web.de"]


def test_a_column_of_many_values_is_left_alone_and_named(tmp_path: Path) -> None:
    (tmp_path / "people.ndjson").write_text(
        '{"id": 1, "name": "Ana Berg", "email": ["ana@web.de"], "address": {"city": "Ulm"}}\n', encoding="utf-8"
    )
    told = read(tmp_path / "people.ndjson")
    assert set(told.understood.fields) == {"record", "full_name"}
    assert "email holds several values in one: it is not read" in told.understood.warnings
    assert "address holds several values in one: it is not read" in told.understood.warnings
    with pytest.raises(UnknownField, match="no column 'email'"):
        read(tmp_path / "people.ndjson", columns={"email": "email"})


def test_files_of_different_kinds_are_one_table(tmp_path: Path) -> None:
    """Numbers here are text there."""
    born = pl.date(1980, 1, 2)
    pl.DataFrame({"id": [1], "name": ["Ana"], "phone": [4922155501]}).with_columns(dob=born).write_parquet(
        tmp_path / "a.parquet"
    )
    (tmp_path / "b.csv").write_text("id,name,dob,phone\n02,Ana,1980-01-02,022155501\n", encoding="utf-8")
    (tmp_path / "c.ndjson").write_text('{"id": "3", "name": "Ana", "phone": 4922155501.0}\n', encoding="utf-8")
    told = read([tmp_path / name for name in ("a.parquet", "b.csv", "c.ndjson")])
    assert told.id.to_pylist() == ["1", "02", "3"]
    assert told.source.to_pylist() == ["a", "b", "c"]
    assert told.people["phone"].to_pylist() == ["4922155501", "022155501", "4922155501"]
    assert told.people["birth_date"].to_pylist() == ["1980-01-02", "1980-01-02", None]


def test_files_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    for name, email in (("a", '["ana@web.de"]'), ("b", '"ana@web.de"')):
        (tmp_path / f"{name}.ndjson").write_text(f'{{"name": "Ana", "email": {email}}}\n', encoding="utf-8")
    with pytest.raises(Unreadable, match=r"do not go together: .*email"):
        read([tmp_path / "a.ndjson", tmp_path / "b.ndjson"])


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(Unreadable, match="two columns have one name; there are: id, name, name"):
        read(pa.table([["1"], ["Ana"], ["Berg"]], names=["id", "name", "name"]))


def test_the_answer_says_where_its_model_comes_from() -> None:
    linked = link(pl.DataFrame(ANA))
    assert linked.summary()["model"] == "as shipped"
    assert link(pl.DataFrame(ANA), model=linked.model).summary()["model"] == "as given"
