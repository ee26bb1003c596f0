"""Pseudo-queries cut from each product's own texts: training pairs for a shop that has no log yet.

A shopper's query names a few things about a product: what it is, whose it is, one or two properties. So a pseudo-query
is either a run of neighbouring words of the title, or a few words drawn from title, brand, category and attributes.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float32, Float64, Int64

from aisle.core.ragged import expand_slices, group_ranks
from aisle.core.text import word_lists
from aisle.features import ProductText
from aisle.training.pairs import TrainingPairs

__all__ = ["pseudo_query_pairs"]

_LENGTH_SHARES = (0.30, 0.36, 0.22, 0.12, 0.06, 0.04, 0.03, 0.02)
"""How often a pseudo-query has 1, 2, 3 … words; our choice, near what shops report of their queries."""

_RUN_SHARE = 0.4
"""Share of pseudo-queries that are runs of a title's neighbouring words."""

_FIELD_SHARES = {"title": 0.60, "brand": 0.10, "category": 0.12, "attributes": 0.10, "description": 0.08}
"""How often a drawn word comes from each field of a product that has them all; our choice. Titles name what shoppers
ask for; attributes and descriptions hold many words, of which few are ever typed."""


def pseudo_query_pairs(
    texts: ProductText, *, per_product: int, max_pairs: int, max_words: int, rng: np.random.Generator
) -> TrainingPairs:
    """Cut pseudo-queries from every product.

    Args:
        texts: Texts of the catalogue, in catalogue order.
        per_product: Pseudo-queries of each product.
        max_pairs: Most pairs, at least 1; of a large catalogue every product then gives fewer, or only some give one.
        max_words: Longest pseudo-query, in words: 1 to 8.
        rng: Source of randomness.

    Returns:
        Pairs of weight 1; a text that several products give is one query.
    """
    rounds = max(1, min(per_product, max_pairs // max(len(texts), 1)))
    pool = _WordPool.of(texts)
    found = [_cut(pool, max_words=max_words, rng=rng) for _ in range(rounds)]
    product = np.concatenate([rows for rows, _ in found])
    queries = pa.concat_arrays([strings for _, strings in found])
    if len(product) > max_pairs:
        kept = np.sort(rng.choice(len(product), max_pairs, replace=False))
        product, queries = product[kept], queries.take(pa.array(kept))
    return TrainingPairs.from_texts(queries, product, np.ones(len(product), np.float32))


class _WordPool:
    """All words of the catalogue that a pseudo-query may take: the titles', then the other fields' without repeats."""

    def __init__(
        self,
        product: np.ndarray,
        word: np.ndarray,
        in_title: np.ndarray,
        vocabulary: pa.Array,
        size: int,
        draw_weight: np.ndarray,
    ) -> None:
        self.product = product
        self.word = word
        self.in_title = in_title
        self.vocabulary = vocabulary
        self.size = size
        title_product = product[in_title]
        self.title_position = np.flatnonzero(in_title)
        self.title_begin = np.searchsorted(title_product, np.arange(size))
        self.title_length = np.bincount(title_product, minlength=size)
        self.draw_weight = draw_weight

    @classmethod
    def of(cls, texts: ProductText) -> _WordPool:
        lists = [word_lists(column) for column in texts.by_weight().values()]
        product = np.concatenate([np.repeat(np.arange(len(texts)), np.diff(one.offsets.to_numpy())) for one in lists])
        field = np.concatenate([np.full(len(one.flatten()), order) for order, one in enumerate(lists)])
        encoded = pa.concat_arrays([one.flatten() for one in lists]).dictionary_encode()
        word = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        order = np.lexsort((np.arange(len(product)), field, product))
        product, field, word = product[order], field[order], word[order]
        kept = (field == 0) | _first_in_product(product, word, len(encoded.dictionary))
        product, word, field = product[kept], word[kept], field[kept]
        weight = _draw_weights(product, word, field, encoded.dictionary, num_products=len(texts))
        return cls(product, word, field == 0, encoded.dictionary, len(texts), weight)


def _first_in_product(product: np.ndarray, word: np.ndarray, num_words: int) -> np.ndarray:
    _, first = np.unique(product * num_words + word, return_index=True)
    is_first = np.zeros(len(product), bool)
    is_first[first] = True
    return is_first


def _draw_weights(
    product: np.ndarray, word: np.ndarray, field: np.ndarray, vocabulary: pa.Array, *, num_products: int
) -> Float64[np.ndarray, " words"]:
    """Weigh words by how likely a shopper is to type them.

    Words that several products share (kinds of product, brands, materials) are typed more than part numbers that stand
    in one, and than words that stand nearly everywhere; a bare number says little without its unit. Each field of a
    product has its share, however many words it holds.
    """
    frequency = np.bincount(word, minlength=len(vocabulary)).astype(np.float64)
    shared = np.minimum(frequency, 50) ** 0.5 / (1 + frequency / (0.2 * num_products))
    wordy = pc.match_substring_regex(vocabulary, r"\p{L}").to_numpy(zero_copy_only=False)
    weight = (shared * np.where(wordy, 1.0, 0.2))[word]
    shares = np.array(list(_FIELD_SHARES.values()))
    group = product * len(shares) + field
    total = np.bincount(group, weights=weight, minlength=num_products * len(shares))
    return weight / total[group] * shares[field]


def _cut(pool: _WordPool, *, max_words: int, rng: np.random.Generator) -> tuple[np.ndarray, pa.Array]:
    """Cut one pseudo-query from every product that has a word."""
    shares = np.array(_LENGTH_SHARES[:max_words])
    length = rng.choice(np.arange(1, max_words + 1), size=pool.size, p=shares / shares.sum())
    is_run = (rng.random(pool.size) < _RUN_SHARE) & (pool.title_length > 0)
    run_product, run_position = _runs(pool, np.flatnonzero(is_run), length, rng)
    bag_product, bag_position = _bags(pool, ~is_run, length, rng)
    product = np.concatenate([run_product, bag_product])
    position = np.concatenate([run_position, bag_position])
    order = np.lexsort((position, product))
    product, position = product[order], position[order]
    rows, begin = np.unique(product, return_index=True)
    strings = pool.vocabulary.take(pa.array(pool.word[position]))
    lists = pa.ListArray.from_arrays(pa.array(np.append(begin, len(product)), pa.int32()), strings)
    return rows.astype(np.int64), pc.binary_join(lists, " ")


def _runs(
    pool: _WordPool, products: np.ndarray, length: np.ndarray, rng: np.random.Generator
) -> tuple[Int64[np.ndarray, " words"], Int64[np.ndarray, " words"]]:
    """Take a run of neighbouring words from each title."""
    available = pool.title_length[products]
    wanted = np.minimum(length[products], available)
    start = pool.title_begin[products] + (rng.random(len(products)) * (available - wanted + 1)).astype(np.int64)
    positions, _ = expand_slices(start, start + wanted)
    return np.repeat(products, wanted), pool.title_position[positions]


def _bags(
    pool: _WordPool, is_bag: np.ndarray, length: np.ndarray, rng: np.random.Generator
) -> tuple[Int64[np.ndarray, " words"], Int64[np.ndarray, " words"]]:
    """Draw words of each product without replacement, by weight (exponential keys: Efraimidis and Spirakis 2006)."""
    candidate = np.flatnonzero(is_bag[pool.product])
    keys: Float32[np.ndarray, " words"] = rng.exponential(size=len(candidate)) / pool.draw_weight[candidate]
    product = pool.product[candidate]
    order = np.lexsort((keys, product))
    rank = np.empty(len(candidate), np.int64)
    rank[order] = group_ranks(product[order], np.arange(len(order)))
    chosen = candidate[rank < length[product]]
    return pool.product[chosen], chosen
