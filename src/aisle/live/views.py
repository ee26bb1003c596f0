"""A product store as retrievers see it: bound to the filter of one search, its calls timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.ranking import QueryBatch, Ranking
from aisle.retrieval.batch import answer_distinct
from aisle.store import ProductFilter, ProductStore

__all__ = ["StageTimes", "StoreVectors", "StoreWords"]


class StageTimes:
    """Milliseconds that one search spends in each stage; a stage inside another counts as its own alone."""

    def __init__(self) -> None:
        self.spent_ms: dict[str, float] = {}
        self._inner_ms = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a block."""
        before, self._inner_ms = self._inner_ms, 0.0
        started = perf_counter()
        try:
            yield
        finally:
            whole_ms = (perf_counter() - started) * 1e3
            self.spent_ms[name] = self.spent_ms.get(name, 0.0) + whole_ms - self._inner_ms
            self._inner_ms = before + whole_ms


class StoreVectors:
    """The vectors of the products that pass a filter; see `retrieval.SearchedVectors`."""

    def __init__(self, store: ProductStore, where: ProductFilter, times: StageTimes) -> None:
        self._store, self._where, self._times = store, where, times

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self._store.dim

    def search(self, queries: Float32[np.ndarray, "queries dim"], *, k: int) -> Ranking:
        """Return the k products of the largest inner product among those that pass."""
        with self._times.stage("search"):
            return self._store.search(queries, k=k, where=self._where)

    def vectors(self, product_index: Int64[np.ndarray, " wanted"]) -> Float32[np.ndarray, "wanted dim"]:
        """Return the vectors of products."""
        with self._times.stage("explain"):
            return self._store.vectors(product_index)


class StoreWords:
    """The words of the products that pass a filter, as a retriever.

    Args:
        store: Is searched.
        where: The filter.
        times: Counts what it takes.
        mend: Returns what a query was meant to be, None where that is what was typed; None: nothing does.
    """

    name = "lexical"

    def __init__(
        self,
        store: ProductStore,
        where: ProductFilter,
        times: StageTimes,
        *,
        mend: Callable[[str], str | None] | None = None,
    ) -> None:
        self._store, self._where, self._times, self._mend = store, where, times, mend

    def retrieve(self, queries: QueryBatch, *, k: int) -> Ranking:
        """Return the k products of the highest BM25 score among those that pass; see `Retriever.retrieve`."""

        def answer(texts: Sequence[str]) -> Ranking:
            meant = texts if self._mend is None else [self._mend(text) or text for text in texts]
            return self._store.search_words(meant, k=k, where=self._where)

        with self._times.stage("words"):
            return answer_distinct(queries, k=k, answer=answer)
