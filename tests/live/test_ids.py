import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aisle.live.ids import LiveIds

IDS = st.text("abcde", min_size=1, max_size=3)


def test_new_ids_follow_the_base_in_the_order_in_which_they_came():
    ids = LiveIds(pa.chunked_array([["b"], ["a"]]))
    assert ids.claim(["x", "b", "y", "x"]).tolist() == [2, 0, 3, 2]
    assert ids.index_of(["y", "a", "z"]).tolist() == [3, 1, -1]
    assert (len(ids), ids.num_base) == (4, 2)


@given(st.lists(IDS, unique=True), st.lists(st.lists(IDS)))
def test_no_index_is_given_twice_and_parts_do_not_matter(base, calls):
    one, other = LiveIds(pa.array(base, pa.string())), LiveIds(pa.array(base, pa.string()))
    for call in calls:
        one.claim(call)
    every = [name for call in calls for name in call]
    other.claim(every)
    assert sorted(one.index_of(list({*base, *every})).tolist()) == list(range(len(one)))
    assert one.index_of(every).tolist() == other.index_of(every).tolist()
