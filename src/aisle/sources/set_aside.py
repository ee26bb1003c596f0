"""Rows that a loader cannot use, as lines of the file that they stand in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aisle.sources.source_tables import REJECTED_SCHEMA

__all__ = ["set_aside_rows"]


def set_aside_rows(rows: pa.Table, unread: pa.Table, aside: pa.Table, *, delimiter: str) -> pa.Table:
    """Return what of a file with a header is no row: lines that were not read, and rows that were refused.

    Args:
        rows: Rows that were read, all columns text.
        unread: Lines that were not, in `REJECTED_SCHEMA`.
        aside: Refused rows as `number` (from 1, among `rows`) and `reason`.
        delimiter: What stands between two fields of the file.

    Returns:
        Lines in `REJECTED_SCHEMA`. Numbers are exact unless the file has blank lines or fields of several lines.
    """
    places = aside.column("number").to_numpy() - 1
    first, num_lines = 2, rows.num_rows + unread.num_rows  # line 1 is the header
    lines = np.setdiff1d(np.arange(first, first + num_lines), unread.column("line").to_numpy())
    refused = rows.take(pa.array(places))
    text = pc.binary_join_element_wise(*refused.columns, delimiter, null_handling="replace", null_replacement="")
    found = pa.table([lines[: rows.num_rows][places], aside.column("reason"), text], names=REJECTED_SCHEMA.names)
    return pa.concat_tables([unread, found.cast(REJECTED_SCHEMA)])
