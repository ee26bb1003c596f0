"""Retrieval by words and by vectors together."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool

from aisle.core.errors import UsageError
from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking, Retriever, check_k
from aisle.retrieval.batch import empty_rows
from aisle.retrieval.explanation import Explained, PartScores, WithParts
from aisle.retrieval.fusion import fuse_normalised, fuse_reciprocal_rank, fused_sides
from aisle.retrieval.gate import Gate

__all__ = ["DEFAULT_DEPTH", "DEFAULT_SEMANTIC_WEIGHT", "LOG_SEMANTIC_WEIGHT", "Fusion", "HybridRetriever"]

Fusion = Literal["normalised", "reciprocal_rank"]

DEFAULT_SEMANTIC_WEIGHT = 0.5
"""Share of the semantic side where nobody has tuned it: both sides alike. Fixed; `benchmarks/fusion.py` shows how it
does on generated shops, beside other weights and depths."""

LOG_SEMANTIC_WEIGHT = 0.8
"""The same for a model that learnt from a log, which knows what words do not say. Chosen on the truth of a simulated
marketplace that nothing else uses (`benchmarks/words.py`)."""

DEFAULT_DEPTH = 200
"""Candidates of each side where nobody says otherwise; chosen with the weight, on generated shops."""


class HybridRetriever:
    """Two retrievers, asked for the same queries, and their rankings fused.

    Args:
        lexical: Its rankings may be shorter than asked.
        semantic: Unbounded scores.
        weight: Share of the semantic side, 0 to 1; tune it on validation data. 0 is the lexical ranking, 1 the semantic
            one.
        fusion: "normalised" adds scores (`fuse_normalised`), "reciprocal_rank" adds inverted ranks
            (`fuse_reciprocal_rank`).
        depth: Candidates taken from each side, or k where that is more. More lets a product that is far down in both
            lists rise, and costs time.
        gate: Tells which queries are left to words alone, and so are not encoded; None: none are. Searches of actors
            with a past never are: words know nothing of it.

    Raises:
        UsageError: If the weight, the fusion or the depth is out of its bounds.
    """

    def __init__(
        self,
        lexical: Retriever,
        semantic: Retriever,
        *,
        weight: float = DEFAULT_SEMANTIC_WEIGHT,
        fusion: Fusion = "normalised",
        depth: int = DEFAULT_DEPTH,
        gate: Gate | None = None,
    ) -> None:
        _check_settings(weight=weight, fusion=fusion, depth=depth)
        self._lexical = lexical
        self._semantic = semantic
        self._weight = weight
        self._by_rank = fusion == "reciprocal_rank"
        self._depth = depth
        self._gate = gate

    @property
    def name(self) -> str:
        """Name in tables and JSON."""
        return "hybrid"

    @property
    def depth(self) -> int:
        """Candidates taken from each side at least."""
        return self._depth

    def retrieve(self, queries: QueryBatch, *, k: int) -> Ranking:
        """Return the k products of the highest fused score; see `Retriever.retrieve`."""
        check_k(k)
        depth = max(k, self._depth)
        lexical = self._lexical.retrieve(queries, k=depth)
        is_easy = self._is_easy(queries, lexical, k=k)
        if is_easy.all():
            return self._fuse(lexical, empty_rows(len(queries), depth), k=k)
        semantic = self._semantic.retrieve(queries, k=depth)
        return self._fuse(lexical, _without(semantic, is_easy), k=k)

    def retrieve_explained(self, queries: QueryBatch, *, k: int) -> Explained:
        """Retrieve, with how both sides entered each score, and the parts of the semantic score.

        The parts are told for all products, also for those that only the lexical side brought.
        """
        check_k(k)
        depth = max(k, self._depth)
        lexical = self._lexical.retrieve(queries, k=depth)
        is_easy = self._is_easy(queries, lexical, k=k)
        parts: PartScores = {}
        if isinstance(self._semantic, WithParts):
            semantic, parts_of = self._semantic.retrieve_with_parts(queries, k=depth)
            semantic = _without(semantic, is_easy)
            fused = self._fuse(lexical, semantic, k=k)
            parts = parts_of(fused.product_index)
        else:
            semantic = _without(self._semantic.retrieve(queries, k=depth), is_easy)
            fused = self._fuse(lexical, semantic, k=k)
        sides = fused_sides(fused, lexical, semantic, weight=self._weight, by_rank=self._by_rank)
        return Explained(fused, parts, sides)

    def _is_easy(self, queries: QueryBatch, lexical: Ranking, *, k: int) -> Bool[np.ndarray, " queries"]:
        if self._gate is None or not len(queries):
            return np.zeros(len(queries), np.bool_)
        is_easy = self._gate.opens(queries.texts, lexical, k=k)
        return is_easy if queries.past is None else is_easy & (np.diff(queries.past.offsets) == 0)

    def _fuse(self, lexical: Ranking, semantic: Ranking, *, k: int) -> Ranking:
        fuse = fuse_reciprocal_rank if self._by_rank else fuse_normalised
        return fuse(lexical, semantic, weight=self._weight, k=k)


def _without(semantic: Ranking, is_easy: Bool[np.ndarray, " queries"]) -> Ranking:
    """Leave the rows of easy queries empty: words alone decide there."""
    return Ranking(
        np.where(is_easy[:, None], NO_PRODUCT, semantic.product_index),
        np.where(is_easy[:, None], np.float32(-np.inf), semantic.score),
    )


def _check_settings(*, weight: float, fusion: str, depth: int) -> None:
    if not (0 <= weight <= 1 and fusion in get_args(Fusion) and depth >= 1):
        raise UsageError(
            f"Hybrid retrieval needs a weight between 0 and 1, a fusion of {' or '.join(get_args(Fusion))} "
            "and a depth of at least 1",
            received={"weight": weight, "fusion": fusion, "depth": depth},
            remedy="Mend these values.",
        )
