"""How much of the exact answer an approximate index finds."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from aisle.core.ranking import check_k
from aisle.index.exact import ExactIndex
from aisle.index.protocol import VectorIndex

__all__ = ["ann_recall"]

_ROUNDING = 2e-6
"""Relative difference up to which two float32 inner products, summed in different orders, count as equal."""


def ann_recall(index: VectorIndex, exact: ExactIndex, queries: Float32[np.ndarray, "queries dim"], *, k: int) -> float:
    """Return the share of the exact top k that the index finds, over all queries.

    A product that ties with the last of the exact top k counts as found: it is as good. So that an index
    cannot profit from its own rounding, the products that it returns are scored again with the exact vectors.
    This is `ann_recall`, the quality of an index; `recall`, the quality of retrieval, is measured on what
    shoppers do.

    Args:
        index: The index to be measured.
        exact: An exact index of the same vectors.
        queries: Queries such as will be searched.
        k: Depth of the lists that are compared.

    Returns:
        In [0, 1]; 1.0 where there is nothing to be found, as nothing is missed.

    Raises:
        UsageError: If k is below 1.
        ShapeError: If the queries do not fit the indexes.
    """
    check_k(k)
    num_wanted = min(k, exact.num_products)
    if not num_wanted or not len(queries):
        return 1.0
    wanted = exact.search(queries, k=num_wanted).score
    slack = _ROUNDING * np.abs(wanted).max(axis=1, keepdims=True)
    found = index.search(queries, k=k)
    is_hit = exact.scores(queries, found.product_index) >= wanted[:, -1:] - slack
    return float(is_hit.sum(axis=1).mean() / num_wanted)
