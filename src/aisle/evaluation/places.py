"""Where each product that is to be found stands in a ranking."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from aisle.core.errors import ShapeError
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.measures import Qrels

__all__ = ["NOT_FOUND", "places_of"]

NOT_FOUND = int(np.iinfo(np.int64).max)
"""Place of a product that a ranking does not hold: beyond every cut-off."""


def places_of(ranking: Ranking, qrels: Qrels) -> Int64[np.ndarray, " judgments"]:
    """Return the place, from 1, of every judged product in its query's ranking; `NOT_FOUND` where it is not there.

    Args:
        ranking: Results, row i for query i of `qrels`.
        qrels: The judgments.

    Raises:
        ShapeError: If the ranking has not one row per query.
    """
    if len(ranking.product_index) != qrels.num_queries:
        raise ShapeError(
            "A ranking must have one row per judged query",
            received={"rows": len(ranking.product_index), "queries": qrels.num_queries},
        )
    places = np.full(len(qrels.grade), NOT_FOUND, np.int64)
    if not len(places) or not ranking.product_index.size:
        return places
    num_products = int(max(qrels.product_index.max(), ranking.product_index.max())) + 1
    judged_key = qrels.query_index * num_products + qrels.product_index
    row, column = np.nonzero(ranking.product_index != NO_PRODUCT)
    key = row * num_products + ranking.product_index[row, column]
    judgment = np.minimum(np.searchsorted(judged_key, key), len(judged_key) - 1)
    is_judged = judged_key[judgment] == key
    np.minimum.at(places, judgment[is_judged], column[is_judged] + 1)
    return places
