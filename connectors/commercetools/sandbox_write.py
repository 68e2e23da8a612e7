"""The update actions that the sandbox carries out, by resource."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.commercetools.sandbox_shop import Resource, Shop

Action = Mapping[str, Any]
Edit = Callable[[Resource, Action], None]


class Unfit(Exception):
    """An action that the vendor answers with 400: its error code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def edit(shop: Shop, path: str, actions: object) -> Callable[[Resource], None]:
    """What the actions do to a resource, in their order. The edit raises Unfit for what the vendor refuses."""
    if not isinstance(actions, list):
        raise Unfit("InvalidJsonInput", "Request body does not contain valid JSON. actions: Missing required value")

    def apply(resource: Resource) -> None:
        for number, action in enumerate(actions):
            _apply(shop, path, resource, action, number)

    return apply


def _apply(shop: Shop, path: str, resource: Resource, action: Action, number: int) -> None:
    name = action.get("action") if isinstance(action, dict) else None
    if name == "setCustomType":
        _set_custom_type(shop, resource, action)
    elif name == "setCustomField":
        _set_custom_field(resource, action)
    elif name == "changeEmail" and path == "customers":
        _change_email(shop, resource, action)
    elif (path, name) in _EDITS:
        _EDITS[path, str(name)](resource, action)
    else:
        raise Unfit("InvalidJsonInput", f"Request body does not contain valid JSON. actions[{number}]: unknown action")


def _set_custom_type(shop: Shop, resource: Resource, action: Action) -> None:
    asked = action.get("type")
    if asked is None:
        resource.pop("custom", None)
        return
    found = shop.find("types", asked["id"] if "id" in asked else f"key={asked.get('key')}")
    if found is None:
        raise Unfit("ReferencedResourceNotFound", "The referenced object of type 'type' was not found.")
    fields = {name: value for name, value in (action.get("fields") or {}).items() if value is not None}
    resource["custom"] = {"type": {"typeId": "type", "id": found["id"]}, "fields": fields}


def _set_custom_field(resource: Resource, action: Action) -> None:
    if "custom" not in resource:
        raise Unfit("InvalidOperation", "The resource has no custom type, so it has no custom fields.")
    fields = resource["custom"]["fields"]
    if action.get("value") is None:
        fields.pop(action["name"], None)
    else:
        fields[action["name"]] = action["value"]


def _change_email(shop: Shop, resource: Resource, action: Action) -> None:
    check_email_is_free(shop, action["email"], resource.get("stores", []), resource["id"])
    resource.update(email=action["email"], isEmailVerified=False)


def check_email_is_free(shop: Shop, email: str, stores: list[Mapping[str, str]], own_id: str | None) -> None:
    """E-mails are unique, whatever their case, in the project or in each store. Raises Unfit with DuplicateField."""
    keys = {store["key"] for store in stores}
    for other in shop.all("customers"):
        others = {store["key"] for store in other["stores"]}
        meets = bool(keys & others) or not keys or not others
        if other["id"] != own_id and meets and other["email"].lower() == email.lower():
            raise Unfit("DuplicateField", "There is already an existing customer with the provided email.")


def _set(field: str, told_as: str | None = None) -> Edit:
    def edit_field(resource: Resource, action: Action) -> None:
        value = action.get(told_as or field)
        if value is None:
            resource.pop(field, None)
        else:
            resource[field] = value

    return edit_field


def _add_transaction(payment: Resource, action: Action) -> None:
    number = len(payment["transactions"]) + 1
    draft = {"id": f"{payment['id']}-t{number}", "state": "Initial", **action["transaction"]}
    draft["amount"] = {"type": "centPrecision", "fractionDigits": payment["amountPlanned"]["fractionDigits"]} | draft[
        "amount"
    ]
    payment["transactions"].append(draft)


def _add_return(order: Resource, action: Action) -> None:
    number = sum(len(each["items"]) for each in order["returnInfo"])
    items = [
        {
            "id": f"{order['id']}-r{number + place}",
            "type": "LineItemReturnItem",
            "paymentState": "Initial",
            "createdAt": order["lastModifiedAt"],
            "lastModifiedAt": order["lastModifiedAt"],
            **item,
        }
        for place, item in enumerate(action["items"], start=1)
    ]
    told = {name: action[name] for name in ("returnTrackingId", "returnDate") if name in action}
    order["returnInfo"].append({**told, "items": items})


def _change_transaction_state(payment: Resource, action: Action) -> None:
    for transaction in payment["transactions"]:
        if transaction["id"] == action["transactionId"]:
            transaction["state"] = action["state"]
            return
    raise Unfit("InvalidOperation", "The payment has no such transaction.")


_EDITS: dict[tuple[str, str], Edit] = {
    ("customers", "setFirstName"): _set("firstName"),
    ("customers", "setLastName"): _set("lastName"),
    ("customers", "setExternalId"): _set("externalId"),
    ("customers", "setCustomerNumber"): _set("customerNumber"),
    ("customers", "setLocale"): _set("locale"),
    ("customers", "setKey"): _set("key"),
    ("customers", "setStores"): _set("stores"),
    ("orders", "setCustomerId"): _set("customerId"),
    ("orders", "setCustomerEmail"): _set("customerEmail", "email"),
    ("orders", "setOrderNumber"): _set("orderNumber"),
    ("orders", "changeOrderState"): _set("orderState"),
    ("orders", "changePaymentState"): _set("paymentState"),
    ("orders", "changeShipmentState"): _set("shipmentState"),
    ("orders", "addReturnInfo"): _add_return,
    ("payments", "addTransaction"): _add_transaction,
    ("payments", "changeTransactionState"): _change_transaction_state,
}
