import datetime

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import UsageError
from aisle.pipelines.column_slices import asked_columns, column_slices, word_slices


def masks(slices):
    return {name: mask.tolist() for name, mask in slices.items()}


def test_columns_are_named_after_a_colon():
    assert asked_columns(["band", "column:device", "words", "column:a:b"]) == ["device", "a:b"]
    assert asked_columns(None) == []


def test_words_are_what_spaces_part():
    slices = word_slices(["lamp", " red  dress ", "a b c", "a b c d", "a b c d e", "赤い ドレス"])
    assert masks(slices) == {
        "1 word": [True, False, False, False, False, False],
        "2 words": [False, True, False, False, False, True],
        "3 words": [False, False, True, False, False, False],
        "4 words and more": [False, False, False, True, True, False],
    }


def test_a_slice_for_every_value_the_frequent_first_and_one_for_none():
    assert masks(column_slices("device", pa.array(["app", "web", "web", None]))) == {
        "device = web": [False, True, True, False],
        "device = app": [True, False, False, False],
        "no device": [False, False, False, True],
    }
    assert masks(column_slices("new", pa.array([True, False, True]))) == {
        "new = true": [True, False, True],
        "new = false": [False, True, False],
    }
    assert list(column_slices("age", pa.array([3, 3, 5]))) == ["age = 3", "age = 5"]


def test_rare_values_are_one_slice():
    values = [f"v{number:02}" for number in range(14)] + ["v13"]
    slices = column_slices("city", pa.chunked_array([values]))
    assert next(iter(slices)) == "city = v13"
    assert len(slices) == 13
    assert slices["city: others"].tolist() == [False] * 11 + [True, True, False, False]


def test_many_numbers_are_cut_into_quarters_and_every_query_is_in_one_slice():
    numbers = [*range(100), None]
    slices = column_slices("price", pa.array(numbers, pa.float64()))
    assert next(iter(slices)) == "price 0 to 24.75"
    assert [int(mask.sum()) for mask in slices.values()] == [25, 25, 25, 25, 1]
    assert np.sum(list(slices.values()), axis=0).tolist() == [1] * 101


@pytest.mark.parametrize("values", [pa.array([datetime.datetime(2025, 1, 1)]), pa.array([["a"]])])
def test_other_columns_are_refused(values):
    with pytest.raises(UsageError, match=r"must hold texts, flags or numbers\. Received: column='seen', type="):
        column_slices("seen", values)
