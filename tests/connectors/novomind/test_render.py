"""What is rendered for the service desk: pure, within tenants, bounded and masked."""

import random
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.novomind.destination import NovomindDestination, read_map
from connectors.operations import Operations
from connectors.payload import parsed
from models.profiles import AttachedOrder, ProfileDocument

FIXTURES = Path(__file__).parents[3] / "data" / "fixtures" / "novomind"
BY_BRAND = FIXTURES / "renamed.toml"
NOBODY: Any = None


@cache
def rendering(path: Path | None = None) -> NovomindDestination:
    """Rendering asks nobody, so there is nobody to ask."""
    operations: Operations = NOBODY
    return NovomindDestination(read_map(path), operations)


def contact(document: ProfileDocument) -> dict[str, Any]:
    (message,) = rendering().render(document)
    told: dict[str, Any] = parsed(message.payload)["contact"]
    return told


def test_the_messages_of_the_fixtures_are_these(documents: dict[str, ProfileDocument]) -> None:
    told = {
        name: [
            message.model_dump(mode="json") | {"payload": parsed(message.payload)}
            for message in rendering().render(document)
        ]
        for name, document in documents.items()
    }
    assert told == orjson.loads((FIXTURES / "messages.json").read_bytes())


@given(seed=st.integers(0, 10_000), path=st.sampled_from([None, BY_BRAND]))
def test_the_order_in_which_a_profile_is_told_does_not_matter(seed: int, path: Path | None) -> None:
    told = orjson.loads((FIXTURES / "documents.json").read_bytes())["member"]
    document, shuffled = ProfileDocument.model_validate(told), ProfileDocument.model_validate(_shuffled(told, seed))
    assert rendering(path).render(document) == rendering(path).render(shuffled)


def _shuffled(value: Any, seed: int) -> Any:
    draw = random.Random(seed)
    if isinstance(value, dict):
        return {key: _shuffled(value[key], seed) for key in draw.sample(sorted(value), len(value))}
    return [_shuffled(item, seed) for item in draw.sample(value, len(value))] if isinstance(value, list) else value


SECRETS = ("1984", "Hidden Street", "Sample Row", "TENDER-REF-1", "internal_risk", "birth")


@pytest.mark.parametrize("path", [None, BY_BRAND])
@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_masked_never_leaves(documents: dict[str, ProfileDocument], path: Path | None, secret: str) -> None:
    assert any(secret in document.model_dump_json() for document in documents.values())
    for document in documents.values():
        assert not any(secret in message.payload for message in rendering(path).render(document))


def test_the_address_is_city_and_postcode(member: ProfileDocument) -> None:
    custom = contact(member)["custom"]
    assert (custom["city"], custom["postalCode"]) == ("Exampleton", "ZZ9 9ZZ")


def test_a_masked_email_does_not_come_back_as_the_name(tmp_path: Path, guest: ProfileDocument) -> None:
    path = tmp_path / "fieldmap.toml"
    ours = (Path(__file__).parents[3] / "connectors" / "novomind" / "fieldmap.toml").read_text(encoding="utf-8")
    path.write_text(ours.replace('email = "full"', 'email = "drop"'), encoding="utf-8")
    nameless = guest.profile.model_copy(update={"given_name": None, "family_name": None})
    (message,) = rendering(path).render(guest.model_copy(update={"profile": nameless}))
    assert "joerg.beispiel" not in message.payload
    assert parsed(message.payload)["contact"]["name"] == "P-000002"


def test_a_brand_is_told_to_its_own_tenant_only(member: ProfileDocument, guest: ProfileDocument) -> None:
    tenants = {message.target_key: message.payload for message in rendering(BY_BRAND).render(member)}
    assert set(tenants) == {"TENANT_A/P-000001", "TENANT_B/P-000001"}
    assert "W-5512" in tenants["TENANT_A/P-000001"]
    assert "W-5512" not in tenants["TENANT_B/P-000001"]
    assert "brand_b" not in tenants["TENANT_A/P-000001"]
    assert "brand_a" not in tenants["TENANT_B/P-000001"]
    assert [message.target_key for message in rendering(BY_BRAND).render(guest)] == ["TENANT_B/P-000002"]


def test_a_brand_without_a_tenant_is_told_to_nobody(guest: ProfileDocument) -> None:
    order = guest.orders[0].order.model_copy(update={"brand": "brand_z"})
    stranger = guest.model_copy(
        update={
            "profile": guest.profile.model_copy(update={"brand": "brand_z"}),
            "orders": (guest.orders[0].model_copy(update={"order": order}),),
            "consents": (),
        }
    )
    assert rendering(BY_BRAND).render(stranger) == []
    assert len(rendering().render(stranger)) == 1


def _many(document: ProfileDocument, orders: int, lines: int) -> ProfileDocument:
    one = document.orders[1]
    line = one.order.lines[0]
    parts = tuple(line.model_copy(update={"line_id": str(n)}) for n in range(lines))
    attached = tuple(
        AttachedOrder(
            record=f"bigcommerce:order:{n}",
            order=one.order.model_copy(
                update={"number": f"N{n}", "lines": parts, "placed_at": one.order.placed_at.replace(year=1990 + n)}
            ),
        )
        for n in range(orders)
    )
    return document.model_copy(update={"orders": attached})


def test_orders_and_lines_are_bounded_and_the_newest_are_kept(member: ProfileDocument) -> None:
    custom = contact(_many(member, orders=30, lines=60))["custom"]
    assert [order["number"] for order in custom["orders"]] == [f"N{n}" for n in range(29, 9, -1)]
    assert {len(order["lines"]) for order in custom["orders"]} == {50}
    assert custom["ordersTruncated"] is True
    assert custom["orders"][0]["linesTruncated"] is True
    assert custom["lastOrderNumber"] == "N29"


def test_few_orders_are_told_in_full(member: ProfileDocument) -> None:
    custom = contact(member)["custom"]
    assert (len(custom["orders"]), custom["ordersTruncated"]) == (2, False)


def test_texts_are_bounded(member: ProfileDocument) -> None:
    web = member.orders[1]
    order = web.order.model_copy(update={"status": "x" * 5000})
    custom = contact(member.model_copy(update={"orders": (web.model_copy(update={"order": order}),)}))["custom"]
    assert len(custom["orders"][0]["status"]) == 2000


def test_a_refusal_is_always_told(member: ProfileDocument) -> None:
    told = {
        document: message.payload
        for document in ("A", "B")
        for message in rendering(BY_BRAND).render(member)
        if f"TENANT_{document}" in message.target_key
    }
    assert "sms/brand_a: opt_out" in told["A"]
    assert "email/brand_b: opt_out" in told["B"]


def test_an_agent_sees_what_an_order_needs_at_a_desk(member: ProfileDocument) -> None:
    order = contact(member)["custom"]["orders"][1]
    assert (order["status"], order["payment"], order["total"]) == (
        "Shipped",
        "part_refunded",
        {"amount": "89.90", "currency": "GBP"},
    )
    assert order["shipping"] == {
        "method": "standard",
        "tracking": [{"carrier": "EX", "number": "EX123", "status": "shipped"}],
    }
    assert [returned["number"] for returned in order["returns"]] == ["RMA-7"]
    assert [refund["amount"] for refund in order["refunds"]] == ["34.90"]
