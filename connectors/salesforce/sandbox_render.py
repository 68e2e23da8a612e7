"""The generated population as a Salesforce org: its contacts, their answers, memberships and points."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import polars as pl

from connectors.salesforce.sandbox_org import Org
from connectors.salesforce.sandbox_schema import Record
from connectors.sandbox.population import Population

Row = Mapping[str, Any]
Loaded = tuple[str, Record]
"""An object and a record of it."""

PROGRAMME = "Sandbox Rewards"
CURRENCY = "Points"
_OPENED = datetime(2015, 1, 1, tzinfo=UTC)
_PROGRAMME_ID = "0lp5g0000000001AAA"
_CURRENCY_ID = "0lc5g0000000001AAA"
_CLERK = "0055g0000000001AAA"
_SMS = "0eF5g0000000001AAA"
_ANSWERS = {"opt_in": "OptIn", "opt_out": "OptOut", "pending": "NotSeen"}
_POINTS = {"email": "Email", "sms": "Phone"}
_EVENTS = {"earn": "Credit", "redeem": "Debit", "expire": "Expiry", "reverse_earn": "Debit"}
_JOURNALS = {"earn": "Accrual", "redeem": "Redemption", "reverse_earn": "Accrual", "adjust": "Manual Points Adjustment"}
_CALLED_EVERY = 7
"""Every so manieth contact has a task."""


def fill(org: Org, population: Population) -> None:
    """Put in what this population has in its CRM. Deleted contacts lie in the recycle bin."""
    rows = population.records.filter(pl.col("system") == "salesforce").collect().to_dicts()
    for object_, record in _everything(rows, population):
        org.load(object_, [record])


def spoil_entries(org: Org, count: int) -> None:
    """Make the newest postings unreadable: half points are none."""
    newest = sorted(org.all("LoyaltyLedger"), key=lambda each: (each["SystemModstamp"], each["Id"]), reverse=True)
    org.load("LoyaltyLedger", [{**each, "Points": each["Points"] + 0.5} for each in islice(newest, count)])


def _everything(rows: Sequence[Row], population: Population) -> Iterator[Loaded]:
    answers = population.consents.filter(pl.col("system") == "salesforce").collect().to_dicts()
    yield from _settings(rows, answers)
    for row in rows:
        yield from _contact(row)
    for number, answer in enumerate(answers, start=1):
        yield from _answer(number, answer)
    yield from _loyalty(rows, population)
    for number, row in enumerate(rows[::_CALLED_EVERY], start=1):
        yield _task(number, row)


def _stamped(id_: str, created: datetime, modified: datetime | None = None) -> Record:
    told = {"Id": id_, "CreatedDate": created, "LastModifiedDate": modified or created}
    return {**told, "SystemModstamp": modified or created}


def _named(id_: str, name: str) -> Record:
    return {**_stamped(id_, _OPENED), "Name": name}


def _settings(rows: Sequence[Row], answers: Sequence[Row]) -> Iterator[Loaded]:
    yield "LoyaltyProgram", _named(_PROGRAMME_ID, PROGRAMME)
    yield "LoyaltyProgramCurrency", {**_named(_CURRENCY_ID, CURRENCY), "LoyaltyProgramId": _PROGRAMME_ID}
    yield "User", {**_named(_CLERK, "Service Desk"), "EmployeeNumber": "E100"}
    yield "EngagementChannelType", _named(_SMS, "SMS")
    for object_, names in (
        ("LoyaltyTier", {row["tier"] for row in rows}),
        ("BusinessBrand", {row["brand"] for row in answers}),
        ("DataUsePurpose", {row["purpose"] for row in answers}),
        ("JournalType", set(_JOURNALS.values())),
    ):
        for name in sorted(each for each in names if each):
            yield object_, _named(_id_of(object_, name), name)


def _id_of(object_: str, name: str) -> str:
    """An id that follows from a name; no record id, but as good here."""
    return f"{object_}:{name}"


def _individual(contact: str) -> str:
    return f"0PK{contact[3:]}"


def _contact(row: Row) -> Iterator[Loaded]:
    stamped = _stamped(row["source_id"], row["created_at"], row["deleted_at"] or row["modified_at"])
    individual = _individual(row["source_id"])
    yield "Individual", {**_stamped(individual, row["created_at"]), "LastName": row["family_name"]}
    told = {
        "IndividualId": individual,
        "IsDeleted": row["deleted_at"] is not None,
        "Salutation": row["title"],
        "FirstName": row["given_name"],
        "MiddleName": row["middle_name"],
        "LastName": row["family_name"],
        "Suffix": row["name_suffix"],
        "Email": row["email"],
        "MobilePhone": row["phone"],
        "Birthdate": row["birth_date"],
        "GenderIdentity": row["sex"],
        "MailingStreet": row["address_line"],
        "MailingCity": row["city"],
        "MailingState": row["region"],
        "MailingPostalCode": row["postcode"],
        "MailingCountryCode": row["country"],
        "Brand__c": row["brand"],
        "Home_Store__c": row["store"],
        "Preferred_Locale__c": row["locale"],
    }
    yield "Contact", {**stamped, **{name: value for name, value in told.items() if value is not None}}


def _answer(number: int, row: Row) -> Iterator[Loaded]:
    told = {
        "PartyId": _individual(row["source_id"]),
        "ContactPointType": _POINTS[row["channel"]],
        "PrivacyConsentStatus": _ANSWERS[row["status"]],
        "CaptureDate": row["at"],
        "CaptureSource": row["proof"],
        "DataUsePurposeId": _id_of("DataUsePurpose", row["purpose"]),
        "BusinessBrandId": _id_of("BusinessBrand", row["brand"]) if row["brand"] else None,
        "EngagementChannelTypeId": _SMS if row["channel"] == "sms" else None,
    }
    yield "ContactPointTypeConsent", {**_stamped(f"0ZX5g{number:010d}AAA", row["at"] or _OPENED), **told}


def _loyalty(rows: Sequence[Row], population: Population) -> Iterator[Loaded]:
    accounts = {row["account"]: row for row in population.loyalty.collect().iter_rows(named=True)}
    held = [(row, accounts[row["loyalty_number"]]) for row in rows if row["loyalty_number"] in accounts]
    members = {account["account"]: f"0lM{row['source_id'][3:]}" for row, account in held}
    for row, account in held:
        yield from _member(members[account["account"]], row, account)
    posted = population.loyalty_entries.filter(pl.col("account").is_in(list(members))).collect().to_dicts()
    taken_back = _return_numbers(population, [row["order_id"] for row in posted if row["kind"] == "reverse_earn"])
    for number, row in enumerate(posted, start=1):
        yield from _posting(number, members[row["account"]], row, taken_back)


def _member(id_: str, row: Row, account: Row) -> Iterator[Loaded]:
    enrolled = account["enrolled_at"]
    told = {
        "MembershipNumber": account["account"],
        "MemberStatus": "Active",
        "MemberType": "Individual",
        "EnrollmentDate": enrolled.date().isoformat(),
        "ContactId": row["source_id"],
        "ProgramId": _PROGRAMME_ID,
    }
    yield "LoyaltyProgramMember", {**_stamped(id_, enrolled), **told}
    points = {"LoyaltyMemberId": id_, "LoyaltyProgramCurrencyId": _CURRENCY_ID, "PointsBalance": account["balance"]}
    yield "LoyaltyMemberCurrency", {**_stamped(f"0lN{id_[3:]}", enrolled), **points}
    reached = {"LoyaltyMemberId": id_, "LoyaltyTierId": _id_of("LoyaltyTier", account["tier"])}
    if account["tier"] == row["tier"]:
        yield "LoyaltyMemberTier", {**_stamped(f"0lT{id_[3:]}", enrolled), **reached}


def _return_numbers(population: Population, orders: list[str | None]) -> dict[str, str]:
    """Number of the receipt by which a till took an order back, by the order."""
    known = [each for each in orders if each]
    sold = population.orders.filter((pl.col("system") == "pos") & pl.col("order_id").is_in(known)).collect()
    return {row["order_id"]: row["returns"][0]["id"] for row in sold.iter_rows(named=True) if row["returns"]}


def _posting(number: int, member: str, row: Row, taken_back: Mapping[str, str]) -> Iterator[Loaded]:
    journal = f"0lV5g{number:010d}AAA"
    kind = "" if row["kind"] == "expire" else _JOURNALS.get(row["kind"], _JOURNALS["adjust"])
    told = {
        "ExternalTransactionNumber": _number(row, taken_back),
        "JournalTypeId": _id_of("JournalType", kind) if kind else None,
        "MemberId": member,
        "ActivityDate": row["at"],
        "Status": "Processed",
    }
    yield "TransactionJournal", {**_stamped(journal, row["at"]), **told}
    posted = {
        "Points": abs(row["points"]),
        "EventType": _EVENTS.get(row["kind"], "Credit" if row["points"] >= 0 else "Debit"),
        "ActivityDate": row["at"],
        "LoyaltyProgramMemberId": member,
        "LoyaltyProgramCurrencyId": _CURRENCY_ID,
        "TransactionJournalId": journal,
    }
    yield "LoyaltyLedger", {**_stamped(f"0lL5g{number:010d}AAA", row["at"]), **posted}


def _number(row: Row, taken_back: Mapping[str, str]) -> str:
    """Under which number the till or shop posted it here; it tells the same movement under the same number."""
    if not row["order_id"]:
        return f"pos:{row['external_id']}"
    receipt = taken_back.get(row["order_id"]) if row["kind"] == "reverse_earn" else None
    order, kind = (receipt, "earn") if receipt else (row["order_id"], row["kind"])
    return f"{row['order_system']}:{order.replace('|', '-')}:{kind}"


def _task(number: int, row: Row) -> Loaded:
    at = row["created_at"]
    told = {
        "WhoId": row["source_id"],
        "Subject": "Welcome call",
        "Status": "Completed",
        "IsClosed": True,
        "Priority": "Normal",
        "TaskSubtype": "Call",
        "CallType": "Outbound",
        "OwnerId": _CLERK,
        "CreatedById": _CLERK,
        "CompletedDateTime": at + timedelta(days=1),
    }
    return "Task", {**_stamped(f"00T5g{number:010d}AAA", at, at + timedelta(days=1)), **told}
