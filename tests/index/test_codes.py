import faiss
import numpy as np

from aisle.index.codes import code_bytes, learn_codes, num_codes, padded, padded_dim, training_rows


def test_two_dimensions_share_a_code_and_zeros_fill_the_last():
    assert [num_codes(dim) for dim in (1, 2, 3, 256)] == [1, 1, 2, 128]
    assert [padded_dim(dim) for dim in (1, 2, 3, 256)] == [2, 2, 4, 256]
    assert padded(np.ones((2, 3), np.float32)).tolist() == [[1, 1, 1, 0]] * 2
    even = np.ones((2, 4), np.float32)
    assert padded(even) is even


def test_codes_are_learnt_from_rows_at_equal_distances():
    vectors = np.arange(40, dtype=np.float32)[:, None]
    assert training_rows(vectors, most=16).ravel()[[0, 5, 15]].tolist() == [0, 13, 39]
    assert training_rows(vectors) is vectors
    assert np.unique(training_rows(vectors[:3])).tolist() == [0, 1, 2]
    assert len(training_rows(vectors[:3])) == 16


def test_codes_are_learnt_by_one_thread_and_without_a_word(vectors, capfd):
    index = faiss.IndexPQ(32, 16, 4, faiss.METRIC_INNER_PRODUCT)
    before = faiss.omp_get_max_threads()
    learn_codes(index, index.pq, vectors[:20])
    assert index.is_trained
    index.add(vectors[:20])
    assert np.abs(index.reconstruct_n(0, 20) - vectors[:20]).max() < 0.3
    assert faiss.omp_get_max_threads() == before
    assert capfd.readouterr() == ("", "")


def test_the_bytes_of_a_quantiser_are_those_of_its_values():
    assert code_bytes(faiss.ProductQuantizer(8, 4, 4)) == 4 * 16 * 8
