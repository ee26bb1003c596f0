"""One search of one version: encode, retrieve, fuse, place, fetch."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
from jaxtyping import Bool, Float32

from aisle.core.errors import UsageError
from aisle.core.ids import UNKNOWN
from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking, Retriever
from aisle.live.cache import VectorCache
from aisle.live.loaded import LoadedVersion
from aisle.live.placing import Place, choose, in_order
from aisle.live.requests import LiveAnswer, LiveSearch, Sort
from aisle.live.shoppers import Asked
from aisle.live.views import StageTimes, StoreVectors, StoreWords
from aisle.retrieval import (
    DISPLAY_FIELDS,
    Explained,
    Gate,
    Hit,
    HybridRetriever,
    SemanticRetriever,
    retrieve_explained,
)
from aisle.store import FacetCount

__all__ = ["DEFAULT_MODE", "MODES", "answer_search", "check_options"]

MODES = ("lexical", "semantic", "hybrid")
DEFAULT_MODE = "hybrid"

_WIDER = 4


def check_options(request: LiveSearch) -> str:
    """Refuse a mode or an order that there is not, and return the mode.

    Raises:
        UsageError: If the mode or the order is unknown.
    """
    mode = DEFAULT_MODE if request.mode is None else request.mode
    for name, value, known in (("mode", mode, MODES), ("sort", request.sort, get_args(Sort))):
        if value not in known:
            raise UsageError(
                f"The {name} must be one of {', '.join(known)}", received={name: value}, remedy="Choose one of these."
            )
    return mode


def answer_search(
    loaded: LoadedVersion, request: LiveSearch, asked: Asked, *, query_key: str, cache: VectorCache
) -> LiveAnswer:
    """Answer a search that was checked.

    Args:
        loaded: The version that answers, borrowed.
        request: The search.
        asked: What is known of who makes it.
        query_key: The normalised query.
        cache: Vectors of earlier searches.
    """
    return _Answering(loaded, request, asked, (query_key, cache)).answer()


@dataclass
class _Found:
    """What was retrieved, and the fields of each place, None where the product is gone."""

    explained: Explained
    places: list[Place]
    is_all: bool


class _NotedGate:
    """A gate that remembers whether it opened."""

    def __init__(self, gate: Gate) -> None:
        self._gate, self.has_opened = gate, False

    def opens(self, texts: Sequence[str], lexical: Ranking, *, k: int) -> Bool[np.ndarray, " queries"]:
        is_easy = self._gate.opens(texts, lexical, k=k)
        self.has_opened = bool(is_easy.any())
        return is_easy


class _Answering:
    def __init__(
        self, loaded: LoadedVersion, request: LiveSearch, asked: Asked, cached: tuple[str, VectorCache]
    ) -> None:
        self._loaded, self._request, self._asked = loaded, request, asked
        self._query_key, self._cache = cached
        self._times = StageTimes()
        self._mode = check_options(request)
        self._encoded: Float32[np.ndarray, "1 dim"] | None = None
        speller = loaded.speller
        self._corrected = speller.correct(asked.batch.texts[0]) if speller is not None else None
        # Words know nothing of a past: searches of those who have one are not left to them.
        has_past = asked.batch.past is not None
        self._gate = _NotedGate(loaded.gate) if loaded.gate is not None and not has_past else None

    def answer(self) -> LiveAnswer:
        request, times = self._request, self._times
        retriever = self._retriever()
        pinned = self._pinned()
        wanted = min(request.k + len(pinned), max(request.k, self._loaded.store.num_products))
        while True:
            found = self._find(retriever, wanted)
            first, rest = choose(
                pinned, found.places, k=request.k, collapse=request.collapse, min_score=request.min_score
            )
            # One product of each group: look further down until enough groups were met.
            if not request.collapse or found.is_all or len(first) + len(rest) >= request.k:
                break
            wanted *= _WIDER
        shown = first + in_order(rest, request.sort)
        matching, facets = self._count()
        return LiveAnswer(
            hits=[self._hit(rank, place, found.explained) for rank, place in enumerate(shown, start=1)],
            mode=self._mode,
            version=self._loaded.version.id,
            corrected=self._corrected,
            gated=self._gate is not None and self._gate.has_opened,
            matching=matching,
            facets=facets,
            stage_ms=times.spent_ms,
        )

    def _retriever(self) -> Retriever:
        store, where, times = self._loaded.store, self._request.where, self._times
        words = StoreWords(store, where, times, mend=lambda _: self._corrected)
        if self._mode == "lexical":
            return words
        semantic = SemanticRetriever(
            lambda _: self._vector(), StoreVectors(store, where, times), split_scores=self._loaded.model.split_scores
        )
        if self._mode == "semantic":
            return semantic
        settings = self._loaded.version.settings
        return HybridRetriever(
            words,
            semantic,
            weight=settings.semantic_weight,
            fusion=settings.fusion,
            depth=settings.depth,
            gate=self._gate,
        )

    def _vector(self) -> Float32[np.ndarray, "1 dim"]:
        if self._encoded is None:
            meant, batch = self._corrected, self._asked.batch
            key: Hashable = (self._loaded.version.id, meant or self._query_key, self._asked.key)
            if meant is not None:
                batch = replace(batch, texts=[meant])
            with self._times.stage("encode"):
                self._encoded = self._cache.get(key, lambda: self._loaded.model.encode_search(batch))
        return self._encoded

    def _find(self, retriever: Retriever, k: int) -> _Found:
        # Who searches is in the vector already: here it is one text.
        batch = QueryBatch(self._asked.batch.texts)
        with self._times.stage("fuse" if self._mode == "hybrid" else "rank"):
            if self._request.explain:
                explained = retrieve_explained(retriever, batch, k=k)
            else:
                explained = Explained(retriever.retrieve(batch, k=k))
        index, score = explained.ranking.product_index[0], explained.ranking.score[0]
        count = int((index != NO_PRODUCT).sum())
        with self._times.stage("fetch"):
            products = self._loaded.store.products(index[:count])
        listed = zip(products, score[:count].tolist(), strict=True)
        places = [Place(product, value, rank) for rank, (product, value) in enumerate(listed) if product is not None]
        return _Found(explained, places, is_all=count < k)

    def _pinned(self) -> list[Mapping[str, Any]]:
        """Return the pinned products that are on sale and pass the filter."""
        if not self._request.pinned:
            return []
        index = self._loaded.ids.index_of(list(dict.fromkeys(self._request.pinned)))
        with self._times.stage("fetch"):
            products = self._loaded.store.products(index[index != UNKNOWN])
        return [one for one in products if one is not None and self._request.where.passes(one)]

    def _count(self) -> tuple[int | None, dict[str, list[FacetCount]]]:
        request, store = self._request, self._loaded.store
        if request.where.is_empty and not request.facets:
            return None, {}
        with self._times.stage("facets"):
            facets = store.facets(request.facets, where=request.where) if request.facets else {}
            return store.count(request.where), facets

    def _hit(self, rank: int, place: Place, explained: Explained) -> Hit:
        product = {name: place.product.get(name) for name in DISPLAY_FIELDS}
        told = explained.of_place(0, place.rank) if self._request.explain and place.rank is not None else None
        return Hit(rank, place.product_id, place.score, product, told)
