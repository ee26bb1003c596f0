"""A hash of every row, by which a changed row is found."""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import numpy as np
import pyarrow as pa
from jaxtyping import UInt64

__all__ = ["row_hashes"]


def row_hashes(table: pa.Table, *, without: Collection[str] = ()) -> UInt64[np.ndarray, " rows"]:
    """Hash the values of every row; equal rows of equal columns have equal hashes.

    The hash is DuckDB's own, which another version of it may change: to be stored only where a row that looks changed
    costs no more than work.

    Args:
        table: Columns of any types.
        without: Columns that do not count.

    >>> hashes = row_hashes(pa.table({"a": [1, 1, 2], "b": ["x", "x", "x"]}))
    >>> bool(hashes[0] == hashes[1]), bool(hashes[0] == hashes[2])
    (True, False)
    """
    counted = table.select([name for name in table.column_names if name not in without])
    with duckdb.connect() as connection:
        connection.register("counted", counted)
        # Names too: a value that moves to another column is a change.
        found = connection.execute("SELECT hash(counted) AS hashed FROM counted").fetchnumpy()
    return np.asarray(found["hashed"], np.uint64)
