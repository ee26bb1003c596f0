"""The marketplace's clock: whole seconds since the start of the log, and their way into tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

__all__ = ["LOG_DAYS", "LOG_START", "NEVER", "SECONDS_PER_DAY", "timestamps"]

LOG_START = np.datetime64("2025-06-01T00:00:00", "us")
"""Second 0 of every simulated log, in UTC: a fixed date, so that the same seed gives the same log tomorrow."""
LOG_DAYS = 90
"""Days that a log covers unless another number is asked for."""
SECONDS_PER_DAY = 86_400
NEVER = np.iinfo(np.int64).max
"""Second of what does not happen; null in tables."""

_LOG_START_US = int(LOG_START.astype(np.int64))
_US_PER_SECOND = 1_000_000


def timestamps(seconds: Int64[np.ndarray, " rows"]) -> pa.Array:
    """Turn seconds since the start of the log into UTC times of microseconds; `NEVER` becomes null.

    >>> timestamps(np.array([0, NEVER])).cast(pa.string()).to_pylist()
    ['2025-06-01 00:00:00.000000Z', None]
    """
    happens = seconds != NEVER
    micros = _LOG_START_US + np.where(happens, seconds, 0) * _US_PER_SECOND
    times = pa.array(micros, pa.timestamp("us", tz="UTC"))
    return pc.if_else(pa.array(happens), times, pa.scalar(None, times.type))
