import numpy as np

from aisle.towers.sharing import ALONE


def test_one_process_has_all_the_work():
    assert ["a", "b", "c"][ALONE.own] == ["a", "b", "c"]
    vectors = np.ones((2, 3))
    assert ALONE.whole(vectors) is vectors
