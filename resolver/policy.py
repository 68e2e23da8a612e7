"""How we decide: thresholds, keys, guards, ownership. Read from policy.toml and stored with every run."""

import tomllib
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import Field, ValidationError, model_validator

from models.base import Frozen
from resolver.complaints import complaints
from resolver.linkage import LinkagePolicy

IdentifierKind = Literal["loyalty_number", "email", "phone", "external_id"]
Criterion = Literal["trusted", "verified", "recent", "frequent", "complete"]

GoldenField = Literal[
    "title", "given_name", "middle_name", "family_name", "name_suffix", "sex", "birth_date", "language",
    "email", "phone", "address", "home_store", "brand",
]  # fmt: skip
GOLDEN_FIELDS: tuple[GoldenField, ...] = get_args(GoldenField)


class WrongPolicy(Exception):
    """policy.toml says something that is not understood; the text names each place and what is allowed there."""


class LandingPolicy(Frozen):
    """How delta windows are cut."""

    overlap_seconds: int = Field(600, ge=0)
    """Read again this much before the last watermark: late commits and same-second changes."""
    lag_seconds: int = Field(5, ge=0)
    """Leave the newest changes to the next run: they may still be in the middle of a commit."""
    vanish_limit: float = Field(0.2, ge=0, le=1)
    """A full read that ends more than this share of an object's records, and more than ten, ends none: it is more
    likely that we may no longer read them than that they are gone."""


class RulePolicy(Frozen):
    """A deterministic rule: records that share an identifier of this kind are one person, unless a guard objects."""

    enabled: bool = True
    max_people: int = Field(1, ge=1)
    """A value that more than this many differently named people hold is no key any more."""
    max_records: int = Field(5000, ge=2)
    """A value that more than this many records hold is no key either: a till's own number, a store's card."""
    needs_verified: bool = False
    """At least one of the two records must say that its source verified the value."""


class RulesPolicy(Frozen):
    """The deterministic rules, by the kind of identifier that they read."""

    loyalty_number: RulePolicy = RulePolicy()
    external_id: RulePolicy = RulePolicy()
    email: RulePolicy = RulePolicy(needs_verified=True)
    phone: RulePolicy = RulePolicy()


class ReviewPolicy(Frozen):
    """Which pairs a steward should see."""

    low_probability: float = Field(0.2, ge=0, le=1)
    high_probability: float = Field(0.9, ge=0, le=1)
    tolerance: float = Field(0.05, ge=0)
    """A weight that moves by less than this (natural log of the odds) is no new judgement."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low_probability > self.high_probability:
            raise ValueError("low_probability is above high_probability; what lies between the two is reviewed")
        return self


_FIELD_ORDER: dict[GoldenField, tuple[Criterion, ...]] = {
    "email": ("verified", "recent", "trusted", "frequent"),
    "phone": ("verified", "recent", "trusted", "frequent"),
    "address": ("recent", "complete", "trusted"),
    "family_name": ("recent", "trusted", "frequent", "complete"),
    "birth_date": ("frequent", "trusted", "recent"),
    "given_name": ("complete", "frequent", "trusted", "recent"),
}
_FIELD_TRUST: dict[GoldenField, tuple[str, ...]] = {"birth_date": ("pos", "commercetools")}


class SurvivorshipPolicy(Frozen):
    """Which source's value becomes golden."""

    order: tuple[Criterion, ...] = ("trusted", "verified", "frequent", "complete", "recent")
    """Criteria in the order in which they decide; ties go to the smallest record key."""
    trust: tuple[str, ...] = ("salesforce", "commercetools", "magento", "bigcommerce", "pos", "aptos")
    """Sources from most to least trusted; a source that is not listed comes last."""
    field_order: dict[GoldenField, tuple[Criterion, ...]] = _FIELD_ORDER
    """Another order for single fields."""
    field_trust: dict[GoldenField, tuple[str, ...]] = _FIELD_TRUST
    """Another ranking of sources for single fields: their system of record."""
    contested: tuple[GoldenField, ...] = ("birth_date", "sex")
    """Fields where sources that disagree make a conflict for a steward."""


class ProfileLinkage(LinkagePolicy):
    """Stricter than `link()` on a table: profiles are shown to people and destinations, so a wrong merge costs more."""

    keep_log_odds: float = -2.5
    lowest: float = -2.5
    unscored: float = -2.5


class PublishingPolicy(Frozen):
    """How destinations are told."""

    workers: int = Field(4, ge=1, le=8)
    """Messages in flight per destination."""
    receipts_per_commit: int = Field(50, ge=1)


class Policy(Frozen):
    """All that a retailer decides about resolution. Every run keeps the one it used."""

    default_country: str | None = Field(None, pattern="^[A-Z]{2}$")
    """Country of phone numbers and addresses that name none."""
    landing: LandingPolicy = LandingPolicy()
    rules: RulesPolicy = RulesPolicy()
    linkage: ProfileLinkage = ProfileLinkage()
    review: ReviewPolicy = ReviewPolicy()
    survivorship: SurvivorshipPolicy = SurvivorshipPolicy()
    publishing: PublishingPolicy = PublishingPolicy()


def read(path: Path) -> Policy:
    """The policy in a TOML file; defaults where it is silent. Raises WrongPolicy naming path and allowed values."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise WrongPolicy(f"{path}: not TOML: {error}") from error
    try:
        return Policy.model_validate(said)
    except ValidationError as error:
        raise WrongPolicy(f"{path}:\n{complaints(error, Policy)}") from error
