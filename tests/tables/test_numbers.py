import math
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.tables.numbers import to_bool, to_float, to_int32


def column(*values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def test_texts_of_numbers():
    cast = to_float(column("1", " -2.5 ", "+.5", "5.", "1e3", "", None))
    assert cast.values.to_pylist() == [1, -2.5, 0.5, 5, 1000, None, None]
    assert not cast.bad.any()


def test_other_texts_are_marked_not_guessed():
    cast = to_float(column("1,299.00", "12 EUR", "nan", "0x1f", "٣", "1_000"))
    assert cast.values.null_count == 6
    assert cast.bad.all()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_written_floats_come_back(numbers):
    cast = to_float(pa.chunked_array([[repr(number) for number in numbers]], pa.string()))
    assert cast.values.to_pylist() == numbers
    assert not cast.bad.any()


def test_numeric_types_are_taken():
    assert to_float(column(1, None)).values.to_pylist() == [1.0, None]
    assert to_float(column(Decimal("1.25"))).values.to_pylist() == [1.25]
    assert math.isnan(to_float(column(math.nan)).values[0].as_py())


def test_types_without_numbers_are_marked():
    assert to_float(column(True, None)).bad.tolist() == [True, False]
    assert to_float(column([1.0])).bad.tolist() == [True]


def test_whole_numbers():
    cast = to_int32(column("1", "2.0", "2.5", str(2**31), "x", "-3", None))
    assert cast.values.to_pylist() == [1, 2, None, None, None, -3, None]
    assert cast.bad.tolist() == [False, False, True, True, True, False, False]


def test_nan_and_infinity_are_no_whole_numbers():
    assert to_int32(column(math.nan, math.inf, 1.0)).bad.tolist() == [True, True, False]


def test_booleans_in_words_and_numbers():
    cast = to_bool(column("True", "no", " Y ", "0", "maybe", "", None))
    assert cast.values.to_pylist() == [True, False, True, False, None, None, None]
    assert cast.bad.tolist() == [False] * 4 + [True, False, False]
    assert to_bool(column(1, 0, 2)).values.to_pylist() == [True, False, None]
    assert to_bool(column(1.0, 0.0)).values.to_pylist() == [True, False]


@pytest.mark.parametrize("values", [column([True]), column(b"1")])
def test_types_without_truth_are_marked(values):
    assert to_bool(values).bad.all()
