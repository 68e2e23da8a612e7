"""`resolver link` and `resolver evaluate`: any table of people, through files."""

import gzip
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from resolver.cli.app import app
from resolver.linkage import LinkageModel

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


def test_the_same_seed_gives_the_same_bytes_and_another_one_another_model(people: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[linkage]\nrandom_pairs = 2000\n", encoding="utf-8")
    written = {}
    for run, seed in (("first", "7"), ("second", "7"), ("other", "8")):
        out, pairs = tmp_path / f"{run}.parquet", tmp_path / f"{run}.pairs.parquet"
        _run("link", str(people), "--out", str(out), "--pairs", str(pairs), "--policy", str(policy), "--seed", seed)
        written[run] = [path.read_bytes() for path in (out, pairs, out.with_suffix(".model.json"))]
    assert written["first"] == written["second"]
    assert written["first"][2] != written["other"][2]


def test_every_choice_is_written_and_can_be_edited_and_passed_back(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    first = _run("link", str(people), "--out", str(out))
    policy, model = out.with_suffix(".policy.toml"), out.with_suffix(".model.json")
    written = tomllib.loads(policy.read_text(encoding="utf-8"))["linkage"]
    assert written["pairs_per_record"] == first["pairs_per_record"]
    assert sum(dict(first["blocking"]).values()) == first["judged"]
    policy.write_text(
        policy.read_text(encoding="utf-8").replace("unscored = -1.5", "unscored = -9.0"), encoding="utf-8"
    )
    strict = _run(
        "link", str(people), "--out", str(tmp_path / "strict.parquet"), "--policy", str(policy), "--model", str(model)
    )
    assert strict["model"] == "as given"
    assert int(str(strict["clusters"])) > int(str(first["clusters"]))


def test_a_policy_that_says_nothing_of_the_linkage_links_a_table_as_none_does(people: Path, tmp_path: Path) -> None:
    out, policy = tmp_path / "out.parquet", tmp_path / "policy.toml"
    policy.write_text('default_country = "GB"\n', encoding="utf-8")
    written = []
    for given in ([], ["--policy", str(policy)]):
        _run("link", str(people), "--out", str(out), *given)
        written.append(out.read_bytes())
    assert written[0] == written[1]


def test_a_threshold_that_is_asked_for_is_written_with_the_policy(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    _run("link", str(people), "--out", str(out), "--threshold", "0.7")
    assert tomllib.loads(out.with_suffix(".policy.toml").read_text(encoding="utf-8"))["linkage"]["threshold"] == 0.7


def test_a_higher_threshold_joins_less(people: Path, tmp_path: Path) -> None:
    clusters = [
        int(str(_run("link", str(people), "--out", str(tmp_path / "out.parquet"), "--threshold", line)["clusters"]))
        for line in ("0.01", "auto", "0.9999")
    ]
    assert clusters[0] < clusters[1] < clusters[2]


def test_a_column_can_be_mapped_and_further_ones_compared(people: Path, tmp_path: Path) -> None:
    told = (
        pl.read_csv(people, infer_schema=False)
        .rename({"family_name": "colour"})
        .with_columns(shoe=pl.Series(["42", "43"] * 5000).head(pl.read_csv(people).height))
    )
    told.write_csv(tmp_path / "told.csv")
    found = _run("link", str(tmp_path / "told.csv"), "--out", str(tmp_path / "out.parquet"),
                 "--map", "colour=family_name", "--also", "shoe, city", "--also", "postcode")  # fmt: skip
    assert dict(found["fields"])["family_name"] == "colour"
    assert found["further"] == ["shoe", "city", "postcode"]


def test_a_pair_tells_what_both_records_said(people: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.parquet"
    _run("link", str(people), "--out", str(tmp_path / "out.parquet"), "--pairs", str(pairs))
    told = pl.read_csv(people, infer_schema=False)
    email = dict(zip(told["source"] + ":" + told["id"], told["email"], strict=True))
    for row in pl.read_parquet(pairs).head(50).iter_rows(named=True):
        for side in ("left", "right"):
            assert row[side]["email"] == email[f"{row[f'{side}_source']}:{row[f'{side}_id']}"]
        assert row["verdict"] in {"match", "unsure", "non_match"}
        assert row["blocked_by"]


OLDER = LinkageModel.shipped().model_dump_json().replace('"format":2', '"format":1')


@pytest.mark.parametrize(
    "text", ["nonsense", "{}", '{"format": 2, "trained_on": 9, "related": {}, "features": []}', OLDER]
)
def test_a_file_that_is_no_model_is_refused_in_a_sentence(people: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(
        app,
        [
            "link",
            str(people),
            "--out",
            str(tmp_path / "out.parquet"),
            "--model",
            str(tmp_path / "model.json"),
            "--json",
        ],
    )
    assert done.exit_code == 2
    assert "not a linkage model" in json.loads(done.stdout)["error"]


def test_a_steward_is_asked_and_heard(people: Path, tmp_path: Path) -> None:
    pairs, ask = tmp_path / "pairs.parquet", tmp_path / "ask.csv"
    _run("link", str(people), "--out", str(tmp_path / "out.parquet"), "--pairs", str(pairs))
    _run("evaluate", str(pairs), "--ask", "30", "--out", str(ask))
    sample = pl.read_csv(ask, infer_schema=False)
    assert sample.columns[:6] == ["match", "stratum", "left_source", "left_id", "right_source", "right_id"]
    assert [c for c in sample.columns if c.endswith("_email")] == ["left_email", "right_email"]
    told = pl.read_csv(people, infer_schema=False)
    email = dict(zip(told["source"] + ":" + told["id"], told["email"], strict=True))
    for row in sample.iter_rows(named=True):
        assert row["right_email"] == email[f"{row['right_source']}:{row['right_id']}"]
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
    assert {"precision", "recall", "f1", "blocking_recall", "labels"} == set(before)

    def width(found: dict[str, object]) -> float:
        interval = found["precision"]
        assert isinstance(interval, dict)
        return float(interval["high"] - interval["low"])

    assert width(after) < width(before)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--threshold", "2"], "write auto, or a probability between 0 and 1"),
        (["--map", "email"], "--map takes COLUMN=FIELD"),
        (["--map", "email=nonsense"], "there is no field 'nonsense'"),
        (["--map", "email=email", "--map", "email=phone"], "--map names a column twice"),
        (["--map", "email=phone", "--map", "phone=phone"], "the field 'phone' is named twice"),
        (["--id", "nobody"], "there is no column 'nobody'"),
        (["--also", "nothing"], "there is no column 'nothing'"),
        (["--policy", "absent.toml"], "absent.toml"),
        (["--model", "absent.json"], "absent.json"),
        (["--pairs", "nowhere/pairs.parquet"], "there is no folder nowhere"),
    ],
)
def test_what_is_not_understood_is_refused(people: Path, tmp_path: Path, wrong: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["link", str(people), "--out", str(tmp_path / "out.parquet"), *wrong, "--json"])
    assert done.exit_code == 2
    assert said in json.loads(done.stdout)["error"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("stratum,match\n1,perhaps\n", "match is yes or no"),
        ("stratum,match\nfirst,yes\n", "stratum is the number that --ask wrote"),
        ("match\nyes\n", "needs the columns stratum and match"),
        ("", "ask.csv"),
        ("stratum,match\n99,yes\n", "the labels are not of these pairs"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(people: Path, tmp_path: Path, labels: str, said: str) -> None:
    pairs, ask = tmp_path / "pairs.parquet", tmp_path / "ask.csv"
    _run("link", str(people), "--out", str(tmp_path / "out.parquet"), "--pairs", str(pairs))
    ask.write_text(labels, encoding="utf-8")
    done = CliRunner().invoke(app, ["evaluate", str(pairs), "--labels", str(ask), "--json"])
    assert done.exit_code == 2
    assert said in json.loads(done.stdout)["error"]


def test_only_pairs_can_be_evaluated(people: Path, tmp_path: Path) -> None:
    _run("link", str(people), "--out", str(tmp_path / "out.parquet"))
    for wrong in (people, tmp_path / "out.parquet", tmp_path / "absent.parquet"):
        done = CliRunner().invoke(app, ["evaluate", str(wrong), "--json"])
        assert done.exit_code == 2
        assert "such as `resolver link --pairs` writes" in json.loads(done.stdout)["error"]


def _refused(tables: Sequence[Path], out: Path) -> str:
    """Why these tables cannot be linked."""
    done = CliRunner().invoke(app, ["link", *map(str, tables), "--out", str(out), "--json"])
    assert done.exit_code == 2
    assert not out.exists()
    return str(json.loads(done.stdout)["error"])


def test_a_table_that_says_nothing_about_people_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("colour,size\nred,3\n", encoding="utf-8")
    assert "no column says anything about a person; there are: colour, size" in _refused(
        [table], tmp_path / "out.parquet"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [("people.csv", b""), ("people.csv", b"\xef\xbb\xbf \r\n\r\n"), ("people.csv.gz", gzip.compress(b"")), ("people.ndjson", b"\n")],
    ids=["nothing", "blank lines", "compressed", "ndjson"],
)  # fmt: skip
def test_an_empty_file_is_called_empty(people: Path, tmp_path: Path, name: str, content: bytes) -> None:
    empty = tmp_path / name
    empty.write_bytes(content)
    for tables in ([empty], [people, empty]):
        assert _refused(tables, tmp_path / "out.parquet") == f"{empty} is empty"


def test_a_table_without_a_row_is_nobody(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name,email\n", encoding="utf-8")
    assert _run("link", str(tmp_path / "people.csv"), "--out", str(tmp_path / "out.parquet"))["records"] == 0
    assert pl.read_parquet(tmp_path / "out.parquet").height == 0
