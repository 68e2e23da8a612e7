"""What is asked of each object: its fields, the smaller objects that belong to it, and which of its records matter.

Addresses and names are asked by component: Bulk refuses the compound fields. Custom fields that are formulas are not
asked: they change without a new SystemModstamp. Fields that an org lacks are left out by its describe, and so are
objects: Loyalty Management, Order Management and contact points are there by licence or by a switch.
"""

from dataclasses import dataclass, replace
from functools import cache

from models.base import Frozen

_STAMPS = ("Id", "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp")
_ADDRESS = ("Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode")


class OrgFields(Frozen):
    """Which fields of this org hold what Salesforce has no field for. Custom fields differ from org to org."""

    loyalty_number: str = "Loyalty_Number__c"
    """On contacts; on person accounts the same with `__pc`."""
    brand: str = "Brand__c"
    store: str = "Home_Store__c"
    locale: str = "Preferred_Locale__c"
    order_brand: str = "Brand__c"
    order_store: str = "Store__c"
    order_channel: str = "Channel__c"
    order_loyalty_number: str = "Loyalty_Number__c"

    def on_contact(self) -> tuple[str, ...]:
        """Custom fields of contacts."""
        return (self.loyalty_number, self.brand, self.store, self.locale)

    def on_account(self) -> tuple[str, ...]:
        """The same as person accounts show them."""
        return tuple(person_field(name) for name in self.on_contact())

    def on_order(self) -> tuple[str, ...]:
        """Custom fields of orders."""
        return (self.order_brand, self.order_store, self.order_channel, self.order_loyalty_number)


@cache
def person_field(name: str) -> str:
    """A contact's custom field by the name that person accounts have for it."""
    return f"{name.removesuffix('__c')}__pc" if name.endswith("__c") else name


@dataclass(frozen=True, slots=True)
class Child:
    """Records of another object that belong to a record: `object.field = record.parent`, told as a list.

    `field` may be a path (`OrderItem.OrderId`). told_as: None where the record tells them itself by dotted names, and
    only their changes are of interest. children: what belongs to them in turn.
    findable: whether those that changed can be asked for by themselves, without naming what they belong to.
    outlives: whether they are told of a deleted record too, because they say of whom it was.
    """

    object: str
    field: str
    parent: str
    told_as: str | None
    fields: tuple[str, ...]
    children: tuple["Child", ...] = ()
    findable: bool = True
    outlives: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """A text of which queries tell the beginning alone (`preview`); all of it, `size` bytes, is in `field`."""

    preview: str
    size: str
    field: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of one object.

    needs: fields without which the org has no such records. only: (field, condition); a record matters if any of the
    conditions holds whose field the org has; all do where there is none. cut: a text that has to be fetched. known_by:
    the belongings whose ids we know a record by, instead of its own.
    """

    object: str
    fields: tuple[str, ...]
    children: tuple[Child, ...] = ()
    needs: tuple[str, ...] = ()
    only: tuple[tuple[str, str], ...] = ()
    cut: Cut | None = None
    known_by: Child | None = None


def address(prefix: str) -> tuple[str, ...]:
    """The components of one address."""
    return tuple(f"{prefix}{part}" for part in _ADDRESS)


_MEMBERSHIP = (
    "MembershipNumber",
    "MemberStatus",
    "EnrollmentDate",
    "Program.Name",
    "SystemModstamp",
)
_CONSENT = (
    *"PrivacyConsentStatus CaptureDate DoubleConsentCaptureDate EffectiveFrom EffectiveTo CaptureSource".split(),
    *"DataUsePurpose.Name BusinessBrand.Name EngagementChannelType.Name SystemModstamp".split(),
)
_INDIVIDUAL = (
    *"HasOptedOutSolicit HasOptedOutProcessing HasOptedOutProfiling HasOptedOutTracking HasOptedOutGeoTracking".split(),
    *"ShouldForget SendIndividualData SystemModstamp".split(),
)


def _refusals(individual: str) -> tuple[str, ...]:
    """What somebody refuses altogether, by the name of the relationship."""
    return tuple(f"{individual}.{name}" for name in _INDIVIDUAL)


_POINT_CONSENT = Child("ContactPointConsent", "ContactPointId", "Id", "ContactPointConsents", _CONSENT)


def _privacy(individual: str) -> tuple[Child, ...]:
    """What hangs on the Individual behind a person: refusals, answers, and contact points with theirs."""
    points = {
        "ContactPointEmail": ("EmailAddress", "IsPrimary"),
        "ContactPointPhone": ("TelephoneNumber", "IsPrimary", "PhoneType", "IsSmsCapable"),
        "ContactPointAddress": (*_ADDRESS, "IsPrimary", "AddressType"),
    }
    return (
        Child("Individual", "Id", individual, None, ("SystemModstamp",)),
        Child(
            "ContactPointTypeConsent",
            "PartyId",
            individual,
            "ContactPointTypeConsents",
            ("ContactPointType", *_CONSENT),
        ),
        *(
            Child(object_, "ParentId", individual, told_as(object_), (*fields, "SystemModstamp"), (_POINT_CONSENT,))
            for object_, fields in points.items()
        ),
    )


def told_as(object_: str) -> str:
    """Name of a list of these."""
    return f"{object_}es" if object_.endswith("s") else f"{object_}s"


_CONTACT = Wanted(
    "Contact",
    (
        *_STAMPS,
        *"MasterRecordId AccountId Account.Name IndividualId Salutation FirstName MiddleName LastName Suffix".split(),
        *"Email Phone MobilePhone HomePhone OtherPhone Birthdate GenderIdentity Title Department LeadSource".split(),
        *"HasOptedOutOfEmail DoNotCall EmailBouncedDate".split(),
        *address("Mailing"),
        *address("Other"),
        *_refusals("Individual"),
    ),
    (
        *_privacy("IndividualId"),
        Child("LoyaltyProgramMember", "ContactId", "Id", "LoyaltyProgramMembers", _MEMBERSHIP),
    ),
    only=(("IsPersonAccount", "IsPersonAccount = false"),),
)
_ACCOUNT = Wanted(
    "Account",
    (
        *_STAMPS,
        *"MasterRecordId PersonContactId PersonIndividualId Salutation FirstName MiddleName LastName Suffix".split(),
        *"PersonEmail Phone PersonMobilePhone PersonHomePhone PersonOtherPhone PersonBirthdate".split(),
        *"PersonGenderIdentity PersonTitle PersonDepartment PersonLeadSource".split(),
        *"PersonHasOptedOutOfEmail PersonDoNotCall PersonEmailBouncedDate".split(),
        *address("PersonMailing"),
        *address("PersonOther"),
        *address("Billing"),
        *address("Shipping"),
        *_refusals("PersonIndividual"),
    ),
    (
        *_privacy("PersonIndividualId"),
        Child("LoyaltyProgramMember", "AccountId", "Id", "LoyaltyProgramMembers", _MEMBERSHIP),
        Child("LoyaltyProgramMember", "ContactId", "PersonContactId", "ContactLoyaltyProgramMembers", _MEMBERSHIP),
    ),
    needs=("IsPersonAccount",),
    only=(("IsPersonAccount", "IsPersonAccount = true"),),
)
_VOUCHER = (
    *"VoucherNumber VoucherDefinition.Name Status Type FaceValue RemainingValue DiscountPercent".split(),
    *"CurrencyIsoCode EffectiveDate ExpirationDate UseDate SystemModstamp".split(),
)
"""Not its code: whoever reads that could spend it."""
_MEMBER = Wanted(
    "LoyaltyProgramMember",
    (
        *_STAMPS,
        *"MembershipNumber MemberStatus MemberType EnrollmentDate MembershipEndDate ContactId AccountId".split(),
        *"Contact.AccountId Contact.IsPersonAccount Program.Name EnrollmentChannel".split(),
        *"CanReceivePromotions CanReceivePartnerPromotions MembershipLastRenewalDate LastActivityDate".split(),
    ),
    (
        Child(
            "LoyaltyMemberCurrency",
            "LoyaltyMemberId",
            "Id",
            "LoyaltyMemberCurrencies",
            ("PointsBalance", "LoyaltyProgramCurrency.Name", "SystemModstamp"),
        ),
        Child(
            "LoyaltyMemberTier",
            "LoyaltyMemberId",
            "Id",
            "LoyaltyMemberTiers",
            ("LoyaltyTier.Name", "LoyaltyTierGroup.Name", "EffectiveDate", "TierExpirationDate", "SystemModstamp"),
        ),
        Child(
            "LoyaltyProgramMemberMerge",
            "SourceMemberId",
            "Id",
            "LoyaltyProgramMemberMerges",
            ("TargetMemberId", "Status", "Reason", "CreatedDate", "SystemModstamp"),
        ),
        Child("Voucher", "LoyaltyProgramMemberId", "Id", "Vouchers", _VOUCHER),
    ),
)
_ENTRY = Wanted(
    "LoyaltyLedger",
    (
        *_STAMPS,
        *"Points EventType ActivityDate ExpiryDate AdditionalNotes LoyaltyProgramMemberId".split(),
        *"LoyaltyProgramMember.MembershipNumber LoyaltyProgramMember.Program.Name LoyaltyProgramCurrency.Name".split(),
        *"TransactionJournalId TransactionJournal.ExternalTransactionNumber TransactionJournal.OrderId".split(),
        *"TransactionJournal.JournalType.Name TransactionJournal.JournalSubType.Name".split(),
        *"TransactionJournal.JournalReason TransactionJournal.Status TransactionJournal.ActivityDate".split(),
        *"TransactionJournal.TransactionAmount TransactionJournal.CurrencyIsoCode TransactionJournal.Channel".split(),
        "TransactionJournal.RelatedJournal.ExternalTransactionNumber",
        "TransactionJournal.SystemModstamp",
    ),
    (Child("TransactionJournal", "Id", "TransactionJournalId", None, ("SystemModstamp",)),),
)
_LINE = (
    *"OrderItemNumber Quantity UnitPrice ListPrice TotalPrice TotalLineAmount TotalTaxAmount Type Description".split(),
    *"Product2.ProductCode Product2.Name Product2.StockKeepingUnit SystemModstamp".split(),
)
_OF_LINE = (
    Child(
        "OrderItemAdjustmentLineItem",
        "OrderItemId",
        "Id",
        "OrderItemAdjustmentLineItems",
        ("Name", "Description", "Amount", "SystemModstamp"),
    ),
    Child(
        "OrderItemTaxLineItem",
        "OrderItemId",
        "Id",
        "OrderItemTaxLineItems",
        ("Name", "Rate", "Amount", "Type", "SystemModstamp"),
    ),
)
_PAYMENT = ("Type", "AuthorizedAmount", "CapturedAmount", "RefundedAmount", "CreatedDate", "SystemModstamp")
"""Not its Method: that holds the last digits of cards."""
_SHIPMENT = (
    *"ShipmentNumber Provider TrackingNumber Status DeliveryMethod.Name".split(),
    *"ActualDeliveryDate CreatedDate SystemModstamp".split(),
)
_RETURN = ("ReturnOrderNumber", "Status", "CreatedDate", "SystemModstamp")
_RETURN_LINE = Child(
    "ReturnOrderLineItem",
    "ReturnOrderId",
    "Id",
    "ReturnOrderLineItems",
    ("OrderItemId", "QuantityReturned", "ReasonForReturn", "Description", "SystemModstamp"),
)
_ORDER = Wanted(
    "Order",
    (
        *_STAMPS,
        *"OrderNumber Status EffectiveDate OrderedDate AccountId Account.IsPersonAccount BillToContactId".split(),
        *"CustomerAuthorizedById BillToContact.FirstName BillToContact.LastName BillToContact.Email".split(),
        *"BillingEmailAddress BillingPhoneNumber TotalAmount GrandTotalAmount TotalTaxAmount CurrencyIsoCode".split(),
        *"OrderReferenceNumber PoNumber Type IsReductionOrder SalesChannel.SalesChannelName".split(),
        *address("Billing"),
        *address("Shipping"),
    ),
    (
        Child("OrderItem", "OrderId", "Id", "OrderItems", _LINE, _OF_LINE),
        Child("OrderPaymentSummary", "OrderSummary.OriginalOrderId", "Id", "OrderPaymentSummaries", _PAYMENT),
        Child("Shipment", "OrderSummary.OriginalOrderId", "Id", "Shipments", _SHIPMENT),
        Child("ReturnOrder", "OrderId", "Id", "ReturnOrders", _RETURN, (_RETURN_LINE,)),
    ),
)
_BY = ("CreatedById", "CreatedBy.EmployeeNumber", "LastModifiedById", "OwnerId")
_ABOUT = ("WhoId", "AccountId", "Account.IsPersonAccount", "Subject", "Description")
_PERSONS = (("WhoId", "Who.Type = 'Contact'"), ("Account.IsPersonAccount", "Account.IsPersonAccount = true"))
_TASK = Wanted(
    "Task",
    (
        *_STAMPS,
        *_BY,
        *_ABOUT,
        *"Status IsClosed Priority ActivityDate CompletedDateTime TaskSubtype CallType CallDisposition".split(),
    ),
    only=_PERSONS,
)
_EVENT = Wanted(
    "Event",
    (*_STAMPS, *_BY, *_ABOUT, "StartDateTime", "EndDateTime", "Location", "IsAllDayEvent"),
    only=_PERSONS,
)
_LINK = Child(
    "ContentDocumentLink",
    "ContentDocumentId",
    "Id",
    "ContentDocumentLinks",
    ("LinkedEntityId", "SystemModstamp"),
    findable=False,
    outlives=True,
)
"""Between a note and whom it is about: a note about two persons is two records."""
_NOTE = Wanted(
    "ContentNote",
    (*_STAMPS, *_BY, "Title", "TextPreview", "ContentSize"),
    (_LINK,),
    cut=Cut("TextPreview", "ContentSize", "Content"),
    known_by=_LINK,
)

OBJECTS = ("contact", "account", "member", "entry", "order", "task", "event", "note")
"""In the order in which they land: people, what they hold, what they did, what was noted about them."""


def catalogue(org: OrgFields) -> dict[str, Wanted]:
    """What is asked of each of OBJECTS in an org with these custom fields."""
    return {
        "contact": replace(_CONTACT, fields=(*_CONTACT.fields, *org.on_contact())),
        "account": replace(_ACCOUNT, fields=(*_ACCOUNT.fields, *org.on_account())),
        "member": _MEMBER,
        "entry": _ENTRY,
        "order": replace(_ORDER, fields=(*_ORDER.fields, *org.on_order())),
        "task": _TASK,
        "event": _EVENT,
        "note": _NOTE,
    }
