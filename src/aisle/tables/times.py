"""Casts to times: ISO 8601 text, epoch numbers, dates and timestamps, all to UTC microseconds."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from aisle.tables.casts import Cast, as_mask, blank_to_null, flag_all
from aisle.tables.numbers import to_float
from aisle.tables.schema import TIME

__all__ = ["to_time"]

_ISO = (
    r"^(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<clock>[0-9]{2}:[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?)?"
    r" ?(?P<zone>Z|z|UTC|(?P<sign>[+-])(?P<zone_hours>[0-9]{2}):?(?P<zone_minutes>[0-9]{2})?)?$"
)
_FORMAT = "%Y-%m-%d %H:%M:%S"

# Epoch numbers are told apart by size: seconds, milliseconds, microseconds, nanoseconds. Each unit covers 1973 to
# 2200, so that a counter (17) or a date written as a number (20190101, 20190101120000) is marked, not taken for a time.
_EARLIEST_S, _LATEST_S = 1e8, 7.26e9
_UNITS_PER_SECOND = (1e0, 1e3, 1e6, 1e9)


def to_time(values: pa.ChunkedArray) -> Cast:
    """Read times as UTC microseconds.

    Args:
        values: ISO 8601 text (a time without zone is taken as UTC, a date as its midnight), epoch numbers in
            seconds, milliseconds, microseconds or nanoseconds (also as text), dates, or timestamps.

    Returns:
        Times; everything else marked.
    """
    kind = values.type
    if pa.types.is_timestamp(kind):
        return _from_timestamps(values)
    if pa.types.is_date(kind):
        return _from_timestamps(values.cast(pa.timestamp("ms")))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _from_epoch(values)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return flag_all(values, TIME)
    texts = blank_to_null(pc.utf8_trim_whitespace(values.cast(pa.string())))
    times = _parse_iso(texts)
    if times.null_count > texts.null_count:
        times = pc.coalesce(times, _from_epoch(texts).values)
    return Cast(times, as_mask(pc.and_(pc.is_valid(texts), pc.is_null(times))))


def _from_timestamps(values: pa.ChunkedArray) -> Cast:
    seconds = pc.divide(values.cast(pa.int64()), _per_second(values.type.unit))
    fits = pc.and_(pc.greater(seconds, -62_135_596_801), pc.less(seconds, 253_402_300_800))  # years 1 to 9999
    kept = pc.if_else(fits, values, pa.scalar(None, values.type))
    return Cast(kept.cast(TIME, safe=False), as_mask(pc.invert(fits)))


def _per_second(unit: str) -> int:
    return {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]


def _from_epoch(values: pa.ChunkedArray) -> Cast:
    read = to_float(values)
    micros = pa.scalar(None, pa.float64())
    for units in _UNITS_PER_SECOND:
        inside = pc.and_(
            pc.greater_equal(read.values, _EARLIEST_S * units), pc.less_equal(read.values, _LATEST_S * units)
        )
        micros = pc.if_else(pc.fill_null(inside, False), pc.round(pc.multiply(read.values, 1e6 / units)), micros)
    # Doubles hold microseconds of these years exactly: 7.26e15 < 2**53.
    times = micros.cast(pa.int64()).cast(pa.timestamp("us")).cast(TIME)
    return Cast(times, as_mask(pc.and_(pc.is_valid(values), pc.is_null(times))))


def _parse_iso(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Parse ISO 8601; null where the text is something else, or a day or an hour that does not exist."""
    parts = pc.extract_regex(texts, _ISO)
    day, clock, second = _part(parts, "day"), _part(parts, "clock"), _part(parts, "second")
    written = pc.binary_join_element_wise(
        day, pc.binary_join_element_wise(pc.coalesce(clock, "00:00"), pc.coalesce(second, "00"), ":"), " "
    )
    parsed = pc.strptime(written, format=_FORMAT, unit="us", error_is_null=True)
    # strptime rolls 30 February over into March; the way back shows it.
    real = pc.starts_with(written, pattern="0000")
    real = pc.and_(pc.invert(real), pc.equal(pc.strftime(parsed, format="%Y-%m-%d"), day))
    fraction = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.coalesce(_part(parts, "fraction"), "0"), 6, "0"), 0, 6)
    hours = pc.coalesce(_part(parts, "zone_hours"), "0").cast(pa.int64())
    minutes = pc.coalesce(_part(parts, "zone_minutes"), "0").cast(pa.int64())
    offset_us = pc.multiply(pc.add(pc.multiply(hours, 60), minutes), 60_000_000)
    offset_us = pc.if_else(pc.fill_null(pc.equal(_part(parts, "sign"), "-"), False), pc.negate(offset_us), offset_us)
    micros = pc.subtract(pc.add(parsed.cast(pa.int64()), fraction.cast(pa.int64())), offset_us)
    return pc.if_else(real, micros, pa.scalar(None, pa.int64())).cast(pa.timestamp("us")).cast(TIME)


def _part(parts: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return a named group of the match; null where the group took no part in it."""
    group = pc.struct_field(parts, name)
    return pc.if_else(pc.equal(group, ""), pa.scalar(None, pa.string()), group)
