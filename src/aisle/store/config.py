"""How a store is built and searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

__all__ = ["StoreConfig", "StoreKind"]

StoreKind = Literal["qdrant-edge", "qdrant-cluster", "faiss"]
"""Kinds of store: the engine in this process, a cluster of it, or a read-only snapshot."""


@dataclass(frozen=True)
class StoreConfig:
    """Parameters of a store's vectors, graph and upkeep."""

    storage: Literal["fp16", "fp32"] = "fp16"
    """How a number of a vector is kept: in 2 bytes, or in 4. Scores are those of the stored vectors."""

    quantisation: Literal["int8", "none"] = "int8"
    """Whether the graph is walked over vectors of 8 bits a number, the best then scored again with the stored ones.
    Faster and, with the scoring again, hardly less exact; a quarter more disk."""

    num_links: Annotated[int, Ge(4), Le(128)] = 16
    """Links per product above the lowest layer of the graph, twice as many on it (HNSW's M)."""

    ef_construction: Annotated[int, Ge(16), Le(2000)] = 128
    """Candidates kept while a product is linked. Larger gives a better graph and a slower build."""

    ef_search: Annotated[int, Ge(1), Le(10_000)] = 128
    """Candidates kept while a query walks the graph. Larger finds more and is slower, about in proportion."""

    oversampling: Annotated[float, Ge(1.0), Le(10.0)] = 2.0
    """How many times the products that are wanted are scored again with the stored vectors; of int8 only. Of more than
    50 products, as many more as of 50."""

    exact_below: Annotated[int, Ge(0)] = 10_000
    """A filter that fewer products pass than this is answered by reading all of them, without the graph."""

    num_attribute_indexes: Annotated[int, Ge(0), Le(64)] = 8
    """Attributes, the most frequent ones, that get an index of their own: a facet over any other is slower."""

    num_segments: Annotated[int, Ge(1), Le(64)] = 1
    """Parts with a graph of their own, each of which is searched. One is fastest to search and slowest to take up new
    products."""

    url: str = "http://localhost:6333"
    """Where the cluster answers; of qdrant-cluster only."""
