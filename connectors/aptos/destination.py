"""What the Aptos CRM hears: the customer, then each transaction once, then the state of each loyalty account."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from pydantic import Field, SecretStr

from connectors.aptos import api, translate
from connectors.aptos.source_map import SourceMap
from connectors.fieldmap import FieldMap, Filled, Use, load
from connectors.fieldmap_schema import Section
from connectors.operations import Operations, receipt_of, unmapped
from connectors.payload import holds, parsed
from models.base import Frozen
from models.landing import Reason
from models.ports import Message, Receipt
from models.profiles import ProfileDocument
from models.records import RecordKey

_CUSTOMER_KEY = ("system", "value")
_TRANSACTION_KEY = ("store", "workstation", "business_day", "sequence")
_LOYALTY_KEY = ("account",)

OPERATIONS: Mapping[str, Use] = {
    "customer.lookup": Use("read", _CUSTOMER_KEY),
    "customer.upsert": Use("write", _CUSTOMER_KEY),
    "transaction.get": Use("read", _TRANSACTION_KEY),
    "transaction.put": Use("write", _TRANSACTION_KEY),
    "loyalty.get": Use("read", _LOYALTY_KEY),
    "loyalty.put": Use("write", _LOYALTY_KEY),
}

OBJECTS = ("customer", "customer_merged", "transaction_key", "transaction", "loyalty")

_WAYS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "customer": ("customer.upsert", "customer.lookup", _CUSTOMER_KEY),
    "transaction": ("transaction.put", "transaction.get", _TRANSACTION_KEY),
    "loyalty": ("loyalty.put", "loyalty.get", _LOYALTY_KEY),
}
"""Object of a message -> the operation that writes it, the one that reads it back, the parts of its key."""


class Settings(Frozen):
    """Where the CRM is and who we are there."""

    base_url: str
    """Root of the interface, without a slash at the end; https unless on this machine."""
    token_url: str | None = None
    """Root of the token server where it is another one; its path is `transport.token_path` of the field map."""
    client_id: str
    client_secret: SecretStr
    fieldmap: Path | None = None
    """The deployment's own field map; the one beside this file if absent."""
    requests_per_second: float = Field(default=5.0, gt=0)
    timeout_seconds: float = Field(default=20.0, gt=0)


class Plan(Section):
    """A loyalty programme as the CRM knows it."""

    key: str
    name: str | None = None
    start_on: date | None = None


class Capabilities(Section):
    """What the CRM can do beyond the minimum."""

    merge: Literal[False] = False
    """Whether it merges customers itself. Until one is known that does, a retired profile is marked and pointed on."""


class Words(Section):
    """Words of the sources, in any case."""

    unplaced: tuple[str, ...] = ()
    """Order statuses before the order is one, e.g. an abandoned checkout: nothing is posted."""
    cancelled: tuple[str, ...] = ()
    """Order statuses that take the sale back: a void is posted."""
    return_expected: tuple[str, ...] = ()
    """Return states before the goods are back: no return is posted yet."""

    def lowered(self) -> translate.OrderWords:
        """For comparing."""
        return translate.OrderWords(
            **{name: frozenset(word.lower() for word in words) for name, words in self.model_dump().items()}
        )


class AptosMap(FieldMap):
    """The field map with what only this CRM needs."""

    capabilities: Capabilities = Capabilities()
    plans: dict[str, Plan]
    order_words: Words = Words()
    source: SourceMap | None = Field(default=None, exclude=True)
    """How the CRM is read. No part of the fingerprint: what we read changes nothing of what we send."""


def read_map(path: Path | None = None) -> AptosMap:
    """The deployment's map, or ours. Raises WrongMap."""
    return load(path or Path(__file__).with_name("fieldmap.toml"), AptosMap, OPERATIONS, OBJECTS)


def connect(settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> "AptosDestination":
    """The CRM behind its door; nothing is asked before the first message. Raises WrongMap."""
    fieldmap = read_map(settings.fieldmap)
    door = api.door(
        fieldmap,
        base_url=settings.base_url,
        token_url=settings.token_url or settings.base_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        per_second=settings.requests_per_second,
        timeout=settings.timeout_seconds,
        clock=clock,
        sleep=sleep,
    )
    return AptosDestination(fieldmap, Operations(fieldmap, door))


class AptosDestination:
    """The Destination of the Aptos CRM."""

    name = "aptos"

    def __init__(self, fieldmap: AptosMap, operations: Operations) -> None:
        self._map = fieldmap
        self._operations = operations
        self._plans = {programme: plan.model_dump(mode="json") for programme, plan in fieldmap.plans.items()}
        self._words = fieldmap.order_words.lowered()

    @property
    def mapping(self) -> str:
        """Hash of the field map."""
        return self._map.fingerprint

    def render(self, document: ProfileDocument) -> Sequence[Message]:
        """Customer (rank 1), transactions (rank 2, write-once, oldest first), loyalty accounts (rank 3)."""
        return (self._customer(document), *self._transactions(document), *self._loyalty(document))

    def send(self, message: Message, idempotency_key: str, correlation_id: str) -> Receipt:
        """Deliver one message. Raises TryLater and SignInAgain."""
        write, _, _ = _WAYS[message.object]

        def carry_out() -> Receipt:
            answer = self._operations.write(write, _parts(message), message.payload, idempotency_key, correlation_id)
            return Receipt(state="accepted", code="written", target_id=self._operations.id_of(write, answer))

        return receipt_of(message, carry_out)

    def read_back(self, message: Message) -> Receipt | None:
        """Accepted if the CRM holds everything this message says."""
        if unmapped(message):
            return None
        write, read, _ = _WAYS[message.object]
        sent = parsed(message.payload)
        for held in self._operations.find(read, _parts(message)):
            if holds(held, sent):
                return Receipt(state="accepted", code="read_back", target_id=self._operations.id_of(write, held))
        return None

    def _customer(self, document: ProfileDocument) -> Message:
        name = "customer" if document.status == "active" else "customer_merged"
        filled = self._map.fill(name, self._map.masking.apply(translate.customer(document)))
        return Message(
            object="customer",
            target_key=_joined(["golden", document.profile.profile]),
            rank=1,
            payload=filled.text,
        )

    def _transactions(self, document: ProfileDocument) -> Iterator[Message]:
        # What the CRM told us itself it has already, under the same natural key.
        news = [attached for attached in document.orders if RecordKey.parse(attached.record).source != self.name]
        for transaction in translate.transactions(news, self._words):
            key = self._map.fill("transaction_key", transaction.key)
            filled = self._map.fill("transaction", self._map.masking.apply(transaction.content))
            problems = (*transaction.problems, *_in_key(key.problems), *filled.problems)
            yield Message(
                object="transaction",
                target_key=_joined([str(key.payload.get(part, "")) for part in _TRANSACTION_KEY]),
                rank=2,
                payload=Filled(filled.payload, problems).text,
                write_once=True,
            )

    def _loyalty(self, document: ProfileDocument) -> Iterator[Message]:
        for account in translate.loyalty(document, self._plans):
            filled = self._map.fill("loyalty", account)
            yield Message(
                object="loyalty",
                target_key=_joined([account["account"]]),
                rank=3,
                payload=filled.text,
            )


def _in_key(problems: Sequence[Reason]) -> Iterator[Reason]:
    return (Reason(path=f"key.{reason.path}", problem=reason.problem) for reason in problems)


def _joined(parts: Sequence[str]) -> str:
    """The parts of a key as one text; a slash inside a part is escaped."""
    return "/".join(quote(part, safe=" :@") for part in parts)


def _parts(message: Message) -> dict[str, str]:
    _, _, names = _WAYS[message.object]
    return dict(zip(names, map(unquote, message.target_key.split("/")), strict=True))
