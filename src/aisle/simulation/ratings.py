"""Ratings as they stand at the start of the log: the only place where hidden quality shows before anybody buys."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int64

from aisle.core.rng import generator
from aisle.simulation.clock import SECONDS_PER_DAY
from aisle.simulation.world import World

__all__ = ["draw_ratings"]

_RATINGS_PER_YEAR = 6.0
"""Median number of ratings that a model of average quality collects in a year."""
_POPULARITY_SIGMA = 1.4
"""Standard deviation of the logarithm of that number between models."""
_QUALITY_ON_NUMBER = 0.3
_MEAN_STARS, _STARS_PER_QUALITY = 3.9, 0.5
_STARS_SIGMA = 1.1
"""Standard deviation of the stars that different buyers give one product."""


def draw_ratings(world: World, *, seed: int) -> tuple[pa.Array, pa.Array]:
    """Draw mean stars and number of ratings; variants share theirs, as they share their page.

    The mean of n ratings scatters by 1 / sqrt(n) around what the quality deserves: few ratings say little.

    Returns:
        Float64 columns: stars from 1 to 5 in tenths (null where there is no rating), and the number.
    """
    model, first = np.unique(world.truth.model_index, return_index=True)
    of_product = np.searchsorted(model, world.truth.model_index)
    num = _draw_numbers(world, first, seed=seed)
    deserved = _MEAN_STARS + _STARS_PER_QUALITY * world.quality[first]
    noise = generator(seed, "stars").normal(0.0, _STARS_SIGMA, len(first)) / np.sqrt(np.maximum(num, 1))
    stars = np.clip(deserved + noise, 1.0, 5.0).round(1)
    return pa.array(stars[of_product], mask=num[of_product] == 0), pa.array(num[of_product].astype(np.float64))


def _draw_numbers(world: World, first: Int64[np.ndarray, " models"], *, seed: int) -> Int64[np.ndarray, " models"]:
    years = np.maximum(-world.arrived_at[first], 0) / (365 * SECONDS_PER_DAY)
    popularity = generator(seed, "rated").normal(0.0, _POPULARITY_SIGMA, len(first))
    mean: Float64[np.ndarray, " models"] = (
        _RATINGS_PER_YEAR * years * np.exp(popularity + _QUALITY_ON_NUMBER * world.quality[first])
    )
    return generator(seed, "number of ratings").poisson(mean)
