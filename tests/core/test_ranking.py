import numpy as np
import pytest

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import MAX_K, PastEvents, QueryBatch, Ranking, Retriever, check_k


def test_a_ranking_tells_its_places():
    ranking = Ranking(np.zeros((2, 3), np.int64), np.zeros((2, 3), np.float32))
    assert ranking.k == 3


@pytest.mark.parametrize(("products", "scores"), [((2, 3), (3, 2)), ((3,), (3,)), ((2, 3), (2, 2))])
def test_arrays_that_do_not_fit_are_refused(products, scores):
    with pytest.raises(ShapeError, match=r"both be \[queries, k\]\. Received: product_index=\("):
        Ranking(np.zeros(products, np.int64), np.zeros(scores, np.float32))


def test_rankings_compare_by_identity_and_not_entry_by_entry():
    first, second = (Ranking(np.zeros((1, 2), np.int64), np.zeros((1, 2), np.float32)) for _ in range(2))
    assert first == first
    assert first != second
    assert len({first, second}) == 2


def test_a_batch_is_as_long_as_its_texts():
    assert len(QueryBatch(["a", "b"])) == 2
    assert len(QueryBatch([])) == 0


def test_a_retriever_is_known_by_what_it_offers():
    class Fixed:
        name = "fixed"

        def retrieve(self, queries: QueryBatch, *, k: int) -> Ranking:
            return Ranking(np.zeros((len(queries), k), np.int64), np.zeros((len(queries), k), np.float32))

    assert isinstance(Fixed(), Retriever)
    assert not isinstance(object(), Retriever)


def test_k_within_its_bounds_passes():
    for k, most in ((1, None), (10**6, None), (MAX_K, MAX_K)):
        check_k(k, most=most)


@pytest.mark.parametrize(
    ("k", "most", "message"),
    [
        (0, None, r"k must be at least 1\. Received: k=0"),
        (-5, None, r"k must be at least 1\. Received: k=-5"),
        (0, 10, r"k must be between 1 and 10\. Received: k=0"),
        (11, 10, r"k must be between 1 and 10\. Received: k=11"),
    ],
)
def test_k_outside_its_bounds_is_refused(k, most, message):
    with pytest.raises(UsageError, match=message):
        check_k(k, most=most)


def test_a_cut_batch_keeps_each_searchs_own_past():
    past = PastEvents(
        np.array([0, 2, 2, 3]), ["a", None, "b"], np.array([4, 5, 6]), np.array([2, 2, 4]), np.ones(3, np.float32)
    )
    batch = QueryBatch(["x", "y", "z"], ["DE", None, "FR"], past)
    cut = batch.between(1, 9)
    assert batch.is_personal
    assert not QueryBatch(["x"]).is_personal
    assert (cut.texts, cut.locations) == (["y", "z"], [None, "FR"])
    assert (cut.past.offsets.tolist(), cut.past.queries, cut.past.product_index.tolist()) == ([0, 0, 1], ["b"], [6])
