"""What the sandbox's org is made of: objects with their fields, types and relationships, as describe tells them."""

from collections.abc import Mapping
from typing import Any

Record = dict[str, Any]

_STAMPED = "Id:id IsDeleted:boolean CreatedDate:datetime LastModifiedDate:datetime SystemModstamp:datetime"
_ADDRESS = (
    "Street:textarea City:string State:string StateCode:string PostalCode:string Country:string CountryCode:string"
)
_PERSON = """
    Salutation:picklist FirstName:string MiddleName:string LastName:string Suffix:string Name:string Phone:phone
"""
_CONSENT = """PrivacyConsentStatus:picklist CaptureDate:datetime DoubleConsentCaptureDate:datetime
    EffectiveFrom:datetime EffectiveTo:datetime CaptureSource:string DataUsePurposeId:>DataUsePurpose
    BusinessBrandId:>BusinessBrand EngagementChannelTypeId:>EngagementChannelType"""


def _address(prefix: str) -> str:
    return " ".join(f"{prefix}{part}" for part in _ADDRESS.split()) + f" {prefix}Address:address"


_OBJECTS: Mapping[str, str] = {
    "Contact": f"""{_STAMPED} {_PERSON} MasterRecordId:>Contact AccountId:>Account IndividualId:>Individual Email:email
        MobilePhone:phone HomePhone:phone OtherPhone:phone Birthdate:date GenderIdentity:picklist Title:string
        Department:string LeadSource:picklist HasOptedOutOfEmail:boolean DoNotCall:boolean EmailBouncedDate:datetime
        IsPersonAccount:boolean Loyalty_Number__c:string Brand__c:picklist Home_Store__c:string
        Preferred_Locale__c:string {_address("Mailing")} {_address("Other")}""",
    "Account": f"""{_STAMPED} {_PERSON} MasterRecordId:>Account IsPersonAccount:boolean PersonContactId:>Contact
        PersonIndividualId:>Individual PersonEmail:email PersonMobilePhone:phone PersonHomePhone:phone
        PersonOtherPhone:phone PersonBirthdate:date PersonGenderIdentity:picklist PersonTitle:string
        PersonDepartment:string PersonLeadSource:picklist PersonHasOptedOutOfEmail:boolean PersonDoNotCall:boolean
        PersonEmailBouncedDate:datetime Loyalty_Number__pc:string Brand__pc:picklist Home_Store__pc:string
        Preferred_Locale__pc:string {_address("PersonMailing")} {_address("PersonOther")} {_address("Billing")}
        {_address("Shipping")}""",
    "Individual": f"""{_STAMPED} FirstName:string LastName:string HasOptedOutSolicit:boolean
        HasOptedOutProcessing:boolean HasOptedOutProfiling:boolean HasOptedOutTracking:boolean
        HasOptedOutGeoTracking:boolean ShouldForget:boolean SendIndividualData:boolean""",
    "ContactPointEmail": f"{_STAMPED} ParentId:>Individual EmailAddress:email IsPrimary:boolean",
    "ContactPointPhone": f"""{_STAMPED} ParentId:>Individual TelephoneNumber:phone IsPrimary:boolean
        PhoneType:picklist IsSmsCapable:boolean""",
    "ContactPointAddress": f"""{_STAMPED} ParentId:>Individual IsPrimary:boolean AddressType:picklist {_ADDRESS}
        Address:address""",
    "ContactPointConsent": f"""{_STAMPED} Name:string
        ContactPointId:>ContactPointEmail|ContactPointPhone|ContactPointAddress {_CONSENT}""",
    "User": f"{_STAMPED} Name:string EmployeeNumber:string",
    "ContactPointTypeConsent": f"{_STAMPED} Name:string PartyId:>Individual ContactPointType:picklist {_CONSENT}",
    "DataUsePurpose": f"{_STAMPED} Name:string",
    "BusinessBrand": f"{_STAMPED} Name:string",
    "EngagementChannelType": f"{_STAMPED} Name:string",
    "LoyaltyProgram": f"{_STAMPED} Name:string",
    "LoyaltyProgramCurrency": f"{_STAMPED} Name:string LoyaltyProgramId:>LoyaltyProgram",
    "LoyaltyTierGroup": f"{_STAMPED} Name:string",
    "LoyaltyTier": f"{_STAMPED} Name:string LoyaltyTierGroupId:>LoyaltyTierGroup",
    "LoyaltyProgramMember": f"""{_STAMPED} MembershipNumber:string MemberStatus:picklist MemberType:picklist
        EnrollmentDate:date MembershipEndDate:date EnrollmentChannel:picklist CanReceivePromotions:boolean
        CanReceivePartnerPromotions:boolean MembershipLastRenewalDate:date LastActivityDate:date
        ContactId:>Contact AccountId:>Account ProgramId:>LoyaltyProgram""",
    "LoyaltyMemberCurrency": f"""{_STAMPED} Name:string LoyaltyMemberId:>LoyaltyProgramMember PointsBalance:double
        LoyaltyProgramCurrencyId:>LoyaltyProgramCurrency""",
    "LoyaltyMemberTier": f"""{_STAMPED} Name:string LoyaltyMemberId:>LoyaltyProgramMember LoyaltyTierId:>LoyaltyTier
        LoyaltyTierGroupId:>LoyaltyTierGroup EffectiveDate:date TierExpirationDate:date""",
    "LoyaltyProgramMemberMerge": f"""{_STAMPED} Name:string SourceMemberId:>LoyaltyProgramMember Status:picklist
        TargetMemberId:>LoyaltyProgramMember Reason:string""",
    "VoucherDefinition": f"{_STAMPED} Name:string",
    "Voucher": f"""{_STAMPED} VoucherNumber:string VoucherCode:string LoyaltyProgramMemberId:>LoyaltyProgramMember
        VoucherDefinitionId:>VoucherDefinition Status:picklist Type:picklist FaceValue:currency RemainingValue:currency
        DiscountPercent:percent CurrencyIsoCode:picklist EffectiveDate:date ExpirationDate:date UseDate:date""",
    "JournalType": f"{_STAMPED} Name:string",
    "JournalSubType": f"{_STAMPED} Name:string",
    "TransactionJournal": f"""{_STAMPED} Name:string ExternalTransactionNumber:string OrderId:>Order
        JournalTypeId:>JournalType JournalReason:string RelatedJournalId:>TransactionJournal
        MemberId:>LoyaltyProgramMember ActivityDate:datetime Status:picklist JournalSubTypeId:>JournalSubType
        TransactionAmount:currency CurrencyIsoCode:picklist Channel:picklist""",
    "LoyaltyLedger": f"""{_STAMPED} Points:double EventType:picklist ActivityDate:datetime ExpiryDate:date
        AdditionalNotes:string LoyaltyProgramMemberId:>LoyaltyProgramMember
        LoyaltyProgramCurrencyId:>LoyaltyProgramCurrency TransactionJournalId:>TransactionJournal""",
    "Product2": f"{_STAMPED} Name:string ProductCode:string StockKeepingUnit:string",
    "Order": f"""{_STAMPED} OrderNumber:string Status:picklist EffectiveDate:date OrderedDate:datetime
        AccountId:>Account
        BillToContactId:>Contact CustomerAuthorizedById:>Contact BillingEmailAddress:email BillingPhoneNumber:phone
        TotalAmount:currency GrandTotalAmount:currency TotalTaxAmount:currency CurrencyIsoCode:picklist
        OrderReferenceNumber:string PoNumber:string Type:picklist IsReductionOrder:boolean Brand__c:picklist
        Store__c:string Channel__c:picklist Loyalty_Number__c:string {_address("Billing")} {_address("Shipping")}""",
    "OrderItem": f"""{_STAMPED} OrderId:>Order OrderItemNumber:string Quantity:double UnitPrice:currency
        ListPrice:currency TotalPrice:currency TotalLineAmount:currency TotalTaxAmount:currency Description:string
        Type:picklist Product2Id:>Product2""",
    "OrderItemAdjustmentLineItem": f"""{_STAMPED} OrderItemId:>OrderItem Name:string Description:string
        Amount:currency""",
    "OrderItemTaxLineItem": f"""{_STAMPED} OrderItemId:>OrderItem Name:string Rate:percent Amount:currency
        Type:picklist""",
    "OrderSummary": f"{_STAMPED} OriginalOrderId:>Order OrderNumber:string Status:picklist",
    "OrderPaymentSummary": f"""{_STAMPED} OrderSummaryId:>OrderSummary Type:picklist Method:string
        AuthorizedAmount:currency CapturedAmount:currency RefundedAmount:currency""",
    "OrderDeliveryMethod": f"{_STAMPED} Name:string",
    "Shipment": f"""{_STAMPED} OrderSummaryId:>OrderSummary ShipmentNumber:string Provider:string
        TrackingNumber:string Status:picklist DeliveryMethodId:>OrderDeliveryMethod ActualDeliveryDate:datetime""",
    "ReturnOrder": f"{_STAMPED} OrderId:>Order OrderSummaryId:>OrderSummary ReturnOrderNumber:string Status:picklist",
    "ReturnOrderLineItem": f"""{_STAMPED} ReturnOrderId:>ReturnOrder OrderItemId:>OrderItem QuantityReturned:double
        ReasonForReturn:picklist Description:string""",
    "Task": f"""{_STAMPED} WhoId:>Contact|Lead WhatId:>Account|Order AccountId:>Account OwnerId:>User CreatedById:>User
        LastModifiedById:>User Subject:string Description:textarea Status:picklist IsClosed:boolean Priority:picklist
        ActivityDate:date
        CompletedDateTime:datetime TaskSubtype:picklist CallType:picklist CallDisposition:string""",
    "Event": f"""{_STAMPED} WhoId:>Contact|Lead WhatId:>Account|Order AccountId:>Account OwnerId:>User CreatedById:>User
        LastModifiedById:>User Subject:string Description:textarea StartDateTime:datetime EndDateTime:datetime
        Location:string
        IsAllDayEvent:boolean""",
    "Lead": f"{_STAMPED} LastName:string",
    "ContentNote": """Id:id IsDeleted:boolean CreatedDate:datetime LastModifiedDate:datetime Title:string
        TextPreview:string ContentSize:int Content:base64 OwnerId:>User CreatedById:>User LastModifiedById:>User""",
    "ContentDocumentLink": """Id:id IsDeleted:boolean SystemModstamp:datetime ContentDocumentId:>ContentNote
        LinkedEntityId:>Contact|Account|User""",
}

PREFIXES: Mapping[str, str] = {
    "003": "Contact",
    "001": "Account",
    "00Q": "Lead",
    "005": "User",
    "0PK": "Individual",
    "801": "Order",
    "069": "ContentNote",
}
"""First characters of the ids of each object that others refer to without saying its type."""

_COMPOUND = {"address"}
"""Types that Bulk refuses."""
_BINARY = {"base64"}
"""Types that queries tell by an address."""


class Field:
    """One field as describe tells it. calculated: a formula or a roll-up, whose changes nothing marks."""

    def __init__(self, declared: str) -> None:
        self.name, _, kind = declared.partition(":")
        self.refers_to = tuple(kind.removeprefix(">").split("|")) if kind.startswith(">") else ()
        self.type = "reference" if self.refers_to else kind
        self.relationship = _relationship(self.name) if self.refers_to else None
        self.filterable = self.type not in {*_COMPOUND, *_BINARY}
        self.calculated = False

    @property
    def compound(self) -> bool:
        """Whether it is made of other fields."""
        return self.type in _COMPOUND

    @property
    def binary(self) -> bool:
        """Whether it is fetched by itself."""
        return self.type in _BINARY

    def told(self) -> dict[str, Any]:
        """Its entry in an answer of describe."""
        return {
            "name": self.name,
            "type": self.type,
            "label": self.name,
            "filterable": self.filterable,
            "sortable": self.filterable,
            "calculated": self.calculated,
            "custom": self.name.endswith(("__c", "__pc")),
            "relationshipName": self.relationship,
            "referenceTo": list(self.refers_to),
        }


def _relationship(name: str) -> str:
    return name.removesuffix("Id")


def schema() -> dict[str, dict[str, Field]]:
    """Every object's fields by name; a fresh copy, so that a test may take some away."""
    declared = {name: [Field(each) for each in text.split()] for name, text in _OBJECTS.items()}
    return {name: {each.name: each for each in fields} for name, fields in declared.items()}
