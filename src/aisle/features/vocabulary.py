"""A fixed list of known values: each has a number, and everything else is missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32

__all__ = ["MISSING", "Vocabulary"]

MISSING = 0
"""Number of a value that is null or not known."""


class Vocabulary:
    """Numbers known values from 1; 0 is missing.

    Args:
        values: Distinct values, in the order of their numbers.

    >>> Vocabulary(pa.array(["b", "a"])).numbers(pa.array(["a", None, "x", "b"])).tolist()
    [2, 0, 0, 1]
    """

    def __init__(self, values: pa.Array) -> None:
        self.values = values.cast(pa.string())
        self._number: dict[str, int] | None = None

    @classmethod
    def fit(cls, values: pa.Array, *, min_count: int, max_values: int) -> Vocabulary:
        """Learn the most frequent values; equally frequent ones go by their text.

        Args:
            values: One per row, null where there is none.
            min_count: Rows that a value needs.
            max_values: Most values that are kept.
        """
        counts = pc.value_counts(values.cast(pa.string()).drop_null())
        table = pa.table({"value": counts.field(0), "count": counts.field(1)})
        table = table.filter(pc.greater_equal(table.column("count"), min_count))
        table = table.sort_by([("count", "descending"), ("value", "ascending")]).slice(0, max_values)
        return cls(table.column("value").combine_chunks())

    def __len__(self) -> int:
        """Return how many numbers there are, the one for missing among them."""
        return len(self.values) + 1

    def number(self, value: str | None) -> int:
        """Look up the number of one value, without what a look-up of many prepares at every call."""
        if self._number is None:
            self._number = {known: place for place, known in enumerate(self.values.to_pylist(), start=1)}
        return MISSING if value is None else self._number.get(value, MISSING)

    def numbers(self, values: pa.Array) -> Int32[np.ndarray, " rows"]:
        """Look up the number of each value."""
        found = pc.fill_null(pc.index_in(values.cast(pa.string()), value_set=self.values, skip_nulls=True), -1)
        return np.asarray(found.to_numpy(zero_copy_only=False) + 1, np.int32)
