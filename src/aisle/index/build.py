"""From a config to a measured index, and from a folder back to an index."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Float32

from aisle.index.exact import ExactIndex
from aisle.index.hnsw import HnswConfig, HnswIndex
from aisle.index.hnsw_pq4 import HnswPq4Config, HnswPq4Index
from aisle.index.ivf_pq4 import IvfPq4Config, IvfPq4Index
from aisle.index.protocol import VectorIndex
from aisle.index.recall import ann_recall
from aisle.index.sealed import sealed_kind

__all__ = ["IndexConfig", "IndexReport", "build_index", "load_index", "make_index"]

_KINDS: Final[dict[str, Any]] = {one.kind: one for one in (ExactIndex, HnswIndex, HnswPq4Index, IvfPq4Index)}


@dataclass(frozen=True)
class IndexConfig:
    """Which index is built."""

    kind: Literal["exact", "hnsw", "ivf-pq4", "hnsw-pq4"] = "hnsw"
    """"hnsw" is approximate and fast; "ivf-pq4" takes less memory and is built sooner; "hnsw-pq4" walks a graph over
    the same codes; "exact" reads every vector for every query and misses nothing."""

    hnsw: HnswConfig = field(default_factory=HnswConfig)
    """Parameters of "hnsw"; each kind has its own, and reads no other's."""

    ivf_pq4: IvfPq4Config = field(default_factory=IvfPq4Config)
    """Parameters of "ivf-pq4"."""

    hnsw_pq4: HnswPq4Config = field(default_factory=HnswPq4Config)
    """Parameters of "hnsw-pq4"."""

    @staticmethod
    def section(kind: str) -> str:
        """Return the name of the parameters of a kind; the exact index has none."""
        return kind.replace("-", "_")


@dataclass(frozen=True)
class IndexReport:
    """What was built, and how well it finds.

    Attributes:
        kind: Kind of the index.
        num_products: Vectors in the index.
        dim: Dimensions of a vector.
        ann_recall: Share of the exact top `recall_k` that the index finds.
        recall_k: Depth at which `ann_recall` is measured.
        num_queries: Queries that it is measured on.
        build_s: Seconds of building, without the measuring.
        bytes_per_product: Memory of vectors and graph per product; 0 for an empty index.
        parameters: Parameters of the index.
    """

    kind: str
    num_products: int
    dim: int
    ann_recall: float
    recall_k: int
    num_queries: int
    build_s: float
    bytes_per_product: float
    parameters: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        return asdict(self)


def build_index(
    vectors: Float32[np.ndarray, "products dim"],
    config: IndexConfig,
    *,
    sample_queries: Float32[np.ndarray, "queries dim"],
    recall_k: int = 100,
) -> tuple[VectorIndex, IndexReport]:
    """Build an index and measure its recall: none is built without.

    Args:
        vectors: One row per product.
        config: Kind and parameters.
        sample_queries: Queries such as will be searched; a few hundred give two sure decimals.
        recall_k: Depth at which recall is measured.

    Raises:
        ShapeError: If vectors and queries are not matrices of one width, or not all finite.
        ConfigError: If a parameter is out of its bounds.
    """
    started_at = time.perf_counter()
    index = make_index(vectors, config)
    build_s = time.perf_counter() - started_at
    exact = index if isinstance(index, ExactIndex) else ExactIndex.build(vectors)
    report = IndexReport(
        kind=index.kind,
        num_products=index.num_products,
        dim=index.dim,
        ann_recall=ann_recall(index, exact, sample_queries, k=recall_k),
        recall_k=recall_k,
        num_queries=len(sample_queries),
        build_s=build_s,
        bytes_per_product=index.num_bytes / index.num_products if index.num_products else 0.0,
        parameters=index.parameters,
    )
    return index, report


def load_index(folder: Path) -> VectorIndex:
    """Read an index of any kind that `save` wrote.

    Raises:
        WorkspaceError: If the folder is missing or damaged, or its kind is unknown.
    """
    return _KINDS[sealed_kind(folder, known=list(_KINDS))].load(folder)


def make_index(vectors: Float32[np.ndarray, "products dim"], config: IndexConfig) -> VectorIndex:
    """Build an index without measuring it; see `build_index`."""
    if config.kind == ExactIndex.kind:
        return ExactIndex.build(vectors)
    return _KINDS[config.kind].build(vectors, **asdict(getattr(config, config.section(config.kind))))
