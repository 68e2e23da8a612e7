"""Memberships and postings in our words."""

from decimal import Decimal
from typing import Literal, get_args

from connectors.salesforce.org import Org
from connectors.salesforce.payloads import Unreadable, VendorEntry, VendorMember, VendorMerge, VendorTier
from connectors.salesforce.translate_person import enrolled, member_status
from models.landing import Deletion, Reason
from models.loyalty import EntryKind, LoyaltyEntry, LoyaltyMember, Tier

_Attribute = Literal[
    "member_type",
    "membership_end_date",
    "membership_last_renewal_date",
    "last_activity_date",
    "enrollment_channel",
    "can_receive_promotions",
    "can_receive_partner_promotions",
]
_ATTRIBUTES: tuple[_Attribute, ...] = get_args(_Attribute)
_ADJUST: tuple[EntryKind, EntryKind] = ("adjust", "adjust")
_MOVEMENTS: dict[str, tuple[EntryKind, EntryKind]] = {
    "accrual": ("earn", "reverse_earn"),
    "redemption": ("reverse_redeem", "redeem"),
}
"""By journal type: what adding points means, and what taking them means."""


def member(vendor: VendorMember, org: Org) -> LoyaltyMember | Deletion:
    """An account; or that it was merged into another one, unless the merge was taken back."""
    merge = _merge(vendor)
    if merge is not None:
        at = merge.get("created_date") or merge.get("system_modstamp")
        return Deletion(at=at, merged_into=merge["target_member_id"])
    return LoyaltyMember(
        account=vendor["membership_number"],
        programme=org.programme_of(vendor.get("programme")),
        status=member_status(vendor.get("member_status")),
        tier=_tier(vendor),
        balance=_balance(vendor, org),
        enrolled_at=enrolled(vendor.get("enrollment_date")),
        customer=_customer(vendor),
        attributes={name: _said(value) for name in _ATTRIBUTES if (value := vendor.get(name)) is not None},
    )


def _said(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _merge(vendor: VendorMember) -> VendorMerge | None:
    """The merge that holds: the latest, if it was carried out and not undone."""
    told = vendor.get("loyalty_program_member_merges", ())
    last = max(told, key=lambda each: (str(each.get("created_date") or ""), each["id"]), default=None)
    return last if last and (last.get("status") or "Merged").lower() == "merged" else None


def _customer(vendor: VendorMember) -> str | None:
    """A person account's contact is no record of its own: the account is."""
    if vendor.get("contact_is_person_account") and vendor.get("contact_account_id"):
        return vendor.get("contact_account_id")
    return vendor.get("contact_id") or vendor.get("account_id")


def _tier(vendor: VendorMember) -> Tier | None:
    """The level that was reached last. Which group of tiers it belongs to is not told further."""
    named = [(each, code) for each in vendor.get("loyalty_member_tiers", ()) if (code := each.get("tier"))]
    if not named:
        return None
    last, code = max(named, key=lambda each: _reached(each[0]))
    return Tier(code=code, expires_on=last.get("tier_expiration_date"))


def _reached(told: VendorTier) -> tuple[str, str]:
    day = told.get("effective_date")
    return (day.isoformat() if day else "", told["id"])


def _balance(vendor: VendorMember, org: Org) -> int | None:
    """Spendable points; None where several currencies are told and nobody said which one is spent."""
    told = [
        (place, balance)
        for place, each in enumerate(vendor.get("loyalty_member_currencies", ()))
        if (balance := each.get("points_balance")) is not None and org.spendable in (None, each.get("currency"))
    ]
    if len(told) != 1:
        return None
    place, points = told[0]
    return _whole(points, f"LoyaltyMemberCurrencies[{place}].PointsBalance")


def entry(vendor: VendorEntry, org: Org) -> LoyaltyEntry:
    """A posting. What is posted in a currency that is not spent counts in a programme of its own."""
    points, movement = _movement(vendor)
    if vendor.get("activity_date") is None and vendor.get("created_date") is None:
        raise Unreadable(Reason(path="ActivityDate", problem="neither ActivityDate nor CreatedDate is told"))
    reverses = vendor.get("reversed_number") if movement in {"reverse_earn", "reverse_redeem"} else None
    return LoyaltyEntry(
        account=vendor["account"],
        programme=_programme(vendor, org),
        external_id=_external_id(vendor, org),
        movement=movement,
        points=points,
        at=vendor.get("activity_date") or vendor.get("created_date"),
        expires_on=vendor.get("expiry_date"),
        order=vendor.get("order_id"),
        reverses=reverses if org.entry_ids == "journal" else None,
        reason=vendor.get("journal_reason") or vendor.get("additional_notes"),
    )


def _programme(vendor: VendorEntry, org: Org) -> str:
    programme = org.programme_of(vendor.get("programme"))
    spent = org.spendable is None or vendor.get("currency") in (None, org.spendable)
    return programme if spent else f"{programme}/{vendor.get('currency')}"


def _external_id(vendor: VendorEntry, org: Org) -> str:
    number = vendor.get("number")
    return number if org.entry_ids == "journal" and number else f"salesforce:{vendor['id']}"


def _movement(vendor: VendorEntry) -> tuple[int, EntryKind]:
    """Signed points and what moved them. The ledger tells amounts without a sign, the event type gives it."""
    points, event = _whole(vendor["points"], "Points"), vendor["event_type"].lower()
    added, taken = _MOVEMENTS.get(
        (vendor.get("journal_type") or "").lower(), _ADJUST if vendor.get("journal_type") else ("earn", "redeem")
    )
    if event == "credit":
        return abs(points), added
    if event == "debit":
        return -abs(points), taken
    if event == "expiry":
        return -abs(points), "expire"
    if event == "transfer":
        return points, "transfer_in" if points >= 0 else "transfer_out"
    raise Unreadable(Reason(path="EventType", problem="none of Credit, Debit, Expiry, Transfer"))


def _whole(points: Decimal, path: str) -> int:
    if not points.is_finite() or points != points.to_integral_value():
        raise Unreadable(Reason(path=path, problem="points are whole numbers"))
    return int(points)
