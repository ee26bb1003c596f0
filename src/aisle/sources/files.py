"""Reads a table from a CSV, TSV, JSON lines or Parquet file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.sources.delimited import read_delimited
from aisle.sources.jsonl import read_jsonl
from aisle.sources.mapping import ColumnMap
from aisle.sources.nested import split_nested
from aisle.sources.source_tables import REJECTED_SCHEMA
from aisle.tables import TableSchema, read_parquet

__all__ = ["EXTENSIONS", "read_table"]


def _read_parquet(path: Path) -> tuple[pa.Table, pa.Table]:
    return read_parquet(path), REJECTED_SCHEMA.empty_table()


_READERS: dict[str, Callable[[Path], tuple[pa.Table, pa.Table]]] = {
    ".csv": read_delimited,
    ".csv.gz": read_delimited,
    ".tsv": read_delimited,
    ".tsv.gz": read_delimited,
    ".jsonl": read_jsonl,
    ".jsonl.gz": read_jsonl,
    ".ndjson": read_jsonl,
    ".ndjson.gz": read_jsonl,
    ".parquet": _read_parquet,
}

EXTENSIONS = tuple(_READERS)
"""How the names of readable files end."""


def read_table(path: Path, *, schema: TableSchema, mapping: ColumnMap | None = None) -> tuple[pa.Table, pa.Table]:
    """Read a file for a table of the contract. The result is not validated yet.

    Columns with the contract's names are taken as they are, unless the mapping makes them; all others are kept as
    extra columns. CSV fields stay text. Category paths and attributes written as text are split (see `split_nested`).

    Args:
        path: The file; its extension tells its format.
        schema: The table that it holds.
        mapping: Where the contract's columns come from.

    Returns:
        The rows; and the lines that are no rows, as `line` (from 1), `reason` and `text`.

    Raises:
        SourceError: If the file is missing, a folder, of another format, empty, damaged, not UTF-8, or without rows.
        ConfigError: If the mapping does not fit the file.
    """
    read = _reader(path)
    try:
        table, rejected = read(path)
        if table.num_rows == 0:
            raise SourceError(
                "The file must hold at least one row",
                received={"path": str(path), "rejected": rejected.slice(0, 3).to_pylist()},
                remedy="Check the export: it has a header or broken lines alone.",
            )
        if mapping is not None:
            table = mapping.apply(table)
        return split_nested(table, schema), rejected
    except duckdb.Error as error:
        raise SourceError(
            "The file must be readable",
            received={"path": str(path), "reason": str(error).splitlines()[0]},
            remedy="Check its format, or convert it to Parquet or JSON lines.",
        ) from error


def _reader(path: Path) -> Callable[[Path], tuple[pa.Table, pa.Table]]:
    if path.is_dir():
        raise SourceError(
            "The path must be a file", received={"path": str(path)}, remedy="Name one file in the folder."
        )
    if not path.is_file():
        raise SourceError("The file must exist", received={"path": str(path)}, remedy="Check the path.")
    if not _is_utf8(str(path)):
        raise SourceError("The file's path must be UTF-8", received={"path": str(path)}, remedy="Rename it.")
    for extension, read in _READERS.items():
        if path.name.lower().endswith(extension):
            return read
    raise SourceError(
        f"The file's name must end in {', '.join(EXTENSIONS)}",
        received={"path": str(path)},
        remedy="Rename it by its format, or convert it.",
    )


def _is_utf8(text: str) -> bool:
    """Tell whether a path can be written in UTF-8, as DuckDB, Arrow and every manifest want it."""
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of another encoding, which Python keeps as halves of characters
        return False
    return True
