"""Reading the CRM's change feed: no page lost, none counted twice, whatever becomes of the cursor; under two maps."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from starlette.applications import Starlette

from connectors.aptos import sandbox
from connectors.aptos.destination import Settings as DestinationSettings
from connectors.aptos.destination import read_map
from connectors.aptos.source import Settings, connect
from connectors.fieldmap import WrongMap
from connectors.sandbox.faults import Faults
from connectors.sandbox.population import Population, PopulationSpec, write
from connectors.sandbox.population import read as read_population
from connectors.sandbox.server import running
from models.errors import Rejected, TryLater
from models.landing import Window
from models.loyalty import LoyaltyMember
from models.orders import Order
from models.ports import Source
from models.profiles import ProfileDocument
from models.records import Person
from tests.connectors.aptos.conftest import Crm, opened
from tests.connectors.aptos.crm import COUNTS, CUT, DEPLOYMENTS, OURS, SPOILT, fill, hour, identity, key, put
from tests.connectors.conformance import PassingTime, read

EVERYTHING = Window(until=CUT)
WHOLE = {
    object_: [
        identity(object_, number)
        for number in range(1, count + 1)
        if number != SPOILT and (object_, number) != ("transaction", OURS)
    ]
    for object_, count in COUNTS.items()
}


@contextmanager
def reading(
    deployment: str = "ours", page_size: int = 4, population: Population | None = None, faults: Faults | None = None
) -> Iterator[tuple[Source, Any]]:
    fieldmap, dialect, _ = DEPLOYMENTS[deployment]
    time = PassingTime()
    app: Starlette = sandbox.app(population, faults or Faults(), clock=time.clock, dialect=dialect)
    if population is None:
        fill(app.state.shop)
    with running({"aptos": app}) as urls:
        site = {**sandbox.site(urls["aptos"]), "fieldmap": fieldmap, "page_size": page_size}
        settings = Settings.model_validate({**site, "requests_per_second": 1000})
        yield connect(settings, clock=time.clock, sleep=time.sleep), app.state.shop


def ids(source: Source, object_: str, window: Window = EVERYTHING) -> list[str]:
    return [record.key.source_id for page in source.pages(object_, window) for record in page.records]


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_deployment_with_other_paths_and_names_changes_its_map_and_no_code(deployment: str) -> None:
    with reading(deployment) as (source, shop):
        told = read(source, EVERYTHING)
        assert {object_: sorted(ids_) for object_, ids_ in WHOLE.items()} == {
            object_: told.ids(object_) for object_ in COUNTS
        }
        assert len(told.refused) == len(COUNTS)
        paths = {path.partition("?")[0] for path in shop.asked}
    assert paths == {
        DEPLOYMENTS[deployment][1].path("/changes/{object}").format(object=name)
        for name in ("customers", "transactions", "loyalty_accounts", "loyalty_entries", "interactions")
    }


def test_both_deployments_tell_the_same_records() -> None:
    bodies = []
    for deployment in DEPLOYMENTS:
        with reading(deployment) as (source, _):
            bodies.append(
                [(str(record.key), record.body, record.changed_at) for record in read(source, EVERYTHING).records]
            )
    assert bodies[0] == bodies[1]


def test_a_cursor_that_is_forgotten_in_mid_walk_loses_nothing_and_doubles_nothing() -> None:
    with reading() as (source, shop):
        forgets = iter([False, False, True, False, True, False])

        def before(feed: str) -> None:
            shop.forgotten = len(shop.changes) + 1 if next(forgets, False) else 0

        shop.before_answer = before
        assert ids(source, "customer") == WHOLE["customer"]
        since = [path for path in shop.asked if "since=" in path]
    assert len(since) == 2


def test_a_feed_that_forgets_every_cursor_is_still_read_whole() -> None:
    with reading() as (source, shop):
        shop.forgotten = len(shop.changes) + 1
        assert ids(source, "customer") == WHOLE["customer"]


def test_a_feed_that_forgets_within_one_moment_is_left_for_later() -> None:
    with reading(page_size=1) as (source, shop):
        shop.forgotten = len(shop.changes) + 1
        with pytest.raises(TryLater, match="forgets"):
            ids(source, "customer")


def test_a_feed_that_goes_round_in_circles_is_left_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.sandbox.receiving import Reply

    with reading() as (source, shop):
        shop.changes.clear()
        put(shop, "customer", 1, hour(1))

        def circling(*asked: object) -> Reply:
            return Reply(200, {"items": [shop.changes[0][1]], "nextCursor": "c1", "hasMore": True})

        monkeypatch.setattr("connectors.aptos.sandbox_feed.page", circling)
        with pytest.raises(TryLater, match="circles"):
            ids(source, "customer")


def test_more_without_a_cursor_is_an_error_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.sandbox.receiving import Reply

    answer: dict[str, Any] = {"items": [], "nextCursor": None, "hasMore": True}
    monkeypatch.setattr("connectors.aptos.sandbox_feed.page", lambda *asked: Reply(200, answer))
    with reading() as (source, _), pytest.raises(Rejected, match="not where"):
        ids(source, "customer")


def test_pages_that_come_again_are_told_once() -> None:
    faults = Faults(3, {"page_repeated": 0.4})
    with reading(faults=faults) as (source, _):
        assert ids(source, "transaction") == WHOLE["transaction"]
    assert faults.injected["page_repeated"] > 0


def test_an_item_that_is_no_object_is_refused_and_its_neighbours_land() -> None:
    with reading() as (source, shop):
        shop.changes.insert(2, ("customers", "nonsense"))
        shop.before_answer = lambda feed: None
        told = read(source, EVERYTHING)
    assert [reason.problem for refusal in told.refused for reason in refusal.reasons if not reason.path] == [
        "not a JSON object"
    ]


def test_nothing_beyond_the_window_is_asked_for_page_after_page() -> None:
    with reading(page_size=3) as (source, shop):
        assert ids(source, "customer", Window(since=hour(2), until=hour(5))) == WHOLE["customer"][1:4]
        assert len(shop.asked) == 2


def test_a_second_of_many_changes_is_read_whole_across_pages() -> None:
    with reading(page_size=1) as (source, _):
        window = Window(since=hour(12), until=hour(15))
        assert ids(source, "customer", window) == [identity("customer", number) for number in (12, 13, 14)]


# ---- what we told the CRM ourselves ----------------------------------------------------------------------------------
def test_a_customer_that_we_published_is_known_by_the_keys_that_we_gave_it(member: ProfileDocument) -> None:
    with opened("ours") as crm:
        crm.tell(member)
        source = _beside(crm)
        told = read(source, Window(until=CUT.replace(year=2100)))
    (person,) = [record.body for record in told.records if isinstance(record.body, Person)]
    keys = {(one.kind, one.value) for one in person.identifiers}
    assert ("golden", member.profile.profile) in keys
    assert len([kind for kind, _ in keys if kind.endswith("_customer")]) == 1
    published = {f"{key_.rsplit(':', 1)[0]}:{key_.rsplit(':', 1)[1]}" for key_ in member.records}
    assert len([kind for kind, _ in keys if kind == "alternate_key"]) >= len(published) - 1


def test_our_own_transactions_come_back_as_no_orders(member: ProfileDocument) -> None:
    with opened("ours") as crm:
        crm.tell(member)
        posted = len([kind for kind, _ in crm.shop.changes if kind == "transactions"])
        told = read(_beside(crm), Window(until=CUT.replace(year=2100)))
    assert posted > 0
    assert not [record for record in told.records if isinstance(record.body, Order)]
    assert told.refused == []
    assert [record for record in told.records if isinstance(record.body, LoyaltyMember)]


def test_a_profile_that_we_retired_is_gone_there_too(member: ProfileDocument, retired: ProfileDocument) -> None:
    with opened("ours") as crm:
        crm.tell(member)
        crm.tell(retired)
        told = read(_beside(crm), Window(until=CUT.replace(year=2100)))
    (gone,) = [record.body for record in told.records if record.body.kind == "deletion"]
    assert gone.merged_into is None


def test_what_the_crm_told_us_is_not_told_back(member: ProfileDocument) -> None:
    theirs = [order.model_copy(update={"record": "aptos:transaction:1-1-2026-01-01-1"}) for order in member.orders]
    with opened("ours") as crm:
        messages = crm.destination.render(member.model_copy(update={"orders": tuple(theirs)}))
    assert not [message for message in messages if message.object == "transaction"]


def _beside(crm: Crm) -> Source:
    """The source of the same CRM."""
    door = crm.destination._operations._door
    time = PassingTime()
    base_url = str(door._client.base_url).rstrip("/")
    return connect(Settings.model_validate(sandbox.site(base_url)), clock=time.clock, sleep=time.sleep)


# ---- the sandbox and the settings ------------------------------------------------------------------------------------
def test_the_crm_of_a_population_is_read_whole(tmp_path: Path) -> None:
    write(PopulationSpec(people=120, seed=1, systems=("bigcommerce", "pos", "aptos")), tmp_path)
    population = read_population(tmp_path)
    with reading(page_size=200, population=population) as (source, shop):
        told = read(source, Window(until=CUT.replace(year=2100)))
    assert told.refused == []
    assert len(told.ids("customer")) == len(shop.customers) > 20
    assert len(told.ids("transaction")) == len(shop.transactions) > 20
    assert len(told.ids("loyalty_entry")) == len(shop.entries) > 20
    assert len(told.ids("interaction")) == len(shop.interactions) > 5
    numbers = {record.key.source_id for record in told.records if record.key.object == "customer"}
    assert all(record.body.customer in numbers for record in told.records if isinstance(record.body, Order))


def test_a_population_without_a_crm_leaves_it_empty(tmp_path: Path) -> None:
    write(PopulationSpec(people=40, seed=1), tmp_path)
    assert sandbox.app(read_population(tmp_path), Faults()).state.shop.changes == []


def test_one_site_serves_both_roles() -> None:
    site = sandbox.site("http://127.0.0.1:1")
    assert Settings.model_validate(site).base_url == DestinationSettings.model_validate(site).base_url


@pytest.mark.parametrize(
    "wrong", [{}, {"base_url": "http://127.0.0.1:1"}, {**sandbox.site("http://127.0.0.1:1"), "daily_files": "x"}]
)
def test_settings_name_exactly_one_way_in(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_a_wrong_secret_is_for_a_person_to_look_at() -> None:
    from models.errors import SignInAgain

    time = PassingTime()
    with running({"aptos": sandbox.app(None, Faults())}) as urls:
        settings = Settings(base_url=urls["aptos"], client_id="sandbox-client", client_secret=SecretStr("wrong"))
        with pytest.raises(SignInAgain):
            ids(connect(settings, clock=time.clock, sleep=time.sleep), "customer")


def test_there_is_no_other_object() -> None:
    with reading() as (source, _), pytest.raises(Rejected):
        ids(source, "order")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{ from = "customerNumber", to = "number" }', "no such word"),
        ('{ from = "emails", to = "emails", each = "mail" }', "does not exist"),
        ('{ from = "status", to = "state", codes = "states" }', "codes.states does not exist"),
        ('{ from = "EMAIL", to = "emails.first.value" }', "by place"),
        ('{ to = "title" }', "exactly one of"),
    ],
)
def test_a_wrong_source_map_is_refused_with_its_place(line: str, problem: str, tmp_path: Path) -> None:
    ours = (Path(sandbox.__file__).parent / "fieldmap.toml").read_text(encoding="utf-8")
    head, customer, rest = ours.partition('lookup = "/customers/{id}"\nfields = [\n')
    (tmp_path / "map.toml").write_text(f"{head}{customer}  {line},\n{rest}", encoding="utf-8")
    with pytest.raises(WrongMap, match=problem):
        read_map(tmp_path / "map.toml")


def test_a_map_without_a_required_word_is_refused(tmp_path: Path) -> None:
    ours = (Path(sandbox.__file__).parent / "fieldmap.toml").read_text(encoding="utf-8")
    (tmp_path / "map.toml").write_text(ours.replace('{ from = "planKey", to = "plan" },', ""), encoding="utf-8")
    with pytest.raises(WrongMap, match="nothing is read as plan"):
        read_map(tmp_path / "map.toml")


def test_how_we_read_changes_nothing_of_what_we_send(tmp_path: Path) -> None:
    ours = (Path(sandbox.__file__).parent / "fieldmap.toml").read_text(encoding="utf-8")
    (tmp_path / "map.toml").write_text(ours.replace('to = "sex"', 'to = "title"'), encoding="utf-8")
    assert read_map(tmp_path / "map.toml").fingerprint == read_map().fingerprint


def test_the_feed_tells_the_parts_of_a_natural_key() -> None:
    app = sandbox.app(None, Faults())
    fill(app.state.shop)
    with running({"aptos": app}) as urls, httpx.Client(base_url=urls["aptos"]) as client:
        basic = (sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
        token = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=basic).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        (item,) = client.get("/changes/transactions", params={"limit": 1}).json()["items"]
    parts = [item[name] for name in ("store", "workstation", "businessDate", "sequence")]
    assert "/".join(parts) == item["id"] == key("transaction", 1)
