"""Carries out the operations of a field map through the HTTP door, and reads answers the way the map says."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from connectors.fieldmap import UNMAPPED, FieldMap
from connectors.fieldmap_schema import Operation
from connectors.http import Answer, Door, by_status
from connectors.payload import Payload, parsed, read_path
from models.errors import Contradicted, Moved, OutsideError, Rejected, SignInAgain, TryLater
from models.ports import Message, Receipt

_POINTERS_SHOWN = 8


class Operations:
    """The calls of one destination, by the names that the map gives paths to."""

    def __init__(self, fieldmap: FieldMap, door: Door) -> None:
        self._map = fieldmap
        self._door = door

    def write(
        self, name: str, parts: Mapping[str, str], body: str | None, idempotency_key: str, correlation_id: str
    ) -> Payload:
        """Carry out an operation that writes. Returns the answer's object ({} without one).

        `body` None sends the map's own body for this operation, if it has one.
        """
        operation = self._map.operations[name]
        headers = {
            header: text.format(idempotency_key=idempotency_key, correlation_id=correlation_id)
            for header, text in self._map.transport.headers.items()
        }
        content = _own_body(operation, parts) if body is None else body
        answer = _CALLS[operation.method](
            self._door,
            operation.url(parts),
            content=content.encode(),
            headers={**headers, "Content-Type": "application/json"},
            correlation_id=correlation_id,
            shown_as=operation.path,
        )
        if answer.status >= 400:
            raise Rejected(f"{answer.asked}: answered {answer.status}", code=str(answer.status))
        return _object(answer.json()) if answer.content else {}

    def find(self, name: str, parts: Mapping[str, str]) -> list[Payload]:
        """Look something up: what the destination holds, possibly nothing."""
        operation = self._map.operations[name]
        params = {key: text.format(**parts) for key, text in operation.query.items()}
        answer = self._door.get(operation.url(parts), params=params, shown_as=operation.path)
        if answer.status >= 400:
            return []
        told = answer.json()
        found = [told] if operation.items is None else read_path(told, operation.items)
        return [_object(item) for item in found or []]

    def id_of(self, name: str, answer: Payload) -> str | None:
        """The destination's own id in the answer to this operation."""
        path = self._map.operations[name].id_from
        found = None if path is None else read_path(answer, path)
        return None if found is None else str(found)


_CALLS: Mapping[str, Callable[..., Answer]] = {
    "PUT": Door.put,
    "POST": Door.post_idempotent,
    "DELETE": Door.delete,
}
"""A POST carries an idempotency key, so it may be repeated like the others."""


def _own_body(operation: Operation, parts: Mapping[str, str]) -> str:
    body = {key: text.format(**parts) for key, text in operation.body.items()}
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode() if body else ""


def _object(told: Any) -> Payload:  # noqa: ANN401 - whatever JSON the destination sends
    return told if isinstance(told, dict) else {}


def receipt_of(message: Message, carry_out: Callable[[], Receipt]) -> Receipt:
    """What became of a message: refusals and unknown outcomes are receipts. Raises TryLater and SignInAgain.

    A message that the map could not fill is rejected without a call.
    """
    reasons = unmapped(message)
    if reasons:
        return Receipt(state="rejected", code="unmapped", reason="; ".join(reasons))
    try:
        return carry_out()
    except TryLater as error:
        if not error.maybe_done:
            raise
        return Receipt(state="unknown", code=error.code or "no_answer", reason=str(error))
    except (Rejected, Contradicted, Moved) as error:
        return Receipt(state="rejected", code=error.code or "rejected", reason=str(error))


def unmapped(message: Message) -> list[str]:
    """Why the map could not fill this message; nothing if it could."""
    return [f"{reason['path']}: {reason['problem']}" for reason in parsed(message.payload).get(UNMAPPED, ())]


def reading(fieldmap: FieldMap) -> Callable[[Answer], OutsideError | None]:
    """The door's classify function for this map: errors by the map's `errors`, and by status where it is silent."""

    def classify(answer: Answer) -> OutsideError | None:
        if answer.status < 400:
            return by_status(answer)
        problem = _problem(answer)
        code = _code(problem, fieldmap)
        move = fieldmap.move(answer.status, code)
        if move == "absent":
            return None
        said = _said(answer, problem, code, fieldmap)
        if move == "merged" and fieldmap.problem.moved_to is not None:
            heir = read_path(problem, fieldmap.problem.moved_to)
            return Moved(said, to=None if heir is None else str(heir), code=code or str(answer.status))
        error = _ERRORS.get(move or "")
        return by_status(answer) if error is None else error(said, code=code or str(answer.status))

    return classify


_ERRORS: Mapping[str, type[OutsideError]] = {
    "conflict": Contradicted,
    "merged": Contradicted,
    "reject": Rejected,
    "auth": SignInAgain,
    "throttle": TryLater,
    "retry": TryLater,
}


def _problem(answer: Answer) -> Payload:
    try:
        return _object(orjson.loads(answer.content))
    except orjson.JSONDecodeError:
        return {}


def _code(problem: Payload, fieldmap: FieldMap) -> str | None:
    told = read_path(problem, fieldmap.problem.code)
    return None if told is None else str(told).rsplit("/", maxsplit=1)[-1][:80]


def _said(answer: Answer, problem: Payload, code: str | None, fieldmap: FieldMap) -> str:
    """Status, code and which fields: never the free text, which may repeat what was sent."""
    shape = fieldmap.problem
    errors = read_path(problem, shape.errors) if shape.errors is not None else None
    told = [item for item in errors or [] if isinstance(item, dict)][:_POINTERS_SHOWN]
    pointers = [f"{item.get(shape.pointer)} {item.get(shape.reason)}" for item in told]
    return ": ".join([answer.asked, " ".join(filter(None, ["answered", str(answer.status), code])), *pointers])
