"""A payment as a settlement: money that came and money that went back, apart from the order that refers to it."""

from collections.abc import Iterator

from connectors.commercetools.payloads import Transaction, VendorPayment
from connectors.commercetools.reading import Unreadable, Words, money
from models.landing import Reason
from models.orders import Settlement

_WENT_BACK = {"Refund": None, "Chargeback": "chargeback"}


def settlement(told: VendorPayment) -> Settlement:
    """Only successful charges and refunds moved money; authorisations and pending or failed steps did not."""
    _check_currencies(told)
    moved = [step for step in told.transactions if step.state == "Success"]
    return Settlement.model_validate({"tenders": list(_tenders(told, moved)), "refunds": list(_refunds(moved))})


def _tenders(told: VendorPayment, moved: list[Transaction]) -> Iterator[Words]:
    means = told.payment_method_info.method or told.payment_method_info.payment_interface or "unknown"
    for step in moved:
        if step.type == "Charge":
            reference = step.interaction_id or step.id
            yield {"tender": means, "amount": money(step.amount), "reference": reference, "at": step.timestamp}


def _refunds(moved: list[Transaction]) -> Iterator[Words]:
    for step in moved:
        if step.type in _WENT_BACK:
            reason = _WENT_BACK[step.type]
            yield {"refund_id": step.id, "amount": money(step.amount), "reason": reason, "at": step.timestamp}


def _check_currencies(told: VendorPayment) -> None:
    planned = told.amount_planned.currency_code
    wrong = [number for number, step in enumerate(told.transactions) if step.amount.currency_code != planned]
    if wrong:
        problem = "another currency than the planned amount's"
        raise Unreadable([Reason(path=f"transactions[{n}].amount.currencyCode", problem=problem) for n in wrong])
