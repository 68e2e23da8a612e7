"""The commands as a scheduler and a person meet them: exit codes, one JSON document, errors that say what to do."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner, Result

from connectors.aptos import sandbox
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from resolver.cli.app import app

ROOT = Path(__file__).parents[3]
TILLS = ROOT / "data" / "fixtures" / "pos"
COMMANDS = (
    "init",
    "land",
    "resolve",
    "publish",
    "run",
    "explain",
    "status",
    "demo",
    "quarantine",
    "sandbox people",
    "sandbox serve",
    "sandbox workspace",
)


def resolver(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(result: Result) -> dict[str, Any]:
    """The one JSON document on standard output."""
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


@pytest.fixture
def crm() -> Iterator[str]:
    with running({"aptos": sandbox.app(None, Faults())}) as urls:
        yield urls["aptos"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with a till's drop of one receipt."""
    where = tmp_path / "shops"
    assert resolver("init", where).exit_code == 0
    (where / "drop").mkdir()
    shutil.copy(TILLS / "v6_sale_loyalty.xml", where / "drop")
    (where / "site.toml").write_text(
        '[sources.pos]\nfolder = "drop"\ndefault_zone = "Europe/London"\n', encoding="utf-8"
    )
    return where


def add_crm(place: Path, url: str, secret: str = sandbox.CLIENT_SECRET) -> None:
    with (place / "site.toml").open("a", encoding="utf-8") as site:
        site.write(
            f'[destinations.aptos]\nbase_url = "{url}"\nclient_id = "{sandbox.CLIENT_ID}"\n'
            f'client_secret = "{secret}"\nrequests_per_second = 1000\n'
        )


# -------------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_shows_an_example(command: str) -> None:
    result = resolver(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"Example: resolver {command}" in " ".join(result.stdout.split())


def test_the_help_names_every_command() -> None:
    listed = resolver("--help").stdout
    assert all(command.split()[0] in listed for command in COMMANDS)


# ----------------------------------------------------------------------------------------------------- exit 0 and 3


def test_the_whole_way_ends_with_0_and_again_with_nothing_to_do(place: Path, crm: str) -> None:
    add_crm(place, crm)
    first = resolver("run", "-w", place, "--json")
    assert first.exit_code == 0, first.output
    answer = said(first)
    assert answer["outcome"] == "done"
    assert {row["state"] for row in answer["sent"]} == {"accepted"}
    again = resolver("run", "-w", place, "--json")
    assert again.exit_code == 0
    assert said(again)["sent"] == []
    assert sum(row["landed"] for row in said(again)["landed"]) == 0


def test_step_by_step_is_the_same_way(place: Path, crm: str) -> None:
    add_crm(place, crm)
    assert resolver("land", "pos", "-w", place).exit_code == 0
    assert resolver("resolve", "-w", place).exit_code == 0
    plan = said(resolver("publish", "aptos", "--dry-run", "--json", "-w", place))
    sent = said(resolver("publish", "aptos", "--json", "-w", place))["sent"]
    assert len(plan["aptos"]) == sum(row["messages"] for row in sent) > 0


def test_a_refused_record_ends_with_3_and_status_names_its_field(place: Path) -> None:
    shutil.copy(TILLS / "truncated.xml", place / "drop")
    result = resolver("land", "-w", place, "--json")
    assert result.exit_code == 3, result.output
    assert sum(row["landed"] for row in said(result)["landed"]) > 0, "its neighbours land"
    status = said(resolver("status", "-w", place, "--json"))
    assert status["refusal_reasons"][0]["problem"]
    assert status["waiting_in_quarantine"][0]["correlation_id"]


def test_a_destination_that_is_down_ends_with_3_and_says_so(place: Path, crm: str) -> None:
    add_crm(place, crm, secret="wrong")
    result = resolver("run", "-w", place, "--json")
    assert result.exit_code == 3, result.output
    [trouble] = said(result)["counts"]["troubles"]
    assert "aptos" in trouble
    assert said(resolver("status", "-w", place, "--json"))["outbox"][0]["waiting"] > 0


def test_a_source_that_is_down_ends_with_3_and_says_so(place: Path) -> None:
    shutil.rmtree(place / "drop")
    result = resolver("land", "-w", place)
    assert result.exit_code == 3, result.output
    shown = " ".join(result.stdout.split())
    assert f"pos: the folder {place / 'drop'} is not there. What landed before stays; the next run reads" in shown


# ----------------------------------------------------------------------------------------------------------- exit 2


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["land"], ["resolve"], ["publish"], ["run"], ["explain", "a:b:c"], ["publish", "--dry-run"]],
)
def test_without_a_workspace_every_command_says_how_to_make_one(tmp_path: Path, arguments: list[str]) -> None:
    result = resolver(*arguments, "-w", tmp_path / "nowhere", "--json")
    assert result.exit_code == 2
    assert "resolver init" in said(result)["error"]


def test_init_never_overwrites_a_workspace(place: Path) -> None:
    before = (place / "site.toml").read_bytes()
    result = resolver("init", place, "--json")
    assert result.exit_code == 2
    assert "there already" in said(result)["error"]
    assert (place / "site.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("policy.toml", "[landing]\noverlap = 1\n", ("policy.toml", "landing.overlap", "overlap_seconds")),
        (
            "policy.toml",
            "[review]\nlow_probability = 7\n",
            ("policy.toml", "review.low_probability", "less than or equal to 1"),
        ),
        ("site.toml", "warehous = 'x'\n", ("site.toml", "warehous", "wait_seconds")),
        ("site.toml", "[sources.pos]\nfoldr = 'drop'\n", ("sources.pos.foldr", "folder")),
        ("site.toml", "[sources.till]\nfolder = 'drop'\n", ("sources.till", "Known: ", "pos")),
        ("site.toml", "[sources\n", ("site.toml", "not TOML")),
        (
            "site.toml",
            "[sources.bigcommerce]\nbase_url = 'http://shop.example'\nstore_hash = 'x'\naccess_token = 't'\n",
            ("[sources.bigcommerce]", "not encrypted"),
        ),
        (
            "site.toml",
            "[sources.salesforce]\nlogin_url = 'https://login.salesforce.com'\nclient_id = 'x'\nusername = 'u'\n"
            "private_key = '-----BEGIN nonsense'\n",
            ("[sources.salesforce]", "private_key", "not an RSA key in PEM"),
        ),
    ],
)
def test_a_wrong_setting_ends_with_2_its_place_and_what_is_allowed(
    place: Path, file: str, text: str, expected: tuple[str, ...]
) -> None:
    (place / file).write_text(text, encoding="utf-8")
    result = resolver("land", "-w", place, "--json")
    assert result.exit_code == 2, result.output
    assert all(part in said(result)["error"] for part in expected), said(result)["error"]


def test_a_source_that_is_not_configured_is_refused_by_name(place: Path) -> None:
    result = resolver("land", "bigcommerce", "-w", place, "--json")
    assert result.exit_code == 2
    assert "bigcommerce is not configured. site.toml has: pos" in said(result)["error"]


def test_what_nobody_knows_cannot_be_explained(place: Path) -> None:
    for asked in ("pos:receipt:404", "p-404"):
        result = resolver("explain", asked, "-w", place, "--json")
        assert result.exit_code == 2
        assert asked in said(result)["error"]


def test_reading_again_without_asking_and_asking_for_everything_are_two_wishes(place: Path) -> None:
    result = resolver("land", "--full", "--again", "-w", place, "--json")
    assert result.exit_code == 2
    assert "give one of them" in said(result)["error"]


def test_a_command_that_does_not_exist_is_wrong_usage() -> None:
    assert resolver("frobnicate").exit_code == 2


def test_a_secret_that_is_wrongly_placed_is_not_repeated(place: Path) -> None:
    with (place / "site.toml").open("a", encoding="utf-8") as site:
        site.write('[destinations.aptos]\nbase_url = "https://crm.example"\nclient_id = "x"\ntoken = "hunter2"\n')
    result = resolver("publish", "-w", place)
    assert result.exit_code == 2
    assert "hunter2" not in result.output


# ----------------------------------------------------------------------------------------------------------- exit 1


def test_a_warehouse_that_another_process_holds_ends_with_1(place: Path) -> None:
    with (place / "site.toml").open("r+", encoding="utf-8") as site:
        text = site.read()
        site.seek(0)
        site.write(f"wait_seconds = 0\n{text}")
    program = f"import duckdb, sys; c = duckdb.connect({str(place / 'warehouse.duckdb')!r}); print('held', flush=True); sys.stdin.readline()"
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        result = resolver("status", "-w", place, "--json")
        assert result.exit_code == 1
        assert "in use by another process" in said(result)["error"]
    finally:
        holder.communicate("\n")


def test_a_warehouse_that_is_none_ends_with_1_and_its_name(place: Path) -> None:
    (place / "warehouse.duckdb").write_bytes(b"this is no warehouse, and never was one")
    result = resolver("land", "-w", place, "--json")
    assert result.exit_code == 1
    assert "warehouse.duckdb" in said(result)["error"]


def test_a_full_disk_ends_with_1_and_what_to_do(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What DuckDB says where it can no longer write."""

    def full(*_: object) -> None:
        raise duckdb.TransactionException("Failed to commit: Could not write file: No space left on device")

    monkeypatch.setattr("resolver.land.records", full)
    result = resolver("land", "-w", place, "--json")
    assert result.exit_code == 1
    assert "make room and run the command again" in said(result)["error"]


# --------------------------------------------------------------------------------------------------------- answers


def test_explain_answers_for_a_record_a_pair_and_a_profile(place: Path) -> None:
    resolver("land", "-w", place)
    resolver("resolve", "-w", place)
    status = said(resolver("status", "-w", place, "--json"))
    assert status["totals"]["profiles"] >= 1
    record = _first_record(place)
    told = said(resolver("explain", record, "-w", place, "--json"))
    assert told["record"] == record
    profile = said(resolver("explain", told["profile"], "-w", place, "--json"))
    assert record in [member["record"] for member in profile["members"]]
    for asked in ([record], [record, record], [told["profile"]]):
        shown = resolver("explain", *asked, "-w", place)
        assert shown.exit_code == 0, shown.output
        assert record in shown.stdout


def _first_record(place: Path) -> str:
    with duckdb.connect(str(place / "warehouse.duckdb"), read_only=True) as connection:
        return str(connection.execute("select min(record) from derived.crosswalk").fetchall()[0][0])


def test_status_of_a_new_workspace_is_empty_and_fine(place: Path) -> None:
    assert resolver("status", "-w", place).exit_code == 0
    assert said(resolver("status", "-w", place, "--json"))["sources"] == []


def test_the_installed_program_is_the_same_app(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "resolver", "status", "-w", str(tmp_path), "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "resolver init" in json.loads(ended.stdout)["error"]
    assert ended.stderr == ""


def test_quarantine_lists_what_was_refused_and_shows_payloads_only_when_asked(place: Path) -> None:
    spoilt = (TILLS / "v6_sale_loyalty.xml").read_text(encoding="utf-8").replace("<Quantity>", "<Quantity>x")
    (place / "drop" / "spoilt.xml").write_text(spoilt, encoding="utf-8")
    assert resolver("land", "-w", place, "--json").exit_code == 3
    [row] = said(resolver("quarantine", "-w", place, "--json"))["refused"]
    assert (row["source"], row["object"]) == ("pos", "receipt")
    assert row["reasons"]
    assert "raw" not in row
    [row] = said(resolver("quarantine", "pos", "--payloads", "-w", place, "--json"))["refused"]
    assert ">x" in row["raw"]
    assert "Refused payloads" in resolver("quarantine", "-w", place).stdout
    unknown = resolver("quarantine", "posts", "-w", place, "--json")
    assert unknown.exit_code == 2
    assert "posts is not configured" in said(unknown)["error"]


def test_quarantine_says_how_much_more_there_is_and_that_who_waits_is_not_known_yet(place: Path) -> None:
    assert "nothing waits" in resolver("quarantine", "-w", place).stdout
    for name in ("truncated.xml", "doctype_entity.xml"):
        shutil.copy(TILLS / name, place / "drop")
    resolver("land", "-w", place)
    shown = " ".join(resolver("quarantine", "--limit", 1, "-w", place).stdout.split())
    assert "1 of 2 refused payloads are shown; --limit shows more." in shown
    assert "what waits for another one shows after it" in shown
    resolver("resolve", "-w", place)
    shown = resolver("quarantine", "-w", place).stdout
    assert "--limit" not in shown
    assert "last resolution" not in shown


def test_landing_again_says_how_much_of_the_quarantine_can_be_read_by_now(place: Path) -> None:
    assert "nothing in quarantine" in resolver("land", "--again", "-w", place).stdout
    header = "Store ID,Workstation ID,Transaction Number,Transaction Date,Type,Quantity,Amount,Currency\n"
    rows = ('7,2,1,2026-03-14T10:00:00,SALE,1,"4,50",GBP\n', '7,2,2,2026-03-14T10:00:00,SALE,1,"much",GBP\n')
    (place / "drop" / "receipts.csv").write_text(header + "".join(rows), encoding="utf-8")
    assert resolver("land", "-w", place).exit_code == 3
    with (place / "site.toml").open("a", encoding="utf-8") as site:
        site.write('decimal_mark = ","\n')
    result = resolver("land", "--again", "-w", place)
    assert result.exit_code == 3
    assert "2 refused payloads were read again; of 1 resolver quarantine still says why not." in result.stdout
    answer = said(resolver("land", "--again", "-w", place, "--json"))
    assert (answer["read_again"], answer["still_waiting"]) == (1, 1)


def test_a_row_that_nobody_can_read_says_in_which_drop_it_stands(place: Path) -> None:
    header = "Store ID,Workstation ID,Transaction Number,Transaction Date,Type,Quantity,Amount,Currency\n"
    (place / "drop" / "torn.csv").write_text(header + "7,2\n", encoding="utf-8")
    resolver("land", "-w", place)
    [row] = said(resolver("quarantine", "-w", place, "--json"))["refused"]
    assert row["reasons"] == [{"path": "", "problem": "row 1 of torn.csv cannot be read"}]


def test_what_a_terminal_would_obey_is_shown_as_its_code(place: Path) -> None:
    header = "Customer Number,Loyalty Card,Points Balance\n"
    (place / "drop" / "members.csv").write_text(header + "C\x1b[2J\u202e7,LC1,many\n", encoding="utf-8")
    resolver("land", "-w", place)
    shown = resolver("quarantine", "-w", place).stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b" in shown
    assert "\\u202e" in shown
