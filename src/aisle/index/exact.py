"""Exact search: every query against every product. The yardstick of the approximate kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.ranking import NO_PRODUCT, Ranking, check_k
from aisle.index.arrays import checked_vectors, empty_ranking, ranking_of_found
from aisle.index.sealed import damaged, seal_folder, unseal_folder

__all__ = ["ExactIndex"]

_VECTORS_NAME = "vectors.npy"


class ExactIndex:
    """The vectors themselves, in float32, searched by brute force.

    The vectors are kept without a copy where they are contiguous float32 already: do not change them
    afterwards.
    """

    kind = "exact"

    def __init__(self, vectors: Float32[np.ndarray, "products dim"]) -> None:
        self._vectors = vectors

    @classmethod
    def build(cls, vectors: Float32[np.ndarray, "products dim"]) -> ExactIndex:
        """Index these vectors.

        Raises:
            ShapeError: If they are not [products, dim] or not all finite.
        """
        return cls(checked_vectors(vectors, name="vectors"))

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return int(self._vectors.shape[1])

    @property
    def num_products(self) -> int:
        """Vectors in the index."""
        return len(self._vectors)

    @property
    def num_bytes(self) -> int:
        """Bytes of the vectors."""
        return int(self._vectors.nbytes)

    @property
    def parameters(self) -> dict[str, Any]:
        """Nothing can be set."""
        return {}

    def search(self, queries: Float32[np.ndarray, "queries dim"], *, k: int) -> Ranking:
        """Return the k products with the largest inner product; see `VectorIndex.search`."""
        check_k(k)
        queries = checked_vectors(queries, name="queries", dim=self.dim)
        num_found = min(k, self.num_products)
        if not len(queries) or not num_found:
            return empty_ranking(len(queries), k)
        # The function, not IndexFlatIP: the index would hold a second copy of the vectors.
        score, index = faiss.knn(queries, self._vectors, num_found, metric=faiss.METRIC_INNER_PRODUCT)
        return ranking_of_found(score, index, k=k)

    def scores(
        self,
        queries: Float32[np.ndarray, "queries dim"],
        product_index: Int64[np.ndarray, "queries k"],
    ) -> Float32[np.ndarray, "queries k"]:
        """Return the inner products of each query with its own list of products; -inf for `NO_PRODUCT`."""
        queries = checked_vectors(queries, name="queries", dim=self.dim)
        score = np.full(product_index.shape, -np.inf, np.float32)
        # Query by query: gathering the vectors of all lists at once would take queries * k * dim floats.
        for row, (query, wanted) in enumerate(zip(queries, product_index, strict=True)):
            there = wanted != NO_PRODUCT
            score[row, there] = self._vectors[wanted[there]] @ query
        return score

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return the vectors of these products; see `VectorIndex.vectors`."""
        return self._vectors[product_index]

    def save(self, folder: Path) -> None:
        """Write the vectors and their header."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / _VECTORS_NAME, self._vectors, allow_pickle=False)
        values = {"dim": self.dim, "num_products": self.num_products, "parameters": self.parameters}
        seal_folder(folder, kind=self.kind, values=values, files=[_VECTORS_NAME])

    @classmethod
    def load(cls, folder: Path) -> ExactIndex:
        """Read what `save` wrote.

        Raises:
            WorkspaceError: If the folder is missing or damaged, or holds another kind.
        """
        values = unseal_folder(folder, kind=cls.kind)
        try:
            vectors = np.load(folder / _VECTORS_NAME, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise damaged(folder, str(error)) from error
        if vectors.shape != (values["num_products"], values["dim"]) or vectors.dtype != np.float32:
            raise damaged(folder, f"{_VECTORS_NAME} holds {vectors.dtype} of shape {vectors.shape}")
        return cls(vectors)
