import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import Ranking
from aisle.measures import Qrels, first_places, grades_of


def rank(rows) -> Ranking:
    products = np.array(rows, dtype=np.int64)
    return Ranking(products, np.zeros(products.shape, dtype=np.float32))


def test_grades_stand_at_their_places_and_unjudged_places_are_nan(ranking, qrels):
    nan = np.nan
    expected = [[nan, 3.0, 0.0, 1.0], [0.0, nan, nan, nan]]
    np.testing.assert_array_equal(grades_of(ranking, qrels), expected)


def test_an_empty_place_never_takes_the_grade_of_the_last_product_of_the_query_before():
    qrels = Qrels(np.array([0, 1, 1]), np.array([3]), np.array([1.0]))
    assert np.isnan(grades_of(rank([[0], [-1]]), qrels)).all()


def test_without_judgments_or_places_there_are_no_grades():
    nothing = Qrels(np.array([0, 0]), np.array([], np.int64), np.array([]))
    assert np.isnan(grades_of(rank([[1, 2]]), nothing)).all()
    one = Qrels(np.array([0, 1]), np.array([3]), np.array([1.0]))
    assert grades_of(rank(np.empty((1, 0))), one).shape == (1, 0)


@given(st.integers(0, 2**32 - 1))
def test_agrees_with_a_dictionary(seed):
    rng = np.random.default_rng(seed)
    num_queries, num_products = int(rng.integers(1, 6)), int(rng.integers(5, 12))
    rows = np.stack([rng.permutation(num_products)[:5] for _ in range(num_queries)])
    rows[:, 3:][rng.random((num_queries, 1)).repeat(2, axis=1) < 0.3] = -1
    pairs = {
        (int(q), int(p)): float(rng.integers(-1, 4))
        for q, p in zip(rng.integers(0, num_queries, 15), rng.integers(0, num_products, 15), strict=True)
    }
    qrels = Qrels.from_triples(
        query_index=np.array([q for q, _ in pairs]),
        product_index=np.array([p for _, p in pairs]),
        grade=np.array(list(pairs.values())),
        num_queries=num_queries,
    )
    expected = [[pairs.get((q, int(p)), np.nan) for p in row] for q, row in enumerate(rows)]
    np.testing.assert_array_equal(grades_of(rank(rows), qrels), expected)


def test_a_judged_product_that_is_returned_twice_is_refused(qrels):
    with pytest.raises(UsageError, match="at most once per query"):
        grades_of(rank([[2, 5, 2], [1, 3, 4]]), qrels)


def test_the_same_product_may_answer_two_queries(qrels):
    assert grades_of(rank([[2], [2]]), qrels).tolist() == [[3.0], [0.0]]


def test_a_ranking_of_other_queries_is_refused(qrels):
    with pytest.raises(ShapeError, match=r"one row per judged query\. Received: rows=1, queries=2"):
        grades_of(rank([[1]]), qrels)


def test_first_places_cuts_and_refuses_what_is_too_short(ranking, qrels):
    grades = grades_of(ranking, qrels)
    assert first_places(grades, qrels, k=2).shape == (2, 2)
    with pytest.raises(ShapeError, match="at least k places"):
        first_places(grades, qrels, k=5)
    with pytest.raises(ShapeError, match="at least k places"):
        first_places(grades[:1], qrels, k=2)
    with pytest.raises(UsageError, match="k must be at least 1"):
        first_places(grades, qrels, k=0)
