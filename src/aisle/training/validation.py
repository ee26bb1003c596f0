"""Full-catalogue measures of validation queries, by exact search: what the early stop looks at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64, Int64

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.measures import Qrels, grades_of, ndcg, recall
from aisle.towers import TwoTower
from aisle.training.data import TrainingData

__all__ = ["ANY_GRADE", "places_of", "validation_measures"]

ANY_GRADE = float(np.finfo(np.float64).tiny)
"""Every product with a grade above 0 in the validation qrels answers its query; grades only tell how well."""

_QUERIES_AT_ONCE = 256


def validation_measures(model: TwoTower, data: TrainingData, *, shallow: int = 10, deep: int = 100) -> dict[str, float]:
    """Encode the catalogue and measure means over the validation queries, in 0..1.

    Recall is capped: found / min(relevant, k), so that a perfect model reaches 1 on broad queries too. Queries that no
    product answers do not count.

    Args:
        model: What is measured.
        data: Catalogue and validation queries.
        shallow: Places of `R@10` and `nDCG@10`; `places_of` lowers them for a small catalogue.
        deep: Places of `R@100`.

    Returns:
        `R@10`, `R@100` and `nDCG@10`.
    """
    products = model.encode_product_features(data.product_features)
    queries = model.encode_query_features(data.validation.query_features)
    index = np.zeros((len(queries), max(shallow, deep)), np.int64)
    for start in range(0, len(queries), _QUERIES_AT_ONCE)[model.sharing.own]:
        block = slice(start, start + _QUERIES_AT_ONCE)
        index[block] = _top(queries[block] @ products.T, max(shallow, deep))
    index = model.sharing.whole(index)
    qrels = data.validation.qrels
    grades = grades_of(Ranking(index, np.zeros(index.shape, np.float32)), qrels)
    return {
        "R@10": _capped_recall(grades, qrels, shallow),
        "R@100": _capped_recall(grades, qrels, deep),
        "nDCG@10": float(np.nanmean(ndcg(grades, qrels, k=shallow))),
    }


def places_of(k: int, num_products: int) -> int:
    """Return k, or a tenth of a small catalogue: of 120 products nearly all are among the first 100 of any model.

    >>> places_of(100, 5_000), places_of(100, 120), places_of(10, 36), places_of(10, 4)
    (100, 12, 3, 1)
    """
    return min(k, max(1, num_products // 10))


def _capped_recall(grades: Float64[np.ndarray, "queries places"], qrels: Qrels, k: int) -> float:
    reached = recall(grades, qrels, k=k, min_grade=ANY_GRADE)
    return float(np.nanmean(reached * np.maximum(qrels.num_relevant(ANY_GRADE) / k, 1)))


def _top(scores: Float[np.ndarray, "queries products"], k: int) -> Int64[np.ndarray, "queries places"]:
    """Return the k best columns of every row, best first; empty places where there are fewer."""
    kept = min(k, scores.shape[1])
    found = np.argpartition(scores, -kept, axis=1)[:, -kept:]
    order = np.argsort(-np.take_along_axis(scores, found, axis=1), axis=1, kind="stable")
    best = np.full((len(scores), k), NO_PRODUCT, np.int64)
    best[:, :kept] = np.take_along_axis(found, order, axis=1)
    return best
