import faiss
import numpy as np
import pytest

from aisle.core.errors import ConfigError
from aisle.index import ExactIndex, HnswPq4Config, HnswPq4Index, ann_recall


def test_finds_nearly_all_of_the_exact_answer(vectors, queries):
    index = HnswPq4Index.build(vectors, build_threads=1)
    assert ann_recall(index, ExactIndex.build(vectors), queries, k=50) >= 0.97


def test_the_graph_is_better_than_one_that_is_linked_by_codes(vectors, queries):
    # What Faiss builds by itself links by the L2 distance of codes, and turns its sign for an inner product.
    by_codes = faiss.IndexHNSWPQ(32, 16, 16, 4, faiss.METRIC_INNER_PRODUCT)
    by_codes.train(vectors)
    by_codes.add(vectors)
    index = HnswPq4Index.build(vectors, num_links=16, build_threads=1)
    exact = ExactIndex.build(vectors).search(queries, k=10).product_index
    searched = faiss.SearchParametersHNSW(efSearch=50)
    hits = [
        np.mean([len(set(a) & set(b)) for a, b in zip(one.search(queries, 50, params=searched)[1], exact, strict=True)])
        for one in (by_codes, index._first)
    ]
    assert hits[1] > hits[0] + 1


def test_a_larger_ef_search_finds_more(vectors, queries):
    index = HnswPq4Index.build(vectors, num_links=4, ef_construction=16, build_threads=1)
    exact = ExactIndex.build(vectors)
    low, high = (ann_recall(index.with_search(ef_search=ef), exact, queries, k=10) for ef in (20, 400))
    assert low < high


def test_one_thread_builds_the_same_index_every_time(vectors, queries):
    first, second = (HnswPq4Index.build(vectors[:500], build_threads=1).search(queries, k=100) for _ in range(2))
    np.testing.assert_array_equal(first.product_index, second.product_index)
    np.testing.assert_array_equal(first.score, second.score)


def test_building_leaves_the_number_of_threads_as_it_was(vectors):
    before = faiss.omp_get_max_threads()
    HnswPq4Index.build(vectors[:100], build_threads=1)
    assert faiss.omp_get_max_threads() == before


def test_defaults_are_those_of_the_config():
    config = HnswPq4Config()
    parameters = HnswPq4Index.build(np.eye(2, dtype=np.float32)).parameters
    assert parameters == {name: getattr(config, name) for name in parameters}
    assert parameters.keys() == {"storage", "num_links", "ef_construction", "ef_search"}


def test_all_bad_parameters_are_told_at_once(vectors):
    with pytest.raises(ConfigError, match=r"storage.*num_links.*ef_search.*build_threads"):
        HnswPq4Index.build(vectors, storage="pq", num_links=1, ef_search=0, build_threads=-1)
