"""Others as judges: recorded answers of Salesforce, and a client that others wrote, reading our sandbox."""

import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.http import Answer
from connectors.salesforce import sandbox
from connectors.salesforce.answers import LOST_LOCATOR, listed, meaning
from connectors.salesforce.described import described
from connectors.salesforce.rows import flat, typed
from connectors.salesforce.sandbox import serving
from connectors.salesforce.sandbox_org import Org
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.errors import Rejected, SignInAgain, TryLater
from models.landing import Window
from tests.connectors.salesforce.world import ANA, NULL, Clock, fixture_org, object_read, source_of


@pytest.fixture
def recorded(shared: Path) -> Path:
    return shared / "contracts" / "salesforce" / "fixtures"


def answer(content: bytes, status: int = 200) -> Answer:
    return Answer("salesforce: GET /x", status, {}, content, "c")


@pytest.mark.needs_shared
def test_recorded_pages_are_understood(recorded: Path) -> None:
    names = ("query_success", "query_empty", "query_paginated_first_page", "query_paginated_last_page")
    pages = {name: answer((recorded / f"{name}_response.json").read_bytes()) for name in names}
    counts = {name: len(listed(page, "records")) for name, page in pages.items()}
    assert counts == dict(zip(names, (1, 0, 1, 1), strict=True))
    row = flat(listed(pages["query_success"], "records")[0])
    assert row["ParentWhizbang__r.Name"] == "Parent Whizbang"
    assert [each["Name"] for each in row["Whizbangs__r"]] == ["Child Whizbang"]
    assert typed(row, {"DateTime_Label": "datetime"})["DateTime_Label"] == "2011-07-07T00:37:00.000Z"


@pytest.mark.needs_shared
def test_a_recorded_description_is_understood(recorded: Path) -> None:
    told = described(orjson.loads((recorded / "sobject_describe_success_response.json").read_bytes()))
    assert told.stamp() == "SystemModstamp"
    assert told.fields["Checkbox_Field"].type == "boolean"
    parent = told.referring("ParentWhizbang__r")
    assert parent is not None
    assert parent.name == "ParentWhizbang__c"


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("name", "status", "error", "code"),
    [
        ("expired_session", 401, SignInAgain, "INVALID_SESSION_ID"),
        ("query_error", 400, Rejected, "INVALID_FIELD"),
        ("write_error", 400, Rejected, "INVALID_FIELD"),
        ("sobject_describe_error", 404, Rejected, "NOT_FOUND"),
        ("sobject_find_error", 404, Rejected, "NOT_FOUND"),
    ],
)
def test_recorded_errors_are_named_after_the_next_move(
    recorded: Path, name: str, status: int, error: type[Exception], code: str
) -> None:
    told = meaning(answer((recorded / f"{name}_response.json").read_bytes(), status))
    assert type(told) is error
    assert getattr(told, "code", None) == code


def test_errors_that_nobody_recorded() -> None:
    def told(status: int, code: str) -> tuple[type[Any], str | None]:
        error = meaning(answer(orjson.dumps([{"message": "m", "errorCode": code}]), status))
        return type(error), error.code if error else None

    assert told(403, "REQUEST_LIMIT_EXCEEDED") == (TryLater, "REQUEST_LIMIT_EXCEEDED")
    assert told(403, "API_DISABLED_FOR_ORG") == (SignInAgain, "API_DISABLED_FOR_ORG")
    assert told(400, LOST_LOCATOR) == (Rejected, LOST_LOCATOR)
    assert told(503, "SERVER_UNAVAILABLE") == (TryLater, "SERVER_UNAVAILABLE")
    assert meaning(answer(b"{}")) is None
    assert type(meaning(answer(b"<html>", 502))) is TryLater


@pytest.mark.needs_shared
def test_recorded_deletions_are_told(recorded: Path) -> None:
    """Our sandbox answers with what was recorded, and the source tells it."""
    told = orjson.loads((recorded / "get_deleted_success_response.json").read_bytes())
    [gone] = told["deletedRecords"]
    at = datetime.fromisoformat(gone["deletedDate"])
    clock = Clock(datetime(2013, 5, 8, 21, 20, tzinfo=UTC))
    org = Org(clock)
    org.purged.append(("Contact", gone["id"], at))
    with running({"sf": serving(org, Faults())}) as urls:
        source = source_of(urls["sf"], clock)
        window = Window(since=datetime(2013, 5, 7, tzinfo=UTC), until=clock.now)
        assert object_read(source, "contact", window).ids("contact") == ["a00D0000008pQRAIA2"]


@pytest.fixture
def reader() -> Iterator[tuple[Any, Org]]:
    """simple-salesforce, signed in to the sandbox. It builds addresses with https, so they are set afterwards."""
    if importlib.util.find_spec("simple_salesforce") is None:
        pytest.skip("simple-salesforce is not installed (pip install simple-salesforce)")
    from simple_salesforce import Salesforce  # type: ignore[import-not-found,import-untyped,unused-ignore]

    org = fixture_org(Clock())
    with running({"sf": serving(org, Faults())}) as urls:
        client = Salesforce(instance_url=urls["sf"], session_id=org.issue_token(), version="62.0")
        client.base_url = f"{urls['sf']}/services/data/v62.0/"
        client.bulk2_url = f"{urls['sf']}/services/data/v62.0/jobs/"

        def more(path: str, identifier_is_url: bool = False, **kwargs: Any) -> Any:
            del identifier_is_url, kwargs
            result = client._call_salesforce("GET", urls["sf"] + path)
            return client.parse_result_to_json(result)

        client.query_more = more
        yield client, org


def test_simple_salesforce_reads_our_pages(reader: tuple[Any, Org]) -> None:
    client, org = reader
    text = "SELECT Id, LastName, Account.Name FROM Contact WHERE LastName != null ORDER BY Id"
    alive = [dict(each) for each in client.query_all_iter(text)]
    every = list(client.query_all_iter(text, include_deleted=True))
    assert {each["Id"] for each in alive} == {each["Id"] for each in org.all("Contact") if not each.get("IsDeleted")}
    assert len(every) == 5
    assert {each["Id"]: each["LastName"] for each in alive}[NULL] == "Null"
    assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 3
    assert client.api_usage["api-usage"].total == org.allowance


def test_simple_salesforce_describes_gets_and_lists_deletions(reader: tuple[Any, Org]) -> None:
    client, org = reader
    contact = client.Contact
    contact.base_url = f"{client.base_url}sobjects/Contact/"
    assert "MailingStreet" in {each["name"] for each in contact.describe()["fields"]}
    assert contact.get(ANA)["LastName"] == "Muster"
    org.purge("Contact", NULL)
    span = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC))
    assert [each["id"] for each in contact.deleted(*span)["deletedRecords"]] == [NULL]


def test_simple_salesforce_reads_our_bulk_jobs_to_the_end(reader: tuple[Any, Org]) -> None:
    client, org = reader
    from simple_salesforce.bulk2 import SFBulk2Type  # type: ignore[import-not-found,import-untyped,unused-ignore]

    org.looks_until_complete = 1
    bulk = SFBulk2Type("Contact", client.bulk2_url, client.headers, client.session)
    pages = list(bulk.query("SELECT Id, LastName FROM Contact ORDER BY Id", max_records=1, wait=0))
    assert len(pages) == 3
    assert sum(page.count("\n") - 1 for page in pages) == 3


def test_simple_salesforce_understands_our_errors(reader: tuple[Any, Org]) -> None:
    client, org = reader
    from simple_salesforce import exceptions  # type: ignore[import-not-found,import-untyped,unused-ignore]

    with pytest.raises(exceptions.SalesforceMalformedRequest):
        client.query("SELECT Nothing FROM Contact")
    org.used = org.allowance
    with pytest.raises(exceptions.SalesforceRefusedRequest):
        client.query("SELECT Id FROM Contact")
    org.end_all_sessions()
    with pytest.raises(exceptions.SalesforceExpiredSession):
        client.query("SELECT Id FROM Contact")
    assert sandbox.CLIENT_SECRET not in str(client.headers)
