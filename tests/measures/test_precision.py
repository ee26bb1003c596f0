import numpy as np
import pytest

from aisle.core.errors import ShapeError, UsageError
from aisle.measures import grades_of, precision, success

NAN = np.nan


def test_by_eye(ranking, qrels):
    # Query 0 ranks grades -, 3, 0, 1; query 1 has nothing relevant.
    grades = grades_of(ranking, qrels)
    np.testing.assert_array_equal(precision(grades, qrels, k=2), [1 / 2, NAN])
    np.testing.assert_array_equal(precision(grades, qrels, k=4), [2 / 4, NAN])
    np.testing.assert_array_equal(precision(grades, qrels, k=4, min_grade=2), [1 / 4, NAN])
    np.testing.assert_array_equal(success(grades, qrels, k=1), [0, NAN])
    np.testing.assert_array_equal(success(grades, qrels, k=2), [1, NAN])


def test_empty_places_count_as_wrong(qrels):
    grades = np.array([[3.0, NAN, NAN, NAN], [NAN] * 4])
    assert precision(grades, qrels, k=4)[0] == 1 / 4


@pytest.mark.parametrize("measure", [precision, success])
def test_bad_input_is_refused(ranking, qrels, measure):
    grades = grades_of(ranking, qrels)
    with pytest.raises(ShapeError, match="at least k places"):
        measure(grades, qrels, k=5)
    with pytest.raises(UsageError, match="k must be at least 1"):
        measure(grades, qrels, k=0)
    with pytest.raises(UsageError, match="min_grade must be a number above 0"):
        measure(grades, qrels, k=1, min_grade=0)
