"""What every product store can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.ranking import Ranking
from aisle.store.filters import NO_FILTER, ProductFilter

__all__ = ["FacetCount", "ProductStore"]

FacetCount = tuple[str, int]
"""A value of a field and the number of products that have it; a category is its path joined by " > "."""


@runtime_checkable
class ProductStore(Protocol):
    """Vectors, words and fields of the products on sale: what serving searches.

    A product is known here by its `product_index`, an integer that the caller gives it and never gives to another.
    A store is derived: the imported catalogue and the journal are the truth, and a store that is lost is built again
    from them. So it need not be durable at every write, but it must know how far it is: after a crash, `applied_offset`
    is never beyond what the store holds, and applying the changes after it once more ends in the same state.

    Searching threads and one writing thread may call at the same time; a search sees each product as it was before a
    write or after it, never between.
    """

    @property
    def kind(self) -> str:
        """Name of the kind in tables and JSON, such as "qdrant-edge"."""
        ...

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        ...

    @property
    def num_products(self) -> int:
        """Products that can be found now."""
        ...

    @property
    def is_writable(self) -> bool:
        """Whether products can be put and deleted."""
        ...

    @property
    def applied_offset(self) -> int:
        """Journal offset up to which all changes are in the store for good; that of `flush`, or of building it."""
        ...

    def put(
        self,
        product_index: Int64[np.ndarray, " products"],
        products: pa.Table,
        vectors: Float32[np.ndarray, "products dim"],
    ) -> None:
        """Add products, or replace those of the same index whole; found by the next search.

        Args:
            product_index: Distinct indices.
            products: Rows of the products table, in the same order; extra columns are kept.
            vectors: Their vectors, finite.

        Raises:
            UsageError: If the store is not writable.
            ShapeError: If the three are not of one length, or vectors are not finite or of another width.
        """
        ...

    def delete(self, product_index: Int64[np.ndarray, " products"]) -> None:
        """Take products out; those that are not there are no error.

        Raises:
            UsageError: If the store is not writable.
        """
        ...

    def search(
        self, queries: Float32[np.ndarray, "queries dim"], *, k: int, where: ProductFilter = NO_FILTER
    ) -> Ranking:
        """Return the k products of the largest inner product among those that pass the filter.

        Filters are exact, and k places are filled wherever so many products pass.

        Raises:
            UsageError: If k is below 1.
            ShapeError: If `queries` is not [queries, dim] or not finite.
        """
        ...

    def search_words(self, texts: Sequence[str], *, k: int, where: ProductFilter = NO_FILTER) -> Ranking:
        """Return the k products of the highest BM25 score among those that pass the filter.

        Words, weights and formula are those of `retrieval.LexicalRetriever`, so scores agree with it on one catalogue
        (the average length of texts is that of building the store). A product without any of a query's words is no
        result.
        """
        ...

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return these products' vectors, whose inner products are the scores of `search`; 0 for a missing one."""
        ...

    def products(self, product_index: Int64[np.ndarray, " wanted"]) -> list[dict[str, Any] | None]:
        """Return the fields of these products as they were put; None for one that is not there."""
        ...

    def count(self, where: ProductFilter = NO_FILTER) -> int:
        """Return how many products pass, exactly."""
        ...

    def facets(
        self, fields: Sequence[str], *, where: ProductFilter = NO_FILTER, most: int = 20
    ) -> dict[str, list[FacetCount]]:
        """Count the values of fields among the products that pass, the most frequent first.

        Args:
            fields: Among `FACET_FIELDS`, or `attributes.NAME`. A product counts for every path above its category.
            where: Which products.
            most: Values per field; equal counts stand in the order of value.

        Raises:
            UsageError: If a field is not among these.
        """
        ...

    def flush(self, applied_offset: int) -> None:
        """Bring all that was written to disk, then note the journal offset up to which that was all."""
        ...

    def close(self) -> None:
        """Release files and memory; what was not flushed may be lost."""
        ...
