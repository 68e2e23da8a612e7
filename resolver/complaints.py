"""What is wrong in a settings file, in words that help: the path, the problem, the keys that exist there."""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError
from rapidfuzz import process

_NEAR = 70.0
"""How alike, of 100, a misspelt key and one that exists must be."""


def complaints(error: ValidationError, model: type[BaseModel], place: Sequence[str] = ()) -> str:
    """One line per wrong setting of a file whose part at `place` is described by `model`. Values are never repeated."""
    lines = []
    for wrong in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in (*place, *wrong["loc"]))
        hint = _hint(str(wrong["loc"][-1]), _keys(model, wrong["loc"][:-1])) if _is_about_a_key(wrong["type"]) else ""
        lines.append(f"  {path}: {wrong['msg']}.{hint}")
    return "\n".join(lines)


def _is_about_a_key(problem: str) -> bool:
    return problem in ("extra_forbidden", "missing")


def _hint(key: str, known: Sequence[str]) -> str:
    if not known:
        return ""
    near = process.extractOne(key, [name for name in known if name != key], score_cutoff=_NEAR)
    meant = f" Did you mean {near[0]}?" if near and key not in known else ""
    return f"{meant} Known here: {', '.join(known)}."


def _keys(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return []
        model = field.annotation
    return sorted(model.model_fields)
