"""What iAGENT hears: one contact per profile and brand tenant; merges join contacts, unmerges release them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

from pydantic import Field, SecretStr

from connectors.fieldmap import FieldMap, Filled, Use, load
from connectors.fieldmap_schema import Section
from connectors.novomind import api, translate
from connectors.operations import Operations, receipt_of, unmapped
from connectors.payload import Payload, canonical, holds, parsed, read_path
from models.base import Frozen
from models.errors import Rejected, TryLater
from models.ports import Message, Receipt
from models.profiles import ProfileDocument

_CONTACT = ("tenant", "external_id")
_RELATION = ("source", "target")

OPERATIONS: Mapping[str, Use] = {
    "contact.search": Use("read", _CONTACT),
    "contact.upsert": Use("write", _CONTACT),
    "contact.join": Use("write", _RELATION),
    "contact.release": Use("write", _RELATION),
}


OBJECTS = ("contact", "contact_merged")


class Settings(Frozen):
    """Where the installation is and who we are there."""

    base_url: str
    """Root of the installation without a slash at the end; https unless on this machine."""
    client_id: str
    """The OAuth2 application that a supervisor registered."""
    client_secret: SecretStr
    username: str
    """The service user on whose behalf we write."""
    password: SecretStr
    fieldmap: Path | None = None
    """The deployment's own field map; the one beside this file if absent."""
    requests_per_second: float = Field(default=2.0, gt=0)
    """No limit is published: stay low until told otherwise."""
    timeout_seconds: float = Field(default=20.0, gt=0)


class Relation(Section):
    """How a contact tells that it is joined to another one."""

    joined_to: str
    """Dotted path of the id of the contact it is joined to."""


class NovomindMap(FieldMap):
    """The field map with what only iAGENT needs."""

    tenants: dict[str, str]
    """Brand -> tenant. A brand without one (and no "*") is told to nobody."""
    relation: Relation


def read_map(path: Path | None = None) -> NovomindMap:
    """The deployment's map, or ours. Raises WrongMap."""
    return load(path or Path(__file__).with_name("fieldmap.toml"), NovomindMap, OPERATIONS, OBJECTS)


def connect(
    settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]
) -> "NovomindDestination":
    """iAGENT behind its door; nothing is asked before the first message. Raises WrongMap."""
    fieldmap = read_map(settings.fieldmap)
    door = api.door(
        fieldmap,
        base_url=settings.base_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        username=settings.username,
        password=settings.password,
        per_second=settings.requests_per_second,
        timeout=settings.timeout_seconds,
        clock=clock,
        sleep=sleep,
    )
    return NovomindDestination(fieldmap, Operations(fieldmap, door))


class NovomindDestination:
    """The Destination of novomind iAGENT."""

    name = "novomind"

    def __init__(self, fieldmap: NovomindMap, operations: Operations) -> None:
        self._map = fieldmap
        self._operations = operations

    @property
    def mapping(self) -> str:
        """Hash of the field map."""
        return self._map.fingerprint

    def render(self, document: ProfileDocument) -> Sequence[Message]:
        """One message per brand tenant.

        The payload is {"contact": what is sent, "joinedTo": the survivor's profile or null}. The relation is part of
        it so that joining, releasing and joining again are three different states, each of which gets sent.
        """
        fieldmap = self._map
        if document.status == "active":
            told = translate.contacts(document, fieldmap.tenants, fieldmap.limits, fieldmap.masking)
            return [self._message("contact", document, tenant, subject) for tenant, subject in told]
        gone = translate.retired(document, fieldmap.tenants, fieldmap.masking)
        return [self._message("contact_merged", document, tenant, subject) for tenant, subject in gone]

    def send(self, message: Message, idempotency_key: str, correlation_id: str) -> Receipt:
        """Write the contact, then join or release it. Each step may be repeated.

        Raises TryLater, also when the contact to join to is not there yet, and SignInAgain.
        """
        return receipt_of(message, lambda: self._told(message, idempotency_key, correlation_id))

    def read_back(self, message: Message) -> Receipt | None:
        """Accepted if iAGENT holds this contact with this relation."""
        if unmapped(message):
            return None
        parts, payload = _parts(message), parsed(message.payload)
        held = self._held(parts)
        if held is None:
            return _never_told() if payload["joinedTo"] else None
        survivor = self._id_in(parts["tenant"], payload["joinedTo"])
        related = self._joined_to(held) == survivor and (survivor is not None or not payload["joinedTo"])
        if not related or not holds(held, payload["contact"]):
            return None
        return Receipt(state="accepted", code="read_back", target_id=self._id(held))

    def _message(self, object_: str, document: ProfileDocument, tenant: str, subject: Payload) -> Message:
        filled = self._map.fill(object_, subject)
        return Message(
            object="contact",
            target_key="/".join(quote(part, safe=" :@") for part in (tenant, document.profile.profile)),
            rank=1,
            payload=Filled({"contact": filled.payload, "joinedTo": document.merged_into}, filled.problems).text,
        )

    def _told(self, message: Message, key: str, correlation_id: str) -> Receipt:
        parts, payload = _parts(message), parsed(message.payload)
        if payload["joinedTo"] and self._held(parts) is None:
            return _never_told()
        content = canonical(payload["contact"])
        contact = self._operations.write("contact.upsert", parts, content, key, correlation_id)
        self._relate(contact, parts["tenant"], payload["joinedTo"], key, correlation_id)
        return Receipt(state="accepted", code="written", target_id=self._id(contact))

    def _relate(self, contact: Payload, tenant: str, survivor: str | None, key: str, correlation_id: str) -> None:
        """Make the contact joined to the survivor's, or to none."""
        wanted = self._id_in(tenant, survivor)
        if survivor and wanted is None:
            raise TryLater("novomind: the contact to join to is not there yet", code="survivor_missing")
        joined, target = self._joined_to(contact), str(self._id(contact))
        if joined is not None and joined != wanted:
            self._release(joined, target, key, correlation_id)
        if wanted is not None and joined != wanted:
            relation = {"source": wanted, "target": target}
            self._operations.write("contact.join", relation, None, f"{key}:join", correlation_id)

    def _release(self, source: str, target: str, key: str, correlation_id: str) -> None:
        """Only the link goes. A link that is gone already, from a repeat of this request, is what was wanted."""
        relation = {"source": source, "target": target}
        try:
            self._operations.write("contact.release", relation, None, f"{key}:release", correlation_id)
        except Rejected as error:
            if error.code != "404":
                raise

    def _id_in(self, tenant: str, profile: str | None) -> str | None:
        held = self._held({"tenant": tenant, "external_id": profile}) if profile else None
        return None if held is None else self._id(held)

    def _held(self, parts: Mapping[str, str]) -> Payload | None:
        return next(iter(self._operations.find("contact.search", parts)), None)

    def _id(self, contact: Payload) -> str | None:
        return self._operations.id_of("contact.upsert", contact)

    def _joined_to(self, contact: Payload) -> str | None:
        told = read_path(contact, self._map.relation.joined_to)
        return None if told is None else str(told)


def _never_told() -> Receipt:
    """A retired profile without a contact in this tenant: there is nothing to join."""
    return Receipt(state="accepted", code="never_told")


def _parts(message: Message) -> dict[str, str]:
    tenant, external_id = map(unquote, message.target_key.split("/"))
    return {"tenant": tenant, "external_id": external_id}
