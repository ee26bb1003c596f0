"""Average precision."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.measures.grades import first_places
from aisle.measures.qrels import Qrels

__all__ = ["average_precision"]


def average_precision(
    grades: Float64[np.ndarray, "queries places"],
    qrels: Qrels,
    *,
    k: int | None = None,
    min_grade: float = 1.0,
) -> Float64[np.ndarray, " queries"]:
    """AP: the mean, over a query's relevant products, of the precision at each one's place; 0 for one not found.

    Args:
        grades: Grade at every place, NaN where unjudged (`grades_of`).
        qrels: The judgments; their relevant products are the whole, found or not.
        k: Places looked at; None for the whole ranking.
        min_grade: Least grade of a relevant product.

    Returns:
        Values in [0, 1]; NaN for queries without a relevant product.

    Raises:
        ShapeError: If `grades` does not fit `qrels` or has fewer than k places.
        UsageError: If k or `min_grade` is out of range.

    Source: Buckley and Voorhees 2000, section 2.1; trec_eval `map_cut_k`; ir-measures `AP(rel=min_grade)@k`.
    """
    is_relevant = first_places(grades, qrels, k=grades.shape[1] if k is None else k) >= min_grade
    precision_here = np.cumsum(is_relevant, axis=1) / np.arange(1, is_relevant.shape[1] + 1)
    num_relevant = qrels.num_relevant(min_grade)
    values = np.full(qrels.num_queries, np.nan)
    np.divide((precision_here * is_relevant).sum(axis=1), num_relevant, out=values, where=num_relevant > 0)
    return values
