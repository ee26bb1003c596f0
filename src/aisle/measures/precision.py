"""Precision at k, and whether there is anything right among the first k at all."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.measures.grades import first_places
from aisle.measures.qrels import Qrels

__all__ = ["precision", "success"]


def precision(
    grades: Float64[np.ndarray, "queries places"], qrels: Qrels, *, k: int, min_grade: float = 1.0
) -> Float64[np.ndarray, " queries"]:
    """P@k: the share of the first k places that hold a relevant product.

    Always divided by k: empty places count as wrong, and a query with fewer than k relevant products cannot reach 1.

    Args:
        grades: Grade at every place, NaN where unjudged (`grades_of`).
        qrels: The judgments.
        k: Places looked at.
        min_grade: Least grade of a relevant product.

    Returns:
        Values in [0, 1]; NaN for queries without a relevant product.

    Raises:
        ShapeError: If `grades` does not fit `qrels` or has fewer than k places.
        UsageError: If k or `min_grade` is out of range.

    Source: trec_eval `P_k`; ir-measures `P(rel=min_grade)@k`.
    """
    values = (first_places(grades, qrels, k=k) >= min_grade).sum(axis=1) / k
    return np.where(qrels.has_relevant(min_grade), values, np.nan)


def success(
    grades: Float64[np.ndarray, "queries places"], qrels: Qrels, *, k: int, min_grade: float = 1.0
) -> Float64[np.ndarray, " queries"]:
    """Success@k: 1 where at least one of the first k places holds a relevant product, else 0.

    Args:
        grades: Grade at every place, NaN where unjudged (`grades_of`).
        qrels: The judgments.
        k: Places looked at.
        min_grade: Least grade of a relevant product.

    Returns:
        0 or 1; NaN for queries without a relevant product.

    Raises:
        ShapeError: If `grades` does not fit `qrels` or has fewer than k places.
        UsageError: If k or `min_grade` is out of range.

    Source: trec_eval `success_k`; ir-measures `Success(rel=min_grade)@k`.
    """
    values = (first_places(grades, qrels, k=k) >= min_grade).any(axis=1).astype(np.float64)
    return np.where(qrels.has_relevant(min_grade), values, np.nan)
