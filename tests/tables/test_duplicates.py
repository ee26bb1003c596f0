import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.text import normalise_text
from aisle.tables import duplicates
from aisle.tables.duplicates import earlier_rows, normalise_distinct, without_copies


def chunks(values, kind=None):
    kind, half = kind or pa.array(values).type, len(values) // 2
    return pa.chunked_array([pa.array(values[:half], kind), pa.array(values[half:], kind)])


def test_a_row_points_to_the_first_with_its_key():
    columns = [chunks(["a", "b", "a", "a"]), chunks([1, 1, 1, 2])]
    assert earlier_rows(columns, among=np.ones(4, bool)).tolist() == [0, 1, 0, 3]


def test_rows_that_do_not_count_stand_for_themselves():
    columns = [chunks(["a", "a", "a"])]
    assert earlier_rows(columns, among=np.array([False, True, True])).tolist() == [0, 1, 1]
    assert earlier_rows(columns, among=np.zeros(3, bool)).tolist() == [0, 1, 2]


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.booleans()), min_size=1, max_size=30)


@given(ROWS)
def test_agrees_with_a_dictionary(rows):
    first, slow = {}, []
    for row, (letter, number, counts) in enumerate(rows):
        slow.append(first.setdefault((letter, number), row) if counts else row)
    letters, numbers, among = zip(*rows, strict=True)
    assert earlier_rows([chunks(letters), chunks(numbers)], among=np.array(among)).tolist() == slow


def test_keys_too_many_for_one_code_are_counted_again(monkeypatch):
    monkeypatch.setattr(duplicates, "_LARGEST_CODE", 8)
    columns = [chunks(list("abca")), chunks(list("xyzx")), chunks([1, 2, 3, 1])]
    assert earlier_rows(columns, among=np.ones(4, bool)).tolist() == [0, 1, 2, 0]


@given(st.lists(st.none() | st.text(max_size=5), min_size=1))
def test_normalises_every_text(texts):
    expected = [None if text is None else normalise_text(text) for text in texts]
    assert normalise_distinct(chunks(texts, pa.string())).to_pylist() == expected


ROWS = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1, 2, None])), max_size=12)


@given(ROWS)
def test_rows_that_equal_an_earlier_one_are_left_out(rows):
    table = pa.table(
        {"x": chunks([row[0] for row in rows], pa.string()), "y": chunks([row[1] for row in rows], pa.int64())}
    )
    kept, num_copies = without_copies(table)
    assert list(zip(*kept.to_pydict().values(), strict=True)) == list(dict.fromkeys(rows))
    assert num_copies == len(rows) - kept.num_rows


def test_rows_with_lists_are_no_copies():
    table = pa.table({"x": ["a", "a", "a", "a"], "y": [[1], [1], None, None]})
    kept, num_copies = without_copies(table)
    assert (kept["y"].to_pylist(), num_copies) == ([[1], [1], None], 1)
