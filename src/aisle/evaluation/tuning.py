"""The weight of the semantic side of hybrid search, chosen on validation judgments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from aisle.core.ranking import Retriever
from aisle.evaluation.evaluate import retrieve_all
from aisle.measures import Qrels, grades_of, ndcg, recall
from aisle.retrieval import fuse_normalised, fuse_reciprocal_rank

__all__ = ["tune_semantic_weight"]

_WEIGHTS = tuple(round(0.05 * step, 2) for step in range(21))
_ANY_GRADE = float(np.finfo(np.float64).tiny)


def tune_semantic_weight(
    lexical: Retriever,
    semantic: Retriever,
    queries: Sequence[str],
    qrels: Qrels,
    *,
    fusion: Literal["normalised", "reciprocal_rank"],
    depth: int,
) -> float:
    """Return the weight, in steps of 0.05, with the best mean of nDCG@10 and recall@100.

    The two measures stand for the two jobs of retrieval: a good first page, and candidates for a ranker behind it. Of
    equal weights the one nearest to the middle is taken: it leans on neither side more than the data ask for.

    Args:
        lexical: The lexical side.
        semantic: The semantic side.
        queries: Validation queries, row i of `qrels`.
        qrels: Their relevant products, graded.
        fusion: How the sides are fused.
        depth: Candidates taken from each side; 100 where that is more.
    """
    first, second = (retrieve_all(side, queries, k=max(depth, 100)) for side in (lexical, semantic))
    fuse = fuse_normalised if fusion == "normalised" else fuse_reciprocal_rank
    quality = []
    for weight in _WEIGHTS:
        grades = grades_of(fuse(first, second, weight=weight, k=100), qrels)
        values = ndcg(grades, qrels, k=10) + recall(grades, qrels, k=100, min_grade=_ANY_GRADE)
        quality.append(float(np.nanmean(values)))
    return min(zip(_WEIGHTS, quality, strict=True), key=lambda pair: (-round(pair[1], 6), abs(pair[0] - 0.5)))[0]
