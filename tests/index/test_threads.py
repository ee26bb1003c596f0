import faiss
import pytest

from aisle.index.threads import faiss_threads


def test_the_number_of_threads_is_put_back():
    before = faiss.omp_get_max_threads()
    with faiss_threads(3):
        assert faiss.omp_get_max_threads() == 3
        with faiss_threads(0):
            assert faiss.omp_get_max_threads() == 3
    assert faiss.omp_get_max_threads() == before
    with pytest.raises(KeyError), faiss_threads(2):
        raise KeyError
    assert faiss.omp_get_max_threads() == before
