"""The parts of Salesforce's records that we read, by the vendor's names. The rest stays in the raw payload.

Shapes are checked dictionaries, which cost less than models would.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Required

from pydantic import AliasChoices, AwareDatetime, ConfigDict, Field, ValidationError, with_config
from pydantic.alias_generators import to_pascal
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

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
    return Field(validation_alias=AliasChoices(*names))


def _of_individual(name: str) -> Any:  # noqa: ANN401  a pydantic Field
    """A field of the Individual behind a contact or a person account."""
    return _either(f"Individual.{name}", f"PersonIndividual.{name}")


as_told = with_config(ConfigDict(extra="ignore", alias_generator=to_pascal, coerce_numbers_to_str=True))
"""Names as the vendor writes them, unknown fields ignored; a number for a text is text."""


@as_told
class Recorded(TypedDict, total=False):
    """What every record has. Some tell fields of a related record too, and when that changed: `related_modstamp`."""

    id: Required[Id]
    is_deleted: bool
    master_record_id: Id | None
    last_modified_date: Instant | None
    system_modstamp: Instant | None


@as_told
class Belonging(TypedDict, total=False):
    """A smaller record that is told with the one that it belongs to."""

    id: Required[Id]
    system_modstamp: Instant | None


@as_told
class VendorConsent(Belonging, total=False):
    """ContactPointConsent: yes or no at the contact point that it belongs to."""

    privacy_consent_status: Required[str]
    capture_date: Instant | None
    double_consent_capture_date: Instant | None
    effective_from: Instant | None
    effective_to: Instant | None
    capture_source: str | None
    purpose: Annotated[str | None, _either("DataUsePurpose.Name")]
    brand: Annotated[str | None, _either("BusinessBrand.Name")]
    channel: Annotated[str | None, _either("EngagementChannelType.Name")]


@as_told
class VendorTypeConsent(VendorConsent, total=False):
    """ContactPointTypeConsent: yes or no to one kind of contact point."""

    contact_point_type: Required[str]


@as_told
class VendorPoint(Belonging, total=False):
    """What the three kinds of contact points have in common."""

    contact_point_consents: list[VendorConsent]


@as_told
class VendorEmail(VendorPoint, total=False):
    """ContactPointEmail."""

    email_address: str | None
    is_primary: bool | None


@as_told
class VendorPhone(VendorPoint, total=False):
    """ContactPointPhone."""

    telephone_number: str | None
    phone_type: str | None
    is_primary: bool | None


@as_told
class VendorAddress(VendorPoint, total=False):
    """ContactPointAddress."""

    street: str | None
    city: str | None
    state: str | None
    state_code: str | None
    postal_code: str | None
    country: str | None
    country_code: str | None
    address_type: str | None


@as_told
class VendorMembership(Belonging, total=False):
    """LoyaltyProgramMember, as much of it as is told with a person."""

    membership_number: str | None
    member_status: str | None
    enrollment_date: date | None
    programme: Annotated[str | None, _either("Program.Name")]


@as_told
class VendorPerson(Recorded, total=False):
    """A Contact, or an Account of a person: the same fields, most of them with `Person` in front."""

    account_id: Id | None
    account_name: Annotated[str | None, _either("Account.Name")]
    person_contact_id: Id | None
    salutation: str | None
    first_name: str | None
    middle_name: str | None
    last_name: str | None
    suffix: str | None
    email: Annotated[str | None, _either("Email", "PersonEmail")]
    phone: str | None
    mobile_phone: Annotated[str | None, _either("MobilePhone", "PersonMobilePhone")]
    home_phone: Annotated[str | None, _either("HomePhone", "PersonHomePhone")]
    other_phone: Annotated[str | None, _either("OtherPhone", "PersonOtherPhone")]
    birthdate: Annotated[str | None, _either("Birthdate", "PersonBirthdate")]
    gender_identity: Annotated[str | None, _either("GenderIdentity", "PersonGenderIdentity")]
    job_title: Annotated[str | None, _either("Title", "PersonTitle")]
    department: Annotated[str | None, _either("Department", "PersonDepartment")]
    lead_source: Annotated[str | None, _either("LeadSource", "PersonLeadSource")]
    opted_out_of_email: Annotated[bool | None, _either("HasOptedOutOfEmail", "PersonHasOptedOutOfEmail")]
    do_not_call: Annotated[bool | None, _either("DoNotCall", "PersonDoNotCall")]
    email_bounced: Annotated[Instant | None, _either("EmailBouncedDate", "PersonEmailBouncedDate")]
    opted_out_of_solicitation: Annotated[bool, _of_individual("HasOptedOutSolicit")]
    opted_out_of_processing: Annotated[bool, _of_individual("HasOptedOutProcessing")]
    opted_out_of_profiling: Annotated[bool, _of_individual("HasOptedOutProfiling")]
    opted_out_of_tracking: Annotated[bool, _of_individual("HasOptedOutTracking")]
    opted_out_of_geo_tracking: Annotated[bool, _of_individual("HasOptedOutGeoTracking")]
    should_forget: Annotated[bool, _of_individual("ShouldForget")]
    related_modstamp: Annotated[Instant | None, _of_individual("SystemModstamp")]
    created_date: Instant | None
    contact_point_type_consents: list[VendorTypeConsent]
    contact_point_emails: list[VendorEmail]
    contact_point_phones: list[VendorPhone]
    contact_point_addresses: list[VendorAddress]
    loyalty_program_members: list[VendorMembership]
    contact_loyalty_program_members: list[VendorMembership]


@as_told
class VendorBalance(Belonging, total=False):
    """LoyaltyMemberCurrency: points of one of the programme's currencies."""

    points_balance: Decimal | None
    currency: Annotated[str | None, _either("LoyaltyProgramCurrency.Name")]


@as_told
class VendorTier(Belonging, total=False):
    """LoyaltyMemberTier: the level that a member has in one tier group, now or once."""

    tier: Annotated[str | None, _either("LoyaltyTier.Name")]
    effective_date: date | None
    tier_expiration_date: date | None


@as_told
class VendorMerge(Belonging, total=False):
    """LoyaltyProgramMemberMerge: this membership went into another one, unless it was taken back."""

    target_member_id: Required[Id]
    status: str | None
    created_date: Instant | None


@as_told
class VendorMember(Recorded, total=False):
    """LoyaltyProgramMember: an account in a programme."""

    membership_number: Required[str]
    member_status: str | None
    enrollment_date: date | None
    contact_id: Id | None
    account_id: Id | None
    contact_account_id: Annotated[Id | None, _either("Contact.AccountId")]
    contact_is_person_account: Annotated[bool | None, _either("Contact.IsPersonAccount")]
    programme: Annotated[str | None, _either("Program.Name")]
    member_type: str | None
    membership_end_date: date | None
    membership_last_renewal_date: date | None
    last_activity_date: str | None
    enrollment_channel: str | None
    can_receive_promotions: bool | None
    can_receive_partner_promotions: bool | None
    loyalty_member_currencies: list[VendorBalance]
    loyalty_member_tiers: list[VendorTier]
    loyalty_program_member_merges: list[VendorMerge]


@as_told
class VendorEntry(Recorded, total=False):
    """LoyaltyLedger with what its TransactionJournal says about it."""

    points: Required[Decimal]
    event_type: Required[str]
    activity_date: Instant | None
    expiry_date: date | None
    additional_notes: str | None
    account: Required[Annotated[str, Field(validation_alias="LoyaltyProgramMember.MembershipNumber")]]
    programme: Annotated[str | None, _either("LoyaltyProgramMember.Program.Name")]
    currency: Annotated[str | None, _either("LoyaltyProgramCurrency.Name")]
    number: Annotated[str | None, _either("TransactionJournal.ExternalTransactionNumber")]
    order_id: Annotated[Id | None, _either("TransactionJournal.OrderId")]
    journal_type: Annotated[str | None, _either("TransactionJournal.JournalType.Name")]
    journal_reason: Annotated[str | None, _either("TransactionJournal.JournalReason")]
    reversed_number: Annotated[str | None, _either("TransactionJournal.RelatedJournal.ExternalTransactionNumber")]
    created_date: Instant | None
    related_modstamp: Annotated[Instant | None, _either("TransactionJournal.SystemModstamp")]


@as_told
class VendorAdjustment(Belonging, total=False):
    """OrderItemAdjustmentLineItem: a reduction where the amount is negative."""

    name: str | None
    description: str | None
    amount: Required[Decimal]


@as_told
class VendorTax(Belonging, total=False):
    """OrderItemTaxLineItem. Rate: per cent."""

    name: str | None
    rate: Decimal | None
    amount: Required[Decimal]


@as_told
class VendorLine(Belonging, total=False):
    """OrderItem: a position of an order."""

    order_item_number: str | None
    quantity: Required[Decimal]
    unit_price: Decimal | None
    total_price: Decimal | None
    total_line_amount: Decimal | None
    total_tax_amount: Decimal | None
    description: str | None
    product_code: Annotated[str | None, _either("Product2.ProductCode", "Product2.StockKeepingUnit")]
    product_name: Annotated[str | None, _either("Product2.Name")]
    order_item_adjustment_line_items: list[VendorAdjustment]
    order_item_tax_line_items: list[VendorTax]


@as_told
class VendorPayment(Belonging, total=False):
    """OrderPaymentSummary: what was authorised, captured and refunded by one means of payment."""

    type: str | None
    authorized_amount: Decimal | None
    captured_amount: Decimal | None
    refunded_amount: Decimal | None
    created_date: Instant | None


@as_told
class VendorShipment(Belonging, total=False):
    """Shipment."""

    provider: str | None
    tracking_number: str | None
    status: str | None
    actual_delivery_date: Instant | None
    created_date: Instant | None
    method: Annotated[str | None, _either("DeliveryMethod.Name")]


@as_told
class VendorReturnLine(Belonging, total=False):
    """ReturnOrderLineItem."""

    order_item_id: Id | None
    quantity_returned: Decimal
    reason: Annotated[str | None, _either("ReasonForReturn", "Description")]


@as_told
class VendorReturn(Belonging, total=False):
    """ReturnOrder."""

    status: str | None
    created_date: Instant | None
    return_order_line_items: list[VendorReturnLine]


@as_told
class VendorOrder(Recorded, total=False):
    """An order; amounts beyond TotalAmount are told where Order Management is switched on."""

    order_number: Required[str]
    status: Required[str]
    created_date: Instant | None
    effective_date: date | None
    ordered_date: Instant | None
    account_id: Id | None
    account_is_person: Annotated[bool | None, _either("Account.IsPersonAccount")]
    bill_to_contact_id: Id | None
    customer_authorized_by_id: Id | None
    buyer_first_name: Annotated[str | None, _either("BillToContact.FirstName")]
    buyer_last_name: Annotated[str | None, _either("BillToContact.LastName")]
    buyer_email: Annotated[str | None, _either("BillingEmailAddress", "BillToContact.Email")]
    buyer_phone: Annotated[str | None, _either("BillingPhoneNumber")]
    total_amount: Decimal | None
    grand_total_amount: Decimal | None
    total_tax_amount: Decimal | None
    currency_iso_code: Currency | None
    order_reference_number: str | None
    po_number: str | None
    type: str | None
    is_reduction_order: bool | None
    sales_channel: Annotated[str | None, _either("SalesChannel.SalesChannelName")]
    order_items: list[VendorLine]
    order_payment_summaries: list[VendorPayment]
    shipments: list[VendorShipment]
    return_orders: list[VendorReturn]


@as_told
class VendorActivity(Recorded, total=False):
    """What tasks and events have in common."""

    who_id: Id | None
    account_id: Id | None
    account_is_person: Annotated[bool | None, _either("Account.IsPersonAccount")]
    subject: str | None
    description: str | None
    created_by_id: Required[Id]
    employee_number: Annotated[str | None, _either("CreatedBy.EmployeeNumber")]
    created_date: Required[Instant]


@as_told
class VendorTask(VendorActivity, total=False):
    """A task, or a call or e-mail that was logged."""

    status: str | None
    is_closed: bool | None
    priority: str | None
    activity_date: date | None
    completed_date_time: Instant | None
    task_subtype: str | None
    call_type: str | None
    call_disposition: str | None


@as_told
class VendorEvent(VendorActivity, total=False):
    """An appointment."""

    start_date_time: Instant | None
    end_date_time: Instant | None


@as_told
class VendorLink(Belonging, total=False):
    """ContentDocumentLink: the note is about this record, or shared with this user."""

    linked_entity_id: Required[Id]


@as_told
class VendorGone(Recorded, total=False):
    """A record that was deleted; a note with the link that says about whom it was."""

    content_document_links: list[VendorLink]


@as_told
class VendorNote(Recorded, total=False):
    """ContentNote as it is about one record. content: all of the text as HTML, where the preview is cut."""

    title: str | None
    text_preview: str | None
    content: str | None
    created_by_id: Required[Id]
    employee_number: Annotated[str | None, _either("CreatedBy.EmployeeNumber")]
    created_date: Required[Instant]
    content_document_links: Annotated[list[VendorLink], Field(max_length=1)]


def blank_is_none(told: Mapping[str, Any], name: str) -> str | None:
    """A custom field as text; None if it is absent or blank."""
    value = told.get(name)
    if value is None:
        return None
    text = value if type(value) is str else str(value)
    return text if text.strip() else None
