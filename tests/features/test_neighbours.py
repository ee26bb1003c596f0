import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.ragged import offsets_of
from aisle.features import Neighbours

# Node 0 has two neighbours, node 1 none, node 2 three.
OFFSETS = np.array([0, 2, 2, 5])
INDEX = np.array([7, 8, 4, 5, 6])
WEIGHT = np.array([3, 1, 9, 2, 1], np.float32)


def test_the_heaviest_neighbours_of_each_row():
    found = Neighbours.from_edges(OFFSETS, INDEX, WEIGHT, rows=np.array([2, 0, 1]), most=2)
    assert found.index.tolist() == [[4, 5], [7, 8], [-1, -1]]
    assert found.weight.tolist() == [[9, 2], [3, 1], [0, 0]]


def test_a_node_that_the_graph_does_not_know_has_none():
    found = Neighbours.from_edges(OFFSETS, INDEX, WEIGHT, rows=np.array([-1, 3, 99]), most=2)
    assert (found.index == -1).all()


def test_an_empty_graph_and_no_rows():
    nothing = np.empty(0, np.int64), np.empty(0, np.float32)
    assert len(Neighbours.from_edges(np.zeros(1, np.int64), *nothing, rows=np.array([0, 1]), most=3)) == 2
    assert Neighbours.from_edges(OFFSETS, INDEX, WEIGHT, rows=np.empty(0, np.int64), most=3).index.shape == (0, 3)


@given(st.lists(st.lists(st.integers(0, 50), max_size=6), min_size=1, max_size=6), st.integers(1, 5), st.data())
def test_agrees_with_lists(lists, most, data):
    node = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    flat = np.array([item for one in lists for item in one], np.int64)
    rows = np.array(data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=8)), np.int64)
    found = Neighbours.from_edges(offsets_of(node, len(lists)), flat, flat.astype(np.float32), rows=rows, most=most)
    for row, index in zip(rows, found.index, strict=True):
        assert index[index >= 0].tolist() == lists[row][:most]


def test_rows_are_taken_in_order():
    found = Neighbours(np.array([[1], [2], [3]]), np.array([[1.0], [2.0], [3.0]])).take(np.array([2, 0]))
    assert (found.index.tolist(), found.weight.tolist(), len(found)) == ([[3], [1]], [[3], [1]], 2)
