"""Columns that are no negatives of a row, though they stand in the batch.

The masks are boolean [rows, columns], True = to be left out, and are joined by `|`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int64
from scipy import sparse
from torch import Tensor

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ragged import expand_slices

__all__ = ["PositiveSets", "mask_copies", "mask_known_positives", "mask_matching_products"]


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


def mask_copies(
    candidate_index: Int64[Tensor, " columns"], positive_index: Int64[Tensor, " rows"]
) -> Bool[Tensor, "rows columns"]:
    """Mark every column that holds the row's own product, its own column included.

    With in-batch negatives one product can stand in several columns. Without the mask the loss pushes a query
    away from the product that it should retrieve.

    Args:
        candidate_index: Product of every column.
        positive_index: Product of every row.

    Source: Yi et al. 2019 (in-batch softmax); "accidental hits" in the literature on sampled softmax.
    """
    return positive_index.unsqueeze(1) == candidate_index.unsqueeze(0)


def mask_known_positives(
    candidate_index: Int64[Tensor, " columns"], row_query: Int64[Tensor, " rows"], positives: PositiveSets
) -> Bool[Tensor, "rows columns"]:
    """Mark every column that holds a known positive of the row's query.

    Each row's positives are looked up among the sorted columns, so the cost grows with the positives of the
    rows' queries, (columns + positives) · log columns, besides writing the mask itself.

    Args:
        candidate_index: Product of every column; a product may stand in several.
        row_query: Query of every row, as `positives` counts them.
        positives: Known positives of every query.

    Returns:
        The mask, on the device of `candidate_index`; looked up on the CPU.

    Raises:
        UsageError: If a row's query has no entry in `positives`.
    """
    columns, queries = candidate_index.numpy(force=True), row_query.numpy(force=True)
    _check_queries(queries, len(positives))
    masked = np.zeros((len(queries), len(columns)), dtype=bool)
    rows, flat = _concatenate_runs(positives.offsets[queries], positives.offsets[queries + 1])
    wanted = positives.product_index[flat]
    order = np.argsort(columns, kind="stable")
    in_order = columns[order]
    copies_of, at = _concatenate_runs(
        np.searchsorted(in_order, wanted, side="left"), np.searchsorted(in_order, wanted, side="right")
    )
    masked[rows[copies_of], order[at]] = True
    return torch.from_numpy(masked).to(candidate_index.device)


def mask_matching_products(
    query_words: sparse.csr_matrix | sparse.csr_array, product_words: sparse.csr_matrix | sparse.csr_array
) -> Bool[Tensor, "rows columns"]:
    """Mark every column whose product holds all words of the row's query.

    A pseudo-query that was cut from one product's words is answered as well by any other product that holds
    them all; pushing that one away would teach the opposite of matching. A query without words masks nothing.

    Args:
        query_words: [rows, vocabulary], not 0 where the query holds the word.
        product_words: [columns, vocabulary], not 0 where the column's product holds the word.

    Returns:
        The mask, on the CPU.

    Raises:
        ShapeError: If the two do not share one vocabulary.
    """
    if query_words.shape[1] != product_words.shape[1]:
        raise ShapeError(
            "Queries and products must share one vocabulary",
            received={"query_words": query_words.shape, "product_words": product_words.shape},
            remedy="Vectorise both with the same analyser.",
        )
    wanted, held = _word_indicators(query_words), _word_indicators(product_words)
    hits = (wanted @ held.T).tocoo()
    holds_all = hits.data == np.diff(wanted.indptr)[hits.row]
    masked = np.zeros(hits.shape, dtype=bool)
    masked[hits.row[holds_all], hits.col[holds_all]] = True
    return torch.from_numpy(masked)


def _word_indicators(words: sparse.csr_matrix | sparse.csr_array) -> sparse.csr_matrix:
    """Return 1 for each word that is held, as integers: booleans would tell "any word", not how many."""
    held = sparse.csr_matrix(words, copy=True)
    held.sum_duplicates()
    held.data = (held.data != 0).astype(np.int32)
    held.eliminate_zeros()
    return held


def _concatenate_runs(
    start: Int64[np.ndarray, " runs"], end: Int64[np.ndarray, " runs"]
) -> tuple[Int64[np.ndarray, " total"], Int64[np.ndarray, " total"]]:
    """Lay half-open runs start..end one after another: (number of the run, position) of each element.

    >>> _concatenate_runs(np.array([4, 9, 0]), np.array([6, 9, 1]))
    (array([0, 0, 2]), array([4, 5, 0]))
    """
    positions, offsets = expand_slices(start, end)
    return np.repeat(np.arange(len(start)), np.diff(offsets)), positions


def _check_queries(query_index: Int64[np.ndarray, " any"], num_queries: int) -> None:
    if len(query_index) and (query_index.min() < 0 or query_index.max() >= num_queries):
        raise UsageError(
            f"Query indices must lie in 0..{num_queries - 1}",
            received={"least": int(query_index.min()), "greatest": int(query_index.max())},
            remedy="Use the query ids that the positives were gathered with.",
        )
