"""Index arithmetic over ragged rows (compressed sparse rows), without loops."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

__all__ = ["expand_slices", "group_ranks", "offsets_of"]


def expand_slices(
    begin: Int64[np.ndarray, " rows"], end: Int64[np.ndarray, " rows"]
) -> tuple[Int64[np.ndarray, " items"], Int64[np.ndarray, " rows_plus_1"]]:
    """List all positions of several slices one after another, and where each slice's positions begin.

    >>> positions, offsets = expand_slices(np.array([5, 0]), np.array([7, 1]))
    >>> positions.tolist(), offsets.tolist()
    ([5, 6, 0], [0, 2, 3])
    """
    length = end - begin
    offsets = np.zeros(len(length) + 1, np.int64)
    np.cumsum(length, out=offsets[1:])
    positions = np.arange(offsets[-1], dtype=np.int64) + np.repeat(begin - offsets[:-1], length)
    return positions, offsets


def offsets_of(row: Int64[np.ndarray, " items"], num_rows: int) -> Int64[np.ndarray, " rows_plus_1"]:
    """Return where each row begins among items sorted by row.

    >>> offsets_of(np.array([0, 0, 2]), 3).tolist()
    [0, 2, 2, 3]
    """
    return np.searchsorted(row, np.arange(num_rows + 1)).astype(np.int64)


def group_ranks(
    group: Int64[np.ndarray, " items"], priority: Int64[np.ndarray, " items"]
) -> Int64[np.ndarray, " items"]:
    """Rank items within their group by ascending priority; equal priorities keep their order.

    Args:
        group: Sorted ascending.
        priority: Lower is better.

    >>> group_ranks(np.array([0, 0, 0, 1]), np.array([2, 1, 1, 0])).tolist()
    [2, 0, 1, 0]
    """
    order = np.lexsort((priority, group))
    rank = np.empty(len(group), np.int64)
    sorted_group = group[order]
    rank[order] = np.arange(len(group)) - np.searchsorted(sorted_group, sorted_group)
    return rank
