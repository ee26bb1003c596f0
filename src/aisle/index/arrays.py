"""Checks of vectors on the way into Faiss, and of what comes out of it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.errors import ShapeError
from aisle.core.ranking import NO_PRODUCT, Ranking

__all__ = ["checked_vectors", "empty_ranking", "ranking_of_found", "ranking_of_places"]


def checked_vectors(vectors: np.ndarray, *, name: str, dim: int | None = None) -> Float32[np.ndarray, "rows dim"]:
    """Return the vectors as contiguous float32, without a copy where they already are.

    Faiss itself reads memory of whatever shape it is told and ranks NaN anywhere, so nothing unchecked may
    reach it.

    Args:
        vectors: Any floating type.
        name: Name of the argument, for the error.
        dim: Dimensions that a row must have; any number from 1 where it is None.

    Raises:
        ShapeError: If the vectors are not a matrix of floats, have other dimensions, or hold NaN or infinity.
    """
    is_matrix = vectors.ndim == 2 and vectors.dtype.kind == "f"
    if not is_matrix or vectors.shape[1] != (dim or max(1, vectors.shape[1])):
        raise ShapeError(
            f"{name} must be floating-point vectors of shape [rows, {dim or 'dim'}]",
            received={"shape": vectors.shape, "dtype": str(vectors.dtype)},
            remedy="Encode products and queries with the same model.",
        )
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(vectors, dtype=np.float32)
    # Minimum and maximum carry NaN and infinity; np.isfinite would need a mask as large as the vectors.
    if converted.size and not (np.isfinite(converted.min()) and np.isfinite(converted.max())):
        bad_rows = np.flatnonzero(~np.isfinite(converted).all(axis=1))
        raise ShapeError(
            f"{name} must hold finite numbers only",
            received={"bad_rows": len(bad_rows), "first": int(bad_rows[0])},
            remedy="Look for a division by zero, or a training that diverged, where the vectors were made.",
        )
    return converted


def empty_ranking(num_queries: int, k: int) -> Ranking:
    """Return a ranking without any product."""
    shape = (num_queries, k)
    return Ranking(np.full(shape, NO_PRODUCT, np.int64), np.full(shape, -np.inf, np.float32))


def ranking_of_found(
    score: Float32[np.ndarray, "queries found"], product_index: Int64[np.ndarray, "queries found"], *, k: int
) -> Ranking:
    """Turn Faiss's answer into a ranking of k places.

    Faiss marks an empty place by index -1 and the lowest finite score, and leaves ties in the order of its
    heap; here an empty place scores -inf and ties stand in the order of product index.
    """
    num_found = score.shape[1]
    index = np.full((len(score), k), NO_PRODUCT, np.int64)
    index[:, :num_found] = product_index
    placed = np.full((len(score), k), -np.inf, np.float32)
    np.copyto(placed[:, :num_found], score, where=product_index != NO_PRODUCT)
    return ranking_of_places(index, placed)


def ranking_of_places(
    product_index: Int64[np.ndarray, "queries k"], score: Float32[np.ndarray, "queries k"]
) -> Ranking:
    """Put ties, in place, into the order of product index; an empty place holds `NO_PRODUCT` and scores -inf."""
    tied = (score[:, 1:] == score[:, :-1]) & (product_index[:, 1:] != NO_PRODUCT)
    if tied.any():
        rows = tied.any(axis=1)
        order = np.lexsort((product_index[rows], -score[rows]), axis=1)
        product_index[rows] = np.take_along_axis(product_index[rows], order, axis=1)
        score[rows] = np.take_along_axis(score[rows], order, axis=1)
    return Ranking(product_index, score)
