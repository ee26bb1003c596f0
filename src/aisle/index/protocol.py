"""What every vector index can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.ranking import Ranking

__all__ = ["VectorIndex"]


@runtime_checkable
class VectorIndex(Protocol):
    """A built, read-only index over the vectors of a catalogue.

    How an index is built differs from kind to kind, so building and loading are class methods of each kind
    and stand behind `build_index` and `load_index`; what stands here is what any user of an index may rely
    on.
    """

    @property
    def kind(self) -> str:
        """Name of the kind in tables, JSON and `index.json`, such as "hnsw"."""
        ...

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        ...

    @property
    def num_products(self) -> int:
        """Vectors in the index; a product's index is the row that its vector was built from."""
        ...

    @property
    def num_bytes(self) -> int:
        """Bytes of memory that vectors and graph take."""
        ...

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters that shape results and speed, JSON-able, for the manifest."""
        ...

    def search(self, queries: Float32[np.ndarray, "queries dim"], *, k: int) -> Ranking:
        """Return the k products with the largest inner product, best first.

        Equal scores stand in the order of product index. Which of several products that tie for the last
        place is returned is not defined.

        Args:
            queries: Query vectors; any floating type, searched in float32.
            k: Places per query, at least 1; places beyond the number of products hold `NO_PRODUCT`.

        Raises:
            UsageError: If k is below 1.
            ShapeError: If `queries` is not [queries, dim] or holds a value that is not finite.
        """
        ...

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return the vectors of these products as they are stored: their inner products are the scores of `search`."""
        ...

    def save(self, folder: Path) -> None:
        """Write the index into a folder (made if it is missing), to be read by `load_index`."""
        ...
