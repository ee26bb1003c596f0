"""Which products a search could have shown: those on sale at its time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.errors import ShapeError
from aisle.core.ranking import NO_PRODUCT, Ranking

__all__ = ["OnSale"]

_ALWAYS, _NEVER = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class OnSale:
    """When each product of a catalogue was on sale.

    Attributes:
        created_at: First microsecond on sale, since 1970 in UTC.
        removed_at: First microsecond not on sale any more.
    """

    created_at: Int64[np.ndarray, " products"]
    removed_at: Int64[np.ndarray, " products"]

    @classmethod
    def of_products(cls, products: pa.Table) -> OnSale:
        """Read `created_at` and `removed_at`; a product without them was always there, or still is."""
        return cls(_times(products, "created_at", missing=_ALWAYS), _times(products, "removed_at", missing=_NEVER))

    def keep(self, ranking: Ranking, at: Int64[np.ndarray, " queries"]) -> Ranking:
        """Take out of each ranking what was not on sale at its time; what follows moves up.

        Args:
            ranking: Results over the whole catalogue.
            at: Microsecond of each query.

        Raises:
            ShapeError: If there is not one time per ranking.
        """
        if len(at) != len(ranking.product_index):
            raise ShapeError(
                "There must be one time per ranking",
                received={"times": len(at), "rankings": len(ranking.product_index)},
            )
        kept = self.is_candidate(ranking.product_index, at)
        order = np.argsort(~kept, axis=1, kind="stable")
        kept = np.take_along_axis(kept, order, axis=1)
        return Ranking(
            np.where(kept, np.take_along_axis(ranking.product_index, order, axis=1), NO_PRODUCT),
            np.where(kept, np.take_along_axis(ranking.score, order, axis=1), np.float32(-np.inf)),
        )

    def is_candidate(
        self, product_index: Int64[np.ndarray, "queries k"], at: Int64[np.ndarray, " queries"]
    ) -> Bool[np.ndarray, "queries k"]:
        """Tell which products were on sale at the time of their row; an empty place never is."""
        known = np.where(product_index == NO_PRODUCT, 0, product_index)
        is_there = (self.created_at[known] <= at[:, None]) & (at[:, None] < self.removed_at[known])
        return np.asarray(is_there & (product_index != NO_PRODUCT))

    def count(self, at: Int64[np.ndarray, " times"]) -> Int64[np.ndarray, " times"]:
        """Count the products that were on sale at each time."""
        began, ended = (
            np.searchsorted(np.sort(times), at, side="right") for times in (self.created_at, self.removed_at)
        )
        return np.asarray(began - ended, np.int64)


def _times(products: pa.Table, name: str, *, missing: int) -> Int64[np.ndarray, " products"]:
    if name not in products.column_names:
        return np.full(products.num_rows, missing)
    return np.asarray(pc.fill_null(products.column(name).cast(pa.int64()), missing).to_numpy(), np.int64)
