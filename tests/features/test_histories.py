import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aisle.features import EventLog, Histories
from aisle.features.histories import NO_EVENT

LOG = EventLog(
    query_index=np.array([0, -1, 2, 3, 4]),
    product_index=np.array([10, 11, 12, 13, 14]),
    stage=np.array([1, 4, 1, 2, 3]),
    at_s=np.array([100, 200, 300, 400, 50]),
)


def test_the_last_events_before_the_search_with_their_age():
    found = Histories.from_log(LOG, np.array([0, 4]), np.array([4, 5]), searched_at_s=np.array([1000, 60]), most=3)
    assert found.query_index.tolist() == [[-1, 2, 3], [4, -1, -1]]
    assert found.product_index.tolist() == [[11, 12, 13], [14, -1, -1]]
    assert found.stage.tolist() == [[4, 1, 2], [3, NO_EVENT, NO_EVENT]]
    assert found.age_s.tolist() == [[800, 700, 600], [10, 0, 0]]


def test_an_empty_slice_is_an_unknown_actor():
    found = Histories.from_log(LOG, np.array([2, 0]), np.array([2, 0]), searched_at_s=np.array([9, 9]), most=2)
    assert (found.stage == NO_EVENT).all()
    assert len(found) == 2


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6), st.integers(1, 6))
def test_agrees_with_slices(bounds, most):
    begin = np.array([min(pair) for pair in bounds], np.int64)
    end = np.array([max(pair) for pair in bounds], np.int64)
    found = Histories.from_log(LOG, begin, end, searched_at_s=np.full(len(bounds), 1000), most=most)
    for row, (first, last) in enumerate(zip(begin, end, strict=True)):
        expected = LOG.product_index[first:last][-most:].tolist()
        assert found.product_index[row][found.stage[row] >= 0].tolist() == expected


def test_rows_are_taken_in_order():
    whole = Histories.from_log(LOG, np.array([0, 1, 2]), np.array([1, 2, 3]), searched_at_s=np.full(3, 500), most=1)
    found = whole.take(np.array([2, 0]))
    assert found.product_index.tolist() == [[12], [10]]
    assert found.age_s.tolist() == [[200], [400]]
