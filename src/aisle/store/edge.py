"""A store in the Qdrant engine inside this process: the default, open for writes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.config import config_from_dict
from aisle.core.ranking import Ranking, check_k
from aisle.index.arrays import checked_vectors, empty_ranking
from aisle.store.catalogue import StoredCatalogue
from aisle.store.config import StoreConfig
from aisle.store.edge_engine import EDGE_TYPES, VECTOR, WORDS, check_in_other_process, edge, edge_errors, edge_points
from aisle.store.facets import FacetHits, facet_counts
from aisle.store.filters import NO_FILTER, ProductFilter
from aisle.store.folder import StoreFolder
from aisle.store.payload import FIELDS, PayloadSchema
from aisle.store.protocol import FacetCount
from aisle.store.qdrant_filter import qdrant_filter
from aisle.store.rankings import Found, ranking_of_lists
from aisle.store.words import SparseWords

__all__ = ["QdrantEdgeStore"]

_BATCH = 1_000


class QdrantEdgeStore:
    """Products in a shard of Qdrant Edge; see `ProductStore`.

    The graph over the vectors knows the products of building. Those that were put since wait beside it and are
    searched one by one, exactly: found at once, at about 0.1 ms a search per thousand of them. `maintain` lets the
    graph take them up; it blocks the whole process (the engine holds Python's lock), so a service builds another store
    instead, and switches.

    Source: Malkov and Yashunin 2018 (HNSW); https://qdrant.tech/documentation/edge/.
    """

    kind = "qdrant-edge"
    is_writable = True

    def __init__(self, shard: Any, folder: StoreFolder) -> None:
        values = folder.values(self.kind)
        self._shard, self._folder = shard, folder
        self._dim = int(values["dim"])
        self._schema = PayloadSchema(tuple(values["attribute_names"]))
        self._words = SparseWords.of_values(values["words"])
        config = config_from_dict(StoreConfig, values["config"])
        self._parameters = _search_parameters(config)
        self._applied_offset, self._num_waiting = folder.state()
        self._writing = threading.Lock()
        self._num_products: int | None = None
        self._is_closed = False

    @classmethod
    def open(cls, path: Path) -> QdrantEdgeStore:
        """Open a store that was built.

        Raises:
            WorkspaceError: If it is missing, damaged, of another version, or open elsewhere.
        """
        folder = StoreFolder(path)
        try:
            values = folder.values(cls.kind)
            if not folder.unseal():
                check_in_other_process(folder.data, dim=values["dim"])
            with edge_errors(path, "opening"):
                return cls(edge.EdgeShard.load(str(folder.data)), folder)
        except BaseException:
            folder.release()
            raise

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
        """Products that can be found now; counted once after a write."""
        found = self._num_products
        if found is None:
            found = self._num_products = self.count()
        return found

    @property
    def applied_offset(self) -> int:
        """Journal offset of the last `flush`."""
        return self._applied_offset

    @property
    def num_waiting(self) -> int:
        """Products put since the graph was built, which a search reads one by one."""
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
            points = edge_points(part.product_index.tolist(), part.vectors, words, payloads)
            self._update(edge.UpdateOperation.upsert_points(points))
        self._num_waiting += len(catalogue)

    def delete(self, product_index: Int64[np.ndarray, " products"]) -> None:
        """Take products out; see `ProductStore.delete`."""
        if len(product_index):
            self._update(edge.UpdateOperation.delete_points(product_index.tolist()))

    def search(
        self, queries: Float32[np.ndarray, "queries dim"], *, k: int, where: ProductFilter = NO_FILTER
    ) -> Ranking:
        """Return the k products of the largest inner product that pass; see `ProductStore.search`."""
        check_k(k)
        queries = checked_vectors(queries, name="queries", dim=self.dim)
        found = self._nearest([edge.Query.Nearest(query, using=VECTOR) for query in queries], k=k, where=where)
        short = [row for row, (index, _) in enumerate(found) if len(index) < k]
        if short and max(len(found[row][0]) for row in short) < min(k, self.count(where)):
            # The graph, cut up by a filter, can strand a walk before it has met k products.
            exact = edge.SearchParams(exact=True)
            asked = [edge.Query.Nearest(queries[row], using=VECTOR) for row in short]
            for row, answer in zip(short, self._nearest(asked, k=k, where=where, parameters=exact), strict=True):
                found[row] = answer
        return ranking_of_lists(found, k=k)

    def search_words(self, texts: Sequence[str], *, k: int, where: ProductFilter = NO_FILTER) -> Ranking:
        """Return the k products of the highest BM25 score that pass; see `ProductStore.search_words`."""
        check_k(k)
        rows = list(self._words.of_queries(texts).rows())
        asked = [edge.Query.Nearest(edge.SparseVector(*row), using=WORDS) for row in rows if row[0]]
        if not asked:
            return empty_ranking(len(texts), k)
        answers = iter(self._nearest(asked, k=k, where=where))
        return ranking_of_lists([next(answers) if row[0] else ([], []) for row in rows], k=k)

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return the vectors of these products; see `ProductStore.vectors`."""
        found = self._retrieve(product_index, with_payload=False, with_vector=[VECTOR])
        nothing = np.zeros(self.dim, np.float32)
        rows = [found[i].vector[VECTOR] if i in found else nothing for i in product_index.tolist()]
        return np.array(rows, np.float32).reshape(len(product_index), self.dim)

    def products(self, product_index: Int64[np.ndarray, " wanted"]) -> list[dict[str, Any] | None]:
        """Return the fields of these products; see `ProductStore.products`."""
        wanted = edge.PayloadSelector.Include([FIELDS])
        found = self._retrieve(product_index, with_payload=wanted, with_vector=False)
        return [found[i].payload[FIELDS] if i in found else None for i in product_index.tolist()]

    def count(self, where: ProductFilter = NO_FILTER) -> int:
        """Return how many products pass; see `ProductStore.count`."""
        with edge_errors(self._folder.path, "counting"):
            return int(self._shard.count(edge.CountRequest(exact=True, filter=self._filter(where))))

    def facets(
        self, fields: Sequence[str], *, where: ProductFilter = NO_FILTER, most: int = 20
    ) -> dict[str, list[FacetCount]]:
        """Count the values of fields; see `ProductStore.facets`."""
        passing = self._filter(where)

        def hits(key: str, limit: int) -> FacetHits:
            request = edge.FacetRequest(key=key, limit=limit, exact=True, filter=passing)
            with edge_errors(self._folder.path, "counting values"):
                return [(hit.value, hit.count) for hit in self._shard.facet(request).hits]

        return facet_counts(fields, self._schema, hits, most=most)

    def maintain(self) -> None:
        """Let the graph take up the products that wait; blocks this process until that is done."""
        with self._writing, edge_errors(self._folder.path, "optimising"):
            self._shard.optimize()
            self._num_waiting = 0

    def flush(self, applied_offset: int) -> None:
        """Bring all that was written to disk; see `ProductStore.flush`."""
        with self._writing:
            with edge_errors(self._folder.path, "flushing"):
                self._shard.flush()
            self._folder.note_state(applied_offset, num_waiting=self._num_waiting)
            self._applied_offset = applied_offset

    def close(self) -> None:
        """Write all, and seal the folder; a second call does nothing."""
        with self._writing:
            if self._is_closed:
                return
            self._is_closed = True
            with edge_errors(self._folder.path, "closing"):
                self._shard.close()
            self._folder.seal()
            self._folder.release()

    def _update(self, operation: Any) -> None:
        with self._writing, edge_errors(self._folder.path, "writing"):
            self._shard.update(operation)
            self._num_products = None

    def _filter(self, where: ProductFilter) -> Any | None:
        return qdrant_filter(where, self._schema, EDGE_TYPES)

    def _nearest(
        self,
        asked: Sequence[Any],
        *,
        k: int,
        where: ProductFilter,
        parameters: Any | None = None,
    ) -> list[Found]:
        shared = {"filter": self._filter(where), "params": parameters or self._parameters, "with_payload": False}
        requests = [edge.QueryRequest(limit=k, query=query, **shared) for query in asked]
        with edge_errors(self._folder.path, "searching"):
            if len(requests) == 1:
                answers = [self._shard.query(requests[0])]
            else:
                answers = self._shard.query_batch(edge.QueryBatchRequest(requests)) if requests else []
        return [([hit.id for hit in hits], [hit.score for hit in hits]) for hits in answers]

    def _retrieve(self, product_index: Int64[np.ndarray, " wanted"], **wanted: Any) -> dict[int, Any]:
        if not len(product_index):
            return {}
        with edge_errors(self._folder.path, "reading products"):
            records = self._shard.retrieve(product_index.tolist(), **wanted)
        return {record.id: record for record in records}


def _search_parameters(config: StoreConfig) -> Any:
    if config.quantisation == "none":
        return edge.SearchParams(hnsw_ef=config.ef_search)
    rescored = edge.QuantizationSearchParams(rescore=True, oversampling=config.oversampling)
    return edge.SearchParams(hnsw_ef=config.ef_search, quantization=rescored)
