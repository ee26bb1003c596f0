import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import TableError
from aisle.core.ids import UNKNOWN, IdMap

IDS = st.lists(st.text(), unique=True)


def test_an_index_is_a_position():
    ids = IdMap(["b", "a", "ü"])
    assert len(ids) == 3
    assert ids.ids.to_pylist() == ["b", "a", "ü"]
    assert ids.index_of(["ü", "x", "b", "b"]).tolist() == [2, UNKNOWN, 0, 0]
    assert ids.id_of([2, 0, 0]) == ["ü", "b", "b"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["b", "a"], pa.large_string()),
        pa.chunked_array([["b"], ["a"]]),
        pa.array(["b", "a"]).dictionary_encode(),
        pa.array(["x", "b", "a"])[1:],
    ],
)
def test_arrow_columns_of_any_form_build_and_ask_the_same_map(column):
    assert IdMap(column).index_of(["a", "b"]).tolist() == [1, 0]
    found = IdMap(["a", "b"]).index_of(column)
    assert found.tolist() == [1, 0]
    assert found.dtype == np.int64


def test_a_missing_id_is_unknown():
    assert IdMap(["a"]).index_of(pa.array([None, "a"])).tolist() == [UNKNOWN, 0]


def test_an_empty_map_knows_nothing():
    for empty in (IdMap([]), IdMap(pa.chunked_array([], pa.string()))):
        assert len(empty) == 0
        assert empty.index_of(["a"]).tolist() == [UNKNOWN]
        assert empty.index_of([]).tolist() == []
        assert empty.id_of([]) == []


@given(IDS, st.lists(st.text()))
def test_the_map_is_a_bijection(known, others):
    ids = IdMap(known)
    positions = np.arange(len(known))
    assert ids.index_of(known).tolist() == positions.tolist()
    assert ids.id_of(positions) == known
    expected = [known.index(other) if other in known else UNKNOWN for other in others]
    assert ids.index_of(others).tolist() == expected


@pytest.mark.parametrize(
    ("ids", "received"),
    [(["a", "a"], "ids=2, distinct=1, missing=0"), (pa.array(["a", None]), "ids=2, distinct=2, missing=1")],
)
def test_ids_that_are_not_present_and_distinct_are_refused(ids, received):
    with pytest.raises(TableError, match=f"present and distinct. Received: {received}"):
        IdMap(ids)


@pytest.mark.parametrize("index", [-1, 2])
def test_an_index_outside_is_never_an_id(index):
    with pytest.raises(IndexError, match=r"0\.\.1"):
        IdMap(["a", "b"]).id_of([0, index])
