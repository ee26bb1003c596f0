"""Hashing of words and of their character n-grams into slots, through scikit-learn's `HashingVectorizer`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Int64
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils import murmurhash3_32

__all__ = ["NgramHasher"]

_FEW = 64
"""Up to so many strings are looked up one by one in a cache: a query's words recur, and for so few the library's checks
take longer than its hashing."""

_CACHED = 100_000

_MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: multiplying by it spreads neighbouring numbers over the upper bits (Knuth, volume 3,
6.4)."""


class NgramHasher:
    """Finds the slots of strings; the same string has the same slots in every process.

    Args:
        num_slots: Slots.
        min_char_ngram: Shortest character n-gram.
        max_char_ngram: Longest character n-gram.
    """

    def __init__(self, num_slots: int, *, min_char_ngram: int, max_char_ngram: int) -> None:
        def hasher(analyzer: object) -> HashingVectorizer:
            return HashingVectorizer(
                n_features=num_slots,
                analyzer=analyzer,
                ngram_range=(min_char_ngram, max_char_ngram),
                lowercase=False,
                norm=None,
                binary=True,
                alternate_sign=False,
                dtype=np.float32,
            )

        self._num_slots = num_slots
        self._whole_hasher, self._char_hasher = hasher(_whole), hasher("char_wb")
        # What the vectoriser does to one string, without its checks.
        self._whole_of_one = lru_cache(_CACHED)(lambda text: abs(murmurhash3_32(_whole(text)[0])) % num_slots)
        self._chars_of_one = lru_cache(_CACHED)(
            lambda word: self._char_hasher.transform([word]).indices.astype(np.int64)
        )

    def whole(self, strings: list[str]) -> Int64[np.ndarray, " strings"]:
        """Hash whole strings, one slot each."""
        if len(strings) <= _FEW:
            return np.array([self._whole_of_one(text) for text in strings], np.int64)
        return np.asarray(self._whole_hasher.transform(strings).indices, np.int64)

    def pairs(
        self, left: Int64[np.ndarray, " pairs"], right: Int64[np.ndarray, " pairs"]
    ) -> Int64[np.ndarray, " pairs"]:
        """Hash ordered pairs of strings, given the slot of each; no string has to be joined for it."""
        key = (left * self._num_slots + right).astype(np.uint64)
        return ((key * _MIXER >> np.uint64(32)) % np.uint64(self._num_slots)).astype(np.int64)

    def chars(self, words: list[str]) -> tuple[Int64[np.ndarray, " words_plus_1"], Int64[np.ndarray, " ngrams"]]:
        """Hash the distinct character n-grams of words with their borders.

        Returns:
            Where each word's slots begin, and all slots.
        """
        if len(words) <= _FEW:
            found = [self._chars_of_one(word) for word in words]
            return np.concatenate([[0], np.cumsum([len(one) for one in found])]).astype(np.int64), _joined(found)
        hashed = self._char_hasher.transform(words)
        return hashed.indptr.astype(np.int64), hashed.indices.astype(np.int64)


def _whole(text: str) -> list[str]:
    """Analyse a string as one feature; the mark keeps words apart from character n-grams of the same letters."""
    return ["\x02" + text]


def _joined(arrays: list[Int64[np.ndarray, " some"]]) -> Int64[np.ndarray, " all"]:
    return np.concatenate(arrays) if arrays else np.empty(0, np.int64)
