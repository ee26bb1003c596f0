import numpy as np
import pytest

from aisle.core.errors import ShapeError, UsageError
from aisle.measures import average_precision, grades_of

NAN = np.nan


def test_by_eye(ranking, qrels):
    # Query 0 ranks grades -, 3, 0, 1 and misses a product of grade 2: relevant at places 2 and 4 of 3 in all.
    grades = grades_of(ranking, qrels)
    np.testing.assert_allclose(average_precision(grades, qrels), [(1 / 2 + 2 / 4) / 3, NAN])
    np.testing.assert_allclose(average_precision(grades, qrels, k=3), [(1 / 2) / 3, NAN])
    np.testing.assert_allclose(average_precision(grades, qrels, min_grade=2), [(1 / 2) / 2, NAN])


def test_everything_relevant_first_is_1_and_nothing_found_is_0(qrels):
    assert average_precision(np.array([[1.0, 2.0, 3.0, NAN], [NAN] * 4]), qrels)[0] == 1
    assert average_precision(np.full((2, 4), NAN), qrels)[0] == 0


def test_bad_input_is_refused(ranking, qrels):
    grades = grades_of(ranking, qrels)
    with pytest.raises(ShapeError, match="at least k places"):
        average_precision(grades, qrels, k=5)
    with pytest.raises(UsageError, match="k must be at least 1"):
        average_precision(grades, qrels, k=0)
