"""How several processes share the encoding of many rows: each encodes some blocks, and all have the whole after."""

from __future__ import annotations

from typing import Protocol

import numpy as np

__all__ = ["ALONE", "Alone", "Sharing"]


class Sharing(Protocol):
    """What a model asks of those that it shares its work with; all of them call it in the same order."""

    @property
    def own(self) -> slice:
        """Which of a list of blocks this process encodes; the others have the rest."""
        ...

    def whole(self, part: np.ndarray) -> np.ndarray:
        """Join what every process has made of an array of one shape; each leaves zeros where it has made nothing."""
        ...


class Alone:
    """One process, which has all the work."""

    @property
    def own(self) -> slice:
        """Every block."""
        return slice(None)

    def whole(self, part: np.ndarray) -> np.ndarray:
        """Return the array as it is."""
        return part


ALONE = Alone()
"""What a model has until it is told of others."""
