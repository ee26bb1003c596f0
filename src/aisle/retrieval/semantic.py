"""Retrieval by vectors: the query is encoded and its nearest products are looked up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float32, Int64

from aisle.core.errors import ShapeError
from aisle.core.ranking import QueryBatch, Ranking, check_k
from aisle.core.text import normalise_texts
from aisle.retrieval.batch import distinct_texts, empty_rows, repeat_rows
from aisle.retrieval.explanation import Explained, PartScores, PartsOf, SplitScores, parts_of_pairs

__all__ = ["EncodeQueries", "EncodeSearches", "SearchedVectors", "SemanticRetriever"]

EncodeQueries = Callable[[Sequence[str]], Float32[np.ndarray, "queries dim"]]
"""Gives one vector per text, in the space of the index."""

EncodeSearches = Callable[[QueryBatch], Float32[np.ndarray, "queries dim"]]
"""Gives one vector per search, by all that is known of it."""


class SearchedVectors(Protocol):
    """What is asked of an index, or of anything else that holds products' vectors; see `aisle.index.VectorIndex`."""

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        ...

    def search(self, queries: Float32[np.ndarray, "queries dim"], *, k: int) -> Ranking:
        """Return the k products of the largest inner product."""
        ...

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return these products' vectors."""
        ...


class SemanticRetriever:
    """Products by the inner product of their vector with the query's.

    Every product has some score, so a ranking is as long as the catalogue allows; only a blank query has no
    results.

    Args:
        encode_queries: Called with distinct, non-blank texts as they were typed.
        index: Vectors of the catalogue, made by the same model.
        encode_searches: Called with searches of which more than the text is known, one vector each; None: the text
            alone counts.
        split_scores: Splits the score of pairs of vectors into contributions; None: a score is one part, "all".
        name: Name in tables and JSON, where several models are compared.
    """

    def __init__(
        self,
        encode_queries: EncodeQueries,
        index: SearchedVectors,
        *,
        encode_searches: EncodeSearches | None = None,
        split_scores: SplitScores | None = None,
        name: str = "semantic",
    ) -> None:
        self._encode_queries = encode_queries
        self._encode_searches = encode_searches
        self._split_scores = split_scores or _one_part
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
        return self._answered(queries, k=k)[0]

    def retrieve_explained(self, queries: QueryBatch, *, k: int) -> Explained:
        """Retrieve, with the contributions of the parts to each score; see `retrieve`."""
        ranking, parts_of = self.retrieve_with_parts(queries, k=k)
        return Explained(ranking, parts_of(ranking.product_index))

    def retrieve_with_parts(self, queries: QueryBatch, *, k: int) -> tuple[Ranking, PartsOf]:
        """Retrieve, and return what explains any products for these queries; they are encoded once."""
        ranking, vectors, rows = self._answered(queries, k=k)
        # As in the ranking, row -1 is that of a blank query: no product of it is explained.
        padded = np.concatenate([vectors, np.zeros((1, self._index.dim), np.float32)])[rows]

        def parts_of(product_index: Int64[np.ndarray, "queries n"]) -> PartScores:
            return parts_of_pairs(self._split_scores, padded, self._index.vectors, product_index)

        return ranking, parts_of

    def _answered(
        self, queries: QueryBatch, *, k: int
    ) -> tuple[Ranking, Float32[np.ndarray, "encoded dim"], Int64[np.ndarray, " queries"]]:
        """Return the ranking, the vectors that were searched, and which of them is each query's; -1 for a blank one."""
        check_k(k)
        if queries.is_personal and self._encode_searches is not None:
            vectors = self._encode_searches(queries)
            blank = pc.equal(normalise_texts(pa.array(queries.texts, pa.string())), "").to_numpy(zero_copy_only=False)
            rows, num_encoded = np.where(blank, -1, np.arange(len(queries))), len(queries)
        else:
            distinct, rows = distinct_texts(queries.texts)
            if not distinct:
                return empty_rows(len(rows), k), np.empty((0, self._index.dim), np.float32), rows
            vectors, num_encoded = self._encode_queries(distinct), len(distinct)
        if len(vectors) != num_encoded:
            raise ShapeError(
                "The encoder must give one vector per query",
                received={"queries": num_encoded, "vectors": len(vectors)},
                remedy="Mend the encoder.",
            )
        return repeat_rows(self._index.search(vectors, k=k), rows), vectors, rows


def _one_part(
    queries: Float32[np.ndarray, "pairs dim"], products: Float32[np.ndarray, "pairs dim"]
) -> dict[str, Float32[np.ndarray, " pairs"]]:
    return {"all": np.einsum("pd,pd->p", queries, products)}
