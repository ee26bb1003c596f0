"""Brings UBI files of any form into one DuckDB table, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.core.progress import progress_bar
from aisle.sources.columnar import parquet_batches
from aisle.sources.delimited import read_delimited
from aisle.sources.files import EXTENSIONS
from aisle.sources.statements import statement
from aisle.sources.textfile import inspect_text, readable
from aisle.sources.ubi.actions import action_table

__all__ = ["find_files", "read_files"]

_LONGEST_LINE = 64 << 20

_LOG_ROWS = """
CREATE TEMP TABLE log_rows (number BIGINT, line BIGINT, kind VARCHAR, reason VARCHAR, text VARCHAR, mark UBIGINT,
    action VARCHAR, stage TINYINT, query_id VARCHAR, user_query VARCHAR, user_id VARCHAR, client_id VARCHAR,
    session_id VARCHAR, at_us BIGINT, application VARCHAR, object_id VARCHAR, object_field VARCHAR, ordinal BIGINT,
    shown VARCHAR[])
"""
_OF_TEXT = """(SELECT line, row_number() OVER () AS number
    FROM read_csv($path, delim = '', quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'},
        auto_detect = false, max_line_size = $longest))"""
# A cell may hold JSON as text, as CSV files must: it goes in as what it says.
_OF_COLUMNS = """(SELECT CAST(to_json(file_rows) AS VARCHAR) AS line, row_number() OVER () AS number
    FROM (SELECT all_columns FROM file_columns) AS file_rows)"""
_PARSED = (
    "CASE WHEN json_valid(json_column) THEN CAST(json_column AS JSON) ELSE to_json(json_column) END AS json_column"
)
_JSON_COLUMNS = ("event_attributes", "query_attributes", "query_response_object_ids", "query_response_hit_ids")

_OBJECT, _POSITION = "event_attributes.object", "event_attributes.position"
_PATHS = [
    *("$.action_name", "$.query_id", "$.user_query", "$.user_id", "$.client_id"),
    *("$.session_id", "$.event_attributes.session_id", '$."event_attributes.session_id"'),
    *("$.timestamp", "$.application", "$.query_attributes.application"),
    *(f"$.{_OBJECT}.object_id", f'$."{_OBJECT}.object_id"', "$.object_id"),
    *(f"$.{_OBJECT}.object_id_field", f'$."{_OBJECT}.object_id_field"'),
    *(f"$.{_POSITION}.ordinal", f'$."{_POSITION}.ordinal"'),
    *("$.query_response_object_ids", "$.query_response_hit_ids"),
]
"""Where a document keeps its fields, in the order of 01_rows.sql; a column of CSV has the path as its name."""


def find_files(path: Path) -> list[Path]:
    """Return the log's files: the file itself, or the files of a folder whose names begin with `ubi`.

    Raises:
        SourceError: If there is none.
    """
    if path.is_file():
        return [path]
    found = sorted(file for file in path.glob("*") if file.name.lower().startswith("ubi") and _is_readable(file))
    if not found:
        raise SourceError(
            "A UBI folder must hold files such as ubi_queries.jsonl and ubi_events.jsonl, or one bulk file ubi*.ndjson",
            received={"path": str(path), "files": sorted(file.name for file in path.glob("*"))[:20]},
            remedy=f"Name a file or another folder with --path; names end in {', '.join(EXTENSIONS)}.",
        )
    return found


def _is_readable(file: Path) -> bool:
    return file.is_file() and file.name.lower().endswith(EXTENSIONS)


def read_files(connection: duckdb.DuckDBPyConnection, files: list[Path]) -> None:
    """Fill the table `log_rows` with one row per line (or per row of CSV and Parquet); see 01_rows.sql.

    Raises:
        SourceError: If a file is empty, damaged or not UTF-8.
    """
    connection.register("actions", action_table())
    connection.execute(_LOG_ROWS)
    offset = 0
    with progress_bar("read log", total=len(files), unit="files") as advance:
        for file in files:
            kind = "query" if "quer" in file.name.lower() else "event"
            parameters = {"paths": _PATHS, "offset": offset, "default_kind": kind}
            with _lines_of(connection, file) as (lines, more):
                connection.execute(statement("ubi/01_rows").replace("file_lines", lines), {**parameters, **more})
            offset = connection.execute("SELECT coalesce(max(number), 0) FROM log_rows").fetchall()[0][0]
            advance(1, file.name)


@contextmanager
def _lines_of(connection: duckdb.DuckDBPyConnection, file: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Give the subquery of the file's lines, and its parameters."""
    name = file.name.lower()
    if name.endswith(".parquet"):
        with parquet_batches(file) as batches:
            yield _columns(connection, batches, batches.schema), {}
    elif name.endswith((".csv", ".csv.gz")):
        table, rejected = read_delimited(file)
        _refuse_broken(file, rejected)
        yield _columns(connection, table, table.schema), {}
    else:
        with readable(inspect_text(file), by_line=True) as plain:
            yield _OF_TEXT, {"path": str(plain), "longest": _LONGEST_LINE}


def _columns(connection: duckdb.DuckDBPyConnection, source: object, schema: pa.Schema) -> str:
    connection.register("file_columns", source)
    texts = [name for name in _JSON_COLUMNS if name in schema.names and pa.types.is_string(schema.field(name).type)]
    parsed = ", ".join(_PARSED.replace("json_column", name) for name in texts)
    return _OF_COLUMNS.replace("all_columns", f"* REPLACE ({parsed})" if parsed else "*")


def _refuse_broken(file: Path, rejected: pa.Table) -> None:
    if rejected.num_rows:
        raise SourceError(
            "Every line of a CSV log must have the header's fields",
            received={"path": str(file), "lines": rejected.num_rows, "first": rejected.slice(0, 3).to_pylist()},
            remedy="Mend these lines, or export the log as JSON lines.",
        )
