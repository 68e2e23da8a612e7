"""A small Magento installation for the conformance suite: several pages of everything, one payload of each kind spoilt.

Three customers, and seven orders, changed within the same second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.magento import sandbox_payloads as made
from connectors.magento.sandbox import serving, site
from connectors.magento.sandbox_auth import CONSUMER_SECRET, TOKEN, TOKEN_SECRET
from connectors.magento.sandbox_payloads import Paid, Sold
from connectors.magento.sandbox_shop import Shop
from connectors.magento.source import Settings, connect
from connectors.sandbox.server import running
from models.landing import Window
from tests.connectors.conformance import Delta, Scenario, Stage, Stand

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CUT = datetime(2026, 3, 1, tzinfo=UTC)
CUSTOMERS, ORDERS, FOLLOWING = 23, 31, 11
SPOILT_CUSTOMER, SPOILT_ORDER, SPOILT_INVOICE = 8, 105, 3
SINCE, UNTIL = BEGIN + timedelta(hours=10), BEGIN + timedelta(hours=20)
PAGE = 5


def hour(number: int) -> datetime:
    return BEGIN + timedelta(hours=number)


def changed(number: int) -> datetime:
    """Customer, order (less 100), invoice, shipment and credit memo n changed n hours after BEGIN, 12 to 18 at once."""
    return hour(12 if 12 <= number <= 18 else number)


def world() -> Shop:
    shop = Shop(store_views={1: 1, 2: 1, 3: 2})
    for number in range(1, CUSTOMERS + 1):
        shop.customers[number] = customer(number)
    for number in range(1, ORDERS + 1):
        shop.orders[100 + number] = order(100 + number, changed(number))
    for number in range(1, FOLLOWING + 1):
        _follow(shop, number, shop.orders[100 + number])
    shop.customers[SPOILT_CUSTOMER]["created_at"] = "the day before yesterday"
    shop.orders[SPOILT_ORDER]["grand_total"] = "a lot"
    shop.invoices[SPOILT_INVOICE]["order_currency_code"] = "money"
    return shop


def customer(number: int) -> made.Payload:
    address = made.customer_address(
        firstname=f"Given{number}",
        lastname=f"Family{number}",
        street=[f"{number} Lantern Street"],
        city="Bristol",
        postcode=f"BS{number} 1AA",
        country_id="GB",
        telephone=f"0117 496 00{number:02d}",
    )
    return made.customer(
        number,
        created=BEGIN,
        updated=changed(number),
        email=f"shopper{number}@mail.example",
        firstname=f"Given{number}",
        lastname=f"Family{number}",
        gender=number % 3 + 1,
        dob="1980-02-03",
        website_id=1 if number % 2 else 2,
        store_id=1 if number % 2 else 3,
        addresses=[address],
        attributes={"loyalty_number": f"LC-{number:06d}", "loyalty_tier": "gold", "shoe_size": "38"},
        subscribed=number % 2 == 0,
    )


def order(number: int, at: datetime) -> made.Payload:
    guest = number % 3 == 0
    billing = made.order_address(
        "billing",
        email=f"buyer{number}@mail.example",
        firstname=f"Given{number}",
        lastname=f"Family{number}",
        street=[f"{number} Lantern Street"],
        city="Bristol",
        postcode="BS1 1AA",
        country_id="GB",
    )
    sold = [
        Sold("SKU-1", "Kettle", 1, Decimal("33.53"), tax=Decimal("6.37"), percent=Decimal(19)),
        Sold(
            "SKU-2-M", "Shirt", 4, Decimal("4.20"), tax=Decimal("2.81"), discount=Decimal(2), percent=Decimal(19),
            option="M",
        ),
    ]  # fmt: skip
    return made.order(
        number,
        created=at,
        updated=at,
        currency="GBP",
        billing=billing,
        sold=sold,
        customer_id=None if guest else number - 100,
        store_id=number % 3 + 1,
        paid=Paid("checkmo", reference=f"T-{number}"),
        shipping_cost=Decimal("4.95"),
        coupon="SPRING",
        extension={"loyalty_number": f"LC-{number:06d}", "loyalty_points_earned": 62},
    )


def _follow(shop: Shop, number: int, of: made.Payload) -> None:
    at = changed(number)
    shop.invoices[number] = made.invoice(of, number, at=at, amount=of["grand_total"])
    shop.shipments[number] = made.shipment(of, number, at=at, title="DHL", track=f"JJD{number}", carrier="dhl")
    shirt = of["items"][1]["item_id"]
    shop.creditmemos[number] = made.creditmemo(
        of, number, at=at, amount=Decimal("5.2025"), quantities={shirt: 1}, comment="too small"
    )
    shop.transactions[number] = made.transaction(of, number, at=at)
    shop.returns[number] = made.return_request(of, number, at=at, quantities={shirt: 1})


def arm(shop: Shop) -> None:
    """While pages are read: things on earlier and on later pages change, and one is added."""
    steps = {"/customers/search": _customers_change, "/orders": _orders_change, "/shipments": _shipments_change}
    seen: dict[str, int] = {}

    def before(path: str) -> None:
        seen[path] = seen.get(path, 0) + 1
        if seen[path] == 3 and path in steps:
            steps[path](shop)

    shop.before_answer = before


def _customers_change(shop: Shop) -> None:
    for number in (1, 2, 3, CUSTOMERS):
        shop.edit_customer(number, CUT + timedelta(minutes=number), lastname="Lantern")
    shop.customers[500] = {**customer(50), "id": 500, "updated_at": CUT + timedelta(hours=1)}


def _orders_change(shop: Shop) -> None:
    for number in (101, 102, 103, 100 + ORDERS):
        shop.edit_order(number, CUT + timedelta(minutes=number), status="canceled", state="canceled")
    shop.orders[900] = order(900, CUT + timedelta(hours=2))


def _shipments_change(shop: Shop) -> None:
    for number in (1, FOLLOWING):
        shop.shipments[number].update(updated_at=CUT + timedelta(minutes=number), tracks=[])


def vanish(shop: Shop) -> dict[str, frozenset[str]]:
    """One record of each object is deleted; gives their ids."""
    shop.remove_customer(4)
    gone = {"order": 130, "invoice": 9, "shipment": 10, "creditmemo": 11, "transaction": 2, "return": 5}
    for name, number in gone.items():
        shop.remove(name, number)
    return {name: frozenset({str(number)}) for name, number in {"customer": 4, **gone}.items()}


def settings(base_url: str, **chosen: Any) -> Settings:
    usual = {**site(base_url), "page_size": PAGE, "parallel": 2}
    return Settings.model_validate({**usual, **chosen})


@contextmanager
def stand(stage: Stage) -> Iterator[Stand]:
    app = serving(world(), stage.faults)
    with running({"magento": app}) as urls:
        source = connect(settings(urls["magento"]), clock=stage.time.clock, sleep=stage.time.sleep)
        shop = app.state.shop
        yield Stand(source, asked=lambda: shop.asked, disturb=lambda: arm(shop), vanish=lambda: vanish(shop))


def ids(numbers: range, *, without: int = 0) -> frozenset[str]:
    return frozenset(str(number) for number in numbers if number != without)


def scenario() -> Scenario:
    following = ids(range(1, FOLLOWING + 1))
    nothing: frozenset[str] = frozenset()
    return Scenario(
        vendor="magento",
        stand=stand,
        cut=CUT,
        expected={
            "customer": ids(range(1, CUSTOMERS + 1), without=SPOILT_CUSTOMER),
            "order": ids(range(101, 101 + ORDERS), without=SPOILT_ORDER),
            "invoice": ids(range(1, FOLLOWING + 1), without=SPOILT_INVOICE),
            "shipment": following,
            "creditmemo": following,
            "transaction": following,
            "return": following,
        },
        refused={
            "customer": frozenset({str(SPOILT_CUSTOMER)}),
            "order": frozenset({str(SPOILT_ORDER)}),
            "invoice": frozenset({str(SPOILT_INVOICE)}),
            "shipment": nothing,
            "creditmemo": nothing,
            "transaction": nothing,
            "return": nothing,
        },
        delta=Delta(
            Window(since=SINCE, until=UNTIL),
            {
                "customer": ids(range(10, 20)),
                "order": ids(range(110, 120)),
                "invoice": ids(range(10, FOLLOWING + 1)),
                "shipment": ids(range(10, FOLLOWING + 1)),
                "creditmemo": ids(range(10, FOLLOWING + 1)),
                "transaction": ids(range(10, FOLLOWING + 1)),
                "return": following,  # changes have no date: all that were asked for in the last weeks
            },
        ),
        faults={
            "throttled": 0.05,
            "firewall": 0.03,
            "challenged": 0.03,
            "failing": 0.03,
            "unavailable": 0.04,
            "dropped": 0.05,
            "hung_up": 0.05,
            "slow": 0.02,
        },
        secrets=(TOKEN, TOKEN_SECRET, CONSUMER_SECRET),
    )
