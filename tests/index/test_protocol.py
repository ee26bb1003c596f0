import numpy as np
import pytest

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import NO_PRODUCT
from aisle.index import ExactIndex, HnswIndex, HnswPq4Index, IvfPq4Index, VectorIndex

KINDS = {
    "exact": ExactIndex.build,
    "hnsw fp16": HnswIndex.build,
    "hnsw sq8": lambda vectors: HnswIndex.build(vectors, storage="sq8"),
    "hnsw-pq4": HnswPq4Index.build,
    "hnsw-pq4 fp16": lambda vectors: HnswPq4Index.build(vectors, storage="fp16"),
    "ivf-pq4": IvfPq4Index.build,
    "ivf-pq4 fp16": lambda vectors: IvfPq4Index.build(vectors, storage="fp16"),
}


@pytest.fixture(params=KINDS)
def build(request):
    return KINDS[request.param]


def test_every_kind_follows_the_protocol(build, vectors):
    index = build(vectors)
    assert isinstance(index, VectorIndex)
    assert (index.dim, index.num_products) == (32, 2000)
    assert index.num_bytes >= 2000 * 32


def test_finds_the_product_that_points_where_the_query_points(build):
    index = build(np.eye(4, dtype=np.float32))
    ranking = index.search(np.array([[0, 0, 1, 0], [0.8, 0.6, 0, 0]], np.float32), k=2)
    assert ranking.product_index[0, 0] == 2
    assert ranking.product_index[1].tolist() == [0, 1]
    np.testing.assert_allclose(ranking.score[1], [0.8, 0.6], atol=0.01)
    assert (ranking.product_index.dtype, ranking.score.dtype) == (np.int64, np.float32)


def test_ranks_by_inner_product_where_distance_would_rank_otherwise(build):
    # By L2 the short vector is the nearest; by inner product the long one is the best.
    index = build(np.array([[1, 0], [10, 10], [0.9, 0.1]], np.float32))
    ranking = index.search(np.array([[1, 0]], np.float32), k=3)
    assert ranking.product_index[0].tolist() == [1, 0, 2]
    np.testing.assert_allclose(ranking.score[0], [10, 1, 0.9], rtol=0.05)


def test_finds_the_best_inner_products_among_vectors_of_many_lengths(build, vectors, queries):
    scaled = vectors * np.random.default_rng(0).uniform(0.5, 2, (len(vectors), 1)).astype(np.float32)
    by_product, by_distance = (np.argsort(-score, axis=1)[:, :10] for score in (
        queries @ scaled.T, 2 * queries @ scaled.T - (scaled**2).sum(axis=1)
    ))  # fmt: skip
    found = build(scaled).search(queries, k=10).product_index

    def share(wanted):
        return np.mean([len(set(a) & set(b)) for a, b in zip(found, wanted, strict=True)]) / 10

    assert share(by_product) >= 0.9
    assert share(by_distance) < 0.6


def test_places_beyond_the_catalogue_are_empty(build):
    ranking = build(np.eye(3, dtype=np.float32)).search(np.ones((2, 3), np.float32), k=5)
    assert (ranking.product_index[:, 3:] == NO_PRODUCT).all()
    assert (ranking.score[:, 3:] == -np.inf).all()
    assert np.sort(ranking.product_index[:, :3]).tolist() == [[0, 1, 2], [0, 1, 2]]


def test_ties_stand_in_the_order_of_product_index(build):
    ranking = build(np.ones((6, 2), np.float32)).search(np.ones((1, 2), np.float32), k=6)
    assert ranking.product_index[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_an_empty_index_and_an_empty_batch_give_empty_rankings(build):
    ranking = build(np.empty((0, 4), np.float32)).search(np.ones((2, 4), np.float32), k=3)
    assert (ranking.product_index == NO_PRODUCT).all()
    assert (ranking.score == -np.inf).all()
    assert build(np.eye(4, dtype=np.float32)).search(np.empty((0, 4), np.float32), k=3).score.shape == (0, 3)


def test_permuting_queries_permutes_rankings(build, vectors, queries):
    index = build(vectors)
    order = np.random.default_rng(0).permutation(len(queries))
    straight, permuted = index.search(queries, k=10), index.search(queries[order], k=10)
    np.testing.assert_array_equal(permuted.product_index, straight.product_index[order])
    np.testing.assert_allclose(permuted.score, straight.score[order], rtol=1e-6)


def test_vectors_of_other_floating_types_are_searched(build):
    ranking = build(np.eye(3, dtype=np.float16)).search(np.array([[0.0, 1.0, 0.0]]), k=1)
    assert ranking.product_index.tolist() == [[1]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(build, value):
    vectors = np.eye(3, dtype=np.float32)
    bad = vectors.copy()
    bad[1, 2] = value
    with pytest.raises(ShapeError, match=r"vectors must hold finite numbers only\. Received: bad_rows=1, first=1"):
        build(bad)
    with pytest.raises(ShapeError, match="queries must hold finite numbers"):
        build(vectors).search(bad, k=1)


def test_other_widths_and_ks_are_refused(build):
    index = build(np.eye(3, dtype=np.float32))
    with pytest.raises(ShapeError, match=r"shape \[rows, 3\]. Received: shape=\(1, 4\)"):
        index.search(np.ones((1, 4), np.float32), k=1)
    with pytest.raises(ShapeError, match="queries must be floating-point"):
        index.search(np.ones(3, np.float32), k=1)
    with pytest.raises(ShapeError, match="vectors must be floating-point"):
        build(np.eye(3, dtype=np.int64))
    with pytest.raises(ShapeError, match="vectors must be floating-point"):
        build(np.empty((3, 0), np.float32))
    with pytest.raises(UsageError, match="k must be at least 1"):
        index.search(np.ones((1, 3), np.float32), k=0)


def test_the_vectors_as_they_are_stored_give_the_scores(build, vectors, queries):
    index = build(vectors)
    ranking = index.search(queries, k=5)
    stored = index.vectors(ranking.product_index.ravel()).reshape(len(queries), 5, index.dim)
    assert stored.dtype == np.float32
    np.testing.assert_allclose(np.einsum("qd,qkd->qk", queries, stored), ranking.score, atol=1e-5)
    np.testing.assert_allclose(index.vectors(np.array([7, 3])), vectors[[7, 3]], atol=0.05)
    assert index.vectors(np.empty(0, np.int64)).shape == (0, index.dim)
