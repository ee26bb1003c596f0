"""Which shopper goes to which arm, and how often a test of two equal arms cries wolf."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Bool

from aisle.core.rng import stream_seed
from aisle.experiments.lift import Rate, lift_of
from aisle.simulation.draws import Draws

__all__ = ["AATest", "assign_arms", "split_again"]

_LEVEL = 0.05


@dataclass(frozen=True)
class AATest:
    """One recorded run of one set-up, split again and again as if there had been two.

    Attributes:
        runs: Splits.
        rejections: Splits in which the test found a difference at the level of 0.05, where there was none. Of 200
            splits, 4 to 16 are to be expected where the test keeps its level.
        p: p-value of each split.
    """

    runs: int
    rejections: int
    p: tuple[float, ...]

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def assign_arms(num_shoppers: int, *, split: float, seed: int) -> Bool[np.ndarray, " shoppers"]:
    """Send each shopper to an arm by a hash of the shopper and the seed, whatever else happens.

    Args:
        num_shoppers: Shoppers, by index.
        split: Share that goes to B.
        seed: Another seed is another split, independent of the first.

    Returns:
        True for B.
    """
    return np.asarray(Draws(seed, "arms").uniform(np.arange(num_shoppers)) < split)


def split_again(rate: Rate, *, runs: int, split: float, seed: int) -> AATest:
    """Test a recorded run of one set-up against itself, with another split of its shoppers each time.

    Args:
        rate: By shopper.
        runs: Splits.
        split: Share of the shoppers that go to the second arm.
        seed: Seed of all splits.
    """
    seeds = (stream_seed(seed, "split again", number) for number in range(runs))
    p = tuple(lift_of(rate, assign_arms(len(rate.taken), split=split, seed=one)).p for one in seeds)
    return AATest(runs, sum(one < _LEVEL for one in p), p)
