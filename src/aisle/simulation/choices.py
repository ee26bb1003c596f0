"""Vectorised draws: Zipf weights, one option per owner, phrases from pools, sentences around a slot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float64, Int64

from aisle.core.rng import generator

__all__ = ["NOTHING", "Chances", "OptionTable", "PhrasePool", "SentencePool", "join_words", "zipf_weights"]

NOTHING = -1
"""Where an owner has no option."""


def zipf_weights(num: int, *, shift: float = 0.0) -> Float64[np.ndarray, " num"]:
    """Return probabilities proportional to 1 / (rank + shift), rank from 1; a larger shift makes them more even.

    >>> zipf_weights(2).round(2).tolist()
    [0.67, 0.33]
    """
    weights = 1.0 / (np.arange(1, num + 1) + shift)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


class Chances:
    """Named uniform draws in [0, 1), one per product; the variants of one model share theirs.

    Variants of a product are the same listing in another colour: one seller wrote them, so they are worded alike.
    """

    def __init__(self, seed: int, model_index: Int64[np.ndarray, " products"]) -> None:
        self._seed = seed
        self._model_index = model_index
        self._num_models = int(model_index.max()) + 1

    def of_model(self, *names: str) -> Float64[np.ndarray, " products"]:
        """Draw once per model, repeated for its variants."""
        draws = generator(self._seed, *names).random(self._num_models)
        return np.asarray(draws[self._model_index])

    def of_product(self, *names: str) -> Float64[np.ndarray, " products"]:
        """Draw once per product."""
        return generator(self._seed, *names).random(len(self._model_index))


class OptionTable:
    """The options of every owner, ragged: owner o has `sizes[o]` of them, numbered through over all owners.

    >>> OptionTable([2, 0, 3]).pick(np.array([0, 1, 2]), np.array([0.0, 0.5, 0.99])).tolist()
    [0, -1, 4]
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.count = np.asarray(sizes, dtype=np.int64)
        self.start = np.cumsum(self.count) - self.count

    def pick(
        self, owner: Int64[np.ndarray, " rows"], chance: Float64[np.ndarray, " rows"], *, skew: float = 1.0
    ) -> Int64[np.ndarray, " rows"]:
        """Choose an option of each row's owner.

        Args:
            owner: Owner of each row, or `NOTHING`.
            chance: Uniform draws in [0, 1).
            skew: 1 draws evenly; above 1 the first options come more often (2: the first of three in 58 % of rows).

        Returns:
            Number of the option over all owners; `NOTHING` where there is none.
        """
        known = np.where(owner >= 0, owner, 0)
        count = np.where(owner >= 0, self.count[known], 0)
        position = self.start[known] + np.floor(count * chance**skew).astype(np.int64)
        return np.where(count > 0, position, NOTHING)


class PhrasePool:
    """Phrases of every owner, most usual first."""

    def __init__(self, phrases: Sequence[Sequence[str]]) -> None:
        self._options = OptionTable([len(of_owner) for of_owner in phrases])
        self._flat = pa.array([phrase for of_owner in phrases for phrase in of_owner], pa.string())

    def pick(self, owner: Int64[np.ndarray, " rows"], chance: Float64[np.ndarray, " rows"]) -> pa.Array:
        """Choose a phrase of each row's owner, the first ones more often; null where there is none."""
        option = self._options.pick(owner, chance, skew=2.0)
        return self._flat.take(pa.array(option, mask=option < 0))


class SentencePool:
    """Sentences with one `{}`."""

    def __init__(self, sentences: Sequence[str]) -> None:
        parts = [sentence.split("{}") for sentence in sentences]
        self._before = pa.array([before for before, _ in parts], pa.string())
        self._after = pa.array([after for _, after in parts], pa.string())

    def fill(self, phrases: pa.Array, chance: Float64[np.ndarray, " rows"]) -> pa.Array:
        """Put each phrase into a sentence; null stays null."""
        choice = pa.array(np.floor(len(self._before) * chance).astype(np.int64))
        return pc.binary_join_element_wise(self._before.take(choice), phrases, self._after.take(choice), "")


def join_words(parts: Sequence[pa.Array]) -> pa.Array:
    """Join string columns row by row with single spaces, leaving nulls out; null where all parts are null."""
    # Arrow drops rows in which every part is null, so each row starts with an empty part, trimmed off again.
    empty = pa.repeat(pa.scalar("", pa.string()), len(parts[0]))
    joined = pc.utf8_ltrim_whitespace(pc.binary_join_element_wise(empty, *parts, " ", null_handling="skip"))
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)
