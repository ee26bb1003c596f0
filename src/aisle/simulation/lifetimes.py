"""When products come on sale and when they go."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from aisle.simulation.choices import Chances
from aisle.simulation.clock import NEVER, SECONDS_PER_DAY

__all__ = ["draw_lifetimes"]

_ARRIVING_SHARE = 0.12
"""Share of the models that come on sale during the log."""
_REMOVED_SHARE = 0.10
"""Share of the products that go during the log; sold out for good, or taken off."""
_OLDEST_DAYS = 3 * 365
_LEAST_DAYS_ON_SALE = 2.0


def draw_lifetimes(
    chances: Chances, *, log_days: int
) -> tuple[Int64[np.ndarray, " products"], Int64[np.ndarray, " products"]]:
    """Draw when each product arrives and when it is removed, in seconds since the start of the log.

    A model arrives with all its variants, evenly over the log, or was there before, with more young models than old
    ones; each variant goes on its own, at the earliest two days after it came.

    Returns:
        `arrived_at` (0 and below: before the log) and `removed_at` (`NEVER` where it stays).
    """
    length = log_days * SECONDS_PER_DAY
    chance = chances.of_model("arrival")
    comes = chance < _ARRIVING_SHARE
    age_days = _OLDEST_DAYS * chances.of_model("age") ** 2
    arrived = np.where(comes, chance / _ARRIVING_SHARE * length, -age_days * SECONDS_PER_DAY)
    earliest = np.maximum(arrived + _LEAST_DAYS_ON_SALE * SECONDS_PER_DAY, 1.0)
    goes = (chances.of_product("removal") < _REMOVED_SHARE) & (earliest < length)
    removed = earliest + chances.of_product("removal time") * np.maximum(length - earliest, 0.0)
    return arrived.astype(np.int64), np.where(goes, removed.astype(np.int64), NEVER)
