"""Recall at k."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.measures.grades import first_places
from aisle.measures.qrels import Qrels

__all__ = ["recall"]


def recall(
    grades: Float64[np.ndarray, "queries places"], qrels: Qrels, *, k: int, min_grade: float = 1.0
) -> Float64[np.ndarray, " queries"]:
    """R@k: the share of a query's relevant products that stand in its first k places.

    Not capped: a query with 20 relevant products reaches at most 0.5 at k = 10.

    Args:
        grades: Grade at every place, NaN where unjudged (`grades_of`).
        qrels: The judgments; their relevant products are the whole, found or not.
        k: Places looked at.
        min_grade: Least grade of a relevant product.

    Returns:
        Values in [0, 1]; NaN for queries without a relevant product.

    Raises:
        ShapeError: If `grades` does not fit `qrels` or has fewer than k places.
        UsageError: If k or `min_grade` is out of range.

    Source: trec_eval `recall_k`; ir-measures `R(rel=min_grade)@k`.
    """
    num_relevant = qrels.num_relevant(min_grade)
    num_found = (first_places(grades, qrels, k=k) >= min_grade).sum(axis=1)
    values = np.full(qrels.num_queries, np.nan)
    np.divide(num_found, num_relevant, out=values, where=num_relevant > 0)
    return values
