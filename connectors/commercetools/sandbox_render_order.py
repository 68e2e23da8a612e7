"""Orders and payments of the generated population, as commercetools keeps them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.commercetools import sandbox_payloads as made
from connectors.commercetools.api import stamp
from connectors.commercetools.sandbox_shop import Resource, reference

Row = Mapping[str, Any]

_STATES = {
    "completed": ("Complete", "Delivered"),
    "shipped": ("Confirmed", "Shipped"),
    "awaiting_fulfilment": ("Open", "Pending"),
    "cancelled": ("Cancelled", "Canceled"),
}
"""Order state and shipment state. Refunds show in neither: they are on the payment alone."""
_METHODS = {
    "card": ("ADYEN", "CREDIT_CARD"),
    "paypal": ("PAYPAL", "PAYPAL"),
    "invoice": ("KLARNA", "INVOICE"),
    "gift_card": ("GIVEX", "GIFT_CARD"),
    "loyalty": ("LOYALTY", "LOYALTY"),
}
_LATER = timedelta(days=1)


def order(row: Row, buyer: Row, paid: Sequence[str], consents: Sequence[str]) -> Resource:
    """The order; a guest's has no customerId."""
    state, shipment = _STATES.get(row["status"], _STATES["completed"])
    billing = _billing(row, buyer)
    goods = row["lines_total_minor"] - row["discount_minor"]
    return {
        "type": "Order",
        **made.base(row["order_id"], row["placed_at"], row["modified_at"]),
        **made.told(
            orderNumber=row["number"],
            customerId=row["customer"],
            anonymousId=None if row["customer"] else made.named_id("visitor", row["order_id"]),
            customerEmail=row["captured_email"] or buyer.get("email"),
            locale=row["locale"],
            country=_country(row),
            billingAddress=billing,
            shippingAddress=billing if any(each["method"] == "delivery" for each in row["fulfilments"]) else None,
        ),
        "store": {"typeId": "store", "key": row["store"]},
        "orderState": state,
        "shipmentState": shipment,
        "paymentState": "Paid",
        "origin": "Customer",
        "lineItems": [_line(row, each) for each in row["lines"]],
        "customLineItems": [],
        "totalPrice": _money(row, goods),
        "taxedPrice": made.taxed(goods, row["tax_minor"], _rate(row), row["currency"], row["decimals"]),
        "taxMode": "Platform",
        "taxRoundingMode": "HalfEven",
        "taxCalculationMode": "LineItemLevel",
        "inventoryMode": "None",
        **_discounts(row),
        **_shipping(row),
        "shipping": [],
        "shippingMode": "Single",
        "itemShippingAddresses": [],
        "directDiscounts": [],
        "refusedGifts": [],
        "syncInfo": [],
        "returnInfo": [_return(each) for each in row["returns"]],
        "paymentInfo": {"payments": [reference("payment", each) for each in paid]},
        **made.custom(
            {
                "channel": row["channel"],
                "brand": row["brand"],
                "loyaltyNumber": row["loyalty_number"],
                "loyaltyPointsEarned": row["points_earned"] or None,
                "loyaltyPointsRedeemed": row["points_redeemed"] or None,
                "consents": list(consents),
            }
        ),
    }


def cart(row: Row) -> Resource:
    """The customer of this order has begun to buy the same again."""
    lines = [_goods(row, each) for each in row["lines"]]
    identity = made.named_id("cart", row["customer"])
    return {
        **made.cart(identity, row["placed_at"] + _LATER, lines, row["currency"], row["decimals"]),
        **made.told(customerId=row["customer"], locale=row["locale"], country=_country(row)),
        "store": {"typeId": "store", "key": row["store"]},
        **made.custom({"loyaltyNumber": row["loyalty_number"], "channel": row["channel"], "brand": row["brand"]}),
    }


def payments(row: Row) -> list[Resource]:
    """A payment for each tender. Money goes back by the payment it came with, as far as that reaches."""
    owed = [(each["id"], each["at"], each["amount_minor"]) for each in row["refunds"]]
    made_so_far = []
    for number, tender in enumerate(row["tenders"], start=1):
        left, back = tender["amount_minor"], []
        for place, (identity, at, amount) in enumerate(owed):
            part = min(left, amount)
            left -= part
            owed[place] = (identity, at, amount - part)
            if part:
                back.append(_transaction(row, f"{identity}-{number}", "Refund", part, at))
        made_so_far.append(_payment(row, number, tender, back))
    return made_so_far


def _payment(row: Row, number: int, tender: Row, back: list[Resource]) -> Resource:
    interface, method = _METHODS[tender["kind"]]
    charge = _transaction(row, tender["reference"], "Charge", tender["amount_minor"], row["placed_at"])
    last = max((each["at"] for each in row["refunds"]), default=row["placed_at"]) if back else row["placed_at"]
    return {
        **made.base(made.named_id("payment", row["order_id"], number), row["placed_at"], last),
        "amountPlanned": _money(row, tender["amount_minor"]),
        "paymentMethodInfo": {"paymentInterface": interface, "method": method},
        "paymentStatus": {},
        "transactions": [{**charge, "interactionId": tender["reference"]}, *back],
        "interfaceInteractions": [],
        **({"customer": reference("customer", row["customer"])} if row["customer"] else {}),
    }


def _transaction(row: Row, identity: str, kind: str, amount: int, at: Any) -> Resource:  # noqa: ANN401  a datetime
    return {"id": identity, "type": kind, "state": "Success", "timestamp": stamp(at), "amount": _money(row, amount)}


def _goods(row: Row, told: Row) -> Resource:
    """Prices come without tax, as everywhere in the population."""
    return made.line(
        told["line"],
        told["sku"],
        told["name"],
        told["quantity"],
        told["unit_price_minor"],
        told["amount_minor"],
        row["currency"],
        row["decimals"],
    )


def _line(row: Row, told: Row) -> Resource:
    goods = _goods(row, told)
    discount = reference("cart-discount", made.named_id("discount", "line"))
    goods["discountedPricePerQuantity"] = [
        {
            "quantity": pieces,
            "discountedPrice": {
                "value": _money(row, told["unit_price_minor"] - off),
                "includedDiscounts": [{"discount": discount, "discountedAmount": _money(row, off)}],
            },
        }
        for pieces, off in made.spread(told["discount_minor"], told["quantity"])
    ]
    rate = _rate(row)
    if rate:
        goods["taxRate"] = rate
        goods["taxedPrice"] = made.taxed(
            told["amount_minor"], told["tax_minor"], rate, row["currency"], row["decimals"]
        )
    return goods


def _rate(row: Row) -> Resource | None:
    if not row["taxes"]:
        return None
    tax = row["taxes"][0]
    return {"name": tax["name"], "amount": tax["rate"], "includedInPrice": False, "country": _country(row)}


def _discounts(row: Row) -> Resource:
    """The discount of a code lowers the order as a whole."""
    portions = [
        {
            "discount": reference("cart-discount", each["code"] or made.named_id("discount", "order")),
            "discountedAmount": _money(row, each["amount_minor"]),
        }
        for each in row["discounts"]
    ]
    codes = [each["code"] for each in row["discounts"] if each["code"]]
    listed: Resource = {
        "discountCodes": [{"discountCode": reference("discount-code", code), "state": "MatchesCart"} for code in codes]
    }
    if portions:
        off = _money(row, row["discount_minor"])
        listed["discountOnTotalPrice"] = {"discountedAmount": off, "includedDiscounts": portions}
    return listed


def _shipping(row: Row) -> Resource:
    """Sending is free. What is collected has a delivery without parcels."""
    if not row["fulfilments"]:
        return {}
    nothing = _money(row, 0)
    collected = row["fulfilments"][0]["method"] == "pickup"
    info = {
        "shippingMethodName": "Collect in store" if collected else "Standard",
        "price": nothing,
        "shippingRate": {"price": nothing, "tiers": []},
        "shippingMethodState": "MatchesCart",
        "deliveries": [_delivery(row, each) for each in row["fulfilments"]],
    }
    return {"shippingInfo": info}


def _delivery(row: Row, told: Row) -> Resource:
    at = stamp(told["at"])
    tracking = made.told(trackingId=told["tracking_number"], carrier=told["carrier"])
    parcels = [{"id": f"{told['id']}-P1", "createdAt": at, "trackingData": tracking, "items": []}] if tracking else []
    items = [{"id": each["line"], "quantity": each["quantity"]} for each in row["lines"]]
    return {"id": told["id"], "createdAt": at, "items": items, "parcels": parcels}


def _return(told: Row) -> Resource:
    at = stamp(told["at"])
    item = {
        "id": told["id"],
        "type": "LineItemReturnItem",
        "lineItemId": told["line"],
        "quantity": told["quantity"],
        "shipmentState": "Returned",
        "paymentState": "Refunded",
        "createdAt": at,
        "lastModifiedAt": at,
    }
    return {"returnDate": at, "items": [item]}


def _billing(row: Row, buyer: Row) -> Resource | None:
    """What was captured; a mailbox alone makes no address."""
    known = made.told(
        firstName=buyer.get("given_name"),
        lastName=buyer.get("family_name"),
        company=buyer.get("organisation"),
        streetName=buyer.get("street"),
        streetNumber=buyer.get("house_number"),
        postalCode=buyer.get("postcode"),
        city=buyer.get("city"),
        region=buyer.get("region"),
        phone=row["captured_phone"] or buyer.get("phone"),
    )
    return {**known, "country": _country(row)} if known else None


def _country(row: Row) -> str:
    """Storefronts are named `brand-country`."""
    return str(row["store"]).rpartition("-")[2].upper()


def _money(row: Row, minor: int) -> Resource:
    return made.money(minor, row["currency"], row["decimals"])
