"""A test that may be looked at every day: stopping at the first good day does not raise its error rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aisle.experiments.lift import Lift

__all__ = ["LEAST_TAKEN", "PRIOR_SCALE", "Look", "looks_of"]

PRIOR_SCALE = 0.05
"""Standard deviation of the lifts that are thought likely, on the logarithm. It is fixed before any data: with another
size of lift the test stays as honest, and only becomes slower. Live retrieval launches report lifts of about 5 %."""

LEAST_TAKEN = 30
"""Orders that each arm must have for a look to count: below, the normal approximation is not to be trusted."""

_LEVEL = 0.05


@dataclass(frozen=True)
class Look:
    """What was known at the end of a day.

    Attributes:
        day: Number of the day, from 1.
        searches: Searches so far.
        value: Lift so far; NaN where the look does not count.
        low: Lower bound of the 95 % confidence sequence: all days' intervals together hold the truth with 95 %.
        high: Upper bound.
        p: Always-valid p-value: the smallest so far. Whoever stops when it falls below 0.05 errs in at most 5 % of A/A
            tests.
    """

    day: int
    searches: int
    value: float
    low: float
    high: float
    p: float


def looks_of(lifts: Sequence[Lift]) -> list[Look]:
    """Turn cumulative lifts into looks of a mixture sequential probability ratio test.

    The likelihood ratio of "the logarithm of the ratio of rates is θ" against "it is 0" is averaged over θ ~ N(0,
    `PRIOR_SCALE`²); its inverse is the p-value, and the θ that are not refused make the confidence sequence.

    A shopper who comes back belongs to several looks, so looks are not sums of independent days. What one shopper does
    on two days goes the same way, though (who buys much today does so tomorrow), which makes looks more alike than
    those of independent days with the same variances. By Slepian's inequality such a sequence crosses a bound more
    seldom, so the error rate is kept. It holds for many shoppers, as the normal approximation does.

    Args:
        lifts: Each of all data up to the end of one more day.

    Source: Johari, Koomen, Pekelis and Walsh 2017, "Peeking at A/B Tests", section 4 (mSPRT); Waudby-Smith, Arbour,
    Sinha, Kennedy and Ramdas 2024, "Time-uniform central limit theory and asymptotic confidence sequences", for
    estimated variances.
    """
    looks: list[Look] = []
    p = 1.0
    for day, lift in enumerate(lifts, start=1):
        searches = lift.a.chances + lift.b.chances
        if min(lift.a.taken, lift.b.taken) < LEAST_TAKEN:
            nothing = float("nan")
            looks.append(Look(day, searches, nothing, nothing, nothing, p))
            continue
        value = float(np.log1p(lift.value))
        variance = lift.a.relative_error**2 + lift.b.relative_error**2
        p = min(p, _p_value(value, variance))
        half = _half_width(variance)
        low, high = np.expm1([value - half, value + half]).tolist()
        looks.append(Look(day, searches, lift.value, low, high, p))
    return looks


def _p_value(value: float, variance: float) -> float:
    spread = PRIOR_SCALE**2
    log_ratio = 0.5 * np.log(variance / (variance + spread)) + spread * value**2 / (2 * variance * (variance + spread))
    return float(np.exp(-max(log_ratio, 0.0)))


def _half_width(variance: float) -> float:
    """Return how far a θ may lie from the estimate before the test of it is refused at the level."""
    spread = PRIOR_SCALE**2
    bound = np.log((variance + spread) / variance) - 2 * np.log(_LEVEL)
    return float(np.sqrt(variance * (variance + spread) / spread * bound))
