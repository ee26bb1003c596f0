"""What each query, or each searcher of a query, is known to have led to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ragged import expand_slices

__all__ = ["PositiveSets", "searcher_groups"]


@dataclass(frozen=True, eq=False)
class PositiveSets:
    """The known positive products of each query, one run of a flat array per query.

    Attributes:
        offsets: Where the run of each query begins, and the end of the last one: 0 first, never falling.
        product_index: Products, the runs of all queries one after another, ascending and distinct in each
            run.

    Raises:
        ShapeError: If the offsets do not cut `product_index` into runs.
    """

    offsets: Int64[np.ndarray, " queries_and_1"]
    product_index: Int64[np.ndarray, " positives"]

    def __post_init__(self) -> None:
        num_positives = len(self.product_index)
        ends = self.offsets[[0, -1]].tolist() if len(self.offsets) else []
        if ends != [0, num_positives] or (np.diff(self.offsets) < 0).any():
            raise ShapeError(
                "offsets must begin with 0, never fall and end with the number of positives",
                received={"offsets": self.offsets, "positives": num_positives},
                remedy="Build the sets with PositiveSets.from_pairs.",
            )

    @classmethod
    def from_pairs(
        cls,
        query_index: Int64[np.ndarray, " pairs"],
        product_index: Int64[np.ndarray, " pairs"],
        *,
        num_queries: int,
    ) -> PositiveSets:
        """Gather pairs of query and product, in any order and possibly repeated.

        Raises:
            UsageError: If a query index is not in 0..num_queries − 1.

        >>> sets = PositiveSets.from_pairs(np.array([2, 0, 2, 2]), np.array([7, 5, 3, 7]), num_queries=3)
        >>> sets.offsets.tolist(), sets.product_index.tolist()
        ([0, 1, 1, 3], [5, 3, 7])
        """
        _check_queries(query_index, num_queries)
        order = np.lexsort((product_index, query_index))
        queries, products = query_index[order], product_index[order]
        is_first = np.ones(len(queries), dtype=bool)
        is_first[1:] = (queries[1:] != queries[:-1]) | (products[1:] != products[:-1])
        counts = np.bincount(queries[is_first], minlength=num_queries)
        return cls(np.concatenate(([0], np.cumsum(counts))), products[is_first])

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.offsets) - 1

    def runs(
        self, query_index: Int64[np.ndarray, " rows"]
    ) -> tuple[Int64[np.ndarray, " items"], Int64[np.ndarray, " items"]]:
        """Lay the positives of each row's query one after another: (row, product) of each.

        Raises:
            UsageError: If a row's query has no entry.

        >>> sets = PositiveSets.from_pairs(np.array([0, 2, 2]), np.array([5, 7, 3]), num_queries=3)
        >>> row, product = sets.runs(np.array([2, 1, 0]))
        >>> row.tolist(), product.tolist()
        ([0, 0, 2], [3, 7, 5])
        """
        _check_queries(query_index, len(self))
        positions, offsets = expand_slices(self.offsets[query_index], self.offsets[query_index + 1])
        return np.repeat(np.arange(len(query_index)), np.diff(offsets)), self.product_index[positions]

    def contains(
        self, query_index: Int64[np.ndarray, " rows"], product_index: Int64[np.ndarray, "rows places"]
    ) -> Bool[np.ndarray, "rows places"]:
        """Tell of each product in each row's list whether it is a known positive of the row's query.

        Raises:
            UsageError: If a row's query has no entry.
        """
        distinct, inverse = np.unique(query_index, return_inverse=True)
        row, product = self.runs(distinct)
        # One number for row and product: ascending, as rows are, and products within a row.
        span = 1 + max(product.max(initial=0), product_index.max(initial=0))
        keys, wanted = row * span + product, inverse[:, None] * span + product_index
        if not len(keys):
            return np.zeros(product_index.shape, dtype=bool)
        found = keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted
        return found & (product_index >= 0)


def searcher_groups(
    query_index: Int64[np.ndarray, " searches"], actor_index: Int64[np.ndarray, " searches"]
) -> Int64[np.ndarray, " searches"]:
    """Number the pairs of query and actor, so that all positives of one searcher's query can be masked together.

    A search by nobody known is a group of its own. Every search lies within one group, so a mask by groups covers the
    other positives of the same search too.

    Args:
        query_index: Query of every search.
        actor_index: Actor of every search; below 0 where nobody is known.

    Returns:
        Group of every search: contiguous from 0.

    >>> searcher_groups(np.array([7, 7, 5, 7, 7]), np.array([2, 3, 2, -1, 2])).tolist()
    [1, 2, 0, 3, 1]
    """
    is_known = actor_index >= 0
    query, actor = query_index[is_known].astype(np.int64), actor_index[is_known].astype(np.int64)
    distinct, known_group = np.unique(query * (1 + actor.max(initial=0)) + actor, return_inverse=True)
    group = np.empty(len(query_index), np.int64)
    group[is_known] = known_group
    group[~is_known] = len(distinct) + np.arange(np.count_nonzero(~is_known))
    return group


def _check_queries(query_index: Int64[np.ndarray, " any"], num_queries: int) -> None:
    if len(query_index) and (query_index.min() < 0 or query_index.max() >= num_queries):
        raise UsageError(
            f"Query indices must lie in 0..{num_queries - 1}",
            received={"least": int(query_index.min()), "greatest": int(query_index.max())},
            remedy="Use the query ids that the positives were gathered with.",
        )
