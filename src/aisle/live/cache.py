"""Vectors of searches that were encoded lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

import numpy as np
from jaxtyping import Float32

__all__ = ["VectorCache"]


class VectorCache:
    """Keeps the vectors of the searches that were asked last; threads may share it.

    Args:
        capacity: Most vectors; 0 keeps none, and every search is encoded.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._vectors: OrderedDict[Hashable, Float32[np.ndarray, "1 dim"]] = OrderedDict()
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self._vectors)

    def get(self, key: Hashable, encode: Callable[[], Float32[np.ndarray, "1 dim"]]) -> Float32[np.ndarray, "1 dim"]:
        """Return the vector of a key, encoding it where it is not there.

        Args:
            key: All that the vector depends on.
            encode: Makes it; called without a lock, so two threads may both encode what neither has.
        """
        with self._lock:
            found = self._vectors.get(key)
            if found is not None:
                self._vectors.move_to_end(key)
                self.hits += 1
                return found
            self.misses += 1
        vector = encode()
        if self._capacity > 0:
            with self._lock:
                self._vectors[key] = vector
                while len(self._vectors) > self._capacity:
                    self._vectors.popitem(last=False)
        return vector

    def clear(self) -> None:
        """Forget all vectors; the counts stay."""
        with self._lock:
            self._vectors.clear()
