import faiss
import numpy as np
import pytest

from aisle.core.errors import ConfigError
from aisle.core.ranking import NO_PRODUCT
from aisle.index import ExactIndex, HnswConfig, HnswIndex, ann_recall


@pytest.mark.parametrize("storage", ["fp16", "sq8"])
def test_finds_nearly_all_of_the_exact_answer(storage, vectors, queries):
    index = HnswIndex.build(vectors, storage=storage)
    exact = ExactIndex.build(vectors)
    found, wanted = index.search(queries, k=50), exact.search(queries, k=50)
    overlap = [len(set(a) & set(b)) for a, b in zip(found.product_index, wanted.product_index, strict=True)]
    assert np.mean(overlap) / 50 >= 0.95
    np.testing.assert_allclose(found.score[:, 0], wanted.score[:, 0], atol=0.02)


def test_more_places_than_ef_search_are_filled(vectors, queries):
    index = HnswIndex.build(vectors, ef_search=4)
    ranking = index.search(queries, k=500)
    assert (ranking.product_index != NO_PRODUCT).all()
    assert ann_recall(index, ExactIndex.build(vectors), queries, k=500) >= 0.95


def test_a_larger_ef_search_finds_more(vectors, queries):
    exact = ExactIndex.build(vectors)
    settings = {"num_links": 4, "ef_construction": 16, "build_threads": 1}
    low, high = (
        ann_recall(HnswIndex.build(vectors, ef_search=ef, **settings), exact, queries, k=10) for ef in (10, 400)
    )
    assert low < high


def test_sq8_takes_half_the_bytes_of_fp16_per_vector(vectors):
    fp16, sq8 = (HnswIndex.build(vectors, storage=storage).num_bytes for storage in ("fp16", "sq8"))
    assert fp16 - sq8 == vectors.size


def test_one_thread_builds_the_same_graph_every_time(vectors, queries):
    first, second = (HnswIndex.build(vectors, build_threads=1).search(queries, k=100) for _ in range(2))
    np.testing.assert_array_equal(first.product_index, second.product_index)
    np.testing.assert_array_equal(first.score, second.score)


def test_building_leaves_the_number_of_threads_as_it_was(vectors):
    before = faiss.omp_get_max_threads()
    HnswIndex.build(vectors[:100], build_threads=1)
    assert faiss.omp_get_max_threads() == before


def test_parameters_are_those_it_was_built_with(vectors):
    index = HnswIndex.build(vectors[:10], storage="sq8", num_links=8, ef_construction=50, ef_search=60)
    assert index.parameters == {"storage": "sq8", "num_links": 8, "ef_construction": 50, "ef_search": 60}


def test_defaults_are_those_of_the_config():
    config = HnswConfig()
    parameters = HnswIndex.build(np.eye(2, dtype=np.float32)).parameters
    assert parameters == {name: getattr(config, name) for name in parameters}


@pytest.mark.parametrize("storage", ["fp16", "sq8"])
@pytest.mark.parametrize("num_products", [0, 1, 2000])
def test_save_then_load_gives_the_same_rankings(tmp_path, vectors, queries, storage, num_products):
    index = HnswIndex.build(vectors[:num_products], storage=storage, ef_search=77)
    index.save(tmp_path)
    loaded = HnswIndex.load(tmp_path)
    expected, found = index.search(queries, k=20), loaded.search(queries, k=20)
    np.testing.assert_array_equal(found.product_index, expected.product_index)
    np.testing.assert_array_equal(found.score, expected.score)
    assert loaded.parameters == index.parameters


@pytest.mark.parametrize("wild", [1.0, 1e-6, 1e6])
def test_vectors_of_very_different_lengths_do_not_crash(wild, vectors, queries):
    length = np.random.default_rng(0).uniform(0, wild, (len(vectors), 1)).astype(np.float32)
    index = HnswIndex.build(np.vstack([vectors * length, np.zeros((5, 32), np.float32)]))
    assert (index.search(queries, k=5).product_index != NO_PRODUCT).all()


def test_all_bad_parameters_are_told_at_once(vectors):
    with pytest.raises(ConfigError, match=r"storage='pq' is none of fp16, sq8.*num_links=1 is too small.*ef_search=0"):
        HnswIndex.build(vectors, storage="pq", num_links=1, ef_search=0)
