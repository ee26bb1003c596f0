"""The bijection between outside ids (strings) and inside indices (contiguous integers)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import repeat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from aisle.core.errors import TableError

__all__ = ["UNKNOWN", "IdMap"]

UNKNOWN = -1
"""Index of an id that the map does not know."""

_FEW = 4096
"""A call with at most this many ids is a small one: hashing all known ids for it would take longer than the rest."""


class IdMap:
    """Immutable bijection id ↔ index; index is the position in the sequence that it was built from.

    >>> ids = IdMap(["b", "a"])
    >>> ids.index_of(["a", "x"]).tolist()
    [1, -1]
    >>> ids.id_of([1, 0])
    ['a', 'b']
    """

    def __init__(self, ids: Iterable[str] | pa.Array | pa.ChunkedArray) -> None:
        array = ids if isinstance(ids, pa.Array | pa.ChunkedArray) else pa.array(list(ids), pa.string())
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        self._ids: pa.Array = array.cast(pa.string())
        self._num_small_calls = 0
        num_distinct = len(pc.unique(self._ids))
        if self._ids.null_count or num_distinct != len(self._ids):
            raise TableError(
                "Ids must be present and distinct",
                received={"ids": len(self._ids), "distinct": num_distinct, "missing": self._ids.null_count},
                remedy="Validate the table first; duplicates are quarantined there.",
            )

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self._ids)

    @property
    def ids(self) -> pa.Array:
        """All ids in index order, as an Arrow string array."""
        return self._ids

    def index_of(self, ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> Int64[np.ndarray, " ids"]:
        """Look up indices; `UNKNOWN` (-1) where the map does not hold the id."""
        wanted = ids if isinstance(ids, pa.Array | pa.ChunkedArray) else pa.array(list(ids), pa.string())
        wanted = wanted.cast(pa.string())
        if len(wanted) <= _FEW:
            self._num_small_calls += 1
            # Arrow hashes all known ids at every call: fine once, not for every request of a service.
            if self._num_small_calls > 1:
                return self._look_up(wanted.to_pylist())
        found = pc.index_in(wanted, value_set=self._ids)
        return np.asarray(pc.fill_null(found, UNKNOWN).cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)

    def _look_up(self, ids: Sequence[str | None]) -> Int64[np.ndarray, " ids"]:
        index, unknown = self._index, repeat(UNKNOWN)
        return np.fromiter(map(index.get, ids, unknown), np.int64, len(ids))

    @cached_property
    def _index(self) -> dict[str | None, int]:
        return dict(zip(self._ids.to_pylist(), range(len(self._ids)), strict=True))

    def id_of(self, indices: Sequence[int] | Int64[np.ndarray, " indices"]) -> list[str]:
        """Return the ids at these indices.

        Raises:
            IndexError: If an index is not in the map (our own invariant, not a user's mistake).
        """
        wanted = np.asarray(indices, dtype=np.int64)
        if len(wanted) and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise IndexError(f"indices must lie in 0..{len(self) - 1}")
        return list(self._ids.take(pa.array(wanted, pa.int64())).to_pylist())
