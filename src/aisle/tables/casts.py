"""Casts to the contract's types, as lenient as is honest: what cannot be read becomes null and is marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

__all__ = ["NULL_BYTE", "Cast", "as_mask", "blank_to_null", "flag_all", "text_of", "without_null_bytes"]

NULL_BYTE = "\0"

_EXACT_INTEGERS = 2.0**53


@dataclass(frozen=True)
class Cast:
    """A column in its new type.

    Attributes:
        values: One value per row; null where there was none, or where it could not be read.
        bad: Rows that had a value which could not be read.
    """

    values: pa.ChunkedArray
    bad: Bool[np.ndarray, " rows"]


def as_mask(values: pa.ChunkedArray | pa.Array) -> Bool[np.ndarray, " rows"]:
    """Return a boolean column as a NumPy mask; null counts as false."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), np.bool_)


def flag_all(values: pa.ChunkedArray, wanted: pa.DataType) -> Cast:
    """Mark every value of a column whose type has no reading as `wanted`."""
    return Cast(pa.chunked_array([pa.nulls(len(values), wanted)], wanted), as_mask(pc.is_valid(values)))


def blank_to_null(texts: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Replace texts of white space alone by null."""
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 0)
    if not pc.any(blank).as_py():
        return texts
    return pc.if_else(blank, pa.scalar(None, texts.type), texts)


def without_null_bytes(texts: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Take null bytes out of texts: they mean nothing, and much software ends a text at the first of them."""
    if not pc.any(pc.match_substring(texts, NULL_BYTE)).as_py():
        return texts
    return pc.replace_substring(texts, NULL_BYTE, "")


def text_of(values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array | None:
    """Write scalars as text; None where the type is not one of scalars.

    Whole floats lose their ".0" (an id column with gaps comes as floats from pandas), NaN is a missing text, blank
    text is missing text, null bytes are taken out.
    """
    kind = values.type
    if pa.types.is_null(kind):
        return values.cast(pa.string())
    if pa.types.is_nested(kind):
        return None
    if pa.types.is_floating(kind):
        return _text_of_floats(values.cast(pa.float64()))
    try:
        return blank_to_null(without_null_bytes(values.cast(pa.string())))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # binary that is not UTF-8, intervals
        return None


def _text_of_floats(values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    whole = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), _EXACT_INTEGERS))
    integers = pc.if_else(whole, values, 0.0).cast(pa.int64()).cast(pa.string())
    return pc.if_else(whole, integers, values.cast(pa.string()))
