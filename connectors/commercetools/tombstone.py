"""A record that is gone, as a payload of our own: the vendor deletes without leaving anything behind."""

from typing_extensions import TypedDict

from connectors.commercetools.payloads import Id, Instant, as_told
from connectors.payload import canonical

_BEGINS = '{"gone":'


@as_told
class Gone(TypedDict, total=False):
    """When, and by which message it was told; both unknown where a full read found the record missing."""

    at: Instant | None
    message: str | None


@as_told
class Tombstone(TypedDict):
    """What stands in the place of the record."""

    id: Id
    gone: Gone


def tombstone(source_id: str, *, at: str | None = None, message: str | None = None) -> str:
    """The payload. `at` in ISO 8601. It leaves out the e-mail, which the vendor's message repeats: it is to go."""
    told = {"at": at, "message": message}
    return canonical({"gone": {name: value for name, value in told.items() if value}, "id": source_id})


def is_tombstone(raw: str) -> bool:
    """Whether a payload is ours. No resource has a field that sorts before its own and is called so."""
    return raw.startswith(_BEGINS)
