"""What the texts of a real catalogue say: words per product, and which words tell one group of products from others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from jaxtyping import Bool, Float32, Float64, Int64

from aisle.core.text import word_lists

__all__ = ["WordTable", "cut_phrases", "latent_vectors", "telling_phrases", "title_vectors", "with_bigrams"]

_LEAST_PRODUCTS = 3
"""Phrases in fewer products are nobody's usual words."""
_LEAST_LETTERS = 3
_PAIR_WEIGHT = 1.4
"""How much better two words are as a name than one: "memory card" says more than "card"."""
_DIMENSIONS = 64


@dataclass(frozen=True)
class WordTable:
    """Which phrases occur in which products."""

    phrases: tuple[str, ...]
    occurs: sp.csr_matrix
    """Shape [products, phrases]; 1 where the phrase occurs, however often."""


def cut_phrases(texts: pa.Array) -> WordTable:
    """Return the words of each text; a null has none."""
    lists = word_lists(texts)
    words = lists.flatten().dictionary_encode()
    row = np.repeat(np.arange(len(texts)), pc.list_value_length(lists).to_numpy(zero_copy_only=False))
    return _frequent(words.dictionary, words.indices.to_numpy(), row, num_rows=len(texts))


def with_bigrams(texts: pa.Array) -> WordTable:
    """Return the words of each text and the pairs of words that stand next to each other."""
    lists = word_lists(texts)
    words = lists.flatten().dictionary_encode()
    row = np.repeat(np.arange(len(texts)), pc.list_value_length(lists).to_numpy(zero_copy_only=False))
    word = words.indices.to_numpy().astype(np.int64)
    adjoin = row[1:] == row[:-1]
    pair, pair_of = np.unique(word[:-1][adjoin] * len(words.dictionary) + word[1:][adjoin], return_inverse=True)
    first, second = np.divmod(pair, max(len(words.dictionary), 1))
    pairs = pc.binary_join_element_wise(
        words.dictionary.take(pa.array(first)), words.dictionary.take(pa.array(second)), " "
    )
    return _frequent(
        pa.concat_arrays([words.dictionary, pairs]),
        np.concatenate([word, len(words.dictionary) + pair_of]),
        np.concatenate([row, row[1:][adjoin]]),
        num_rows=len(texts),
    )


def _frequent(
    phrases: pa.Array, phrase: Int64[np.ndarray, " items"], row: Int64[np.ndarray, " items"], *, num_rows: int
) -> WordTable:
    """Keep the phrases that are not rare."""
    counts = sp.csr_matrix((np.ones(len(row), np.float32), (row, phrase)), shape=(num_rows, len(phrases)))
    counts.data[:] = 1.0
    kept = np.flatnonzero(counts.getnnz(axis=0) >= min(_LEAST_PRODUCTS, num_rows))
    return WordTable(tuple(phrases.take(pa.array(kept)).to_pylist()), counts[:, kept])


def latent_vectors(table: WordTable, *, seed: int) -> Float32[np.ndarray, "products dims"]:
    """Return unit vectors by latent semantic analysis (tf-idf, truncated SVD)."""
    from sklearn.decomposition import TruncatedSVD

    num_rows, num_phrases = table.occurs.shape
    rarity = np.log((1 + num_rows) / (1 + table.occurs.getnnz(axis=0)))
    weighted = table.occurs @ sp.diags(rarity.astype(np.float32))
    dims = min(_DIMENSIONS, num_rows - 1, num_phrases - 1)
    if dims < 1:
        return np.ones((num_rows, 1), np.float32)
    vectors = TruncatedSVD(dims, random_state=seed % 2**32).fit_transform(weighted)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), np.float32)


def title_vectors(titles: pa.Array, *, seed: int) -> Float32[np.ndarray, "products dims"]:
    """Return unit vectors of titles; those that share words lie close."""
    return latent_vectors(cut_phrases(titles), seed=seed)


def telling_phrases(
    table: WordTable, group: Int64[np.ndarray, " products"], *, banned: frozenset[str]
) -> Float64[np.ndarray, "groups phrases"]:
    """Score how well each phrase tells a group of products from the others: often here, seldom elsewhere.

    Args:
        table: Phrases of the products.
        group: Group of each product, from 0.
        banned: Words that no telling phrase may contain, such as brands; nor may it contain digits or only short words.

    Returns:
        Share of the group's products with the phrase, times the logarithm of how much larger it is than over all
        products; 0 for phrases that may not tell.
    """
    num_groups = int(group.max()) + 1
    member = sp.csr_matrix((np.ones(len(group), np.float32), (group, np.arange(len(group)))))
    size = np.bincount(group, minlength=num_groups)
    here = np.asarray((member @ table.occurs).todense(), np.float64) / np.maximum(size, 1)[:, None]
    overall = np.asarray(table.occurs.mean(axis=0)).ravel()
    lift = np.divide(here, overall, out=np.ones_like(here), where=overall > 0)
    scores = here * np.maximum(np.log(np.maximum(lift, 1e-9)), 0.0)
    is_pair = np.array([" " in phrase for phrase in table.phrases], dtype=bool)
    return np.where(_may_tell(table.phrases, banned), scores * np.where(is_pair, _PAIR_WEIGHT, 1.0), 0.0)


def _may_tell(phrases: tuple[str, ...], banned: frozenset[str]) -> Bool[np.ndarray, " phrases"]:
    return np.array(
        [
            all(len(word) >= _LEAST_LETTERS and word.isalpha() and word not in banned for word in phrase.split())
            for phrase in phrases
        ],
        dtype=bool,
    )
