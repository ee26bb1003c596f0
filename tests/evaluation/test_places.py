import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ShapeError
from aisle.core.ranking import Ranking
from aisle.evaluation import NOT_FOUND, places_of
from aisle.measures import Qrels


def rank(rows) -> Ranking:
    return Ranking(np.array(rows, np.int64), np.zeros(np.shape(rows), np.float32))


def test_places_by_eye(qrels):
    # Lamp: products 0 and 1 are judged; dress: 2; phone: 3.
    places = places_of(rank([[5, 1, 0], [4, -1, -1], [3, 2, -1]]), qrels)
    assert places.tolist() == [3, 2, NOT_FOUND, 1]


def test_nothing_judged_and_nothing_retrieved(qrels):
    assert places_of(rank(np.empty((3, 0))), qrels).tolist() == [NOT_FOUND] * 4
    assert places_of(rank([[1]]), Qrels(np.array([0, 0]), np.array([], np.int64), np.array([]))).tolist() == []


@given(st.integers(0, 2**32 - 1))
def test_agrees_with_looking_each_one_up(seed):
    rng = np.random.default_rng(seed)
    rows = np.stack([rng.permutation(20)[:8] for _ in range(4)])
    rows[rng.random(rows.shape) < 0.2] = -1
    query, product = np.nonzero(rng.random((4, 25)) < 0.3)
    qrels = Qrels.from_triples(query_index=query, product_index=product, grade=np.ones(len(query)), num_queries=4)
    expected = [
        rows[q].tolist().index(p) + 1 if p in rows[q] else NOT_FOUND
        for q, p in zip(qrels.query_index, qrels.product_index, strict=True)
    ]
    assert places_of(rank(rows), qrels).tolist() == expected


def test_another_number_of_queries_is_refused(qrels):
    with pytest.raises(ShapeError, match=r"one row per judged query\. Received: rows=1, queries=3"):
        places_of(rank([[1]]), qrels)
