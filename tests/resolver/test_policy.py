"""policy.toml: defaults where it is silent, and a wrong key or value refused with its place and what is allowed there."""

from pathlib import Path

import pytest

from resolver import policy
from resolver.cli import templates
from resolver.policy import Policy, WrongPolicy


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_policy_that_says_nothing_is_the_default(tmp_path: Path) -> None:
    assert policy.read(written(tmp_path, "")) == Policy()


def test_the_template_says_what_the_defaults_are(tmp_path: Path) -> None:
    assert policy.read(written(tmp_path, templates.POLICY)) == Policy()


def test_what_is_said_replaces_the_default_and_nothing_else(tmp_path: Path) -> None:
    read = policy.read(written(tmp_path, "[rules.email]\nenabled = false\n"))
    assert not read.rules.email.enabled
    assert read.rules.phone == Policy().rules.phone
    assert read.landing == Policy().landing


def test_one_value_of_the_linkage_leaves_profiles_as_strict_as_they_were(tmp_path: Path) -> None:
    read = policy.read(written(tmp_path, "[linkage]\nthreads = 1\n"))
    assert read.linkage == Policy().linkage.model_copy(update={"threads": 1})
    assert read.linkage.keep_log_odds == -2.5


@pytest.mark.parametrize(
    ("text", "place", "allowed"),
    [
        ("colour = 1", "colour", "survivorship"),
        ("[landing]\noverlap = 1", "landing.overlap", "Known here: lag_seconds, overlap_seconds, vanish_limit."),
        ("[rules.email]\nmax_persons = 1", "rules.email.max_persons", "max_people"),
        ("[review]\nlow_probability = 2", "review.low_probability", "less than or equal to 1"),
        ("[survivorship]\norder = ['newest']", "survivorship.order.0", "'trusted', 'verified', 'recent'"),
        ("default_country = 'Germany'", "default_country", "pattern"),
        ("[publishing]\nworkers = 'many'", "publishing.workers", "integer"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_place_and_what_is_allowed(
    tmp_path: Path, text: str, place: str, allowed: str
) -> None:
    with pytest.raises(WrongPolicy) as refused:
        policy.read(written(tmp_path, text))
    message = str(refused.value)
    assert "policy.toml" in message
    assert f"  {place}: " in message
    assert allowed in message


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(WrongPolicy) as refused:
        policy.read(written(tmp_path, "colour = 1\n[review]\nlow_probability = 2\n"))
    assert "colour" in str(refused.value)
    assert "review.low_probability" in str(refused.value)


def test_a_review_range_that_is_upside_down_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongPolicy, match="low_probability"):
        policy.read(written(tmp_path, "[review]\nlow_probability = 0.9\nhigh_probability = 0.2\n"))


def test_a_field_that_no_profile_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongPolicy, match=r"survivorship\.contested\.0: .*'birth_date'"):
        policy.read(written(tmp_path, "[survivorship]\ncontested = ['birthdate']\n"))


def test_what_is_no_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(WrongPolicy, match="line 1"):
        policy.read(written(tmp_path, "colour =\n"))
