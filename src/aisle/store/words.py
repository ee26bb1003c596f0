"""The words of products and queries as sparse vectors, whose inner product is BM25 but for the inverse frequencies."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import UsageError
from aisle.core.ragged import offsets_of
from aisle.core.text import words
from aisle.features import ProductText, product_text
from aisle.features.analyser import Analyser

__all__ = ["NO_WORDS", "LexicalSettings", "SparseRows", "SparseWords"]

NO_WORDS = 2**32 - 1
"""Term number that marks a product without words: it must count among all products, which an empty vector does not."""

_CHUNK = 100_000
_TERM_BITS = 32
_FIELDS = tuple(field.name for field in fields(ProductText))


@dataclass(frozen=True)
class LexicalSettings:
    """How products are searched by words; the same settings as those of `retrieval.LexicalRetriever`.

    Attributes:
        fields: Fields that are searched, as one text.
        stemmer: A Snowball algorithm, or None.
        k1: From 0: how much the second and third occurrence of a word still add.
        b: From 0 to 1: how much long texts are discounted.
    """

    fields: tuple[str, ...] = ("title", "description")
    stemmer: str | None = "english"
    k1: float = 1.5
    b: float = 0.75

    def __post_init__(self) -> None:
        if not self.fields or not set(self.fields) <= set(_FIELDS):
            raise UsageError(
                "Searched fields must be texts of a product",
                received={"fields": self.fields},
                remedy=f"Choose among {', '.join(_FIELDS)}.",
            )
        if not (0 <= self.k1 < np.inf and 0 <= self.b <= 1):
            raise UsageError(
                "BM25 must have k1 from 0 and b between 0 and 1",
                received={"k1": self.k1, "b": self.b},
                remedy="Usual are k1=1.5 and b=0.75.",
            )


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Sparse vectors, row after row.

    Attributes:
        offsets: Where the terms of each row begin, and the end of the last.
        terms: Term numbers, ascending and distinct within a row; below 2^32.
        weights: Weight of each term in its row.
    """

    offsets: Int64[np.ndarray, " rows_plus_1"]
    terms: Int64[np.ndarray, " cells"]
    weights: Float32[np.ndarray, " cells"]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.offsets) - 1

    def part(self, begin: int, size: int) -> SparseRows:
        """Return `size` rows from row `begin` on."""
        offsets = self.offsets[begin : begin + size + 1]
        cells = slice(offsets[0], offsets[-1])
        return SparseRows(offsets - offsets[0], self.terms[cells], self.weights[cells])

    def rows(self) -> Iterator[tuple[list[int], list[float]]]:
        """Yield terms and weights of each row as an engine takes them."""
        terms, weights, offsets = self.terms.tolist(), self.weights.tolist(), self.offsets.tolist()
        for begin, end in pairwise(offsets):
            yield terms[begin:end], weights[begin:end]


class SparseWords:
    """Gives products BM25's weights of their words, and queries the number of times that they name each.

    The inner product, every term multiplied by its inverse document frequency, is BM25. A term's number is a hash of
    its stem: there is no vocabulary to be kept or to grow with live products. Among a million distinct stems about a
    hundred pairs share a number.

    Args:
        settings: What is searched, and how.
        average_length: Terms of an average product; that of building the store, so that weights stay as they are.

    Source: Robertson and Zaragoza 2009, section 3; CRC-32 of the stem's UTF-8.
    """

    def __init__(self, settings: LexicalSettings, *, average_length: float) -> None:
        self.settings = settings
        self.average_length = average_length
        self._analyser = Analyser(settings.stemmer)

    @classmethod
    def of_catalogue(cls, products: pa.Table, settings: LexicalSettings) -> tuple[SparseWords, SparseRows]:
        """Measure a catalogue's average length; return its products' weights with it."""
        words = cls(settings, average_length=1.0)
        parts = [words._counted(products.slice(start, _CHUNK)) for start in range(0, products.num_rows, _CHUNK)]
        length = np.concatenate([np.empty(0, np.int64), *(part[1] for part in parts)])
        words.average_length = float(length.mean()) or 1.0 if len(length) else 1.0
        return words, _stacked([words._weighted(*part) for part in parts])

    @classmethod
    def of_values(cls, values: dict[str, Any]) -> SparseWords:
        """Make again what `values` describes."""
        return cls(config_from_dict(LexicalSettings, values["settings"]), average_length=values["average_length"])

    @property
    def values(self) -> dict[str, Any]:
        """All that `of_values` needs, JSON-able."""
        return {"settings": config_to_dict(self.settings), "average_length": self.average_length}

    def of_products(self, products: pa.Table) -> SparseRows:
        """Return the weights of products' words: `tf / (tf + k1 (1 - b + b length / average))`."""
        return self._weighted(*self._counted(products))

    def of_queries(self, texts: Sequence[str]) -> SparseRows:
        """Return how often each query names its words; a query without words has an empty row."""
        number, length = self._numbers(pa.array(texts, pa.string()))
        return _counts(number, length)

    def of_query(self, text: str) -> tuple[list[int], list[float]]:
        """Return the row of one query, as `of_queries` would; for a live search columns cost ten times as much."""
        counts = Counter(_number(stem) for stem in self._analyser.stems(words(text)))
        terms = sorted(counts)
        return terms, [float(counts[term]) for term in terms]

    def _counted(self, products: pa.Table) -> tuple[SparseRows, Int64[np.ndarray, " products"]]:
        number, length = self._numbers(product_text(products).of_fields(self.settings.fields))
        return _counts(number, length), length

    def _weighted(self, counts: SparseRows, length: Int64[np.ndarray, " products"]) -> SparseRows:
        k1, b = self.settings.k1, self.settings.b
        saturation = np.repeat(k1 * (1 - b + b * length / self.average_length), np.diff(counts.offsets))
        weights = (counts.weights / (counts.weights + saturation)).astype(np.float32)
        return _with_marks(SparseRows(counts.offsets, counts.terms, weights))

    def _numbers(self, texts: pa.Array) -> tuple[Int64[np.ndarray, " occurrences"], Int64[np.ndarray, " texts"]]:
        """Return the number of every term of all texts, and how many each text has."""
        lists = self._analyser.terms(texts)
        terms = lists.flatten()
        numbers = np.array([_number(term) for term in terms.dictionary.to_pylist()], np.int64)
        return numbers[np.asarray(terms.indices, np.int64)], np.asarray(lists.value_lengths(), np.int64)


def _number(term: str) -> int:
    return zlib.crc32(term.encode()) % NO_WORDS


def _counts(number: Int64[np.ndarray, " occurrences"], length: Int64[np.ndarray, " texts"]) -> SparseRows:
    """Count how often each text has each of its terms."""
    row = np.repeat(np.arange(len(length)), length)
    cell, count = np.unique(row << _TERM_BITS | number, return_counts=True)
    row, number = cell >> _TERM_BITS, cell & (2**_TERM_BITS - 1)
    return SparseRows(offsets_of(row, len(length)), number, count.astype(np.float32))


def _with_marks(rows: SparseRows) -> SparseRows:
    """Give every empty row the mark of having no words."""
    empty = np.diff(rows.offsets) == 0
    at = rows.offsets[:-1][empty]
    return SparseRows(
        rows.offsets + np.concatenate([[0], np.cumsum(empty)]),
        np.insert(rows.terms, at, NO_WORDS),
        np.insert(rows.weights, at, np.float32(1)),
    )


def _stacked(parts: Sequence[SparseRows]) -> SparseRows:
    starts = np.cumsum([0, *(len(part.terms) for part in parts)])
    offsets = [part.offsets[1:] + start for part, start in zip(parts, starts, strict=False)]
    return SparseRows(
        np.concatenate([np.zeros(1, np.int64), *offsets]),
        np.concatenate([np.empty(0, np.int64), *(part.terms for part in parts)]),
        np.concatenate([np.empty(0, np.float32), *(part.weights for part in parts)]),
    )
