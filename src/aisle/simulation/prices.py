"""Prices: log-normal around the median of the type, by brand and model."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64

from aisle.core.rng import generator
from aisle.simulation.choices import Chances
from aisle.simulation.truth import CatalogueTruth

__all__ = ["draw_prices", "price_levels"]

_PRICE_SIGMA = 0.45
"""Standard deviation of log price between models of one type and brand."""
_BRAND_SIGMA = 0.25
"""Standard deviation of log price level between brands."""
_CHARM_SHARE = 0.5
_LEAST_PRICE = 0.5


def draw_prices(truth: CatalogueTruth, chances: Chances, *, seed: int) -> Float64[np.ndarray, " products"]:
    """Draw log-normal prices around the type's median, half of them ending in .99; variants cost the same."""
    median = np.array([kind.median_price for kind in truth.vocabulary.types])[truth.type_index]
    level = generator(seed, "brand level").normal(0.0, _BRAND_SIGMA, len(truth.brand_names))
    # Chances are uniform; Box and Muller's transform makes a normal draw of two of them.
    radius = np.sqrt(-2.0 * np.log1p(-chances.of_model("price radius")))
    spread = radius * np.cos(2.0 * np.pi * chances.of_model("price angle"))
    price = median * np.exp(_PRICE_SIGMA * spread + level[truth.brand_index])
    is_charm = (chances.of_model("charm price") < _CHARM_SHARE) & (price > 5)
    return np.maximum(np.where(is_charm, np.floor(price) + 0.99, price.round(2)), _LEAST_PRICE)


def price_levels(
    price: Float64[np.ndarray, " products"], type_index: Int64[np.ndarray, " products"]
) -> Float32[np.ndarray, " products"]:
    """Standardise the logarithm of the price within each type; 0 where a type has one price only.

    >>> price_levels(np.array([1.0, 100.0, 7.0]), np.array([0, 0, 1])).tolist()
    [-1.0, 1.0, 0.0]
    """
    logs = np.log(price)
    num = np.maximum(np.bincount(type_index), 1)
    centred = logs - (np.bincount(type_index, logs) / num)[type_index]
    spread = np.sqrt(np.bincount(type_index, centred**2) / num)[type_index]
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-9).astype(np.float32)
