"""Random numbers by name: one independent stream for every question, so that no answer disturbs another.

A stream is seeded by (seed, block, name). Asking one thing more or changing one rate leaves every other draw as it
was, and a block is the same whether or not others were made before it.
"""

import zlib

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Draws:
    """The streams of one block."""

    def __init__(self, seed: int, block: int) -> None:
        self.seed = seed
        self.block = block

    def stream(self, name: str) -> np.random.Generator:
        """A fresh generator for `name`; the same name gives the same numbers again."""
        key = (self.block, zlib.crc32(name.encode()))
        return np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(self.seed, spawn_key=key)))

    def uniform(self, name: str, size: int) -> Floats:
        """`size` numbers in [0, 1)."""
        return self.stream(name).random(size)

    def chance(self, name: str, rate: float, size: int) -> Bools:
        """`size` answers, True with probability `rate`; a higher rate keeps the True ones of a lower."""
        return self.uniform(name, size) < rate

    def below(self, name: str, high: int | Ints, size: int) -> Ints:
        """`size` integers in [0, high)."""
        return self.stream(name).integers(0, high, size)

    def pick(self, name: str, cumulated: Floats, size: int) -> Ints:
        """`size` indices, drawn by cumulated weights (last one 1.0)."""
        return pick(cumulated, self.uniform(name, size))

    def pairs(self, name: str, rate: float, rows: Ints) -> tuple[Ints, Ints]:
        """Pair a share of the rows with each other: the first ones and, in the same order, the second ones."""
        stream = self.stream(name)
        shuffled = rows[stream.permutation(len(rows))]
        count = min(int(len(rows) * rate / 2 + stream.random()), len(rows) // 2) if rate else 0
        return shuffled[:count], shuffled[count : 2 * count]


def pick(cumulated: Floats, uniform: Floats) -> Ints:
    """Indices of the cumulated weights (last one 1.0) into which the uniform numbers fall."""
    return np.minimum(np.searchsorted(cumulated, uniform, side="right"), len(cumulated) - 1).astype(np.int64)


def cumulate(weights: Floats) -> Floats:
    """Cumulated shares of positive weights."""
    total = np.cumsum(weights, dtype=np.float64)
    return np.asarray(total / total[-1], dtype=np.float64)
