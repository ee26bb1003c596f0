import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.ranking import Ranking
from aisle.measures import Qrels, grades_of, ndcg

GRADES = st.lists(st.floats(0.01, 5.0) | st.just(0.0) | st.just(-1.0), min_size=1, max_size=8)


def one_query(grades) -> Qrels:
    return Qrels(np.array([0, len(grades)]), np.arange(len(grades)), np.array(grades, dtype=np.float64))


def test_linear_gain_over_the_ideal_of_all_judged_products(ranking, qrels):
    found = 3 / math.log2(3) + 1 / math.log2(5)
    ideal = 3 + 2 / math.log2(3) + 1 / math.log2(4)
    np.testing.assert_allclose(ndcg(grades_of(ranking, qrels), qrels, k=4), [found / ideal, np.nan])


def test_the_ideal_is_cut_at_k_as_well():
    qrels = one_query([1.0, 1.0, 1.0])
    assert ndcg(np.array([[1.0, np.nan]]), qrels, k=1).tolist() == [1.0]


def test_k_beyond_the_number_of_judgments_leaves_the_ideal_alone():
    qrels = one_query([2.0])
    assert ndcg(np.array([[2.0, np.nan, np.nan]]), qrels, k=3).tolist() == [1.0]


def test_grades_below_zero_gain_nothing_and_lose_nothing():
    qrels = one_query([1.0, -5.0])
    assert ndcg(np.array([[-5.0, 1.0]]), qrels, k=2)[0] == pytest.approx(1 / math.log2(3))


def test_fractional_grades_below_one_count():
    assert ndcg(np.array([[0.01]]), one_query([0.01]), k=1).tolist() == [1.0]


@given(grades=GRADES, k=st.integers(1, 10), seed=st.integers(0, 1000))
def test_lies_in_0_1_and_is_1_for_the_best_order(grades, k, seed):
    qrels = one_query(grades)
    shuffled = np.random.default_rng(seed).permutation(len(grades))
    best = np.argsort(-np.array(grades), kind="stable")
    empty = np.full(10, -1)
    rows = [np.concatenate([order, empty])[:10] for order in (shuffled, best)]
    products = np.stack(rows)
    two = Qrels.from_triples(
        query_index=np.repeat([0, 1], len(grades)),
        product_index=np.tile(np.arange(len(grades)), 2),
        grade=np.tile(qrels.grade, 2),
        num_queries=2,
    )
    values = ndcg(grades_of(Ranking(products, np.zeros(products.shape, np.float32)), two), two, k=k)
    if max(grades) <= 0:
        assert np.isnan(values).all()
    else:
        assert 0 <= values[0] <= 1
        assert values[1] == 1
