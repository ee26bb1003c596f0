"""Lines of a file that could not be read as rows."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["REJECTED_SCHEMA", "no_rejected"]

REJECTED_SCHEMA = pa.schema([("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])
"""Number of the line in the file, from 1; why it is no row; the line itself."""


def no_rejected() -> pa.Table:
    """Return a table of rejected lines without lines."""
    return REJECTED_SCHEMA.empty_table()
