"""What an A/B test can see, estimated before it is run."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

from aisle.core.errors import UsageError
from aisle.experiments.lift import ArmRate

__all__ = ["Power", "power_of"]

_Z_TEST, _Z_POWER = float(ndtri(0.975)), float(ndtri(0.8))


@dataclass(frozen=True)
class Power:
    """What a test of so many searches can see at the level of 0.05, two-sided.

    Attributes:
        rate: The pilot's rate.
        pilot_searches: Searches of the pilot.
        minimal_lift: Smallest lift that is found 4 times out of 5.
        expected_lift: A lift that one may hope for.
        chance: Probability of finding it.
        searches_needed: Searches after which it is found 4 times out of 5, with as many of each shopper's.
    """

    rate: float
    pilot_searches: int
    minimal_lift: float
    expected_lift: float
    chance: float
    searches_needed: int

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def power_of(pilot: ArmRate, *, pilot_searches: int, searches: int, split: float, expected_lift: float) -> Power:
    """Estimate the power of an A/B test from a pilot of A alone.

    The error by shopper falls with the square root of the number of shoppers, as long as each searches as often as in
    the pilot; both arms are taken to vary like A.

    Args:
        pilot: What the pilot came to.
        pilot_searches: Its searches, of whatever `pilot` counts as chances.
        searches: Searches of the test.
        split: Share of the shoppers that go to B.
        expected_lift: A relative lift, above -1 and not 0.

    Raises:
        UsageError: If the pilot led to nothing that could be counted.

    Source: Kohavi, Tang and Xu 2020, "Trustworthy Online Controlled Experiments", chapter 17.
    """
    if not np.isfinite(pilot.relative_error):
        raise UsageError(
            "A pilot must lead to orders before power can be told",
            received={"pilot_searches": pilot_searches, "orders": pilot.taken, "shoppers": pilot.shoppers},
            remedy="Ask for more --searches.",
        )
    error = _error(pilot, pilot_searches / searches, split)
    wanted = abs(float(np.log1p(expected_lift)))
    chance = float(norm.sf(_Z_TEST - wanted / error) + norm.cdf(-_Z_TEST - wanted / error))
    least = (_Z_TEST + _Z_POWER) * error
    needed = searches * (least / wanted) ** 2
    return Power(pilot.value, pilot_searches, float(np.expm1(least)), expected_lift, chance, int(np.ceil(needed)))


def _error(pilot: ArmRate, pilot_share: float, split: float) -> float:
    """Return the standard error of the logarithm of the ratio of both arms' rates."""
    return float(pilot.relative_error * np.sqrt(pilot_share * (1 / split + 1 / (1 - split))))
