"""The generated population as a Magento installation: a website per country and brand, each with an app."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from connectors.magento import sandbox_payloads as made
from connectors.magento.sandbox_payloads import Paid, Payload, Sold
from connectors.magento.sandbox_shop import Shop
from connectors.sandbox.population import Population
from connectors.sandbox.population.systems import BRANDS, COUNTRY_ORDER

Row = Mapping[str, Any]

APP_VIEWS = 100
"""A website's own store view has its number, that of its app so much more."""
_LANGUAGES = {
    **{"US": "en-US", "GB": "en-GB", "DE": "de-DE", "FR": "fr-FR"},
    **{"NL": "nl-NL", "LV": "lv-LV", "PL": "pl-PL", "JP": "ja-JP"},
}
_GENDERS = {"M": 1, "F": 2}
_METHODS = {
    "card": "stripe_payments",
    "paypal": "paypal_express",
    "invoice": "purchaseorder",
    "cash": "cashondelivery",
}
_STATES = {
    "completed": "complete",
    "shipped": "complete",
    "awaiting_fulfilment": "processing",
    "cancelled": "closed",
    "refunded": "closed",
    "partially_refunded": "complete",
}


def store_views() -> dict[str, Payload]:
    """What each store view stands for, as the settings want it."""
    views: dict[str, Payload] = {}
    for country, code in enumerate(COUNTRY_ORDER):
        for at, brand in enumerate(BRANDS):
            number = country * len(BRANDS) + at + 1
            told = {"brand": brand, "locale": _LANGUAGES[code]}
            views[str(number)] = {**told, "channel": "web"}
            views[str(number + APP_VIEWS)] = {**told, "channel": "app"}
    return views


def shop_of(population: Population) -> Shop:
    """What this population has done in its Magento shop. Deleted accounts are gone, and their orders lost the id."""
    records = _rows(population.records)
    people = {(row["object"], row["source_id"]): row for row in records}
    points = dict(population.loyalty.select("account", "balance").collect().iter_rows())
    answers = _newsletter(population)
    shop = Shop(store_views={int(view): int(view) % APP_VIEWS for view in store_views()})
    for row in records:
        if row["object"] == "customer" and row["deleted_at"] is None:
            shop.customers[int(row["source_id"])] = _customer(row, points, answers.get(row["source_id"]))
    for row in _rows(population.orders):
        whom = ("customer", row["customer"]) if row["customer"] else ("guest", row["guest"])
        _add_order(shop, row, people.get(whom, {}))
    return shop


def _rows(table: pl.LazyFrame) -> list[dict[str, Any]]:
    return table.filter(pl.col("system") == "magento").collect().to_dicts()


def _newsletter(population: Population) -> dict[str, bool]:
    """The last answer of each account about e-mail; one that was never confirmed is none."""
    told = population.consents.filter(
        (pl.col("object") == "customer") & (pl.col("channel") == "email") & (pl.col("status") != "pending")
    )
    return {row["source_id"]: row["status"] == "opt_in" for row in sorted(_rows(told), key=lambda row: row["at"])}


def _customer(row: Row, points: Mapping[str, int], subscribed: bool | None) -> Payload:
    number = row["loyalty_number"]
    card = {"loyalty_number": number, "loyalty_tier": row["tier"] or "", "loyalty_points": str(points.get(number, 0))}
    phone = {"phone_number": row["phone"]} if row["phone"] and not row["address_line"] else {}
    return made.customer(
        int(row["source_id"]),
        created=row["created_at"],
        updated=row["modified_at"],
        email=row["email"],
        firstname=row["given_name"],
        lastname=row["family_name"],
        middlename=row["middle_name"],
        dob=row["birth_date"],
        gender=_GENDERS.get(row["sex"]),
        website_id=int(row["store"]),
        store_id=int(row["store"]),
        addresses=[_address(row)] if row["address_line"] else [],
        attributes={**(card if number else {}), **phone},
        subscribed=subscribed,
    )


def _address(row: Row) -> Payload:
    return made.customer_address(
        firstname=row["given_name"] or "",
        lastname=row["family_name"] or "",
        street=[row["address_line"]],
        city=row["city"] or "",
        postcode=row["postcode"] or "",
        country_id=row["country"],
        region=row["region"],
        telephone=row["phone"],
        company=row["organisation"],
    )


def _add_order(shop: Shop, row: Row, buyer: Row) -> None:
    number, unit = int(row["order_id"]), Decimal(1).scaleb(-row["decimals"])
    known = int(row["customer"]) if row["customer"] else None
    order = made.order(
        number,
        created=row["placed_at"],
        updated=row["modified_at"],
        currency=row["currency"],
        billing=_billing(row, buyer),
        sold=_sold(row, unit),
        customer_id=known if known in shop.customers else None,
        store_id=int(row["store"]) + (APP_VIEWS if row["channel"] == "app" else 0),
        paid=_paid(row, unit),
        state=_STATES[row["status"]],
        refunded=sum((one["amount_minor"] * unit for one in row["refunds"]), start=Decimal(0)),
        coupon=next((one["code"] for one in row["discounts"] if one["code"]), None),
        tax_name=row["taxes"][0]["name"] if row["taxes"] else "",
        shipping_method="instore_pickup" if _collected(row) else "flatrate_flatrate",
        extension=_card(row),
    )
    order["customer_is_guest"] = int(known is None)
    shop.orders[number] = order
    if order["grand_total"]:
        shop.invoices[number] = made.invoice(order, number, at=row["placed_at"], amount=order["grand_total"])
        shop.transactions[number] = made.transaction(order, number, at=row["placed_at"])
    for place, told in enumerate(row["fulfilments"]):
        parcel = number * 10 + place
        shop.shipments[parcel] = made.shipment(
            order, parcel, at=told["at"], title=told["carrier"], track=told["tracking_number"]
        )
    _add_creditmemos(shop, order, row, unit)


def _collected(row: Row) -> bool:
    return any(one["method"] == "pickup" for one in row["fulfilments"])


def _billing(row: Row, buyer: Row) -> Payload:
    return made.order_address(
        "billing",
        email=row["captured_email"] or buyer.get("email"),
        firstname=buyer.get("given_name"),
        lastname=buyer.get("family_name"),
        street=[buyer["address_line"]] if buyer.get("address_line") else [],
        city=buyer.get("city"),
        postcode=buyer.get("postcode"),
        country_id=buyer.get("country"),
        region=buyer.get("region"),
        telephone=row["captured_phone"] or buyer.get("phone"),
        company=buyer.get("organisation"),
    )


def _sold(row: Row, unit: Decimal) -> list[Sold]:
    """The vendor spreads discounts of the whole order over its lines. Every other article is a configurable one."""
    percent = Decimal(str(row["taxes"][0]["rate"])) * 100 if row["taxes"] else Decimal(0)
    shares = _shares(
        [line["amount_minor"] for line in row["lines"]], sum(one["amount_minor"] for one in row["discounts"])
    )
    return [
        Sold(
            sku=line["sku"],
            name=line["name"],
            quantity=line["quantity"],
            price=line["unit_price_minor"] * unit,
            tax=line["tax_minor"] * unit,
            discount=(line["discount_minor"] + share) * unit,
            percent=percent,
            option="M" if int(line["sku"][-1]) % 2 else None,
        )
        for line, share in zip(row["lines"], shares, strict=True)
    ]


def _shares(amounts: list[int], off: int) -> list[int]:
    """`off` in parts that are as the amounts are, whole and none lost."""
    total, given, shares = sum(amounts), 0, []
    upto = 0
    for amount in amounts:
        upto += amount
        share = (off * upto // total if total else 0) - given
        given += share
        shares.append(share)
    return shares


def _paid(row: Row, unit: Decimal) -> Paid:
    amounts: dict[str, Decimal] = {}
    for tender in row["tenders"]:
        amounts[tender["kind"]] = amounts.get(tender["kind"], Decimal(0)) + tender["amount_minor"] * unit
    by_method = next((tender for tender in row["tenders"] if tender["kind"] in _METHODS), None)
    return Paid(
        method=_METHODS[by_method["kind"]] if by_method else "free",
        gift_cards=amounts.get("gift_card", Decimal(0)),
        reward=amounts.get("loyalty", Decimal(0)),
        reference=by_method["reference"] if by_method else None,
    )


def _card(row: Row) -> Payload:
    """Only if a card was known when the order was placed; by the shop's loyalty module."""
    if not row["loyalty_number"]:
        return {}
    return {
        "loyalty_number": row["loyalty_number"],
        "loyalty_points_earned": row["points_earned"],
        "loyalty_points_redeemed": row["points_redeemed"],
    }


def _add_creditmemos(shop: Shop, order: Payload, row: Row, unit: Decimal) -> None:
    """Money back for goods that came back names the goods; any other is an adjustment."""
    back = {order["entity_id"] * 100 + 2 * int(one["line"]): one["quantity"] for one in row["returns"]}
    if back:
        at = row["refunds"][0]["at"] if row["refunds"] else row["modified_at"]
        number = order["entity_id"]
        shop.returns[number] = made.return_request(order, number, at=at, quantities=back, status="closed")
    for place, refund in enumerate(row["refunds"], start=1):
        number = order["entity_id"] * 10 + place
        shop.creditmemos[number] = made.creditmemo(
            order,
            number,
            at=refund["at"],
            amount=refund["amount_minor"] * unit,
            quantities=back if refund["reason"] == "return" else {},
            comment=refund["reason"],
        )
