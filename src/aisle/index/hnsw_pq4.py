"""HNSW over codes of 4 bits, with re-ranking: what Etsy describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import faiss as faiss_library
import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float32

from aisle.index.arrays import checked_vectors
from aisle.index.codes import CODE_BITS, code_bytes, learn_codes, num_codes, padded
from aisle.index.hnsw import Storage, graph_bytes
from aisle.index.reranked import RerankedIndex, checked_settings, vector_store
from aisle.index.threads import faiss_threads
from aisle.index.tried import Tried

__all__ = ["HnswPq4Config", "HnswPq4Index"]

faiss: Any = faiss_library  # the stubs that it ships lack half of what is used here


@dataclass(frozen=True)
class HnswPq4Config:
    """Parameters of an HNSW index over codes of 4 bits."""

    storage: Annotated[Storage, Tried(("sq8",))] = "sq8"
    """How a number of a vector that re-ranking reads is kept: "fp16" in 2 bytes, or "sq8" in 1."""

    num_links: Annotated[int, Ge(2), Le(256), Tried((16, 32))] = 16
    """Links per product above the lowest layer, twice as many on it (the paper's M). More finds more, at
    8 bytes per link and product and a slower build."""

    ef_construction: Annotated[int, Ge(1)] = 200
    """Candidates kept while a product is linked. Larger gives a better graph and a slower build."""

    ef_search: Annotated[int, Ge(1), Tried((200, 300, 400, 600, 800), is_of_search=True)] = 400
    """Candidates kept while a query walks the graph, all of them re-ranked; a search for more than half as many
    products raises it to twice their number. Larger finds more and is slower, about in proportion."""

    build_threads: Annotated[int, Ge(0)] = 0
    """Threads that build the graph; 0 means all. Only 1 gives the same graph every time: several threads
    insert in an order that changes from run to run, and recall with it a little."""


class HnswPq4Index(RerankedIndex):
    """An HNSW graph by inner product, walked over codes of 4 bits; what it finds is re-ranked.

    The graph is linked by the stored vectors, not by the codes. Faiss's own `IndexHNSWPQ` links by the L2 distance
    between codes, whatever its metric is: by inner product it then keeps the wrong links, and finds half.

    Source: Malkov and Yashunin 2018 (the graph); Faiss's `IndexHNSWPQ` and `IndexRefine`.
    """

    kind = "hnsw-pq4"
    _config = HnswPq4Config
    _first_step = faiss.IndexHNSWPQ

    @classmethod
    def build(
        cls,
        vectors: Float32[np.ndarray, "products dim"],
        *,
        storage: Storage = "sq8",
        num_links: int = 16,
        ef_construction: int = 200,
        ef_search: int = 400,
        build_threads: int = 0,
    ) -> HnswPq4Index:
        """Build graph and codes; the parameters are those of `HnswPq4Config`.

        Raises:
            ShapeError: If the vectors are not [products, dim] or not all finite.
            ConfigError: If a parameter is out of its bounds.
        """
        settings = {
            "storage": storage,
            "num_links": num_links,
            "ef_construction": ef_construction,
            "ef_search": ef_search,
        }
        checked_settings(HnswPq4Config, {**settings, "build_threads": build_threads})
        vectors = checked_vectors(vectors, name="vectors")
        dim, vectors = vectors.shape[1], padded(vectors)
        with faiss_threads(build_threads):
            stored = vector_store(vectors, storage)
            first = _graph_over_codes(vectors, stored, num_links=num_links, ef_construction=ef_construction)
        return cls(faiss.IndexRefine(first, stored), dim=dim, settings=settings)

    def with_search(self, *, ef_search: int) -> HnswPq4Index:
        """Return the same graph, searched otherwise; nothing is copied.

        Raises:
            ConfigError: If the parameter is out of its bounds.
        """
        return self._searched_by(ef_search=ef_search)

    def _num_candidates(self, num_found: int) -> int:
        return max(int(self._settings["ef_search"]), 2 * num_found)

    def _first_parameters(self, num_candidates: int) -> Any:
        return faiss.SearchParametersHNSW(efSearch=num_candidates)

    def _first_num_bytes(self) -> int:
        codes = faiss.downcast_index(self._first.storage)
        return graph_bytes(self._first.hnsw) + self.num_products * int(codes.sa_code_size()) + code_bytes(codes.pq)


def _graph_over_codes(
    vectors: Float32[np.ndarray, "products dim"], stored: Any, *, num_links: int, ef_construction: int
) -> Any:
    """Store the vectors, link a graph by them, and put codes in their place."""
    dim, metric = vectors.shape[1], faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexHNSWPQ(dim, num_codes(dim), num_links, CODE_BITS, metric)
    index.hnsw.efConstruction = ef_construction
    if len(vectors):
        linked = faiss.IndexHNSW(stored, num_links)
        linked.hnsw.efConstruction = ef_construction
        linked.add(vectors)
        index.hnsw = linked.hnsw
        codes = faiss.downcast_index(index.storage)
        learn_codes(codes, codes.pq, vectors)
        codes.add(vectors)
        index.ntotal, index.is_trained = len(vectors), True
    return index
