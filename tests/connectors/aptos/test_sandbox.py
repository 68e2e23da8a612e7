"""The CRM's stand-in keeps the contract's promises, also towards somebody who is not us."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.aptos import sandbox
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running

KEY = {"Idempotency-Key": "k-1"}
CUSTOMER = "/customers/by-key/golden/P-1"
SALE = {
    "type": "sale",
    "status": "finished",
    "occurredAt": "2026-03-14T17:01:45Z",
    "currency": "GBP",
    "lines": [],
    "customerKey": {"system": "golden", "value": "P-1"},
}


@pytest.fixture
def crm() -> Iterator[httpx.Client]:
    app = sandbox.app(None, Faults())
    with running({"aptos": app}) as urls, httpx.Client(base_url=urls["aptos"]) as client:
        basic = (sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
        token = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=basic).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        yield client


def code(answer: httpx.Response) -> str:
    told: dict[str, Any] = answer.json()
    return str(told["type"]).rsplit("/", maxsplit=1)[-1]


def test_nobody_gets_in_without_a_token(crm: httpx.Client) -> None:
    assert crm.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=("x", "y")).status_code == 401
    assert crm.put(CUSTOMER, json={}, headers={"Authorization": "Bearer made-up"}).status_code == 401
    assert crm.get("/customers", params={"email": "a@x"}, headers={"Authorization": ""}).status_code == 401


def test_absent_is_unchanged_and_null_is_cleared(crm: httpx.Client) -> None:
    crm.put(CUSTOMER, json={"firstName": "Ana", "lastName": "Berzina"})
    crm.put(CUSTOMER, json={"lastName": None})
    (held,) = crm.get("/customers", params={"customerNumber": "A000001"}).json()["items"]
    assert held == {"customerNumber": "A000001", "status": "active", "firstName": "Ana"}


def test_a_repeated_key_has_the_same_answer_and_one_effect(crm: httpx.Client) -> None:
    first, second = (crm.put(CUSTOMER, json={"firstName": "Ana"}, headers=KEY) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content) == (201, first.content)
    assert len(crm.get("/changes/customers").json()["items"]) == 1


def test_a_repeated_key_with_something_else_is_refused(crm: httpx.Client) -> None:
    crm.put(CUSTOMER, json={"firstName": "Ana"}, headers=KEY)
    answer = crm.put(CUSTOMER, json={"firstName": "Eve"}, headers=KEY)
    assert (answer.status_code, code(answer)) == (422, "idempotency_key_reused")


def test_a_natural_key_takes_one_content(crm: httpx.Client) -> None:
    crm.put(CUSTOMER, json={})
    path = "/transactions/0147/3/2026-03-14/8801"
    answers = [crm.put(path, json=body) for body in (SALE, SALE, SALE | {"currency": "EUR"})]
    assert [answer.status_code for answer in answers] == [201, 200, 409]
    assert [answer.json()["changed"] for answer in answers[:2]] == [True, False]


def test_points_are_posted_once_and_never_below_nought(crm: httpx.Client) -> None:
    crm.put("/loyalty/accounts/L1", json={"accountId": "L1", "planKey": "MAIN", "pointsBalance": 10})
    at = {"occurredAt": "2026-03-14T17:01:45Z"}
    earn, redeem = at | {"kind": "earn", "points": 5}, at | {"kind": "redeem", "points": -16}
    path = "/loyalty/accounts/L1/entries"
    answers = [crm.put(f"{path}/e1", json=earn), crm.put(f"{path}/e1", json=earn), crm.put(f"{path}/e2", json=redeem)]
    assert [answer.status_code for answer in answers] == [201, 200, 422]
    assert code(answers[2]) == "insufficient_points"
    assert crm.put(f"{path}/e1", json=redeem).status_code == 409
    assert crm.get("/loyalty/accounts/L1").json()["pointsBalance"] == 15


def test_changes_are_read_page_by_page_and_none_twice(crm: httpx.Client) -> None:
    for number in range(5):
        crm.put(f"/customers/by-key/golden/P-{number}", json={"firstName": f"Ana {number}"})
    names, cursor, more = [], "c0", True
    while more:
        page = crm.get("/changes/customers", params={"cursor": cursor, "limit": 2}).json()
        names += [item["firstName"] for item in page["items"]]
        cursor, more = page["nextCursor"], page["hasMore"]
    assert names == [f"Ana {number}" for number in range(5)]
    assert crm.get("/changes/customers", params={"cursor": cursor}).json()["items"] == []


def test_a_merged_customer_is_gone_and_says_where_to(crm: httpx.Client) -> None:
    crm.put(CUSTOMER, json={})
    crm.put("/customers/by-key/golden/P-2", json={"status": "merged", "mergedInto": "P-1"})
    answer = crm.get("/customers/A000002")
    assert (answer.status_code, answer.json()["mergedInto"]) == (410, "P-1")


def test_an_interaction_needs_its_author_and_time(crm: httpx.Client) -> None:
    note = {"customerNumber": "A000001", "associateId": "77", "occurredAt": "2026-03-14T17:01:45Z"}
    assert crm.put("/interactions/note/n1", json=note).status_code == 201
    assert crm.put("/interactions/note/n2", json={"associateId": "77"}).status_code == 422
