"""Payloads as text: equal content is equal text, and nothing that a vendor sends cannot be written."""

from typing import Any

from connectors.payload import DEEPEST, canonical, parsed


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def depth(value: Any) -> int:
    levels = 0
    while isinstance(value, dict | list):
        value, levels = value["a"] if isinstance(value, dict) else value[0], levels + 1
    return levels


def test_equal_content_is_equal_text() -> None:
    assert canonical({"b": [1, {"d": None, "c": "é"}], "a": 1.5}) == '{"a":1.5,"b":[1,{"c":"é","d":null}]}'


def test_what_is_nested_beyond_measure_is_cut_and_its_neighbours_stay() -> None:
    told = parsed(canonical({"id": 7, "note": nested(900), "list": [{"deep": nested(300)}, "x"]}))
    assert (told["id"], told["list"][1]) == (7, "x")
    assert depth(told["note"]) < DEEPEST
    assert "nested too deep" in str(told["note"])


def test_what_vendors_nest_stays_as_it_is() -> None:
    assert parsed(canonical({"note": nested(200)})) == {"note": nested(200)}
