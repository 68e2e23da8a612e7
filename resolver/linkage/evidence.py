"""Evidence: what is known about every pair, as small integer codes.

For each comparison a pair has one code: 0 when a value is missing, else its level, and for a level that term frequency
adjusts, the level together with a band of frequency (a quarter of a nat wide). A pair's weight is then a sum of table
look-ups, and expectation maximisation never sees a string.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resolver.linkage.comparisons import NAMES, Comparison

BAND_WIDTH = 0.25
BANDS = 60

Codes = NDArray[np.uint8]
Rarity = NDArray[np.float32]


class Names(enum.IntEnum):
    """What the names of a pair say, for comparisons whose meaning depends on it."""

    UNKNOWN = 0
    DIFFER = 1
    HALF = 2
    AGREE = 3


CONTEXTS = {
    Names.UNKNOWN: "names unknown",
    Names.DIFFER: "names differ",
    Names.HALF: "one name agrees",
    Names.AGREE: "names agree",
}


@dataclass(frozen=True)
class Feature:
    """A comparison as the mixture sees it; one that depends on the names becomes one in every context."""

    comparison: Comparison
    row: int
    names: Names | None

    @property
    def name(self) -> str:
        return self.comparison.name if self.names is None else f"{self.comparison.name} ({CONTEXTS[self.names]})"

    @property
    def adjusted(self) -> tuple[int, ...]:
        """The levels, counted from 1, that term frequency adjusts."""
        return tuple(i for i, level in enumerate(self.comparison.levels, 1) if level.frequency)

    @property
    def codes(self) -> int:
        """How many codes there are, missing included."""
        return 1 + len(self.comparison.levels) + BANDS * len(self.adjusted)

    def level_of_code(self) -> NDArray[np.int64]:
        """Code -> level, 0 for missing."""
        plain = np.arange(1 + len(self.comparison.levels))
        return np.concatenate([plain, np.repeat(np.array(self.adjusted, np.int64), BANDS)])

    def rarity_of_code(self) -> NDArray[np.float64]:
        """Code -> minus log frequency of the value agreed on; NaN where frequency plays no part."""
        plain = np.full(1 + len(self.comparison.levels), np.nan)
        return np.concatenate([plain, np.tile(np.arange(BANDS) * BAND_WIDTH, len(self.adjusted))])


def features(comparisons: Sequence[Comparison]) -> list[Feature]:
    """The features of the comparisons, in their order."""
    found: list[Feature] = []
    for row, comparison in enumerate(comparisons):
        contexts: tuple[Names | None, ...] = tuple(Names) if comparison.by_names else (None,)
        found.extend(Feature(comparison, row, context) for context in contexts)
    return found


def encode(
    levels: NDArray[np.uint8],
    comparisons: Sequence[Comparison],
    rarity: Mapping[str, Rarity],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> list[Codes]:
    """One array of codes per feature, from the levels reached and the records' rarities (see `frequencies`)."""
    names = names_say(levels, comparisons)
    return [_encode(feature, levels[feature.row], rarity, left, right, names) for feature in features(comparisons)]


def names_say(levels: NDArray[np.uint8], comparisons: Sequence[Comparison]) -> NDArray[np.uint8]:
    """How far the names of the pair resemble each other (see Names): not, one of them, or all that can be compared.

    Addresses are made of names, so that similar ones mean little once a name is similar, and less once all are.
    """
    told, resembling = np.zeros(levels.shape[1], np.uint8), np.zeros(levels.shape[1], np.uint8)
    for row, comparison in enumerate(comparisons):
        if comparison.name in NAMES:
            told += levels[row] > 0
            resembling += (levels[row] > 0) & (levels[row] < len(comparison.levels))
    agree = np.where(resembling == told, Names.AGREE, np.where(resembling > 0, Names.HALF, Names.DIFFER))
    return np.where(told > 0, agree, Names.UNKNOWN).astype(np.uint8)


def _encode(
    feature: Feature,
    level: NDArray[np.uint8],
    rarity: Mapping[str, Rarity],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    names: NDArray[np.uint8],
) -> Codes:
    codes = level.copy()
    for block, adjusted in enumerate(feature.adjusted):
        pairs = np.flatnonzero(level == adjusted)
        fields = feature.comparison.levels[adjusted - 1].frequency
        rare = sum(np.minimum(rarity[f][left[pairs]], rarity[f][right[pairs]]) for f in fields)
        band = np.clip(np.rint(np.asarray(rare) / BAND_WIDTH), 0, BANDS - 1).astype(np.uint8)
        codes[pairs] = 1 + len(feature.comparison.levels) + BANDS * block + band
    if feature.names is not None:
        codes[names != feature.names] = 0
    return codes
