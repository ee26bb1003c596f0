"""What an epoch draws where training goes on from a model: batches of the new days, and some of those it has learnt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from aisle.core.errors import UsageError

__all__ = ["LEAST_NEW", "Replay"]

LEAST_NEW = 64
"""Positives that a slice of new days needs, or as many as a batch has: in-batch negatives would be too few."""

_Rows = Int64[np.ndarray, " positives"]


@dataclass(frozen=True, eq=False)
class Replay:
    """Positives of the new days and of those before, slice by slice.

    Attributes:
        size: Positives of a batch; every batch is of one slice.
        new: Positives of new days, each with `size` of them at least.
        learnt: Positives that were learnt from, likewise.
        passes: Passes over the new ones.
        share: Share of an epoch's batches that are of learnt ones.
    """

    size: int
    new: Sequence[_Rows]
    learnt: Sequence[_Rows]
    passes: int
    share: float

    @classmethod
    def of(
        cls,
        slices: Mapping[int, _Rows],
        is_new: Bool[np.ndarray, " positives"],
        *,
        most: int,
        passes: int,
        share: float,
    ) -> Replay:
        """Tell the new positives of each slice from the others.

        Batches have at most `most` rows, and fewer where new days would not fill them: all of a usual slice is drawn.

        Args:
            slices: Positives of each slice.
            is_new: Which of all positives are new.
            most: Most rows of a batch.
            passes: Passes over the new ones.
            share: Share of learnt batches.

        Raises:
            UsageError: If no slice has enough new positives.
        """
        new = [rows[is_new[rows]] for rows in slices.values()]
        least = min(LEAST_NEW, most)
        numbers = [len(rows) for rows in new if len(rows)]
        new = [rows for rows in new if len(rows) >= least]
        if not new:
            raise UsageError(
                f"Going on from a model needs a slice with at least {least} new positives",
                received={"new_positives_by_slice": numbers},
                remedy="Wait for more days, or train anew without --from.",
            )
        usual = int(np.median([len(rows) for rows in new]))
        size = usual // math.ceil(usual / most)
        learnt = [rows[~is_new[rows]] for rows in slices.values()]
        return cls(size, _of_size(new, size), _of_size(learnt, size), passes=passes, share=share)

    @property
    def num_new(self) -> int:
        """Batches of new days in an epoch."""
        return self.passes * sum(len(rows) // self.size for rows in self.new)

    @property
    def num_learnt(self) -> int:
        """Batches of learnt days in an epoch."""
        there = sum(len(rows) // self.size for rows in self.learnt)
        return min(there, round(self.num_new * self.share / (1 - self.share)))

    def draw(self, rng: np.random.Generator) -> Int64[np.ndarray, "batches size"]:
        """Draw the batches of an epoch in a random order: every pass cuts the new ones anew."""
        new = [_cut(rows, self.size, rng) for _ in range(self.passes) for rows in self.new]
        learnt = [_cut(rows, self.size, rng) for rows in self.learnt]
        replayed = rng.permutation(np.concatenate([*learnt, np.empty((0, self.size), np.int64)]))[: self.num_learnt]
        return rng.permutation(np.concatenate([*new, replayed]))


def _cut(rows: _Rows, size: int, rng: np.random.Generator) -> Int64[np.ndarray, "batches size"]:
    return rng.permutation(rows)[: len(rows) // size * size].reshape(-1, size)


def _of_size(parts: Sequence[_Rows], size: int) -> list[_Rows]:
    return [rows for rows in parts if len(rows) >= size]
