import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.ragged import expand_slices, group_ranks, offsets_of

SLICES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=12)
ITEMS = st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 2)), max_size=20)


def test_slices_one_after_another_the_empty_one_too():
    positions, offsets = expand_slices(np.array([5, 3, 0]), np.array([7, 3, 1]))
    assert positions.tolist() == [5, 6, 0]
    assert offsets.tolist() == [0, 2, 2, 3]


@given(SLICES)
def test_expand_slices_agrees_with_ranges(slices):
    begin = np.array([start for start, _ in slices], dtype=np.int64)
    end = begin + np.array([length for _, length in slices], dtype=np.int64)
    positions, offsets = expand_slices(begin, end)
    parts = np.split(positions, offsets[1:-1]) if len(slices) else []
    assert [part.tolist() for part in parts] == [list(range(*pair)) for pair in zip(begin, end, strict=True)]
    assert offsets[-1] == len(positions)


def test_offsets_of_rows_that_are_empty_at_both_ends():
    assert offsets_of(np.array([1, 1, 3]), 5).tolist() == [0, 0, 2, 2, 3, 3]
    assert offsets_of(np.array([], dtype=np.int64), 2).tolist() == [0, 0, 0]


@given(st.lists(st.integers(0, 6), max_size=20))
def test_offsets_count_the_items_of_each_row(rows):
    rows.sort()
    offsets = offsets_of(np.array(rows, dtype=np.int64), 7)
    assert np.diff(offsets).tolist() == [rows.count(row) for row in range(7)]


@given(ITEMS)
def test_group_ranks_agree_with_sorting_each_group(items):
    items.sort(key=lambda item: item[0])
    group, priority = (np.array([item[side] for item in items], dtype=np.int64) for side in (0, 1))
    expected = [
        sum((g, p, i) < (group[item], priority[item], item) for i, (g, p) in enumerate(items) if g == group[item])
        for item in range(len(items))
    ]
    assert group_ranks(group, priority).tolist() == expected
