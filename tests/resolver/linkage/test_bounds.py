"""Pairs are ruled out before they are compared, and never one that could have been a match."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler, Levenshtein

from connectors.sandbox import population
from resolver.linkage import LinkageModel, LinkagePolicy, blocking, bounds, engine, evidence, mixture, records, training
from resolver.linkage.model import subset
from resolver.linkage.tables import read

words = st.text(st.sampled_from("abcdeilnorst .1"), min_size=1, max_size=12)


def outline(left: str, right: str) -> bounds.Both:
    texts = {"word": bounds.Text.of(pa.array([left, right], pa.string()))}
    return bounds.Both(bounds.Outline({}, texts, {}), np.array([0]), np.array([1]))


@given(words, words)
def test_two_texts_are_never_more_alike_than_their_letters_allow(left: str, right: str) -> None:
    both = outline(left, right)
    assert both.resemblance("word")[0] >= JaroWinkler.similarity(left, right)
    assert both.edited("word", Levenshtein.distance(left, right))[0]
    assert both.begins("word")[0] or not left.startswith(right)


@given(st.lists(st.from_regex(r"[0-9]{8,11}", fullmatch=True), min_size=2, max_size=2))
def test_digits_that_differ_are_counted_from_the_end(numbers: list[str]) -> None:
    told = {"phone": bounds.digits(pa.array(numbers, pa.string()))}
    both = bounds.Both(bounds.Outline({}, {}, told), np.array([0]), np.array([1]))
    left, right = (number.rjust(16, "0") for number in numbers)
    assert both.differing("phone")[0] == sum(a != b for a, b in zip(left, right, strict=True))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> records.Records:
    """A population with all its flaws, and columns that only some sets have."""
    folder = tmp_path_factory.mktemp("people")
    population.write_people(900, 5, folder)
    key = pl.concat_str("system", "object", "source_id", separator=":").alias("id")
    told = pl.read_parquet(folder / "records.parquet").with_columns(key).drop("object", "source_id", "system")
    told = pl.concat([told, slips(told)])
    draw = np.random.default_rng(1)
    towns = np.array(["riga", "rige", "old riga", "porto", None], object)
    told = told.with_columns(
        birth_place=pl.Series(draw.choice(towns, told.height)),
        ssn=pl.Series(draw.choice([f"12345{n}" for n in range(40)], told.height)),
        sex=pl.Series(draw.choice(["m", "f"], told.height)),
        suffix=pl.Series(draw.choice(np.array(["jr", "sr", None, None], object), told.height)),
        yob=pl.Series(draw.integers(1950, 1960, told.height)),
    )
    return engine._loaded(read(told).people, LinkagePolicy())


def slips(told: pl.DataFrame) -> pl.DataFrame:
    """The same people again, with two neighbouring digits or letters exchanged, or one letter wrong."""

    def exchanged(column: str) -> pl.Expr:
        """The last two characters change places."""
        text = pl.col(column).cast(pl.String)
        return pl.concat_str(text.str.head(-2), text.str.tail(1), text.str.slice(-2, 1)).alias(column)

    wrong = pl.concat_str(pl.col("family_name").str.head(-1), pl.lit("q"))
    return told.head(400).with_columns(
        exchanged("birth_date").cast(told.schema["birth_date"], strict=False),
        exchanged("phone"), exchanged("given_name"), exchanged("postcode"),
        family_name=wrong, id=pl.concat_str("id", pl.lit("-again")),
    )  # fmt: skip


def weighed(people: records.Records) -> tuple[training.Candidates, list, mixture.Parameters, dict, np.ndarray]:
    """Candidates and as many random pairs, with what is needed to weigh them and their log-odds."""
    proposed = blocking.candidates(people.parts, 25.0)
    drawn = blocking.random_pairs(people.count, 50_000, 1)
    found = training.compared(people, np.unique(np.concatenate([proposed, drawn])))
    wanted = evidence.features(people.comparisons)
    model = LinkageModel.shipped()
    parameters = subset(model.parameters(people.count), wanted)
    rarity = model.rarities(people.values, people.value_hashes)
    codes = evidence.encode(found.levels, people.comparisons, rarity, found.left, found.right)
    return found, wanted, parameters, rarity, mixture.log_odds(mixture.log_ratios(wanted, codes, parameters))


@pytest.mark.parametrize("line", [-7.0, -2.0, 3.0])
def test_no_pair_above_the_line_is_ruled_out_and_most_others_are(people: records.Records, line: float) -> None:
    found, wanted, parameters, rarity, log_odds = weighed(people)
    assert {c.name for c in people.comparisons} >= {"middle", "suffix", "sex", "birth_year", "national_id", "other_1"}
    kept = np.isin(found.packed, bounds.plausible(people.outline, found.packed, wanted, parameters, rarity, line))
    assert kept[log_odds > line].all()
    assert kept[log_odds <= line].mean() < 0.2


def test_every_level_that_a_pair_reaches_was_held_possible(people: records.Records) -> None:
    found, *_ = weighed(people)
    both = bounds.Both(people.outline, found.left, found.right)
    for comparison, levels in zip(people.comparisons, found.levels, strict=True):
        needs = bounds.NEEDS[comparison.name]
        assert not (needs.missing(both) & (levels > 0)).any()
        for number, level in enumerate(comparison.levels[:-1], 1):
            need = needs.levels.get(level.name)
            assert need is None or need(both)[levels == number].all(), (comparison.name, level.name)


def test_a_comparison_that_nothing_is_known_of_counts_with_its_best_level(
    people: records.Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, wanted, parameters, rarity, log_odds = weighed(people)
    monkeypatch.setattr(bounds, "NEEDS", {k: v for k, v in bounds.NEEDS.items() if k not in {"email", "family"}})
    kept = bounds.plausible(people.outline, found.packed, wanted, parameters, rarity, -2.0)
    assert np.isin(found.packed[log_odds > -2.0], kept).all()
