import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core import ids as ids_module
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


@given(IDS, st.lists(st.none() | st.text(), max_size=5))
def test_the_second_call_answers_as_the_first(known, others):
    ids, wanted = IdMap(known), pa.array([*others, *known], pa.string())
    first = ids.index_of(wanted)
    assert ids.index_of(wanted).tolist() == first.tolist()
    assert ids.index_of(pa.chunked_array([wanted])).dtype == np.int64


def test_repeated_small_calls_hash_the_known_ids_once(monkeypatch):
    ids, calls = IdMap(["a", "b"]), []
    index_in = ids_module.pc.index_in
    monkeypatch.setattr(ids_module.pc, "index_in", lambda *args, **more: calls.append(1) or index_in(*args, **more))
    assert [ids.index_of(["b"]).tolist() for _ in range(5)] == [[1]] * 5
    assert len(calls) == 1
    many = ["a", "b", "x"] * 2000
    assert ids.index_of(many).tolist() == [0, 1, UNKNOWN] * 2000
    assert len(calls) == 2
