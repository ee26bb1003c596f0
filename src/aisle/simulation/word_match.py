"""How much of a query stands in a product's texts: the share of its words, rare words counting more."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float32, Int64

from aisle.core.text import word_lists

__all__ = ["WordMatch"]

_CHUNK = 50_000
_UNKNOWN = -1


class WordMatch:
    """Words of all products, looked up pair by pair. Plural endings are dropped, nothing else is understood."""

    def __init__(self, texts: pa.Array) -> None:
        words, product = [], []
        for start in range(0, len(texts), _CHUNK):
            lists = word_lists(texts.slice(start, _CHUNK))
            words.append(_singular(lists.flatten()))
            product.append(start + np.repeat(np.arange(len(lists)), np.asarray(lists.value_lengths())))
        encoded = pa.chunked_array(words, pa.string()).combine_chunks().dictionary_encode()
        self._vocabulary = encoded.dictionary
        self._num_words = max(1, len(self._vocabulary))
        word = encoded.indices.to_numpy().astype(np.int64)
        self._pairs = np.unique(np.concatenate([*product, np.empty(0, np.int64)]) * self._num_words + word)
        num_holding = np.bincount(self._pairs % self._num_words, minlength=self._num_words)
        self._rarity = np.log1p(len(texts) / np.maximum(num_holding, 1)).astype(np.float32)

    def share(
        self, queries: pa.Array, products: Int64[np.ndarray, "queries places"]
    ) -> Float32[np.ndarray, "queries places"]:
        """Return from 0 to 1 how much of each query each of its products has.

        Args:
            queries: Raw texts.
            products: Products of each query, none missing.
        """
        lists = word_lists(queries)
        word = pc.fill_null(pc.index_in(_singular(lists.flatten()), value_set=self._vocabulary), _UNKNOWN).to_numpy()
        length = np.asarray(lists.value_lengths())
        start = np.cumsum(length) - length
        found, total = np.zeros(products.shape, np.float32), np.zeros(len(queries), np.float32)
        for place in range(int(length.max(initial=0))):
            rows = np.flatnonzero(length > place)
            of_row = word[start[rows] + place]
            # A word that no product has is as rare as can be: nothing makes up for it.
            weight = np.where(of_row >= 0, self._rarity[np.maximum(of_row, 0)], self._rarity.max(initial=0))
            total[rows] += weight
            found[rows] += weight[:, None] * self._holds(products[rows], of_row)
        return found / np.maximum(total, np.float32(1e-6))[:, None]

    def _holds(self, products: Int64[np.ndarray, "rows places"], word: Int64[np.ndarray, " rows"]) -> np.ndarray:
        wanted = products * self._num_words + word[:, None]
        at = np.minimum(np.searchsorted(self._pairs, wanted), len(self._pairs) - 1)
        return (self._pairs[at] == wanted) & (word >= 0)[:, None]


def _singular(words: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(words, pattern=r"([^s])e?s$", replacement=r"\1")
