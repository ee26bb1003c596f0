"""The weight of the semantic side of hybrid search, chosen on validation judgments."""

from __future__ import annotations

from typing import Literal

import numpy as np

from aisle.core.ranking import Ranking
from aisle.measures import Qrels, grades_of, ndcg, recall
from aisle.retrieval import fuse_normalised, fuse_reciprocal_rank

__all__ = ["tune_semantic_weight"]

_WEIGHTS = tuple(round(0.05 * step, 2) for step in range(21))
_ANY_GRADE = float(np.finfo(np.float64).tiny)


def tune_semantic_weight(
    lexical: Ranking, semantic: Ranking, qrels: Qrels, *, fusion: Literal["normalised", "reciprocal_rank"]
) -> float:
    """Return the weight, in steps of 0.05, with the best mean of nDCG@10 and recall@100.

    The two measures stand for the two jobs of retrieval: a good first page, and candidates for a ranker behind it. Of
    equal weights the one nearest to the middle is taken: it leans on neither side more than the data ask for.

    Args:
        lexical: Candidates of the lexical side, row i for query i.
        semantic: Those of the semantic side.
        qrels: Relevant products of the validation queries, graded.
        fusion: How the sides are fused.
    """
    fuse = fuse_normalised if fusion == "normalised" else fuse_reciprocal_rank
    quality = []
    for weight in _WEIGHTS:
        grades = grades_of(fuse(lexical, semantic, weight=weight, k=100), qrels)
        values = ndcg(grades, qrels, k=10) + recall(grades, qrels, k=100, min_grade=_ANY_GRADE)
        quality.append(float(np.nanmean(values)))
    return min(zip(_WEIGHTS, quality, strict=True), key=lambda pair: (-round(pair[1], 6), abs(pair[0] - 0.5)))[0]
