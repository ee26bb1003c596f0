"""Checks and results that all stores share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.index.arrays import checked_vectors, ranking_of_places

__all__ = ["Found", "check_put", "ranking_of_lists", "read_only"]

Found = tuple[Sequence[int], Sequence[float]]
"""Product indices and scores of one query, the best first."""


def ranking_of_lists(found: Sequence[Found], *, k: int) -> Ranking:
    """Turn what an engine found into a ranking of k places; ties stand in the order of product index."""
    index = np.full((len(found), k), NO_PRODUCT, np.int64)
    score = np.full((len(found), k), -np.inf, np.float32)
    for row, (indices, scores) in enumerate(found):
        index[row, : len(indices)], score[row, : len(scores)] = indices, scores
    return ranking_of_places(index, score)


def check_put(
    product_index: Int64[np.ndarray, " products"],
    products: pa.Table,
    vectors: Float32[np.ndarray, "products dim"],
    *,
    dim: int | None,
) -> Float32[np.ndarray, "products dim"]:
    """Return the vectors as float32 after checking all that is put together.

    Raises:
        ShapeError: If the three are not of one length, an index is negative or stands twice, or vectors are not finite
            or of another width.
    """
    vectors = checked_vectors(vectors, name="vectors", dim=dim)
    lengths = {"product_index": len(product_index), "products": products.num_rows, "vectors": len(vectors)}
    if len(set(lengths.values())) > 1:
        raise ShapeError("Products, their indices and their vectors must be of one length", received={**lengths})
    if len(product_index) and (product_index.min() < 0 or len(np.unique(product_index)) < len(product_index)):
        raise ShapeError(
            "Product indices must be distinct and not negative",
            received={"product_index": product_index[:10].tolist()},
            remedy="Put a product once, as it shall be.",
        )
    return vectors


def read_only(kind: str) -> UsageError:
    """Return the error for a write to a store that takes none."""
    return UsageError(
        "The store must be writable", received={"kind": kind}, remedy="Serve from qdrant-edge, or build it again."
    )
