"""What a table may hold, and a person should know."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from aisle.tables.casts import NULL_BYTE
from aisle.tables.schema import TableSchema
from aisle.tables.suggestions import did_you_mean

__all__ = ["LONG_QUERY", "remarks"]

LONG_QUERY = 1_000
"""Characters above which a query is remarked on."""


def remarks(table: pa.Table, schema: TableSchema) -> tuple[str, ...]:
    """Say what looks like a slip, and which rule strange texts met.

    Args:
        table: The table as it came.
        schema: The contract's table.
    """
    return (*_near_names(table, schema), *_strange_texts(table, schema))


def _near_names(table: pa.Table, schema: TableSchema) -> Iterator[str]:
    absent = [name for name in schema.names if name not in table.column_names]
    for name in table.column_names:
        guess = did_you_mean(name, absent, cutoff=0.8) if schema.column(name) is None else None
        if guess:
            yield f"column {name!r} is kept as an extra column; did you mean {guess!r}?"


def _strange_texts(table: pa.Table, schema: TableSchema) -> Iterator[str]:
    for name in table.column_names:
        values = table.column(name)
        if schema.column(name) is None or not pa.types.is_string(values.type):
            continue
        num_null_bytes = _count(pc.match_substring(values, NULL_BYTE))
        if num_null_bytes:
            yield f"{name}: null bytes were taken out of {num_null_bytes:,} texts"
        num_long = _count(pc.greater(pc.utf8_length(values), LONG_QUERY)) if name == "query" else 0
        if num_long:
            yield f"query: {num_long:,} texts of more than {LONG_QUERY:,} characters are kept; models read their start"


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)
