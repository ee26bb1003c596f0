"""What the shop itself knows of its products: shelves, prices, ratings, and when each is on sale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float32, Int16, Int32, Int64

from aisle.core.ragged import offsets_of
from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.world import World

__all__ = ["Stock"]

_PRIOR_RATINGS = 5.0
"""A rating counts as much as the shop's mean one plus this many of it."""


@dataclass(frozen=True)
class Stock:
    """One row per product; observable columns only."""

    type_index: Int32[np.ndarray, " products"]
    """The leaf category."""
    department: Int16[np.ndarray, " products"]
    brand_index: Int32[np.ndarray, " products"]
    price_level: Float32[np.ndarray, " products"]
    """Logarithm of the price, standardised within the leaf category."""
    popularity: Float32[np.ndarray, " products"]
    """Share of the products of its type with fewer ratings, in (0, 1]."""
    rating: Float32[np.ndarray, " products"]
    """Mean rating, drawn to the shop's mean where there are few, standardised."""
    arrived_at: Int64[np.ndarray, " products"]
    """Second from which it can be bought; one that is out of stock never can."""
    removed_at: Int64[np.ndarray, " products"]
    num_departments: int

    @classmethod
    def of(cls, world: World, products: pa.Table) -> Stock:
        """Read the stock of a world from its products table."""
        in_stock = np.ones(products.num_rows, bool)
        if "in_stock" in products.column_names:
            in_stock = pc.fill_null(products.column("in_stock"), True).to_numpy()
        num_ratings = pc.fill_null(products.column("quality_num_ratings"), 0.0).to_numpy()
        rating = products.column("quality_rating").to_numpy()
        type_index = world.truth.type_index
        return cls(
            type_index=type_index.astype(np.int32),
            department=world.department_of_type[type_index].astype(np.int16),
            brand_index=world.truth.brand_index.astype(np.int32),
            price_level=world.price_level.astype(np.float32),
            popularity=_share_below(type_index, num_ratings),
            rating=_drawn_to_mean(rating, num_ratings),
            arrived_at=np.where(in_stock, world.arrived_at, world.removed_at),
            removed_at=world.removed_at,
            num_departments=len(world.truth.vocabulary.departments),
        )

    def __len__(self) -> int:
        """Return the number of products."""
        return len(self.type_index)

    def on_sale(
        self, products: Int64[np.ndarray, "rows places"], at: Int64[np.ndarray, " rows"]
    ) -> Bool[np.ndarray, "rows places"]:
        """Tell which products can be bought at each row's time; `NO_PRODUCT` never can."""
        at = at[:, None]
        is_product = products != NO_PRODUCT
        return is_product & (self.arrived_at[products] <= at) & (at < self.removed_at[products])


def _share_below(
    type_index: Int64[np.ndarray, " products"], num_ratings: np.ndarray
) -> Float32[np.ndarray, " products"]:
    order = np.lexsort((num_ratings, type_index))
    start = offsets_of(type_index[order], int(type_index.max()) + 1)
    size = np.diff(start)[type_index[order]]
    share = np.empty(len(order), np.float32)
    share[order] = (np.arange(len(order)) - start[type_index[order]] + 1) / size
    return share


def _drawn_to_mean(rating: np.ndarray, num_ratings: np.ndarray) -> Float32[np.ndarray, " products"]:
    known = ~np.isnan(rating) & (num_ratings > 0)
    if not known.any():
        return np.zeros(len(rating), np.float32)
    mean = rating[known].mean()
    weight = np.where(known, num_ratings / (num_ratings + _PRIOR_RATINGS), 0.0)
    drawn = weight * (np.where(known, rating, mean) - mean)
    spread = drawn.std()
    return np.asarray(drawn / spread if spread > 0 else drawn, np.float32)
