"""Frozen dataclasses of row-aligned columns (arrays, Arrow arrays, or further such dataclasses) as small tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

__all__ = ["join_rows", "take_rows"]

Table = TypeVar("Table")


def take_rows(table: Table, rows: Int64[np.ndarray, " some"]) -> Table:
    """Return the same table with these rows only, in this order."""
    return type(table)(**{name: _take(column, rows) for name, column in _columns(table)})


def join_rows(tables: Sequence[Table]) -> Table:
    """Put tables of one kind one after another; at least one."""
    columns = zip(*(_columns(table) for table in tables), strict=True)
    return type(tables[0])(**{parts[0][0]: _join([column for _, column in parts]) for parts in columns})


def _columns(table: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(table, field.name)) for field in dataclasses.fields(table)]


def _take(column: Any, rows: Int64[np.ndarray, " some"]) -> Any:
    if dataclasses.is_dataclass(column):
        return take_rows(column, rows)
    return column.take(pa.array(rows)) if isinstance(column, pa.Array) else column[rows]


def _join(parts: Sequence[Any]) -> Any:
    if dataclasses.is_dataclass(parts[0]):
        return join_rows(parts)
    return pa.concat_arrays(parts) if isinstance(parts[0], pa.Array) else np.concatenate(parts)
