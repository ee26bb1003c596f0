"""DuckDB in-process: memory-limited, spilling to a folder of its own, and shut off from the world where asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import duckdb

__all__ = ["MEMORY_LIMIT", "column_name", "engine"]

MEMORY_LIMIT = "4GB"
"""Memory that DuckDB may hold before it spills to disk."""


@contextmanager
def engine(*, sealed: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB; it and its spilled files are gone afterwards.

    Args:
        sealed: Forbid it to read or write files and networks and to change its settings, for expressions that a
            user wrote. Tables come in through `register`.
    """
    with TemporaryDirectory(prefix="aisle-duckdb-") as folder:
        config: dict[str, str | bool] = {
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": folder,
            "preserve_insertion_order": True,
            "python_enable_replacements": False,
        }
        connection = duckdb.connect(config=config)
        connection.execute("SET TimeZone = 'UTC'")
        if sealed:
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        try:
            yield connection
        finally:
            connection.close()


def column_name(name: str) -> str:
    """Quote a column's name for SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'
