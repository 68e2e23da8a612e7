"""Models that read an item of the feed where the field map says that each word stands, in one step of pydantic's."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, get_type_hints

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field, create_model

from connectors.aptos.source_map import Pick, SourceMap
from connectors.aptos.told import PARTS, Told

_NOWHERE: Final = "\x00"
"""Where a word stands that the map does not read: no item has such a name."""


def shape(base: type[Told], fields: Sequence[Pick], source: SourceMap) -> type[Told]:
    """The model of `base` by the map's names. Of two fields for one word the later one is read first."""
    hints = get_type_hints(base, include_extras=True)
    by_word: dict[str, list[Pick]] = {}
    for pick in fields:
        by_word.setdefault(pick.to, []).insert(0, pick)
    words: dict[str, Any] = {
        word: (_type(hint, by_word.get(word, [])[:1], source), _field(base, word, by_word.get(word, [])))
        for word, hint in hints.items()
        if word in base.model_fields
    }
    return create_model(base.__name__, __base__=base, __cls_kwargs__={"extra": "ignore"}, **words)


def _type(hint: Any, picks: Sequence[Pick], source: SourceMap) -> Any:  # noqa: ANN401 - a type
    for pick in picks:
        if pick.each is not None:
            item = shape(PARTS[pick.to], source.parts[pick.each].fields, source)
            return tuple[item, ...]  # type: ignore[valid-type]
        if pick.codes is not None:
            return Annotated[hint, BeforeValidator(_decoder(source, pick.codes))]
    return hint


def _decoder(source: SourceMap, table: str) -> Callable[[object], str]:
    return lambda value: source.coded(table, value)


def _field(base: type[Told], word: str, picks: Sequence[Pick]) -> Any:  # noqa: ANN401 - what create_model takes
    told = base.model_fields[word]
    paths = [_path(str(pick.source)) for pick in picks if pick.source is not None]
    alias = AliasChoices(*paths) if paths else _NOWHERE
    constant = next((pick.value for pick in picks if pick.value is not None), None)
    if constant is not None:
        return Field(constant, validation_alias=alias, validate_default=True)
    if told.default_factory is not None:
        return Field(default_factory=told.default_factory, validation_alias=alias)
    return Field(told.default, validation_alias=alias)


def _path(dotted: str) -> AliasPath:
    first, *rest = dotted.split(".")
    return AliasPath(first, *(int(part) if part.isdigit() else part for part in rest))
