import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.measures import Qrels, grades_of, recall


def test_recall_counts_relevant_products_that_were_not_retrieved(ranking, qrels):
    grades = grades_of(ranking, qrels)
    np.testing.assert_allclose(recall(grades, qrels, k=2), [1 / 3, np.nan])
    np.testing.assert_allclose(recall(grades, qrels, k=4), [2 / 3, np.nan])


def test_min_grade_decides_what_is_relevant(ranking, qrels):
    grades = grades_of(ranking, qrels)
    np.testing.assert_allclose(recall(grades, qrels, k=4, min_grade=2), [1 / 2, np.nan])
    np.testing.assert_allclose(recall(grades, qrels, k=4, min_grade=4), [np.nan, np.nan])


def test_recall_is_not_capped_by_k():
    qrels = Qrels(np.array([0, 4]), np.arange(4), np.ones(4))
    assert recall(np.array([[1.0, 1.0]]), qrels, k=2).tolist() == [0.5]


def test_a_miss_is_zero_and_not_nan():
    qrels = Qrels(np.array([0, 1]), np.array([3]), np.array([1.0]))
    assert recall(np.array([[np.nan]]), qrels, k=1).tolist() == [0.0]


def test_a_threshold_of_zero_is_refused(ranking, qrels):
    with pytest.raises(UsageError, match="min_grade"):
        recall(grades_of(ranking, qrels), qrels, k=2, min_grade=0)
