"""A store in Qdrant, be it in this process or a cluster: all that does not differ between the two."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.ranking import Ranking, check_k
from aisle.index.arrays import checked_vectors, empty_ranking
from aisle.store.catalogue import StoredCatalogue
from aisle.store.facets import FacetHits, facet_counts
from aisle.store.filters import NO_FILTER, ProductFilter
from aisle.store.folder import StoreFolder
from aisle.store.kept_counts import KeptCounts
from aisle.store.payload import FIELDS, PayloadSchema
from aisle.store.protocol import FacetCount
from aisle.store.qdrant_filter import FilterTypes, qdrant_filter
from aisle.store.rankings import Found, ranking_of_lists
from aisle.store.words import SparseRows, SparseWords

__all__ = ["QdrantEngine", "QdrantStore"]

_BATCH = 1_000


class QdrantEngine(Protocol):
    """What a store asks of Qdrant; filters are the engine's own, made with its `filter_types`."""

    filter_types: FilterTypes

    def upsert(
        self,
        product_index: Sequence[int],
        vectors: Float32[np.ndarray, "products dim"],
        words: SparseRows,
        payloads: Sequence[Mapping[str, Any]],
    ) -> None:
        """Add points, or replace those of the same index whole."""

    def delete(self, product_index: Sequence[int]) -> None:
        """Take points out."""

    def nearest(
        self, queries: Sequence[Any], *, k: int, where: Any | None, is_words: bool, exact: bool = False
    ) -> list[Found]:
        """Search by vectors, or by rows of terms and weights."""
        ...

    def vectors(self, product_index: Sequence[int]) -> dict[int, Sequence[float]]:
        """Return the vectors of those points that are there."""
        ...

    def fields(self, product_index: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the products' fields of those points that are there."""
        ...

    def count(self, where: Any | None) -> int:
        """Count points exactly."""
        ...

    def hits(self, key: str, *, where: Any | None) -> FacetHits:
        """Count all values of a key exactly."""
        ...

    def flush(self) -> None:
        """Bring all that was written to disk."""

    def optimise(self) -> None:
        """Let the graph take up new points."""

    def close(self) -> None:
        """Release files, memory and connections."""


class QdrantStore:
    """Products as points of a Qdrant engine; see `ProductStore`.

    Args:
        engine: Where the points are.
        folder: Holds what the store must know; held by this object until `close`.
        kind: Kind of the store.
        values: What the folder's header says.
    """

    is_writable = True

    def __init__(self, engine: QdrantEngine, folder: StoreFolder, *, kind: str, values: Mapping[str, Any]) -> None:
        self._engine, self._folder, self._kind = engine, folder, kind
        self._dim = int(values["dim"])
        self._schema = PayloadSchema(tuple(values["attribute_names"]))
        self._words = SparseWords.of_values(values["words"])
        self._applied_offset, self._num_waiting = folder.state()
        self._writing = threading.Lock()
        self._counts = KeptCounts()
        self._is_closed = False

    @property
    def kind(self) -> str:
        """Name of the kind."""
        return self._kind

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self._folder.path

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self._dim

    @property
    def num_products(self) -> int:
        """Products that can be found now."""
        return self.count()

    @property
    def applied_offset(self) -> int:
        """Journal offset of the last `flush`."""
        return self._applied_offset

    @property
    def num_waiting(self) -> int:
        """Products put since the graph was built; Qdrant Edge reads them one by one at every search."""
        return self._num_waiting

    def put(
        self,
        product_index: Int64[np.ndarray, " products"],
        products: pa.Table,
        vectors: Float32[np.ndarray, "products dim"],
    ) -> None:
        """Add products, or replace them whole; see `ProductStore.put`. One that is no longer on sale is taken out."""
        catalogue = StoredCatalogue.checked(products, vectors, product_index, dim=self.dim)
        if len(catalogue) < len(product_index):
            self.delete(np.setdiff1d(product_index, catalogue.product_index))
        for begin in range(0, len(catalogue), _BATCH):
            part = catalogue.part(begin, _BATCH)
            words, payloads = self._words.of_products(part.products), self._schema.payloads(part.products)
            with self._writing, self._counts.changing() as change:
                change.note(self.products(part.product_index), (payload[FIELDS] for payload in payloads))
                self._engine.upsert(part.product_index.tolist(), part.vectors, words, payloads)
                self._num_waiting += len(part)

    def delete(self, product_index: Int64[np.ndarray, " products"]) -> None:
        """Take products out; see `ProductStore.delete`."""
        if len(gone := np.unique(product_index)):
            with self._writing, self._counts.changing() as change:
                change.note(self.products(gone), [None] * len(gone))
                self._engine.delete(gone.tolist())

    def search(
        self, queries: Float32[np.ndarray, "queries dim"], *, k: int, where: ProductFilter = NO_FILTER
    ) -> Ranking:
        """Return the k products of the largest inner product that pass; see `ProductStore.search`."""
        check_k(k)
        queries = checked_vectors(queries, name="queries", dim=self.dim)
        passing = self._filter(where)
        found = self._engine.nearest(list(queries), k=k, where=passing, is_words=False)
        short = [row for row, (index, _) in enumerate(found) if len(index) < k]
        if short and min(len(found[row][0]) for row in short) < min(k, self.count(where)):
            # The graph, cut up by a filter, can strand a walk before it has met k products.
            again = self._engine.nearest(list(queries[short]), k=k, where=passing, is_words=False, exact=True)
            for row, answer in zip(short, again, strict=True):
                found[row] = answer
        return ranking_of_lists(found, k=k)

    def search_words(self, texts: Sequence[str], *, k: int, where: ProductFilter = NO_FILTER) -> Ranking:
        """Return the k products of the highest BM25 score that pass; see `ProductStore.search_words`."""
        check_k(k)
        rows = [self._words.of_query(texts[0])] if len(texts) == 1 else list(self._words.of_queries(texts).rows())
        asked = [row for row in rows if row[0]]
        if not asked:
            return empty_ranking(len(texts), k)
        answers = iter(self._engine.nearest(asked, k=k, where=self._filter(where), is_words=True))
        return ranking_of_lists([next(answers) if row[0] else ([], []) for row in rows], k=k)

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return the vectors of these products; see `ProductStore.vectors`."""
        wanted = product_index.tolist()
        found = self._engine.vectors(wanted) if wanted else {}
        rows = [found.get(index, [0.0] * self.dim) for index in wanted]
        return np.array(rows, np.float32).reshape(len(wanted), self.dim)

    def products(self, product_index: Int64[np.ndarray, " wanted"]) -> list[dict[str, Any] | None]:
        """Return the fields of these products; see `ProductStore.products`."""
        wanted = product_index.tolist()
        found = self._engine.fields(wanted) if wanted else {}
        return [found.get(index) for index in wanted]

    def count(self, where: ProductFilter = NO_FILTER) -> int:
        """Return how many products pass, which is counted once and kept true; see `ProductStore.count`."""
        return self._counts.get(where, lambda: self._engine.count(self._filter(where)))

    def facets(
        self, fields: Sequence[str], *, where: ProductFilter = NO_FILTER, most: int = 20
    ) -> dict[str, list[FacetCount]]:
        """Count the values of fields; see `ProductStore.facets`."""
        passing = self._filter(where)

        def hits(key: str) -> FacetHits:
            return self._engine.hits(key, where=passing)

        return facet_counts(fields, self._schema, hits, most=most)

    def maintain(self) -> None:
        """Let the graph take up the products that wait; in Qdrant Edge this blocks the whole process."""
        with self._writing:
            self._engine.optimise()
            self._num_waiting = 0

    def flush(self, applied_offset: int) -> None:
        """Bring all that was written to disk; see `ProductStore.flush`."""
        with self._writing:
            self._engine.flush()
            self._folder.note_state(applied_offset, num_waiting=self._num_waiting)
            self._applied_offset = applied_offset

    def close(self) -> None:
        """Write all, and seal the folder; a second call does nothing."""
        with self._writing:
            if self._is_closed:
                return
            self._is_closed = True
            self._engine.close()
            self._folder.seal()
            self._folder.release()

    def _filter(self, where: ProductFilter) -> Any | None:
        return qdrant_filter(where, self._schema, self._engine.filter_types)
