from dataclasses import FrozenInstanceError

import pyarrow as pa
import pytest

from aisle.sources.source_tables import REJECTED_SCHEMA, SourceTables


def test_rejected_lines_have_a_number_a_reason_and_a_text():
    assert REJECTED_SCHEMA.names == ["line", "reason", "text"]


def test_tables_cannot_be_exchanged():
    source = SourceTables({"users": pa.table({"user_id": ["u"]})})
    assert source.rejected == {}
    with pytest.raises(FrozenInstanceError):
        source.tables = {}
