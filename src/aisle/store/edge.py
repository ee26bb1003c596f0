"""Qdrant Edge, the Qdrant engine in this process: the default store, open for writes.

The graph over the vectors knows the products of building. Those that were put since wait beside it and are searched
one by one, exactly: found at once, at a cost that grows with their number. The engine holds Python's lock in every
call, so calls take turns, and a long one (`maintain`) blocks the whole process: a service builds another store, in a
process of its own, and switches.

Source: https://qdrant.tech/documentation/edge/; Malkov and Yashunin 2018 (HNSW).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge
from jaxtyping import Float32

from aisle.core.config import config_from_dict
from aisle.store.config import StoreConfig
from aisle.store.facets import ALL_VALUES, FacetHits
from aisle.store.folder import StoreFolder, lost
from aisle.store.kept_fields import KeptFields
from aisle.store.payload import FIELDS, PayloadSchema
from aisle.store.qdrant_filter import FilterTypes, search_parameters
from aisle.store.qdrant_store import QdrantStore
from aisle.store.rankings import Found
from aisle.store.words import SparseRows

__all__ = ["KIND", "EdgeEngine", "edge_errors", "open_edge"]

KIND = "qdrant-edge"

edge: Any = qdrant_edge  # its stubs call every id and every vector a union of all that they could be

_VECTOR, _WORDS = "vector", "words"
_TYPES = FilterTypes(filter=edge.Filter, condition=edge.FieldCondition, match_any=edge.MatchAny, range=edge.RangeFloat)
_STORAGES = {"fp16": edge.VectorStorageDatatype.Float16, "fp32": edge.VectorStorageDatatype.Float32}
_UNBOUNDED_KB = 1_000_000_000
_INDEXING_KB = 1_000
"""Vectors of a segment, in kB, from which a graph is built over them."""

_CHECK = """
import sys
import qdrant_edge as edge
shard = edge.EdgeShard.load(sys.argv[1])
for name, vector in (("vector", [1.0] * int(sys.argv[2])), ("words", edge.SparseVector([1], [1.0]))):
    query, exact = edge.Query.Nearest(vector, using=name), edge.SearchParams(exact=True)
    shard.query(edge.QueryRequest(limit=10, query=query, params=exact, with_payload=True))
for key in shard.info().payload_schema:
    shard.facet(edge.FacetRequest(key=key, limit=10, exact=True)) if "price" not in key else None
"""


class EdgeEngine:
    """A shard of Qdrant Edge; see `QdrantEngine`.

    Args:
        shard: Open, and of nobody else.
        folder: Where it lies, for errors.
        config: Parameters of searching.
        kept: Fields of products as the store was built with them; None: the shard is asked for all.
    """

    filter_types = _TYPES

    def __init__(self, shard: Any, folder: Path, config: StoreConfig, kept: KeptFields | None = None) -> None:
        self._shard, self._folder, self._config, self._kept = shard, folder, config, kept

    @classmethod
    def create(cls, folder: Path, config: StoreConfig, *, dim: int) -> EdgeEngine:
        """Make an empty shard in a folder.

        It has no log of its own: what was not flushed is applied again from the journal.
        """
        graph = edge.HnswIndexConfig(
            m=config.num_links,
            ef_construct=config.ef_construction,
            full_scan_threshold=max(1, config.exact_below * dim * 4 // 1024),
        )
        quantisation = edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, memory=edge.Memory.Pinned)
        vector = edge.EdgeVectorParams(
            size=dim,
            distance=edge.Distance.Dot,
            datatype=_STORAGES[config.storage],
            hnsw_config=graph,
            quantization_config=None if config.quantisation == "none" else quantisation,
        )
        upkeep = edge.EdgeOptimizersConfig(
            default_segment_number=config.num_segments, max_segment_size=_UNBOUNDED_KB, indexing_threshold=_INDEXING_KB
        )
        settings = edge.EdgeConfig(
            vectors={_VECTOR: vector},
            sparse_vectors={_WORDS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
            optimizers=upkeep,
            payload_memory=edge.Memory.Cached,
            # In the calling thread: waking another takes longer than most searches, on a busy machine many times so.
            max_search_threads=1,
            wal_enabled=False,
        )
        with edge_errors(folder, "creating"):
            return cls(edge.EdgeShard.create(str(folder), settings), folder, config)

    @classmethod
    def load(cls, folder: Path, config: StoreConfig) -> EdgeEngine:
        """Open a shard."""
        with edge_errors(folder, "opening"):
            shard = edge.EdgeShard.load(str(folder))
        try:
            return cls(shard, folder, config, KeptFields(folder) if KeptFields.are_in(folder) else None)
        except BaseException:
            shard.close()
            raise

    def index_fields(self, schema: PayloadSchema) -> None:
        """Index the fields that are filtered or counted."""
        kinds = dict.fromkeys(schema.keyword_keys, edge.PayloadSchemaType.Keyword)
        kinds[schema.price_key] = edge.PayloadSchemaType.Float
        # Blocked products are left out, never searched for: no links among them.
        kinds[schema.key_of("product_id")] = edge.KeywordIndexParams(enable_hnsw=False)
        for key, kind in kinds.items():
            self._update(edge.UpdateOperation.create_field_index(key, kind))

    def upsert(
        self,
        product_index: Sequence[int],
        vectors: Float32[np.ndarray, "products dim"],
        words: SparseRows,
        payloads: Sequence[Mapping[str, Any]],
    ) -> None:
        """Add points, or replace those of the same index whole."""
        if self._kept is not None:
            self._kept.note_changed(product_index)
        rows = zip(product_index, vectors, words.rows(), payloads, strict=True)
        points = [
            edge.Point(index, {_VECTOR: vector, _WORDS: edge.SparseVector(*sparse)}, payload)
            for index, vector, sparse, payload in rows
        ]
        self._update(edge.UpdateOperation.upsert_points(points))

    def delete(self, product_index: Sequence[int]) -> None:
        """Take points out."""
        if self._kept is not None:
            self._kept.note_changed(product_index)
        self._update(edge.UpdateOperation.delete_points(list(product_index)))

    def nearest(
        self, queries: Sequence[Any], *, k: int, where: Any | None, is_words: bool, exact: bool = False
    ) -> list[Found]:
        """Search by vectors, or by rows of terms and weights."""
        parameters = search_parameters(edge, where, k=k, config=self._config, exact=exact)
        using = _WORDS if is_words else _VECTOR
        requests = [
            edge.QueryRequest(
                limit=k,
                query=edge.Query.Nearest(edge.SparseVector(*query) if is_words else query, using=using),
                filter=where,
                params=None if is_words else parameters,
                with_payload=False,
            )
            for query in queries
        ]
        with edge_errors(self._folder, "searching"):
            if len(requests) > 1:
                answers = self._shard.query_batch(edge.QueryBatchRequest(requests))
            else:
                answers = [self._shard.query(request) for request in requests]
        return [([hit.id for hit in hits], [hit.score for hit in hits]) for hits in answers]

    def vectors(self, product_index: Sequence[int]) -> dict[int, Sequence[float]]:
        """Return the vectors of those points that are there."""
        records = self._records(product_index, payload=False, vector=[_VECTOR])
        return {record.id: record.vector[_VECTOR] for record in records}

    def fields(self, product_index: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the products' fields of those points that are there."""
        found = self._kept.read(product_index) if self._kept is not None else {}
        if others := [index for index in product_index if index not in found]:
            records = self._records(others, payload=edge.PayloadSelector.Include([FIELDS]), vector=False)
            found |= {record.id: record.payload[FIELDS] for record in records}
        return found

    def count(self, where: Any | None) -> int:
        """Count points exactly."""
        with edge_errors(self._folder, "counting"):
            return int(self._shard.count(edge.CountRequest(exact=True, filter=where)))

    def hits(self, key: str, *, where: Any | None) -> FacetHits:
        """Count all values of a key exactly.

        What the engine calls inexact are counts of each segment's most frequent values. Of all its values they are
        exact, and thirty times faster than what it calls exact, which counts value by value.
        """
        request = edge.FacetRequest(key=key, limit=ALL_VALUES, exact=False, filter=where)
        with edge_errors(self._folder, "counting values"):
            return [(hit.value, hit.count) for hit in self._shard.facet(request).hits]

    def flush(self) -> None:
        """Bring all that was written to disk."""
        if self._kept is not None:
            self._kept.flush()
        with edge_errors(self._folder, "flushing"):
            self._shard.flush()

    def optimise(self) -> None:
        """Let the graph take up new points."""
        with edge_errors(self._folder, "optimising"):
            self._shard.optimize()

    def close(self) -> None:
        """Flush, and release files and memory."""
        if self._kept is not None:
            self._kept.flush()
            self._kept.close()
        with edge_errors(self._folder, "closing"):
            self._shard.close()

    def _update(self, operation: Any) -> None:
        with edge_errors(self._folder, "writing"):
            self._shard.update(operation)

    def _records(self, product_index: Sequence[int], *, payload: Any, vector: Any) -> list[Any]:
        with edge_errors(self._folder, "reading products"):
            return list(self._shard.retrieve(list(product_index), with_payload=payload, with_vector=vector))


def open_edge(path: Path) -> QdrantStore:
    """Open a store in Qdrant Edge.

    Raises:
        WorkspaceError: If it is missing, damaged, of another version, or open elsewhere.
    """
    folder = StoreFolder(path)
    try:
        values = folder.values(KIND)
        if not folder.unseal():
            _check_in_other_process(folder.data, dim=values["dim"])
        engine = EdgeEngine.load(folder.data, config_from_dict(StoreConfig, values["config"]))
        return QdrantStore(engine, folder, kind=KIND, values=values)
    except BaseException:
        folder.release()
        raise


@contextmanager
def edge_errors(folder: Path, doing: str) -> Iterator[None]:
    """Turn what the engine raises into a `WorkspaceError`; its panics too, which are no `Exception`."""
    try:
        yield
    except BaseException as error:
        # The engine raises bare Exception, and Rust's panics come as a class that is no Exception.
        if type(error) is not Exception and type(error).__name__ != "PanicException":
            raise
        raise lost(folder, f"{doing}: {error}") from error


def _check_in_other_process(folder: Path, *, dim: int) -> None:
    """Open and read a shard that was not closed in a process of its own.

    The files of a killed process are as its last writes left them, and the engine recovers them. But files that were
    cut or overwritten since can end the process that maps them, without an error to be caught.
    """
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, str(folder), str(dim)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        problem = done.stderr.strip().rpartition("\n")[2] or f"a process that opened it ended with {done.returncode}"
        raise lost(folder, problem)
