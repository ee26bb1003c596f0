import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ShapeError
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.evaluation import OnSale
from aisle.tables.schema import TIME


def ranking(rows):
    index = np.array(rows, np.int64)
    score = np.where(index == NO_PRODUCT, -np.inf, -np.arange(index.shape[1], dtype=np.float32))
    return Ranking(index, score.astype(np.float32))


def lifetimes(created, removed):
    return OnSale.of_products(pa.table({"created_at": pa.array(created, TIME), "removed_at": pa.array(removed, TIME)}))


def test_what_is_not_on_sale_makes_room():
    on_sale = lifetimes([None, 10, None], [None, None, 20])
    kept = on_sale.keep(ranking([[2, 1, 0], [2, 1, 0], [2, 1, 0]]), np.array([5, 15, 25]))
    assert kept.product_index.tolist() == [[2, 0, NO_PRODUCT], [2, 1, 0], [1, 0, NO_PRODUCT]]
    assert kept.score.tolist() == [[0, -2, -np.inf], [0, -1, -2], [-1, -2, -np.inf]]


def test_the_first_microsecond_counts_and_the_last_does_not():
    on_sale = lifetimes([10], [20])
    kept = on_sale.keep(ranking([[0]] * 4), np.array([9, 10, 19, 20]))
    assert kept.product_index.ravel().tolist() == [NO_PRODUCT, 0, 0, NO_PRODUCT]


def test_products_without_times_are_always_there():
    on_sale = OnSale.of_products(pa.table({"product_id": ["a", "b"]}))
    rows = ranking([[1, 0, NO_PRODUCT]])
    kept = on_sale.keep(rows, np.array([0]))
    np.testing.assert_array_equal(kept.product_index, rows.product_index)
    np.testing.assert_array_equal(kept.score, rows.score)


def test_one_time_per_ranking():
    with pytest.raises(ShapeError, match=r"one time per ranking. Received: times=2, rankings=1"):
        lifetimes([None], [None]).keep(ranking([[0]]), np.array([1, 2]))


@given(st.data())
def test_agrees_with_a_slow_implementation(data):
    number = st.integers(0, 9)
    created, removed = (data.draw(st.lists(st.none() | number, min_size=6, max_size=6)) for _ in range(2))
    shown = data.draw(st.permutations(range(6)))
    at = data.draw(number)
    kept = lifetimes(created, removed).keep(ranking([shown]), np.array([at])).product_index[0]
    expected = [
        product
        for product in shown
        if (created[product] is None or created[product] <= at) and (removed[product] is None or at < removed[product])
    ]
    assert kept[kept != NO_PRODUCT].tolist() == expected


def test_products_on_sale_are_counted_and_told_apart():
    on_sale = OnSale(created_at=np.array([0, 10, 20]), removed_at=np.array([15, 99, 20]))
    at = np.array([-1, 0, 10, 15, 20, 99])
    assert on_sale.count(at).tolist() == [0, 1, 2, 1, 1, 0]
    index = np.tile([0, 1, 2, NO_PRODUCT], (len(at), 1))
    assert on_sale.is_candidate(index, at).sum(axis=1).tolist() == on_sale.count(at).tolist()
    assert on_sale.is_candidate(index, at)[2].tolist() == [True, True, False, False]
