"""Reads a file of queries to be answered: a table of any known format, or plain text with one query per line."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import SourceError
from aisle.sources.files import EXTENSIONS, read_table
from aisle.sources.textfile import inspect_text, open_bytes
from aisle.tables import TIME, Column, TableSchema, Validated, validate

__all__ = ["QUERY_FILE", "read_queries_file"]

_TEXT = pa.string()

QUERY_FILE = TableSchema(
    "queries",
    (
        Column("query_id", _TEXT, required=True),
        Column("query", _TEXT, required=True),
        Column("user_id", _TEXT),
        Column("client_id", _TEXT),
        Column("session_id", _TEXT),
        Column("location", _TEXT),
        # A null here would ask as of now: another question than the one that stands there.
        Column("searched_at", TIME, decisive=True),
    ),
    key=("query_id",),
)
"""Columns that are read; all others are left out. Without `query_id` the `search_id` names a query, else its number."""

_LINES = (".txt", ".txt.gz")


def read_queries_file(path: Path) -> Validated:
    """Read and check the queries to be answered.

    Args:
        path: CSV, TSV, JSON lines or Parquet with a column `query`; or `.txt`, one query per line.

    Returns:
        Usable rows with all columns of `QUERY_FILE`; and the rows that were set aside: without a word to ask for, with
        an id that stood before, or with an unreadable time.

    Raises:
        SourceError: If the file is missing, of another format, empty or damaged.
        TableError: If there is no column `query`, or no usable row.
    """
    table = _lines(path) if path.name.lower().endswith(_LINES) and path.is_file() else _table(path)
    if "query_id" not in table.column_names:
        named = table.column("search_id") if "search_id" in table.column_names else _numbers(table.num_rows)
        table = table.append_column("query_id", named)
    found = validate(table.select([name for name in QUERY_FILE.names if name in table.column_names]), QUERY_FILE)
    usable = found.table
    for column in QUERY_FILE.columns:
        if column.name not in usable.column_names:
            usable = usable.append_column(column.name, pa.nulls(usable.num_rows, column.type))
    return Validated(usable.select(QUERY_FILE.names).combine_chunks(), found.quarantine, found.report)


def _table(path: Path) -> pa.Table:
    if path.is_file() and not path.name.lower().endswith(EXTENSIONS):
        raise SourceError(
            f"The name of a file of queries must end in {', '.join((*EXTENSIONS, *_LINES))}",
            received={"path": str(path)},
            remedy="Rename it by its format, or convert it.",
        )
    table, rejected = read_table(path, schema=QUERY_FILE)
    if rejected.num_rows:
        raise SourceError(
            "Every line of a file of queries must be a row",
            received={"path": str(path), "rejected": rejected.slice(0, 3).to_pylist(), "lines": rejected.num_rows},
            remedy="Mend these lines, or bring plain text (.txt) with one query per line.",
        )
    return table


def _lines(path: Path) -> pa.Table:
    inspect_text(path)
    with open_bytes(path) as file:
        text = file.read().decode("utf-8-sig")
    lines = pa.array(text.replace("\r\n", "\n").split("\n"), _TEXT)
    return pa.table({"query": lines.filter(pc.not_equal(pc.utf8_trim_whitespace(lines), ""))})


def _numbers(num_rows: int) -> pa.Array:
    numbers = pa.array(range(1, num_rows + 1), pa.int64()).cast(_TEXT)
    return pc.binary_join_element_wise("q", numbers, "")
