"""What shoppers would buy if they looked at everything: the yardstick that no log can give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.ragged import offsets_of
from aisle.simulation.marketplace import Marketplace
from aisle.simulation.needs import Needs
from aisle.simulation.rows import take_rows

__all__ = ["MOST_TRUE", "TrueProducts", "find_true_products", "shared_work"]

MOST_TRUE = 10
"""Most products of the truth of one search."""
_CELLS = 1_000_000
"""Utilities that are computed at a time."""


@dataclass(frozen=True)
class TrueProducts:
    """The best products of each search, best first, sorted by search."""

    row: Int64[np.ndarray, " found"]
    """Row of the search among those that were asked about."""
    product_index: Int64[np.ndarray, " found"]
    utility: Float32[np.ndarray, " found"]
    """Above the shopper's threshold."""


def find_true_products(market: Marketplace, needs: Needs, at: Int64[np.ndarray, " rows"]) -> TrueProducts:
    """Find for each need the at most `MOST_TRUE` products of highest utility above the shopper's threshold.

    All products on sale at that second count. Only those of the wanted type can pass (see `MOST_BESIDE_TYPE`), so only
    they are examined.
    """
    found = [
        _best(market, take_rows(needs, rows), at[rows], rows=rows, products=products)
        for rows, products in shared_work(needs.type_index, market.world.truth.type_index)
    ]
    row, product, utility = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((product, -utility, row))
    return TrueProducts(row[order], product[order], utility[order])


def shared_work(
    key: Int64[np.ndarray, " rows"], key_of_products: Int64[np.ndarray, " products"]
) -> Iterator[tuple[Int64[np.ndarray, " some"], Int64[np.ndarray, " products"]]]:
    """Yield rows of one key with all products of that key, in parts of bounded rows × products; keys from 0."""
    num_keys = int(max(key.max(initial=0), key_of_products.max(initial=0))) + 1
    by_key = np.argsort(key_of_products, kind="stable")
    start = offsets_of(key_of_products[by_key], num_keys)
    order = np.argsort(key, kind="stable")
    asked = offsets_of(key[order], num_keys)
    for number in range(num_keys):
        products = by_key[start[number] : start[number + 1]]
        rows = order[asked[number] : asked[number + 1]]
        step = max(1, _CELLS // max(1, len(products)))
        for part in range(0, len(rows), step):
            yield rows[part : part + step], products


def _best(
    market: Marketplace,
    needs: Needs,
    at: Int64[np.ndarray, " some"],
    *,
    rows: Int64[np.ndarray, " some"],
    products: Int64[np.ndarray, " products"],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    every = np.broadcast_to(products, (len(needs), len(products)))
    utility = market.utility.of(needs, every)
    passes = market.stock.on_sale(every, at) & (utility > needs.threshold[:, None])
    utility = np.where(passes, utility, -np.inf)
    most = min(MOST_TRUE, len(products))
    column = np.argpartition(-utility, most - 1, axis=1)[:, :most]
    best = np.take_along_axis(utility, column, axis=1)
    row, place = np.nonzero(np.isfinite(best))
    return rows[row], products[column[row, place]], best[row, place]
