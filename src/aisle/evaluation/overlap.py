"""How much two systems show the same products."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.core.errors import ShapeError
from aisle.core.ranking import NO_PRODUCT, Ranking, check_k

__all__ = ["overlap"]


def overlap(first: Ranking, second: Ranking, *, k: int = 10) -> Float64[np.ndarray, " queries"]:
    """Return the share of the first system's top k that is also in the second's top k.

    Args:
        first: Results of one system.
        second: Results of the other, for the same queries.
        k: Places looked at; a shorter ranking is looked at whole.

    Returns:
        Shares in [0, 1]; NaN for queries to which the first system has no result.

    Raises:
        ShapeError: If the two do not have the same number of queries.
        UsageError: If k is below 1.
    """
    check_k(k)
    if len(first.product_index) != len(second.product_index):
        raise ShapeError(
            "Both rankings must answer the same queries",
            received={"first": len(first.product_index), "second": len(second.product_index)},
        )
    shown, other = first.product_index[:, :k], second.product_index[:, :k]
    is_product = shown != NO_PRODUCT
    is_shared = (shown[:, :, None] == other[:, None, :]).any(axis=2) & is_product
    shares = np.full(len(shown), np.nan)
    num_shown = is_product.sum(axis=1)
    np.divide(is_shared.sum(axis=1), num_shown, out=shares, where=num_shown > 0)
    return shares
