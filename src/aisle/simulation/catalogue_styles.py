"""Styles of a real catalogue: sixteen groups of words that products use together, beyond what their type explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from jaxtyping import Bool, Float32, Int64

from aisle.simulation.catalogue_text import WordTable, cut_phrases, latent_vectors
from aisle.simulation.styles import NUM_STYLES, unit_rows

__all__ = ["CatalogueStyles", "find_styles"]

_LEAST_LETTERS = 4
_LEAST_PRODUCTS = 10
_MOST_COMMON = 0.2
"""Share of the products above which a word is nobody's style."""
_MOST_OF_ONE_TYPE = 0.5
"""Share of a word's products in one type above which it names the type."""
_WORDS_PER_STYLE = 6
"""Words by which shoppers ask for a style: its most frequent ones."""


@dataclass(frozen=True)
class CatalogueStyles:
    """A style space read from texts."""

    style: Float32[np.ndarray, "products styles"]
    """Unit rows: how much more of each group's words a product has than its type; zeros where it has none."""
    words: tuple[tuple[str, ...], ...]
    """Words of each style, the most frequent first; empty for styles that the catalogue is too small for."""


def find_styles(products: pa.Table, type_index: Int64[np.ndarray, " products"], *, seed: int) -> CatalogueStyles:
    """Group the words that products of several types share, by the products that they occur in together."""
    table = _style_words(products, type_index)
    if len(table.phrases) < NUM_STYLES:
        return CatalogueStyles(np.zeros((len(products), NUM_STYLES), np.float32), ((),) * NUM_STYLES)
    group = _group_words(table, seed=seed)
    rarity = np.log(len(products) / table.occurs.getnnz(axis=0)).astype(np.float32)
    of_group = sp.csr_matrix((rarity, (np.arange(len(group)), group)), shape=(len(group), NUM_STYLES))
    amount = np.asarray((table.occurs @ of_group).todense(), np.float64)
    amount /= np.maximum(amount.std(axis=0), 1e-9)  # else the group with most words would be everybody's style
    size = np.maximum(np.bincount(type_index), 1)
    usual = np.stack([np.bincount(type_index, column) / size for column in amount.T], axis=1)
    return CatalogueStyles(unit_rows(amount - usual[type_index]), _most_frequent(table, group))


def _style_words(products: pa.Table, type_index: Int64[np.ndarray, " products"]) -> WordTable:
    """Return the words that may tell a style: of letters, neither common nor rare, in several types, no brand."""
    texts = products.column("title").combine_chunks()
    if "description" in products.column_names:
        descriptions = pc.fill_null(products.column("description").combine_chunks().cast(pa.string()), "")
        texts = pc.binary_join_element_wise(texts, descriptions, " ")
    table = cut_phrases(texts)
    num = table.occurs.getnnz(axis=0)
    member = sp.csr_matrix((np.ones(len(type_index), np.float32), (type_index, np.arange(len(type_index)))))
    most_in_one = np.asarray((member @ table.occurs).max(axis=0).todense()).ravel()
    fits = _are_words(table.phrases, products) & (num >= _LEAST_PRODUCTS) & (num <= _MOST_COMMON * len(products))
    kept = np.flatnonzero(fits & (most_in_one <= _MOST_OF_ONE_TYPE * num))
    return WordTable(tuple(table.phrases[column] for column in kept), table.occurs[:, kept])


def _are_words(phrases: tuple[str, ...], products: pa.Table) -> Bool[np.ndarray, " phrases"]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    unfit = set(ENGLISH_STOP_WORDS)
    if "brand" in products.column_names:
        brands = pc.drop_null(pc.unique(products.column("brand").combine_chunks()))
        unfit |= set(pc.utf8_lower(brands).to_pylist())
    return np.array(
        [phrase.isalpha() and len(phrase) >= _LEAST_LETTERS and phrase not in unfit for phrase in phrases], dtype=bool
    )


def _group_words(table: WordTable, *, seed: int) -> Int64[np.ndarray, " words"]:
    """Cluster words by the products in which they occur together."""
    from sklearn.cluster import KMeans

    transposed = WordTable(tuple(map(str, range(table.occurs.shape[0]))), table.occurs.T.tocsr())
    vectors = latent_vectors(transposed, seed=seed)
    return KMeans(NUM_STYLES, random_state=seed % 2**32, n_init=1).fit_predict(vectors).astype(np.int64)


def _most_frequent(table: WordTable, group: Int64[np.ndarray, " words"]) -> tuple[tuple[str, ...], ...]:
    order = np.argsort(-table.occurs.getnnz(axis=0), kind="stable")
    return tuple(
        tuple(table.phrases[column] for column in order[group[order] == number][:_WORDS_PER_STYLE].tolist())
        for number in range(NUM_STYLES)
    )
