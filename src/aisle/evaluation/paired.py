"""Is one system better than another on the same queries? The paired randomisation test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from aisle.core.errors import ShapeError
from aisle.core.rng import generator
from aisle.evaluation.bootstrap import bootstrap_intervals

__all__ = ["PairedTest", "paired_test", "sign_flip_p"]

_MAX_CELLS = 2_000_000
"""Flipped signs held at once (about 20 MB)."""


@dataclass(frozen=True, eq=False)
class PairedTest:
    """Difference of two systems, one entry per column (measure).

    Attributes:
        difference: Mean of first minus second; NaN without queries.
        low: Lower bound of its 95 % bootstrap interval; NaN with fewer than two queries.
        high: Upper bound.
        p: Two-sided p-value of the sign-flip test, not corrected for the number of comparisons.
    """

    difference: Float64[np.ndarray, " columns"]
    low: Float64[np.ndarray, " columns"]
    high: Float64[np.ndarray, " columns"]
    p: Float64[np.ndarray, " columns"]


def paired_test(
    first: Float64[np.ndarray, "queries columns"], second: Float64[np.ndarray, "queries columns"], *, seed: int
) -> PairedTest:
    """Compare two systems query by query.

    Args:
        first: Finite values of one system, a query per row.
        second: Those of the other, same rows and columns.
        seed: Seed of resamples and sign flips.

    Raises:
        ShapeError: If the two do not have the same shape.
    """
    if first.shape != second.shape:
        raise ShapeError(
            "Paired systems must be measured on the same queries",
            received={"first": first.shape, "second": second.shape},
        )
    difference = first - second
    low, high = bootstrap_intervals(difference, seed=seed)
    mean = difference.mean(axis=0) if len(difference) else np.full(difference.shape[1], np.nan)
    return PairedTest(mean, low, high, sign_flip_p(difference, seed=seed))


def sign_flip_p(
    difference: Float64[np.ndarray, "queries columns"], *, seed: int, num_permutations: int = 10_000
) -> Float64[np.ndarray, " columns"]:
    """Return the two-sided p-value of "the systems' labels are exchangeable within each query".

    Under that hypothesis each query's difference is as likely to have the other sign. The p-value is the share of
    sign assignments whose mean lies at least as far from 0 as the observed one. All 2^n of them are counted where
    there are at most `num_permutations`; otherwise that many are drawn, and the observed one is counted among them, so
    that p is never 0.

    Args:
        difference: Finite differences, a query per row.
        seed: Seed of the drawn signs.
        num_permutations: Most sign assignments looked at.

    Returns:
        p-values in (0, 1]; NaN without queries.

    Source: Smucker, Allan and Carterette 2007, section 3.2 (Fisher's randomisation test); Phipson and Smyth 2010 for
    counting the observed assignment.
    """
    if not len(difference):
        return np.full(difference.shape[1], np.nan)
    # A query on which nothing differs has no sign to flip; without those the exact test reaches further.
    flippable = difference[np.any(difference != 0, axis=1)]
    total = flippable.sum(axis=0)
    # Sums of the same numbers in another order differ by rounding; an equally extreme assignment must count.
    extreme = np.abs(total) - 1e-9 * np.abs(flippable).sum(axis=0)
    num_rows = len(flippable)
    is_exact = num_rows < 63 and 2**num_rows <= num_permutations
    num_assignments = 2**num_rows if is_exact else num_permutations
    rng = generator(seed, "sign flips")
    num_extreme = np.zeros(difference.shape[1], dtype=np.int64)
    block = max(1, _MAX_CELLS // max(1, num_rows))
    for start in range(0, num_assignments, block):
        count = min(block, num_assignments - start)
        keeps = _all_signs(start, count, num_rows) if is_exact else _drawn_signs(rng, count, num_rows)
        flipped = 2.0 * (keeps.astype(np.float64) @ flippable) - total
        num_extreme += (np.abs(flipped) >= extreme).sum(axis=0)
    if is_exact:
        return num_extreme / num_assignments
    return (num_extreme + 1) / (num_assignments + 1)


def _all_signs(start: int, count: int, num_rows: int) -> UInt8[np.ndarray, "assignments queries"]:
    numbers = np.arange(start, start + count, dtype=np.int64)[:, None]
    return ((numbers >> np.arange(num_rows)) & 1).astype(np.uint8)


def _drawn_signs(rng: np.random.Generator, count: int, num_rows: int) -> UInt8[np.ndarray, "assignments queries"]:
    packed = rng.integers(0, 256, size=(count, (num_rows + 7) // 8), dtype=np.uint8)
    return np.unpackbits(packed, axis=1, count=num_rows)
