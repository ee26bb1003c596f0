"""The step that all measures share: the grade at every place of a ranking."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import NO_PRODUCT, Ranking, check_k
from aisle.measures.qrels import Qrels

__all__ = ["first_places", "grades_of"]


def grades_of(ranking: Ranking, qrels: Qrels) -> Float64[np.ndarray, "queries k"]:
    """Look up the grade at every place of a ranking.

    The ranking's order counts as it stands; trec_eval sorts by score instead, and equal scores by descending id.

    Args:
        ranking: The results, row i for query i of `qrels`.
        qrels: The judgments.

    Returns:
        Grades, NaN at places without a judged product. NaN is kept apart from grade 0 so that a product that
        nobody judged can be told from one that was judged and found irrelevant.

    Raises:
        ShapeError: If the ranking has not one row per query.
        UsageError: If a judged product stands twice in a row; it would be counted twice.
    """
    if len(ranking.product_index) != qrels.num_queries:
        raise ShapeError(
            "A ranking must have one row per judged query",
            received={"rows": len(ranking.product_index), "queries": qrels.num_queries},
        )
    grades = np.full(ranking.product_index.shape, np.nan)
    if not len(qrels.grade) or not ranking.product_index.size:
        return grades
    # One ascending key per (query, product) lets a single binary search answer all queries.
    num_products = int(max(qrels.product_index.max(), ranking.product_index.max())) + 1
    judged_key = qrels.query_index * num_products + qrels.product_index
    row_key = np.arange(qrels.num_queries, dtype=np.int64)[:, None] * num_products
    place_key = row_key + ranking.product_index
    judgment = np.minimum(np.searchsorted(judged_key, place_key), len(judged_key) - 1)
    is_judged = (judged_key[judgment] == place_key) & (ranking.product_index != NO_PRODUCT)
    hits = judgment[is_judged]
    if len(hits) and np.bincount(hits).max() > 1:
        raise UsageError(
            "A ranking must hold each product at most once per query",
            received={"repeated_places": int(len(hits) - len(np.unique(hits)))},
            remedy="Mend the retriever that made it: recall would count a product twice.",
        )
    grades[is_judged] = qrels.grade[hits]
    return grades


def first_places(
    grades: Float64[np.ndarray, "queries places"], qrels: Qrels, *, k: int
) -> Float64[np.ndarray, "queries k"]:
    """Cut grades down to the first k places, refusing a ranking that is too short to be measured there.

    Raises:
        ShapeError: If `grades` has fewer than k places, or not one row per query.
        UsageError: If k is below 1.
    """
    check_k(k)
    if grades.ndim != 2 or len(grades) != qrels.num_queries or grades.shape[1] < k:
        raise ShapeError(
            "grades must be [queries, places] with at least k places",
            received={"grades": grades.shape, "queries": qrels.num_queries, "k": k},
            remedy="Retrieve at least k places; a small catalogue fills the rest with NO_PRODUCT.",
        )
    return grades[:, :k]
