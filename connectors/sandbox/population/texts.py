"""Columns of text: numpy arrays of str or None, with the few operations that numpy's types leave unsaid."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.sandbox.population.draws import Bools, Ints

Texts = npt.NDArray[Any]
"""Object arrays of str or None."""
_MARKS = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i"})


def texts(values: Iterable[str | None]) -> Texts:
    """An array of strings that are neither copied nor cut when they are taken from it."""
    return np.array(list(values), dtype=object)


def blank(length: int) -> Texts:
    """A column that tells nothing."""
    return np.full(length, None, dtype=object)


def keep(condition: Bools, values: Texts | str) -> Texts:
    """The values where the condition holds, None elsewhere."""
    return np.where(condition, np.asarray(values, dtype=object), np.asarray(None, dtype=object))


def either(condition: Bools, values: Texts | str, others: Texts | str) -> Texts:
    """The values where the condition holds, the others elsewhere."""
    return np.where(condition, np.asarray(values, dtype=object), np.asarray(others, dtype=object))


def known(values: Texts) -> Bools:
    """Where something is told."""
    return np.asarray(values != np.asarray(None, dtype=object), dtype=np.bool_)


def differ(values: Texts, others: Texts) -> Bools:
    """Where two columns tell different things."""
    return np.asarray(values != others, dtype=np.bool_)


def digits(numbers: Ints) -> Texts:
    """Whole numbers as text."""
    return numbers.astype(str).astype(object)


def plain(words: Texts) -> Texts:
    """The words without marks: `Łąkowa` becomes `Lakowa`, `Groß` becomes `Gross`. None stays None."""
    swapped = [None if word is None else word.translate(_MARKS) for word in words]
    series = pl.Series(swapped, dtype=pl.String).str.normalize("NFD").str.replace_all(r"\p{M}", "")
    return series.to_numpy().astype(object)
