"""Answers the vendor's query parameters: where, sort, limit, offset, withTotal, expand."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from connectors.commercetools.sandbox_predicate import Malformed, predicate
from connectors.commercetools.sandbox_shop import Resource, Shop

LARGEST_LIMIT = 500
LARGEST_OFFSET = 10_000
_TOTAL_CAP = 10_000

_EVERY = {"id", "version", "key", "createdAt", "lastModifiedAt", "createdBy", "lastModifiedBy", "custom"}
FIELDS: dict[str, frozenset[str]] = {
    "customers": frozenset(
        {
            *_EVERY,
            *(
                "email",
                "lowercaseEmail",
                "customerNumber",
                "externalId",
                "firstName",
                "lastName",
                "middleName",
                "title",
            ),
            *("salutation", "dateOfBirth", "companyName", "vatId", "addresses", "isEmailVerified", "customerGroup"),
            *("customerGroupAssignments", "locale", "stores", "authenticationMode", "defaultShippingAddressId"),
            *("shippingAddressIds", "defaultBillingAddressId", "billingAddressIds"),
        }
    ),
    "orders": frozenset(
        {
            *_EVERY,
            *("orderNumber", "purchaseOrderNumber", "customerId", "customerEmail", "customerGroup", "anonymousId"),
            *("businessUnit", "store", "lineItems", "customLineItems", "totalPrice", "taxedPrice", "taxMode"),
            *("discountOnTotalPrice", "billingAddress", "shippingAddress", "shippingInfo", "shipping", "discountCodes"),
            *("paymentInfo", "country", "locale", "origin", "cart", "orderState", "shipmentState", "paymentState"),
            *("state", "syncInfo", "returnInfo", "completedAt", "inventoryMode", "directDiscounts", "shippingMode"),
        }
    ),
    "payments": frozenset(
        {
            *_EVERY,
            *("customer", "anonymousId", "externalId", "interfaceId", "amountPlanned", "paymentMethodInfo"),
            *("paymentStatus", "transactions", "interfaceInteractions"),
        }
    ),
    "carts": frozenset(
        {
            *_EVERY,
            *("customerId", "customerEmail", "customerGroup", "anonymousId", "businessUnit", "store", "lineItems"),
            *("customLineItems", "totalPrice", "taxedPrice", "cartState", "billingAddress", "shippingAddress"),
            *("country", "locale", "origin", "discountCodes", "paymentInfo", "deleteDaysAfterLastModification"),
        }
    ),
    "messages": frozenset({*_EVERY, "type", "sequenceNumber", "resource", "resourceVersion"}),
    "stores": frozenset({*_EVERY, "name", "languages", "countries", "distributionChannels", "supplyChannels"}),
    "customer-groups": frozenset({*_EVERY, "name"}),
    "types": frozenset({*_EVERY, "name", "description", "resourceTypeIds", "fieldDefinitions"}),
}

Params = Sequence[tuple[str, str]]


def page(shop: Shop, path: str, params: Params, shuffle: Random) -> dict[str, Any]:
    """One page of a collection. Without a sort, and among equals of a sort, the order is a new one each time.

    Raises Malformed.
    """
    limit = _whole("limit", params, 20, LARGEST_LIMIT)
    offset = _whole("offset", params, 0, LARGEST_OFFSET)
    found = _found(shop, path, params, shuffle)
    shown = [expanded(shop, each, params) for each in found[offset : offset + limit]]
    told: dict[str, Any] = {"limit": limit, "offset": offset, "count": len(shown)}
    if _one("withTotal", params, "true") != "false":
        told["total"] = min(len(found), _TOTAL_CAP) if _many("where", params) else len(found)
    return told | {"results": shown}


def expanded(shop: Shop, resource: Resource, params: Params) -> Resource:
    """The resource with `obj` in those references that `expand` names, e.g. `paymentInfo.payments[*]`."""
    paths = _many("expand", params)
    if not paths:
        return resource
    shown = deepcopy(resource)
    for path in paths:
        _expand(shop, shown, path.split("."))
    return shown


def _found(shop: Shop, path: str, params: Params, shuffle: Random) -> list[Resource]:
    variables = {name.removeprefix("var."): value for name, value in params if name.startswith("var.")}
    tests = [predicate(text, variables, FIELDS[path]) for text in _many("where", params)]
    found = [each for each in map(_as_stored, shop.all(path)) if all(test(each) for test in tests)]
    shuffle.shuffle(found)
    for sort in reversed(_many("sort", params)):
        _sort(found, sort, FIELDS[path])
    return [each if "lowercaseEmail" not in each else _without(each, "lowercaseEmail") for each in found]


def _as_stored(resource: Resource) -> Resource:
    """E-mails can be asked for in small letters, in a field that is never told."""
    return resource | {"lowercaseEmail": resource["email"].lower()} if "email" in resource else resource


def _without(resource: Resource, name: str) -> Resource:
    return {key: value for key, value in resource.items() if key != name}


def _sort(found: list[Resource], sort: str, fields: frozenset[str]) -> None:
    """Stable; what lacks the field comes last."""
    words = sort.split()
    if len(words) not in {1, 2} or words[1:] not in ([], ["asc"], ["desc"]):
        raise Malformed(f"Malformed parameter: sort: Syntax error while parsing 'sort', at {len(words)}.")
    steps = words[0].split(".")
    if steps[0] not in fields:
        raise Malformed(f"Malformed parameter: sort: The field '{steps[0]}' does not exist.")
    there = sorted((each for each in found if _at(each, steps) is not None), key=lambda each: _at(each, steps))
    if words[1:] == ["desc"]:
        there.sort(key=lambda each: _at(each, steps), reverse=True)
    found[:] = there + [each for each in found if _at(each, steps) is None]


def _at(resource: Mapping[str, Any], steps: list[str]) -> Any:  # noqa: ANN401  whatever the field holds
    value: Any = resource
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _expand(shop: Shop, thing: object, steps: list[str]) -> None:
    if isinstance(thing, list):
        for member in thing:
            _expand(shop, member, steps)
    elif isinstance(thing, dict) and steps:
        _expand(shop, thing.get(steps[0].removesuffix("[*]")), steps[1:])
    elif isinstance(thing, dict) and "typeId" in thing:
        found = shop.refer(thing["typeId"], thing.get("id", ""))
        if found is not None:
            thing["obj"] = found


def _many(name: str, params: Params) -> list[str]:
    return [value for key, value in params if key == name]


def _one(name: str, params: Params, default: str) -> str:
    return next(iter(_many(name, params)), default)


def _whole(name: str, params: Params, default: int, largest: int) -> int:
    said = _one(name, params, str(default))
    if not said.isdecimal() or int(said) > largest:
        raise Malformed(f"Malformed parameter: {name}: The parameter '{name}' must be between 0 and {largest}.")
    return int(said)
