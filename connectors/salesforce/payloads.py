"""The parts of Salesforce's records that we read, by the vendor's names. The rest stays in the raw payload."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from connectors.salesforce.ids import Id
from models.landing import Reason
from models.orders import Currency

Instant = Annotated[AwareDatetime, Field(strict=True)]
"""ISO 8601 text. Numbers, which would be taken for seconds since 1970, are refused."""


class Unreadable(Exception):
    """A payload that does not hold what the contract promises; becomes a Refusal before it leaves this package."""

    def __init__(self, *reasons: Reason) -> None:
        super().__init__(f"{len(reasons)} reasons")
        self.reasons = reasons


def reasons(error: ValidationError) -> tuple[Reason, ...]:
    """Where and what, without the values."""
    told = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(Reason(path=_path(each["loc"]), problem=each["msg"]) for each in told)


def _path(location: Sequence[int | str]) -> str:
    said = ""
    for step in location:
        said += f"[{step}]" if isinstance(step, int) else f".{step}" if said else step
    return said


def _either(*names: str) -> Any:  # noqa: ANN401  a pydantic Field
    return Field(default=None, validation_alias=AliasChoices(*names))


def _of_individual(name: str, *, default: object) -> Any:  # noqa: ANN401  a pydantic Field
    """A field of the Individual behind a contact or a person account."""
    return Field(default=default, validation_alias=AliasChoices(f"Individual.{name}", f"PersonIndividual.{name}"))


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


class Payload(BaseModel):
    """Names as the vendor writes them, unknown fields ignored; a number for a text is text."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_pascal, coerce_numbers_to_str=True, frozen=True)


class Recorded(Payload):
    """What every record has. `stamp`: the time by which its changes are found."""

    id: Id
    is_deleted: bool = False
    master_record_id: Id | None = None
    created_date: Instant | None = None
    last_modified_date: Instant | None = None
    system_modstamp: Instant | None = None

    @property
    def stamp(self) -> Any:  # noqa: ANN401  a datetime or None
        """SystemModstamp, or the last change by a person on objects without."""
        return self.system_modstamp or self.last_modified_date


class Belonging(Payload):
    """A smaller record that is told with the one that it belongs to."""

    id: Id
    system_modstamp: Instant | None = None

    @property
    def stamp(self) -> Any:  # noqa: ANN401  a datetime or None
        """When it changed."""
        return self.system_modstamp


class VendorConsent(Belonging):
    """ContactPointConsent: yes or no at the contact point that it belongs to."""

    privacy_consent_status: str
    capture_date: Instant | None = None
    effective_from: Instant | None = None
    capture_source: str | None = None
    purpose: str | None = _either("DataUsePurpose.Name")
    brand: str | None = _either("BusinessBrand.Name")
    channel: str | None = _either("EngagementChannelType.Name")


class VendorTypeConsent(VendorConsent):
    """ContactPointTypeConsent: yes or no to one kind of contact point."""

    contact_point_type: str


class VendorPoint(Belonging):
    """What the three kinds of contact points have in common."""

    contact_point_consents: tuple[VendorConsent, ...] = ()


class VendorEmail(VendorPoint):
    """ContactPointEmail."""

    email_address: str | None = None


class VendorPhone(VendorPoint):
    """ContactPointPhone."""

    telephone_number: str | None = None
    phone_type: str | None = None


class VendorAddress(VendorPoint):
    """ContactPointAddress."""

    street: str | None = None
    city: str | None = None
    state: str | None = None
    state_code: str | None = None
    postal_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    address_type: str | None = None


class VendorMembership(Belonging):
    """LoyaltyProgramMember, as much of it as is told with a person."""

    membership_number: str | None = None
    member_status: str | None = None
    enrollment_date: date | None = None
    programme: str | None = _either("Program.Name")


class VendorPerson(Recorded):
    """A Contact, or an Account of a person: the same fields, most of them with `Person` in front."""

    account_id: Id | None = None
    account_name: str | None = _either("Account.Name")
    person_contact_id: Id | None = None
    salutation: str | None = None
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    suffix: str | None = None
    email: str | None = _either("Email", "PersonEmail")
    phone: str | None = None
    mobile_phone: str | None = _either("MobilePhone", "PersonMobilePhone")
    home_phone: str | None = _either("HomePhone", "PersonHomePhone")
    other_phone: str | None = _either("OtherPhone", "PersonOtherPhone")
    birthdate: str | None = _either("Birthdate", "PersonBirthdate")
    gender_identity: str | None = _either("GenderIdentity", "PersonGenderIdentity")
    job_title: str | None = _either("Title", "PersonTitle")
    department: str | None = _either("Department", "PersonDepartment")
    lead_source: str | None = _either("LeadSource", "PersonLeadSource")
    opted_out_of_email: bool | None = _either("HasOptedOutOfEmail", "PersonHasOptedOutOfEmail")
    do_not_call: bool | None = _either("DoNotCall", "PersonDoNotCall")
    email_bounced: Instant | None = _either("EmailBouncedDate", "PersonEmailBouncedDate")
    opted_out_of_solicitation: bool = _of_individual("HasOptedOutSolicit", default=False)
    opted_out_of_processing: bool = _of_individual("HasOptedOutProcessing", default=False)
    opted_out_of_profiling: bool = _of_individual("HasOptedOutProfiling", default=False)
    opted_out_of_tracking: bool = _of_individual("HasOptedOutTracking", default=False)
    opted_out_of_geo_tracking: bool = _of_individual("HasOptedOutGeoTracking", default=False)
    should_forget: bool = _of_individual("ShouldForget", default=False)
    individual_modstamp: Instant | None = _of_individual("SystemModstamp", default=None)
    contact_point_type_consents: tuple[VendorTypeConsent, ...] = ()
    contact_point_emails: tuple[VendorEmail, ...] = ()
    contact_point_phones: tuple[VendorPhone, ...] = ()
    contact_point_addresses: tuple[VendorAddress, ...] = ()
    loyalty_program_members: tuple[VendorMembership, ...] = ()
    contact_loyalty_program_members: tuple[VendorMembership, ...] = ()

    @property
    def stamp(self) -> Any:  # noqa: ANN401  a datetime or None
        """Its own, or its Individual's if that changed later."""
        return _later(super().stamp, self.individual_modstamp)


class VendorBalance(Belonging):
    """LoyaltyMemberCurrency: points of one of the programme's currencies."""

    points_balance: Decimal | None = None
    currency: str | None = _either("LoyaltyProgramCurrency.Name")


class VendorTier(Belonging):
    """LoyaltyMemberTier: the level that a member has in one tier group, now or once."""

    tier: str | None = _either("LoyaltyTier.Name")
    effective_date: date | None = None
    tier_expiration_date: date | None = None


class VendorMerge(Belonging):
    """LoyaltyProgramMemberMerge: this membership went into another one, unless it was taken back."""

    target_member_id: Id
    status: str | None = None
    created_date: Instant | None = None


class VendorMember(Recorded):
    """LoyaltyProgramMember: an account in a programme."""

    membership_number: str
    member_status: str | None = None
    enrollment_date: date | None = None
    contact_id: Id | None = None
    account_id: Id | None = None
    contact_account_id: Id | None = _either("Contact.AccountId")
    contact_is_person_account: bool | None = _either("Contact.IsPersonAccount")
    programme: str | None = _either("Program.Name")
    loyalty_member_currencies: tuple[VendorBalance, ...] = ()
    loyalty_member_tiers: tuple[VendorTier, ...] = ()
    loyalty_program_member_merges: tuple[VendorMerge, ...] = ()


class VendorEntry(Recorded):
    """LoyaltyLedger with what its TransactionJournal says about it."""

    points: Decimal
    event_type: str
    activity_date: Instant | None = None
    expiry_date: date | None = None
    additional_notes: str | None = None
    account: str = Field(validation_alias="LoyaltyProgramMember.MembershipNumber")
    programme: str | None = _either("LoyaltyProgramMember.Program.Name")
    currency: str | None = _either("LoyaltyProgramCurrency.Name")
    number: str | None = _either("TransactionJournal.ExternalTransactionNumber")
    order_id: Id | None = _either("TransactionJournal.OrderId")
    journal_type: str | None = _either("TransactionJournal.JournalType.Name")
    journal_reason: str | None = _either("TransactionJournal.JournalReason")
    reversed_number: str | None = _either("TransactionJournal.RelatedJournal.ExternalTransactionNumber")
    journal_modstamp: Instant | None = _either("TransactionJournal.SystemModstamp")

    @property
    def stamp(self) -> Any:  # noqa: ANN401  a datetime or None
        """Its own, or its journal's if that changed later."""
        return _later(super().stamp, self.journal_modstamp)


class VendorAdjustment(Belonging):
    """OrderItemAdjustmentLineItem: a reduction where the amount is negative."""

    name: str | None = None
    description: str | None = None
    amount: Decimal


class VendorTax(Belonging):
    """OrderItemTaxLineItem. Rate: per cent."""

    name: str | None = None
    rate: Decimal | None = None
    amount: Decimal


class VendorLine(Belonging):
    """OrderItem: a position of an order."""

    order_item_number: str | None = None
    quantity: Decimal
    unit_price: Decimal | None = None
    total_price: Decimal | None = None
    total_line_amount: Decimal | None = None
    total_tax_amount: Decimal | None = None
    description: str | None = None
    product_code: str | None = _either("Product2.ProductCode", "Product2.StockKeepingUnit")
    product_name: str | None = _either("Product2.Name")
    order_item_adjustment_line_items: tuple[VendorAdjustment, ...] = ()
    order_item_tax_line_items: tuple[VendorTax, ...] = ()


class VendorPayment(Belonging):
    """OrderPaymentSummary: what was authorised, captured and refunded by one means of payment."""

    type: str | None = None
    authorized_amount: Decimal | None = None
    captured_amount: Decimal | None = None
    refunded_amount: Decimal | None = None
    created_date: Instant | None = None


class VendorShipment(Belonging):
    """Shipment."""

    provider: str | None = None
    tracking_number: str | None = None
    status: str | None = None
    actual_delivery_date: Instant | None = None
    created_date: Instant | None = None
    method: str | None = _either("DeliveryMethod.Name")


class VendorReturnLine(Belonging):
    """ReturnOrderLineItem."""

    order_item_id: Id | None = None
    quantity_returned: Decimal = Decimal(0)


class VendorReturn(Belonging):
    """ReturnOrder."""

    status: str | None = None
    created_date: Instant | None = None
    return_order_line_items: tuple[VendorReturnLine, ...] = ()


class VendorOrder(Recorded):
    """An order; amounts beyond TotalAmount are told where Order Management is switched on."""

    order_number: str
    status: str
    effective_date: date | None = None
    ordered_date: Instant | None = None
    account_id: Id | None = None
    account_is_person: bool | None = _either("Account.IsPersonAccount")
    bill_to_contact_id: Id | None = None
    customer_authorized_by_id: Id | None = None
    buyer_first_name: str | None = _either("BillToContact.FirstName")
    buyer_last_name: str | None = _either("BillToContact.LastName")
    buyer_email: str | None = _either("BillingEmailAddress", "BillToContact.Email")
    buyer_phone: str | None = _either("BillingPhoneNumber")
    total_amount: Decimal | None = None
    grand_total_amount: Decimal | None = None
    total_tax_amount: Decimal | None = None
    currency_iso_code: Currency | None = None
    order_reference_number: str | None = None
    po_number: str | None = None
    type: str | None = None
    is_reduction_order: bool | None = None
    sales_channel: str | None = _either("SalesChannel.SalesChannelName")
    order_items: tuple[VendorLine, ...] = ()
    order_payment_summaries: tuple[VendorPayment, ...] = ()
    shipments: tuple[VendorShipment, ...] = ()
    return_orders: tuple[VendorReturn, ...] = ()


class VendorActivity(Recorded):
    """What tasks and events have in common."""

    who_id: Id | None = None
    account_id: Id | None = None
    account_is_person: bool | None = _either("Account.IsPersonAccount")
    subject: str | None = None
    description: str | None = None
    created_by_id: Id
    employee_number: str | None = _either("CreatedBy.EmployeeNumber")
    created_date: Instant


class VendorTask(VendorActivity):
    """A task, or a call or e-mail that was logged."""

    status: str | None = None
    is_closed: bool | None = None
    priority: str | None = None
    activity_date: date | None = None
    completed_date_time: Instant | None = None
    task_subtype: str | None = None
    call_type: str | None = None
    call_disposition: str | None = None


class VendorEvent(VendorActivity):
    """An appointment."""

    start_date_time: Instant | None = None
    end_date_time: Instant | None = None


class VendorLink(Belonging):
    """ContentDocumentLink: the note is about this record, or shared with this user."""

    linked_entity_id: Id


class VendorGone(Recorded):
    """A record that was deleted; a note with the link that says about whom it was."""

    content_document_links: tuple[VendorLink, ...] = ()


class VendorNote(Recorded):
    """ContentNote as it is about one record. content: all of the text as HTML, where the preview is cut."""

    title: str | None = None
    text_preview: str | None = None
    content: str | None = None
    created_by_id: Id
    employee_number: str | None = _either("CreatedBy.EmployeeNumber")
    created_date: Instant
    content_document_links: tuple[VendorLink, ...] = Field(default=(), max_length=1)


def blank_is_none(told: Mapping[str, Any], name: str) -> str | None:
    """A custom field as text; None if it is absent or blank."""
    value = told.get(name)
    if value is None:
        return None
    text = value if type(value) is str else str(value)
    return text if text.strip() else None
