"""Blocking: which pairs are worth comparing.

A blocking rule is a tuple of parts; two records that agree on all of them are proposed. Every rule has a budget of
pairs: its largest blocks are left out until the rest fits, so that no rule needs to be chosen for a data set and a
placeholder or a common name never makes a mega-block. All rules together make the candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Pairs = NDArray[np.uint64]

RULES: tuple[tuple[str, ...], ...] = (
    ("national_id",), ("loyalty",), ("email",), ("phone",), ("local",), ("address",), ("name_set",), ("birth",),
    ("given", "family"), ("given", "birth"), ("family", "birth"),
    ("any_name", "birth"), ("any_name", "postcode"), ("any_name", "address"), ("any_name", "phone"), ("any_name",
    "local"),
    ("given", "postcode"), ("family", "postcode"), ("given", "birth_year"), ("family", "birth_year"),
    ("given", "city"), ("family", "city"), ("given", "district"), ("family", "district"),
    ("given_sound", "family_sound"), ("given_start", "family_start"), ("initial", "family"), ("initial",
    "family_sound"),
    ("given", "family_start"), ("given_sound", "family"), ("given", "family_sound"),
    ("given_sound", "birth"), ("family_sound", "birth"), ("initial", "birth"), ("family_start", "birth"),
    ("given_sound", "postcode"), ("family_sound", "postcode"), ("given_sound", "birth_year"), ("family_sound",
    "birth_year"),
    ("given", "month_day"), ("family", "month_day"), ("given_sound", "month_day"), ("family_sound", "month_day"),
    ("postcode", "birth"), ("postcode", "birth_year"), ("postcode", "month_day"), ("city", "birth"), ("city",
    "birth_year"),
    ("district", "birth"), ("street", "given"), ("street", "family"), ("street", "birth_year"), ("house_number",
    "postcode"),
    ("phone_end",), ("local_start", "birth_year"), ("local_start", "postcode"), ("local_start", "family"),
    ("local_start", "given"),
    ("given",), ("family",), ("postcode",), ("middle", "birth"), ("middle", "family"), ("middle", "given"),
    *((name, f"other_{i}") for i in range(1, 5) for name in ("birth", "given", "family", "postcode", "family_sound",
        "birth_year")),
)  # fmt: skip

ALTERNATIVES = {"any_name": ("given", "family")}


def candidates(parts: Mapping[str, Keys], pairs_per_record: float) -> Pairs:
    """All pairs that some rule proposes, each packed as left << 32 | right with left < right, sorted.

    `parts` holds one hash per record and part, 0 where the record has none; `pairs_per_record` is each rule's budget.
    """
    proposed = [pairs for rule in RULES if (pairs := _proposed(parts, rule, pairs_per_record)).size]
    return _distinct(np.concatenate(proposed)) if proposed else np.empty(0, np.uint64)


def blocked_by(parts: Mapping[str, Keys], left: NDArray[np.int64], right: NDArray[np.int64]) -> list[str]:
    """For every pair the first rule that proposes it."""
    first = np.full(left.size, len(RULES))
    waiting = np.arange(left.size)
    for number, rule in enumerate(RULES):
        agree = _agree(parts, rule, left[waiting], right[waiting])
        first[waiting[agree]] = number
        waiting = waiting[~agree]
    names = np.array([*(" + ".join(rule) for rule in RULES), "none"], object)
    return list(names[first])


def _agree(
    parts: Mapping[str, Keys], rule: Sequence[str], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """The pairs of records whose keys agree, whichever alternatives of a part they take."""
    agree = np.ones(left.size, np.bool_)
    for part in rule:
        choices = [parts[choice] for choice in ALTERNATIVES.get(part, (part,))]
        agree &= np.any([(a[left] == b[right]) & (a[left] != 0) for a in choices for b in choices], axis=0)
    return agree


def _proposed(parts: Mapping[str, Keys], rule: Sequence[str], pairs_per_record: float) -> Pairs:
    keys = list(_keys(parts, rule))
    records = np.concatenate([np.flatnonzero(key) for key in keys])
    values = np.concatenate([key[key != 0] for key in keys])
    budget = pairs_per_record * parts[next(iter(parts))].size
    return _pairs_in_blocks(values, records, budget)


def _keys(parts: Mapping[str, Keys], rule: Sequence[str]) -> Iterator[Keys]:
    """The rule's key of every record (0 where a part is missing), once for each alternative of a part."""
    open_part = next((part for part in rule if part in ALTERNATIVES), None)
    if open_part is None:
        yield _combined([parts[part] for part in rule])
        return
    for choice in ALTERNATIVES[open_part]:
        yield _combined([parts[choice if part == open_part else part] for part in rule])


def _combined(hashes: Sequence[Keys]) -> Keys:
    key = hashes[0].copy()
    present = key != 0
    for part in hashes[1:]:
        key = (key * np.uint64(0x9E3779B97F4A7C15)) ^ part
        present &= part != 0
    key[~present] = 0
    return key


def _pairs_in_blocks(values: Keys, records: NDArray[np.int64], budget: float) -> Pairs:
    order = order_of(values)
    values, records = values[order], records[order]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]]) if values.size else np.empty(0, np.int64)
    sizes = np.diff(np.r_[starts, values.size])
    kept = (sizes > 1) & (sizes <= _largest_block(sizes, budget))
    starts, sizes = starts[kept], sizes[kept]
    return _packed(records, starts, sizes)


def order_of(keys: Keys) -> NDArray[np.int64]:
    """What sorts the keys, equal ones in their order.

    Numbers that hold a key's upper bits and its place are sorted six times faster than argsort sorts; it is asked all
    the same where different keys have these bits in common.
    """
    bits = np.uint64(keys.size.bit_length())
    packed = (keys >> bits << bits) | np.arange(keys.size, dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    change = keys[order[1:]] ^ keys[order[:-1]]
    if ((change != 0) & (change >> bits == 0)).any():
        return np.argsort(keys, kind="stable")
    return order


def pairs_within(cluster: NDArray[np.int64]) -> Pairs:
    """Every pair of records of one cluster, packed and sorted."""
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(cluster[order]) != 0])
    pairs = _packed(order, starts, np.diff(np.r_[starts, cluster.size]))
    pairs.sort()
    return pairs


def _largest_block(sizes: NDArray[np.int64], budget: float) -> int:
    """The block size up to which all blocks together stay within the budget of pairs."""
    counts = np.bincount(sizes) if sizes.size else np.zeros(1, np.int64)
    size = np.arange(counts.size)
    within = np.flatnonzero(np.cumsum(counts * (size * (size - 1) / 2)) <= budget)
    return int(within[-1]) if within.size else 0


def _packed(records: NDArray[np.int64], starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> Pairs:
    """Every pair inside every block: member i of a block meets the members after it."""
    member = np.repeat(starts, sizes) + _counting(sizes)
    later = np.repeat(starts + sizes, sizes) - member - 1
    first = np.repeat(member, later)
    second = first + 1 + _counting(later)
    a, b = records[first].astype(np.uint64), records[second].astype(np.uint64)
    pairs = (np.minimum(a, b) << np.uint64(32)) | np.maximum(a, b)
    return np.asarray(pairs[a != b])


def _counting(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, .. length - 1 for every length, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if ends.size else 0) - np.repeat(ends - lengths, lengths)


def _distinct(pairs: Pairs) -> Pairs:
    pairs.sort()
    return np.asarray(pairs[np.r_[True, pairs[1:] != pairs[:-1]]])


def unpacked(pairs: Pairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Left and right record numbers of packed pairs."""
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)


def packed(left: NDArray[np.int64], right: NDArray[np.int64]) -> Pairs:
    """Pairs as left << 32 | right."""
    return (left.astype(np.uint64) << np.uint64(32)) | right.astype(np.uint64)


def without(pairs: Pairs, known: Pairs) -> Pairs:
    """The pairs that are not among the known ones; both sorted."""
    if not known.size:
        return pairs
    place = np.minimum(np.searchsorted(known, pairs), known.size - 1)
    return np.asarray(pairs[known[place] != pairs])


def places(pairs: Pairs, known: Pairs) -> NDArray[np.int64]:
    """Where in `known` those of the pairs stand that are among them; both sorted."""
    if not known.size:
        return np.empty(0, np.int64)
    place = np.minimum(np.searchsorted(known, pairs), known.size - 1)
    return np.asarray(place[known[place] == pairs])


def random_pairs(records: int, count: int, seed: int) -> Pairs:
    """Distinct pairs drawn evenly from all pairs; all of them when there are no more than `count`."""
    total = records * (records - 1) // 2
    if total <= count:
        left, right = np.triu_indices(records, 1)
        return (left.astype(np.uint64) << np.uint64(32)) | right.astype(np.uint64)
    generator = np.random.default_rng(seed)
    a = generator.integers(0, records, count)
    b = (a + generator.integers(1, records, count)) % records
    return _distinct((np.minimum(a, b).astype(np.uint64) << np.uint64(32)) | np.maximum(a, b).astype(np.uint64))
