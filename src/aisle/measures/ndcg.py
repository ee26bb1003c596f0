"""Normalised discounted cumulative gain."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.measures.grades import first_places
from aisle.measures.qrels import Qrels

__all__ = ["ndcg"]


def ndcg(grades: Float64[np.ndarray, "queries places"], qrels: Qrels, *, k: int) -> Float64[np.ndarray, " queries"]:
    """nDCG@k with linear gain: sum of grade / log2(place + 1), divided by that of the best possible ranking.

    The best possible ranking is made of all judged products, whether retrieved or not. Unjudged products and
    grades below 0 gain nothing.

    Args:
        grades: Grade at every place, NaN where unjudged (`grades_of`).
        qrels: The judgments.
        k: Places looked at.

    Returns:
        Values in [0, 1]; NaN for queries without a grade above 0.

    Raises:
        ShapeError: If `grades` does not fit `qrels` or has fewer than k places.
        UsageError: If k is below 1.

    Source: Järvelin and Kekäläinen 2002, section 2.2, with the discount of trec_eval's `ndcg_cut_k`;
    ir-measures `nDCG@k`.
    """
    found = _discounted_gain(np.fmax(first_places(grades, qrels, k=k), 0.0))
    best = _discounted_gain(_ideal_gains(qrels, k=k))
    values = np.full(qrels.num_queries, np.nan)
    np.divide(found, best, out=values, where=best > 0)
    # The two sums round differently, which can put a perfect ranking one last digit above 1.
    return np.minimum(values, 1.0)


def _discounted_gain(gains: Float64[np.ndarray, "queries k"]) -> Float64[np.ndarray, " queries"]:
    discount = 1.0 / np.log2(np.arange(2, gains.shape[1] + 2))
    # Not `gains @ discount`: BLAS may round a row differently when the number of rows changes.
    return np.asarray((gains * discount).sum(axis=1))


def _ideal_gains(qrels: Qrels, *, k: int) -> Float64[np.ndarray, "queries k"]:
    query = qrels.query_index
    order = np.lexsort((-qrels.grade, query))
    place = np.arange(len(order)) - qrels.offsets[query]
    is_inside = place < k
    ideal = np.zeros((qrels.num_queries, k))
    ideal[query[is_inside], place[is_inside]] = np.maximum(qrels.grade[order][is_inside], 0.0)
    return ideal
