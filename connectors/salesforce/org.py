"""What a translation needs to know about the org besides the payload."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from connectors.salesforce.catalogue import OrgFields
from models.base import Frozen
from models.orders import Currency, OrderChannel


class Org(Frozen):
    """How this org uses Salesforce. It changes what records say in our words, never which are read."""

    fields: OrgFields = OrgFields()
    """Names of custom fields."""
    currency: Currency | None = None
    """The org's currency. Orders of an org with a single currency do not tell one, and are refused without this."""
    programmes: Mapping[str, str] = Field(default_factory=dict)
    """Our code of each loyalty programme by its name; a name that is missing stands for itself."""
    programme: str = "main"
    """Our code of the loyalty programme, where `programmes` is empty."""
    spendable: str | None = None
    """Name of the programme currency that members spend. None: there is only one."""
    entry_ids: Literal["ledger", "journal"] = "ledger"
    """journal: a posting is known by its journal's ExternalTransactionNumber, where other systems post to Salesforce
    under numbers that they tell us too, so that one movement told twice moves points once."""
    channels: Mapping[str, OrderChannel] = Field(default_factory=dict)
    """Our channel by the order's own word (sales channel or custom field)."""
    channel: OrderChannel = "web"
    """Channel of orders that tell none, or one that is not listed."""
    brand: str | None = None
    """Brand of everything that says no other."""

    def programme_of(self, name: str | None) -> str:
        """Our code of a programme."""
        if not self.programmes or name is None:
            return self.programme
        return self.programmes.get(name, name)
