"""Everything that one training run reads, memory-mapped from one folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64
from scipy import sparse

from aisle.features import Analyser, Features, Featuriser, ProductText, read_features, write_features
from aisle.features.known import KnownFeatures
from aisle.measures import Qrels
from aisle.mining import MinedLog
from aisle.tables import read_parquet, write_parquet
from aisle.tables.row_hashes import row_hashes
from aisle.training.beside import number_beside
from aisle.training.log_data import Limits, LogData, write_log
from aisle.training.pairs import NO_PAIRS, TrainingPairs

__all__ = ["TrainingData", "Validation", "stem_lists", "word_matrix"]

_NO_FEATURES = ("created_at", "removed_at", "updated_at", "in_stock")
"""Columns of products that change no feature of theirs."""


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
        query_words: Which words each query holds, over the words of all queries; no columns where pairs are a log's.
        product_words: Which of these words each product holds, in any of its texts.
        validation: What the early stop looks at.
        log: The mined log, where it is learnt search by search.
        product_ids: Ids of the catalogue where there is a log, else None.
    """

    query_features: Features
    product_features: Features
    pairs: TrainingPairs
    query_words: sparse.csr_matrix
    product_words: sparse.csr_matrix
    validation: Validation
    log: LogData | None = None
    product_ids: pa.Array | None = None

    @property
    def goes_on(self) -> bool:
        """Whether training goes on from a model that has learnt a part of the log."""
        return self.log is not None and self.log.learnt_until_us is not None

    def logged_queries(self) -> tuple[pa.Array, Features]:
        """Return texts and features of the queries that the log itself knows: neighbours and histories are of them."""
        if self.log is None or self.log.num_queries == len(self.query_features):
            return self.pairs.queries, self.query_features
        num = self.log.num_queries
        return self.pairs.queries.slice(0, num), self.query_features.take(np.arange(num))

    @staticmethod
    def write(
        folder: Path,
        *,
        featuriser: Featuriser,
        products: pa.Table,
        texts: ProductText,
        pairs: TrainingPairs,
        validation_queries: pa.Array | Int64[np.ndarray, " searches"],
        validation_qrels: Qrels,
        log: tuple[MinedLog, Limits] | None = None,
        judged: TrainingPairs = NO_PAIRS,
        pseudo: TrainingPairs = NO_PAIRS,
        known: KnownFeatures | None = None,
    ) -> None:
        """Make all features once and write them into an existing folder, from which `read` maps them.

        With a log, the queries of the pairs are numbered as the log numbers them, and `validation_queries` are rows of
        its validation window. `judged` and `pseudo` are learnt beside it. What is `known`, of the same featuriser, is
        taken over.
        """
        queries, hashes = pairs.queries, row_hashes(products, without=_NO_FEATURES)
        of_products = (
            featuriser.products(products) if known is None else known.of_products(products, hashes, featuriser)
        )
        write_features(of_products, folder / "products")
        np.save(folder / "product_hashes.npy", hashes)
        if log is None:
            write_features(featuriser.queries(validation_queries), folder / "validation")
        else:
            mined, limits = log
            queries, beside = number_beside(queries, judged=judged, pseudo=pseudo)
            write_log(
                folder / "log",
                mined,
                featuriser=featuriser,
                products=products,
                num_queries=len(pairs.queries),
                limits=limits,
                beside=beside,
            )
            np.save(folder / "validation_rows.npy", validation_queries)
            write_parquet(products.select(["product_id"]), folder / "product_ids.parquet")
        of_queries = featuriser.queries(queries) if known is None else known.of_queries(queries, featuriser)
        write_features(of_queries, folder / "queries")
        write_parquet(pa.table({"query": queries}), folder / "queries.parquet")
        _save_arrays(
            folder, "pairs", query_index=pairs.query_index, product_index=pairs.product_index, weight=pairs.weight
        )
        qrels = validation_qrels
        _save_arrays(folder, "qrels", offsets=qrels.offsets, product_index=qrels.product_index, grade=qrels.grade)
        # A log's own pairs are told from others by what happened, not by words.
        needs_words = log is None or len(judged) or len(pseudo)
        _write_words(folder, queries, texts, stemmer=featuriser.config.term.stemmer, needed=bool(needs_words))

    @staticmethod
    def read_known(folder: Path) -> KnownFeatures | None:
        """Map the features that `write` wrote for a later featurising; None where they do not tell their products."""
        if not (folder / "product_hashes.npy").exists():
            return None
        return KnownFeatures(
            queries=read_parquet(folder / "queries.parquet").column("query").combine_chunks(),
            query_features=read_features(folder / "queries"),
            product_hashes=np.load(folder / "product_hashes.npy", allow_pickle=False),
            product_features=read_features(folder / "products"),
        )

    @classmethod
    def read(cls, folder: Path, *, pooled: Path | None = None) -> TrainingData:
        """Map what `write` wrote.

        Args:
            folder: Where it was written.
            pooled: Folder of what a frozen transformer made of the texts, which stands in the place of their tokens.
        """

        def features(name: str) -> Features:
            return read_features(folder / name, pooled=pooled / f"{name}.npy" if pooled is not None else None)

        pairs = TrainingPairs(
            queries=read_parquet(folder / "queries.parquet").column("query").combine_chunks(),
            **_load_arrays(folder, "pairs", "query_index", "product_index", "weight"),
        )
        query_features, product_features = features("queries"), features("products")
        qrels = Qrels(**_load_arrays(folder, "qrels", "offsets", "product_index", "grade"))
        log = LogData.read(folder / "log")
        if log is None:
            validation, ids = Validation(features("validation"), qrels), None
        else:
            rows = np.load(folder / "validation_rows.npy")
            snapshot = log.last_snapshot
            validation = Validation(log.queries(query_features, log.validation, rows, snapshot=snapshot), qrels)
            every = np.arange(len(product_features))
            neighbours = log.products(product_features, every, snapshot=snapshot).neighbours
            product_features = replace(product_features, neighbours=neighbours)
            ids = read_parquet(folder / "product_ids.parquet").column("product_id").combine_chunks()
        return cls(
            query_features=query_features,
            product_features=product_features,
            pairs=pairs,
            query_words=sparse.csr_matrix(sparse.load_npz(folder / "query_words.npz")),
            product_words=sparse.csr_matrix(sparse.load_npz(folder / "product_words.npz")),
            validation=validation,
            log=log,
            product_ids=ids,
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


def _write_words(folder: Path, queries: pa.Array, texts: ProductText, *, stemmer: str | None, needed: bool) -> None:
    """Write which words queries and products share; no words where they are not needed."""
    if not needed:
        for name, num_rows in (("query_words", len(queries)), ("product_words", len(texts))):
            sparse.save_npz(folder / f"{name}.npz", sparse.csr_matrix((num_rows, 0), dtype=np.int32))
        return
    # Stems, as in the features: "black printers" is answered by every "black printer".
    analyser = Analyser(stemmer)
    lists = stem_lists(queries, analyser)
    vocabulary = pc.unique(lists.flatten())
    sparse.save_npz(folder / "query_words.npz", word_matrix(lists, vocabulary))
    sparse.save_npz(folder / "product_words.npz", word_matrix(stem_lists(texts.joined(), analyser), vocabulary))


def _save_arrays(folder: Path, prefix: str, **arrays: np.ndarray) -> None:
    for name, array in arrays.items():
        np.save(folder / f"{prefix}_{name}.npy", array)


def _load_arrays(folder: Path, prefix: str, *names: str) -> dict[str, np.ndarray]:
    return {name: np.load(folder / f"{prefix}_{name}.npy", mmap_mode="r", allow_pickle=False) for name in names}
