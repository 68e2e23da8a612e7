"""The sandbox answers as commercetools does, as far as its contract is written down."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from connectors.commercetools import sandbox
from connectors.commercetools.sandbox_shop import TOKEN_SECONDS, Shop
from connectors.sandbox.faults import Faults
from connectors.sandbox.server import running
from tests.connectors.commercetools.contract import violations
from tests.connectors.commercetools.project import Clock, crowded_shop, fixture_shop, resources

LISTS = {
    "customers": "CustomerPagedQueryResponse",
    "orders": "OrderPagedQueryResponse",
    "payments": "PaymentPagedQueryResponse",
    "stores": "StorePagedQueryResponse",
    "customer-groups": "CustomerGroupPagedQueryResponse",
}


@dataclass
class Visitor:
    """An API client with a token."""

    http: httpx.Client
    shop: Shop
    clock: Clock

    def sign_in(self, scope: str = "manage_project:sandbox", secret: str = sandbox.CLIENT_SECRET) -> httpx.Response:
        form = {"grant_type": "client_credentials", "scope": scope}
        return self.http.post("/oauth/token", data=form, auth=(sandbox.CLIENT_ID, secret))

    def use(self, scope: str = "manage_project:sandbox") -> None:
        self.http.headers["Authorization"] = f"Bearer {self.sign_in(scope).json()['access_token']}"

    def get(self, path: str, *params: tuple[str, str | int]) -> httpx.Response:
        return self.http.get(f"/sandbox/{path}", params=httpx.QueryParams(list(params)))

    def post(self, path: str, body: object) -> httpx.Response:
        return self.http.post(f"/sandbox/{path}", json=body)

    def act(self, path: str, version: int, *actions: dict[str, Any]) -> httpx.Response:
        return self.post(path, {"version": version, "actions": list(actions)})


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    clock = Clock()
    yield from _visit(fixture_shop(clock), clock)


@pytest.fixture
def crowd() -> Iterator[Visitor]:
    clock = Clock()
    yield from _visit(crowded_shop(clock, 60), clock)


def _visit(shop: Shop, clock: Clock) -> Iterator[Visitor]:
    served = {"shop": sandbox.serving(shop, Faults())}
    with running(served) as urls, httpx.Client(base_url=urls["shop"], trust_env=False) as http:
        visitor = Visitor(http, shop, clock)
        visitor.use()
        yield visitor


def code(answer: httpx.Response) -> tuple[int, str]:
    told = answer.json()
    assert told["statusCode"] == answer.status_code
    return answer.status_code, told["errors"][0]["code"]


@pytest.mark.needs_shared
@pytest.mark.parametrize(("path", "schema"), LISTS.items())
def test_lists_and_their_members_follow_the_vendors_openapi(visitor: Visitor, path: str, schema: str) -> None:
    told = visitor.get(path, ("limit", 500)).json()
    assert told["count"] == len(resources(path))
    assert violations(schema, told) == []


@pytest.mark.needs_shared
def test_expanded_orders_still_follow_the_vendors_openapi(visitor: Visitor) -> None:
    told = visitor.get("orders", ("expand", "paymentInfo.payments[*]"), ("expand", "customerGroup")).json()
    payments = [each for order in told["results"] for each in order.get("paymentInfo", {}).get("payments", [])]
    assert {each["obj"]["id"] for each in payments} == {each["id"] for each in payments}
    assert violations("OrderPagedQueryResponse", told) == []


@pytest.mark.needs_shared
def test_errors_follow_the_vendors_openapi(visitor: Visitor) -> None:
    wrong = [
        visitor.get("customers", ("limit", 501)),
        visitor.get("customers/unknown"),
        visitor.get("unknown"),
    ]
    visitor.shop.revoke_all()
    wrong.append(visitor.get("customers"))
    for answer in wrong:
        assert violations("ErrorResponse", answer.json()) == []


@pytest.mark.needs_shared
def test_a_conflict_follows_the_vendors_openapi(visitor: Visitor) -> None:
    answer = visitor.act(f"customers/{resources('customers')[0]['id']}", 1)
    (error,) = answer.json()["errors"]
    # The contract calls this field a whole number and, as any further field of an error, a text: it cannot be both.
    assert error.pop("currentVersion") == 7
    assert violations("ConcurrentModificationError", error) == []


def test_a_token_has_an_end(visitor: Visitor) -> None:
    told = visitor.sign_in().json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", TOKEN_SECONDS)
    assert visitor.get("customers").status_code == 200
    visitor.clock.sleep(TOKEN_SECONDS)
    answer = visitor.get("customers")
    assert code(answer) == (401, "invalid_token")
    assert answer.json()["error"] == "invalid_token"


def test_wrong_credentials_scopes_and_grants_are_refused(visitor: Visitor) -> None:
    assert code(visitor.sign_in(secret="wrong")) == (401, "invalid_client")
    assert code(visitor.sign_in("view_customers:other")) == (400, "invalid_scope")
    visitor.use("view_orders:sandbox")
    assert code(visitor.get("customers")) == (403, "insufficient_scope")
    assert visitor.get("orders").status_code == 200


@pytest.mark.parametrize(
    "param",
    [
        ("limit", 501),
        ("limit", -1),
        ("limit", "abc"),
        ("offset", 10_001),
        ("where", 'nickname = "x"'),
        ("where", "email ="),
        ("sort", "nickname asc"),
        ("sort", "email upwards"),
    ],
)
def test_malformed_parameters_are_a_400(visitor: Visitor, param: tuple[str, str | int]) -> None:
    assert code(visitor.get("customers", param)) == (400, "InvalidInput")


def test_twenty_are_shown_unless_told_otherwise(crowd: Visitor) -> None:
    told = crowd.get("customers").json()
    assert (told["limit"], told["offset"], told["count"], told["total"]) == (20, 0, 20, 60)
    assert "total" not in crowd.get("customers", ("withTotal", "false")).json()
    assert crowd.get("customers", ("limit", 0)).json()["results"] == []


def test_without_a_sort_the_order_is_never_the_same(crowd: Visitor) -> None:
    looks = [tuple(each["id"] for each in crowd.get("customers").json()["results"]) for _ in range(4)]
    assert len(set(looks)) > 1


def test_equals_of_a_sort_change_places(crowd: Visitor) -> None:
    looks = [crowd.get("customers", ("sort", "lastModifiedAt asc")).json()["results"] for _ in range(6)]
    assert len({tuple(each["id"] for each in look) for look in looks}) > 1
    times = [each["lastModifiedAt"] for each in looks[0]]
    assert times == sorted(times)


def test_several_sorts_and_wheres_work_together(crowd: Visitor) -> None:
    found = crowd.get(
        "customers",
        *(("sort", "lastModifiedAt desc"), ("sort", "id asc"), ("limit", 500)),
        *(("where", 'lastModifiedAt >= "2026-01-01T00:00:00.002Z"'), ("where", 'email != "customer20@example.com"')),
    ).json()["results"]
    keys = [(each["lastModifiedAt"], each["id"]) for each in found]
    assert len(keys) == 60 - 14 - 1
    by_id = sorted(keys, key=lambda key: key[1])
    assert keys == sorted(by_id, key=lambda key: key[0], reverse=True)


def test_two_stores_hold_the_same_mailbox(visitor: Visitor) -> None:
    told = visitor.get("customers", ("where", 'lowercaseEmail = "familie.kruse@example.de"')).json()["results"]
    assert {each["stores"][0]["key"] for each in told} == {"harbour-de", "outlet-de"}
    assert "lowercaseEmail" not in told[0]


def test_a_mailbox_is_unique_in_its_store_whatever_its_case(visitor: Visitor) -> None:
    draft = {"email": "FAMILIE.KRUSE@example.de", "stores": [{"typeId": "store", "key": "harbour-de"}]}
    assert code(visitor.post("customers", draft)) == (400, "DuplicateField")
    elsewhere = draft | {"stores": [{"typeId": "store", "key": "linden-lv"}]}
    assert visitor.post("customers", elsewhere).status_code == 201


def test_a_custom_field_is_written_once_a_type_is_set(visitor: Visitor) -> None:
    path = f"customers/{resources('customers')[1]['id']}"
    field = {"action": "setCustomField", "name": "loyaltyNumber", "value": "LC9"}
    assert code(visitor.act(path, 1, field)) == (400, "InvalidOperation")
    typed = {"action": "setCustomType", "type": {"typeId": "type", "key": "retail"}}
    written = visitor.act(path, 1, typed, field).json()
    assert (written["version"], written["custom"]["fields"]) == (2, {"loyaltyNumber": "LC9"})
    assert written["lastModifiedAt"] > resources("customers")[1]["lastModifiedAt"]
    found = visitor.get("customers", ("where", 'custom(fields(loyaltyNumber = "LC9"))')).json()["results"]
    assert [each["id"] for each in found] == [written["id"]]


def test_a_stale_version_is_refused_with_the_current_one(visitor: Visitor) -> None:
    answer = visitor.act(
        f"customers/{resources('customers')[0]['id']}", 1, {"action": "setFirstName", "firstName": "X"}
    )
    assert code(answer) == (409, "ConcurrentModification")
    assert answer.json()["errors"][0]["currentVersion"] == 7


def test_an_update_that_changes_nothing_makes_no_version(visitor: Visitor) -> None:
    same = {"action": "setFirstName", "firstName": "Jens"}
    assert visitor.act(f"customers/{resources('customers')[1]['id']}", 1, same).json()["version"] == 1


def test_a_refused_action_leaves_no_trace(visitor: Visitor) -> None:
    path = f"customers/{resources('customers')[1]['id']}"
    wrong = visitor.act(path, 1, {"action": "setFirstName", "firstName": "X"}, {"action": "fly"})
    assert code(wrong) == (400, "InvalidJsonInput")
    assert visitor.get(path).json() == resources("customers")[1]


def test_a_refund_moves_the_payment_and_not_the_order(visitor: Visitor) -> None:
    order, payment = resources("orders")[0], resources("payments")[0]
    amount = {"currencyCode": "EUR", "centAmount": 500}
    refund = {"type": "Refund", "state": "Success", "amount": amount}
    added = {"action": "addTransaction", "transaction": refund}
    told = visitor.act(f"payments/{payment['id']}", payment["version"], added).json()
    assert told["transactions"][-1]["amount"]["fractionDigits"] == 2
    assert told["lastModifiedAt"] > payment["lastModifiedAt"]
    assert visitor.get(f"orders/{order['id']}").json() == order


def test_a_deleted_customer_is_gone_without_a_trace(visitor: Visitor) -> None:
    path = f"customers/{resources('customers')[1]['id']}"
    assert visitor.http.delete(f"/sandbox/{path}", params={"version": 9}).status_code == 409
    assert visitor.http.delete(f"/sandbox/{path}", params={"version": 1, "dataErasure": "true"}).status_code == 200
    assert code(visitor.get(path)) == (404, "ResourceNotFound")


def test_a_customer_can_be_found_by_key(visitor: Visitor) -> None:
    assert visitor.get("customers/key=anna-1").json()["id"] == resources("customers")[0]["id"]
