"""Slips in one text: of the finger, of the ear, of the alphabet. Pure functions that take their chance as a number."""

from collections.abc import Mapping, Sequence

_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")

NEIGHBOURS: Mapping[str, str] = {
    key: "".join(
        row[place + step]
        for row, step in ((own, -1), (own, 1), (below, -1), (below, 0), (above, 0), (above, 1))
        if 0 <= place + step < len(row) and row[place + step].isalpha()
    )
    for own, above, below in zip(_ROWS[1:], _ROWS[:-1], (*_ROWS[2:], ""), strict=True)
    for place, key in enumerate(own)
}
"""Keys beside each letter on an English keyboard."""

_EAR: Sequence[tuple[str, str]] = (
    ("ph", "f"),
    ("ck", "k"),
    ("th", "t"),
    ("sch", "sh"),
    ("sz", "s"),
    ("cz", "ch"),
    ("ei", "ai"),
    ("ie", "ee"),
    ("ai", "ay"),
    ("ou", "u"),
    ("ee", "ea"),
    ("dt", "t"),
    ("ll", "l"),
    ("nn", "n"),
    ("ss", "s"),
    ("tt", "t"),
    ("mm", "m"),
    ("rr", "r"),
    ("c", "k"),
    ("k", "c"),
    ("z", "s"),
    ("v", "f"),
    ("w", "v"),
    ("y", "i"),
    ("i", "y"),
    ("d", "t"),
    ("b", "p"),
    ("n", "nn"),
    ("l", "ll"),
    ("s", "z"),
    ("e", "a"),
)


def finger(text: str, chance: float) -> str:
    """One letter is a neighbour's, missing, doubled, or changes places with the next. Digits stay digits.

    `chance` in [0, 1) decides which. Texts of fewer than three characters stay as they are.
    """
    places = [place for place, mark in enumerate(text) if mark.isalnum()]
    if len(places) < 3:
        return text
    manner, chance = _split(chance, 4)
    turn, chance = _split(chance, len(places))
    place = places[turn]
    mark = text[place]
    if manner == 0 and place + 1 < len(text) and text[place + 1].isalnum() and text[place + 1] != mark:
        return text[:place] + text[place + 1] + mark + text[place + 2 :]
    if manner == 1:
        return text[:place] + text[place + 1 :]
    if manner == 2:
        return text[:place] + mark + text[place:]
    return text[:place] + _beside(mark, chance) + text[place + 1 :]


def wrong_digit(text: str, chance: float) -> str:
    """One digit of the second half is another, so that a number stays in its country and area."""
    places = [place for place, mark in enumerate(text) if mark.isdigit()]
    places = places[len(places) // 2 :]
    if not places:
        return text
    turn, chance = _split(chance, len(places))
    place = places[turn]
    other = (int(text[place]) + 1 + int(chance * 9)) % 10
    return text[:place] + str(other) + text[place + 1 :]


def ear(text: str, chance: float) -> str:
    """The text as someone writes it who only heard it; unchanged where we know no other spelling."""
    lower = text.lower()
    known = [(old, new) for old, new in _EAR if old in lower[1:]]
    if not known:
        return text
    old, new = known[_split(chance, len(known))[0]]
    place = lower.index(old, 1)
    return text[:place] + new + text[place + len(old) :]


def alphabet(text: str, swaps: Sequence[tuple[str, str]]) -> str:
    """The text with the first swap that applies, applied wherever it does: `Müller` to `Mueller`, `Sato` to `Satoh`."""
    for old, new in swaps:
        if old in text:
            return text.replace(old, new)
    return text


def _split(chance: float, parts: int) -> tuple[int, float]:
    """Use up a part of a chance: which of `parts`, and what is left as a new chance."""
    scaled = chance * parts
    return int(scaled), scaled - int(scaled)


def _beside(mark: str, chance: float) -> str:
    if mark.isdigit():
        return str((int(mark) + 1 + int(chance * 9)) % 10)
    near = NEIGHBOURS.get(mark.lower(), "e")
    letter = near[int(chance * len(near))]
    return letter.upper() if mark.isupper() else letter
