import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.index import ExactIndex, ann_recall


class Fixed:
    """An index that answers every batch with the same lists."""

    def __init__(self, product_index):
        self._product_index = np.array(product_index, np.int64)

    def search(self, queries, *, k):
        # Scores are invented: recall must not trust them.
        return Ranking(self._product_index[:, :k], np.full(self._product_index[:, :k].shape, 9.0, np.float32))


VECTORS = np.array([[4], [3], [2], [1]], np.float32)
QUERY = np.array([[1]], np.float32)


@pytest.mark.parametrize(
    ("found", "expected"),
    [([[0, 1]], 1.0), ([[1, 0]], 1.0), ([[0, 3]], 0.5), ([[3, 2]], 0.0), ([[0, NO_PRODUCT]], 0.5)],
)
def test_by_hand(found, expected):
    assert ann_recall(Fixed(found), ExactIndex.build(VECTORS), QUERY, k=2) == expected


def test_is_averaged_over_queries():
    queries = np.array([[1], [-1]], np.float32)
    assert ann_recall(Fixed([[0, 1], [0, 1]]), ExactIndex.build(VECTORS), queries, k=2) == 0.5


def test_a_product_that_ties_with_the_last_place_counts_as_found():
    exact = ExactIndex.build(np.array([[2], [1], [1], [1]], np.float32))
    assert ann_recall(Fixed([[0, 3]]), exact, QUERY, k=2) == 1.0


def test_ties_are_equal_up_to_rounding():
    exact = ExactIndex.build(np.array([[1], [np.nextafter(np.float32(1), np.float32(0))]], np.float32))
    assert ann_recall(Fixed([[1]]), exact, QUERY, k=1) == 1.0
    assert ann_recall(Fixed([[1]]), ExactIndex.build(np.array([[1], [0.999]], np.float32)), QUERY, k=1) == 0.0


def test_more_ties_than_places_do_not_lift_it_above_one():
    exact = ExactIndex.build(np.ones((4, 1), np.float32))
    assert ann_recall(Fixed([[0, 1, 2, 3]]), exact, QUERY, k=4) == 1.0


def test_where_nothing_can_be_found_nothing_is_missed():
    assert ann_recall(Fixed([[0]]), ExactIndex.build(VECTORS), np.empty((0, 1), np.float32), k=1) == 1.0
    assert ann_recall(Fixed([[-1]]), ExactIndex.build(np.empty((0, 1), np.float32)), QUERY, k=1) == 1.0


def test_k_beyond_the_catalogue_counts_the_catalogue():
    assert ann_recall(Fixed([[0, 1, 2, -1, -1]]), ExactIndex.build(VECTORS), QUERY, k=5) == 0.75


def test_exact_search_has_recall_one(vectors, queries):
    exact = ExactIndex.build(vectors)
    assert ann_recall(exact, exact, queries, k=100) == 1.0


def test_k_below_one_is_refused():
    with pytest.raises(UsageError, match="k must be at least 1"):
        ann_recall(Fixed([[0]]), ExactIndex.build(VECTORS), QUERY, k=0)
