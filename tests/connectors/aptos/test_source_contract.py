"""What the stand-in's feed tells is what the contract's schemas say, so that we do not read only ourselves."""

from pathlib import Path
from typing import Any

import pytest

from connectors.aptos import sandbox
from connectors.aptos.sandbox_feed import page
from connectors.sandbox.faults import Faults
from connectors.sandbox.population import PopulationSpec, read, write
from tests.connectors.aptos.test_contract import contract, problems

__all__ = ["contract"]
pytestmark = pytest.mark.needs_shared

SCHEMAS = {
    "customers": "Customer",
    "transactions": "Transaction",
    "loyalty_accounts": "LoyaltyAccount",
    "loyalty_entries": "LoyaltyEntry",
    "interactions": "Interaction",
}


@pytest.mark.parametrize("feed", SCHEMAS)
def test_every_item_of_the_feed_is_what_the_contract_says(feed: str, contract: dict[str, Any], tmp_path: Path) -> None:
    write(PopulationSpec(people=80, seed=2, systems=("bigcommerce", "pos", "aptos")), tmp_path)
    shop = sandbox.app(read(tmp_path), Faults()).state.shop
    answer = page(shop, feed, {"limit": "1000"}).body
    schema = "/paths/~1changes~1{object}/get/responses/200/content/application~1json/schema"
    assert problems(contract, schema, answer) == []
    assert len(answer["items"]) > 3
    for item in answer["items"]:
        assert problems(contract, f"/components/schemas/{SCHEMAS[feed]}", item) == []
