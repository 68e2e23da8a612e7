"""Others as judges: recorded answers of Salesforce, and a client that others wrote, reading our sandbox."""

import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.http import Answer, Door
from connectors.salesforce import sandbox
from connectors.salesforce.answers import LOST_LOCATOR, listed, meaning
from connectors.salesforce.described import described
from connectors.salesforce.rows import flat, typed
from connectors.salesforce.sandbox import serving
from connectors.salesforce.sandbox_org import Org
from connectors.salesforce.session import by_client_credentials
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from connectors.sign_in import token_error
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
        ("upsert_error", 404, Rejected, "NOT_FOUND"),
        ("upsert_multiple_error", 300, Rejected, "300"),
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
    assert told(400, "DUPLICATE_VALUE") == (Rejected, "DUPLICATE_VALUE")
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


def served(content: bytes, status: int) -> Starlette:
    """A token server that answers with what was recorded."""

    async def token(_request: Request) -> Response:
        return Response(content, status, media_type="application/json")

    return Starlette(routes=[Route("/services/oauth2/token", token, methods=["POST"])])


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", ["auth_success", "reauth_success"])
def test_a_recorded_sign_in_tells_token_and_address(recorded: Path, name: str) -> None:
    content = (recorded / f"{name}_response.json").read_bytes()
    told = orjson.loads(content)
    with running({"sf": served(content, 200)}) as urls:
        session = by_client_credentials(door_to(urls["sf"]), "client", SecretStr("secret"))
        assert session.instance_url() == told["instance_url"] == "https://na1.salesforce.com"
        assert session.headers("GET", "", b"") == {"Authorization": f"Bearer {told['access_token']}"}


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", ["auth_error", "refresh_error"])
def test_a_recorded_refusal_of_a_sign_in_is_a_matter_for_a_person(recorded: Path, name: str) -> None:
    content = (recorded / f"{name}_response.json").read_bytes()
    with running({"sf": served(content, 400)}) as urls, pytest.raises(SignInAgain):
        by_client_credentials(door_to(urls["sf"]), "client", SecretStr("secret")).instance_url()


def door_to(url: str) -> Door:
    clock = Clock()
    return Door(url, vendor="salesforce", clock=clock, sleep=clock.sleep, classify=token_error)


def shape(told: Any) -> Any:
    """Names and kinds of values, one level deep; of a list that of its first value."""
    if isinstance(told, list):
        return [shape(told[0])] if told else []
    return {name: type(value).__name__ for name, value in told.items()} if isinstance(told, dict) else told


@pytest.mark.needs_shared
def test_our_sandbox_answers_in_the_shapes_that_were_recorded(recorded: Path) -> None:
    def was(name: str) -> Any:
        return orjson.loads((recorded / f"{name}_response.json").read_bytes())

    org = fixture_org(Clock(), page_sizes=(1,))
    org.purge("Contact", NULL)
    with running({"sf": serving(org, Faults())}) as urls, httpx.Client(base_url=urls["sf"]) as client:
        form = {"grant_type": "client_credentials", "client_id": sandbox.CLIENT_ID}
        signed = client.post("/services/oauth2/token", data={**form, "client_secret": sandbox.CLIENT_SECRET})
        client.headers["Authorization"] = f"Bearer {signed.json()['access_token']}"

        def told(path: str, **params: str) -> Any:
            return client.get(f"/services/data/{path}", params=params).json()

        root, query = "v62.0", "SELECT Id FROM Contact"
        assert shape(was("auth_success")).items() <= shape(signed.json()).items()
        refused = client.post("/services/oauth2/token", data=form).json()
        assert shape(refused) == shape(was("auth_error"))
        assert shape(told(f"{root}/query", q=query)) == shape(was("query_paginated_first_page"))
        last = told(f"{root}/query", q=f"{query} LIMIT 1")
        assert shape(last) == shape(was("query_paginated_last_page"))
        assert shape(last["records"][0]["attributes"]) == shape(was("query_success")["records"][0]["attributes"])
        span = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-11T00:00:00Z"}
        deleted = told(f"{root}/sobjects/Contact/deleted/", **span)
        assert shape(deleted) == shape(was("get_deleted_success"))
        assert shape(deleted["deletedRecords"]) == shape(was("get_deleted_success")["deletedRecords"])
        described_now, described_then = told(f"{root}/sobjects/Contact/describe"), was("sobject_describe_success")
        assert described_now.keys() <= described_then.keys()
        assert described_now["fields"][0].keys() <= described_then["fields"][0].keys()
        objects = told(f"{root}/sobjects")
        assert objects.keys() == was("list_sobjects_success").keys()
        assert objects["sobjects"][0].keys() <= was("list_sobjects_success")["sobjects"][0].keys()
        assert shape(client.get("/services/data").json()) == shape(was("services_data_success"))
        assert shape(told(f"{root}/sobjects/Nothing/describe")) == shape(was("sobject_describe_error"))
        assert shape(told(f"{root}/query", q="SELECT x FROM Contact")) == shape(was("query_error"))
        org.end_all_sessions()
        assert shape(told(f"{root}/query", q=query)) == shape(was("expired_session"))


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
