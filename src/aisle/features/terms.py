"""Term features: hashed word 1–2-grams and character n-grams with inverse document frequency.

Everything that depends on a word alone (its character n-grams, their buckets) is computed once per distinct word and
spread over the texts by index arithmetic, so no Python loop runs over texts, words or characters of a catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int32, Int64

from aisle.core.ragged import expand_slices, group_ranks, offsets_of
from aisle.core.text import word_lists
from aisle.features.analyser import Analyser
from aisle.features.config import TermConfig
from aisle.features.hashing import NgramHasher
from aisle.features.query_ngrams import MOST_CHARACTERS, QueryNgrams

__all__ = ["TermFeaturiser", "Terms", "num_slots"]

# Order in which a limit on length keeps n-grams: a kind counts as that many fields later. So the words of title, brand,
# category and attributes come first, then bigrams of the title beside words of the description, then character n-grams.
_WORD, _BIGRAM, _CHAR = 0, 4, 5


@dataclass(frozen=True)
class Terms:
    """Ragged rows of hashed n-grams: row i is `bucket[offsets[i]:offsets[i + 1]]`.

    Attributes:
        offsets: Where each row begins; one more entry than rows.
        bucket: Row of the embedding table.
        weight: Inverse document frequency times the kind's weight; positive.
    """

    offsets: Int64[np.ndarray, " rows_plus_1"]
    bucket: Int32[np.ndarray, " ngrams"]
    weight: Float32[np.ndarray, " ngrams"]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.offsets) - 1

    def take(self, rows: Int64[np.ndarray, " wanted"]) -> Terms:
        """Return these rows, in this order."""
        positions, offsets = expand_slices(self.offsets[rows], self.offsets[rows + 1])
        return Terms(offsets, self.bucket[positions], self.weight[positions])


def num_slots(config: TermConfig) -> int:
    """Return how many hashes n-grams are counted in."""
    return _SLOTS_PER_BUCKET * config.num_buckets


_SLOTS_PER_BUCKET = 32
"""Finer hashes, in which n-grams are counted: in the table's own buckets nearly every unknown n-gram would meet a known
one (a catalogue of 20,000 products fills nine buckets of ten), and be taken for it."""


class TermFeaturiser:
    """Turns texts into `Terms`; holds the inverse document frequency of every n-gram that it knows.

    An n-gram that neither a product nor a training query has is left out: its row of the table would be a random one,
    of the highest weight.

    Args:
        config: Settings.
        idf: Inverse document frequency per slot, as `fit` computes it; 0 where an n-gram is not known. A slot is a
            hash finer than a bucket.

    Source: Etsy's unified embedding reads tokens of title and query through a shared table (Jha et al. 2023,
    section 3); hashing and the character n-grams are ours.
    """

    def __init__(self, config: TermConfig, idf: Float32[np.ndarray, " buckets"]) -> None:
        self.config = config
        self.idf = idf
        self._field_weights = {"attributes": config.attribute_weight, "description": config.description_weight}
        self._analyser = Analyser(config.stemmer)
        self._hasher = NgramHasher(
            num_slots(config), min_char_ngram=config.min_char_ngram, max_char_ngram=config.max_char_ngram
        )
        self._query_ngrams = QueryNgrams(config, stems=self._analyser.stems, hasher=self._hasher, idf=idf)

    @classmethod
    def fit(
        cls, fields: Mapping[str, pa.Array], config: TermConfig, *, queries: pa.Array | None = None
    ) -> TermFeaturiser:
        """Count in how many products each n-gram occurs.

        The smooth form, log((1 + N) / (1 + df)) + 1, is never zero: an n-gram of every product still counts a little.

        Args:
            fields: Columns of the products' texts.
            config: Settings.
            queries: Queries that will be trained on; their n-grams are known too, each as if no product had it.
        """
        counting = cls(config, np.ones(num_slots(config), np.float32))
        num_rows = len(next(iter(fields.values())))
        frequency = counting._frequency(fields)
        known = frequency > 0
        if queries is not None:
            known |= counting._frequency({"query": queries}) > 0
        idf = np.log((1 + num_rows) / (1 + frequency)) + 1
        return cls(config, np.where(known, idf, 0).astype(np.float32))

    def _frequency(self, fields: Mapping[str, pa.Array]) -> Int64[np.ndarray, " slots"]:
        """Count in how many rows each n-gram occurs."""
        frequency = np.zeros(len(self.idf), np.int64)
        for start in range(0, len(next(iter(fields.values()))), _ROWS_AT_ONCE):
            block = {name: column.slice(start, _ROWS_AT_ONCE) for name, column in fields.items()}
            frequency += np.bincount(self._ngrams(block).slot, minlength=len(frequency))
        return frequency

    def queries(self, texts: pa.Array) -> Terms:
        """Featurise query texts."""
        if len(texts) == 1 and len(text := texts[0].as_py() or "") <= MOST_CHARACTERS:
            slot, weight = self._query_ngrams.of(text)
            return Terms(np.array([0, len(slot)]), (slot % self.config.num_buckets).astype(np.int32), weight)
        return self._in_blocks({"query": texts}, self.config.max_query_ngrams)

    def products(self, fields: Mapping[str, pa.Array]) -> Terms:
        """Featurise products.

        Args:
            fields: Columns of text, the most telling first: a limit on length cuts from the end.
        """
        return self._in_blocks(fields, self.config.max_product_ngrams)

    def _in_blocks(self, fields: Mapping[str, pa.Array], most: int) -> Terms:
        num_rows = len(next(iter(fields.values())))
        blocks = [
            self._limited({name: column.slice(start, _ROWS_AT_ONCE) for name, column in fields.items()}, most)
            for start in range(0, num_rows, _ROWS_AT_ONCE)
        ]
        return blocks[0] if len(blocks) == 1 else _concatenated(blocks)

    def _limited(self, fields: Mapping[str, pa.Array], most: int) -> Terms:
        ngrams = self._ngrams(fields)
        num_rows = len(next(iter(fields.values())))
        offsets = offsets_of(ngrams.row, num_rows)
        if np.any(offsets[1:] - offsets[:-1] > most):
            ngrams = ngrams.where(group_ranks(ngrams.row, ngrams.priority) < most)
            offsets = offsets_of(ngrams.row, num_rows)
        weight = self.idf[ngrams.slot] * ngrams.weight
        bucket = ngrams.slot % self.config.num_buckets
        return Terms(offsets, bucket.astype(np.int32), weight.astype(np.float32))

    def _ngrams(self, fields: Mapping[str, pa.Array]) -> _Ngrams:
        """Find all distinct n-grams of every row, sorted by row."""
        found = [
            ngrams
            for order, (name, column) in enumerate(fields.items())
            for ngrams in self._field_ngrams(word_lists(column), order, self._field_weights.get(name, 1.0))
        ]
        ngrams = _Ngrams(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
        # What weighs nothing (switched off, or not known) must neither take a place under the limit nor make a row look
        # filled.
        return _distinct(ngrams.where((ngrams.weight > 0) & (self.idf[ngrams.slot] > 0)), len(self.idf))

    def _field_ngrams(self, lists: pa.ListArray, order: int, field_weight: float) -> list[tuple[np.ndarray, ...]]:
        offsets = lists.offsets.to_numpy()
        row = np.repeat(np.arange(len(lists)), offsets[1:] - offsets[:-1])
        word, vocabulary = _encoded(lists.flatten())
        # Words and bigrams count as stems, so that "batteries" meets "battery"; character n-grams keep the whole word.
        stem_slot = self._hasher.whole(self._analyser.stems(vocabulary))[word]
        found = [
            self._words(row, stem_slot, order),
            self._bigrams(row, stem_slot, order),
            self._chars(row, word, vocabulary, order),
        ]
        return [
            (rows, slot, weight * field_weight, priority, np.full(len(rows), order, np.int64))
            for rows, slot, weight, priority in found
        ]

    def _words(self, row: np.ndarray, slot: np.ndarray, order: int) -> tuple[np.ndarray, ...]:
        return row, slot, np.ones(len(row), np.float32), _priority(order, _WORD, len(row))

    def _bigrams(self, row: np.ndarray, slot: np.ndarray, order: int) -> tuple[np.ndarray, ...]:
        first = (row[1:] == row[:-1]).nonzero()[0]
        pair = self._hasher.pairs(slot[first], slot[first + 1])
        weight = np.full(len(first), self.config.bigram_weight, np.float32)
        return row[first], pair, weight, _priority(order, _BIGRAM, len(first))

    def _chars(self, row: np.ndarray, word: np.ndarray, vocabulary: list[str], order: int) -> tuple[np.ndarray, ...]:
        offsets, slots = self._hasher.chars(vocabulary)
        begin, end = offsets[word], offsets[word + 1]
        positions, _ = expand_slices(begin, end)
        length = end - begin
        weight = np.repeat(self.config.char_weight / np.maximum(length, 1), length).astype(np.float32)
        rows = np.repeat(row, length)
        return rows, slots[positions], weight, _priority(order, _CHAR, len(rows))


_ROWS_AT_ONCE = 20_000
"""Texts whose n-grams are held at once: about 300 MB of working arrays at 200 n-grams each."""


@dataclass(frozen=True)
class _Ngrams:
    row: np.ndarray
    slot: np.ndarray
    weight: np.ndarray
    priority: np.ndarray
    field: np.ndarray

    def where(self, kept: np.ndarray) -> _Ngrams:
        return _Ngrams(self.row[kept], self.slot[kept], self.weight[kept], self.priority[kept], self.field[kept])


def _priority(order: int, kind: int, length: int) -> np.ndarray:
    return np.full(length, order + kind, np.int64)


def _distinct(ngrams: _Ngrams, num_slots: int) -> _Ngrams:
    """Keep each (row, slot) once; a row's n-grams then stand together.

    Within a field an n-gram counts once, where its priority is best; over fields its weights add up: a word of title
    and description says more than one of the title alone.
    """
    key = ngrams.row * num_slots + ngrams.slot
    order = np.lexsort((ngrams.priority, ngrams.field, key))
    once = ngrams.where(order[_is_first(key[order], ngrams.field[order])])
    key = once.row * num_slots + once.slot
    begin = np.flatnonzero(_is_first(key))
    if not len(begin):
        return once
    weight, priority = np.add.reduceat(once.weight, begin), np.minimum.reduceat(once.priority, begin)
    return _Ngrams(once.row[begin], once.slot[begin], weight, priority, once.field[begin])


def _is_first(*columns: np.ndarray) -> np.ndarray:
    """Mark the rows that differ from the row before."""
    first = np.zeros(len(columns[0]), bool)
    first[:1] = True
    for column in columns:
        first[1:] |= column[1:] != column[:-1]
    return first


def _encoded(strings: pa.Array) -> tuple[np.ndarray, list[str]]:
    """Return each string's place among the distinct ones, and these."""
    encoded = strings.dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def _concatenated(blocks: list[Terms]) -> Terms:
    if not blocks:
        return Terms(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    lengths = np.concatenate([np.diff(block.offsets) for block in blocks])
    return Terms(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.concatenate([block.bucket for block in blocks]),
        np.concatenate([block.weight for block in blocks]),
    )
