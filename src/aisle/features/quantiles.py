"""Numbers as the quantile that they fall into, among all rows or among those of their group."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int32, Int64

__all__ = ["bucket_numbers", "group_edges"]


def group_edges(
    values: Float64[np.ndarray, " rows"],
    group: Int64[np.ndarray, " rows"],
    *,
    num_groups: int,
    num_buckets: int,
    min_count: int = 1,
) -> Float64[np.ndarray, "groups edges"]:
    """Find the values that cut each group into buckets of equally many rows.

    Args:
        values: One number a row; what is not finite is left out.
        group: Group of each row, from 0.
        num_groups: Groups there are.
        num_buckets: Buckets of each group.
        min_count: Numbers that a group needs.

    Returns:
        Upper bounds of all buckets but the last; NaN in groups of fewer than `min_count` numbers.

    >>> group_edges(np.arange(8.0), np.zeros(8, np.int64), num_groups=2, num_buckets=4).tolist()
    [[1.0, 3.0, 5.0], [nan, nan, nan]]
    """
    finite = np.isfinite(values)
    values, group = values[finite], group[finite]
    order = np.lexsort((values, group))
    count = np.bincount(group, minlength=num_groups)
    begin = np.cumsum(count) - count
    place = -(-count[:, None] * np.arange(1, num_buckets) // num_buckets) - 1
    edges = np.full((num_groups, num_buckets - 1), np.nan)
    enough = count >= max(1, min_count)
    edges[enough] = values[order][begin[enough, None] + np.maximum(place[enough], 0)]
    return edges


def bucket_numbers(
    values: Float64[np.ndarray, " rows"], edges: Float64[np.ndarray, "rows edges"] | Float64[np.ndarray, "1 edges"]
) -> Int32[np.ndarray, " rows"]:
    """Return the bucket of each number, from 1; 0 where the number or its edges are missing.

    >>> bucket_numbers(np.array([0.0, 1.0, 9.0, np.nan]), np.array([[1.0, 3.0]])).tolist()
    [1, 1, 3, 0]
    """
    above = (values[:, None] > edges).sum(axis=1) + 1
    known = np.isfinite(values) & ~np.isnan(edges).any(axis=1)
    return np.where(known, above, 0).astype(np.int32)
