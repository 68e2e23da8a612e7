"""Our requests and the stand-in's answers against the contract as it is written down."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from connectors.aptos import sandbox
from connectors.aptos.destination import AptosDestination, read_map
from connectors.operations import Operations
from connectors.payload import parsed
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from models.ports import Message
from models.profiles import ProfileDocument

pytestmark = pytest.mark.needs_shared

SHARED = Path(os.environ.get("SHARED_DIR", Path(__file__).parents[4] / "shared"))
CONTRACT = SHARED / "contracts" / "aptos" / "aptos_profile_v0.openapi.yaml"
NOBODY: Any = None
SCHEMAS = {"customer": "Customer", "transaction": "Transaction", "loyalty": "LoyaltyAccount"}


@pytest.fixture(scope="session")
def contract() -> dict[str, Any]:
    if not CONTRACT.exists():
        pytest.skip("the contract lies beside the project and is not here (set SHARED_DIR)")
    told: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    return told


def problems(contract: dict[str, Any], pointer: str, value: object) -> list[str]:
    """What is wrong with the value by the schema at this pointer."""
    registry = Registry().with_resource("urn:contract", Resource.opaque(contract))
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": f"urn:contract#{pointer}"}
    validator = Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def messages(documents: dict[str, ProfileDocument]) -> list[Message]:
    operations: Operations = NOBODY
    destination = AptosDestination(read_map(), operations)
    return [message for document in documents.values() for message in destination.render(document)]


def test_every_payload_is_what_the_contract_says(
    contract: dict[str, Any], documents: dict[str, ProfileDocument]
) -> None:
    for message in messages(documents):
        pointer = f"/components/schemas/{SCHEMAS[message.object]}"
        assert problems(contract, pointer, parsed(message.payload)) == []


def test_a_wrong_payload_would_be_noticed(contract: dict[str, Any], documents: dict[str, ProfileDocument]) -> None:
    loyalty = parsed(messages(documents)[-2].payload) | {"pointsBalance": -1}
    assert problems(contract, "/components/schemas/LoyaltyAccount", loyalty) != []


def test_the_stand_in_answers_as_the_contract_says(
    contract: dict[str, Any], documents: dict[str, ProfileDocument]
) -> None:
    written = "/components/responses/Written/content/application~1json/schema"
    problem = "/components/responses/Problem/content/application~1problem+json/schema"
    changes = "/paths/~1changes~1{object}/get/responses/200/content/application~1json/schema"
    found = "/paths/~1customers/get/responses/200/content/application~1json/schema"
    account = "/paths/~1loyalty~1accounts~1{accountId}/get/responses/200/content/application~1json/schema"
    with running({"aptos": sandbox.app(None, Faults())}) as urls, httpx.Client(base_url=urls["aptos"]) as client:
        basic = (sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
        token = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=basic).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        operations = {one: read_map().operations[one] for one in ("customer.upsert", "transaction.put", "loyalty.put")}
        for message in messages(documents):
            path = next(one.path for name, one in operations.items() if name.startswith(message.object))
            answer = client.put(f"{path.partition('{')[0]}{message.target_key}", content=message.payload.encode())
            assert answer.status_code in (200, 201)
            assert problems(contract, written, answer.json()) == []
        for object_ in ("customers", "transactions", "loyalty_accounts"):
            page = client.get(f"/changes/{object_}", params={"limit": 1}).json()
            assert problems(contract, changes, page) == []
            assert len(page["items"]) == 1
        assert (
            problems(contract, found, client.get("/customers", params={"email": "testa.fixture@example.com"}).json())
            == []
        )
        assert problems(contract, account, client.get("/loyalty/accounts/LC-0000456").json()) == []
        for answer in (
            client.get("/customers/nobody"),
            client.put("/customers/by-key/golden/P-1", json={"birthDate": "yesterday"}),
            client.put("/transactions/0147/3/2026-03-14/8801", json={"type": "sale"}),
            client.put("/customers/by-key/golden/P-1", json={}, headers={"Authorization": "Bearer nobody"}),
        ):
            assert answer.status_code >= 400
            assert answer.headers["content-type"] == "application/problem+json"
            assert problems(contract, problem, answer.json()) == []
