"""Retrieval by words: BM25 over the texts of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import bm25s
import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking
from aisle.features import product_text
from aisle.features.analyser import Analyser
from aisle.index.sealed import damaged, seal_folder, unseal_folder
from aisle.retrieval.batch import answer_distinct
from aisle.retrieval.bm25 import ColumnarBM25, TermColumns
from aisle.store import LexicalSettings

__all__ = ["LexicalRetriever"]

_KIND = "bm25"
_CHUNK = 100_000
_FILES = (
    "data.csc.index.npy",
    "indices.csc.index.npy",
    "indptr.csc.index.npy",
    "params.index.json",
    "vocab.index.json",
)


class LexicalRetriever:
    """BM25 as Lucene counts it, with every term's score of every product computed when the index is built.

    A product without any word of the query is not a result, so a ranking can be shorter than k. Equal scores
    stand in the order of product index.

    Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", section 3;
    the variant is "Lucene (accurate)" of Kamphuis et al. 2020, "Which BM25 Do You Mean?"; Lù 2024, "BM25S".
    """

    def __init__(self, bm25: bm25s.BM25 | None, *, analyser: Analyser, num_products: int) -> None:
        self._bm25 = bm25
        self._analyser = analyser
        self._num_products = num_products

    @classmethod
    def build(
        cls,
        products: pa.Table,
        *,
        fields: Sequence[str] = ("title", "description"),
        stemmer: str | None = "english",
        k1: float = 1.5,
        b: float = 0.75,
    ) -> LexicalRetriever:
        """Index a products table; a product's index is its row.

        Args:
            products: The catalogue.
            fields: Fields that are searched, as one text: of title, brand, category, attributes, description.
            stemmer: A Snowball algorithm, or None.
            k1: From 0: how much the second and third occurrence of a word still add.
            b: From 0 to 1: how much long texts are discounted.

        Raises:
            UsageError: If a field, the stemmer, k1 or b is not one of these.
        """
        LexicalSettings(tuple(fields), stemmer, k1, b)  # checks them
        analyser = Analyser(stemmer)
        columns = TermColumns.of_chunks(analyser.terms(texts) for texts in _texts(products, fields))
        bm25 = None
        if columns.vocab:
            bm25 = ColumnarBM25(k1=k1, b=b, method="lucene", backend="numpy")
            bm25.index(columns, create_empty_token=False)
        return cls(bm25, analyser=analyser, num_products=products.num_rows)

    @property
    def name(self) -> str:
        """Name in tables and JSON."""
        return "lexical"

    def retrieve(self, queries: QueryBatch, *, k: int) -> Ranking:
        """Return the k products of the highest BM25 score; see `Retriever.retrieve`."""
        return answer_distinct(queries, k=k, answer=lambda texts: self._ranked(texts, k=k))

    def save(self, folder: Path) -> None:
        """Write the index into a folder (made if it is missing); no file in it is a pickle."""
        folder.mkdir(parents=True, exist_ok=True)
        files: tuple[str, ...] = ()
        if self._bm25 is not None:
            self._bm25.save(folder, allow_pickle=False, show_progress=False)
            files = _FILES
        values = {"stemmer": self._analyser.stemmer, "num_products": self._num_products}
        seal_folder(folder, kind=_KIND, values={**values, "has_terms": bool(files)}, files=files)

    @classmethod
    def load(cls, folder: Path) -> LexicalRetriever:
        """Read what `save` wrote.

        Raises:
            WorkspaceError: If the folder is missing or damaged.
        """
        values = unseal_folder(folder, kind=_KIND)
        bm25 = _load_bm25(folder) if values["has_terms"] else None
        return cls(bm25, analyser=Analyser(values["stemmer"]), num_products=values["num_products"])

    def _ranked(self, texts: Sequence[str], *, k: int) -> Ranking:
        index = np.full((len(texts), k), NO_PRODUCT, np.int64)
        score = np.full((len(texts), k), -np.inf, np.float32)
        vocabulary = {} if self._bm25 is None else self._bm25.vocab_dict
        # Query by query: a row is as long as the catalogue, and only the few products it touches are sorted.
        for row, terms in enumerate(self._analyser.terms(pa.array(texts, pa.string())).to_pylist()):
            ids = [vocabulary[term] for term in terms if term in vocabulary]
            if self._bm25 is None or not ids:
                continue
            found, found_score = _best(self._bm25.get_scores_from_ids(ids), k=k)
            index[row, : len(found)], score[row, : len(found)] = found, found_score
        return Ranking(index, score)


def _best(
    scores: Float32[np.ndarray, " products"], *, k: int
) -> tuple[Int64[np.ndarray, " found"], Float32[np.ndarray, " found"]]:
    """Return at most k products of positive score, the best first; ties in the order of product index."""
    found = np.flatnonzero(scores > 0)
    if len(found) > k:
        # All that tie with the k-th stay in until index order has decided among them.
        found = found[scores[found] >= np.partition(scores[found], -k)[-k]]
    order = np.argsort(-scores[found], kind="stable")[:k]
    return found[order], scores[found[order]]


def _texts(products: pa.Table, fields: Sequence[str]) -> Iterator[pa.Array]:
    """Yield the searched text of each product, chunk by chunk: the analyser joins a chunk into one string."""
    for start in range(0, products.num_rows, _CHUNK):
        yield product_text(products.slice(start, _CHUNK)).of_fields(fields)


def _load_bm25(folder: Path) -> bm25s.BM25:
    try:
        return bm25s.BM25.load(folder, load_vocab=True, allow_pickle=False, show_progress=False)
    except (OSError, ValueError, TypeError, KeyError, EOFError) as error:
        raise damaged(folder, str(error)) from error
