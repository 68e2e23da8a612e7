"""Resources as commercetools writes them, complete as its contract demands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from connectors.commercetools.api import stamp
from connectors.commercetools.sandbox_shop import Resource, reference

TYPE_ID = "7b1c9a40-52d6-4f0e-9f7c-3e9d1b0a2c01"
_NAMES = UUID("0f6b3d3e-8a55-4b8f-9c3a-6d2f1f4f7a10")
_BY = {"clientId": "sandbox-client", "isPlatformClient": False}


def named_id(*parts: object) -> str:
    """A UUID that follows from what it is for: the same population has the same ids."""
    return str(uuid5(_NAMES, "|".join(map(str, parts))))


def base(identity: str, created: datetime, modified: datetime) -> Resource:
    """What every resource has."""
    return {
        "id": identity,
        "version": 1 if modified == created else 2,
        "createdAt": stamp(created),
        "lastModifiedAt": stamp(modified),
        "createdBy": _BY,
        "lastModifiedBy": _BY,
    }


def money(minor: int, currency: str, decimals: int) -> Resource:
    """An amount in the currency's smallest coin."""
    return {"type": "centPrecision", "currencyCode": currency, "centAmount": minor, "fractionDigits": decimals}


def custom(fields: dict[str, Any]) -> Resource:
    """Custom fields, without those that are not set; nothing at all if none is."""
    told = {name: value for name, value in fields.items() if value not in (None, "", [])}
    return {"custom": {"type": reference("type", TYPE_ID), "fields": told}} if told else {}


def told(**fields: object) -> Resource:
    """Only the fields that have a value: the vendor leaves the others out."""
    return {name: value for name, value in fields.items() if value not in (None, "")}


def taxed(net: int, tax: int, rate: Resource | None, currency: str, decimals: int) -> Resource:
    """Net, gross and the tax between them, in the smallest coin."""
    portions = (
        [{**told(name=rate["name"]), "rate": rate["amount"], "amount": money(tax, currency, decimals)}] if rate else []
    )
    return {
        "totalNet": money(net, currency, decimals),
        "totalGross": money(net + tax, currency, decimals),
        "totalTax": money(tax, currency, decimals),
        "taxPortions": portions,
    }


def spread(discount: int, quantity: int) -> Sequence[tuple[int, int]]:
    """A line's discount per piece, as (pieces, amount of each): the odd coins go to the last pieces."""
    each, odd = divmod(discount, quantity)
    return [(pieces, amount) for pieces, amount in ((quantity - odd, each), (odd, each + 1)) if pieces and amount]


def line(
    number: str, sku: str, name: str, quantity: int, unit: int, total: int, currency: str, decimals: int
) -> Resource:
    """A line of goods without discounts and taxes; the name is in English."""
    return {
        "id": number,
        "productId": named_id("product", sku),
        "name": {"en": name},
        "productType": reference("product-type", named_id("product-type")),
        "variant": {"id": 1, "sku": sku, "prices": [], "images": [], "attributes": [], "assets": []},
        "price": {"id": named_id("price", sku, currency), "value": money(unit, currency, decimals)},
        "quantity": quantity,
        "totalPrice": money(total, currency, decimals),
        "discountedPricePerQuantity": [],
        "taxedPricePortions": [],
        "state": [],
        "perMethodTaxRate": [],
        "priceMode": "Platform",
        "lineItemMode": "Standard",
    }


def cart(identity: str, begun: datetime, lines: Sequence[Resource], currency: str, decimals: int) -> Resource:
    """A cart that nobody has ordered yet, without taxes and discounts."""
    total = sum(each["totalPrice"]["centAmount"] for each in lines)
    return {
        **base(identity, begun, begun),
        "type": "Cart",
        "cartState": "Active",
        "lineItems": list(lines),
        "customLineItems": [],
        "totalPrice": money(total, currency, decimals),
        "taxMode": "Platform",
        "priceRoundingMode": "HalfEven",
        "taxRoundingMode": "HalfEven",
        "taxCalculationMode": "LineItemLevel",
        "inventoryMode": "None",
        "shippingMode": "Single",
        "shipping": [],
        "itemShippingAddresses": [],
        "discountCodes": [],
        "directDiscounts": [],
        "refusedGifts": [],
        "origin": "Customer",
        "deleteDaysAfterLastModification": 90,
    }


def store(key: str, opened: datetime) -> Resource:
    """A storefront."""
    return {
        **base(named_id("store", key), opened, opened),
        "key": key,
        "name": {"en": key},
        "languages": [],
        "countries": [{"code": key.rpartition("-")[2].upper()}],
        "distributionChannels": [],
        "supplyChannels": [],
        "productSelections": [],
    }


def retail_type(opened: datetime) -> Resource:
    """The type that gives customers and orders their custom fields."""
    plain = {"loyaltyNumber": "String", "loyaltyTier": "String", "loyaltyPoints": "Number", "brand": "String"}
    plain |= {"channel": "String", "loyaltyPointsEarned": "Number", "loyaltyPointsRedeemed": "Number"}
    kinds: dict[str, Resource] = {name: {"name": kind} for name, kind in plain.items()}
    kinds["consents"] = {"name": "Set", "elementType": {"name": "String"}}
    return {
        **base(TYPE_ID, opened, opened),
        "key": "retail",
        "name": {"en": "Retail"},
        "resourceTypeIds": ["customer", "order"],
        "fieldDefinitions": [
            {"name": name, "label": {"en": name}, "required": False, "type": kind, "inputHint": "SingleLine"}
            for name, kind in kinds.items()
        ],
    }
