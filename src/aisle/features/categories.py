"""Category paths as one known prefix per depth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32

from aisle.core.text import normalise_texts
from aisle.features.vocabulary import Vocabulary

__all__ = ["CategoryPaths", "path_prefixes"]

# No name of a category holds it: normalisation turns it into a space.
_SEPARATOR = "\x1f"


class CategoryPaths:
    """Numbers the prefixes of category paths, depth by depth.

    A path that is known down to some depth keeps that much: where a leaf is new, its parent still counts.

    Args:
        depths: Known prefixes of one name, of two names, and so on.
    """

    def __init__(self, depths: list[Vocabulary]) -> None:
        self.depths = depths

    @classmethod
    def fit(cls, category: pa.Array, *, max_depth: int, min_count: int, max_values: int) -> CategoryPaths:
        """Learn the prefixes that stand in enough products."""
        prefixes = path_prefixes(category, max_depth)
        return cls([Vocabulary.fit(one, min_count=min_count, max_values=max_values) for one in prefixes])

    def numbers(self, category: pa.Array) -> Int32[np.ndarray, "rows depth"]:
        """Look up the prefix of each row at each depth; 0 where the path ends or is not known so far down."""
        prefixes = path_prefixes(category, len(self.depths))
        columns = [known.numbers(found) for known, found in zip(self.depths, prefixes, strict=True)]
        return np.stack(columns, axis=1) if columns else np.zeros((len(category), 0), np.int32)


def path_prefixes(category: pa.Array, max_depth: int) -> list[pa.Array]:
    """Return the prefixes of one name, of two names, …; null where a path is shorter or has no name there.

    Args:
        category: Lists of names, root first.
        max_depth: Longest prefix, in names.
    """
    begin, end = _bounds(category)
    names = normalise_texts(category.values.cast(pa.string()))
    prefixes: list[pa.Array] = []
    for depth in range(max_depth):
        place = begin + depth
        name = names.take(pa.array(place, pa.int64(), mask=place >= end))
        name = pc.if_else(pc.equal(name, ""), pa.scalar(None, pa.string()), name)
        prefixes.append(pc.binary_join_element_wise(prefixes[-1], name, _SEPARATOR) if prefixes else name)
    return prefixes


def _bounds(category: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return where each row's names begin and end; a null row has none."""
    offsets = category.offsets.to_numpy().astype(np.int64)
    present = pc.is_valid(category).to_numpy(zero_copy_only=False)
    return offsets[:-1], np.where(present, offsets[1:], offsets[:-1])
