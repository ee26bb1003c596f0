"""Retrieval by vectors: the query is encoded and its nearest products are looked up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float32

from aisle.core.errors import ShapeError
from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking, check_k
from aisle.core.text import normalise_texts
from aisle.index import VectorIndex
from aisle.retrieval.batch import answer_distinct

__all__ = ["EncodeQueries", "EncodeSearches", "SemanticRetriever"]

EncodeQueries = Callable[[Sequence[str]], Float32[np.ndarray, "queries dim"]]
"""Gives one vector per text, in the space of the index."""

EncodeSearches = Callable[[QueryBatch], Float32[np.ndarray, "queries dim"]]
"""Gives one vector per search, by all that is known of it."""


class SemanticRetriever:
    """Products by the inner product of their vector with the query's.

    Every product has some score, so a ranking is as long as the catalogue allows; only a blank query has no
    results.

    Args:
        encode_queries: Called with distinct, non-blank texts as they were typed.
        index: Vectors of the catalogue, made by the same model.
        encode_searches: Called with searches of which more than the text is known, one vector each; None: the text
            alone counts.
        name: Name in tables and JSON, where several models are compared.
    """

    def __init__(
        self,
        encode_queries: EncodeQueries,
        index: VectorIndex,
        *,
        encode_searches: EncodeSearches | None = None,
        name: str = "semantic",
    ) -> None:
        self._encode_queries = encode_queries
        self._encode_searches = encode_searches
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
        if queries.is_personal and self._encode_searches is not None:
            check_k(k)
            ranking = self._nearest(self._encode_searches(queries), queries.texts, k=k)
            blank = pc.equal(normalise_texts(pa.array(queries.texts, pa.string())), "").to_numpy(zero_copy_only=False)
            ranking.product_index[blank], ranking.score[blank] = NO_PRODUCT, -np.inf
            return ranking
        return answer_distinct(
            queries, k=k, answer=lambda texts: self._nearest(self._encode_queries(texts), texts, k=k)
        )

    def _nearest(self, vectors: Float32[np.ndarray, "queries dim"], texts: Sequence[str], *, k: int) -> Ranking:
        if len(vectors) != len(texts):
            raise ShapeError(
                "The encoder must give one vector per query",
                received={"queries": len(texts), "vectors": len(vectors)},
                remedy="Mend the encoder.",
            )
        return self._index.search(vectors, k=k)
