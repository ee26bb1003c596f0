import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.tables.texts import to_text, to_text_list, to_text_map

LIST = pa.list_(pa.string())


def test_text_of_ids():
    cast = to_text(pa.chunked_array([[7, None]]))
    assert cast.values.to_pylist() == ["7", None]
    assert to_text(pa.chunked_array([[[7], None]])).bad.tolist() == [True, False]


def test_lists_drop_null_and_blank_levels():
    cast = to_text_list(pa.chunked_array([[["a", None, " ", "b"], None, [], [" "]], [["c"]]], LIST))
    assert cast.values.to_pylist() == [["a", "b"], None, None, None, ["c"]]
    assert not cast.bad.any()


def test_scalars_become_lists_of_one():
    assert to_text_list(pa.chunked_array([["a > b", None, ""]])).values.to_pylist() == [["a > b"], None, None]
    assert to_text_list(pa.chunked_array([[[1, 2]]])).values.to_pylist() == [["1", "2"]]


@pytest.mark.parametrize("values", [[[["a"]], None], [{"a": 1}, None]])
def test_deeper_lists_and_structs_are_marked(values):
    assert to_text_list(pa.chunked_array([values])).bad.tolist() == [True, False]


@given(st.lists(st.none() | st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=1)), st.data())
def test_lists_of_words_come_through_slices_unchanged(lists, data):
    start = data.draw(st.integers(0, len(lists)))
    values = pa.chunked_array([pa.array(lists, LIST).slice(start)])
    assert to_text_list(values).values.to_pylist() == lists[start:]


def test_maps_of_scalars():
    kind = pa.map_(pa.string(), pa.int64())
    values = pa.chunked_array([pa.array([[("z", 0)], [("a", 1), ("b", None)], None, []], kind).slice(1)])
    cast = to_text_map(values)
    assert cast.values.to_pylist() == [[("a", "1"), ("b", "")], None, []]
    assert not cast.bad.any()


def test_a_blank_key_marks_its_row_alone():
    kind = pa.map_(pa.string(), pa.string())
    cast = to_text_map(
        pa.chunked_array([[[("a", "1")], [("b", "2"), (" ", "text")], [("c", "3")]], [[("", "x")]]], kind)
    )
    assert cast.values.to_pylist() == [[("a", "1")], None, [("c", "3")], None]
    assert cast.bad.tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    "values",
    [pa.array(["a:b"]), pa.array([{"a": 1}]), pa.array([[("a", [1])]], pa.map_(pa.string(), pa.list_(pa.int64())))],
)
def test_what_is_no_map_of_scalars_is_marked(values):
    assert to_text_map(pa.chunked_array([values])).bad.all()
