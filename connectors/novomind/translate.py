"""Our words to the subjects that the iAGENT field map picks from. Pure: the same document gives the same subjects."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from connectors.fieldmap_schema import Limits, Masking
from connectors.payload import Payload
from models.base import Frozen
from models.loyalty import LoyaltyMember
from models.orders import OrderLine
from models.profiles import AttachedOrder, GoldenProfile, ProfileDocument
from models.records import RecordKey


def contacts(
    document: ProfileDocument, tenants: Mapping[str, str], limits: Limits, masking: Masking
) -> list[tuple[str, Payload]]:
    """Tenant and subject for each tenant this profile has to do with; each sees only what belongs to its brands."""
    shared = _shared(document, masking)
    return [
        (tenant, {**shared, **_within(document, tenant, tenants, limits, masking)}) for tenant in _of(document, tenants)
    ]


def retired(document: ProfileDocument, tenants: Mapping[str, str], masking: Masking) -> list[tuple[str, Payload]]:
    """Tenant and subject for every tenant there is: a retired profile no longer knows where it was told."""
    shared = _shared(document, masking)
    return [(tenant, shared) for tenant in sorted(set(tenants.values()))]


def tenant_of(brand: str | None, tenants: Mapping[str, str]) -> str | None:
    """The tenant of a brand; None if it has none and must not be told to anybody."""
    return tenants.get(brand or "*", tenants.get("*"))


def _of(document: ProfileDocument, tenants: Mapping[str, str]) -> list[str]:
    told = {document.profile.brand, *(attached.order.brand for attached in document.orders)}
    brands = (told | {consent.brand for consent in document.consents}) - {None} or {None}
    return sorted(tenant for tenant in {tenant_of(brand, tenants) for brand in brands} if tenant is not None)


def _shared(document: ProfileDocument, masking: Masking) -> Payload:
    profile = masking.apply(document.profile.model_dump(mode="json", exclude={"provenance"}))
    members = sorted(document.loyalty, key=_first_account)
    return {
        "profile": profile,
        "name": GoldenProfile.model_validate(profile).display_name,
        "loyalty": [member.model_dump(mode="json") for member in members],
        "facts": {fact.name: fact.value for fact in document.facts},
    }


def _first_account(member: LoyaltyMember) -> tuple[bool, int, str, str]:
    """Accounts in use before others, then the fuller one: an agent is asked about that."""
    return member.status != "active", -(member.balance or 0), member.programme, member.account


def _within(
    document: ProfileDocument, tenant: str, tenants: Mapping[str, str], limits: Limits, masking: Masking
) -> Payload:
    own = [attached for attached in document.orders if tenant_of(attached.order.brand, tenants) == tenant]
    newest = sorted(sorted(own, key=_record), key=_placed, reverse=True)[: limits.orders]
    consents = [one for one in document.consents if one.brand is None or tenant_of(one.brand, tenants) == tenant]
    told = {
        "consents": [consent.model_dump(mode="json") for consent in consents],
        "orders": [_order(attached, limits) for attached in newest],
        "truncated": {"orders": len(newest) < len(own)},
    }
    return masking.apply(told)


def _record(attached: AttachedOrder) -> str:
    return attached.record


def _placed(attached: AttachedOrder) -> float:
    return attached.order.placed_at.timestamp()


def _order(attached: AttachedOrder, limits: Limits) -> Payload:
    order = attached.order
    lines = _in_order(order.lines)[: limits.order_lines]
    return {
        **order.model_dump(mode="json", exclude=_NOT_SHOWN),
        "source": RecordKey.parse(attached.record).source,
        "lines": _dumped(lines),
        "truncated_lines": len(lines) < len(order.lines),
        "fulfilments": _dumped(sorted(order.fulfilments, key=lambda one: one.fulfilment_id)),
        "returns": _dumped(sorted(order.returns, key=lambda one: one.return_id)),
        "refunds": _dumped(sorted(order.refunds, key=lambda one: one.refund_id)),
    }


_Part = TypeVar("_Part", bound=Frozen)
_NOT_SHOWN = {"person", "customer", "loyalty", "attributes", "lines", "fulfilments", "returns", "refunds"}


def _dumped(parts: Iterable[_Part]) -> list[Payload]:
    return [part.model_dump(mode="json") for part in parts]


def _in_order(lines: Iterable[OrderLine]) -> Sequence[OrderLine]:
    return sorted(lines, key=lambda line: (len(line.line_id), line.line_id))
