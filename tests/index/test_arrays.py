import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aisle.core.errors import ShapeError
from aisle.core.ranking import NO_PRODUCT
from aisle.index.arrays import checked_vectors, empty_ranking, ranking_of_found

LOWEST = np.finfo(np.float32).min


def test_good_vectors_are_not_copied():
    vectors = np.ones((3, 2), np.float32)
    assert checked_vectors(vectors, name="vectors") is vectors


def test_a_value_too_large_for_float32_is_refused():
    with pytest.raises(ShapeError, match="finite"):
        checked_vectors(np.array([[1e300]]), name="vectors")


def test_empty_places_and_ties_by_hand():
    score = np.array([[2, 1, 1, LOWEST]], np.float32)
    ranking = ranking_of_found(score, np.array([[5, 9, 3, -1]]), k=5)
    assert ranking.product_index.tolist() == [[5, 3, 9, NO_PRODUCT, NO_PRODUCT]]
    assert ranking.score.tolist() == [[2, 1, 1, -np.inf, -np.inf]]


def test_an_empty_ranking_holds_no_product():
    ranking = empty_ranking(2, 3)
    assert (ranking.product_index == NO_PRODUCT).all()
    assert (ranking.score == -np.inf).all()


@given(hnp.arrays(np.float32, (4, 6), elements=st.integers(-2, 2).map(float)), st.randoms())
@settings(deadline=None)
def test_ranking_keeps_every_pair_and_sorts_ties(score, random):
    score = -np.sort(-score, axis=1)
    index = np.array([random.sample(range(20), 6) for _ in range(4)])
    ranking = ranking_of_found(score.copy(), index.copy(), k=6)
    for row in range(4):
        expected = sorted(zip(-score[row], index[row], strict=True))
        assert list(zip(-ranking.score[row], ranking.product_index[row], strict=True)) == expected
