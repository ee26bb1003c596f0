import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aisle.tables import table_hash

ROWS = st.lists(st.tuples(st.none() | st.text(), st.none() | st.lists(st.text(max_size=3), max_size=3)), max_size=8)


def table(rows):
    return pa.table({"a": pa.array([row[0] for row in rows], pa.string()),
                     "b": pa.array([row[1] for row in rows], pa.list_(pa.string()))})  # fmt: skip


@given(ROWS, st.integers(0, 8))
def test_the_hash_does_not_know_chunks(rows, cut):
    whole = table(rows)
    assert table_hash(whole) == table_hash(pa.concat_tables([whole.slice(0, cut), whole.slice(cut)]))


@given(ROWS, ROWS)
def test_other_values_have_another_hash(first, second):
    assert (table_hash(table(first)) == table_hash(table(second))) == (first == second)


def test_a_table_longer_than_a_slice_is_hashed_to_its_end():
    numbers = list(range(70_000))
    assert table_hash(pa.table({"a": numbers})) != table_hash(pa.table({"a": [*numbers[:-1], 0]}))
    assert table_hash(pa.table({"a": numbers})) != table_hash(pa.table({"b": numbers}))
