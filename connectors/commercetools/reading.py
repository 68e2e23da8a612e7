"""How a payload is read: what a shop calls its own fields, and how it is said which field could not be read."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from connectors.commercetools.payloads import CentMoney, CustomFields, PreciseMoney
from models.base import Frozen
from models.landing import Reason
from models.orders import Money

_KINDS_OF_MONEY = {"centPrecision", "highPrecision"}
_NO_MONEY = "expected money of the type centPrecision or highPrecision"
Told = TypeVar("Told")


class ShopFields(Frozen):
    """Which custom fields of this project hold what. Custom fields are the shop's own, so their names differ."""

    loyalty_number: str = "loyaltyNumber"
    loyalty_tier: str = "loyaltyTier"
    loyalty_points: str = "loyaltyPoints"
    """Points that the shop says are spendable; on customers."""
    points_earned: str = "loyaltyPointsEarned"
    points_redeemed: str = "loyaltyPointsRedeemed"
    """Points of one order, positive whole numbers; on orders."""
    consents: str = "consents"
    """A set of texts, each a JSON object: channel, status, and if known at, brand, purpose, proof, contactPoint."""
    brand: str = "brand"
    channel: str = "channel"
    """On orders: web, app, pos or phone, where the shop says it."""
    programme: str = "main"
    """The loyalty programme that the numbers belong to."""
    default_brand: str | None = None
    """Brand of everything that says no other."""
    brands: Mapping[str, str] = Field(default_factory=dict)
    """Brand of each store, by the store's key."""

    @cached_property
    def words(self) -> frozenset[str]:
        """The custom fields that have a place of their own in our words."""
        return frozenset(
            {
                self.loyalty_number,
                self.loyalty_tier,
                self.loyalty_points,
                self.points_earned,
                self.points_redeemed,
                self.consents,
                self.brand,
                self.channel,
            }
        )

    def brand_of(self, custom: Mapping[str, Any], store: str | None) -> str | None:
        """The record's own brand, else its store's, else the default."""
        told = text(custom.get(self.brand))
        return told or (self.brands.get(store) if store else None) or self.default_brand


class Unreadable(Exception):
    """A payload that does not hold what the contract promises; becomes a Refusal before it leaves this package."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(f"{len(reasons)} reasons")
        self.reasons = tuple(reasons)


def reasons(error: ValidationError, prefix: str = "") -> tuple[Reason, ...]:
    """Where and what, without the values. Of the two kinds of money pydantic would repeat the one it found."""
    told = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(
        Reason(
            path=path((prefix, *each["loc"]) if prefix else each["loc"]),
            problem=_NO_MONEY if each["type"] == "union_tag_invalid" else each["msg"],
        )
        for each in told
    )


def path(location: Iterable[int | str]) -> str:
    """`("lineItems", 2, "price")` as `lineItems[2].price`. Which kind of money it was read as is no place."""
    said = ""
    for step in location:
        if step in _KINDS_OF_MONEY:
            continue
        said += f"[{step}]" if isinstance(step, int) else f".{step}" if said else step
    return said


def money(told: CentMoney | PreciseMoney) -> Money:
    """Our money: a decimal amount in the currency's unit."""
    return _money(told["units"], told["fraction_digits"], told["currency_code"])


@lru_cache(maxsize=20_000)
def _money(units: int, fraction_digits: int, currency: str) -> Money:
    """Values are shared: the same prices come again and again, within an order and from one to the next."""
    return Money(amount=Decimal(units).scaleb(-fraction_digits), currency=currency)


def text(value: object) -> str | None:
    """A custom field as text; None if it is absent or blank."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    said = str(value)
    return said if said.strip() else None


def localised(names: Mapping[str, str] | None, locale: str | None) -> str | None:
    """The name in this locale, else in its language, else in English, else the first by language tag."""
    if not names:
        return None
    for tag in _sought(locale):
        if tag in names:
            return names[tag]
    return names[min(names)]


@lru_cache(maxsize=1_000)
def _sought(locale: str | None) -> tuple[str, ...]:
    return (locale, locale.split("-")[0], "en") if locale else ("en",)


def own_fields(custom: CustomFields | None) -> Mapping[str, Any]:
    """The custom fields, none of them if the resource has no type."""
    return custom.get("fields", {}) if custom else {}


def told_in(shape: TypeAdapter[Told], custom: Mapping[str, Any], names: Mapping[str, str]) -> Told | None:
    """The shape read from custom fields; `names` says which custom field holds which field of the shape.

    None if there is none of these custom fields. Raises Unreadable with the custom fields' own paths.
    """
    if custom.keys().isdisjoint(names.values()):
        return None
    try:
        return shape.validate_python({word: custom.get(name) for word, name in names.items()})
    except ValidationError as error:
        where = {word: f"custom.fields.{name}" for word, name in names.items()}
        raise Unreadable([Reason(path=where[each.path], problem=each.problem) for each in reasons(error)]) from error


def other_fields(custom: Mapping[str, Any], shop: ShopFields) -> dict[str, str]:
    """Custom fields that we have no word for, if they are plain values: `custom.<name>` -> text."""
    return plain_fields({name: value for name, value in custom.items() if name not in shop.words}) if custom else {}


def plain_fields(custom: Mapping[str, Any]) -> dict[str, str]:
    """Custom fields that are plain values: `custom.<name>` -> text."""
    return {
        f"custom.{name}": said
        for name, value in custom.items()
        if isinstance(value, (str, int, float, bool)) and (said := text(value)) is not None
    }


def without_blanks(told: Mapping[str, str | None]) -> dict[str, str]:
    """Only what was told."""
    return {name: value for name, value in told.items() if value}
