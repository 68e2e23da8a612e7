"""A payment as a settlement: money that came and money that went back, apart from the order that refers to it."""

from collections.abc import Iterator

from connectors.commercetools.payloads import Transaction, VendorPayment
from connectors.commercetools.reading import Unreadable, money
from models.base import Words
from models.landing import Reason
from models.orders import Settlement

_WENT_BACK = {"Refund": None, "Chargeback": "chargeback"}


def settlement(told: VendorPayment) -> Settlement:
    """Only successful charges and refunds moved money; authorisations and pending or failed steps did not."""
    _check_currencies(told)
    moved = [step for step in told.get("transactions", ()) if step["state"] == "Success"]
    return Settlement.model_validate({"tenders": list(_tenders(told, moved)), "refunds": list(_refunds(moved))})


def _tenders(told: VendorPayment, moved: list[Transaction]) -> Iterator[Words]:
    info = told.get("payment_method_info", {})
    means = info.get("method") or info.get("payment_interface") or "unknown"
    for step in moved:
        if step["type"] == "Charge":
            reference = step.get("interaction_id") or step["id"]
            amount = money(step["amount"])
            yield {"tender": means, "amount": amount, "reference": reference, "at": step.get("timestamp")}


def _refunds(moved: list[Transaction]) -> Iterator[Words]:
    for step in moved:
        if step["type"] in _WENT_BACK:
            reason, amount = _WENT_BACK[step["type"]], money(step["amount"])
            yield {"refund_id": step["id"], "amount": amount, "reason": reason, "at": step.get("timestamp")}


def _check_currencies(told: VendorPayment) -> None:
    planned, steps = told["amount_planned"]["currency_code"], told.get("transactions", ())
    wrong = [number for number, step in enumerate(steps) if step["amount"]["currency_code"] != planned]
    if wrong:
        problem = "another currency than the planned amount's"
        raise Unreadable([Reason(path=f"transactions[{n}].amount.currencyCode", problem=problem) for n in wrong])
