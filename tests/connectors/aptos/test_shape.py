"""Items of the feed are read in one step of pydantic's; it gives what reading them word by word gives."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.aptos.destination import read_map
from connectors.aptos.translate_source import Reading
from models.landing import Deletion, Refusal, SourceRecord
from models.records import Person
from tests.connectors.aptos.test_source_translate import BODIES, SOURCE

MAP = read_map(None).source
assert MAP is not None
READING = Reading(MAP, {})
ODD = st.sampled_from(
    (None, "", " ", "\t", "\u3000", "null", "a", 0, 1.5, True, [], {}, [None], ["a"], [{}], {"a": None})
)


def places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for name, one in inner for place in places(one, (*at, name)))]


def changed(value: Any, at: tuple[Any, ...], to: Any) -> Any:
    if not at:
        return to
    made = value.copy()
    made[at[0]] = changed(value[at[0]], at[1:], to)
    return made


def word_by_word(object_: str, item: dict[str, Any]) -> Any:
    """What the words say one by one; None if they cannot be read."""
    from connectors.aptos.told import OBJECTS

    words, reasons = READING.map.told(READING.map.objects[object_].picks, item)
    try:
        return None if reasons else OBJECTS[object_].model_validate(words).model_dump()
    except ValidationError:
        return None


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_both_ways_read_and_refuse_the_same(data: st.DataObject) -> None:
    object_ = data.draw(st.sampled_from(sorted(BODIES)))
    item: dict[str, Any] = {**BODIES[object_], "modifiedAt": "2026-01-02T18:00:00+01:00"}
    at = data.draw(st.sampled_from([place for place in places(item) if place]))
    item = changed(item, at, data.draw(ODD))
    raw = orjson.dumps(item, option=orjson.OPT_SORT_KEYS).decode()
    told, wanted = SOURCE.translate(object_, raw), word_by_word(object_, item)
    assert isinstance(told, Refusal) == (wanted is None)
    if isinstance(told, SourceRecord) and isinstance(told.body, Person):
        words = ("given_name", "family_name", "birth_date", "store", "brand", "language")
        assert {word: getattr(told.body, word) for word in words} == {word: wanted[word] for word in words}
        assert [one.value for one in told.body.contact_points] == [
            one["value"] for one in (*wanted["emails"], *wanted["phones"])
        ]


@pytest.mark.parametrize("name", ["given_name", "title", "household", "id"])
def test_a_word_of_ours_in_an_item_is_no_word_of_theirs(name: str) -> None:
    raw = orjson.dumps({**BODIES["customer"], name: "ours"}, option=orjson.OPT_SORT_KEYS).decode()
    told = SOURCE.translate("customer", raw)
    assert isinstance(told, SourceRecord)
    assert isinstance(told.body, Person)
    if name != "title":  # which the map reads
        assert "ours" not in told.body.model_dump_json()
    assert not isinstance(told.body, Deletion)
