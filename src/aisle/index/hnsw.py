"""HNSW: a graph of near neighbours, walked greedily from layer to layer, over vectors of 16 or 8 bits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import faiss as faiss_library
import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float32, Int64

from aisle.core.errors import ConfigError
from aisle.core.ranking import Ranking, check_k
from aisle.index.arrays import checked_vectors, empty_ranking, ranking_of_found
from aisle.index.sealed import damaged, seal_folder, unseal_folder
from aisle.index.threads import faiss_threads
from aisle.index.tried import Tried

__all__ = ["QUANTIZERS", "HnswConfig", "HnswIndex", "Storage", "graph_bytes"]

Storage = Literal["fp16", "sq8"]

faiss: Any = faiss_library  # the stubs that it ships lack half of what is used here

_FAISS_NAME = "index.faiss"
QUANTIZERS = {"fp16": faiss.ScalarQuantizer.QT_fp16, "sq8": faiss.ScalarQuantizer.QT_8bit}
"""Faiss's name of each storage."""


@dataclass(frozen=True)
class HnswConfig:
    """Parameters of an HNSW index."""

    storage: Annotated[Storage, Tried(("fp16", "sq8"))] = "fp16"
    """How a number of a vector is kept: "fp16" in 2 bytes, or "sq8" in 1, at some cost of recall."""

    num_links: Annotated[int, Ge(2), Le(256), Tried((16, 32, 48))] = 32
    """Links per product above the lowest layer, twice as many on it (the paper's M). More finds more, at
    8 bytes per link and product and a slower build."""

    ef_construction: Annotated[int, Ge(1), Tried((100, 200))] = 200
    """Candidates kept while a product is linked. Larger gives a better graph and a slower build."""

    ef_search: Annotated[int, Ge(1), Tried((100, 128, 160, 200, 256, 320, 400, 512), is_of_search=True)] = 128
    """Candidates kept while a query walks the graph; a search for more products raises it to k. Larger finds
    more and is slower, about in proportion."""

    build_threads: Annotated[int, Ge(0)] = 0
    """Threads that build the graph; 0 means all. Only 1 gives the same graph every time: several threads
    insert in an order that changes from run to run, and recall with it a little."""


class HnswIndex:
    """An HNSW graph by inner product.

    Greedy search over inner products is only sound where all vectors have about one length, which the model's
    vectors do. Vectors of different lengths are answered too, with recall that must be measured: short ones
    are hard to reach.

    Source: Malkov and Yashunin 2018, "Efficient and robust approximate nearest neighbor search using
    Hierarchical Navigable Small World graphs", algorithms 1, 2 and 5.
    """

    kind = "hnsw"

    def __init__(self, index: Any, *, storage: Storage, ef_search: int) -> None:
        self._index = index
        self._storage: Storage = storage
        self._ef_search = ef_search

    @classmethod
    def build(
        cls,
        vectors: Float32[np.ndarray, "products dim"],
        *,
        storage: Storage = "fp16",
        num_links: int = 32,
        ef_construction: int = 200,
        ef_search: int = 128,
        build_threads: int = 0,
    ) -> HnswIndex:
        """Build the graph; the parameters are those of `HnswConfig`.

        Raises:
            ShapeError: If the vectors are not [products, dim] or not all finite.
            ConfigError: If a parameter is out of its bounds.
        """
        _check_parameters(storage, num_links=num_links, ef_construction=ef_construction, ef_search=ef_search)
        vectors = checked_vectors(vectors, name="vectors")
        # By constructor: a factory string can leave the metric at L2 without a word.
        index = faiss.IndexHNSWSQ(vectors.shape[1], QUANTIZERS[storage], num_links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = ef_construction
        if len(vectors):
            with faiss_threads(build_threads):
                index.train(vectors)
                index.add(vectors)
        return cls(index, storage=storage, ef_search=ef_search)

    def with_search(self, *, ef_search: int) -> HnswIndex:
        """Return the same graph, searched otherwise; nothing is copied.

        Raises:
            ConfigError: If the parameter is out of its bounds.
        """
        _check_parameters(self._storage, ef_search=ef_search)
        return HnswIndex(self._index, storage=self._storage, ef_search=ef_search)

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return int(self._index.d)

    @property
    def num_products(self) -> int:
        """Vectors in the index."""
        return int(self._index.ntotal)

    @property
    def num_bytes(self) -> int:
        """Bytes of the stored vectors and of the graph."""
        return int(self.num_products * self._index.storage.sa_code_size()) + graph_bytes(self._index.hnsw)

    @property
    def parameters(self) -> dict[str, Any]:
        """Storage and the paper's M, efConstruction and ef."""
        graph = self._index.hnsw
        return {
            "storage": self._storage,
            "num_links": int(graph.nb_neighbors(1)),
            "ef_construction": int(graph.efConstruction),
            "ef_search": self._ef_search,
        }

    def search(self, queries: Float32[np.ndarray, "queries dim"], *, k: int) -> Ranking:
        """Return about the k products with the largest inner product; see `VectorIndex.search`.

        Scores are those of the stored, rounded vectors. Queries of one call are shared among all threads.
        """
        check_k(k)
        queries = checked_vectors(queries, name="queries", dim=self.dim)
        num_found = min(k, self.num_products)
        if not len(queries) or not num_found:
            return empty_ranking(len(queries), k)
        parameters = faiss.SearchParametersHNSW(efSearch=max(self._ef_search, num_found))
        score, index = self._index.search(queries, num_found, params=parameters)
        return ranking_of_found(score, index, k=k)

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return the vectors of these products, rounded as they are stored; see `VectorIndex.vectors`."""
        if not len(product_index):
            return np.empty((0, self.dim), np.float32)
        return np.asarray(self._index.reconstruct_batch(np.ascontiguousarray(product_index, np.int64)), np.float32)

    def save(self, folder: Path) -> None:
        """Write graph, vectors and header."""
        folder.mkdir(parents=True, exist_ok=True)
        faiss.write_index(self._index, str(folder / _FAISS_NAME))
        values = {"dim": self.dim, "num_products": self.num_products, "parameters": self.parameters}
        seal_folder(folder, kind=self.kind, values=values, files=[_FAISS_NAME])

    @classmethod
    def load(cls, folder: Path) -> HnswIndex:
        """Read what `save` wrote.

        Raises:
            WorkspaceError: If the folder is missing or damaged, or holds another kind.
        """
        values = unseal_folder(folder, kind=cls.kind)
        try:
            index = faiss.read_index(str(folder / _FAISS_NAME))
        except RuntimeError as error:
            raise damaged(folder, str(error)) from error
        expected = (values["num_products"], values["dim"], faiss.METRIC_INNER_PRODUCT)
        if not isinstance(index, faiss.IndexHNSWSQ) or (index.ntotal, index.d, index.metric_type) != expected:
            raise damaged(folder, f"{_FAISS_NAME} holds another index than its header says")
        parameters = values["parameters"]
        return cls(index, storage=parameters["storage"], ef_search=parameters["ef_search"])


def graph_bytes(graph: Any) -> int:
    """Return the bytes of the links of Faiss's graph."""
    return int(4 * graph.neighbors.size() + 8 * graph.offsets.size() + 4 * graph.levels.size())


def _check_parameters(storage: str, **numbers: int) -> None:
    problems = [] if storage in QUANTIZERS else [f"storage={storage!r} is none of {', '.join(QUANTIZERS)}"]
    least = {"num_links": 2, "ef_construction": 1, "ef_search": 1}
    problems += [f"{name}={value} is too small" for name, value in numbers.items() if value < least[name]]
    if problems:
        raise ConfigError(
            "The parameters of an HNSW index must hold",
            received={"problems": problems},
            remedy="Mend these values.",
        )
