"""Hashed n-grams of one short text: what `TermFeaturiser` finds for it in a column, in a quarter of the time.

A live query is one row of a few words, for which arithmetic over columns is mostly the cost of calling it. Here what
depends on a word alone is looked up, and only their meeting is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.text import words
from aisle.features.config import TermConfig
from aisle.features.hashing import NgramHasher

__all__ = ["MOST_CHARACTERS", "QueryNgrams"]

MOST_CHARACTERS = 500
"""Longer texts are columns of one: they have no few words."""

_CACHED_WORDS = 100_000


class QueryNgrams:
    """Finds the distinct n-grams of one text.

    Args:
        config: Settings; the limit is that of queries.
        stems: Reduces words to stems.
        hasher: Finds slots.
        idf: Inverse document frequency per slot; 0 where an n-gram is not known.
    """

    def __init__(
        self,
        config: TermConfig,
        *,
        stems: Callable[[list[str]], list[str]],
        hasher: NgramHasher,
        idf: Float32[np.ndarray, " slots"],
    ) -> None:
        self._config, self._stems, self._hasher, self._idf = config, stems, hasher, idf
        self._of_word = lru_cache(_CACHED_WORDS)(self._look_up)

    def of(self, text: str) -> tuple[Int64[np.ndarray, " ngrams"], Float32[np.ndarray, " ngrams"]]:
        """Return slots of known n-grams, ascending, and their weights."""
        known = [self._of_word(word) for word in words(text)]
        stem = np.array([slot for slot, _, _ in known], np.int64)
        found = [(stem, np.ones(len(stem), np.float32))]
        pairs = self._hasher.pairs(stem[:-1], stem[1:])
        found.append((pairs, np.full(len(pairs), self._config.bigram_weight, np.float32)))
        found += [(slots, weight) for _, slots, weight in known]
        kind = np.repeat([0, 1, 2], [len(stem), len(pairs), sum(len(slots) for _, slots, _ in known)])
        slot, weight = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return self._distinct(slot, weight, kind)

    def _look_up(self, word: str) -> tuple[int, Int64[np.ndarray, " ngrams"], Float32[np.ndarray, " ngrams"]]:
        """Return the slot of a word's stem, and its character n-grams with the weight of each."""
        _, chars = self._hasher.chars([word])
        share = np.full(len(chars), self._config.char_weight / max(len(chars), 1), np.float32)
        return int(self._hasher.whole(self._stems([word]))[0]), chars, share

    def _distinct(
        self,
        slot: Int64[np.ndarray, " found"],
        weight: Float32[np.ndarray, " found"],
        kind: Int64[np.ndarray, " found"],
    ) -> tuple[Int64[np.ndarray, " ngrams"], Float32[np.ndarray, " ngrams"]]:
        """Keep each slot once, as the best kind that it was found as, and the best kinds under the limit."""
        weight = weight * self._idf[slot]
        if not weight.all():
            kept = weight > 0
            slot, weight, kind = slot[kept], weight[kept], kind[kept]
        # Stable: of equal slots the first stays first, and kinds were found in the order of their rank.
        order = slot.argsort(kind="stable")
        ordered = slot[order]
        is_first = np.ones(len(order), bool)
        np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
        once = order[is_first]
        if len(once) > self._config.max_query_ngrams:
            once = once[np.sort(kind[once].argsort(kind="stable")[: self._config.max_query_ngrams])]
        return slot[once], weight[once]
