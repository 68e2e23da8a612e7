"""Charts of a linkage: Splink draws them, and they hold the figures by which the pairs were judged."""

from pathlib import Path

import polars as pl
import pytest

from resolver.linkage import Linkage, LinkagePolicy, NotJudged, link
from resolver.linkage.engine import Named

HOME = {"family_name": "Brandtner", "street": "Lindenstraße", "house_number": "14", "postcode": "50674", "city": "Köln",
        "country": "DE", "email": "familie.brandtner@mailbox.org", "phone": "0221 7728140"}  # fmt: skip
KATRIN = {**HOME, "given_name": "Katrin", "birth_date": "1981-02-11"}
NORA = {"given_name": "Nora", "family_name": "Whitfield", "email": "nora.whitfield@fastmail.co.uk"}
PEOPLE = [
    {**KATRIN, "source": "shop", "id": "1"},
    {**KATRIN, "source": "till", "id": "1", "given_name": "K", "phone": None},
    {**HOME, "source": "shop", "id": "2", "given_name": "Jonas", "birth_date": "1979-05-30"},
    {**NORA, "source": "till", "id": "2"},
]
KATRINS = (("shop", "1"), ("till", "1"))


@pytest.fixture(scope="module")
def linked() -> Linkage:
    return link(pl.DataFrame(PEOPLE), policy=LinkagePolicy(keep_log_odds=-20.0))


def judged(linked: Linkage, one: Named, other: Named) -> dict[str, object]:
    """The row of this pair among the judged ones."""
    ends = ("left_source", "left_id"), ("right_source", "right_id")
    return next(row for row in linked.pairs.to_pylist() if {(row[s], row[i]) for s, i in ends} == {one, other})


def test_the_bars_of_a_pair_are_its_parts_and_sum_to_its_weight(linked: Linkage) -> None:
    *bars, final = linked.waterfall_chart([KATRINS]).chart_dict["data"]["values"]
    row = judged(linked, *KATRINS)
    parts = dict(row["levels"])
    assert bars[0]["column_name"] == "Prior"
    assert bars[0]["log2_bayes_factor"] == parts.pop("prior")["weight"]
    assert {"given", "family", "birth", "email (names agree)"} <= set(parts)
    for bar, (name, part) in zip(bars[1:], parts.items(), strict=True):
        assert bar["column_name"] == ("what sharing explains" if name == "shared" else name)
        assert (bar["label_for_charts"], bar["log2_bayes_factor"]) == (part["level"], part["weight"])
    assert final["column_name"] == "Final score"
    assert final["log2_bayes_factor"] == row["match_weight"]
    assert sum(bar["log2_bayes_factor"] for bar in bars) == pytest.approx(row["match_weight"], abs=0.02)


def test_what_a_household_shares_is_a_bar_that_speaks_against(linked: Linkage) -> None:
    bars = linked.waterfall_chart([(("shop", "1"), ("shop", "2"))]).chart_dict["data"]["values"]
    shared = next(bar for bar in bars if bar["column_name"] == "what sharing explains")
    assert shared["label_for_charts"] == "household"
    assert shared["log2_bayes_factor"] < -5


def test_a_bar_shows_what_both_records_tell(linked: Linkage) -> None:
    bars = {bar["column_name"]: bar for bar in linked.waterfall_chart([KATRINS]).chart_dict["data"]["values"]}
    assert {bars["given"]["value_l"], bars["given"]["value_r"]} == {"Katrin", "K"}
    assert bars["birth"]["value_l"] == "1981-02-11"
    assert bars["Prior"]["value_l"] == ""


def test_the_slider_has_a_stop_for_every_pair(linked: Linkage) -> None:
    drawn = linked.waterfall_chart([KATRINS, (("shop", "2"), ("shop", "1"))]).chart_dict
    assert drawn["params"][0]["bind"]["max"] == 1
    assert {row["record_number"] for row in drawn["data"]["values"]} == {0, 1}


def test_the_order_in_which_the_two_are_named_does_not_matter(linked: Linkage) -> None:
    there, back = (linked.waterfall_chart([pair]).chart_dict["data"] for pair in (KATRINS, KATRINS[::-1]))
    assert there == back


def test_a_pair_that_was_never_judged_is_refused_with_what_would_judge_it(linked: Linkage) -> None:
    with pytest.raises(NotJudged, match=r"shop:1 and till:2 were not judged.*pairs_per_record.*keep_log_odds"):
        linked.waterfall_chart([(("shop", "1"), ("till", "2"))])


def test_a_record_that_does_not_exist_is_refused_with_how_records_are_named(linked: Linkage) -> None:
    with pytest.raises(NotJudged, match=r"no record is called shop:9; records are named by source and id"):
        linked.waterfall_chart([(("shop", "1"), ("shop", "9"))])


def test_a_name_that_several_records_bear_names_none_of_them() -> None:
    linked = link(pl.DataFrame([{**NORA, "id": "1"}, {**KATRIN, "id": "1"}, {**KATRIN, "id": "2"}]))
    with pytest.raises(NotJudged, match=r"2 records are called :1; records are named by source and id"):
        linked.waterfall_chart([(("", "1"), ("", "2"))])


def test_a_record_told_again_is_drawn_as_the_one_that_stands_for_it() -> None:
    again = [{**row, "id": f"{row['id']}-{n}"} for row in PEOPLE for n in range(3)]
    linked = link(pl.DataFrame(again), policy=LinkagePolicy(keep_log_odds=-20.0))
    charts = [linked.waterfall_chart([(("shop", f"1-{n}"), ("till", f"1-{n}"))]).chart_dict["data"] for n in range(3)]
    assert charts[0] == charts[1] == charts[2]
    with pytest.raises(NotJudged, match="tell the very same"):
        linked.waterfall_chart([(("shop", "1-0"), ("shop", "1-1"))])


def test_the_histogram_counts_every_judged_pair(linked: Linkage) -> None:
    bins = linked.match_weights_histogram().chart_dict["data"]["values"]
    assert sum(row["count_rows"] for row in bins) == linked.pairs.num_rows
    lightest = min(linked.pairs["match_weight"].to_pylist())
    assert bins[0]["splink_score_bin_low"] <= lightest < bins[0]["splink_score_bin_high"]


def test_a_histogram_of_nothing_is_refused() -> None:
    with pytest.raises(NotJudged, match="no pair was judged"):
        link(pl.DataFrame([PEOPLE[0], PEOPLE[3]])).match_weights_histogram()


def test_the_match_weights_of_the_model_are_drawn_level_by_level(linked: Linkage) -> None:
    drawn = {row["comparison_name"] for row in linked.match_weights_chart().chart_dict["data"]["values"]}
    assert {"given", "family", "birth", "email", "phone"} <= drawn


def test_a_chart_saves_itself_as_a_page(linked: Linkage, tmp_path: Path) -> None:
    linked.waterfall_chart([KATRINS]).save(tmp_path / "katrin.html")
    assert "what sharing explains" in (tmp_path / "katrin.html").read_text(encoding="utf-8")
