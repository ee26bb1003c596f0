"""Full-catalogue recall of validation queries, by exact search."""

from __future__ import annotations

import numpy as np

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.measures import grades_of, recall
from aisle.towers import TwoTower
from aisle.training.data import TrainingData

__all__ = ["ANY_GRADE", "validation_recall"]

ANY_GRADE = float(np.finfo(np.float64).tiny)
"""Every product with a grade above 0 in the validation qrels answers its query; grades only tell how well."""

_QUERIES_AT_ONCE = 256


def validation_recall(model: TwoTower, data: TrainingData, *, k: int = 100) -> float:
    """Encode the catalogue and measure mean recall@k over the validation queries, in 0..1.

    Capped: found / min(relevant, k), so that a perfect model reaches 1 on broad queries too. Queries that no product
    answers do not count.
    """
    products = model.encode_product_features(data.product_features)
    queries = model.encode_query_features(data.validation.query_features)
    tops = [
        _top(queries[start : start + _QUERIES_AT_ONCE] @ products.T, k)
        for start in range(0, len(queries), _QUERIES_AT_ONCE)
    ]
    index = np.concatenate(tops)
    ranking = Ranking(index, np.zeros(index.shape, np.float32))
    grades = grades_of(ranking, data.validation.qrels)
    reached = recall(grades, data.validation.qrels, k=k, min_grade=ANY_GRADE)
    num_relevant = data.validation.qrels.num_relevant(ANY_GRADE)
    return float(np.nanmean(reached * np.maximum(num_relevant / k, 1)))


def _top(scores: np.ndarray, k: int) -> np.ndarray:
    """Return the k best columns of every row, in any order; empty places where there are fewer."""
    kept = min(k, scores.shape[1])
    best = np.full((len(scores), k), NO_PRODUCT, np.int64)
    best[:, :kept] = np.argpartition(scores, -kept, axis=1)[:, -kept:]
    return best
