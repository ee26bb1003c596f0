"""Ids of products that come and go: numbered once, never again for another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

from aisle.core.ids import UNKNOWN

__all__ = ["LiveIds"]


class LiveIds:
    """Product id → index: a base catalogue's rows, then new ids in the order in which they came.

    One thread adds, any number look up.

    >>> ids = LiveIds(pa.array(["a", "b"]))
    >>> ids.claim(["c", "a", "c"]).tolist(), ids.index_of(["c", "x"]).tolist()
    ([2, 0, 2], [2, -1])

    Args:
        base: Ids of the base catalogue, distinct, in the order of its rows.
    """

    def __init__(self, base: pa.Array | pa.ChunkedArray) -> None:
        self._index: dict[str, int] = dict(zip(base.to_pylist(), range(len(base)), strict=True))
        self.num_base = len(base)

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self._index)

    def index_of(self, ids: Sequence[str]) -> Int64[np.ndarray, " ids"]:
        """Look up indices; -1 where an id is not known."""
        index = self._index
        return np.fromiter((index.get(one, UNKNOWN) for one in ids), np.int64, len(ids))

    def claim(self, ids: Sequence[str]) -> Int64[np.ndarray, " ids"]:
        """Look up indices, and give new ids the next ones in their order."""
        index = self._index
        for one in ids:
            if one not in index:
                index[one] = len(index)
        return self.index_of(ids)
