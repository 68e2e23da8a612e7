"""What a population is made of: its size, its countries, its systems and how often each difficulty occurs."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

CountryCode = Literal["US", "GB", "DE", "FR", "NL", "LV", "PL", "JP"]
SystemName = Literal["bigcommerce", "commercetools", "magento", "pos", "salesforce", "aptos"]
Rate = Annotated[float, Field(ge=0, le=1)]

COUNTRY_SHARES: dict[CountryCode, float] = {
    "US": 0.26,
    "GB": 0.18,
    "DE": 0.18,
    "FR": 0.12,
    "NL": 0.08,
    "LV": 0.05,
    "PL": 0.07,
    "JP": 0.06,
}


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rates(Frozen):
    """How often each difficulty occurs. The description of a field says: a share of what.

    A field's name is also the label in `truth.parquet`; the summary of a written population counts, for each,
    how many units could have been affected and how many were.
    """

    household_email: Rate = Field(0.12, description="families of two or more: members use one mailbox")
    household_phone: Rate = Field(0.15, description="families of two or more: members give the landline")
    twins: Rate = Field(0.05, description="families with two or more children of the ages that shop: the first two")
    jr_sr: Rate = Field(0.06, description="families with a father and a son: both bear the same given name")
    namesake: Rate = Field(0.02, description="people who live alone: same full name as a stranger in the same country")
    married_name: Rate = Field(0.20, description="wives who bear the common name: took it while already a customer")
    moved: Rate = Field(0.15, description="households: moved once between the first day and the last")
    recycled_phone: Rate = Field(
        0.01, description="grown-ups: the number they gave up went to a stranger, or theirs came so"
    )
    second_email: Rate = Field(0.10, description="people: use a second mailbox for about half of their records")
    two_accounts: Rate = Field(0.03, description="shop accounts: the same person opens another one in the same shop")
    recreated_account: Rate = Field(0.015, description="shop accounts: deleted, and opened anew under another id")
    two_cards: Rate = Field(0.01, description="till cards: the same person enrols a second time")
    guest_email_only: Rate = Field(0.20, description="guest records with a mailbox of their own: it is all there is")
    guest_phone_only: Rate = Field(
        0.25, description="till guest records with a mobile of their own: it is all there is"
    )
    staff_card: Rate = Field(0.03, description="till receipts without the buyer's own card: a clerk's card is swiped")
    nickname: Rate = Field(0.06, description="named records whose given name has a short form: the short form")
    initial_only: Rate = Field(0.02, description="named records: the given name is an initial")
    swapped_names: Rate = Field(0.01, description="named records: given and family name change places")
    diacritics: Rate = Field(
        0.50, description="records with marks in the name, where the system can drop them: dropped"
    )
    transliteration: Rate = Field(
        0.10, description="records whose name can be written otherwise: it is (ue, Satoh, sh)"
    )
    keyboard_typo: Rate = Field(0.04, description="records: one slip of the finger in a name, mailbox, phone or street")
    phonetic_typo: Rate = Field(0.02, description="named records: one name is spelt by ear")
    birth_date_swap: Rate = Field(
        0.01, description="records with a birth date that allows it: day and month change places"
    )
    placeholder_email: Rate = Field(0.03, description="till and guest records with an e-mail: noreply@ and the like")
    placeholder_phone: Rate = Field(0.03, description="records with a phone: 0000000000 and the like")
    store_address: Rate = Field(0.02, description="till cards with an address: the store's own address")
    company: Rate = Field(0.005, description="shop accounts: an additional account of a company, no person at all")


class Presence(Frozen):
    """Shares of people who have each kind of record, per system of the kind, and how many orders they place there."""

    shop_account: Rate = 0.42
    shop_guest: Rate = 0.18
    till_card: Rate = 0.50
    till_guest: Rate = 0.10
    crm_contact: Rate = 0.40
    orders_per_account: float = Field(2.0, ge=0, le=50)
    orders_per_card: float = Field(3.0, ge=0, le=50)
    anonymous_receipts: float = Field(0.25, ge=0, le=10)
    """Till receipts per person on which nobody is captured at all."""


class PopulationSpec(Frozen):
    """Everything that decides a population. The same spec gives the same bytes.

    `people` is exact and includes the protagonists of the closing story. Nothing happens before `starts_on`
    or after `as_of`. `block_people` people are drawn together; a household, a recycled number, a pair of
    namesakes never reaches beyond its block.
    """

    seed: int = Field(1, ge=0)
    people: int = Field(2_000, ge=20, le=20_000_000)
    countries: dict[CountryCode, Annotated[float, Field(gt=0)]] = Field(default_factory=lambda: dict(COUNTRY_SHARES))
    systems: tuple[SystemName, ...] = ("bigcommerce", "commercetools", "pos")
    presence: Presence = Presence()
    rates: Rates = Rates()
    starts_on: date = date(2021, 1, 1)
    as_of: date = date(2026, 11, 1)
    block_people: int = Field(10_000, ge=20, le=200_000)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if not self.countries or not self.systems or len(set(self.systems)) != len(self.systems):
            raise ValueError("countries and systems must name at least one each, and no system twice")
        if (self.as_of - self.starts_on).days < 730:
            raise ValueError("as_of must lie at least two years after starts_on")
        return self

    @property
    def blocks(self) -> int:
        """Number of blocks, the last of which may be smaller."""
        return -(-self.people // self.block_people)

    def block_size(self, number: int) -> int:
        """People in block `number` (0-based). Raises ValueError outside the population."""
        if not 0 <= number < self.blocks:
            raise ValueError(f"block {number} of a population of {self.blocks} blocks")
        return min(self.block_people, self.people - number * self.block_people)
