"""How far a mean over queries could have come out otherwise: percentile bootstrap intervals."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.core.rng import generator

__all__ = ["bootstrap_intervals", "bootstrap_ratio_intervals"]

_MAX_CELLS = 2_000_000
"""Resampled queries held at once (about 50 MB)."""


def bootstrap_intervals(
    values: Float64[np.ndarray, "queries columns"],
    *,
    seed: int,
    num_resamples: int = 10_000,
    coverage: float = 0.95,
) -> tuple[Float64[np.ndarray, " columns"], Float64[np.ndarray, " columns"]]:
    """Return the percentile bootstrap interval of every column's mean over queries.

    All columns share the same resamples, so adding a column never changes the interval of another.

    Args:
        values: Finite values, a query per row; a column is a measure of a system.
        seed: Seed of the resamples.
        num_resamples: Resamples of the queries, with replacement.
        coverage: Share of the resampled means that lies inside.

    Returns:
        Lower and upper bounds; NaN where fewer than two queries leave nothing to resample.

    Source: Efron and Tibshirani 1993, section 13.3; for retrieval, Sakai 2006.
    """
    num_queries, num_columns = values.shape
    if num_queries < 2:
        unknown = np.full(num_columns, np.nan)
        return unknown, unknown.copy()
    low, high = _bounds(_resampled_means(values, seed=seed, num_resamples=num_resamples), coverage)
    # Rounding can put the bounds of a constant column a last digit beside its mean.
    mean = values.mean(axis=0)
    return np.minimum(low, mean), np.maximum(high, mean)


def bootstrap_ratio_intervals(
    numerator: Float64[np.ndarray, "queries columns"],
    denominator: Float64[np.ndarray, " queries"],
    *,
    seed: int,
    num_resamples: int = 10_000,
    coverage: float = 0.95,
) -> tuple[Float64[np.ndarray, " columns"], Float64[np.ndarray, " columns"]]:
    """Return the percentile bootstrap interval of every column's sum over queries divided by the denominator's sum.

    Args:
        numerator: Finite values, a query per row.
        denominator: At least 0; what both are summed over is resampled together.
        seed: Seed of the resamples; those of `bootstrap_intervals`.
        num_resamples: Resamples of the queries, with replacement; those whose denominator is 0 are left out.
        coverage: Share of the resampled ratios that lies inside.

    Returns:
        Lower and upper bounds; NaN where fewer than two queries, or no denominator above 0, leave nothing to resample.
    """
    num_queries, num_columns = numerator.shape
    if num_queries < 2 or not (denominator > 0).any():
        unknown = np.full(num_columns, np.nan)
        return unknown, unknown.copy()
    together = np.column_stack([numerator, denominator])
    means = _resampled_means(together, seed=seed, num_resamples=num_resamples)
    means = means[means[:, -1] > 0]
    low, high = _bounds(means[:, :-1] / means[:, -1:], coverage)
    return low, high


def _resampled_means(
    values: Float64[np.ndarray, "queries columns"], *, seed: int, num_resamples: int
) -> Float64[np.ndarray, "resamples columns"]:
    num_queries, num_columns = values.shape
    rng = generator(seed, "bootstrap")
    means = np.empty((num_resamples, num_columns))
    block = max(1, _MAX_CELLS // num_queries)
    for start in range(0, num_resamples, block):
        num_rows = min(block, num_resamples - start)
        drawn = rng.integers(0, num_queries, size=(num_rows, num_queries))
        drawn += np.arange(num_rows)[:, None] * num_queries
        # How often each query was drawn, times its values: far faster than gathering the drawn values.
        counts = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        means[start : start + num_rows] = counts.astype(np.float64) @ values / num_queries
    return means


def _bounds(means: Float64[np.ndarray, "resamples columns"], coverage: float) -> Float64[np.ndarray, "2 columns"]:
    tail = (1.0 - coverage) / 2
    return np.asarray(np.quantile(means, [tail, 1.0 - tail], axis=0), np.float64)
