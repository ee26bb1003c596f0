"""Finds the rows that repeat the key of an earlier row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.text import normalise_texts

__all__ = ["earlier_rows", "normalise_distinct"]

_LARGEST_CODE = 2**62


def earlier_rows(columns: list[pa.ChunkedArray], *, among: Bool[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
    """Return, for every row, the first row with the same key; the row itself where it is the first.

    Args:
        columns: The columns of the key, without nulls in the rows of `among`.
        among: Rows that count; the others stand for themselves.

    Returns:
        Row indices from 0.
    """
    rows = np.flatnonzero(among)
    result = np.arange(len(among), dtype=np.int64)
    if not len(rows):
        return result
    kept = pa.array(among)
    codes, num_codes = np.zeros(len(rows), np.int64), 1
    for column in columns:
        part, num_parts = _codes(column.filter(kept))
        if num_codes * num_parts > _LARGEST_CODE:
            codes, num_codes = _codes(pa.chunked_array([codes]))
        codes, num_codes = codes * num_parts + part, num_codes * num_parts
    dense, _ = _codes(pa.chunked_array([codes]))
    # Codes are numbered by first appearance, so a row is a first one exactly where the running maximum grows.
    is_first = np.diff(np.maximum.accumulate(dense), prepend=-1) > 0
    result[rows] = rows[np.flatnonzero(is_first)[dense]]
    return result


def _codes(values: pa.ChunkedArray) -> tuple[Int64[np.ndarray, " rows"], int]:
    """Number the distinct values from 0 in the order of their first appearance."""
    encoded = values.dictionary_encode().unify_dictionaries()
    indices = [chunk.indices.to_numpy() for chunk in encoded.chunks]
    return np.concatenate(indices).astype(np.int64), len(encoded.chunk(0).dictionary)


def normalise_distinct(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Normalise texts by `normalise_texts`, each distinct one once; null stays null."""
    distinct = pc.unique(texts)
    normalised = normalise_texts(distinct)
    return pa.chunked_array(
        [normalised.take(pc.index_in(chunk, value_set=distinct)) for chunk in texts.chunks], pa.string()
    )
