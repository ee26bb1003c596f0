"""Finds the rows that repeat the key of an earlier row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.text import normalise_texts

__all__ = ["earlier_rows", "normalise_distinct", "without_copies"]

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


def without_copies(table: pa.Table) -> tuple[pa.Table, int]:
    """Leave out the rows that equal an earlier row in every column; null equals null.

    Rows with a list or a map in them are never copies.

    Returns:
        The other rows in their order, and the number of rows left out.
    """
    nested = [pa.types.is_nested(field.type) for field in table.schema]
    plain = [column for column, skip in zip(table.columns, nested, strict=True) if not skip]
    among = np.ones(table.num_rows, np.bool_)
    for column, take in zip(table.columns, nested, strict=True):
        if take:
            among &= pc.is_null(column).to_numpy()
    first = earlier_rows(plain, among=among) == np.arange(table.num_rows)
    return (table, 0) if first.all() else (table.filter(pa.array(first)), int((~first).sum()))


def _codes(values: pa.ChunkedArray) -> tuple[Int64[np.ndarray, " rows"], int]:
    """Number the distinct values from 0 in the order of their first appearance; null has the last number."""
    encoded = values.dictionary_encode().unify_dictionaries()
    num_values = len(encoded.chunk(0).dictionary)
    indices = [pc.fill_null(chunk.indices, num_values).to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    return np.concatenate(indices).astype(np.int64), num_values + 1


def normalise_distinct(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Normalise texts by `normalise_texts`, each distinct one once; null stays null."""
    distinct = pc.unique(texts)
    normalised = normalise_texts(distinct)
    return pa.chunked_array(
        [normalised.take(pc.index_in(chunk, value_set=distinct)) for chunk in texts.chunks], pa.string()
    )
