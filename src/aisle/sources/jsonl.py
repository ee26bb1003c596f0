"""Reads JSON lines: types from the whole file, lists and objects kept, broken lines named."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.sources.engine import engine
from aisle.sources.source_tables import REJECTED_SCHEMA
from aisle.sources.textfile import inspect_text, readable

__all__ = ["load_lines", "read_jsonl", "rejected_lines"]

_LONGEST_LINE = 64 << 20

_LOAD = """
CREATE TEMP TABLE lines AS
SELECT number, line,
    CASE
        WHEN NOT json_valid(line) THEN 'is not valid JSON'
        WHEN json_type(line) <> 'OBJECT' THEN 'is not a JSON object'
        WHEN len(list_distinct(json_keys(line))) < len(json_keys(line)) THEN 'names a field twice'
    END AS reason
FROM (
    SELECT line, row_number() OVER () AS number
    FROM read_csv($path, delim = '', quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'},
        auto_detect = false, max_line_size = $longest)
)
WHERE trim(line, E' \\t\\r') <> ''
"""
_PROFILE = """
SELECT entry.key AS name, list(DISTINCT coalesce(json_type(entry.value), 'NULL')) AS kinds,
    max(CASE WHEN json_type(entry.value) = 'UBIGINT' THEN CAST(entry.value AS UBIGINT) END) AS largest
FROM (
    SELECT number, unnest(map_entries(CAST(CAST(line AS JSON) AS MAP(VARCHAR, JSON)))) AS entry
    FROM lines WHERE reason IS NULL
)
GROUP BY entry.key
ORDER BY min(number), name
"""
_READ = """
SELECT unnest(json_transform(line, $structure)) FROM (SELECT * FROM lines WHERE reason IS NULL ORDER BY number)
"""
_LARGEST_INT64 = 2**63 - 1


def read_jsonl(path: Path) -> tuple[pa.Table, pa.Table]:
    """Read a file of one JSON object per line (.jsonl, .ndjson, also .gz).

    The type of a field follows from all its values: whole numbers, numbers, booleans, lists of texts, maps of text
    to text (objects), else text. A field with values of different kinds becomes text (a list or an object in it its
    JSON). What lies deeper inside a list or an object is kept as JSON text.

    Returns:
        The rows, a null where a line has not the field; and the rejected lines. Blank lines are passed over.

    Raises:
        SourceError: If the file is empty, not UTF-8 or damaged, or has fields that differ only in case.
    """
    with engine() as connection:
        load_lines(connection, path)
        profile = connection.sql(_PROFILE).to_arrow_table()
        names = profile["name"].to_pylist()
        _refuse_same_but_case(names, path)
        rejected = rejected_lines(connection)
        if not names:
            num_rows = connection.sql("SELECT count(*) FROM lines WHERE reason IS NULL").fetchall()[0][0]
            return pa.table({"column1": pa.nulls(num_rows)}), rejected
        kinds, largest = profile["kinds"].to_pylist(), profile["largest"].to_pylist()
        structure = {name: _type(set(kind), top) for name, kind, top in zip(names, kinds, largest, strict=True)}
        table = connection.sql(_READ, params={"structure": json.dumps(structure)}).to_arrow_table()
    return table, rejected


def load_lines(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Load a file into the table `lines` of (number, line, reason); `reason` is null where the line is an object.

    Raises:
        SourceError: If the file is empty, not UTF-8 or damaged.
    """
    file = inspect_text(path)
    with readable(file, by_line=True) as plain:
        connection.execute(_LOAD, {"path": str(plain), "longest": _LONGEST_LINE})


def rejected_lines(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the lines of `load_lines` that are no rows."""
    query = "SELECT number AS line, reason, line AS text FROM lines WHERE reason IS NOT NULL ORDER BY number"
    return connection.sql(query).to_arrow_table().cast(REJECTED_SCHEMA)


def _type(kinds: set[str], largest: int | None) -> str | list[str]:
    """Return the type, in DuckDB's notation of JSON structures, that holds all values of a field."""
    kinds = kinds - {"NULL"}
    if kinds == {"ARRAY"}:
        return ["VARCHAR"]
    if kinds == {"OBJECT"}:
        return "MAP(VARCHAR, VARCHAR)"
    if kinds == {"BOOLEAN"}:
        return "BOOLEAN"
    if kinds and kinds <= {"BIGINT", "UBIGINT"} and (largest or 0) <= _LARGEST_INT64:
        return "BIGINT"
    if kinds == {"DOUBLE"} or (kinds <= {"DOUBLE", "BIGINT", "UBIGINT"} and "DOUBLE" in kinds):
        return "DOUBLE"
    return "VARCHAR"


def _refuse_same_but_case(names: list[str], path: Path) -> None:
    counts = Counter(name.lower() for name in names)
    same = sorted(name for name in names if counts[name.lower()] > 1)
    if same:
        raise SourceError(
            "Fields must differ in more than the case of their letters",
            received={"path": str(path), "fields": same},
            remedy="Rename one of each.",
        )
