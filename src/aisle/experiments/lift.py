"""How much more one arm of an A/B test sells than the other, with errors by the unit of the split: the shopper."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.special import ndtri
from scipy.stats import norm

from aisle.core.errors import ShapeError

__all__ = ["ArmRate", "Contribution", "Lift", "Rate", "arm_rate", "contribution_of", "lift_of", "paired_lift"]

_Z95 = float(ndtri(0.975))


@dataclass(frozen=True, eq=False)
class Rate:
    """A share of chances that were taken, such as of searches that led to an order, summed by shopper.

    A shopper without a chance took no part.
    """

    taken: Float64[np.ndarray, " shoppers"]
    chances: Float64[np.ndarray, " shoppers"]

    def __post_init__(self) -> None:
        if self.taken.shape != self.chances.shape:
            raise ShapeError(
                "A rate needs taken and chances of every shopper",
                received={"taken": self.taken.shape, "chances": self.chances.shape},
            )


@dataclass(frozen=True)
class ArmRate:
    """What one arm came to.

    Attributes:
        shoppers: Shoppers who had a chance.
        chances: Searches, or visits.
        taken: Those that led to what is counted.
        value: Their share; NaN without chances.
        relative_error: Standard error of `value` divided by it; NaN where nothing was taken or fewer than two shoppers
            took part.
    """

    shoppers: int
    chances: int
    taken: int
    value: float
    relative_error: float


@dataclass(frozen=True)
class Lift:
    """How much higher B's rate is than A's, relative to A's.

    Attributes:
        value: Rate of B divided by rate of A, minus 1.
        low: Lower bound of the 95 % interval.
        high: Upper bound.
        p: Two-sided p-value of "both rates are the same", fixed horizon. All four are NaN where an arm has too little.
        a: Arm A.
        b: Arm B.
    """

    value: float
    low: float
    high: float
    p: float
    a: ArmRate
    b: ArmRate

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Contribution:
    """Points of the whole lift that come from one part of the chances; those of all parts add up to the lift."""

    value: float
    low: float
    high: float


def arm_rate(rate: Rate, arm: Bool[np.ndarray, " shoppers"]) -> ArmRate:
    """Return the rate of some shoppers with its error by the delta method.

    A rate is a ratio of two sums over shoppers. One shopper's searches resemble each other, so it is not a share of
    independent searches: its error comes from what each shopper adds to numerator and denominator together.

    Source: Deng, Knoblich and Lu 2018, "Applying the Delta Method in Metric Analytics", section 3.
    """
    taken, chances = rate.taken[arm], rate.chances[arm]
    num = int((chances > 0).sum())
    total, sold = float(chances.sum()), float(taken.sum())
    value = sold / total if total else float("nan")
    error = float("nan")
    if num >= 2 and sold > 0:
        spread = np.square(taken - value * chances).sum() * num / (num - 1)
        error = float(np.sqrt(spread) / sold)
    return ArmRate(num, round(total), round(sold), value, error)


def lift_of(rate: Rate, in_b: Bool[np.ndarray, " shoppers"]) -> Lift:
    """Compare the arms of a split by shopper.

    Interval and test are made on the logarithm of the ratio of both rates, which is nearer to normal than the ratio,
    and the same whichever arm is called A; so the interval holds 0 exactly where p is above 0.05.

    Args:
        rate: By shopper.
        in_b: Shoppers of arm B; the others are arm A.
    """
    a, b = arm_rate(rate, ~in_b), arm_rate(rate, in_b)
    return _lift(a, b, float(np.hypot(a.relative_error, b.relative_error)))


def paired_lift(a: Rate, b: Rate) -> Lift:
    """Compare two runs in which the same shoppers, with the same needs, met one set-up each: only a simulation can.

    What makes one shopper buy more than another is in both runs and falls out, so the interval is narrower.

    Args:
        a: Run of A.
        b: Run of B; the same shoppers in the same order.

    Raises:
        ShapeError: If the runs have not the same shoppers.
    """
    if a.taken.shape != b.taken.shape:
        raise ShapeError("Paired runs must have the same shoppers", received={"a": a.taken.shape, "b": b.taken.shape})
    every = np.ones(len(a.taken), np.bool_)
    first, second = arm_rate(a, every), arm_rate(b, every)
    error = float("nan")
    if np.isfinite(first.relative_error) and np.isfinite(second.relative_error):
        influence = _influence(b, second) - _influence(a, first)
        error = float(np.sqrt(np.square(influence).sum()))
    return _lift(first, second, error)


def contribution_of(part: Rate, whole: Rate, in_b: Bool[np.ndarray, " shoppers"]) -> Contribution:
    """Return how much of the whole lift one part of the chances brings, such as the searches of one frequency band.

    Args:
        part: What was taken within the part, over **all** chances of each shopper.
        whole: What was taken in all.
        in_b: Shoppers of arm B.
    """
    base = arm_rate(whole, ~in_b).value
    a, b = arm_rate(part, ~in_b), arm_rate(part, in_b)
    value = (b.value - a.value) / base if base > 0 else float("nan")
    if not np.isfinite(value):
        return Contribution(value, value, value)
    chances_a, chances_b = whole.chances[~in_b], whole.chances[in_b]
    # The base moves too: it is A's own rate of the whole.
    own = part.taken[~in_b] - a.value * chances_a + value * (whole.taken[~in_b] - base * chances_a)
    influence_a = own / (base * chances_a.sum())
    influence_b = (part.taken[in_b] - b.value * chances_b) / (base * chances_b.sum())
    half = _Z95 * float(np.sqrt(np.square(influence_a).sum() + np.square(influence_b).sum()))
    return Contribution(value, value - half, value + half)


def _influence(rate: Rate, told: ArmRate) -> Float64[np.ndarray, " shoppers"]:
    return np.asarray((rate.taken - told.value * rate.chances) / told.taken)


def _lift(a: ArmRate, b: ArmRate, error: float) -> Lift:
    if not np.isfinite(error):
        nothing = float("nan")
        return Lift(nothing, nothing, nothing, nothing, a, b)
    log_ratio = float(np.log(b.value / a.value))
    low, high = np.expm1([log_ratio - _Z95 * error, log_ratio + _Z95 * error]).tolist()
    p = 2 * float(norm.sf(abs(log_ratio) / error)) if error > 0 else float(log_ratio == 0)
    return Lift(float(np.expm1(log_ratio)), low, high, p, a, b)
