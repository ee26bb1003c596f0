"""From rows of query, product and score, in any order, to a ranking: what ties mean, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
from jaxtyping import Float64, Int64

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.core.ranking import NO_PRODUCT, Ranking

__all__ = ["ranking_of_rows"]


def ranking_of_rows(
    *,
    query: Int64[np.ndarray, " rows"],
    product: Int64[np.ndarray, " rows"],
    score: Float64[np.ndarray, " rows"],
    rank: Int64[np.ndarray, " rows"] | None,
    ids: IdMap,
    num_queries: int,
) -> Ranking:
    """Sort each query's rows by descending score in single precision, equal scores by rank, equal ranks by id.

    Of equal scores and ranks the larger id comes first, as in trec_eval, which knows no rank: a file without meaningful
    ranks (all equal, or none) is measured as trec_eval and ir-measures do.

    Args:
        query: Query of each row, in 0..num_queries - 1.
        product: Index of its product among `ids`.
        score: Its score; higher is better.
        rank: Its rank in the file; None where it has none.
        ids: Ids of the products.
        num_queries: Queries; those without a row get an empty one.

    Raises:
        SourceError: If a product stands twice under one query.
    """
    by_id = np.empty(len(ids), np.int64)
    by_id[pc.array_sort_indices(ids.ids).to_numpy()] = np.arange(len(ids))
    ranks = np.zeros(len(query), np.int64) if rank is None else rank
    order = np.lexsort((-by_id[product], ranks, -score.astype(np.float32), query))
    query, product, score = query[order], product[order], score[order]
    num_repeated = len(query) - len(np.unique(query * len(ids) + product))
    if num_repeated:
        raise SourceError(
            "A run must hold each product at most once per query",
            received={"repeated_rows": num_repeated, "rows": len(query)},
            remedy="Mend the program that wrote it: recall would count a product twice.",
        )
    num_results = np.bincount(query, minlength=num_queries)
    k = int(num_results.max(initial=0))
    place = np.arange(len(query)) - (np.cumsum(num_results) - num_results)[query]
    product_index = np.full((num_queries, k), NO_PRODUCT, dtype=np.int64)
    scores = np.full((num_queries, k), -np.inf, dtype=np.float32)
    product_index[query, place] = product
    scores[query, place] = score
    return Ranking(product_index, scores)
