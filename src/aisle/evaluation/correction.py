"""p-values of many comparisons, corrected so that chance alone rarely makes any of them look significant."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.core.errors import ShapeError

__all__ = ["holm"]


def holm(p: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Correct the p-values of n comparisons by Holm's step-down method.

    To reject where the corrected value is at most α keeps the chance of any false rejection at or below α, however the
    comparisons depend on each other. It rejects whatever Bonferroni's would, and often more.

    Args:
        p: p-values in [0, 1] in any order; NaN where nothing was compared, which counts as no comparison.

    Returns:
        Corrected p-values in the same order, each at least its own p and at most 1; NaN where `p` is.

    Raises:
        ShapeError: If `p` is not one row of values in [0, 1] or NaN.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]

    Source: Holm 1979, section 3.
    """
    values = np.asarray(p, np.float64)
    is_compared = ~np.isnan(values)
    if values.ndim != 1 or np.any((values[is_compared] < 0) | (values[is_compared] > 1)):
        raise ShapeError("p-values must be one row of numbers between 0 and 1", received={"p": values.tolist()})
    compared = values[is_compared]
    order = np.argsort(compared, kind="stable")
    left = np.arange(len(compared), 0, -1)
    # A later comparison never comes out better than an earlier one: the step-down stops at the first that fails.
    stepped = np.minimum(np.maximum.accumulate(compared[order] * left), 1.0)
    corrected = np.full(len(values), np.nan)
    corrected[np.flatnonzero(is_compared)[order]] = stepped
    return corrected
