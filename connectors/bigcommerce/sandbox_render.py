"""The generated population as a BigCommerce store: its customers, newsletter list, orders and refunds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from connectors.bigcommerce import sandbox_payloads as made
from connectors.bigcommerce.sandbox_payloads import Payload, Sold
from connectors.bigcommerce.sandbox_shop import Shop
from connectors.sandbox.population import Population
from connectors.sandbox.population.systems import BRANDS, COUNTRY_ORDER

Row = Mapping[str, Any]

ATTRIBUTES = {1: "loyaltyNumber", 2: "loyaltyTier", 3: "loyaltyPoints"}
_STATUS = {
    "completed": 10,
    "shipped": 2,
    "awaiting_fulfilment": 11,
    "cancelled": 5,
    "refunded": 4,
    "partially_refunded": 14,
}
_PAYMENT = {"cancelled": "refunded", "refunded": "refunded", "partially_refunded": "partially refunded"}
_METHODS = {
    "card": ("Credit Card", "credit_card", "stripe"),
    "paypal": ("PayPal", "electronic_wallet", "paypalexpress"),
    "invoice": ("Invoice", "offline", "custom"),
    "cash": ("Cash", "offline", "instore"),
    "gift_card": ("Gift Certificate", "gift_certificate", "giftcertificate"),
    "loyalty": ("Loyalty points", "custom", "custom"),
}
_SOURCES = {"web": "www", "app": "iphone"}


def brands() -> dict[str, str]:
    """Brand by channel id: each brand has a storefront in each country."""
    storefronts = ((country, brand) for country in range(len(COUNTRY_ORDER)) for brand in range(len(BRANDS)))
    return {str(country * len(BRANDS) + brand + 1): BRANDS[brand] for country, brand in storefronts}


def shop_of(population: Population) -> Shop:
    """What this population has done in its BigCommerce shop. Deleted accounts are gone, their orders are not."""
    records = _rows(population.records)
    people = {(row["object"], row["source_id"]): row for row in records}
    points = dict(population.loyalty.select("account", "balance").collect().iter_rows())
    shop = Shop(attribute_names=dict(ATTRIBUTES))
    for row in records:
        if row["object"] == "customer" and row["deleted_at"] is None:
            shop.customers[int(row["source_id"])] = _customer(row, points)
    for row in _rows(population.orders):
        whom = ("customer", row["customer"]) if row["customer"] else ("guest", row["guest"])
        _add_order(shop, row, people.get(whom, {}))
    _add_subscribers(shop, _rows(population.consents), people)
    return shop


def _rows(table: pl.LazyFrame) -> list[dict[str, Any]]:
    system = next(name for name in ("system", "order_system") if name in table.collect_schema())
    return table.filter(pl.col(system) == "bigcommerce").collect().to_dicts()


def _customer(row: Row, points: Mapping[str, int]) -> Payload:
    number = row["loyalty_number"]
    told = {1: number, 2: row["tier"], 3: str(points.get(number, 0))} if number else {}
    return made.customer(
        int(row["source_id"]),
        created=row["created_at"],
        modified=row["modified_at"],
        email=row["email"],
        first_name=row["given_name"],
        last_name=row["family_name"],
        phone=row["phone"],
        company=row["organisation"],
        channel_id=int(row["store"]),
        attributes={at: value for at, value in told.items() if value},
        form_fields={"Birthday": row["birth_date"]} if row["birth_date"] else {},
        addresses=[_address(row)] if row["address_line"] else [],
    )


def _address(row: Row) -> Payload:
    return made.customer_address(
        first_name=row["given_name"] or "",
        last_name=row["family_name"] or "",
        company=row["organisation"] or "",
        address1=row["address_line"],
        city=row["city"] or "",
        state_or_province=row["region"] or "",
        postal_code=row["postcode"] or "",
        country_code=row["country"],
        phone=row["phone"] or "",
    )


def _add_order(shop: Shop, row: Row, buyer: Row) -> None:
    number, unit = int(row["order_id"]), Decimal(1).scaleb(-row["decimals"])
    tax_rate = Decimal(str(row["taxes"][0]["rate"])) * 100 if row["taxes"] else Decimal(0)
    delivered = [one for one in row["fulfilments"] if one["method"] == "delivery"]
    off = {one["code"]: one["amount_minor"] * unit for one in row["discounts"] if one["code"]}
    order = made.order(
        number,
        created=row["placed_at"],
        modified=row["modified_at"],
        customer_id=int(row["customer"] or 0),
        currency=row["currency"],
        billing=_billing(row, buyer),
        sold=[_sold(line, unit) for line in row["lines"]],
        coupons_off=off,
        discount=sum((one["amount_minor"] * unit for one in row["discounts"] if not one["code"]), start=Decimal(0)),
        status_id=_STATUS[row["status"]],
        payment_status=_PAYMENT.get(row["status"], "captured"),
        payment_method=_METHODS[row["tenders"][0]["kind"]][0] if row["tenders"] else "",
        channel_id=int(row["store"]),
        locale=row["locale"],
        source=_SOURCES.get(row["channel"], "www"),
        shipped=bool(delivered),
        collected=any(one["method"] == "pickup" for one in row["fulfilments"]),
    )
    shop.orders[number] = order
    shop.coupons[number] = made.coupons(number, off)
    shop.taxes[number] = made.taxes(order, row["taxes"][0]["name"], tax_rate) if row["taxes"] else []
    shop.transactions[number] = [_transaction(order, row, place, unit) for place in range(len(row["tenders"]))]
    shop.shipments[number] = [_shipment(order, one, place) for place, one in enumerate(delivered, start=1)]
    shop.metafields[number] = _metafields(number, row)
    for place, refund in enumerate(row["refunds"], start=1):
        shop.refunds[number * 10 + place] = _refund(order, row, refund, place, unit)


def _sold(line: Row, unit: Decimal) -> Sold:
    return Sold(
        sku=line["sku"],
        name=line["name"],
        quantity=line["quantity"],
        price=line["unit_price_minor"] * unit,
        tax=line["tax_minor"] * unit,
        discount=line["discount_minor"] * unit,
    )


def _billing(row: Row, buyer: Row) -> Payload:
    return made.order_address(
        email=row["captured_email"] or buyer.get("email"),
        phone=row["captured_phone"] or buyer.get("phone"),
        first_name=buyer.get("given_name"),
        last_name=buyer.get("family_name"),
        company=buyer.get("organisation"),
        street_1=buyer.get("address_line"),
        city=buyer.get("city"),
        state=buyer.get("region"),
        zip_code=buyer.get("postcode"),
        country_iso2=buyer.get("country"),
    )


def _transaction(order: Payload, row: Row, place: int, unit: Decimal) -> Payload:
    tender = row["tenders"][place]
    _, method, gateway = _METHODS[tender["kind"]]
    number = order["id"] * 10 + place
    amount = tender["amount_minor"] * unit
    return made.transaction(order, number, at=row["placed_at"], method=method, amount=amount, gateway=gateway)


def _shipment(order: Payload, told: Row, place: int) -> Payload:
    return made.shipment(
        order,
        order["id"] * 10 + place,
        at=told["at"],
        carrier=told["carrier"] or "",
        tracking_number=told["tracking_number"] or "",
        method="Standard",
    )


def _metafields(number: int, row: Row) -> list[Payload]:
    """Only if a card was known when the order was placed."""
    told = {
        "loyaltyNumber": row["loyalty_number"],
        "pointsEarned": row["points_earned"],
        "pointsRedeemed": row["points_redeemed"],
    }
    if not row["loyalty_number"]:
        return []
    return [
        made.metafield(number, place, key=key, value=str(value), at=row["placed_at"])
        for place, (key, value) in enumerate(told.items(), start=1)
        if value
    ]


def _refund(order: Payload, row: Row, refund: Row, place: int, unit: Decimal) -> Payload:
    """Money back for goods that came back names the goods; any other is for the order as a whole."""
    products = {order["id"] * 100 + int(back["line"]): back["quantity"] for back in row["returns"]}
    return made.refund(
        order["id"] * 10 + place,
        order["id"],
        created=refund["at"],
        amount=refund["amount_minor"] * unit,
        reason=refund["reason"],
        products=products if refund["reason"] == "return" else {},
    )


def _add_subscribers(shop: Shop, consents: Iterable[Row], people: Mapping[tuple[str, str], Row]) -> None:
    """One entry per mailbox and storefront, with the last answer. A mailbox that never confirmed is not on the list."""
    answers: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in consents:
        person = people.get((row["object"], row["source_id"]))
        if row["channel"] == "email" and row["status"] != "pending" and person:
            answers[row["contact_point"].casefold(), person["store"]].append(row)
    for number, ((_, store), rows) in enumerate(sorted(answers.items()), start=1):
        last = max(rows, key=lambda row: (row["at"], row["source_id"]))
        person = people[last["object"], last["source_id"]]
        shop.subscribers[number] = made.subscriber(
            number,
            email=last["contact_point"],
            at=last["at"],
            consents=["marketing_newsletter"] if last["status"] == "opt_in" else [],
            channel_id=int(store),
            first_name=person["given_name"] or "",
            last_name=person["family_name"] or "",
        )
