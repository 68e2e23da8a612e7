"""`resolver link` and `resolver evaluate`: any table of people, through files."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from resolver.cli.app import app

PEOPLE = Path(__file__).parents[3] / "data" / "fixtures" / "people" / "records.parquet"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("people") / "people.csv"
    wanted = ["source", "id", "given_name", "family_name", "full_name", "birth_date", "email", "phone", "address_line",
              "postcode", "city", "country"]  # fmt: skip
    told = pl.read_parquet(PEOPLE)
    told.with_columns(source=pl.col("system"), id=pl.concat_str("object", "source_id", separator=":")).select(
        wanted
    ).write_csv(path)
    return path


def _run(*arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_every_row_comes_back_once_in_its_order_and_twice_the_same(people: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    _run("link", str(people), "--out", str(one), "--pairs", str(tmp_path / "pairs.parquet"))
    _run("link", str(people), "--out", str(other), "--model", str(one.with_suffix(".model.json")),
         "--policy", str(one.with_suffix(".policy.toml")))  # fmt: skip
    assert one.read_bytes() == other.read_bytes()
    clusters = pl.read_parquet(one)
    told = pl.read_csv(people, infer_schema=False)
    assert clusters.columns == ["source", "id", "cluster", "review"]
    assert clusters.select("source", "id").rows() == told.select("source", "id").rows()


def test_a_steward_is_asked_and_heard(people: Path, tmp_path: Path) -> None:
    pairs, ask = tmp_path / "pairs.parquet", tmp_path / "ask.csv"
    _run("link", str(people), "--out", str(tmp_path / "out.parquet"), "--pairs", str(pairs))
    _run("evaluate", str(pairs), "--ask", "30", "--out", str(ask))
    sample = pl.read_csv(ask, infer_schema=False)
    truth = pl.read_parquet(PEOPLE.with_name("truth.parquet"))
    person = {
        (s, f"{o}:{i}"): p for s, o, i, p in truth.select("system", "object", "source_id", "person_id").iter_rows()
    }
    answers = [
        "yes" if person[row["left_source"], row["left_id"]] == person[row["right_source"], row["right_id"]] else "no"
        for row in sample.iter_rows(named=True)
    ]
    sample.with_columns(match=pl.Series(answers)).write_csv(ask)
    before, after = _run("evaluate", str(pairs)), _run("evaluate", str(pairs), "--labels", str(ask))
    assert after["labels"] == sample.height

    def width(found: dict[str, object]) -> float:
        interval = found["precision"]
        assert isinstance(interval, dict)
        return float(interval["high"] - interval["low"])

    assert width(after) < width(before)


@pytest.mark.parametrize("wrong", [["--threshold", "2"], ["--map", "email"], ["--map", "email=nonsense"]])
def test_what_is_not_understood_is_refused(people: Path, tmp_path: Path, wrong: list[str]) -> None:
    done = CliRunner().invoke(app, ["link", str(people), "--out", str(tmp_path / "out.parquet"), *wrong])
    assert done.exit_code == 2


def test_labels_that_are_neither_yes_nor_no_are_refused(people: Path, tmp_path: Path) -> None:
    pairs, ask = tmp_path / "pairs.parquet", tmp_path / "ask.csv"
    _run("link", str(people), "--out", str(tmp_path / "out.parquet"), "--pairs", str(pairs))
    ask.write_text("stratum,match\n1,perhaps\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["evaluate", str(pairs), "--labels", str(ask)])
    assert done.exit_code == 2


@pytest.mark.parametrize("text", ["", "colour,size\nred,3\n"])
def test_a_table_that_says_nothing_about_people_is_refused(tmp_path: Path, text: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["link", str(table), "--out", str(tmp_path / "out.parquet")])
    assert done.exit_code == 2
    assert not (tmp_path / "out.parquet").exists()
