"""A boost as two more dimensions of a product's vector: no index and no store can lose it.

A product becomes `[p, b, √(M² − ‖p‖² − b²)]` and a query `[q, 1, 0]`: their inner product is `⟨q, p⟩ + b`. All products
have the norm M, so inner product, L2 and cosine give one order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from aisle.core.errors import ShapeError

if TYPE_CHECKING:
    from aisle.retrieval import SplitScores

__all__ = ["BOOST_PART", "boosted_queries", "split_boosted", "with_boost"]

BOOST_PART = "boost"
"""Name of the boost among the parts of a score."""


def with_boost(
    vectors: Float32[np.ndarray, "products dim"],
    boost: Float32[np.ndarray, " products"],
    *,
    squared_norm: float | None = None,
) -> Float32[np.ndarray, "products dim_and_2"]:
    """Return the products' vectors with their boost, all of one norm: the least that holds them.

    Args:
        vectors: Products' vectors.
        boost: What is added to each product's score, of any sign.
        squared_norm: Squared norm of the products that they join; one that is longer already stays so.

    Raises:
        ShapeError: If there is not one finite boost per product.

    Source: Bachrach et al. 2014, section 3.1 (inner products as distances by one more dimension).
    """
    if boost.shape != (len(vectors),) or not np.isfinite(boost).all():
        raise ShapeError(
            "There must be one finite boost per product",
            received={"products": len(vectors), "boosts": boost.shape, "finite": int(np.isfinite(boost).sum())},
            remedy="Find the boost again for the present catalogue.",
        )
    squared = np.einsum("pd,pd->p", vectors, vectors, dtype=np.float64) + boost.astype(np.float64) ** 2
    whole = squared.max(initial=0.0) if squared_norm is None else squared_norm
    filler = np.sqrt(np.maximum(0.0, whole - squared))
    return np.column_stack([vectors, boost, filler]).astype(np.float32)


def boosted_queries(queries: Float32[np.ndarray, "queries dim"]) -> Float32[np.ndarray, "queries dim_and_2"]:
    """Return the vectors that search products made by `with_boost`."""
    ends = np.tile(np.array([1.0, 0.0], np.float32), (len(queries), 1))
    return np.concatenate([np.asarray(queries, np.float32), ends], axis=1)


def split_boosted(split: SplitScores) -> SplitScores:
    """Return what splits the scores of boosted vectors: into the parts of the bare vectors' score, and the boost.

    Args:
        split: Splits the scores of bare vectors.
    """

    def parts(
        queries: Float32[np.ndarray, "pairs dim"], products: Float32[np.ndarray, "pairs dim"]
    ) -> dict[str, Float32[np.ndarray, " pairs"]]:
        bare = split(np.ascontiguousarray(queries[:, :-2]), np.ascontiguousarray(products[:, :-2]))
        return {**bare, BOOST_PART: queries[:, -2] * products[:, -2]}

    return parts
