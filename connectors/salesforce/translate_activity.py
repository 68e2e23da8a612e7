"""Tasks, events and notes in our words."""

import re
from datetime import UTC, datetime, time
from html.parser import HTMLParser
from typing import Any

from connectors.salesforce.ids import ACCOUNT, CONTACT
from connectors.salesforce.payloads import Unreadable, VendorActivity, VendorEvent, VendorNote, VendorTask
from models.engagement import Activity
from models.landing import Reason

_STATUS = {
    "not started": "open",
    "in progress": "in_progress",
    "waiting on someone else": "in_progress",
    "completed": "completed",
    "deferred": "deferred",
}
_PRIORITY = {"high": "high", "low": "low"}
_OUTREACH = {"call": "phone", "email": "email", "listemail": "email"}
_DIRECTION = {"inbound": "inbound", "outbound": "outbound"}


def task(vendor: VendorTask) -> Activity:
    """A task; a call or an e-mail that was logged is an outreach. The day it is due begins in UTC."""
    channel = _OUTREACH.get((vendor.get("task_subtype") or "").lower())
    due = vendor.get("activity_date")
    return Activity(
        activity="outreach" if channel else "task",
        status=_status(vendor),
        priority=_PRIORITY.get((vendor.get("priority") or "").lower(), "normal"),
        channel=channel,
        direction=_DIRECTION.get((vendor.get("call_type") or "").lower()),
        outcome=vendor.get("call_disposition"),
        due_at=datetime.combine(due, time(), UTC) if due else None,
        end_at=vendor.get("completed_date_time"),
        **_shared(vendor),
    )


def event(vendor: VendorEvent) -> Activity:
    """An appointment."""
    return Activity(
        activity="appointment",
        start_at=vendor.get("start_date_time"),
        end_at=vendor.get("end_date_time"),
        **_shared(vendor),
    )


def note(vendor: VendorNote) -> Activity:
    """A note, as it is about one person."""
    links, content = vendor.get("content_document_links"), vendor.get("content")
    customer = links[0]["linked_entity_id"] if links else ""
    if not customer.startswith((CONTACT, ACCOUNT)):
        raise Unreadable(Reason(path="ContentDocumentLinks", problem="the note is about no contact and no account"))
    return Activity(
        activity="note",
        customer=customer,
        associate=vendor.get("employee_number") or vendor["created_by_id"],
        subject=vendor.get("title"),
        text=_text(content) if content else vendor.get("text_preview"),
        status="completed",
        occurred_at=vendor.get("created_date"),
        modified_at=vendor.get("last_modified_date"),
    )


class _Text(HTMLParser):
    """The words of a note's HTML; paragraphs, lines and points of lists begin anew."""

    _BREAKS = frozenset({"p", "br", "li", "div", "ul", "ol", "tr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ANN401  what the parser gives
        """A tag that begins a line."""
        del attrs
        if tag in self._BREAKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        """Words between tags."""
        self.words.append(data)


def _text(html: str) -> str:
    """Plain text of a note: lines without blanks around them, no empty ones."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(parser.words).splitlines())
    return "\n".join(line for line in lines if line)


def _shared(vendor: VendorActivity) -> dict[str, Any]:
    return {
        "customer": _customer(vendor),
        "associate": vendor.get("employee_number") or vendor["created_by_id"],
        "subject": vendor.get("subject"),
        "text": vendor.get("description"),
        "occurred_at": vendor.get("created_date"),
        "modified_at": vendor.get("last_modified_date"),
    }


def _status(vendor: VendorTask) -> Any:  # noqa: ANN401  one of Activity's statuses
    """The org's own words are told apart only by whether they close the task."""
    told = _STATUS.get((vendor.get("status") or "").lower())
    return told or ("completed" if vendor.get("is_closed") else "open")


def _customer(vendor: VendorActivity) -> str:
    account, who = vendor.get("account_id"), vendor.get("who_id")
    if vendor.get("account_is_person") and account:
        return account
    if who and who.startswith(CONTACT):
        return who
    raise Unreadable(Reason(path="WhoId", problem="the activity is about no contact and no person account"))
