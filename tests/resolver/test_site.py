"""site.toml and the environment: where we are; secrets from the environment; a wrong key refused with what is allowed."""

from pathlib import Path

import pytest

from resolver import site
from resolver.cli import templates
from resolver.site import WrongSite


def written(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_site_that_says_nothing_has_the_defaults(tmp_path: Path) -> None:
    read = site.read(written(tmp_path, ""))
    assert (read.warehouse, read.sources, read.destinations) == (Path("warehouse.duckdb"), {}, {})


def test_the_template_is_understood_with_every_example_switched_on(tmp_path: Path) -> None:
    lines = templates.SITE.splitlines()
    switched_on = [
        line.removeprefix("# ") if line.startswith(("# [", "# base", "# store", "# folder")) else line for line in lines
    ]
    read = site.read(written(tmp_path, "\n".join(switched_on)))
    assert set(read.sources) == {"bigcommerce", "pos"}
    assert set(read.destinations) == {"aptos"}


def test_a_secret_in_the_environment_joins_what_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESOLVER_DESTINATIONS__APTOS__CLIENT_SECRET", "s3cret")
    read = site.read(written(tmp_path, "[destinations.aptos]\nbase_url = 'https://crm.example'\n"))
    assert read.destinations["aptos"] == {"base_url": "https://crm.example", "client_secret": "s3cret"}


def test_the_environment_outranks_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESOLVER_WAREHOUSE", "elsewhere.duckdb")
    assert site.read(written(tmp_path, "warehouse = 'here.duckdb'\n")).warehouse == Path("elsewhere.duckdb")


@pytest.mark.parametrize(
    ("text", "place", "allowed"),
    [
        ("warehous = 'x'", "warehous", "Known here: destinations, model, sources, wait_seconds, warehouse."),
        ("wait_seconds = -1", "wait_seconds", "greater than or equal to 0"),
        ("[sources]\npos = 'drop'", "sources.pos", "dictionary"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_place_and_what_is_allowed(
    tmp_path: Path, text: str, place: str, allowed: str
) -> None:
    with pytest.raises(WrongSite) as refused:
        site.read(written(tmp_path, text))
    message = str(refused.value)
    assert "site.toml" in message
    assert f"  {place}: " in message
    assert allowed in message


def test_a_refusal_never_repeats_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESOLVER_SOURCES__POS", "s3cret")
    with pytest.raises(WrongSite) as refused:
        site.read(written(tmp_path, ""))
    assert "s3cret" not in str(refused.value)


def test_what_is_no_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(WrongSite, match="line 1"):
        site.read(written(tmp_path, "colour =\n"))
