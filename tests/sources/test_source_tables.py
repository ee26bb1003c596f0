from dataclasses import FrozenInstanceError

import pyarrow as pa
import pytest

from aisle.sources.source_tables import REJECTED_SCHEMA, Account, SourceTables


def test_rejected_lines_have_a_number_a_reason_and_a_text():
    assert REJECTED_SCHEMA.names == ["line", "reason", "text"]


def test_tables_cannot_be_exchanged():
    source = SourceTables({"users": pa.table({"user_id": ["u"]})})
    assert source.rejected == {}
    with pytest.raises(FrozenInstanceError):
        source.tables = {}


def test_an_account_must_add_up():
    assert Account("log", 3, {"events": 2, "duplicate": 1}).as_dict() == {
        "rows": 3,
        "fates": {"events": 2, "duplicate": 1},
    }
    with pytest.raises(AssertionError, match="of 3 rows"):
        Account("log", 3, {"events": 2})
