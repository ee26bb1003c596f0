import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.boosting import BOOST_PART, boosted_queries, split_boosted, with_boost
from aisle.core.errors import ShapeError
from aisle.index import HnswIndex


def drawn(seed, *, products=200, queries=20, dim=8):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((products, dim)).astype(np.float32)
    boost = rng.normal(0, 0.3, products).astype(np.float32)
    return vectors, boost, rng.standard_normal((queries, dim)).astype(np.float32)


def test_a_case_by_eye():
    made = with_boost(np.array([[3.0, 0.0], [0.0, 1.0]], np.float32), np.array([0.0, 4.0], np.float32))
    # Norms of 3 and √17: the larger one is that of both.
    assert made == pytest.approx(np.array([[3, 0, 0, np.sqrt(8)], [0, 1, 4, 0]]))
    assert boosted_queries(np.array([[0.5, 2.0]])).tolist() == [[0.5, 2.0, 1.0, 0.0]]


@given(st.integers(0, 2**31))
def test_all_norms_are_equal_and_the_score_is_the_old_one_with_the_boost(seed):
    vectors, boost, queries = drawn(seed)
    made, asked = with_boost(vectors, boost), boosted_queries(queries)
    norms = np.linalg.norm(made, axis=1)
    assert norms == pytest.approx(norms.max(), rel=1e-5)
    assert asked @ made.T == pytest.approx(queries @ vectors.T + boost, abs=1e-4)


def test_inner_product_euclidean_distance_and_cosine_give_one_order():
    vectors, boost, queries = drawn(1)
    made, asked = with_boost(vectors, boost).astype(np.float64), boosted_queries(queries).astype(np.float64)
    inner = asked @ made.T
    distance = np.linalg.norm(asked[:, None] - made[None], axis=2)
    cosine = inner / np.linalg.norm(made, axis=1) / np.linalg.norm(asked, axis=1, keepdims=True)
    order = np.argsort(-inner, axis=1)
    assert not np.array_equal(order, np.argsort(-(queries @ vectors.T), axis=1)), "the boost must change something"
    assert np.array_equal(order, np.argsort(distance, axis=1))
    assert np.array_equal(order, np.argsort(-cosine, axis=1))


def test_another_boost_changes_two_dimensions_alone():
    vectors, boost, _ = drawn(2)
    first, second = with_boost(vectors, boost), with_boost(vectors, -2 * boost)
    assert np.array_equal(first[:, :-2], second[:, :-2])
    assert np.array_equal(first[:, :-2], vectors)
    assert not np.array_equal(first[:, -2:], second[:, -2:])


def test_a_graph_finds_boosted_products():
    vectors, boost, queries = drawn(3, products=500)
    made, asked = with_boost(vectors, boost), boosted_queries(queries)
    found = HnswIndex.build(made, ef_search=200, build_threads=1).search(asked, k=5).product_index
    assert np.mean(found == np.argsort(-(asked @ made.T), axis=1)[:, :5]) > 0.95


def test_the_parts_with_the_boost_add_up():
    vectors, boost, queries = drawn(4, products=20)
    made, asked = with_boost(vectors, boost), boosted_queries(queries)

    def halves(q, p):
        assert q.shape == p.shape == (20, 8)
        return {"words": (q * p)[:, :4].sum(1), "rest": (q * p)[:, 4:].sum(1)}

    parts = split_boosted(halves)(asked, made)
    assert list(parts) == ["words", "rest", BOOST_PART]
    assert sum(parts.values()) == pytest.approx((asked * made).sum(1), abs=1e-5)
    assert parts[BOOST_PART] == pytest.approx(boost, abs=1e-6)


def test_a_boost_of_other_products_is_refused():
    vectors, boost, _ = drawn(5)
    with pytest.raises(ShapeError, match="one finite boost per product"):
        with_boost(vectors, boost[:-1])
    boost[3] = np.nan
    with pytest.raises(ShapeError, match="finite=199"):
        with_boost(vectors, boost)


def test_no_products_are_no_vectors():
    assert with_boost(np.empty((0, 4), np.float32), np.empty(0, np.float32)).shape == (0, 6)
