"""The state behind the sandbox: one project's resources with versions, and the tokens that open it."""

from collections import Counter
from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from connectors.commercetools.api import stamp
from connectors.commercetools.sandbox_messages import Payload, of_change, of_creation, of_deletion

Resource = dict[str, Any]

RESOURCES = {
    "customers": "customer",
    "orders": "order",
    "payments": "payment",
    "carts": "cart",
    "stores": "store",
    "customer-groups": "customer-group",
    "types": "type",
    "messages": "message",
}
"""Path of each collection and the type id by which references name its members."""

TOKEN_SECONDS = 172_800


class Stale(Exception):
    """Somebody changed the resource after the version that the writer knew."""

    def __init__(self, current: int) -> None:
        super().__init__(f"current version {current}")
        self.current = current


class Shop:
    """One project. Every change goes through here and moves version and lastModifiedAt; safe between threads.

    clock: time of changes and of tokens. Tokens are counted, not drawn: runs repeat.
    """

    def __init__(self, project_key: str, clock: Callable[[], datetime]) -> None:
        self.project_key = project_key
        self.clock = clock
        self.lock = RLock()
        self.asked: list[str] = []
        """Path and query of each query for a page that was answered."""
        self.before_answer: Callable[[str], None] = lambda path: None
        """Called with the collection before a page of it is put together; a test may change things here."""
        self.times_out_above: int | None = None
        """Queries for more resources than this take too long, however often they are asked."""
        self.messages_on = True
        """Whether changes are told as messages."""
        self.keeps_messages_for = 15
        """Days after which messages are deleted."""
        self._numbers: Counter[str] = Counter()
        self._held: dict[str, dict[str, Resource]] = {path: {} for path in RESOURCES}
        self._tokens: dict[str, _Token] = {}
        self._issued = 0

    def load(self, path: str, resources: Iterable[Resource]) -> None:
        """Put resources in as they are, with their own versions and times."""
        with self.lock:
            self._held[path].update((resource["id"], resource) for resource in resources)

    def all(self, path: str) -> list[Resource]:
        """Every resource of a collection, in no promised order."""
        with self.lock:
            if path == "messages":
                self._expire()
            return list(self._held[path].values())

    def settings(self) -> Resource:
        """The project, with what it says about messages."""
        kept = {"enabled": self.messages_on, "deleteDaysAfterCreation": self.keeps_messages_for}
        return {"key": self.project_key, "version": 1, "messages": kept}

    def find(self, path: str, identity: str) -> Resource | None:
        """By id, or by `key=...`."""
        with self.lock:
            if not identity.startswith("key="):
                return self._held[path].get(identity)
            key = identity.removeprefix("key=")
            return next((each for each in self._held[path].values() if each.get("key") == key), None)

    def refer(self, type_id: str, identity: str) -> Resource | None:
        """What a reference of this type points to."""
        path = next((path for path, named in RESOURCES.items() if named == type_id), None)
        return self.find(path, identity) if path else None

    def create(self, path: str, draft: Resource) -> Resource:
        """A new resource in its first version."""
        with self.lock:
            now = stamp(self.clock())
            resource = {"version": 1, "createdAt": now, "lastModifiedAt": now, **draft}
            self._held[path][resource["id"]] = resource
            self._tell(path, resource, of_creation(path, resource))
            return resource

    def change(self, path: str, identity: str, version: int, edit: Callable[[Resource], None]) -> Resource:
        """Apply an edit to the version that the writer knows; an edit that changes nothing makes no version.

        Raises KeyError for an unknown id and Stale for another version. An edit that raises leaves no trace.
        """
        with self.lock:
            before = self._held[path][identity]
            if before["version"] != version:
                raise Stale(before["version"])
            after = deepcopy(before)
            edit(after)
            if after != before:
                after.update(version=version + 1, lastModifiedAt=stamp(self.clock()))
                self._held[path][identity] = after
                self._tell(path, after, of_change(path, before, after))
            return after

    def bump(self, path: str, identity: str) -> None:
        """A new version with nothing new in it, as a notification that is delivered twice makes."""
        with self.lock:
            held = self._held[path][identity]
            news = {"version": held["version"] + 1, "lastModifiedAt": stamp(self.clock())}
            self._held[path][identity] = held | news

    def touch(self, path: str, identity: str, **fields: object) -> Resource:
        """Somebody else changes fields, whatever the version."""
        with self.lock:
            version = self._held[path][identity]["version"]
            return self.change(path, identity, version, lambda resource: resource.update(fields))

    def remove(self, path: str, identity: str, version: int) -> Resource:
        """Delete without a trace. Raises KeyError and Stale like `change`."""
        with self.lock:
            if self._held[path][identity]["version"] != version:
                raise Stale(self._held[path][identity]["version"])
            removed = self._held[path].pop(identity)
            self._tell(path, removed, of_deletion(path, removed))
            return removed

    def forget(self, message: str) -> None:
        """A message is gone before anybody read it."""
        with self.lock:
            del self._held["messages"][message]

    def lose_message(self) -> None:
        """One message of a resource vanishes, neither its first nor its last one."""
        with self.lock:
            by_resource: dict[str, list[Resource]] = {}
            for message in self._held["messages"].values():
                by_resource.setdefault(message["resource"]["id"], []).append(message)
            inner = [each[1:-1] for _, each in sorted(by_resource.items()) if len(each) > 2]
            if inner:
                self.forget(inner[0][0]["id"])

    def leave_payload_out(self) -> None:
        """The first message that carries a whole order says instead that the order is too large."""
        with self.lock:
            for identity, message in self._held["messages"].items():
                if "order" in message:
                    left = {"reason": "Too large", "payloadType": "Message"}
                    rest = {name: value for name, value in message.items() if name != "order"}
                    self._held["messages"][identity] = rest | {"payloadNotIncluded": left}
                    return

    def _tell(self, path: str, resource: Resource, told: Iterable[Payload]) -> None:
        """Write messages about a resource, numbered on for each resource."""
        for kind, payload in told if self.messages_on else ():
            self._numbers[resource["id"]] += 1
            number, now = self._numbers[resource["id"]], stamp(self.clock())
            identity = f"message-{len(self._numbers)}-{resource['id']}-{number}"
            self._held["messages"][identity] = {
                "id": identity,
                "version": 1,
                "createdAt": now,
                "lastModifiedAt": now,
                "sequenceNumber": number,
                "resource": reference(RESOURCES[path], resource["id"]),
                "resourceVersion": resource["version"],
                "type": kind,
                **payload,
            }

    def _expire(self) -> None:
        oldest = stamp(self.clock() - timedelta(days=self.keeps_messages_for))
        for identity, message in list(self._held["messages"].items()):
            if message["createdAt"] < oldest:
                del self._held["messages"][identity]

    def issue_token(self, scopes: frozenset[str]) -> str:
        """A new token, good for two days."""
        with self.lock:
            self._issued += 1
            token = f"sandbox-token-{self._issued}"
            self._tokens[token] = _Token(scopes, self.clock() + timedelta(seconds=TOKEN_SECONDS))
            return token

    def scopes_of(self, token: str) -> frozenset[str] | None:
        """What the token may do; None if it is unknown or has ended."""
        with self.lock:
            held = self._tokens.get(token)
            if held is None or self.clock() >= held.ends_at:
                return None
            held.used = True
            return held.scopes

    def revoke_used(self, token: str) -> bool:
        """End a token before its time, unless it is so fresh that nobody has used it; whether it was ended."""
        with self.lock:
            held = self._tokens.get(token)
            if held is None or not held.used:
                return False
            del self._tokens[token]
            return True

    def revoke_all(self) -> None:
        """End every token, as a rotation of the secret does."""
        with self.lock:
            self._tokens.clear()


class _Token:
    def __init__(self, scopes: frozenset[str], ends_at: datetime) -> None:
        self.scopes = scopes
        self.ends_at = ends_at
        self.used = False


def reference(type_id: str, identity: str) -> dict[str, str]:
    """How one resource points to another."""
    return {"typeId": type_id, "id": identity}
