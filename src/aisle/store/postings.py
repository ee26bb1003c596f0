"""Words of a catalogue, term by term: full text without an engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Int64

from aisle.core.ragged import offsets_of
from aisle.store.rankings import Found
from aisle.store.words import NO_WORDS, SparseRows

__all__ = ["Postings"]

_NAMES = ("terms", "offsets", "rows", "weights")


class Postings:
    """For every term the products that hold it, with the term's whole BM25 score of each.

    Args:
        terms: Term numbers, ascending.
        offsets: Where the products of each term begin, and the end of the last.
        rows: Rows of products, term after term.
        weights: Score of the term in each of these rows.
        num_rows: Products, those without words among them.
    """

    def __init__(
        self,
        terms: Int64[np.ndarray, " terms"],
        offsets: Int64[np.ndarray, " terms_plus_1"],
        rows: Int64[np.ndarray, " cells"],
        weights: Float32[np.ndarray, " cells"],
        *,
        num_rows: int,
    ) -> None:
        self._terms, self._offsets, self._rows, self._weights = terms, offsets, rows, weights
        self._num_rows = num_rows

    @classmethod
    def of_rows(cls, products: SparseRows) -> Postings:
        """Turn products' weights round, and multiply each term's by its inverse document frequency."""
        row = np.repeat(np.arange(len(products)), np.diff(products.offsets))
        is_word = products.terms != NO_WORDS
        row, term, weight = row[is_word], products.terms[is_word], products.weights[is_word]
        order = np.argsort(term, kind="stable")
        terms, place = np.unique(term, return_inverse=True)
        offsets = offsets_of(place[order], len(terms))
        num_holding = np.diff(offsets)
        idf = np.log1p((len(products) - num_holding + 0.5) / (num_holding + 0.5))
        weights = (weight[order] * np.repeat(idf, num_holding)).astype(np.float32)
        return cls(terms, offsets, row[order], weights, num_rows=len(products))

    def best(
        self, terms: list[int], counts: list[float], *, k: int, passing: Bool[np.ndarray, " rows"] | None
    ) -> Found:
        """Return the k best rows for a query's terms among those that pass; ties in the order of rows."""
        score = np.zeros(self._num_rows, np.float32)
        for term, count in zip(terms, counts, strict=True):  # the few words of one query
            place = np.searchsorted(self._terms, term)
            if place < len(self._terms) and self._terms[place] == term:
                cells = slice(self._offsets[place], self._offsets[place + 1])
                score[self._rows[cells]] += np.float32(count) * self._weights[cells]
        found = np.flatnonzero(score if passing is None else np.where(passing, score, 0))
        if len(found) > k:
            found = found[score[found] >= np.partition(score[found], -k)[-k]]
        best = found[np.argsort(-score[found], kind="stable")[:k]]
        return best.tolist(), score[best].tolist()

    def save(self, folder: Path) -> None:
        """Write the arrays into a folder."""
        for name in _NAMES:
            np.save(folder / f"{name}.npy", getattr(self, f"_{name}"))

    @classmethod
    def load(cls, folder: Path, *, num_rows: int) -> Postings:
        """Map what `save` wrote."""
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in _NAMES), num_rows=num_rows)
