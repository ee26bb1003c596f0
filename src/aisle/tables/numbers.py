"""Casts to numbers and to true or false."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from aisle.tables.casts import Cast, as_mask, blank_to_null, flag_all

__all__ = ["to_bool", "to_float", "to_int32"]

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_TRUE = pa.array(["true", "t", "yes", "y", "1", "1.0"])
_FALSE = pa.array(["false", "f", "no", "n", "0", "0.0"])


def to_float(values: pa.ChunkedArray) -> Cast:
    """Read numbers and texts of numbers ("1299.00", "1e3") as float64.

    Text with anything else in it ("1,299", "12 EUR") is marked: a guess at its meaning would be wrong by a factor of
    1,000 for half of the world.
    """
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Cast(values.cast(pa.float64(), safe=False), as_mask(pc.is_null(values)) & False)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return flag_all(values, pa.float64())
    texts = blank_to_null(pc.utf8_trim_whitespace(values.cast(pa.string())))
    is_number = pc.match_substring_regex(texts, _NUMBER)
    numbers = pc.if_else(is_number, texts, pa.scalar(None, pa.string())).cast(pa.float64())
    return Cast(numbers, as_mask(pc.invert(is_number)))


def to_int32(values: pa.ChunkedArray) -> Cast:
    """Read whole numbers ("3", 3.0) as int32; fractions and numbers out of range are marked."""
    read = to_float(values)
    numbers = read.values
    fits = pc.and_(pc.equal(numbers, pc.floor(numbers)), pc.less_equal(pc.abs(numbers), 2.0**31 - 1))
    whole = pc.if_else(fits, numbers, pa.scalar(None, pa.float64())).cast(pa.int32())
    return Cast(whole, read.bad | as_mask(pc.invert(fits)))


def to_bool(values: pa.ChunkedArray) -> Cast:
    """Read true/false, t/f, yes/no, y/n and 1/0, in any case, as booleans."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return Cast(values, as_mask(pc.is_null(values)) & False)
    if pa.types.is_nested(kind) or pa.types.is_temporal(kind) or pa.types.is_binary(kind):
        return flag_all(values, pa.bool_())
    texts = blank_to_null(pc.utf8_lower(pc.utf8_trim_whitespace(values.cast(pa.string()))))
    is_true, is_false = pc.is_in(texts, value_set=_TRUE), pc.is_in(texts, value_set=_FALSE)
    known = pc.or_(is_true, is_false)
    truth = pc.if_else(known, is_true, pa.scalar(None, pa.bool_()))
    return Cast(truth, as_mask(pc.and_(pc.is_valid(texts), pc.invert(known))))
