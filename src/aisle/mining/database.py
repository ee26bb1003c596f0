"""DuckDB with a memory limit, spilling to a folder, and the SQL files of this package."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import duckdb

__all__ = ["exactly", "open_database", "read_sql", "run_sql"]


@contextmanager
def open_database(folder: Path, *, memory_gb: float, threads: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty in-memory DuckDB that spills to a folder, which is removed afterwards.

    Args:
        folder: Made for it; whatever a killed run left in it goes.
        memory_gb: Memory that DuckDB may hold, in 10⁹ bytes.
        threads: None: all cores.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config: dict[str, str | bool | int] = {
        "memory_limit": f"{int(memory_gb * 1000)}MB",
        "temp_directory": str(folder / "spilled"),
        # Every file is written in an order that its query names; tables in between need none.
        "preserve_insertion_order": False,
        "python_enable_replacements": False,
    }
    if threads is not None:
        config["threads"] = threads
    connection = duckdb.connect(config=config)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)


def read_sql(name: str) -> str:
    """Return the text of one of this package's SQL files."""
    return (resources.files("aisle.mining") / f"{name}.sql").read_text(encoding="utf-8")


def run_sql(
    connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, object] | None = None
) -> duckdb.DuckDBPyConnection:
    """Run every statement of an SQL file; each takes the parameters that it names (`$name`), bound, never pasted.

    Returns:
        The connection, which holds the result of the last statement.
    """
    values = parameters or {}
    for statement in connection.extract_statements(read_sql(name)):
        connection.execute(statement, {key: values[key] for key in statement.named_parameters})
    return connection


def exactly(path: Path) -> str:
    """Return a pattern that only this path matches: DuckDB takes the files that it reads for patterns."""
    return re.sub(r"([*?[])", r"[\1]", str(path))
