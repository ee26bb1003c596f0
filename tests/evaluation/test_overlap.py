import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import Ranking
from aisle.evaluation import overlap


def rank(rows) -> Ranking:
    products = np.array(rows, dtype=np.int64)
    return Ranking(products, np.zeros(products.shape, dtype=np.float32))


def test_share_of_the_first_that_the_second_shows_too():
    first, second = rank([[1, 2, 3, 4], [1, 2, 3, 4]]), rank([[4, 3, 9, 1], [5, 6, 7, 8]])
    assert overlap(first, second, k=4).tolist() == [0.75, 0.0]
    assert overlap(first, second, k=2).tolist() == [0.0, 0.0]


def test_empty_places_are_not_shared():
    first, second = rank([[1, -1], [-1, -1]]), rank([[1, -1], [2, -1]])
    np.testing.assert_array_equal(overlap(first, second), [1.0, np.nan])
    np.testing.assert_array_equal(overlap(second, first), [1.0, 0.0])


@given(st.integers(0, 10_000))
def test_agrees_with_sets(seed):
    rng = np.random.default_rng(seed)
    rows = [np.stack([rng.permutation(12)[:6] for _ in range(3)]) for _ in range(2)]
    k = int(rng.integers(1, 8))
    expected = [len(set(a[:k]) & set(b[:k])) / len(a[:k]) for a, b in zip(*rows, strict=True)]
    np.testing.assert_allclose(overlap(rank(rows[0]), rank(rows[1]), k=k), expected)


def test_other_queries_and_no_places_are_refused():
    with pytest.raises(ShapeError, match="same queries"):
        overlap(rank([[1]]), rank([[1], [2]]))
    with pytest.raises(UsageError, match="k must be at least 1"):
        overlap(rank([[1]]), rank([[1]]), k=0)
