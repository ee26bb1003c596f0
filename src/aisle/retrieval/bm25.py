"""A BM25 index built from columns: every step over all products at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import bm25s
import numpy as np
import pyarrow as pa
from jaxtyping import Int64

__all__ = ["ColumnarBM25", "TermColumns"]


@dataclass(frozen=True)
class TermColumns:
    """The terms of all products, product after product.

    Attributes:
        ids: Term id of every occurrence, and the number of occurrences in each product.
        vocab: Term → id, contiguous from 0.
    """

    ids: tuple[Int64[np.ndarray, " occurrences"], Int64[np.ndarray, " products"]]
    vocab: dict[str, int]

    @classmethod
    def of_chunks(cls, chunks: Iterable[pa.ListArray]) -> TermColumns:
        """Join what `Analyser.terms` gave for consecutive chunks of the catalogue."""
        empty = pa.array([], pa.list_(pa.dictionary(pa.int32(), pa.string())))
        lists = [empty, *chunks]
        joined = pa.chunked_array([chunk.flatten() for chunk in lists]).unify_dictionaries()
        lengths = [np.asarray(chunk.value_lengths(), np.int64) for chunk in lists]
        ids = [np.asarray(chunk.indices, np.int64) for chunk in joined.chunks]
        terms = joined.chunk(0).dictionary.to_pylist()
        return cls((np.concatenate(ids), np.concatenate(lengths)), {term: number for number, term in enumerate(terms)})


class ColumnarBM25(bm25s.BM25):
    """Lucene's BM25 whose index is counted by NumPy instead of product by product; scoring and files are bm25s's."""

    def build_index_from_ids(
        self,
        unique_token_ids: list[int],
        corpus_token_ids: tuple[Int64[np.ndarray, " occurrences"], Int64[np.ndarray, " products"]],
        show_progress: bool = False,
        leave_progress: bool = False,
    ) -> dict[str, Any]:
        """Return every term's score of every product that holds it, as a sparse matrix in column order.

        Args:
            unique_token_ids: All term ids.
            corpus_token_ids: `TermColumns.ids`.
            show_progress: Without effect.
            leave_progress: Without effect.
        """
        term_of, length = corpus_token_ids
        num_products, num_terms = len(length), len(unique_token_ids)
        product_of = np.repeat(np.arange(num_products), length)
        cell, frequency = np.unique(term_of * num_products + product_of, return_counts=True)
        term, product = np.divmod(cell, num_products)
        num_holding = np.bincount(term, minlength=num_terms)
        idf = np.log1p((num_products - num_holding + 0.5) / (num_holding + 0.5))
        saturation = self.k1 * (1 - self.b + self.b * length / length.mean())
        self.nonoccurrence_array = None  # only BM25L and BM25+ score the terms that a product lacks
        return {
            "data": (idf[term] * frequency / (frequency + saturation[product])).astype(self.dtype),
            "indices": product.astype(self.int_dtype),
            "indptr": np.concatenate([[0], np.cumsum(num_holding)]),
            "num_docs": num_products,
        }
