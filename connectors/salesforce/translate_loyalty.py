"""Memberships and postings in our words."""

from decimal import Decimal

from connectors.salesforce.org import Org
from connectors.salesforce.payloads import Unreadable, VendorEntry, VendorMember, VendorMerge, VendorTier
from connectors.salesforce.translate_person import enrolled, member_status
from models.landing import Deletion, Reason
from models.loyalty import EntryKind, LoyaltyEntry, LoyaltyMember, Tier

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
        return Deletion(at=merge.created_date or merge.system_modstamp, merged_into=merge.target_member_id)
    return LoyaltyMember(
        account=vendor.membership_number,
        programme=org.programme_of(vendor.programme),
        status=member_status(vendor.member_status),
        tier=_tier(vendor),
        balance=_balance(vendor, org),
        enrolled_at=enrolled(vendor.enrollment_date),
        customer=_customer(vendor),
    )


def _merge(vendor: VendorMember) -> VendorMerge | None:
    """The merge that holds: the latest, if it was carried out and not undone."""
    merges = sorted(vendor.loyalty_program_member_merges, key=lambda each: (str(each.created_date or ""), each.id))
    return merges[-1] if merges and (merges[-1].status or "Merged").lower() == "merged" else None


def _customer(vendor: VendorMember) -> str | None:
    """A person account's contact is no record of its own: the account is."""
    if vendor.contact_is_person_account and vendor.contact_account_id:
        return vendor.contact_account_id
    return vendor.contact_id or vendor.account_id


def _tier(vendor: VendorMember) -> Tier | None:
    """The level that was reached last. Which group of tiers it belongs to is not told further."""
    named = [each for each in vendor.loyalty_member_tiers if each.tier]
    last = max(named, key=_reached, default=None)
    return Tier(code=last.tier, expires_on=last.tier_expiration_date) if last and last.tier else None


def _reached(told: VendorTier) -> tuple[str, str]:
    return (told.effective_date.isoformat() if told.effective_date else "", told.id)


def _balance(vendor: VendorMember, org: Org) -> int | None:
    """Spendable points; None where several currencies are told and nobody said which one is spent."""
    told = [
        (place, each.points_balance)
        for place, each in enumerate(vendor.loyalty_member_currencies)
        if each.points_balance is not None and org.spendable in (None, each.currency)
    ]
    if len(told) != 1:
        return None
    place, points = told[0]
    return _whole(points, f"LoyaltyMemberCurrencies[{place}].PointsBalance")


def entry(vendor: VendorEntry, org: Org) -> LoyaltyEntry:
    """A posting. What is posted in a currency that is not spent counts in a programme of its own."""
    points, movement = _movement(vendor)
    if vendor.activity_date is None and vendor.created_date is None:
        raise Unreadable(Reason(path="ActivityDate", problem="neither ActivityDate nor CreatedDate is told"))
    reverses = vendor.reversed_number if movement in {"reverse_earn", "reverse_redeem"} else None
    return LoyaltyEntry(
        account=vendor.account,
        programme=_programme(vendor, org),
        external_id=_external_id(vendor, org),
        movement=movement,
        points=points,
        at=vendor.activity_date or vendor.created_date,
        expires_on=vendor.expiry_date,
        order=vendor.order_id,
        reverses=reverses if org.entry_ids == "journal" else None,
        reason=vendor.journal_reason or vendor.additional_notes,
    )


def _programme(vendor: VendorEntry, org: Org) -> str:
    programme = org.programme_of(vendor.programme)
    spent = org.spendable is None or vendor.currency in (None, org.spendable)
    return programme if spent else f"{programme}/{vendor.currency}"


def _external_id(vendor: VendorEntry, org: Org) -> str:
    return vendor.number if org.entry_ids == "journal" and vendor.number else f"salesforce:{vendor.id}"


def _movement(vendor: VendorEntry) -> tuple[int, EntryKind]:
    """Signed points and what moved them. The ledger tells amounts without a sign, the event type gives it."""
    points, event = _whole(vendor.points, "Points"), vendor.event_type.lower()
    added, taken = _MOVEMENTS.get(
        (vendor.journal_type or "").lower(), _ADJUST if vendor.journal_type else ("earn", "redeem")
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
