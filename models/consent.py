"""Consent: who may be written to, where, by whom and why."""

from typing import Literal

from models.base import Frozen, Moment

Channel = Literal["email", "sms", "phone", "post", "push"]
ConsentStatus = Literal["opt_in", "opt_out", "pending"]


class ConsentEvent(Frozen):
    """A person said yes or no at one contact point. Consent belongs to the contact point, never to the profile."""

    contact_point: str
    """The e-mail address, phone number or address the answer is about, as told."""
    channel: Channel
    brand: str | None = None
    purpose: str = "marketing"
    status: ConsentStatus
    at: Moment | None = None
    """When the person said it; None where the source does not keep it (an undated yes is weaker than any no)."""
    proof: str | None = None
    """Reference to the proof, e.g. the id of a double-opt-in mail."""
