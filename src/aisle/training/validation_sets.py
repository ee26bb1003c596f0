"""What the early stop looks at: judged queries where there are some, else pseudo-queries that were held out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.features import Analyser, ProductText
from aisle.measures import Qrels
from aisle.training.data import stem_lists, word_matrix
from aisle.training.pairs import TrainingPairs

__all__ = ["qrels_of_matches", "qrels_of_pairs", "spread"]

_QUERIES_AT_ONCE = 500


def spread(chosen: Bool[np.ndarray, " queries"], *, most: int) -> Int64[np.ndarray, " kept"]:
    """Return at most `most` of the chosen positions, drawn evenly.

    >>> spread(np.array([True, False, True, True]), most=2).tolist()
    [0, 3]
    """
    positions = np.flatnonzero(chosen)
    return positions[np.linspace(0, len(positions) - 1, min(len(positions), most)).astype(np.int64)]


def qrels_of_pairs(pairs: TrainingPairs, queries: Int64[np.ndarray, " chosen"]) -> Qrels:
    """Take the pairs of some queries as their relevant products, graded by weight (the highest, where one repeats)."""
    row_of = np.full(len(pairs.queries), -1, np.int64)
    row_of[queries] = np.arange(len(queries))
    row = row_of[pairs.query_index]
    kept = row >= 0
    return Qrels.from_triples(
        query_index=row[kept],
        product_index=pairs.product_index[kept],
        grade=pairs.weight[kept],
        num_queries=len(queries),
    )


def qrels_of_matches(queries: pa.Array, texts: ProductText, *, stemmer: str | None = None) -> Qrels:
    """Take as relevant every product whose texts hold all words of a query, compared by stem.

    A pseudo-query is cut from one product, but any product that holds its words answers it as well; only so can a
    broad query, such as a brand, tell a good model from a bad one.
    """
    analyser = Analyser(stemmer)
    lists = stem_lists(queries, analyser)
    vocabulary = pc.unique(lists.flatten())
    held = word_matrix(stem_lists(texts.joined(), analyser), vocabulary).T.tocsc()
    wanted = word_matrix(lists, vocabulary)
    rows, columns = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        block = wanted[start : start + _QUERIES_AT_ONCE]
        hits = (block @ held).tocoo()
        holds_all = hits.data == np.diff(block.indptr)[hits.row]
        rows.append(hits.row[holds_all].astype(np.int64) + start)
        columns.append(hits.col[holds_all].astype(np.int64))
    row, column = np.concatenate(rows), np.concatenate(columns)
    return Qrels.from_triples(query_index=row, product_index=column, grade=np.ones(len(row)), num_queries=len(queries))
