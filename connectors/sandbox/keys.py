"""Under which record key a connector lands a record of the population."""

from models.records import RecordKey

_OBJECTS = {("pos", "card"): "member", ("pos", "guest"): "receipt"}
_GUEST = "order"


def record_key(system: str, told_as: str, source_id: str) -> str:
    """The key of a row of `records` or `truth`; a guest is the order or receipt that captured them."""
    return str(_key(system, told_as, source_id))


def landed_id(system: str, told_as: str, source_id: str) -> str:
    """The last part of that key."""
    return _key(system, told_as, source_id).source_id


def _key(system: str, told_as: str, source_id: str) -> RecordKey:
    landed_as = _OBJECTS.get((system, told_as), _GUEST if told_as == "guest" else told_as)
    if landed_as == "receipt":
        source_id = source_id.replace("|", "-")
    return RecordKey(source=system, object=landed_as, source_id=source_id)
