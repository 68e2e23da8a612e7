"""What must not come this far: payment modules leave data of cards and accounts with orders and transactions."""

from connectors.magento.rows import with_changed, without

_CARD_FIELDS = ("cc_", "echeck_", "anet_")
_OF_PAYMENT = {"additional_information", "additional_data", "extension_attributes"}
_OF_ORDER = {"payment_additional_info"}


def without_card_data(order: str) -> str:
    """The order as it was sent, byte by byte, save for what payment modules keep of cards and accounts."""
    return with_changed(order, {"payment": _clean_payment, "extension_attributes": _clean_extension})


def _clean_payment(payment: str) -> str:
    return without(payment, lambda name: name in _OF_PAYMENT or name.startswith(_CARD_FIELDS))


def _clean_extension(extension: str) -> str:
    return without(extension, lambda name: name in _OF_ORDER)


def without_gateway_data(transaction: str) -> str:
    """The transaction as it was sent, save for what the gateway said. Those below it are rows of their own."""
    return without(transaction, lambda name: name in {"additional_information", "child_transactions"})
