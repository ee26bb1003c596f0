"""Columns that are no negatives of a row, or count less, though they stand in its batch.

The masks are boolean [rows, columns], True = to be left out, and are joined by `|`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from scipy import sparse
from torch import Tensor

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ragged import expand_slices
from aisle.negatives.positives import PositiveSets

__all__ = [
    "mask_above",
    "mask_copies",
    "mask_known_positives",
    "mask_listed",
    "mask_matching_products",
    "mask_repeats",
    "purchase_log_weight",
]


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


def mask_repeats(candidate_index: Int64[Tensor, " columns"]) -> Bool[Tensor, " columns"]:
    """Mark every column whose product stands in an earlier column: one of each remains.

    For sources without logQ correction, where a product that stands in ten columns would count ten times.

    >>> mask_repeats(torch.tensor([4, 9, 4, 4])).tolist()
    [False, False, True, True]
    """
    columns = candidate_index.numpy(force=True)
    repeated = np.ones(len(columns), dtype=bool)
    repeated[np.unique(columns, return_index=True)[1]] = False
    return torch.from_numpy(repeated).to(candidate_index.device)


def mask_known_positives(
    candidate_index: Int64[Tensor, " columns"], row_query: Int64[Tensor, " rows"], positives: PositiveSets
) -> Bool[Tensor, "rows columns"]:
    """Mark every column that holds a known positive of the row's query.

    With `searcher_groups` in place of queries it masks the other positives of the same search and those of other
    searches of the same (query, actor), and leaves what other actors chose for the query, which teaches taste.

    The positives of the distinct queries are looked up among the sorted columns, so the cost grows with them,
    (columns + positives) · log columns, besides writing the mask itself.

    Args:
        candidate_index: Product of every column; a product may stand in several.
        row_query: Query of every row, as `positives` counts them.
        positives: Known positives of every query.

    Returns:
        The mask, on the device of `candidate_index`; looked up on the CPU.

    Raises:
        UsageError: If a row's query has no entry in `positives`.
    """
    distinct, inverse = np.unique(row_query.numpy(force=True), return_inverse=True)
    row, product = positives.runs(distinct)
    masked = _mark(candidate_index.numpy(force=True), row, product, num_rows=len(distinct))
    return torch.from_numpy(masked[inverse]).to(candidate_index.device)


def mask_listed(
    candidate_index: Int64[Tensor, " columns"], listed: Int64[np.ndarray, "rows places"]
) -> Bool[Tensor, "rows columns"]:
    """Mark every column whose product stands in the row's own list; places below 0 are empty.

    >>> mask_listed(torch.tensor([4, 9, 4]), np.array([[4, 7], [-1, -1]])).tolist()
    [[True, False, True], [False, False, False]]
    """
    row, place = np.nonzero(listed >= 0)
    masked = _mark(candidate_index.numpy(force=True), row, listed[row, place], num_rows=len(listed))
    return torch.from_numpy(masked).to(candidate_index.device)


def mask_above(
    scores: Float[Tensor, "rows columns"], positive: Float[Tensor, " rows"], *, margin: float
) -> Bool[Tensor, "rows columns"]:
    """Mark every column that scores above the row's positive minus a margin.

    Among mined negatives the highest are mostly products that answer the query and were never shown for it. Of a score
    that is NaN nothing is known: it stays, and the loss shows it.

    Args:
        scores: Score of each row against each column's product.
        positive: Score of each row's own product.
        margin: In units of the score; larger leaves out more, below 0 lets harder ones in.

    Raises:
        UsageError: If the margin is not finite.

    Source: Moreira et al. 2024, "NV-Retriever" (negatives no nearer than a margin below the positive's score).
    """
    if not math.isfinite(margin):
        raise UsageError("margin must be finite", received={"margin": margin})
    return scores.detach() > (positive.detach() - margin).unsqueeze(1)


def purchase_log_weight(
    candidate_index: Int64[Tensor, " columns"],
    row_query: Int64[Tensor, " rows"],
    purchases: PositiveSets,
    *,
    factor: float,
) -> Float32[Tensor, "rows columns"]:
    """Weigh down what others bought for the row's query: no positive of this actor, and yet a fair answer.

    Removed, these columns would teach nothing about taste; at full weight they would teach that the query is not
    answered by what it is mostly bought for.

    Args:
        candidate_index: Product of every column.
        row_query: Query of every row, as `purchases` counts them: the query itself, not the searcher's group.
        purchases: Products that anybody bought for each query. The row's own among them are to be masked.
        factor: Weight of such a column in the row's sum, in 0..1; 0 removes it, 1 changes nothing.

    Returns:
        `log_weight` of `NegativeSource`: log(factor) there, 0 elsewhere; on the device of `candidate_index`.

    Raises:
        UsageError: If the factor lies outside 0..1, or a row's query has no entry in `purchases`.
    """
    if not 0 <= factor <= 1:
        raise UsageError(
            "factor must lie in 0..1",
            received={"factor": factor},
            remedy="1 counts what others bought as any other column, 0 removes it.",
        )
    bought = mask_known_positives(candidate_index, row_query, purchases)
    log_factor = math.log(factor) if factor else -math.inf
    return torch.zeros(bought.shape, device=bought.device).masked_fill(bought, log_factor)


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


def _mark(
    columns: Int64[np.ndarray, " columns"],
    row: Int64[np.ndarray, " items"],
    product: Int64[np.ndarray, " items"],
    *,
    num_rows: int,
) -> Bool[np.ndarray, "rows columns"]:
    """Return True where a column holds one of the products wanted in the row."""
    order = np.argsort(columns, kind="stable")
    in_order = columns[order]
    first, last = (np.searchsorted(in_order, product, side=side) for side in ("left", "right"))
    at, offsets = expand_slices(first, last)
    masked = np.zeros((num_rows, len(columns)), dtype=bool)
    masked[np.repeat(row, np.diff(offsets)), order[at]] = True
    return masked
