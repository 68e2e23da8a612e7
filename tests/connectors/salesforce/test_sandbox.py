"""The sandbox understands queries as the vendor does, and refuses what the vendor refuses."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.salesforce import sandbox
from connectors.salesforce.ids import long_id
from connectors.salesforce.sandbox import serving
from connectors.salesforce.sandbox_org import Org
from connectors.salesforce.sandbox_soql import Malformed, parse
from connectors.salesforce.source import Settings, connect
from connectors.sandbox.faults import Faults
from connectors.sandbox.population import Population, PopulationSpec, write
from connectors.sandbox.population import read as read_population
from connectors.sandbox.server import running
from models.landing import Window
from tests.connectors.conformance import PassingTime, Read, read
from tests.connectors.salesforce.world import ANA, GONE, MERGED, NULL, Clock, by_key, fixture_org

DATA = "/services/data/v62.0"


@pytest.fixture
def org() -> Org:
    return fixture_org(Clock())


@pytest.fixture
def client(org: Org) -> Iterator[httpx.Client]:
    with running({"sf": serving(org, Faults())}) as urls, httpx.Client(base_url=urls["sf"]) as client:
        form = {
            "grant_type": "client_credentials",
            "client_id": sandbox.CLIENT_ID,
            "client_secret": sandbox.CLIENT_SECRET,
        }
        told = client.post("/services/oauth2/token", data=form).json()
        assert told["instance_url"] == urls["sf"]
        client.headers["Authorization"] = f"Bearer {told['access_token']}"
        yield client


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'Null'", {NULL}),
        ("LastName = 'null'", {NULL}),
        ("Id = '0035g0000000AnA'", {ANA}),
        ("Id = '0035g0000000ana'", set()),
        ("LastName IN ('Null', 'Muster') AND IsDeleted = false", {NULL, ANA}),
        ("(LastName = 'Null' OR FirstName = 'Ana') AND Email != null", {NULL, ANA}),
        ("NOT LastName LIKE 'M%' AND HasOptedOutOfEmail = true", {NULL}),
        ("SystemModstamp >= 2026-02-02T09:00:00.000Z AND SystemModstamp < 2026-02-02T09:00:01+00:00", {NULL}),
        ("Birthdate < 1990-01-01", {ANA}),
        ("Account.Name = 'Consumers'", {ANA}),
        ("LastName NOT IN ('Null', 'Beispiel')", {ANA}),
    ],
)
def test_conditions_find_what_they_say(org: Org, where: str, found: set[str]) -> None:
    query = parse(f"SELECT Id FROM Contact WHERE {where}", org)
    assert {each["Id"] for each in query.run(org, bin_too=False)} == found


def test_order_limit_and_offset(org: Org) -> None:
    query = parse("select Id from Contact order by Birthdate desc nulls last, LastName limit 2 offset 0", org)
    assert next(iter(query.run(org, bin_too=True)))["Id"] == ANA
    assert len(query.run(org, bin_too=True)) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Contact WHERE LastName = 'a' AND LastName = 'b' OR LastName = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact GROUP BY Id", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM ContentDocumentLink", "MALFORMED_QUERY"),
        ("SELECT Nothing__c FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE MailingAddress = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
    ],
)
def test_what_the_vendor_refuses_is_refused(org: Org, text: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text, org).run(org, bin_too=True)
    assert caught.value.code == code


def test_the_recycle_bin_is_told_by_queryall_alone(client: httpx.Client) -> None:
    params = {"q": "SELECT COUNT() FROM Contact"}
    assert client.get(f"{DATA}/query", params=params).json()["totalSize"] == 3
    assert client.get(f"{DATA}/queryAll", params=params).json()["totalSize"] == 5
    listed = client.get(
        f"{DATA}/sobjects/Contact/deleted/", params={"start": "2026-02-01T00:00:00Z", "end": "2026-03-09T00:00:00Z"}
    )
    assert listed.json()["deletedRecords"] == [], "both were deleted more than 15 days ago"


def test_related_records_are_nested_and_empty_ones_null(client: httpx.Client) -> None:
    text = "SELECT Id, Account.Name, Who.Type, CreatedBy.EmployeeNumber, Subject FROM Task ORDER BY Id"
    first, second = client.get(f"{DATA}/query", params={"q": text}).json()["records"]
    assert first["Account"]["Name"] == "Consumers"
    assert first["Who"]["Type"] == "Contact"
    assert first["CreatedBy"]["EmployeeNumber"] == "E417"
    assert second["Who"] is None
    assert first["attributes"]["type"] == "Task"


def test_without_a_session_nothing_is_told(client: httpx.Client) -> None:
    answer = client.get(f"{DATA}/query", params={"q": "SELECT Id FROM Contact"}, headers={"Authorization": "Bearer no"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    assert answer.headers["Sforce-Limit-Info"].startswith("api-usage="), "refusals tell the usage too"


def test_bulk_refuses_compound_fields(client: httpx.Client) -> None:
    job = {"operation": "query", "query": "SELECT Id, MailingAddress FROM Contact"}
    assert client.post(f"{DATA}/jobs/query", json=job).status_code == 400


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    folder = tmp_path_factory.mktemp("people")
    write(PopulationSpec(people=120, seed=3, systems=("salesforce", "pos")), folder)
    return read_population(folder)


def read_sandbox(population: Population, faults: Faults, **options: Any) -> Read:
    time = PassingTime()
    with running({"sf": sandbox.app(population, faults, page_sizes=(40, 17), clock=time.clock, **options)}) as urls:
        settings = Settings.model_validate(sandbox.site(urls["sf"]))
        return read(connect(settings, clock=time.clock, sleep=time.sleep), Window(until=time.clock()))


def test_the_population_comes_through_with_faults_as_without(population: Population) -> None:
    calm = read_sandbox(population, Faults())
    faults = Faults(4, {"limited": 0.02, "session_expired": 0.05, "locator_forgotten": 0.3, "dropped": 0.05})
    assert read_sandbox(population, faults).texts() == calm.texts()
    assert sum(faults.injected.values())


def test_every_contact_and_posting_of_the_population_is_told(population: Population) -> None:
    told = by_key(read_sandbox(population, Faults()))
    contacts = [row for row in population.records.collect().to_dicts() if row["system"] == "salesforce"]
    assert {key for key in told if key.startswith("contact:")} == {f"contact:{row['source_id']}" for row in contacts}
    held = {row["loyalty_number"] for row in contacts if row["loyalty_number"]}
    entries = [row for row in population.loyalty_entries.collect().to_dicts() if row["account"] in held]
    told_entries = [each.body for key, each in told.items() if key.startswith("entry:")]
    assert sum(each["points"] for each in entries) == sum(getattr(each, "points", 0) for each in told_entries)
    assert len(told_entries) == len(entries) == len({getattr(each, "external_id", "") for each in told_entries})


def test_spoilt_postings_are_refused_and_their_neighbours_land(population: Population) -> None:
    told = read_sandbox(population, Faults(), spoilt=2)
    assert [each.reasons[0].path for each in told.refused] == ["Points", "Points"]


def test_an_unknown_fault_is_refused_before_serving(org: Org) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        serving(org, Faults(1, {"unheard_of": 0.5}))


def test_a_merge_in_the_org_is_what_a_merge_looks_like(org: Org) -> None:
    org.merge("Contact", NULL, ANA)
    found = org.find("Contact", NULL)
    assert found is not None
    assert (found["IsDeleted"], found["MasterRecordId"]) == (True, ANA)
    assert {GONE, MERGED, NULL} == {each["Id"] for each in org.all("Contact") if each.get("IsDeleted")}
    assert org.find("Contact", "0035g0000000AnA") == org.find("Contact", long_id("0035g0000000AnA"))
