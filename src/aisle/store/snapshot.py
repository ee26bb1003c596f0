"""A read-only store over a Faiss index: products as they were when it was built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float32, Int64

from aisle.core.progress import Advance
from aisle.core.ranking import NO_PRODUCT, Ranking, check_k
from aisle.index import HnswIndex
from aisle.index.arrays import checked_vectors
from aisle.store.catalogue import StoredCatalogue
from aisle.store.columns import FilterColumns
from aisle.store.config import StoreConfig
from aisle.store.facets import FacetHits, facet_counts
from aisle.store.filters import NO_FILTER, ProductFilter
from aisle.store.folder import StoreFolder, write_whole
from aisle.store.payload import FIELDS, PayloadSchema
from aisle.store.postings import Postings
from aisle.store.protocol import FacetCount
from aisle.store.rankings import Found, ranking_of_lists, read_only
from aisle.store.words import LexicalSettings, SparseWords

__all__ = ["FaissSnapshotStore", "build_snapshot", "open_snapshot"]

_KIND = "faiss"
_STRICT = 0.05
"""A filter that a smaller share of products passes is answered by reading all that do."""

_BLOCK = 100_000


class FaissSnapshotStore:
    """Products as they were; see `ProductStore`.

    A filter that many pass is laid over a longer list from the graph; where that does not fill k, and for a strict
    filter, the vectors of all products that pass are read. So filters are exact, and slower than an engine's.

    Args:
        folder: Holds the files; held by this object until `close`.
        values: What the folder's header says.
    """

    kind = _KIND
    is_writable = False

    def __init__(self, folder: StoreFolder, values: dict[str, Any]) -> None:
        self._folder, self._schema = folder, PayloadSchema(tuple(values["attribute_names"]))
        self._words = SparseWords.of_values(values["words"])
        self._index = HnswIndex.load(folder.data / "semantic")
        self._ids: Int64[np.ndarray, " products"] = np.load(folder.data / "product_index.npy")
        with pa.OSFile(str(folder.data / "products.arrow")) as file:
            self._products = pa.ipc.open_file(file).read_all()
        self._columns = FilterColumns(self._products, self._schema)
        self._postings = Postings.load(folder.data, num_rows=len(self._ids))
        self._applied_offset, _ = folder.state()
        self._order = np.argsort(self._ids)

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self._folder.path

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self._index.dim

    @property
    def num_products(self) -> int:
        """Products that can be found."""
        return len(self._ids)

    @property
    def applied_offset(self) -> int:
        """Journal offset of building."""
        return self._applied_offset

    def put(self, product_index: object, products: pa.Table, vectors: object) -> None:
        """Refuse; see `ProductStore.put`."""
        raise read_only(self.kind)

    def delete(self, product_index: object) -> None:
        """Refuse; see `ProductStore.delete`."""
        raise read_only(self.kind)

    def search(
        self, queries: Float32[np.ndarray, "queries dim"], *, k: int, where: ProductFilter = NO_FILTER
    ) -> Ranking:
        """Return the k products of the largest inner product that pass; see `ProductStore.search`."""
        check_k(k)
        queries = checked_vectors(queries, name="queries", dim=self.dim)
        passing = self._columns.passing(where)
        if passing is None:
            found = self._index.search(queries, k=k)
            return Ranking(self._id_of(found.product_index), found.score)
        return ranking_of_lists([self._nearest(query, passing, k=k) for query in queries], k=k)

    def search_words(self, texts: Sequence[str], *, k: int, where: ProductFilter = NO_FILTER) -> Ranking:
        """Return the k products of the highest BM25 score that pass; see `ProductStore.search_words`."""
        check_k(k)
        passing = self._columns.passing(where)
        rows = self._words.of_queries(texts).rows()
        found = [self._postings.best(*row, k=k, passing=passing) for row in rows]
        return ranking_of_lists([(self._ids[index].tolist(), score) for index, score in found], k=k)

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return the vectors of these products; see `ProductStore.vectors`."""
        row = self._row_of(product_index)
        vectors = np.zeros((len(row), self.dim), np.float32)
        vectors[row >= 0] = self._index.vectors(row[row >= 0])
        return vectors

    def products(self, product_index: Int64[np.ndarray, " wanted"]) -> list[dict[str, Any] | None]:
        """Return the fields of these products; see `ProductStore.products`."""
        row = self._row_of(product_index)
        there = self._schema.payloads(self._products.take(pa.array(row[row >= 0])))
        fields = iter([payload[FIELDS] for payload in there])
        return [next(fields) if place >= 0 else None for place in row]

    def count(self, where: ProductFilter = NO_FILTER) -> int:
        """Return how many products pass; see `ProductStore.count`."""
        passing = self._columns.passing(where)
        return len(self._ids) if passing is None else int(passing.sum())

    def facets(
        self, fields: Sequence[str], *, where: ProductFilter = NO_FILTER, most: int = 20
    ) -> dict[str, list[FacetCount]]:
        """Count the values of fields; see `ProductStore.facets`."""
        passing = self._columns.passing(where)

        def hits(key: str) -> FacetHits:
            return self._columns.hits(key, passing=passing)

        return facet_counts(fields, self._schema, hits, most=most)

    def flush(self, applied_offset: int) -> None:
        """Refuse: nothing can have been written."""
        raise read_only(self.kind)

    def close(self) -> None:
        """Let others open the folder."""
        self._folder.release()

    def _nearest(self, query: Float32[np.ndarray, " dim"], passing: Bool[np.ndarray, " rows"], *, k: int) -> Found:
        share = float(passing.mean()) if len(passing) else 0.0
        if share > _STRICT:
            longer = self._index.search(query[None], k=min(int(2 * k / share) + 1, len(passing)))
            index = longer.product_index[0]
            kept = (index != NO_PRODUCT) & passing[index]
            if kept.sum() >= k:
                return self._ids[index[kept][:k]].tolist(), longer.score[0][kept][:k].tolist()
        rows = np.flatnonzero(passing)
        blocks = [self._index.vectors(rows[begin : begin + _BLOCK]) @ query for begin in range(0, len(rows), _BLOCK)]
        score = np.concatenate([np.empty(0, np.float32), *blocks])
        best = np.argsort(-score, kind="stable")[:k]
        return self._ids[rows[best]].tolist(), score[best].tolist()

    def _id_of(self, row: Int64[np.ndarray, "queries k"]) -> Int64[np.ndarray, "queries k"]:
        return np.where(row == NO_PRODUCT, NO_PRODUCT, self._ids[row]) if len(self._ids) else row

    def _row_of(self, product_index: Int64[np.ndarray, " wanted"]) -> Int64[np.ndarray, " wanted"]:
        """Return the row of each product, -1 for one that is not there."""
        if not len(self._ids):
            return np.full(len(product_index), -1)
        place = np.minimum(np.searchsorted(self._ids, product_index, sorter=self._order), len(self._ids) - 1)
        row = self._order[place]
        return np.where(self._ids[row] == product_index, row, -1)


def build_snapshot(
    path: Path,
    catalogue: StoredCatalogue,
    *,
    lexical: LexicalSettings,
    config: StoreConfig,
    applied_offset: int,
    progress: Advance | None = None,
) -> None:
    """Build a snapshot in a folder; see `build_edge`."""

    def write(folder: StoreFolder) -> None:
        schema = PayloadSchema.of_catalogue(catalogue.products, most=config.num_attribute_indexes)
        words, rows = SparseWords.of_catalogue(catalogue.products, lexical)
        Postings.of_rows(rows).save(folder.data)
        HnswIndex.build(
            catalogue.vectors,
            num_links=config.num_links,
            ef_construction=config.ef_construction,
            ef_search=config.ef_search,
        ).save(folder.data / "semantic")
        np.save(folder.data / "product_index.npy", catalogue.product_index)
        table = catalogue.products
        with pa.OSFile(str(folder.data / "products.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as out:
            out.write_table(table)
        values = {"words": words.values, "attribute_names": list(schema.attribute_names)}
        folder.describe(_KIND, values)
        folder.note_state(applied_offset, num_waiting=0)
        folder.seal()
        if progress is not None:
            progress(len(catalogue))

    write_whole(path, write)


def open_snapshot(path: Path) -> FaissSnapshotStore:
    """Open a snapshot, whose files are checked first.

    Raises:
        WorkspaceError: If it is missing, damaged, of another version, or open elsewhere.
    """
    folder = StoreFolder(path)
    try:
        values = folder.values(_KIND)
        folder.check_seal()
        return FaissSnapshotStore(folder, values)
    except BaseException:
        folder.release()
        raise
