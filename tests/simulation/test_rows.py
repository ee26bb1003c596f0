from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aisle.simulation.rows import join_rows, take_rows


@dataclass(frozen=True)
class Inner:
    number: np.ndarray


@dataclass(frozen=True)
class Outer:
    text: pa.Array
    inner: Inner


TABLE = Outer(pa.array(["a", None, "c"]), Inner(np.array([[1, 2], [3, 4], [5, 6]])))


def test_rows_are_taken_in_all_columns():
    taken = take_rows(TABLE, np.array([2, 1]))
    assert taken.text.to_pylist() == ["c", None]
    assert taken.inner.number.tolist() == [[5, 6], [3, 4]]


def test_parts_join_to_the_whole():
    joined = join_rows([take_rows(TABLE, np.array([0])), take_rows(TABLE, np.array([1, 2]))])
    assert joined.text == TABLE.text
    assert np.array_equal(joined.inner.number, TABLE.inner.number)
