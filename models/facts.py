"""One class per ledger: the rows that are appended and never changed."""

from typing import Any, Literal

from pydantic import Field

from models.base import Frozen, Moment

Verdict = Literal["match", "unsure", "non_match"]


class Run(Frozen):
    """A command that wrote facts, with the code, the policy and the model it used."""

    run_id: str
    command: str
    code_version: str
    policy: dict[str, Any]
    model_hash: str
    began_at: Moment


class RunEnd(Frozen):
    """How a run ended. A run without one was cut off."""

    run_id: str
    outcome: Literal["done", "partly", "failed"]
    counts: dict[str, Any]
    ended_at: Moment


class Reconciliation(Frozen):
    """A full read of one object, compared with what had landed before it."""

    source: str
    object: str
    missed: int
    """Versions that changed before the watermark and had not landed: a delta missed them."""
    vanished: int
    """Records that the source no longer has."""
    unlisted: int
    """Records that the read did not bring, although the source still has them."""
    run_id: str
    recorded_at: Moment


class Judgement(Frozen):
    """The recorded answer about a pair: who judged, how, on what evidence."""

    left_record: str
    right_record: str
    verdict: Verdict
    judge: str
    """`rule:<name>`, `model:<version>` or `steward:<name>`."""
    log_odds: float | None = None
    evidence: dict[str, Any] = Field(default_factory=dict)
    run_id: str
    recorded_at: Moment


class Membership(Frozen):
    """A record joined or left a profile, because of a judgement or of a cut."""

    record: str
    profile: str
    change: Literal["joined", "left"]
    because: dict[str, Any]
    run_id: str
    recorded_at: Moment


class ProfileVersion(Frozen):
    """What we believe about a profile from now on, field by field, from whom; or that it is retired."""

    profile: str
    version: int
    state: Literal["active", "retired"]
    superseded_by: str | None = None
    golden: dict[str, Any]
    content_hash: str
    run_id: str
    recorded_at: Moment


class Conflict(Frozen):
    """Sources of one profile, or two profiles, disagree; all candidates, the winner and the rule."""

    conflict_id: str
    kind: Literal["attribute", "identity", "loyalty", "consent"]
    profile: str
    attribute: str
    candidates: list[dict[str, Any]]
    winner: str | None
    rule: str
    state: Literal["open", "settled"]
    run_id: str
    recorded_at: Moment


class Landing(Frozen):
    """Everything that changed at a source in a window is on disk."""

    source: str
    object: str
    since: Moment | None
    until: Moment
    pages: int
    landed: int
    refused: int
    known: int
    run_id: str
    recorded_at: Moment


class Rendering(Frozen):
    """A profile's document, in this content and with this field map, was put to a destination's outbox."""

    destination: str
    profile: str
    document_hash: str
    messages: int
    run_id: str
    recorded_at: Moment


class Publication(Frozen):
    """One step of a message to a destination: queued, sent, accepted, rejected or unknown."""

    destination: str
    object: str
    target_key: str
    profile: str
    sequence: int
    message_rank: int
    write_once: bool
    payload_hash: str
    payload: str | None = None
    """Kept with the intent; receipts repeat only its hash."""
    idempotency_key: str
    state: Literal["queued", "accepted", "rejected", "unknown"]
    code: str | None = None
    reason: str | None = None
    target_id: str | None = None
    correlation_id: str
    run_id: str
    recorded_at: Moment
