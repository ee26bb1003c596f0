"""Two steps of one search: codes of 4 bits propose candidates, vectors of 8 or 16 bits a number put them in order.

A code of 4 bits stands for two dimensions (product quantisation), so a vector of 256 dimensions is 64 bytes to the
first step. By these codes alone the first 100 hold some three quarters of the exact first 100; among a few times as
many candidates are nearly all of them, and the second step finds out which.

Source: Jégou et al. 2011, "Product Quantization for Nearest Neighbor Search"; André et al. 2015, "Cache locality is
not enough: High-Performance Nearest Neighbor Search with Product Quantization Fast Scan".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import faiss as faiss_library
import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.ranking import NO_PRODUCT, Ranking, check_k
from aisle.index.arrays import checked_vectors, empty_ranking, ranking_of_found
from aisle.index.codes import padded, padded_dim
from aisle.index.hnsw import QUANTIZERS, Storage
from aisle.index.sealed import damaged, seal_folder, unseal_folder

__all__ = ["RerankedIndex", "checked_settings", "vector_store"]

faiss: Any = faiss_library  # the stubs that it ships lack half of what is used here

_FAISS_NAME = "index.faiss"

Self = TypeVar("Self", bound="RerankedIndex")


class RerankedIndex(ABC):
    """What the kinds that re-rank have in common; they differ in how the first step finds its candidates.

    Args:
        index: Faiss's `IndexRefine` over both steps, by inner product.
        dim: Dimensions of a vector; the index may have more, all zero.
        settings: Those of the kind's config, without what only concerns the machine.
    """

    kind: ClassVar[str]
    _config: ClassVar[type[Any]]
    _first_step: ClassVar[Any]

    def __init__(self, index: Any, *, dim: int, settings: dict[str, Any]) -> None:
        self._index = index
        self._first = faiss.downcast_index(index.base_index)
        self._stored = faiss.downcast_index(index.refine_index)
        self._dim = dim
        self._settings = settings

    @abstractmethod
    def _num_candidates(self, num_found: int) -> int:
        """Return how many candidates the first step proposes."""

    @abstractmethod
    def _first_parameters(self, num_candidates: int) -> Any:
        """Return Faiss's parameters of the first step."""

    @abstractmethod
    def _first_num_bytes(self) -> int:
        """Return the bytes that the first step takes."""

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self._dim

    @property
    def num_products(self) -> int:
        """Vectors in the index."""
        return int(self._index.ntotal)

    @property
    def num_bytes(self) -> int:
        """Bytes of codes, of what finds them, and of the stored vectors."""
        return self._first_num_bytes() + self.num_products * int(self._stored.sa_code_size())

    @property
    def parameters(self) -> dict[str, Any]:
        """The settings it was built with and is searched by."""
        return dict(self._settings)

    def search(self, queries: Float32[np.ndarray, "queries dim"], *, k: int) -> Ranking:
        """Return about the k products with the largest inner product; see `VectorIndex.search`.

        Scores are those of the stored, rounded vectors. Queries of one call are shared among all threads.
        """
        check_k(k)
        queries = padded(checked_vectors(queries, name="queries", dim=self.dim))
        num_found = min(k, self.num_products)
        if not len(queries) or not num_found:
            return empty_ranking(len(queries), k)
        score, index = self._found(queries, num_found)
        return ranking_of_found(score, index, k=k)

    def _searched_by(self: Self, **settings: Any) -> Self:
        """Return the same index, searched by other settings; nothing is copied."""
        changed = {**self._settings, **settings}
        checked_settings(self._config, changed)
        return type(self)(self._index, dim=self._dim, settings=changed)

    def _found(
        self, queries: Float32[np.ndarray, "queries dim"], num_found: int
    ) -> tuple[Float32[np.ndarray, "queries found"], Int64[np.ndarray, "queries found"]]:
        """Search in two steps; in the second alone where all products are candidates, or the first finds too few."""
        num_candidates = self._num_candidates(num_found)
        if num_candidates >= self.num_products:
            found: tuple[np.ndarray, np.ndarray] = self._stored.search(queries, num_found)
            return found
        parameters = faiss.IndexRefineSearchParameters(
            k_factor=num_candidates / num_found, base_index_params=self._first_parameters(num_candidates)
        )
        score, index = self._index.search(queries, num_found, params=parameters)
        short = index[:, -1] == NO_PRODUCT
        if short.any():
            score[short], index[short] = self._stored.search(queries[short], num_found)
        return score, index

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return the vectors of these products, rounded as they are stored; see `VectorIndex.vectors`."""
        if not len(product_index):
            return np.empty((0, self.dim), np.float32)
        wanted = np.ascontiguousarray(product_index, np.int64)
        return np.asarray(self._stored.reconstruct_batch(wanted)[:, : self.dim], np.float32)

    def save(self, folder: Path) -> None:
        """Write both steps and the header."""
        folder.mkdir(parents=True, exist_ok=True)
        faiss.write_index(self._index, str(folder / _FAISS_NAME))
        values = {"dim": self.dim, "num_products": self.num_products, "parameters": self.parameters}
        seal_folder(folder, kind=self.kind, values=values, files=[_FAISS_NAME])

    @classmethod
    def load(cls: type[Self], folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            WorkspaceError: If the folder is missing or damaged, or holds another kind.
        """
        values = unseal_folder(folder, kind=cls.kind)
        try:
            # Without tables of distances between codes, which only linking a graph by codes would use.
            index = faiss.read_index(str(folder / _FAISS_NAME), faiss.IO_FLAG_PQ_SKIP_SDC_TABLE)
        except RuntimeError as error:
            raise damaged(folder, str(error)) from error
        if not cls._is_as_said(index, dim=values["dim"], num_products=values["num_products"]):
            raise damaged(folder, f"{_FAISS_NAME} holds another index than its header says")
        return cls(index, dim=values["dim"], settings=values["parameters"])

    @classmethod
    def _is_as_said(cls, index: Any, *, dim: int, num_products: int) -> bool:
        if not isinstance(index, faiss.IndexRefine):
            return False
        first, stored = faiss.downcast_index(index.base_index), faiss.downcast_index(index.refine_index)
        if not (isinstance(first, cls._first_step) and isinstance(stored, faiss.IndexScalarQuantizer)):
            return False
        expected = (num_products, padded_dim(dim), faiss.METRIC_INNER_PRODUCT)
        return all((one.ntotal, one.d, one.metric_type) == expected for one in (index, first, stored))


def checked_settings(config: type[Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a config, all of them, checked against its bounds.

    Raises:
        ConfigError: With every unknown name, wrong type and value out of bounds.
    """
    return config_to_dict(config_from_dict(config, settings))


def vector_store(vectors: Float32[np.ndarray, "products dim"], storage: Storage) -> Any:
    """Return Faiss's index for what the second step reads: it knows how to round the vectors, and holds none yet."""
    index = faiss.IndexScalarQuantizer(vectors.shape[1], QUANTIZERS[storage], faiss.METRIC_INNER_PRODUCT)
    if len(vectors):
        index.train(vectors)
    return index
