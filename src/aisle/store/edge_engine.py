"""Qdrant Edge, the engine in this process: its settings, its types, and its failures as errors of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge
from jaxtyping import Float32

from aisle.store.config import StoreConfig
from aisle.store.folder import lost
from aisle.store.payload import PayloadSchema
from aisle.store.qdrant_filter import FilterTypes
from aisle.store.words import SparseRows

__all__ = [
    "EDGE_TYPES",
    "VECTOR",
    "WORDS",
    "check_in_other_process",
    "create_shard",
    "edge",
    "edge_errors",
    "edge_points",
    "index_fields",
    "upsert",
]

VECTOR, WORDS = "vector", "words"
"""Names of the dense and of the sparse vector of a point."""

edge: Any = qdrant_edge  # its stubs call every id and every vector a union of all that they could be

EDGE_TYPES = FilterTypes(
    filter=edge.Filter,
    condition=edge.FieldCondition,
    match_any=edge.MatchAny,
    range=edge.RangeFloat,
)

_STORAGES = {"fp16": edge.VectorStorageDatatype.Float16, "fp32": edge.VectorStorageDatatype.Float32}
_CHECK = """
import sys
import qdrant_edge
shard = edge.EdgeShard.load(sys.argv[1])
for name, vector in (("vector", [1.0] * int(sys.argv[2])), ("words", edge.SparseVector([1], [1.0]))):
    query, exact = edge.Query.Nearest(vector, using=name), edge.SearchParams(exact=True)
    shard.query(edge.QueryRequest(limit=10, query=query, params=exact, with_payload=True))
for key in shard.info().payload_schema:
    shard.facet(edge.FacetRequest(key=key, limit=10, exact=True))
"""
_UNBOUNDED_KB = 1_000_000_000
_INDEXING_KB = 1_000
"""Vectors of a segment, in kB, from which a graph is built over them."""


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


def create_shard(folder: Path, config: StoreConfig, *, dim: int) -> Any:
    """Make an empty shard in a folder.

    It has no log of its own: what was not flushed is applied again from the journal.
    """
    graph = edge.HnswIndexConfig(
        m=config.num_links,
        ef_construct=config.ef_construction,
        full_scan_threshold=max(1, config.exact_below * dim * 4 // 1024),
    )
    vector = edge.EdgeVectorParams(
        size=dim,
        distance=edge.Distance.Dot,
        datatype=_STORAGES[config.storage],
        hnsw_config=graph,
        quantization_config=_quantisation(config),
    )
    settings = edge.EdgeConfig(
        vectors={VECTOR: vector},
        sparse_vectors={WORDS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        optimizers=edge.EdgeOptimizersConfig(
            default_segment_number=config.num_segments,
            max_segment_size=_UNBOUNDED_KB,
            indexing_threshold=_INDEXING_KB,
        ),
        payload_memory=edge.Memory.Cached,
        wal_enabled=False,
    )
    with edge_errors(folder, "creating"):
        return edge.EdgeShard.create(str(folder), settings)


def index_fields(shard: Any, schema: PayloadSchema) -> None:
    """Index the fields that are filtered or counted."""
    kinds = dict.fromkeys(schema.keyword_keys, edge.PayloadSchemaType.Keyword)
    kinds[schema.price_key] = edge.PayloadSchemaType.Float
    for key, kind in kinds.items():
        shard.update(edge.UpdateOperation.create_field_index(key, kind))


def upsert(shard: Any, points: list[Any]) -> None:
    """Add points, or replace those of the same index whole."""
    shard.update(edge.UpdateOperation.upsert_points(points))


def edge_points(
    product_index: Sequence[int],
    vectors: Float32[np.ndarray, "products dim"],
    words: SparseRows,
    payloads: Sequence[dict[str, Any]],
) -> list[Any]:
    """Return one point per product."""
    rows = zip(product_index, vectors, words.rows(), payloads, strict=True)
    return [
        edge.Point(index, {VECTOR: vector, WORDS: edge.SparseVector(*sparse)}, payload)
        for index, vector, sparse, payload in rows
    ]


def check_in_other_process(folder: Path, *, dim: int) -> None:
    """Open and read a shard that was not closed in a process of its own.

    The files of a killed process are as its last writes left them, and the engine recovers them. But files that were
    cut or overwritten since can end the process that maps them, without an error to be caught.

    Raises:
        WorkspaceError: If the process did not come to its end.
    """
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, str(folder), str(dim)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        problem = done.stderr.strip().rpartition("\n")[2] or f"a process that opened it ended with {done.returncode}"
        raise lost(folder, problem)


def _quantisation(config: StoreConfig) -> Any | None:
    if config.quantisation == "none":
        return None
    return edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, memory=edge.Memory.Pinned)
