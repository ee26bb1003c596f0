"""How likely each place of a result page is to be looked at, from clicks on the same product at two places."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.core.errors import ShapeError

__all__ = ["adjacent_chain"]


def adjacent_chain(
    upper: Float64[np.ndarray, " steps"], lower: Float64[np.ndarray, " steps"], *, least: float = 0.01
) -> Float64[np.ndarray, " places"]:
    """Chain the ratios of clicks at neighbouring places into examination relative to the first place.

    Of (query, product) pairs that were shown at place i and at place i + 1, each is as relevant at the one as at the
    other, so what their click rates differ by is the place.

    Args:
        upper: Step i: weighed click rate, at place i + 1 counted from 1, of the pairs shown there and one below.
        lower: The same pairs' at the place below.
        least: Least examination that is returned; what is never looked at has no finite weight.

    Returns:
        Examination of each place, from 1 at the first, never rising: nobody is expected to look further down more
        often, so a rise is noise. A step without clicks above leaves examination as it is.

    Raises:
        ShapeError: If the two differ in length.

    Source: Agarwal, Zaitsev, Wang, Li, Najork and Joachims 2019, "Estimating position bias without intrusive
    interventions", section 4.3 (the chain of adjacent pairs).

    >>> adjacent_chain(np.array([4.0, 2.0]), np.array([2.0, 1.0])).tolist()
    [1.0, 0.5, 0.25]
    """
    if upper.shape != lower.shape:
        raise ShapeError(
            "Every step must have a rate above and one below", received={"upper": upper.shape, "lower": lower.shape}
        )
    ratio = np.divide(lower, upper, out=np.ones(len(upper)), where=upper > 0)
    chain = np.concatenate([[1.0], np.cumprod(ratio)])
    return np.maximum(np.minimum.accumulate(chain), least)
