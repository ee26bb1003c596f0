import numpy as np
import pytest

from aisle.core.errors import ConfigError
from aisle.index import ExactIndex, IvfPq4Config, IvfPq4Index, ann_recall


def test_finds_nearly_all_of_the_exact_answer(vectors, queries):
    index = IvfPq4Index.build(vectors, products_per_list=100, num_probes=10)
    assert ann_recall(index, ExactIndex.build(vectors), queries, k=50) >= 0.97


def test_a_catalogue_is_cut_into_lists_of_about_the_size_asked_for(vectors):
    for size, num_lists in ((100, 20), (300, 6), (2000, 1), (5000, 1)):
        assert IvfPq4Index.build(vectors, products_per_list=size)._first.nlist == num_lists


def test_more_lists_and_more_candidates_find_more(vectors, queries):
    index, exact = IvfPq4Index.build(vectors, products_per_list=50), ExactIndex.build(vectors)

    def found(num_probes, num_reranked):
        return ann_recall(index.with_search(num_probes=num_probes, num_reranked=num_reranked), exact, queries, k=10)

    assert found(1, 200) < found(40, 200)
    assert found(40, 20) < found(40, 200)


def test_a_search_for_many_re_ranks_twice_as_many(vectors, queries):
    index = IvfPq4Index.build(vectors, products_per_list=100, num_probes=20, num_reranked=1)
    assert ann_recall(index, ExactIndex.build(vectors), queries, k=500) >= 0.97


def test_few_lists_fill_a_search_for_more_than_they_hold(vectors, queries):
    index = IvfPq4Index.build(vectors, products_per_list=50, num_probes=1, num_reranked=1)
    assert ann_recall(index, ExactIndex.build(vectors), queries, k=900) >= 0.97


def test_defaults_are_those_of_the_config():
    config = IvfPq4Config()
    parameters = IvfPq4Index.build(np.eye(2, dtype=np.float32)).parameters
    assert parameters == {name: getattr(config, name) for name in parameters}
    assert parameters.keys() == {"storage", "products_per_list", "num_probes", "num_reranked"}


def test_an_index_is_a_third_of_its_vectors(vectors):
    assert IvfPq4Index.build(np.tile(vectors, (2, 8))).num_bytes < 4000 * 256 * 4 / 2.8


def test_all_bad_parameters_are_told_at_once(vectors):
    with pytest.raises(ConfigError, match=r"storage.*products_per_list.*num_probes.*num_reranked"):
        IvfPq4Index.build(vectors, storage="pq", products_per_list=0, num_probes=0, num_reranked=0)
