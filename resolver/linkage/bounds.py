"""Bounds: how much a pair could weigh at best, without comparing a text.

Most pairs that blocking proposes share a first name or a street and nothing else. What a level needs at
least can be told from a few numbers per record: equal hashes, the letters that two texts have in common, the digits in
which they differ. A pair that even with the strongest levels left to it stays below the line is not compared: nothing
is lost. A comparison without an entry in NEEDS counts with its best level.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from resolver.linkage import mixture
from resolver.linkage.blocking import Keys, Pairs, unpacked
from resolver.linkage.comparisons import Comparison
from resolver.linkage.evidence import BAND_WIDTH, BANDS, Feature, Names, Rarity
from resolver.linkage.mixture import Parameters

CHUNK = 500_000
SLACK = 0.001
RAREST = (BANDS - 1) * BAND_WIDTH
TEXTS = ("given", "family", "middle", "email", "local", "street", "postcode", "city", "national_id",
         "other_1", "other_2", "other_3", "other_4")  # fmt: skip
DIGITS = ("birth", "phone")
Answer = TypeVar("Answer")
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Text:
    """One text of every record: a bit for each letter in it, its length, and its first four letters."""

    letters: NDArray[np.uint64]
    length: NDArray[np.float32]
    start: NDArray[np.uint32]

    @classmethod
    def of(cls, column: pa.StringArray) -> Text:
        """The outline of ASCII texts; of no letter where there is none."""
        filled = pa.compute.fill_null(column, "")
        ends = np.frombuffer(filled.buffers()[1], np.int32)[filled.offset :][: len(filled) + 1]
        size = np.diff(ends)
        data = filled.buffers()[2]
        bytes_ = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
        bytes_ = np.r_[bytes_, np.zeros(4, np.uint8)]
        letters = np.zeros(size.size, np.uint64)
        told = np.flatnonzero(size)
        if told.size:
            bits = np.uint64(1) << (bytes_ & np.uint8(63)).astype(np.uint64)
            letters[told] = np.bitwise_or.reduceat(bits[: ends[-1]], ends[:-1][told])
        start = np.zeros(size.size, np.uint32)
        for place in range(4):
            there = size > place
            start[there] |= bytes_[ends[:-1][there] + place].astype(np.uint32) << np.uint32(8 * place)
        return cls(letters, size.astype(np.float32), start)


def digits(column: pa.StringArray) -> Keys:
    """The last 16 digits of every text, four bits each."""
    filled = pa.compute.fill_null(pa.compute.utf8_slice_codeunits(column, -16), "")
    padded = pa.compute.utf8_lpad(filled, 16, "0")
    values = np.frombuffer(padded.buffers()[2], np.uint8)[padded.offset * 16 :][: len(padded) * 16].reshape(-1, 16)
    packed = np.zeros(len(padded), np.uint64)
    for place in range(16):
        packed = (packed << np.uint64(4)) | (values[:, place] & np.uint8(15)).astype(np.uint64)
    return packed


@dataclass(frozen=True)
class Outline:
    """What is known of every record without looking at its texts again."""

    parts: Mapping[str, Keys]
    texts: Mapping[str, Text]
    digits: Mapping[str, Keys]


def _once(question: Callable[[Both, str], Answer]) -> Callable[[Both, str], Answer]:
    """Several levels ask the same of the same pairs: the answer is kept with the pairs."""

    @functools.wraps(question)
    def answered(both: Both, what: str) -> Answer:
        asked = (question.__name__, what)
        if asked not in both.known:
            both.known[asked] = question(both, what)
        return cast("Answer", both.known[asked])

    return answered


class Both:
    """Two records of each of some pairs, side by side."""

    def __init__(self, outline: Outline, left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
        self._outline, self._left, self._right = outline, left, right
        self.known: dict[tuple[str, str], Any] = {}

    @_once
    def ends(self, part: str) -> tuple[Keys, Keys]:
        """A part of both records, 0 where there is none."""
        return self._outline.parts[part][self._left], self._outline.parts[part][self._right]

    def missing(self, part: str) -> Bools:
        """At least one of the two lacks it."""
        left, right = self.ends(part)
        return np.asarray((left == 0) | (right == 0))

    @_once
    def same(self, part: str) -> Bools:
        """Both have it, and it is the same."""
        left, right = self.ends(part)
        return np.asarray((left == right) & (left != 0))

    def crossed(self, part: str, other: str) -> Bools:
        """One part of the one is another part of the other."""
        (left, right), (other_left, other_right) = self.ends(part), self.ends(other)
        return np.asarray(((left == other_right) & (left != 0)) | ((right == other_left) & (right != 0)))

    def swapped(self, part: str, other: str) -> Bools:
        """The two parts changed places."""
        (left, right), (other_left, other_right) = self.ends(part), self.ends(other)
        return np.asarray((left == other_right) & (right == other_left) & (left != 0) & (right != 0))

    def overlap(self, part: str) -> Bools:
        """Sets that may share a member (see `given_forms` in linkage.sql)."""
        left, right = self.ends(part)
        return np.asarray((left & right) != 0)

    def either(self, part: str) -> Bools:
        """At least one of the two has it."""
        left, right = self.ends(part)
        return np.asarray((left != 0) | (right != 0))

    @_once
    def strangers(self, text: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """How many different letters of the left text the right one lacks, and the other way round."""
        letters = self._outline.texts[text].letters
        left, right = letters[self._left], letters[self._right]
        return np.bitwise_count(left & ~right), np.bitwise_count(right & ~left)

    @_once
    def resemblance(self, text: str) -> Floats:
        """At most the Jaro-Winkler similarity: every letter that both have is taken to match, in its place."""
        outline = self._outline.texts[text]
        left, right = outline.length[self._left], outline.length[self._right]
        only_left, only_right = self.strangers(text)
        matching = np.minimum(left - only_left, right - only_right)
        jaro = (matching / np.maximum(left, 1) + matching / np.maximum(right, 1) + np.float32(1)) / np.float32(3)
        apart = outline.start[self._left] ^ outline.start[self._right]
        prefix = sum((apart & np.uint32(mask)) == 0 for mask in (0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF))
        return np.asarray(jaro + np.float32(0.1) * prefix * (1 - jaro) + np.float32(1e-5), np.float32)

    def alike(self, text: str, least: float) -> Bools:
        """The Jaro-Winkler similarity may reach `least`."""
        return self.resemblance(text) >= least

    def begins(self, text: str) -> Bools:
        """One text may be the beginning of the other."""
        only_left, only_right = self.strangers(text)
        start = self._outline.texts[text].start
        first = (start[self._left] ^ start[self._right]) & np.uint32(0xFF)
        return np.asarray(((only_left == 0) | (only_right == 0)) & (first == 0))

    def edited(self, text: str, most: int) -> Bools:
        """So many insertions, deletions and changes of a letter may make one text of the other."""
        length = self._outline.texts[text].length
        longer = np.abs(length[self._left] - length[self._right])
        return np.asarray((np.maximum(*self.strangers(text)) <= most) & (longer <= most))

    @_once
    def differing(self, number: str) -> NDArray[np.uint8]:
        """In how many digits the two numbers differ."""
        told = self._outline.digits[number]
        apart = told[self._left] ^ told[self._right]
        apart |= apart >> np.uint64(2)
        apart |= apart >> np.uint64(1)
        return np.asarray(np.bitwise_count(apart & np.uint64(0x1111111111111111)))

    def near_years(self) -> Bools:
        """The years of birth are at most one apart, or equal."""
        left, right = self.ends("year")
        return np.asarray(np.maximum(left, right) - np.minimum(left, right) <= 1)

    def swapped_digits(self, number: str) -> Bools:
        """The last two digits of each are the two before them of the other."""
        told = self._outline.digits[number]
        left, right = told[self._left], told[self._right]
        two = np.uint64(0xFF)
        return np.asarray(
            ((left & two) == (right >> np.uint64(8) & two)) & ((right & two) == (left >> np.uint64(8) & two))
        )

    def same_digits(self, number: str, mask: int) -> Bools:
        """Some of the digits are the same."""
        told = self._outline.digits[number]
        return np.asarray(((told[self._left] ^ told[self._right]) & np.uint64(mask)) == 0)


Need = Callable[[Both], Bools]


@dataclass(frozen=True)
class Needs:
    """For a comparison: when it says nothing at all, when it may say nothing, and what each level needs at least.

    A level that is not listed needs nothing.
    """

    missing: Need
    levels: Mapping[str, Need]
    perhaps_missing: Need | None = None


def _simply(part: str, **levels: Need) -> Needs:
    named = {name.replace("_", " "): need for name, need in levels.items()}
    return Needs(lambda b: b.missing(part), {"exact": lambda b: b.same(part), **named})


def _other(part: str) -> Needs:
    return _simply(part, similar=lambda b: b.alike(part, 0.88))


NEEDS: dict[str, Needs] = {
    "given": _simply(
        "given",
        swapped=lambda b: b.swapped("given", "family"),
        short_form=lambda b: b.overlap("given_forms") | b.begins("given"),
        initial=lambda b: b.begins("given"),
        typo=lambda b: b.alike("given", 0.75),
        another_name_of_theirs=lambda b: b.crossed("given", "family") | b.crossed("given", "middle"),
        similar=lambda b: b.alike("given", 0.8) | b.same("given_sound"),
    ),
    "family": Needs(
        lambda b: b.missing("family"),
        {
            "exact": lambda b: b.same("family"),
            "typo": lambda b: b.alike("family", 0.75),
            "shared word": lambda b: (
                b.either("family_words") | b.crossed("family", "middle") | b.crossed("family", "given")
            ),
            "similar": lambda b: b.alike("family", 0.82) | b.same("family_sound"),
        },
        perhaps_missing=lambda b: b.swapped("given", "family"),
    ),
    "middle": _simply(
        "middle",
        initial=lambda b: b.begins("middle"),
        similar=lambda b: b.alike("middle", 0.88) | b.either("middle_words"),
    ),
    "suffix": _simply("suffix"),
    "sex": _simply("sex"),
    "birth_year": Needs(
        lambda b: b.missing("birth_year") | ~b.missing("birth"),
        {"exact": lambda b: b.same("birth_year"), "next year": lambda b: b.near_years()},
    ),
    "birth": _simply(
        "birth",
        day_and_month_swapped=lambda b: b.same("birth_year") & b.swapped_digits("birth"),
        one_digit=lambda b: b.differing("birth") <= 2,
        two_parts_of_three=lambda b: (
            b.same("birth_year").astype(np.uint8) + b.same_digits("birth", 0xFF) + b.same_digits("birth", 0xFF00) >= 2
        ),
        year=lambda b: b.same("birth_year"),
        near=lambda b: b.near_years() | (b.differing("birth") <= 2),
    ),
    "email": Needs(
        lambda b: b.missing("email"),
        {
            "exact, the family's": lambda b: b.same("email"),
            "exact": lambda b: b.same("email"),
            "same local part": lambda b: b.same("local"),
            "typo": lambda b: b.edited("email", 2) & b.alike("email", 0.9),
            "scrambled": lambda b: b.edited("email", 5) & b.alike("email", 0.9),
            "similar": lambda b: b.alike("local", 0.9),
        },
    ),
    "phone": _simply("phone", near=lambda b: b.same("phone_end") | (b.differing("phone") <= 2)),
    "address": Needs(
        lambda b: b.missing("street"),
        {
            "exact": lambda b: b.same("address"),
            "same number, similar street": lambda b: b.same("house_number") & b.alike("street", 0.88),
            "near number, similar street": lambda b: b.alike("street", 0.92),
            "same street": lambda b: b.same("street"),
            "same number": lambda b: b.same("house_number"),
        },
    ),
    "postcode": _simply(
        "postcode",
        one_character=lambda b: b.edited("postcode", 1),
        district=lambda b: b.same("district"),
    ),
    "city": _simply("city", similar=lambda b: b.alike("city", 0.88)),
    "national_id": _simply("national_id", typo=lambda b: b.alike("national_id", 0.8)),
    "loyalty": _simply("loyalty"),
    **{other: _other(other) for other in ("other_1", "other_2", "other_3", "other_4")},
}


def plausible(
    outline: Outline,
    pairs: Pairs,
    wanted: Sequence[Feature],
    parameters: Parameters,
    rarity: Mapping[str, Rarity],
    line: float,
) -> Pairs:
    """The packed pairs whose log-odds may be above the line; those left out cannot be."""
    most = [_Most.of(comparison, wanted, parameters, rarity) for comparison in _comparisons(wanted)]
    start = float(np.log(parameters.prior[0])) + SLACK
    kept = [np.empty(0, np.uint64)]
    for first in range(0, pairs.size, CHUNK):
        chunk = pairs[first : first + CHUNK]
        left, right = unpacked(chunk)
        both = Both(outline, left, right)
        given, family = both.same("given"), both.same("family")
        agree = (given | family).astype(np.int8) + (given & family)
        bound = np.full(chunk.size, start, np.float32)
        for each in most:
            bound += each.weight(both, left, agree)
        kept.append(chunk[bound > line])
    return np.concatenate(kept)


def _comparisons(wanted: Sequence[Feature]) -> list[Comparison]:
    return list({feature.comparison.name: feature.comparison for feature in wanted}.values())


@dataclass(frozen=True)
class _Most:
    """The most that a comparison can weigh in favour of a match, less the `rarity` of the value where that counts.

    `of_level[0]` holds for each level whatever the names say, `[1]` if one of them surely agrees, `[2]` if both do.
    """

    comparison: Comparison
    of_level: Floats
    rarity: Sequence[Sequence[Rarity]]

    @classmethod
    def of(
        cls, comparison: Comparison, wanted: Sequence[Feature], parameters: Parameters, rarity: Mapping[str, Rarity]
    ) -> _Most:
        adjusted = [[rarity[name] for name in level.frequency] for level in comparison.levels]
        best = np.full((3, len(comparison.levels)), -np.inf)
        for number, feature in enumerate(wanted):
            if feature.comparison.name == comparison.name:
                shares = parameters.shares[number]
                plain = mixture.weights(feature, shares, parameters.chance[number])[1 : best.shape[1] + 1, 0]
                weight = np.where([bool(rare) for rare in adjusted], np.log(shares[0, 1:]), plain)
                best[0] = np.maximum(best[0], weight)
                if feature.names in (None, Names.HALF, Names.AGREE):
                    best[1] = np.maximum(best[1], weight)
                if feature.names in (None, Names.AGREE):
                    best[2] = weight
        return cls(comparison, best.astype(np.float32), adjusted)

    def weight(self, both: Both, left: NDArray[np.int64], agree: NDArray[np.int8]) -> Floats | np.float32:
        """At most what the comparison weighs for each of the pairs; `agree` is how many of their names surely do."""
        needs = NEEDS.get(self.comparison.name)
        if needs is None:
            return self._anywhere()
        bound: Floats = self.of_level[agree, -1]
        for number, level in enumerate(self.comparison.levels[:-1]):
            if level.name != "exact" and (
                self.rarity[number] or (self.of_level[:, number] > self.of_level[:, -1]).any()
            ):
                need = needs.levels.get(level.name)
                where = np.arange(left.size) if need is None else np.flatnonzero(need(both))
                bound[where] = np.maximum(bound[where], self._at(number, left[where], agree[where]))
        exact = np.flatnonzero(needs.levels["exact"](both))
        bound[exact] = self._of_exact(exact, both, left, agree)
        if needs.perhaps_missing is not None:
            bound[needs.perhaps_missing(both) & (bound < 0)] = 0
        bound[needs.missing(both)] = 0
        return bound

    def _of_exact(
        self, exact: NDArray[np.int64], both: Both, left: NDArray[np.int64], agree: NDArray[np.int8]
    ) -> Floats:
        """At most what pairs of the same value weigh: they reach that level, or one that stands before it."""
        last = self.comparison.exact - 1
        most = self._at(last, left[exact], agree[exact])
        for number in range(last):
            need = NEEDS[self.comparison.name].levels.get(self.comparison.levels[number].name)
            reached = np.arange(exact.size) if need is None else np.flatnonzero(need(both)[exact])
            there = exact[reached]
            most[reached] = np.maximum(most[reached], self._at(number, left[there], agree[there]))
        return most

    def _at(self, number: int, records: NDArray[np.int64], agree: NDArray[np.int8]) -> Floats:
        most: Floats = self.of_level[agree, number]
        for rarity in self.rarity[number]:
            most += np.clip(rarity[records] + BAND_WIDTH, 0, RAREST)
        return most

    def _anywhere(self) -> np.float32:
        """At the best level, whatever the pair."""
        rarest = [RAREST * len(rarity) for rarity in self.rarity]
        return np.float32(max(0.0, float((self.of_level[0] + rarest).max())))
