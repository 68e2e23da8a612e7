"""Who is who in a table of people: the same answer for the same records, and families stay families."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from connectors.sandbox import population
from resolver import standard_form
from resolver.linkage import Linkage, LinkageModel, LinkagePolicy, judge, link
from resolver.linkage.comparisons import Kind
from resolver.linkage.mixture import KINDS

Rows = Sequence[dict[str, str | None]]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("people")
    population.write_people(600, 3, folder)
    key = pl.concat_str("system", "object", "source_id", separator=":").alias("id")
    truth = pl.read_parquet(folder / "truth.parquet").select(key, "person_id")
    records = pl.read_parquet(folder / "records.parquet").with_columns(key)
    dropped = ("object", "source_id", "created_at", "modified_at", "deleted_at")
    return records.drop(dropped).rename({"system": "source"}).join(truth, on="id").sort("id")


@pytest.fixture(scope="module")
def linked(people: pl.DataFrame) -> Linkage:
    return link(people.drop("person_id"))


def partition(answer: Linkage) -> set[frozenset[str]]:
    frame = pl.DataFrame(answer.clusters.select(["id", "cluster"]))
    return {frozenset(ids) for ids in frame.group_by("cluster").agg("id")["id"].to_list()}


def test_every_row_comes_back_once_in_input_order(people: pl.DataFrame, linked: Linkage) -> None:
    assert linked.clusters.column_names == ["source", "id", "cluster", "review"]
    assert linked.clusters["id"].to_pylist() == people["id"].to_list()
    assert linked.origin == "trained on these records"


def test_a_table_resolves_itself_without_a_label(people: pl.DataFrame, linked: Linkage) -> None:
    both = people.select("id", "person_id").join(pl.DataFrame(linked.clusters), on="id")
    joined, true, right = (
        sum(n * (n - 1) // 2 for n in both.group_by(by).len()["len"])
        for by in (["cluster"], ["person_id"], ["cluster", "person_id"])
    )
    assert right / joined > 0.98
    assert right / true > 0.93


def test_the_same_records_in_another_order_give_the_same_clusters_and_weights(
    people: pl.DataFrame, linked: Linkage
) -> None:
    again = link(people.drop("person_id").sample(fraction=1.0, shuffle=True, seed=5))
    assert partition(again) == partition(linked)
    assert again.pairs.equals(linked.pairs)
    assert again.model.content_hash == linked.model.content_hash


def test_threads_change_no_byte(people: pl.DataFrame, linked: Linkage, tmp_path: Path) -> None:
    alone = link(people.drop("person_id"), policy=LinkagePolicy(threads=1))
    for name, answer in (("one", alone), ("two", linked)):
        answer.save_clusters(tmp_path / f"{name}.clusters")
        answer.save_pairs(tmp_path / f"{name}.pairs")
        answer.model.save(tmp_path / f"{name}.model")
    for what in ("clusters", "pairs", "model"):
        assert (tmp_path / f"one.{what}").read_bytes() == (tmp_path / f"two.{what}").read_bytes()


CHANCE_ALONE = LinkagePolicy(random_pairs=20_000)
CANDIDATES_ALONE = LinkagePolicy(training_pairs=1_000)
"""Policies under which training draws, of half of the people, only one of the two samples that it may draw."""


@pytest.fixture(scope="module")
def half(people: pl.DataFrame) -> pl.DataFrame:
    return people.drop("person_id").gather_every(2)


def joined(answer: Linkage) -> set[tuple[str, str]]:
    return {pair for ids in partition(answer) for pair in combinations(sorted(ids), 2)}


@pytest.mark.parametrize("policy", [CHANCE_ALONE, CANDIDATES_ALONE], ids=["chance", "candidates"])
def test_another_seed_gives_another_model_and_nearly_the_same_clusters(
    half: pl.DataFrame, policy: LinkagePolicy
) -> None:
    one, again, other = (link(half, policy=policy, seed=seed) for seed in (1, 1, 2))
    assert again.model == one.model
    assert again.pairs.equals(one.pairs)
    assert again.clusters.equals(one.clusters)
    assert other.model.features != one.model.features
    assert len(joined(one) & joined(other)) > 0.97 * len(joined(one) | joined(other))


def test_where_nothing_is_drawn_the_seed_changes_nothing(half: pl.DataFrame) -> None:
    answers = [link(half, seed=seed) for seed in (1, 2)]
    assert answers[0].model == answers[1].model
    assert answers[0].pairs.equals(answers[1].pairs)


def test_a_saved_model_judges_as_the_trained_one(people: pl.DataFrame, linked: Linkage, tmp_path: Path) -> None:
    linked.model.save(tmp_path / "model.json")
    again = link(people.drop("person_id"), model=LinkageModel.load(tmp_path / "model.json"))
    assert again.pairs.equals(linked.pairs)
    assert again.origin == "as given"


def test_neighbours_are_counted_though_nothing_proposes_them() -> None:
    """A thousand strangers in five towns make a hundred pairs of neighbours for each of them; blocking finds few."""
    towns, letters = ["Aachen", "Bern", "Cork", "Delft", "Essen"], "bcdfghklmnprstvw"
    strangers = pl.DataFrame(
        [
            {
                "given_name": f"{letters[n % 16]}{letters[n // 16 % 16]}ara",
                "family_name": f"Ost{letters[n // 7 % 16]}{letters[n // 3 % 16]}en",
                "postcode": f"{n % 5}0000",
                "city": towns[n % 5],
            }
            for n in range(1000)
        ]
    )
    model = link(strangers).model
    assert 50 < model.related[Kind.AREA] < 120
    tenfold = model.parameters(10 * model.trained_on).prior / model.parameters(model.trained_on).prior
    assert tenfold[KINDS.index(Kind.AREA)] == pytest.approx(1.0, rel=0.01)
    assert tenfold[KINDS.index(Kind.MATCH)] == pytest.approx(1 / 8, rel=0.01)


def test_the_parts_of_a_weight_sum_to_it(linked: Linkage) -> None:
    for pair in linked.pairs.slice(0, 200).to_pylist():
        assert sum(part["weight"] for _, part in pair["levels"]) == pytest.approx(pair["match_weight"], abs=0.02)


def test_pairs_are_sorted_and_say_why_they_were_compared(linked: Linkage) -> None:
    ends = list(zip(linked.pairs["left_id"].to_pylist(), linked.pairs["right_id"].to_pylist(), strict=True))
    assert ends == sorted(ends)
    assert set(linked.pairs["verdict"].to_pylist()) <= {"match", "unsure", "non_match"}


def test_who_is_under_review_is_who_a_doubtful_pair_is_about(linked: Linkage) -> None:
    rows = [row for row in linked.pairs.to_pylist() if row["verdict"] == "unsure"]
    doubts = [{(row[f"{side}_source"], row[f"{side}_id"]) for side in ("left", "right")} for row in rows]
    review = {(row["source"], row["id"]) for row in linked.clusters.to_pylist() if row["review"]}
    assert 0 < len(review) == linked.summary()["review"] < 0.2 * linked.clusters.num_rows
    assert review <= set().union(*doubts)
    assert all(pair & review for pair in doubts)


def shipped(rows: Rows) -> dict[str, str]:
    """Linked by the shipped model: the table is far too small to learn from."""
    columns = sorted({name for row in rows for name in row})
    frame = pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], infer_schema_length=None)
    answer = link(frame).clusters
    return dict(zip(answer["id"].to_pylist(), answer["cluster"].to_pylist(), strict=True))


HOME = {"family_name": "Brandtner", "street": "Lindenstraße", "house_number": "14", "postcode": "50674", "city": "Köln",
        "country": "DE", "email": "familie.brandtner@mailbox.org", "phone": "0221 7728140"}  # fmt: skip


def test_a_family_that_shares_everything_but_the_given_name_is_not_one_person() -> None:
    found = shipped([
        {**HOME, "id": "a", "given_name": "Katrin", "birth_date": "1981-02-11"},
        {**HOME, "id": "b", "given_name": "Jonas", "birth_date": "1979-05-30"},
        {**HOME, "id": "c", "given_name": "Katrin", "birth_date": "1981-02-11"}])  # fmt: skip
    assert found["a"] == found["c"] != found["b"]


def test_father_and_son_of_one_name_are_two_people() -> None:
    found = shipped([
        {**HOME, "id": "a", "given_name": "Georg", "birth_date": "1951-02-11"},
        {**HOME, "id": "b", "given_name": "Georg", "birth_date": "1983-07-30"}])  # fmt: skip
    assert found["a"] != found["b"]


def test_jr_is_not_sr() -> None:
    found = shipped([
        {**HOME, "id": "a", "given_name": "John", "name_suffix": "Jr."},
        {**HOME, "id": "b", "given_name": "John", "name_suffix": "Sr."}])  # fmt: skip
    assert found["a"] != found["b"]


def test_twins_are_two_people() -> None:
    found = shipped(
        [
            {**HOME, "id": "a", "given_name": "Lena", "birth_date": "2001-02-11", "email": "lena.brandtner@web.de"},
            {**HOME, "id": "b", "given_name": "Lukas", "birth_date": "2001-02-11", "email": "lukas2001@gmx.de"},
        ]
    )
    assert found["a"] != found["b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Alexander", "Alexandra"), ("Eric", "Erica"), ("Christopher", "Christina"), ("Tom", "Tim"), ("Emma", "Ella")],
)
@pytest.mark.parametrize("birth_date", [None, "2001-02-11"], ids=["undated", "twins"])
def test_two_known_names_of_one_family_are_two_people(one: str, other: str, birth_date: str | None) -> None:
    home = {**HOME, "birth_date": birth_date}
    found = shipped([{**home, "id": "a", "given_name": one}, {**home, "id": "b", "given_name": other}])
    assert found["a"] != found["b"]


@pytest.mark.parametrize(
    ("one", "other"), [("Jonathan", "Johnathan"), ("Catherine", "Katherine"), ("Philip", "Phillip")]
)
def test_two_spellings_of_one_name_may_be_one_person(one: str, other: str) -> None:
    own = {**HOME, "email": "sunnyfox77@mailbox.org", "birth_date": "2001-02-11"}
    found = shipped([{**own, "id": "a", "given_name": one}, {**own, "id": "b", "given_name": other}])
    assert found["a"] == found["b"]


def test_a_short_form_of_two_names_waits_for_a_steward() -> None:
    rows = [{**HOME, "id": name, "given_name": name} for name in ("Alex", "Alexander", "Alexandra")]
    answer = link(pl.DataFrame(rows)).clusters
    assert len(set(answer["cluster"].to_pylist())) == 3
    assert all(answer["review"].to_pylist())


def test_a_mailbox_in_the_familys_name_is_no_evidence_for_one_of_them() -> None:
    home = {**HOME, "phone": None, "birth_date": None}
    family = {**home, "email": "familie.brandtner@mailbox.org"}
    own = {**home, "email": "andreas.brandtner@mailbox.org"}
    pair = [{"given_name": "Andras", "id": "a"}, {"given_name": "Andreas", "id": "b"}]
    shared, personal = ([{**mailbox, **one} for one in pair] for mailbox in (family, own))
    weight = [link(pl.DataFrame(rows)).pairs["match_weight"].to_pylist() for rows in (shared, personal)]
    assert weight[1][0] > weight[0][0] + 1.0 if weight[0] else weight[1]


def test_addresses_made_of_one_name_say_little_once_the_names_agree() -> None:
    """The mailboxes of two John Smiths resemble each other because of their name."""
    john = {"given_name": "John", "family_name": "Smith", "country": "GB"}
    weights = [
        link(pl.DataFrame([{**john, "id": "a", "email": "john.smith12@aol.com"}, {**john, "id": "b", "email": other}]))
        .pairs["match_weight"].to_pylist()
        for other in ("john.smith873@gmx.de", "velvetfox@gmx.de")
    ]  # fmt: skip
    assert weights[0][0] - weights[1][0] < 2.5


def test_short_forms_and_slips_of_the_finger_are_one_person() -> None:
    one = {"family_name": "Whitfield", "email": "nora.whitfield@fastmail.co.uk", "postcode": "NR7 4QD", "country": "GB"}
    found = shipped([
        {**one, "id": "a", "given_name": "Elizabeth", "birth_date": "1990-05-23"},
        {**one, "id": "b", "given_name": "Liz", "birth_date": "1990-05-23"},
        {**one, "id": "c", "given_name": "Elizabeth", "family_name": "Whitfeild"}])  # fmt: skip
    assert len(set(found.values())) == 1


def test_a_guest_with_an_email_only_joins_its_owner() -> None:
    found = shipped([
        {"id": "a", "given_name": "Nora", "family_name": "Whitfield", "email": "nora.whitfield@fastmail.co.uk"},
        {"id": "b", "email": "Nora.Whitfield@fastmail.co.uk"},
        {"id": "c", "email": "somebody.else@fastmail.co.uk"}])  # fmt: skip
    assert found["a"] == found["b"] != found["c"]


def test_a_guest_with_a_phone_only_joins_its_owner() -> None:
    found = shipped([
        {"id": "a", "given_name": "John", "family_name": "Smith", "phone": "+44 7911 123456", "country": "GB"},
        {"id": "b", "phone": "07911 123456", "country": "GB"},
        {"id": "c", "phone": "07911 654321", "country": "GB"}])  # fmt: skip
    assert found["a"] == found["b"] != found["c"]


def test_a_value_that_a_till_makes_up_is_found_in_the_data_and_joins_nobody(people: pl.DataFrame) -> None:
    """Nobody has listed this mailbox and this number; one record in ten bears them."""
    made_up = pl.int_range(pl.len()) % 10 == 0
    spoilt = people.with_columns(
        email=pl.when(made_up).then(pl.lit("kasse7@laden.de")).otherwise("email"),
        phone=pl.when(made_up).then(pl.lit("+49 221 5550173")).otherwise("phone"),
    )
    clusters = pl.DataFrame(link(spoilt.drop("person_id")).clusters).with_columns(people["person_id"], made_up=made_up)
    bearing = clusters.filter("made_up")
    joined = sum(n * (n - 1) // 2 for n in bearing.group_by("cluster").len()["len"])
    right = sum(n * (n - 1) // 2 for n in bearing.group_by("cluster", "person_id").len()["len"])
    assert bearing.height > 100
    assert joined - right <= 2


def test_companies_and_empty_rows_stay_alone() -> None:
    found = shipped([
        {"id": "a", "full_name": "Acme Widgets Ltd", "email": "info@acme.com"},
        {"id": "b", "full_name": "Acme Widgets Ltd", "email": "sales@acme.com"}, {"id": "c"}, {"id": "d"}])  # fmt: skip
    assert len(set(found.values())) == 4


def test_csv_and_ndjson_give_what_parquet_gives(people: pl.DataFrame, linked: Linkage, tmp_path: Path) -> None:
    frame = people.drop("person_id").head(300)
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.ndjson")
    frame.select(pl.all().cast(pl.String)).write_csv(tmp_path / "a.csv")
    answers = [link(tmp_path / f"a.{kind}", model=linked.model) for kind in ("parquet", "ndjson", "csv")]
    assert answers[0].clusters.equals(answers[1].clusters)
    assert answers[0].clusters.equals(answers[2].clusters)


def test_judging_leaves_nothing_behind_in_the_database_it_reads(linked: Linkage) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table told as select 'a' as record, 'Ana' as given_name, 'ana@web.de' as email")
        connection.execute("insert into told values ('b', 'Ana', 'ana@web.de')")
        standard_form.people(connection, "told", "person")
        before = connection.execute("select table_name from duckdb_tables() order by all").fetchall()
        weighed = judge(connection, "person", linked.model, LinkagePolicy())
        assert connection.execute("select table_name from duckdb_tables() order by all").fetchall() == before
        assert weighed.pairs["log_odds"].to_pylist()[0] > 0


def test_saved_clusters_are_readable_parquet(linked: Linkage, tmp_path: Path) -> None:
    linked.save_clusters(tmp_path / "clusters.parquet")
    assert pq.read_table(tmp_path / "clusters.parquet").equals(linked.clusters)


def test_repeated_receipts_are_one_record_but_common_names_are_not(people: pl.DataFrame, linked: Linkage) -> None:
    told = people.drop("person_id").filter(pl.col("email").is_not_null()).head(60)
    again = pl.concat([told.with_columns((pl.col("id") + f"-{n}").alias("id")) for n in range(6)])
    answer = link(again, model=linked.model)
    clusters = pl.DataFrame(answer.clusters).with_columns(pl.col("id").str.replace(r"-\d+$", ""))
    assert clusters.group_by("id").agg(pl.col("cluster").n_unique())["cluster"].max() == 1
    assert answer.clusters.num_rows == 360
    assert answer.compared < 60 * 60
    names = pl.DataFrame({"id": [str(n) for n in range(500)], "name": ["John Smith"] * 500})
    assert len(set(link(names, model=linked.model).clusters["cluster"].to_pylist())) == 500


def test_columns_that_mislead_are_named() -> None:
    rows = 200
    frame = pl.DataFrame({
        "id": [str(n) for n in range(rows)], "name": [f"Ana Berg{n}" for n in range(rows)],
        "email": ["ask@shop.example"] * 60 + [f"ana{n}@web.de" for n in range(rows - 60)],
        "phone": ["unknown"] * rows, "dob": ["yes", "no"] * (rows // 2)})  # fmt: skip
    warnings = " | ".join(link(frame).summary()["warnings"])
    assert "email: one value stands in 60 rows" in warnings
    assert "phone says the same in every row" in warnings
    assert "dob is read as birth_date, but most of it does not look like that" in warnings
    assert "ask@shop.example" not in warnings
