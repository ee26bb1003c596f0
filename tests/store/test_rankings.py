import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import ShapeError
from aisle.core.ranking import NO_PRODUCT
from aisle.store.rankings import check_put, ranking_of_lists, read_only


def test_lists_become_a_ranking_with_ties_in_the_order_of_index():
    ranking = ranking_of_lists([([7, 3, 5], [2.0, 2.0, 1.0]), ([], [])], k=4)
    assert ranking.product_index.tolist() == [[3, 7, 5, NO_PRODUCT], [NO_PRODUCT] * 4]
    assert ranking.score[0, :3].tolist() == [2.0, 2.0, 1.0]
    assert np.isneginf(ranking.score[0, 3])
    assert ranking_of_lists([], k=2).product_index.shape == (0, 2)


def test_what_is_put_comes_back_as_float32():
    table = pa.table({"product_id": ["a"]})
    assert check_put(np.array([1]), table, np.ones((1, 2), np.float64), dim=2).dtype == np.float32
    with pytest.raises(ShapeError, match="distinct"):
        check_put(np.array([1, 1]), pa.table({"product_id": ["a", "b"]}), np.ones((2, 2), np.float32), dim=2)


def test_the_refusal_of_a_write_names_the_kind():
    assert "faiss" in str(read_only("faiss"))
