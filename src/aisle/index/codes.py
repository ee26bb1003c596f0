"""Codes of 4 bits that stand for two dimensions each: product quantisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32

from aisle.index.threads import faiss_threads

__all__ = ["CODE_BITS", "code_bytes", "learn_codes", "num_codes", "padded", "padded_dim", "training_rows"]

CODE_BITS = 4
"""Bits of a code. Tables of 16 entries lie in a register, so that fast scan looks up 32 products in one instruction."""

_DIMS_PER_CODE = 2
_ROWS_PER_VALUE = 1024
_LEAST_ROWS = 2**CODE_BITS
_MOST_ROWS = _ROWS_PER_VALUE * 2**CODE_BITS


def num_codes(dim: int) -> int:
    """Return how many codes a vector has; a last one may stand for one dimension and a zero."""
    return -(-dim // _DIMS_PER_CODE)


def padded_dim(dim: int) -> int:
    """Return the dimensions that all codes of a vector stand for together."""
    return _DIMS_PER_CODE * num_codes(dim)


def padded(vectors: Float32[np.ndarray, "rows dim"]) -> Float32[np.ndarray, "rows even_dim"]:
    """Return the vectors with as many zeros at their ends as fill the last code: inner products stay."""
    missing = padded_dim(vectors.shape[1]) - vectors.shape[1]
    return np.pad(vectors, ((0, 0), (0, missing))) if missing else vectors


def training_rows(
    vectors: Float32[np.ndarray, "products dim"], *, most: int = _MOST_ROWS
) -> Float32[np.ndarray, "rows dim"]:
    """Return what codes are learnt from: rows at equal distances, or a small catalogue as often as Faiss needs.

    Of fewer than 16 products each then has codes of its own, and no more can be asked of codes.
    """
    num_rows = min(max(len(vectors), _LEAST_ROWS), max(most, _LEAST_ROWS))
    if num_rows == len(vectors):
        return vectors
    if num_rows > len(vectors):
        return np.resize(vectors, (num_rows, vectors.shape[1]))
    return np.ascontiguousarray(vectors[np.linspace(0, len(vectors) - 1, num_rows).astype(np.int64)])


def learn_codes(index: Any, quantizer: Any, vectors: Float32[np.ndarray, "products dim"]) -> None:
    """Learn the values of codes.

    Args:
        index: What is trained, its centres apart.
        quantizer: Its product quantiser.
        vectors: All products.
    """
    clustering = quantizer.cp
    # Of fewer rows than 39 per value Faiss would print a warning for every code.
    clustering.min_points_per_centroid, clustering.max_points_per_centroid = 1, _ROWS_PER_VALUE
    # A code's k-means is so small that threads wait for each other longer than they work.
    with faiss_threads(1):
        index.train(training_rows(vectors))


def code_bytes(quantizer: Any) -> int:
    """Return the bytes of Faiss's product quantiser: what its codes stand for."""
    return int(4 * quantizer.centroids.size())
