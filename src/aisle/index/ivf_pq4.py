"""Inverted lists of codes of 4 bits, scanned 32 at a time, with re-ranking: little memory and a quick build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import faiss as faiss_library
import numpy as np
from annotated_types import Ge
from jaxtyping import Float32

from aisle.index.arrays import checked_vectors
from aisle.index.codes import CODE_BITS, code_bytes, learn_codes, num_codes, padded, training_rows
from aisle.index.hnsw import Storage
from aisle.index.reranked import RerankedIndex, checked_settings, vector_store
from aisle.index.tried import Tried

__all__ = ["IvfPq4Config", "IvfPq4Index"]

faiss: Any = faiss_library  # the stubs that it ships lack half of what is used here

_MOST_ROWS_PER_LIST = 64
"""Rows that k-means reads per list: more than Faiss calls the least (39), and a fourth of what it takes."""

_ROUNDS = 10
"""Of k-means; Faiss's own number for inverted lists."""


@dataclass(frozen=True)
class IvfPq4Config:
    """Parameters of inverted lists over codes of 4 bits."""

    storage: Annotated[Storage, Tried(("sq8",))] = "sq8"
    """How a number of a vector that re-ranking reads is kept: "fp16" in 2 bytes, or "sq8" in 1."""

    products_per_list: Annotated[int, Ge(1), Tried((256, 512, 1024))] = 512
    """Products of a list, on average. Fewer make more lists: each search chooses them more finely and reads less,
    but has more to choose from, and the build takes longer. A catalogue of fewer products is one list."""

    num_probes: Annotated[int, Ge(1), Tried((8, 16, 32, 64, 128, 256), is_of_search=True)] = 64
    """Lists that a query reads, of those whose centres are the best. More find more and are slower."""

    num_reranked: Annotated[int, Ge(1), Tried((200, 400, 800), is_of_search=True)] = 400
    """Candidates that are re-ranked; a search for more than half as many products raises it to twice their
    number. More find more and are slower."""


class IvfPq4Index(RerankedIndex):
    """Inverted lists by inner product, read by their codes; what is found is re-ranked.

    Source: Jégou et al. 2011, section 4 (inverted lists); Faiss's `IndexIVFPQFastScan` and `IndexRefine`.
    """

    kind = "ivf-pq4"
    _config = IvfPq4Config
    _first_step = faiss.IndexIVFPQFastScan

    @classmethod
    def build(
        cls,
        vectors: Float32[np.ndarray, "products dim"],
        *,
        storage: Storage = "sq8",
        products_per_list: int = 512,
        num_probes: int = 64,
        num_reranked: int = 400,
    ) -> IvfPq4Index:
        """Build lists and codes; the parameters are those of `IvfPq4Config`.

        Raises:
            ShapeError: If the vectors are not [products, dim] or not all finite.
            ConfigError: If a parameter is out of its bounds.
        """
        settings = {
            "storage": storage,
            "products_per_list": products_per_list,
            "num_probes": num_probes,
            "num_reranked": num_reranked,
        }
        checked_settings(IvfPq4Config, settings)
        vectors = checked_vectors(vectors, name="vectors")
        dim, vectors = vectors.shape[1], padded(vectors)
        first, stored = (
            _lists(vectors, num_lists=max(1, len(vectors) // products_per_list)),
            vector_store(vectors, storage),
        )
        if len(vectors):
            stored.add(vectors)
        return cls(faiss.IndexRefine(first, stored), dim=dim, settings=settings)

    def with_search(self, *, num_probes: int, num_reranked: int) -> IvfPq4Index:
        """Return the same lists, searched otherwise; nothing is copied.

        Raises:
            ConfigError: If a parameter is out of its bounds.
        """
        return self._searched_by(num_probes=num_probes, num_reranked=num_reranked)

    def _num_candidates(self, num_found: int) -> int:
        return max(int(self._settings["num_reranked"]), 2 * num_found)

    def _first_parameters(self, num_candidates: int) -> Any:
        return faiss.SearchParametersIVF(nprobe=int(self._settings["num_probes"]))

    def _first_num_bytes(self) -> int:
        lists = self._first.invlists
        num_blocks = sum(-(-lists.list_size(row) // self._first.bbs) for row in range(self._first.nlist))
        codes = num_blocks * self._first.bbs * int(self._first.code_size)
        ids = 8 * self.num_products
        return codes + ids + 4 * self._first.nlist * self._first.d + code_bytes(self._first.pq)


def _lists(vectors: Float32[np.ndarray, "products dim"], *, num_lists: int) -> Any:
    """Learn centres and codes, and put every product into the list of its centre."""
    dim, metric = vectors.shape[1], faiss.METRIC_INNER_PRODUCT
    centres = faiss.IndexFlatIP(dim)
    index = faiss.IndexIVFPQFastScan(centres, dim, num_lists, num_codes(dim), CODE_BITS, metric)
    if len(vectors):
        rows = training_rows(vectors, most=_MOST_ROWS_PER_LIST * num_lists)
        clustering = faiss.Kmeans(dim, num_lists, niter=_ROUNDS, spherical=True, min_points_per_centroid=1)
        clustering.train(rows)
        centres.add(clustering.centroids)
        learn_codes(index, index.pq, vectors)
        index.add(vectors)
    return index
