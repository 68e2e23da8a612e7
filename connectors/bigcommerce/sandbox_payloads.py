"""Objects as the vendor would hold them, from what a shop sells to whom: totals, taxes and links worked out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

Payload = dict[str, Any]

STATUS = {
    2: "Shipped",
    4: "Refunded",
    5: "Cancelled",
    10: "Completed",
    11: "Awaiting Fulfillment",
    14: "Partially Refunded",
}
_NOTHING = "0.0000"


@dataclass(frozen=True)
class Sold:
    """One position: price is for one piece without tax; tax and discount are for the whole position."""

    sku: str
    name: str
    quantity: int
    price: Decimal
    tax: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    coupon: str | None = None


def written(amount: Decimal) -> str:
    """As v2 writes amounts: text with four decimals."""
    return f"{amount:.4f}"


def customer(
    customer_id: int,
    *,
    created: datetime,
    modified: datetime,
    email: str | None,
    first_name: str | None,
    last_name: str | None,
    phone: str | None = None,
    company: str | None = None,
    channel_id: int = 1,
    attributes: Mapping[int, str] | None = None,
    form_fields: Mapping[str, str] | None = None,
    store_credit: float = 0.0,
    accepts_mail: bool | None = None,
    addresses: Sequence[Payload] = (),
) -> Payload:
    """A v3 customer. `attributes`: by id of the attribute."""
    return {
        "id": customer_id,
        "email": email or "",
        "first_name": first_name or "",
        "last_name": last_name or "",
        "company": company or "",
        "phone": phone or "",
        "notes": "",
        "tax_exempt_category": "",
        "registration_ip_address": "",
        "customer_group_id": 0,
        "date_created": created,
        "date_modified": modified,
        "address_count": len(addresses),
        "attribute_count": len(attributes or {}),
        "authentication": {"force_password_reset": False},
        "accepts_product_review_abandoned_cart_emails": bool(accepts_mail),
        "origin_channel_id": channel_id,
        "channel_ids": [channel_id],
        "addresses": [
            {**address, "customer_id": customer_id, "id": customer_id * 100 + place}
            for place, address in enumerate(addresses)
        ],
        "attributes": [
            {
                "id": customer_id * 100 + attribute_id,
                "attribute_id": attribute_id,
                "attribute_value": value,
                "customer_id": customer_id,
                "date_created": created,
                "date_modified": modified,
            }
            for attribute_id, value in (attributes or {}).items()
        ],
        "form_fields": [
            {"name": name, "value": value, "customer_id": customer_id} for name, value in (form_fields or {}).items()
        ],
        "store_credit_amounts": [{"amount": store_credit}],
        "shopper_profile_id": f"profile-{customer_id}",
        "segment_ids": [],
    }


def customer_address(
    *,
    first_name: str,
    last_name: str,
    address1: str,
    city: str,
    postal_code: str,
    country_code: str,
    address2: str = "",
    state_or_province: str = "",
    phone: str = "",
    company: str = "",
) -> Payload:
    """An entry of a customer's address book."""
    return {
        "first_name": first_name,
        "last_name": last_name,
        "company": company,
        "address1": address1,
        "address2": address2,
        "city": city,
        "state_or_province": state_or_province,
        "postal_code": postal_code,
        "country_code": country_code,
        "country": country_code,
        "phone": phone,
        "address_type": "residential",
    }


def subscriber(
    subscriber_id: int,
    *,
    email: str,
    at: datetime,
    consents: Sequence[str],
    channel_id: int = 1,
    first_name: str = "",
    last_name: str = "",
) -> Payload:
    """An entry of the newsletter list."""
    return {
        "id": subscriber_id,
        "email": email,
        "first_name": first_name,
        "last_name": last_name,
        "source": "storefront",
        "order_id": None,
        "channel_id": channel_id,
        "consents": list(consents),
        "date_created": at,
        "date_modified": at,
    }


def order_address(
    *,
    email: str | None = None,
    phone: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    company: str | None = None,
    street_1: str | None = None,
    street_2: str | None = None,
    city: str | None = None,
    state: str | None = None,
    zip_code: str | None = None,
    country_iso2: str | None = None,
) -> Payload:
    """A billing or shipping address; what was not captured is empty, as the vendor keeps it."""
    told: dict[str, Any] = {
        "first_name": first_name,
        "last_name": last_name,
        "company": company,
        "street_1": street_1,
        "street_2": street_2,
        "city": city,
        "state": state,
        "zip": zip_code,
        "country": country_iso2,
        "country_iso2": country_iso2,
        "phone": phone,
        "email": email,
        "form_fields": [],
    }
    return {name: value if value is not None else "" for name, value in told.items()}


def order(
    order_id: int,
    *,
    created: datetime,
    modified: datetime,
    customer_id: int,
    currency: str,
    billing: Payload,
    sold: Sequence[Sold],
    coupons_off: Mapping[str, Decimal] | None = None,
    discount: Decimal = Decimal(0),
    shipping_cost: Decimal = Decimal(0),
    status_id: int = 10,
    payment_status: str = "captured",
    payment_method: str = "Credit Card",
    channel_id: int = 1,
    locale: str = "en",
    source: str = "www",
    shipped: bool = True,
    collected: bool = False,
    opts_in: bool = False,
) -> Payload:
    """A v2 order with its products and, unless it is collected in a store, its shipping address.

    coupons_off: what each coupon code took off the order as a whole; discount: what the shop took off by hand or rule.
    """
    products = [_product(order_id, place, line) for place, line in enumerate(sold, start=1)]
    by_coupon = sum((coupons_off or {}).values(), start=Decimal(0))
    goods = sum((line.price * line.quantity for line in sold), start=Decimal(0))
    tax = sum((line.tax for line in sold), start=Decimal(0))
    off = sum((line.discount for line in sold), start=Decimal(0)) + by_coupon + discount
    owed = goods + tax + shipping_cost - off
    pieces = sum(line.quantity for line in sold)
    on_lines = sum((line.discount for line in sold if line.coupon), start=Decimal(0))
    return {
        "id": order_id,
        "customer_id": customer_id,
        "date_created": created,
        "date_modified": modified,
        "date_shipped": modified if shipped else "",
        "status_id": status_id,
        "status": STATUS[status_id],
        "subtotal_ex_tax": written(goods),
        "subtotal_inc_tax": written(goods + tax),
        "subtotal_tax": written(tax),
        "base_shipping_cost": written(shipping_cost),
        "shipping_cost_ex_tax": written(shipping_cost),
        "shipping_cost_inc_tax": written(shipping_cost),
        "shipping_cost_tax": _NOTHING,
        "handling_cost_inc_tax": _NOTHING,
        "wrapping_cost_inc_tax": _NOTHING,
        "total_ex_tax": written(owed - tax),
        "total_inc_tax": written(owed),
        "total_tax": written(tax),
        "is_tax_inclusive_pricing": False,
        "items_total": pieces,
        "items_shipped": pieces if shipped else 0,
        "payment_method": payment_method,
        "payment_provider_id": "",
        "payment_status": payment_status,
        "refunded_amount": _NOTHING,
        "order_is_digital": False,
        "store_credit_amount": _NOTHING,
        "gift_certificate_amount": _NOTHING,
        "ip_address": "",
        "ip_address_v6": "",
        "currency_id": 1,
        "currency_code": currency,
        "currency_exchange_rate": "1.0000000000",
        "default_currency_id": 1,
        "default_currency_code": currency,
        "store_default_currency_code": currency,
        "staff_notes": "",
        "customer_message": "",
        "discount_amount": written(discount),
        "coupon_discount": written(by_coupon + on_lines),
        "shipping_address_count": 0 if collected else 1,
        "is_deleted": False,
        "is_email_opt_in": opts_in,
        "ebay_order_id": "0",
        "cart_id": f"cart-{order_id}",
        "billing_address": billing,
        "order_source": source,
        "channel_id": channel_id,
        "external_source": None,
        "external_id": None,
        "external_merchant_id": None,
        "tax_provider_id": "BasicTaxProvider",
        "customer_locale": locale,
        "external_order_id": "",
        "products": products,
        "shipping_addresses": [] if collected else [_shipping(order_id, billing, shipping_cost, pieces)],
        "coupons": {
            "url": f"https://api.bigcommerce.com/stores/sandbox/v2/orders/{order_id}/coupons",
            "resource": f"/orders/{order_id}/coupons",
        },
    }


def taxes(order_payload: Payload, name: str, rate: Decimal) -> list[Payload]:
    """Tax rows of an order as `details=true` shows them, one per product; rate in percent."""
    return [
        {
            "id": order_payload["id"] * 100 + place,
            "order_id": order_payload["id"],
            "order_address_id": order_payload["id"],
            "tax_rate_id": 1,
            "tax_class_id": 0,
            "name": name,
            "class": "Default Tax Class",
            "rate": written(rate),
            "priority": 1,
            "priority_amount": product["total_tax"],
            "line_amount": product["total_tax"],
            "order_product_id": str(product["id"]),
            "line_item_type": "item",
        }
        for place, product in enumerate(order_payload["products"])
        if Decimal(product["total_tax"]) > 0
    ]


def coupons(order_id: int, off: Mapping[str, Decimal]) -> list[Payload]:
    """Coupon rows of an order: what each code took off, on lines or on the whole."""
    return [
        {
            "id": order_id * 10 + place,
            "coupon_id": place,
            "order_id": order_id,
            "code": code,
            "amount": written(amount),
            "type": 2,
            "discount": float(amount),
        }
        for place, (code, amount) in enumerate(off.items(), start=1)
    ]


def shipment(
    order_payload: Payload, shipment_id: int, *, at: datetime, carrier: str, tracking_number: str, method: str
) -> Payload:
    """One parcel with everything in it."""
    return {
        "id": shipment_id,
        "order_id": order_payload["id"],
        "customer_id": order_payload["customer_id"],
        "order_address_id": order_payload["id"],
        "date_created": at,
        "tracking_number": tracking_number,
        "merchant_shipping_cost": _NOTHING,
        "shipping_method": method,
        "shipping_provider": "",
        "tracking_carrier": carrier,
        "tracking_link": "",
        "comments": "",
        "items": [
            {"order_product_id": product["id"], "product_id": product["product_id"], "quantity": product["quantity"]}
            for product in order_payload["products"]
        ],
    }


def transaction(
    order_payload: Payload, transaction_id: int, *, at: datetime, method: str, amount: Decimal, gateway: str = "stripe"
) -> Payload:
    """A movement at the payment provider."""
    return {
        "id": transaction_id,
        "order_id": str(order_payload["id"]),
        "date_created": at,
        "event": "purchase",
        "method": method,
        "amount": float(amount),
        "currency": order_payload["default_currency_code"],
        "gateway": gateway,
        "gateway_transaction_id": f"ch-{transaction_id}",
        "test": False,
        "status": "ok",
        "fraud_review": False,
        "offline": None,
        "custom": None,
        "payment_method_id": "stripe.card",
    }


def metafield(order_id: int, place: int, *, key: str, value: str, at: datetime, namespace: str = "loyalty") -> Payload:
    """A value that the loyalty app keeps with an order."""
    return {
        "id": order_id * 10 + place,
        "key": key,
        "value": value,
        "namespace": namespace,
        "permission_set": "read",
        "resource_type": "order",
        "resource_id": order_id,
        "description": "",
        "owner_client_id": "loyaltyapp",
        "date_created": at,
        "date_modified": at,
    }


def refund(
    refund_id: int, order_id: int, *, created: datetime, amount: Decimal, reason: str, products: Mapping[int, int]
) -> Payload:
    """Money back: for products, by id of the order product and quantity, or for the order as a whole."""
    items = [{"item_type": "PRODUCT", "item_id": item, "quantity": number} for item, number in products.items()]
    return {
        "id": refund_id,
        "order_id": order_id,
        "user_id": 1,
        "created": created,
        "reason": reason,
        "total_amount": float(amount),
        "total_tax": 0,
        "uses_merchant_override_values": False,
        "items": [
            {**item, "reason": reason, "requested_amount": float(amount), "adjustments": []}
            for item in items or [{"item_type": "ORDER", "item_id": order_id}]
        ],
        "payments": [
            {
                "id": refund_id,
                "provider_id": "stripe",
                "amount": float(amount),
                "offline": False,
                "is_declined": False,
                "declined_message": "",
                "transaction_id": str(refund_id),
            }
        ],
    }


def _product(order_id: int, place: int, line: Sold) -> Payload:
    total = line.price * line.quantity
    price_tax = line.tax / line.quantity
    discounts = [
        {
            "id": "coupon" if line.coupon else "manual-discount",
            "amount": written(line.discount),
            "name": line.coupon or "Manual Discount",
            "code": line.coupon,
            "target": "product",
        }
    ]
    return {
        "id": order_id * 100 + place,
        "order_id": order_id,
        "product_id": 1000 + place,
        "variant_id": 1,
        "order_pickup_method_id": 0,
        "order_address_id": order_id,
        "name": line.name,
        "name_customer": line.name,
        "name_merchant": line.name,
        "sku": line.sku,
        "upc": "",
        "type": "physical",
        "base_price": written(line.price),
        "price_ex_tax": written(line.price),
        "price_inc_tax": written(line.price + price_tax),
        "price_tax": written(price_tax),
        "base_total": written(total),
        "total_ex_tax": written(total),
        "total_inc_tax": written(total + line.tax),
        "total_tax": written(line.tax),
        "quantity": line.quantity,
        "is_refunded": False,
        "quantity_refunded": 0,
        "refund_amount": _NOTHING,
        "return_id": 0,
        "quantity_shipped": 0,
        "parent_order_product_id": None,
        "is_bundled_product": False,
        "external_id": None,
        "applied_discounts": discounts if line.discount else [],
        "product_options": [],
        "configurable_fields": [],
    }


def _shipping(order_id: int, billing: Payload, cost: Decimal, pieces: int) -> Payload:
    return {
        **billing,
        "id": order_id,
        "order_id": order_id,
        "items_total": pieces,
        "items_shipped": 0,
        "shipping_method": "Standard",
        "base_cost": written(cost),
        "cost_inc_tax": written(cost),
        "shipping_zone_id": 1,
        "shipping_zone_name": billing["country_iso2"],
    }
