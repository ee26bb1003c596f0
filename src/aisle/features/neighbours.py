"""Neighbours in the graph of queries and products, as padded rows of a vector table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.ragged import expand_slices

__all__ = ["NO_NEIGHBOUR", "Neighbours"]

NO_NEIGHBOUR = -1
"""Index that pads a row."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The heaviest neighbours of some queries (products) or products (queries).

    Attributes:
        index: Rows of the other side's vector table; `NO_NEIGHBOUR` pads.
        weight: Weights of the edges, positive where there is one.
    """

    index: Int64[np.ndarray, "rows neighbours"]
    weight: Float32[np.ndarray, "rows neighbours"]

    @classmethod
    def from_edges(
        cls,
        offsets: Int64[np.ndarray, " nodes_plus_1"],
        index: Int64[np.ndarray, " edges"],
        weight: Float32[np.ndarray, " edges"],
        *,
        rows: Int64[np.ndarray, " rows"],
        most: int,
    ) -> Neighbours:
        """Take the first neighbours of some nodes out of ragged edges.

        Args:
            offsets: Where the edges of each node begin, as `aisle.core.ragged.offsets_of` makes them.
            index: The other end of each edge; a node's heaviest first.
            weight: Weight of each edge.
            rows: Wanted nodes; one that is negative or past the end has no neighbours.
            most: Neighbours that are taken of a node.
        """
        known = (rows >= 0) & (rows < len(offsets) - 1)
        node = np.where(known, rows, 0)
        begin = np.where(known, offsets[node], 0)
        end = np.where(known, np.minimum(offsets[np.minimum(node + 1, len(offsets) - 1)], begin + most), 0)
        place, found = expand_slices(begin, end)
        row = np.repeat(np.arange(len(rows)), np.diff(found))
        column = np.arange(len(place)) - np.repeat(found[:-1], np.diff(found))
        made = cls.none(len(rows), most)
        made.index[row, column] = index[place]
        made.weight[row, column] = weight[place]
        return made

    @classmethod
    def none(cls, num_rows: int, most: int = 1) -> Neighbours:
        """Return rows without neighbours."""
        return cls(np.full((num_rows, most), NO_NEIGHBOUR, np.int64), np.zeros((num_rows, most), np.float32))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.index)

    def take(self, rows: Int64[np.ndarray, " wanted"]) -> Neighbours:
        """Return these rows, in this order."""
        return Neighbours(self.index[rows], self.weight[rows])
