"""What is known of a version's base products beside their own fields: their boost, and the queries that led to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from aisle.core.errors import WorkspaceError
from aisle.features import Neighbours

__all__ = ["KnownProducts"]

_FILE = "known.safetensors"


@dataclass(frozen=True, eq=False)
class KnownProducts:
    """Values of the base products, by row; products that came later have none of their own.

    Attributes:
        boost: What quality adds to each product's score; None: there is no boost.
        new_boost: Boost of a product that came later.
        squared_norm: Squared norm of all boosted vectors.
        neighbours: Queries that led to each product, as rows of the model's vector table; None: of none is known any.
    """

    boost: Float32[np.ndarray, " products"] | None = None
    new_boost: float = 0.0
    squared_norm: float = 0.0
    neighbours: Neighbours | None = None

    def boost_of(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, " wanted"]:
        """Return the boost of products, old and new."""
        if self.boost is None:
            return np.zeros(len(product_index), np.float32)
        padded = np.append(self.boost, np.float32(self.new_boost))
        return padded[np.minimum(product_index, len(self.boost))]

    def neighbours_of(self, product_index: Int64[np.ndarray, " wanted"]) -> Neighbours | None:
        """Return the queries that led to products; a new one has none."""
        if self.neighbours is None or not len(self.neighbours):
            return None
        found = self.neighbours.take(np.minimum(product_index, len(self.neighbours) - 1))
        is_new = product_index >= len(self.neighbours)
        nothing = Neighbours.none(len(product_index), found.index.shape[1])
        index = np.where(is_new[:, None], nothing.index, found.index)
        return Neighbours(index, np.where(is_new[:, None], nothing.weight, found.weight))

    def save(self, folder: Path) -> None:
        """Write the values into an existing folder."""
        arrays = {"scalars": np.array([self.new_boost, self.squared_norm])}
        if self.boost is not None:
            arrays["boost"] = self.boost
        if self.neighbours is not None:
            arrays |= {"neighbours": self.neighbours.index.astype(np.int32), "weights": self.neighbours.weight}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> KnownProducts:
        """Read what `save` wrote.

        Raises:
            WorkspaceError: If the file is missing or damaged.
        """
        try:
            arrays = load_file(folder / _FILE)
            new_boost, squared_norm = arrays["scalars"].tolist()
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise WorkspaceError(
                "A version must hold what is known of its products",
                received={"path": str(folder / _FILE), "problem": str(error).partition("\n")[0]},
                remedy="Build another version.",
            ) from error
        neighbours = None
        if "neighbours" in arrays:
            neighbours = Neighbours(arrays["neighbours"].astype(np.int64), arrays["weights"])
        return cls(arrays.get("boost"), new_boost, squared_norm, neighbours)
