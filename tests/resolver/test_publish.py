"""Publishing to the CRM's stand-in over HTTP: only what changed, each effect once, refusals and silence survived."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from pydantic import SecretStr
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.aptos import destination as aptos
from connectors.aptos import sandbox
from connectors.aptos.sandbox import Shop
from connectors.sandbox.faults import Faults
from connectors.sandbox.receiving import Journal
from connectors.sandbox.server import running
from models.landing import SourceRecord
from models.ports import Destination, Message
from models.profiles import GoldenProfile, ProfileDocument
from resolver import explain, publish, run
from resolver.linkage import LinkageModel
from resolver.policy import Policy
from resolver.run import Run
from tests.conftest import Clock
from tests.ledger import OF_PUBLISHING, Settle, content, counts, profiles
from tests.telling import told


class Picky:
    """A CRM that refuses what is written to some paths, until they are taken off the list."""

    def __init__(self, app: ASGIApp) -> None:
        self.refuses: set[str] = set()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "PUT" and scope["path"] in self.refuses:
            problem = {"type": "https://aptos.invalid/problems/refused_by_rule", "status": 422, "errors": []}
            await Response(orjson.dumps(problem), 422, media_type="application/problem+json")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


@dataclass
class Crm:
    """The stand-in as a test sees it, and the destination that speaks to it."""

    destination: Destination
    shop: Shop
    journal: Journal
    faults: Faults
    picky: Picky
    url: str
    sleep: Callable[[float], None] = field(repr=False)

    @property
    def writes(self) -> int:
        return sum(self.journal.writes.values())

    @property
    def effects(self) -> int:
        return sum(self.journal.effects.values())

    def name_of(self, profile: str) -> str | None:
        """The given name that the CRM holds for a profile, after following merges."""
        number = self.shop.number_of("golden", profile)
        return None if number is None else self.shop.customers[number].get("firstName")


class VirtualTime:
    """A clock that ticks and lets sleepers sleep at once."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def speaking_to(url: str, time: VirtualTime, **settings: Any) -> Destination:
    said = {"client_id": sandbox.CLIENT_ID, "client_secret": SecretStr(sandbox.CLIENT_SECRET), **settings}
    return aptos.connect(aptos.Settings(base_url=url, requests_per_second=1000, **said), clock=time, sleep=time.sleep)


@contextmanager
def open_crm() -> Iterator[Crm]:
    faults, time = Faults(1, in_a_row=1000), VirtualTime()
    app = sandbox.app(None, faults, clock=time)
    picky = Picky(app)
    with running({"aptos": picky}) as urls:
        destination = speaking_to(urls["aptos"], time)
        yield Crm(destination, app.state.shop, app.state.journal, faults, picky, urls["aptos"], time.sleep)


@pytest.fixture
def crm() -> Iterator[Crm]:
    with open_crm() as opened:
        yield opened


Tell = Callable[..., str]


@pytest.fixture
def tell(connection: duckdb.DuckDBPyConnection, clock: Clock, model: LinkageModel, crm: Crm) -> Tell:
    """Tell the CRM what changed, in a run of its own; gives the run's id."""

    def telling(step: Callable[[Run, Any], None] = publish.to, destination: Destination | None = None) -> str:
        with run.begun("publish", connection, Policy(), model, clock) as begun:
            step(begun, destination or crm.destination)
        return begun.run_id

    return telling


def ana(**say: Any) -> SourceRecord:
    return told({"record": "shop:customer:ana", "given_name": "Ana", "family_name": "Silva", **say})


def ana_member(**say: Any) -> SourceRecord:
    return told({"record": "pos:member:ana", "given_name": "Ana", "loyalty_number": "LC-1", "points": 40, **say})


def anas_order(**bought: Any) -> SourceRecord:
    return told({"record": "shop:order:77", "bought": {"customer": "ana", **bought}})


BO = told({"record": "shop:customer:bo", "given_name": "Bo", "loyalty_number": "LC-2", "points": 7})
TOWN = (ana(), anas_order(), ana_member(), BO)
"""Ana twice (her card and her account are not joined yet), her order, and Bo."""


def sent(connection: duckdb.DuckDBPyConnection, run_id: str) -> list[tuple[str, str]]:
    """(object, state) of each receipt of a run."""
    return connection.execute(
        "select object, state from ledger.publication where run_id = ? and state <> 'queued' order by all", [run_id]
    ).fetchall()


def outbox(connection: duckdb.DuckDBPyConnection) -> int:
    [(waiting,)] = connection.execute("select count(*) from derived.outbox").fetchall()
    return int(waiting)


# ---------------------------------------------------------------------------------------------- only what changed


def test_everything_is_told_once_and_then_nothing(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle(TOWN)
    first = tell()
    assert sent(connection, first) == [
        *[("customer", "accepted")] * 3, *[("loyalty", "accepted")] * 2, ("transaction", "accepted"),
    ]  # fmt: skip
    before = content(connection, OF_PUBLISHING)
    settle(TOWN)
    assert sent(connection, tell()) == []
    assert crm.writes == crm.effects == 6
    assert content(connection, OF_PUBLISHING) == before


def test_only_the_profile_that_changed_is_told(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle(TOWN)
    tell()
    settle([ana(title="Dr", changed_at="2026-01-01T00:00:00Z")])
    assert sent(connection, tell()) == [("customer", "accepted")]
    assert crm.writes == 7


def test_a_value_that_goes_and_comes_back_is_told_three_times(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    for day, name in enumerate(("Ana", "Anna", "Ana"), start=1):
        settle([ana(given_name=name, changed_at=f"2026-01-0{day}T00:00:00Z")])
        tell()
    told_as = connection.execute(
        "select sequence, idempotency_key from ledger.publication where state = 'queued' order by sequence"
    ).fetchall()
    assert [sequence for sequence, _ in told_as] == [1, 2, 3]
    assert len({key for _, key in told_as}) == 3
    assert crm.effects == 3
    assert crm.name_of(profiles(connection)["shop:customer:ana"]) == "Ana"


def test_another_field_map_renders_everybody_anew_and_sends_only_what_it_changes(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell, tmp_path: Path
) -> None:
    settle(TOWN)
    tell()
    text = Path(aptos.__file__).with_name("fieldmap.toml").read_text(encoding="utf-8")
    shorter = tmp_path / "fieldmap.toml"
    shorter.write_text(text.replace('to = "title", max = 20', 'to = "title", max = 10'), encoding="utf-8")
    other = speaking_to(crm.url, VirtualTime(), fieldmap=shorter)
    assert other.mapping != crm.destination.mapping
    before = counts(connection, OF_PUBLISHING)
    assert sent(connection, tell(destination=other)) == []
    after = counts(connection, OF_PUBLISHING)
    assert after["rendering"] == before["rendering"] + 3
    assert after["publication"] == before["publication"]


def test_opt_outs_go_first(connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell) -> None:
    no = {"contact_point": "z@x.example", "channel": "email", "status": "opt_out", "at": "2025-01-01T00:00:00Z"}
    people = [told({"record": f"shop:customer:{n}", "given_name": f"Person {n}"}) for n in range(12)]
    settle([*people, ana(consents=[no])])
    tell()
    assert crm.shop.changes[0][1]["firstName"] == "Ana"


# ---------------------------------------------------------------------------------------------- merges and splits


def test_a_merge_is_told_and_the_old_customer_leads_to_the_survivor(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle(TOWN)
    tell()
    before = profiles(connection)
    joined = settle([ana(loyalty_number="LC-1", changed_at="2026-01-01T00:00:00Z")])
    assert joined
    receipts = sent(connection, tell())
    [survivor] = {profiles(connection)[r] for r in ("shop:customer:ana", "pos:member:ana")}
    [retired] = {before["shop:customer:ana"], before["pos:member:ana"]} - {survivor}
    number = crm.shop.number_of("golden", survivor)
    assert number is not None
    assert crm.shop.number_of("golden", retired) in (number, None)
    old = [c for c in crm.shop.customers.values() if c.get("mergedInto") == survivor]
    assert [c["status"] for c in old] == ["merged"]
    assert ("transaction", "accepted") not in receipts, "an order that was told follows its record's key"
    [key] = crm.shop.transactions
    assert crm.shop.get_transaction(key).body["customerNumber"] == number
    assert crm.shop.number_of(**crm.shop.accounts["LC-1"]["customerKey"]) == number


def test_a_split_is_told_and_orders_go_with_their_customer(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle([ana(loyalty_number="LC-1"), anas_order(), ana_member()])
    tell()
    settle([ana(loyalty_number="LC-3", changed_at="2026-01-01T00:00:00Z")])
    tell()
    now = profiles(connection)
    numbers = {record: crm.shop.number_of("golden", now[record]) for record in ("shop:customer:ana", "pos:member:ana")}
    assert None not in numbers.values()
    assert len(set(numbers.values())) == 2
    [key] = crm.shop.transactions
    assert crm.shop.get_transaction(key).body["customerNumber"] == numbers["shop:customer:ana"]
    assert crm.shop.number_of(**crm.shop.accounts["LC-1"]["customerKey"]) == numbers["pos:member:ana"]


# -------------------------------------------------------------------------------------------------------- refusals


def path_of(connection: duckdb.DuckDBPyConnection, record: str) -> str:
    return f"/customers/by-key/golden/{profiles(connection)[record]}"


def test_a_refused_customer_holds_back_what_depends_on_it_and_nobody_else(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle([ana(loyalty_number="LC-1"), anas_order(), ana_member(), BO])
    crm.picky.refuses.add(path_of(connection, "shop:customer:ana"))
    first = tell()
    assert sent(connection, first) == [("customer", "accepted"), ("customer", "rejected"), ("loyalty", "accepted")]
    [refused] = explain.status(connection)["error_queue"]
    assert (refused["object"], refused["code"]) == ("customer", "refused_by_rule")
    assert refused["correlation_id"]
    assert sent(connection, tell()) == [], "a refused message is not sent again by itself, and its dependants wait"


def test_refused_messages_are_sent_again_from_todays_profile_and_then_what_waited(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle([ana(loyalty_number="LC-1"), anas_order(), ana_member(), BO])
    profile = profiles(connection)["shop:customer:ana"]
    crm.picky.refuses.add(path_of(connection, "shop:customer:ana"))
    tell()
    assert sent(connection, tell(publish.rejected_to)) == [("customer", "rejected")]
    crm.picky.refuses.clear()
    settle([ana(loyalty_number="LC-1", title="Dr", changed_at="2026-01-01T00:00:00Z")])
    again = tell(publish.rejected_to)
    assert sent(connection, again) == [("customer", "accepted"), ("loyalty", "accepted"), ("transaction", "accepted")]
    number = crm.shop.number_of("golden", profile)
    assert number is not None
    assert crm.shop.customers[number]["title"] == "Dr"
    assert explain.status(connection)["error_queue"] == []
    assert outbox(connection) == 0
    assert sent(connection, tell()) == []


def test_a_poisoned_order_holds_back_no_other_order_of_its_customer(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    foreign = {"line_id": "1", "quantity": "1", "amount": {"amount": "10.00", "currency": "EUR"}}
    early = {"placed_at": "2020-01-01T00:00:00Z", "lines": [foreign]}
    later = told({"record": "shop:order:78", "bought": {"customer": "ana", "placed_at": "2024-01-01T00:00:00Z"}})
    settle([ana(), anas_order(**early), later])
    assert sent(connection, tell()) == [
        ("customer", "accepted"), ("transaction", "accepted"), ("transaction", "rejected"),
    ]  # fmt: skip
    assert sent(connection, tell()) == []
    assert len(crm.shop.transactions) == 1


def test_one_receipt_that_two_files_tell_is_told_once(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    slip = {"channel": "pos", "store": "S1", "till": "2", "sequence": "0017", "business_day": "2025-03-01"}
    said = [told({"record": f"pos:receipt:{n}", "loyalty_number": "LC-1", "given_name": "Ana", "bought": {**slip, "number": "17"}})
            for n in ("xml", "csv")]  # fmt: skip
    settle([*said, ana_member()])
    receipts = sent(connection, tell())
    assert receipts.count(("transaction", "accepted")) == len(crm.shop.transactions) == 1


def test_two_receipts_under_one_number_are_a_refusal_that_stays_visible(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    slip = {"channel": "pos", "store": "S1", "till": "2", "sequence": "0017", "business_day": "2025-03-01"}
    said = [
        told({"record": f"pos:receipt:{n}", "loyalty_number": "LC-1", "given_name": "Ana",
              "bought": {**slip, "total": {"amount": amount, "currency": "GBP"}}})
        for n, amount in (("a", "1.00"), ("b", "2.00"))
    ]  # fmt: skip
    settle([*said, ana_member()])
    tell()
    [refused] = explain.status(connection)["error_queue"]
    assert (refused["object"], refused["code"]) == ("transaction", "key_content_conflict")
    settle([ana_member(title="Dr", changed_at="2026-01-01T00:00:00Z")])
    assert sent(connection, tell()) == [("customer", "accepted")]
    assert len(explain.status(connection)["error_queue"]) == 1


# --------------------------------------------------------------------------------------------------------- silence


def test_a_destination_that_is_down_is_a_trouble_and_its_outbox_is_kept(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle(TOWN)
    crm.faults.rates["hung_up"] = 1.0
    cut = explain.run(connection, tell())
    assert cut["outcome"] == "partly"
    [trouble] = cut["counts"]["troubles"]
    assert trouble.startswith("aptos")
    assert "wait in the outbox" in trouble
    assert crm.effects == 0
    crm.faults.rates.clear()
    crm.sleep(3600)
    assert explain.run(connection, tell())["outcome"] == "done"
    assert (outbox(connection), crm.effects) == (0, 6)


def test_of_what_changed_while_the_destination_was_down_only_the_newest_is_told(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    crm.faults.rates["unavailable"] = 1.0
    for day, name in enumerate(("Ana", "Anna", "Anne"), start=1):
        settle([ana(given_name=name, changed_at=f"2026-01-0{day}T00:00:00Z")])
        tell()
    crm.faults.rates.clear()
    crm.sleep(3600)
    tell()
    assert [one["firstName"] for kind, one in crm.shop.changes if kind == "customers"] == ["Anne"]


def test_an_outcome_that_nobody_knows_is_read_back_and_not_repeated(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle([BO])
    crm.faults.rates["dropped"] = 1.0
    token_is_there(crm)
    tell()
    assert crm.faults.injected["dropped"] > 0
    crm.faults.rates.clear()
    crm.sleep(3600)
    writes = crm.writes
    tell()
    tell()
    assert crm.journal.effects == {"customer": 1, "loyalty": 1}
    assert crm.journal.writes["customer"] <= writes, "the customer had arrived: it was read, not written"
    assert outbox(connection) == 0


def token_is_there(crm: Crm) -> None:
    """Sign in while answers still come whole."""
    rates = dict(crm.faults.rates)
    crm.faults.rates.clear()
    crm.destination.read_back(_any_message(crm.destination))
    crm.faults.rates.update(rates)


def _any_message(destination: Destination) -> Message:
    return destination.render(ProfileDocument(profile=GoldenProfile(profile="p-0")))[0]


def test_refused_credentials_end_the_delivery_and_say_so(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle(TOWN)
    stranger = speaking_to(crm.url, VirtualTime(), client_secret=SecretStr("wrong"))
    refused = explain.run(connection, tell(destination=stranger))
    assert refused["outcome"] == "partly"
    [trouble] = refused["counts"]["troubles"]
    assert "refused the credentials" in trouble
    assert outbox(connection) == 6
    tell()
    assert (outbox(connection), crm.effects) == (0, 6)


def test_faults_at_every_turn_leave_each_message_with_one_effect(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle(TOWN)
    crm.faults.rates.update({"throttled": 0.15, "unavailable": 0.15, "dropped": 0.2, "hung_up": 0.1})
    for _ in range(4):
        tell()
    crm.faults.rates.clear()
    crm.sleep(3600)
    tell()
    assert (outbox(connection), crm.effects, len(crm.shop.changes)) == (0, 6, 6)


# --------------------------------------------------------------------------------------------------------- dry run


def planned(connection: duckdb.DuckDBPyConnection, crm: Crm) -> list[tuple[str, str, str]]:
    return sorted(
        (p.object, p.target_key, hashlib.sha256(p.payload.encode()).hexdigest())
        for p in publish.plan(connection, crm.destination)
    )


def really_sent(connection: duckdb.DuckDBPyConnection, run_id: str) -> list[tuple[str, str, str]]:
    return connection.execute(
        "select object, target_key, payload_hash from ledger.publication where run_id = ? and state <> 'queued'"
        " order by all",
        [run_id],
    ).fetchall()


@pytest.mark.parametrize("while_down", [False, True], ids=["at first", "after it was down"])
def test_a_dry_run_shows_exactly_what_is_then_sent(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell, while_down: bool
) -> None:
    settle(TOWN)
    if while_down:
        crm.faults.rates["unavailable"] = 1.0
        tell()
        crm.faults.rates.clear()
        crm.sleep(3600)
        settle([ana(title="Dr", changed_at="2026-01-01T00:00:00Z")])
    before = content(connection, OF_PUBLISHING)
    writes = crm.writes
    plan = planned(connection, crm)
    assert content(connection, OF_PUBLISHING) == before, "a dry run writes no fact"
    assert crm.writes == writes, "and sends nothing"
    assert len(plan) == 6
    assert plan == really_sent(connection, tell())
    assert publish.plan(connection, crm.destination) == []


def test_a_dry_run_leaves_out_what_a_refusal_holds_back(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle([ana(), anas_order()])
    crm.picky.refuses.add(path_of(connection, "shop:customer:ana"))
    tell()
    settle([BO])
    plan = planned(connection, crm)
    assert plan == really_sent(connection, tell())
    assert [p[0] for p in plan] == ["customer", "loyalty"]


def test_a_dry_run_shows_what_the_destination_holds_beside_what_it_would_be_told(
    connection: duckdb.DuckDBPyConnection, settle: Settle, crm: Crm, tell: Tell
) -> None:
    settle([ana()])
    [new] = publish.plan(connection, crm.destination)
    assert new.held is None
    tell()
    settle([ana(title="Dr", changed_at="2026-01-01T00:00:00Z")])
    [changed] = publish.plan(connection, crm.destination)
    assert changed.held == new.payload
    assert orjson.loads(changed.payload)["title"] == "Dr"


# ------------------------------------------------------------------------------------------------------------ logs


def test_the_logs_of_a_whole_run_hold_nothing_personal(
    connection: duckdb.DuckDBPyConnection,
    resolve: Callable[[Sequence[SourceRecord]], str],
    crm: Crm,
    tell: Tell,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    crm.faults.rates.update({"unavailable": 0.2, "dropped": 0.2})
    secret = {"family_name": "Quixworth", "email": "ana.q@mail.example", "phone": "+447911123456", "street": "Elm Row"}
    resolve([ana(**secret), ana_member(**secret), anas_order(), BO])
    crm.picky.refuses.add(path_of(connection, "shop:customer:bo"))
    tell()
    ours = [record for record in caplog.records if not record.name.startswith("uvicorn")]  # that is the CRM's own log
    lines = [f"{record.getMessage()} {record.exc_text or ''}" for record in ours]
    assert any(record.name.startswith("connectors") for record in ours)
    personal = ("Quixworth", "ana.q", "mail.example", "7911", "Elm Row", "LC-1", "sandbox-token", "sandbox-secret")
    assert [line for line in lines if any(value.lower() in line.lower() for value in personal)] == []
