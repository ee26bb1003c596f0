import pyarrow as pa

from aisle.sources.set_aside import set_aside_rows
from aisle.sources.source_tables import REJECTED_SCHEMA


def test_rows_get_the_numbers_of_their_lines():
    rows = pa.table({"a": ["1", None, "3"], "b": ["x", "y", "z"]})
    unread = pa.table([[3], ["has 1 fields"], ["?"]], schema=REJECTED_SCHEMA)  # line 3 of 1 + 4 lines
    aside = pa.table({"number": [2, 3], "reason": ["has no a", "is odd"]})
    found = set_aside_rows(rows, unread, aside, delimiter=";")
    assert found.schema == REJECTED_SCHEMA
    assert found.to_pylist() == [
        {"line": 3, "reason": "has 1 fields", "text": "?"},
        {"line": 4, "reason": "has no a", "text": ";y"},
        {"line": 5, "reason": "is odd", "text": "3;z"},
    ]


def test_nothing_is_set_aside_from_no_rows():
    none = pa.table({"number": pa.array([], pa.int64()), "reason": pa.array([], pa.string())})
    rows = pa.table({"a": pa.array([], pa.string())})
    assert set_aside_rows(rows, REJECTED_SCHEMA.empty_table(), none, delimiter=",").num_rows == 0
