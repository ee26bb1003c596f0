"""Slices that are asked for by name: by the length of the query, or by any column that says something of a query."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

from aisle.core.errors import UsageError

__all__ = ["COLUMN", "WORDS", "asked_columns", "column_slices", "word_slices"]

WORDS = "words"
"""Group of slices by the number of words in a query."""

COLUMN = "column:"
"""Begin of a group that names a column."""

_LONG = 4
_MOST_VALUES = 12
"""Values of a column that are slices of their own; the rarer ones are one slice together."""

Slices = dict[str, Bool[np.ndarray, " queries"]]


def asked_columns(groups: Collection[str] | None) -> list[str]:
    """Return the columns that groups of slices name.

    >>> asked_columns(["band", "column:device"])
    ['device']
    """
    return [group.removeprefix(COLUMN) for group in groups or () if group.startswith(COLUMN)]


def word_slices(texts: Sequence[str]) -> Slices:
    """Sort queries by their number of words: 1, 2, 3, or 4 and more.

    >>> {name: mask.tolist() for name, mask in word_slices(["red dress", "lamp"]).items() if mask.any()}
    {'1 word': [False, True], '2 words': [True, False]}
    """
    trimmed = pc.utf8_trim_whitespace(pa.array(list(texts), pa.string()))
    count = np.asarray(pc.list_value_length(pc.utf8_split_whitespace(trimmed)).to_numpy(zero_copy_only=False))
    slices = {f"{number} word{'s' if number > 1 else ''}": count == number for number in range(1, _LONG)}
    return {**slices, f"{_LONG} words and more": count >= _LONG}


def column_slices(name: str, values: pa.Array | pa.ChunkedArray) -> Slices:
    """Sort queries by the value of a column.

    Texts and flags make a slice per value, the most frequent first, and one of all rarer ones together; so do numbers
    of few values. Numbers of many values are cut into four slices of about equal size.

    Args:
        name: Of the column.
        values: One per query, perhaps missing.

    Raises:
        UsageError: If the column holds neither texts nor flags nor numbers.
    """
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (is_number or pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise UsageError(
            "A column for slices must hold texts, flags or numbers",
            received={"column": name, "type": str(kind)},
            remedy="Name another column, or import it as text.",
        )
    column = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    slices = _quarters(name, column) if is_number and _has_many(column) else _by_value(name, column)
    missing = np.asarray(pc.is_null(column, nan_is_null=True).to_numpy(zero_copy_only=False), np.bool_)
    return {**slices, f"no {name}": missing} if missing.any() else slices


def _has_many(column: pa.Array) -> bool:
    return int(pc.count_distinct(column).as_py()) > _MOST_VALUES


def _by_value(name: str, column: pa.Array) -> Slices:
    texts = column.cast(pa.string())
    counts: list[Mapping[str, object]] = pc.value_counts(texts.drop_null()).to_pylist()
    frequent = [str(entry["values"]) for entry in sorted(counts, key=lambda entry: (-_count(entry), str(entry)))]
    kept = frequent[:_MOST_VALUES]
    slices = {f"{name} = {value}": _mask(pc.equal(texts, value)) for value in kept}
    if len(frequent) > len(kept):
        is_kept = pc.is_in(texts, value_set=pa.array(kept, pa.string()))
        slices[f"{name}: others"] = _mask(pc.and_(pc.is_valid(texts), pc.invert(is_kept)))
    return slices


def _count(entry: Mapping[str, object]) -> int:
    return int(str(entry["counts"]))


def _quarters(name: str, column: pa.Array) -> Slices:
    numbers = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    edges = np.unique(np.nanquantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    bounds = list(itertools.pairwise(edges))
    first = {f"{name} {bounds[0][0]:g} to {bounds[0][1]:g}": (numbers >= bounds[0][0]) & (numbers <= bounds[0][1])}
    return first | {f"{name} over {low:g} to {high:g}": (numbers > low) & (numbers <= high) for low, high in bounds[1:]}


def _mask(flags: pa.Array) -> Bool[np.ndarray, " queries"]:
    return np.asarray(pc.fill_null(flags, False).to_numpy(zero_copy_only=False), np.bool_)
