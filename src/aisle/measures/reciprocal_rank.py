"""Reciprocal rank of the first relevant product."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from aisle.measures.grades import first_places
from aisle.measures.qrels import Qrels

__all__ = ["reciprocal_rank"]


def reciprocal_rank(
    grades: Float64[np.ndarray, "queries places"],
    qrels: Qrels,
    *,
    k: int | None = None,
    min_grade: float = 1.0,
) -> Float64[np.ndarray, " queries"]:
    """RR: one over the place of the first relevant product; its mean over queries is MRR.

    Args:
        grades: Grade at every place, NaN where unjudged (`grades_of`).
        qrels: The judgments.
        k: Places looked at; None for the whole ranking.
        min_grade: Least grade of a relevant product.

    Returns:
        Values in [0, 1], 0 where no relevant product was found; NaN for queries without a relevant product.

    Raises:
        ShapeError: If `grades` does not fit `qrels` or has fewer than k places.
        UsageError: If k or `min_grade` is out of range.

    Source: Voorhees 1999 (TREC-8 question answering track); trec_eval `recip_rank`;
    ir-measures `RR(rel=min_grade)`.
    """
    is_relevant = first_places(grades, qrels, k=grades.shape[1] if k is None else k) >= min_grade
    values = np.where(is_relevant.any(axis=1), 1.0 / (is_relevant.argmax(axis=1) + 1.0), 0.0)
    values[~qrels.has_relevant(min_grade)] = np.nan
    return values
