import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import WorkspaceError
from aisle.core.ranking import NO_PRODUCT
from aisle.index import ExactIndex, HnswIndex


@given(st.integers(1, 60), st.integers(1, 30), st.integers(1, 70), st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_agrees_with_numpy(num_products, num_queries, k, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((num_products, 8)).astype(np.float32)
    queries = rng.standard_normal((num_queries, 8)).astype(np.float32)
    ranking = ExactIndex.build(vectors).search(queries, k=k)
    scores = queries @ vectors.T
    best = -np.sort(-scores, axis=1)[:, :k]
    found = ranking.product_index[:, : best.shape[1]]
    # Scores, not indices: two sums of the same numbers may order a near tie differently.
    np.testing.assert_allclose(ranking.score[:, : best.shape[1]], best, atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(scores, found, axis=1), best, atol=1e-5)
    assert (np.diff(np.sort(found, axis=1), axis=1) > 0).all()
    assert (ranking.product_index[:, best.shape[1] :] == NO_PRODUCT).all()


def test_scores_are_inner_products_of_the_named_products():
    index = ExactIndex.build(np.array([[1, 2], [3, 4]], np.float32))
    scores = index.scores(np.array([[1, 0], [0, 1]], np.float32), np.array([[1, 0], [0, NO_PRODUCT]]))
    assert scores.tolist() == [[3, 1], [2, -np.inf]]


def test_save_then_load_gives_the_same_rankings(tmp_path, vectors, queries):
    index = ExactIndex.build(vectors)
    index.save(tmp_path / "new" / "index")
    loaded = ExactIndex.load(tmp_path / "new" / "index")
    expected, found = index.search(queries, k=7), loaded.search(queries, k=7)
    np.testing.assert_array_equal(found.product_index, expected.product_index)
    np.testing.assert_array_equal(found.score, expected.score)


def test_an_index_of_another_kind_is_refused(tmp_path, vectors):
    HnswIndex.build(vectors[:10]).save(tmp_path)
    with pytest.raises(WorkspaceError, match=r"must hold an index of kind exact.*kind='hnsw'"):
        ExactIndex.load(tmp_path)
