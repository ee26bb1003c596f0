"""The catalogue that a store is built from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float32, Int64

from aisle.store.rankings import check_put

__all__ = ["StoredCatalogue", "is_on_sale"]


@dataclass(frozen=True, eq=False)
class StoredCatalogue:
    """Products on sale, with their indices and vectors.

    Attributes:
        product_index: Index of each product.
        products: Rows of the products table.
        vectors: Vector of each product.
    """

    product_index: Int64[np.ndarray, " products"]
    products: pa.Table
    vectors: Float32[np.ndarray, "products dim"]

    def __len__(self) -> int:
        """Return the number of products."""
        return len(self.product_index)

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return int(self.vectors.shape[1])

    @classmethod
    def checked(
        cls,
        products: pa.Table,
        vectors: Float32[np.ndarray, "products dim"],
        product_index: Int64[np.ndarray, " products"] | None = None,
        *,
        dim: int | None = None,
    ) -> StoredCatalogue:
        """Check that all fit each other, and leave out products that are no longer on sale.

        Args:
            products: Rows of the products table.
            vectors: Vector of each row.
            product_index: Index of each row; the number of the row where it is None.
            dim: Dimensions that a vector must have; any number where it is None.

        Raises:
            ShapeError: See `ProductStore.put`.
        """
        index = np.arange(products.num_rows) if product_index is None else product_index
        vectors = check_put(index, products, vectors, dim=dim)
        kept = is_on_sale(products)
        if kept.all():
            return cls(index, products, vectors)
        return cls(index[kept], products.filter(pa.array(kept)), vectors[kept])

    def part(self, begin: int, size: int) -> StoredCatalogue:
        """Return `size` products from the place `begin` on."""
        rows = slice(begin, begin + size)
        return StoredCatalogue(self.product_index[rows], self.products.slice(begin, size), self.vectors[rows])


def is_on_sale(products: pa.Table) -> np.ndarray:
    """Tell of each product whether it has not been removed by now."""
    if "removed_at" not in products.column_names or not pa.types.is_timestamp(products.schema.field("removed_at").type):
        return np.ones(products.num_rows, bool)
    removed = products.column("removed_at").cast(pa.timestamp("us", "UTC"))
    past = pc.less_equal(removed, pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")))
    return ~np.asarray(pc.fill_null(past, False))
