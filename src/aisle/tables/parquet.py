"""Parquet files of tables."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aisle.core.errors import SourceError, TableError
from aisle.tables.schema import TableSchema

__all__ = ["read_parquet", "write_parquet"]


def read_parquet(path: Path, schema: TableSchema | None = None, *, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file.

    Args:
        path: The file.
        schema: The contract that the file was validated against when it was written; None for any file.
        columns: Columns to read; None for all.

    Raises:
        SourceError: If the file is missing, or not a whole Parquet file.
        TableError: If a required column is missing, or a column has not the contract's type.
    """
    if not path.is_file():
        raise SourceError("A Parquet file must exist", received={"path": str(path)}, remedy="Check the path.")
    try:
        table = pq.ParquetFile(path).read(columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            "The file must be a whole Parquet file",
            received={"path": str(path), "bytes": path.stat().st_size, "reason": str(error).splitlines()[0]},
            remedy="Copy or download it again; it is cut short, damaged or of another format.",
        ) from error
    if schema is not None:
        _check_contract(table, schema, path)
    return table


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table with zstd compression; the file appears under its name only when it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        pq.write_table(table, part, compression="zstd")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _check_contract(table: pa.Table, schema: TableSchema, path: Path) -> None:
    problems = [f"{name} is missing" for name in schema.required if name not in table.column_names]
    for field in table.schema:
        column = schema.column(field.name)
        if column is not None and field.type != column.type:
            problems.append(f"{field.name} is {field.type}, not {column.type}")
    if problems:
        raise TableError(
            f"The file must hold a validated {schema.name} table",
            received={"path": str(path), "problems": problems},
            remedy="Import the data again with this version.",
        )
