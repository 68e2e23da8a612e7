"""A small BigCommerce store for the conformance suite: several pages of everything, one payload of each kind spoilt."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pydantic import SecretStr

from connectors.bigcommerce import sandbox_payloads as made
from connectors.bigcommerce.sandbox import STORE_HASH, TOKEN, serving
from connectors.bigcommerce.sandbox_payloads import Sold
from connectors.bigcommerce.sandbox_shop import Shop
from connectors.bigcommerce.source import Settings, connect
from connectors.sandbox.server import running
from models.landing import Window
from tests.connectors.conformance import Delta, Ids, Scenario, Stage, Stand

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CUT = datetime(2026, 3, 1, tzinfo=UTC)
RATE = Decimal(19)
CUSTOMERS, ORDERS, SUBSCRIBERS, REFUNDS = 23, 31, 11, 9
SPOILT_CUSTOMER, SPOILT_ORDER = 8, 105
SINCE, UNTIL = BEGIN + timedelta(hours=10), BEGIN + timedelta(hours=20)


def hour(number: int) -> datetime:
    return BEGIN + timedelta(hours=number)


def world() -> Shop:
    """Customer n, order 100+n, subscriber n and refund n changed n hours after BEGIN (same second for 12 to 14)."""
    shop = Shop(attribute_names={1: "loyaltyNumber", 2: "loyaltyTier", 3: "loyaltyPoints", 4: "Shoe size"})
    shop.groups = {1: "Wholesale", 2: "Friends"}
    for number in range(1, CUSTOMERS + 1):
        shop.customers[number] = _customer(number)
    for number in range(1, ORDERS + 1):
        _add_order(shop, 100 + number, changed(number))
    for number in range(1, SUBSCRIBERS + 1):
        mail = f"reader{number}@letters.example"
        shop.subscribers[number] = made.subscriber(
            number, email=mail, at=hour(number), consents=["marketing_newsletter"]
        )
    for number in range(1, REFUNDS + 1):
        shop.refunds[number] = made.refund(
            number, 100 + number, created=hour(number), amount=Decimal("10.50"), reason="too small", products={1: 1}
        )
    shop.customers[SPOILT_CUSTOMER]["date_created"] = "the day before yesterday"
    shop.orders[SPOILT_ORDER]["total_inc_tax"] = "a lot"
    return shop


def changed(number: int) -> datetime:
    return hour(12 if number in {12, 13, 14} else number)


def _customer(number: int) -> made.Payload:
    address = made.customer_address(
        first_name=f"Given{number}",
        last_name=f"Family{number}",
        address1=f"{number} Lantern Street",
        city="Bristol",
        postal_code=f"BS{number} 1AA",
        country_code="GB",
        phone="0117 496 0000",
    )
    return made.customer(
        number,
        created=BEGIN,
        modified=changed(number),
        email=f"shopper{number}@mail.example",
        first_name=f"Given{number}",
        last_name=f"Family{number}",
        phone=f"0117 496 00{number:02d}",
        attributes={1: f"LC-{number:06d}", 2: "gold", 3: str(100 * number), 4: "38"},
        form_fields={"Birthday": "1980-02-03"},
        addresses=[address] * (12 if number == 5 else 1),
    )


def _add_order(shop: Shop, number: int, at: datetime) -> None:
    guest = number % 3 == 0
    billing = made.order_address(
        email=f"buyer{number}@mail.example",
        first_name=None if guest else f"Given{number}",
        last_name=None if guest else f"Family{number}",
        street_1=f"{number} Lantern Street",
        city="Bristol",
        zip_code="BS1 1AA",
        country_iso2="GB",
    )
    sold = [
        Sold("SKU-1", "Kettle", 1, Decimal("33.53"), tax=Decimal("6.37")),
        Sold("SKU-2", "Cup", 4, Decimal("4.20"), tax=Decimal("2.81"), discount=Decimal(2), coupon="SPRING"),
    ]
    order = made.order(
        number,
        created=at,
        modified=at,
        customer_id=0 if guest else number - 100,
        currency="GBP",
        billing=billing,
        sold=sold,
        shipping_cost=Decimal("4.95"),
        collected=number == 109,
    )
    shop.orders[number] = order
    shop.taxes[number] = made.taxes(order, "VAT", RATE)
    shop.coupons[number] = made.coupons(number, {"SPRING": Decimal(2)})
    shop.transactions[number] = [
        made.transaction(order, number, at=at, method="credit_card", amount=Decimal(order["total_inc_tax"]))
    ]
    shop.shipments[number] = [
        made.shipment(order, number, at=at, carrier="dhl", tracking_number=f"T{number}", method="Standard")
    ]
    shop.metafields[number] = [
        made.metafield(number, 1, key="loyaltyNumber", value=f"LC-{number:06d}", at=at),
        made.metafield(number, 2, key="pointsEarned", value="62", at=at),
    ]


def arm(shop: Shop) -> None:
    """While pages are read: things on earlier and on later pages change, one is added, one goes to the archive."""
    steps = {
        "/v3/customers": _customers_change,
        "/v3/customers/subscribers": _readers_change,
        "/v2/orders": _orders_change,
    }
    seen: dict[str, int] = {}

    def before(path: str) -> None:
        seen[path] = seen.get(path, 0) + 1
        if seen[path] == 3 and path in steps:
            steps[path](shop)

    shop.before_answer = before


def _customers_change(shop: Shop) -> None:
    for number in (1, 2, 3, CUSTOMERS):
        shop.edit_customer(number, CUT + timedelta(minutes=number), company="Lantern & Sons")
    for number in (4, CUSTOMERS - 1):
        shop.edit_attribute(number, 2, "platinum", CUT + timedelta(minutes=number))
    shop.customers[500] = {**_customer(50), "id": 500, "date_modified": CUT + timedelta(hours=1)}


def _readers_change(shop: Shop) -> None:
    for number in (1, 2, 10):
        shop.edit_subscriber(number, CUT + timedelta(minutes=number), consents=[])


def _orders_change(shop: Shop) -> None:
    for number in (101, 102, 103, 100 + ORDERS):
        shop.edit_order(number, CUT + timedelta(minutes=number), status="Cancelled", status_id=5)
    for number in (104, 100 + ORDERS - 1):
        shop.edit_metafield(number, "pointsEarned", "99", CUT + timedelta(minutes=number))
    _add_order(shop, 900, CUT + timedelta(hours=2))


def vanish(shop: Shop) -> Ids:
    """One of each listed object goes without a word; which."""
    shop.remove_customer(3)
    shop.remove_subscriber(4)
    shop.remove_order(103)
    return {"customer": frozenset({"3"}), "subscriber": frozenset({"4"}), "order": frozenset({"103"})}


@contextmanager
def stand(stage: Stage) -> Iterator[Stand]:
    app = serving(world(), stage.faults)
    with running({"bigcommerce": app}) as urls:
        settings = Settings(
            base_url=urls["bigcommerce"],
            store_hash=STORE_HASH,
            access_token=SecretStr(TOKEN),
            page_size=5,
            parallel=2,
            loyalty_namespace="loyalty",
        )
        source = connect(settings, clock=stage.time.clock, sleep=stage.time.sleep)
        shop = app.state.shop
        yield Stand(source, asked=lambda: shop.asked, disturb=lambda: arm(shop), vanish=lambda: vanish(shop))


def ids(numbers: range, *, without: int = 0) -> frozenset[str]:
    return frozenset(str(number) for number in numbers if number != without)


def scenario() -> Scenario:
    return Scenario(
        vendor="bigcommerce",
        stand=stand,
        cut=CUT,
        expected={
            "customer": ids(range(1, CUSTOMERS + 1), without=SPOILT_CUSTOMER),
            "subscriber": ids(range(1, SUBSCRIBERS + 1)),
            "order": ids(range(101, 101 + ORDERS), without=SPOILT_ORDER),
            "refund": ids(range(1, REFUNDS + 1)),
        },
        refused={
            "customer": frozenset({str(SPOILT_CUSTOMER)}),
            "order": frozenset({str(SPOILT_ORDER)}),
            "subscriber": frozenset(),
            "refund": frozenset(),
        },
        delta=Delta(
            Window(since=SINCE, until=UNTIL),
            {
                "customer": ids(range(10, 20)),
                "subscriber": ids(range(10, SUBSCRIBERS + 1)),
                "order": ids(range(110, 120)),
                "refund": frozenset(),
            },
        ),
        faults={
            "throttled": 0.05,
            "throttled_of_old": 0.03,
            "overloaded": 0.05,
            "cursorless": 0.05,
            "unavailable": 0.05,
            "dropped": 0.05,
            "hung_up": 0.05,
            "slow": 0.02,
        },
        told_wait=("throttled", 0.05),
        secrets=(TOKEN,),
    )
