"""Objects as the vendor would hold them, from what a shop sells to whom: totals and taxes worked out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

Payload = dict[str, Any]

_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Sold:
    """One position: price is for one piece without tax; tax and discount are for the whole position.

    option: what was chosen of a configurable product; then a second item stands below the first.
    """

    sku: str
    name: str
    quantity: int
    price: Decimal
    tax: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)
    option: str | None = None


@dataclass(frozen=True)
class Paid:
    """How an order was paid: vouchers first, the rest by one method."""

    method: str = "checkmo"
    gift_cards: Decimal = Decimal(0)
    reward: Decimal = Decimal(0)
    store_credit: Decimal = Decimal(0)
    reference: str | None = None
    invoiced: bool = True


def customer(
    customer_id: int,
    *,
    created: datetime,
    updated: datetime,
    email: str | None,
    firstname: str | None,
    lastname: str | None,
    middlename: str | None = None,
    dob: str | None = None,
    gender: int | None = None,
    website_id: int = 1,
    store_id: int = 1,
    addresses: Sequence[Payload] = (),
    attributes: Mapping[str, str] | None = None,
    subscribed: bool | None = None,
) -> Payload:
    """A customer. subscribed None: nothing is told about the newsletter."""
    book = [
        {**address, "customer_id": customer_id, "id": customer_id * 10 + at, **_defaults(at)}
        for at, address in enumerate(addresses)
    ]
    default = str(book[0]["id"]) if book else None
    return {
        "id": customer_id,
        "group_id": 1,
        "default_billing": default,
        "default_shipping": default,
        "created_at": created,
        "updated_at": updated,
        "created_in": "Default Store View",
        "dob": dob,
        "email": email or "",
        "firstname": firstname or "",
        "lastname": lastname or "",
        "middlename": middlename,
        "gender": gender,
        "store_id": store_id,
        "website_id": website_id,
        "addresses": book,
        "disable_auto_group_change": 0,
        "extension_attributes": {} if subscribed is None else {"is_subscribed": subscribed},
        "custom_attributes": [
            {"attribute_code": code, "value": value} for code, value in (attributes or {}).items() if value
        ],
    }


def _defaults(at: int) -> Payload:
    return {"default_shipping": True, "default_billing": True} if at == 0 else {}


def customer_address(
    *,
    firstname: str,
    lastname: str,
    street: Sequence[str],
    city: str,
    postcode: str,
    country_id: str,
    region: str | None = None,
    telephone: str | None = None,
    company: str | None = None,
) -> Payload:
    """An entry of a customer's address book."""
    return {
        "region": {"region_code": region or "", "region": region or "", "region_id": 0},
        "region_id": 0,
        "country_id": country_id,
        "street": list(street),
        "company": company,
        "telephone": telephone or "",
        "postcode": postcode,
        "city": city,
        "firstname": firstname,
        "lastname": lastname,
    }


def order_address(
    kind: str,
    *,
    email: str | None,
    firstname: str | None,
    lastname: str | None,
    street: Sequence[str] = (),
    city: str | None = None,
    postcode: str | None = None,
    country_id: str | None = None,
    region: str | None = None,
    telephone: str | None = None,
    company: str | None = None,
) -> Payload:
    """A `billing` or `shipping` address; what was not captured is empty."""
    return {
        "address_type": kind,
        "city": city or "",
        "company": company,
        "country_id": country_id or "",
        "email": email,
        "firstname": firstname or "",
        "lastname": lastname or "",
        "postcode": postcode or "",
        "region": region,
        "street": list(street),
        "telephone": telephone or "",
    }


def order(
    order_id: int,
    *,
    created: datetime,
    updated: datetime,
    currency: str,
    billing: Payload,
    sold: Sequence[Sold],
    customer_id: int | None = None,
    store_id: int = 1,
    paid: Paid | None = None,
    state: str = "complete",
    refunded: Decimal = Decimal(0),
    shipping_cost: Decimal = Decimal(0),
    coupon: str | None = None,
    tax_name: str = "VAT",
    shipping_method: str = "flatrate_flatrate",
    extension: Mapping[str, object] | None = None,
) -> Payload:
    """An order with its items, addresses and payment."""
    paid = paid or Paid()
    goods, tax = _sum(one.price * one.quantity for one in sold), _sum(one.tax for one in sold)
    off = _sum(one.discount for one in sold)
    owed = goods + tax + shipping_cost - off - paid.gift_cards - paid.reward - paid.store_credit
    came = owed if paid.invoiced else _NOTHING
    email = billing.get("email")
    return {
        "entity_id": order_id,
        "increment_id": f"{store_id % 10}{order_id:08d}",
        "created_at": created,
        "updated_at": updated,
        "state": state,
        "status": state,
        "store_id": store_id,
        "store_name": "Main Website\nMain Website Store\nDefault Store View",
        "customer_id": customer_id,
        "customer_is_guest": int(customer_id is None),
        "customer_group_id": int(customer_id is not None),
        "customer_email": email or "",
        "customer_firstname": None if customer_id is None else billing["firstname"] or None,
        "customer_lastname": None if customer_id is None else billing["lastname"] or None,
        "base_currency_code": currency,
        "order_currency_code": currency,
        "store_currency_code": currency,
        "global_currency_code": currency,
        "subtotal": goods,
        "subtotal_incl_tax": goods + tax,
        "tax_amount": tax,
        "discount_amount": -off,
        "coupon_code": coupon,
        "discount_description": coupon,
        "discount_tax_compensation_amount": _NOTHING,
        "shipping_amount": shipping_cost,
        "shipping_incl_tax": shipping_cost,
        "shipping_discount_amount": _NOTHING,
        "shipping_description": "Flat Rate - Fixed",
        "base_grand_total": owed,
        "grand_total": owed,
        "total_invoiced": came,
        "total_paid": came,
        "total_due": owed - came,
        "total_refunded": refunded or None,
        "total_qty_ordered": sum(one.quantity for one in sold),
        "total_item_count": len(sold),
        "is_virtual": 0,
        "items": [
            item for at, one in enumerate(sold, start=1) for item in _items(order_id, at, one, store_id, created)
        ],
        "billing_address": {**billing, "entity_id": order_id * 10, "parent_id": order_id},
        "payment": _payment(order_id, paid, owed, came),
        "status_histories": [],
        "extension_attributes": {
            "shipping_assignments": [_shipping(order_id, billing, shipping_method)],
            "applied_taxes": _applied_taxes(sold, tax_name),
            **_vouchers(paid),
            **(extension or {}),
        },
    }


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, start=_NOTHING)


def _items(order_id: int, at: int, one: Sold, store_id: int, created: datetime) -> list[Payload]:
    """The position; for a configurable product also what was chosen, which costs nothing by itself."""
    item_id = order_id * 100 + 2 * at
    row = one.price * one.quantity
    top = {
        "item_id": item_id,
        "order_id": order_id,
        "store_id": store_id,
        "created_at": created,
        "updated_at": created,
        "product_type": "configurable" if one.option else "simple",
        "sku": one.sku,
        "name": one.name,
        "qty_ordered": one.quantity,
        "price": one.price,
        "price_incl_tax": (one.price + one.tax / one.quantity).quantize(Decimal("0.0001")),
        "row_total": row,
        "row_total_incl_tax": row + one.tax,
        "tax_amount": one.tax,
        "tax_percent": one.percent,
        "discount_amount": one.discount,
        "discount_tax_compensation_amount": _NOTHING,
    }
    if not one.option:
        return [top]
    below = dict.fromkeys(("price", "price_incl_tax", "row_total", "row_total_incl_tax", "tax_amount"), _NOTHING)
    chosen = {
        **{name: top[name] for name in ("order_id", "store_id", "created_at", "updated_at", "sku", "qty_ordered")},
        **below,
        "item_id": item_id + 1,
        "parent_item_id": item_id,
        "product_type": "simple",
        "name": f"{one.name}-{one.option}",
        "discount_amount": _NOTHING,
    }
    return [top, {**chosen, "parent_item": top}]


def _payment(order_id: int, paid: Paid, owed: Decimal, came: Decimal) -> Payload:
    """With the card data that payment modules leave there."""
    return {
        "entity_id": order_id,
        "parent_id": order_id,
        "account_status": None,
        "additional_information": ["Credit card", "xxxx-1111"],
        "amount_ordered": owed,
        "amount_paid": came or None,
        "cc_last4": "1111",
        "cc_exp_month": "12",
        "cc_exp_year": "2031",
        "cc_owner": "CARD HOLDER",
        "last_trans_id": paid.reference,
        "method": paid.method,
    }


def _shipping(order_id: int, billing: Payload, method: str) -> Payload:
    address = {**billing, "address_type": "shipping", "entity_id": order_id * 10 + 1, "parent_id": order_id}
    return {"shipping": {"address": address, "method": method}, "items": []}


def _applied_taxes(sold: Sequence[Sold], name: str) -> list[Payload]:
    rates = sorted({one.percent for one in sold if one.tax})
    sums = {rate: _sum(one.tax for one in sold if one.percent == rate) for rate in rates}
    return [
        {"code": name, "title": name, "percent": rate, "amount": amount, "base_amount": amount}
        for rate, amount in sums.items()
    ]


def _vouchers(paid: Paid) -> Payload:
    told = {
        "gift_cards_amount": paid.gift_cards,
        "reward_currency_amount": paid.reward,
        "customer_balance_amount": paid.store_credit,
    }
    return {name: amount for name, amount in told.items() if amount}


def _positions(of: Payload, quantities: Mapping[int, int] | None) -> list[Payload]:
    """Items of what follows an order: all of it, or so many pieces of these top items and of what is below them."""
    items = []
    for item in of["items"]:
        top = item.get("parent_item_id", item["item_id"])
        if quantities is None or top in quantities:
            items.append(
                {
                    "entity_id": item["item_id"],
                    "order_item_id": item["item_id"],
                    "sku": item["sku"],
                    "name": item["name"],
                    "price": item["price"],
                    "base_price": item["price"],
                    "base_cost": None,
                    "qty": item["qty_ordered"] if quantities is None else quantities[top],
                }
            )
    return items


def _following(of: Payload, number: int, at: datetime) -> Payload:
    return {
        "entity_id": number,
        "increment_id": f"{number:09d}",
        "order_id": of["entity_id"],
        "store_id": of["store_id"],
        "created_at": at,
        "updated_at": at,
    }


def invoice(of: Payload, number: int, *, at: datetime, amount: Decimal, state: int = 2) -> Payload:
    """An invoice over the whole order; it does not say how it was paid."""
    return {
        **_following(of, number, at),
        "state": state,
        "grand_total": amount,
        "base_grand_total": amount,
        "order_currency_code": of["order_currency_code"],
        "transaction_id": of["payment"]["last_trans_id"],
        "total_qty": of["total_qty_ordered"],
        "items": _positions(of, None),
        "comments": [],
    }


def shipment(
    of: Payload, number: int, *, at: datetime, title: str | None, track: str | None, carrier: str = "custom"
) -> Payload:
    """A shipment of the whole order, with one parcel or, if it has no track, none."""
    parcel = {
        "entity_id": number * 10,
        "order_id": of["entity_id"],
        "parent_id": number,
        "created_at": at,
        "updated_at": at,
        "weight": 0,
        "qty": 0,
        "description": "",
        "track_number": track,
        "title": title,
        "carrier_code": carrier,
    }
    return {
        **_following(of, number, at),
        "customer_id": of["customer_id"],
        "total_qty": of["total_qty_ordered"],
        "items": _positions(of, None),
        "tracks": [parcel] if track else [],
        "comments": [],
        "packages": [],
    }


def creditmemo(
    of: Payload,
    number: int,
    *,
    at: datetime,
    amount: Decimal,
    quantities: Mapping[int, int] | None = None,
    vouchers: Decimal = Decimal(0),
    comment: str | None = None,
) -> Payload:
    """Money back for these pieces (by item id; an empty mapping is money without goods, None is all goods)."""
    return {
        **_following(of, number, at),
        "state": 2,
        "grand_total": amount,
        "base_grand_total": amount,
        "adjustment": _NOTHING if quantities else amount,
        "order_currency_code": of["order_currency_code"],
        "items": _positions(of, quantities),
        "comments": [_comment(number, comment, at)] if comment else [],
        "extension_attributes": {"customer_balance_amount": vouchers} if vouchers else {},
    }


def _comment(number: int, text: str, at: datetime) -> Payload:
    return {
        "comment": text,
        "created_at": at,
        "entity_id": number,
        "is_customer_notified": 0,
        "is_visible_on_front": 0,
        "parent_id": number,
    }


def transaction(of: Payload, number: int, *, at: datetime, kind: str = "capture") -> Payload:
    """What the gateway did, with what it said; no amount."""
    return {
        "transaction_id": number,
        "order_id": of["entity_id"],
        "payment_id": of["payment"]["entity_id"],
        "txn_id": f"T-{number}",
        "parent_txn_id": "",
        "txn_type": kind,
        "is_closed": 1,
        "additional_information": ["card 411111xxxxxx1111", "CARD HOLDER"],
        "created_at": at,
        "child_transactions": [],
    }


def return_request(
    of: Payload, number: int, *, at: datetime, quantities: Mapping[int, int], status: str = "pending"
) -> Payload:
    """A request to bring back these pieces, by item id."""
    return {
        "entity_id": number,
        "increment_id": f"{number:09d}",
        "order_id": of["entity_id"],
        "order_increment_id": of["increment_id"],
        "store_id": of["store_id"],
        "customer_id": of["customer_id"] or 0,
        "date_requested": at,
        "customer_custom_email": "",
        "status": status,
        "items": [_asked_back(number, place, item, pieces, status) for place, (item, pieces) in
                  enumerate(quantities.items())],
        "comments": [],
        "tracks": [],
    }  # fmt: skip


def _asked_back(number: int, place: int, item: int, pieces: int, status: str) -> Payload:
    done = pieces if status == "closed" else 0
    return {
        "entity_id": number * 10 + place,
        "rma_entity_id": number,
        "order_item_id": item,
        "qty_requested": pieces,
        "qty_authorized": done,
        "qty_approved": done,
        "qty_returned": done,
        "reason": "5",
        "condition": "8",
        "resolution": "4",
        "status": status,
    }
