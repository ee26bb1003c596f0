import faiss
import numpy as np
import pytest

from aisle.core.errors import ConfigError
from aisle.core.ranking import NO_PRODUCT
from aisle.index import ExactIndex, HnswPq4Config, HnswPq4Index, IvfPq4Config, IvfPq4Index, ann_recall
from aisle.index.reranked import (
    checked_settings,
    vector_store,
)

KINDS = {
    "ivf-pq4": (IvfPq4Index, {"products_per_list": 100, "num_probes": 8, "num_reranked": 100}),
    "hnsw-pq4": (HnswPq4Index, {"num_links": 16, "ef_search": 100, "build_threads": 1}),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def build(kind):
    of_kind, settings = KINDS[kind]
    return lambda vectors, **others: of_kind.build(vectors, **{**settings, **others})


def test_the_codes_alone_find_less_than_what_is_ranked_again(build, vectors, queries):
    index, exact = build(vectors), ExactIndex.build(vectors)
    _, first = index._first.search(queries, 10)
    wanted = exact.search(queries, k=10).product_index
    by_codes = np.mean([len(set(a) & set(b)) for a, b in zip(first, wanted, strict=True)]) / 10
    assert by_codes < 0.9 < ann_recall(index, exact, queries, k=10)


def test_scores_are_those_of_stored_vectors_not_of_codes(build, vectors, queries):
    ranking = build(vectors, storage="fp16").search(queries, k=3)
    exact = ExactIndex.build(vectors).scores(queries, ranking.product_index)
    np.testing.assert_allclose(ranking.score, exact, atol=2e-3)


def test_a_vector_of_an_odd_width_is_searched_and_given_back(build):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((500, 7)).astype(np.float32)
    index = build(vectors)
    assert index.dim == 7
    assert ann_recall(index, ExactIndex.build(vectors), vectors[:20], k=5) >= 0.9
    np.testing.assert_allclose(index.vectors(np.array([3, 499])), vectors[[3, 499]], atol=0.05)


def test_all_products_are_ranked_where_all_are_candidates(build, vectors, queries):
    index, exact = build(vectors[:200]), ExactIndex.build(vectors[:200])
    assert ann_recall(index, exact, queries, k=100) >= 0.99
    ranking = index.search(queries, k=200)
    assert np.sort(ranking.product_index, axis=1).tolist() == [list(range(200))] * len(queries)


def test_places_that_the_codes_leave_empty_are_filled(build):
    # Nineteen of twenty products are one and the same vector, which no list and no graph tells apart.
    vectors = np.ones((1000, 8), np.float32)
    vectors[::20] = np.random.default_rng(0).standard_normal((50, 8))
    ranking = build(vectors).search(-np.ones((2, 8), np.float32), k=300)
    assert (ranking.product_index != NO_PRODUCT).all()
    assert (np.diff(ranking.score, axis=1) <= 0).all()


@pytest.mark.parametrize("num_products", [1, 2, 15, 17, 40])
def test_a_catalogue_too_small_to_learn_codes_from_is_searched_exactly(build, vectors, queries, num_products, capfd):
    index, exact = build(vectors[:num_products]), ExactIndex.build(vectors[:num_products])
    assert ann_recall(index, exact, queries, k=3) >= 0.98
    assert "WARNING" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("storage", ["fp16", "sq8"])
@pytest.mark.parametrize("num_products", [0, 1, 2000])
def test_save_then_load_gives_the_same_rankings(tmp_path, build, vectors, queries, storage, num_products):
    index = build(vectors[:num_products], storage=storage)
    index.save(tmp_path)
    loaded = type(index).load(tmp_path)
    expected, found = index.search(queries, k=20), loaded.search(queries, k=20)
    np.testing.assert_array_equal(found.product_index, expected.product_index)
    np.testing.assert_array_equal(found.score, expected.score)
    assert (loaded.parameters, loaded.num_bytes, loaded.dim) == (index.parameters, index.num_bytes, 32)


def test_memory_is_that_of_codes_and_stored_vectors(build, vectors):
    fp16, sq8 = (build(vectors, storage=storage).num_bytes for storage in ("fp16", "sq8"))
    assert fp16 - sq8 == vectors.size
    assert sq8 > len(vectors) * (32 + 32 // 4)


def test_memory_is_about_the_size_of_the_file(tmp_path, build, vectors):
    index = build(vectors)
    index.save(tmp_path)
    assert index.num_bytes == pytest.approx((tmp_path / "index.faiss").stat().st_size, rel=0.05)


def test_what_is_searched_by_is_changed_without_touching_the_first(kind, build, vectors, queries):
    narrow = {"ivf-pq4": {"num_probes": 1, "num_reranked": 10}, "hnsw-pq4": {"ef_search": 10}}[kind]
    index, exact = build(vectors), ExactIndex.build(vectors)
    before = ann_recall(index, exact, queries, k=10)
    other = index.with_search(**narrow)
    assert ann_recall(other, exact, queries, k=10) < before == ann_recall(index, exact, queries, k=10)
    assert other.parameters == {**index.parameters, **narrow}
    with pytest.raises(ConfigError, match="greater than or equal to 1"):
        index.with_search(**dict.fromkeys(narrow, 0))


def test_settings_are_checked_whole():
    assert checked_settings(IvfPq4Config, {"num_probes": 3})["num_probes"] == 3
    with pytest.raises(ConfigError, match=r"num_links.*storage|storage.*num_links"):
        checked_settings(HnswPq4Config, {"storage": "float", "num_links": 1})


def test_a_vector_store_rounds_and_is_empty():
    vectors = np.array([[0.0], [1.0]], np.float32)
    store = vector_store(vectors, "sq8")
    assert (store.ntotal, store.metric_type, store.is_trained) == (0, faiss.METRIC_INNER_PRODUCT, True)
    store.add(np.array([[0.5]], np.float32))
    assert store.reconstruct(0)[0] == pytest.approx(0.5, abs=1 / 255)
