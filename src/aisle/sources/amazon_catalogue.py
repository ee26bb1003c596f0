"""Amazon's catalogue as McAuley et al. give it: JSON lines, or the Python literals of the release of 2014."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.core.progress import progress_bar
from aisle.sources.engine import engine
from aisle.sources.jsonl import load_lines, rejected_lines
from aisle.sources.statements import statement

__all__ = ["read_catalogue"]

_LITERALS = "SELECT number, line FROM lines WHERE reason = 'is not valid JSON' ORDER BY number"
_REPLACE = """
UPDATE lines SET line = literals.line, reason = NULL FROM literals WHERE literals.number = lines.number
"""
_BATCH_ROWS = 50_000


def read_catalogue(path: Path) -> tuple[pa.Table, pa.Table]:
    """Read a file of products. The result is not validated yet: many have no title.

    Returns:
        The products; and the lines that are none.

    Raises:
        SourceError: If the file is empty, not UTF-8 or damaged.
    """
    with engine() as connection:
        try:
            load_lines(connection, path)
            _read_literals(connection)
            products = connection.sql(statement("amazon/out_products")).to_arrow_table()
            return products, rejected_lines(connection)
        except duckdb.Error as error:
            raise SourceError(
                "The catalogue must hold one product per line",
                received={"path": str(path), "reason": str(error).splitlines()[0]},
                remedy="Download it again.",
            ) from error


def _read_literals(connection: duckdb.DuckDBPyConnection) -> None:
    """Read lines that are Python dicts; no column-wise reader knows their quotes and escapes."""
    lines = connection.sql(_LITERALS).to_arrow_table()
    with progress_bar("Amazon's catalogue", total=lines.num_rows, unit="products") as advance:
        for batch in lines.to_batches(_BATCH_ROWS):
            read = [_as_json(line) for line in batch.column("line").to_pylist()]
            known = pa.table({"number": batch.column("number"), "line": pa.array(read, pa.string())})
            connection.register("literals", known.filter(known.column("line").is_valid()))
            connection.execute(_REPLACE)
            connection.unregister("literals")
            advance(batch.num_rows)


def _as_json(line: str) -> str | None:
    """Return the JSON of a Python dict of plain values; None for any other text."""
    try:
        value = ast.literal_eval(line.strip())
        return json.dumps(value, ensure_ascii=False, allow_nan=False) if isinstance(value, dict) else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
