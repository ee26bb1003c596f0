import numpy as np

from aisle.measures import Qrels, grades_of, reciprocal_rank


def test_one_over_the_place_of_the_first_relevant_product(ranking, qrels):
    grades = grades_of(ranking, qrels)
    np.testing.assert_array_equal(reciprocal_rank(grades, qrels), [1 / 2, np.nan])


def test_a_cut_off_hides_later_places(ranking, qrels):
    grades = grades_of(ranking, qrels)
    np.testing.assert_array_equal(reciprocal_rank(grades, qrels, k=1), [0.0, np.nan])
    np.testing.assert_array_equal(reciprocal_rank(grades, qrels, k=2), [1 / 2, np.nan])


def test_min_grade_skips_lesser_products():
    qrels = Qrels(np.array([0, 2]), np.array([1, 2]), np.array([1.0, 3.0]))
    grades = np.array([[np.nan, 1.0, np.nan, 3.0]])
    assert reciprocal_rank(grades, qrels, min_grade=1).tolist() == [1 / 2]
    assert reciprocal_rank(grades, qrels, min_grade=2).tolist() == [1 / 4]


def test_relevant_but_not_retrieved_is_zero():
    qrels = Qrels(np.array([0, 1]), np.array([3]), np.array([1.0]))
    assert reciprocal_rank(np.array([[np.nan, np.nan]]), qrels).tolist() == [0.0]
