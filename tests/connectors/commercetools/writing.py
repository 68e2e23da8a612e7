"""Writing back to commercetools as its contract wants it: through our door, on the version that was read.

The connector is a source and writes nothing; this is how a shop's own job would put a loyalty number where we read it.
"""

from typing import Any

from connectors.commercetools.api import open_door
from connectors.commercetools.source import Settings
from connectors.http import Door
from models.errors import Contradicted
from tests.connectors.commercetools.project import Clock

_ATTEMPTS = 5


def writing_door(settings: Settings, clock: Clock) -> Door:
    """The door by which the source reads, with the right to write."""
    return open_door(
        api_url=settings.api_url,
        auth_url=settings.auth_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scope=f"manage_project:{settings.project_key}",
        per_second=None,
        clock=clock,
        sleep=clock.sleep,
    )


def give_loyalty_number(door: Door, resource: str, number: str, type_key: str = "retail") -> tuple[dict[str, Any], int]:
    """Give it to a resource (`/project/customers/id`) that has none: (resource in the end, how often it was overtaken).

    After each refusal it is read and decided anew: whoever came first may have given another number, which stays.
    """
    for overtaken in range(_ATTEMPTS):
        found: dict[str, Any] = door.get(resource).json()
        actions = _actions(found, number, type_key)
        if not actions:
            return found, overtaken
        try:
            written: dict[str, Any] = door.post(resource, json={"version": found["version"], "actions": actions}).json()
        except Contradicted:
            continue
        return written, overtaken
    raise AssertionError(f"overtaken {_ATTEMPTS} times")


def _actions(found: dict[str, Any], number: str, type_key: str) -> list[dict[str, Any]]:
    custom = found.get("custom")
    if custom and custom["fields"].get("loyaltyNumber"):
        return []
    typed = {"action": "setCustomType", "type": {"typeId": "type", "key": type_key}}
    field = {"action": "setCustomField", "name": "loyaltyNumber", "value": number}
    return [field] if custom else [typed, field]
