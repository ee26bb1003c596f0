"""Retrieval by vectors: the query is encoded and its nearest products are looked up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32

from aisle.core.errors import ShapeError
from aisle.core.ranking import QueryBatch, Ranking
from aisle.index import VectorIndex
from aisle.retrieval.batch import answer_distinct

__all__ = ["EncodeQueries", "SemanticRetriever"]

EncodeQueries = Callable[[Sequence[str]], Float32[np.ndarray, "queries dim"]]
"""Gives one vector per text, in the space of the index."""


class SemanticRetriever:
    """Products by the inner product of their vector with the query's.

    Every product has some score, so a ranking is as long as the catalogue allows; only a blank query has no
    results.

    Args:
        encode_queries: Called with distinct, non-blank texts as they were typed.
        index: Vectors of the catalogue, made by the same model.
        name: Name in tables and JSON, where several models are compared.
    """

    def __init__(self, encode_queries: EncodeQueries, index: VectorIndex, *, name: str = "semantic") -> None:
        self._encode_queries = encode_queries
        self._index = index
        self._name = name

    @property
    def name(self) -> str:
        """Name in tables and JSON."""
        return self._name

    def retrieve(self, queries: QueryBatch, *, k: int) -> Ranking:
        """Return the k products of the highest inner product; see `Retriever.retrieve`.

        Raises:
            UsageError: If k is below 1.
            ShapeError: If the encoder does not give one finite vector of the index's width per text.
        """
        return answer_distinct(queries, k=k, answer=lambda texts: self._ranked(texts, k=k))

    def _ranked(self, texts: Sequence[str], *, k: int) -> Ranking:
        vectors = self._encode_queries(texts)
        if len(vectors) != len(texts):
            raise ShapeError(
                "The encoder must give one vector per query",
                received={"queries": len(texts), "vectors": len(vectors)},
                remedy="Mend the encoder.",
            )
        return self._index.search(vectors, k=k)
