"""Everything that one training run reads, memory-mapped from one folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64
from scipy import sparse

from aisle.features import Analyser, Features, Featuriser, ProductText, read_features, write_features
from aisle.measures import Qrels
from aisle.tables import read_parquet, write_parquet
from aisle.training.pairs import TrainingPairs

__all__ = ["TrainingData", "Validation", "stem_lists", "word_matrix"]


@dataclass(frozen=True, eq=False)
class Validation:
    """Queries on which training is judged, and what answers them.

    Attributes:
        query_features: Features of the queries.
        qrels: Graded products of each; every one with a grade above 0 counts as relevant.
    """

    query_features: Features
    qrels: Qrels


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Features, pairs and validation queries of one training run.

    Attributes:
        query_features: Features of all queries of the pairs.
        product_features: Features of the whole catalogue.
        pairs: Training pairs.
        query_words: Which words each query holds, over the words of all queries.
        product_words: Which of these words each product holds, in any of its texts.
        validation: What the early stop looks at.
    """

    query_features: Features
    product_features: Features
    pairs: TrainingPairs
    query_words: sparse.csr_matrix
    product_words: sparse.csr_matrix
    validation: Validation

    @staticmethod
    def write(
        folder: Path,
        *,
        featuriser: Featuriser,
        products: pa.Table,
        texts: ProductText,
        pairs: TrainingPairs,
        validation_queries: pa.Array,
        validation_qrels: Qrels,
    ) -> None:
        """Make all features once and write them into an existing folder, from which `read` maps them."""
        write_features(featuriser.products(products), folder / "products")
        write_features(featuriser.queries(pairs.queries), folder / "queries")
        write_features(featuriser.queries(validation_queries), folder / "validation")
        write_parquet(pa.table({"query": pairs.queries}), folder / "queries.parquet")
        _save_arrays(
            folder, "pairs", query_index=pairs.query_index, product_index=pairs.product_index, weight=pairs.weight
        )
        qrels = validation_qrels
        _save_arrays(folder, "qrels", offsets=qrels.offsets, product_index=qrels.product_index, grade=qrels.grade)
        # Stems, as in the features: "black printers" is answered by every "black printer".
        analyser = Analyser(featuriser.config.term.stemmer)
        lists = stem_lists(pairs.queries, analyser)
        vocabulary = pc.unique(lists.flatten())
        sparse.save_npz(folder / "query_words.npz", word_matrix(lists, vocabulary))
        sparse.save_npz(folder / "product_words.npz", word_matrix(stem_lists(texts.joined(), analyser), vocabulary))

    @classmethod
    def read(cls, folder: Path) -> TrainingData:
        """Map what `write` wrote."""
        pairs = TrainingPairs(
            queries=read_parquet(folder / "queries.parquet").column("query").combine_chunks(),
            **_load_arrays(folder, "pairs", "query_index", "product_index", "weight"),
        )
        return cls(
            query_features=read_features(folder / "queries"),
            product_features=read_features(folder / "products"),
            pairs=pairs,
            query_words=sparse.csr_matrix(sparse.load_npz(folder / "query_words.npz")),
            product_words=sparse.csr_matrix(sparse.load_npz(folder / "product_words.npz")),
            validation=Validation(
                query_features=read_features(folder / "validation"),
                qrels=Qrels(**_load_arrays(folder, "qrels", "offsets", "product_index", "grade")),
            ),
        )


def stem_lists(texts: pa.Array, analyser: Analyser) -> pa.ListArray:
    """Cut texts into stems, as lists of plain strings."""
    lists = analyser.terms(texts)
    return pa.ListArray.from_arrays(lists.offsets, lists.values.cast(pa.string()))


def word_matrix(lists: pa.ListArray, vocabulary: pa.Array) -> sparse.csr_matrix:
    """Mark which words of a vocabulary each text holds.

    Args:
        lists: Words of every text.
        vocabulary: Distinct words, one column each; other words are left out.

    Returns:
        Binary [texts, vocabulary].
    """
    row = np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))
    column = pc.fill_null(pc.index_in(lists.flatten(), value_set=vocabulary), -1).to_numpy(zero_copy_only=False)
    known: Int64[np.ndarray, " words"] = np.flatnonzero(column >= 0)
    ones = np.ones(len(known), np.int32)
    matrix = sparse.csr_matrix((ones, (row[known], column[known])), shape=(len(lists), len(vocabulary)))
    matrix.data[:] = 1
    return matrix


def _save_arrays(folder: Path, prefix: str, **arrays: np.ndarray) -> None:
    for name, array in arrays.items():
        np.save(folder / f"{prefix}_{name}.npy", array)


def _load_arrays(folder: Path, prefix: str, *names: str) -> dict[str, np.ndarray]:
    return {name: np.load(folder / f"{prefix}_{name}.npy", mmap_mode="r", allow_pickle=False) for name in names}
