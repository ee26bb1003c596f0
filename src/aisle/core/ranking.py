"""What a retriever is given and what it returns; the protocol that every retrieval system follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.errors import ShapeError, UsageError

__all__ = ["MAX_K", "NO_PRODUCT", "PastEvents", "QueryBatch", "Ranking", "Retriever", "check_k"]

NO_PRODUCT = -1
"""Product index of an empty place in a ranking; its score is -inf."""

MAX_K = 1000
"""Most results that one search returns to a client (evaluation may ask for more)."""


@dataclass(frozen=True, eq=False)
class PastEvents:
    """What the actors of some searches did strictly before them, each actor's in the order of time.

    Attributes:
        offsets: Where the events of each search begin, and the end of the last: 0 first, never falling.
        queries: Text of the search that each event belongs to; None outside a search.
        product_index: Catalogue position of each event's product; -1 where it is not known.
        stage: Stage that each event reached.
        age_s: Time from each event to the search, in seconds.
    """

    offsets: Int64[np.ndarray, " searches_and_1"]
    queries: Sequence[str | None]
    product_index: Int64[np.ndarray, " events"]
    stage: Int64[np.ndarray, " events"]
    age_s: Float32[np.ndarray, " events"]

    def between(self, start: int, end: int) -> PastEvents:
        """Return the events of the searches `start` to `end`, or to the last."""
        end = min(end, len(self.offsets) - 1)
        begin, stop = self.offsets[start], self.offsets[end]
        return PastEvents(
            self.offsets[start : end + 1] - begin,
            self.queries[begin:stop],
            self.product_index[begin:stop],
            self.stage[begin:stop],
            self.age_s[begin:stop],
        )


@dataclass(frozen=True)
class QueryBatch:
    """Queries to be answered together. Text is raw: each retriever normalises it through `aisle.core.text`.

    Attributes:
        texts: The queries.
        locations: Where each search comes from, None where not known; None: of no search.
        past: What the actor of each search did before; None: nothing is known of anybody.
    """

    texts: Sequence[str]
    locations: Sequence[str | None] | None = None
    past: PastEvents | None = None

    @property
    def is_personal(self) -> bool:
        """Whether equal texts may have different answers."""
        return self.locations is not None or self.past is not None

    def between(self, start: int, end: int) -> QueryBatch:
        """Return the queries `start` to `end`, or to the last."""
        return QueryBatch(
            self.texts[start:end],
            self.locations[start:end] if self.locations is not None else None,
            self.past.between(start, end) if self.past is not None else None,
        )

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.texts)


@dataclass(frozen=True, eq=False)
class Ranking:
    """The top products of each query, best first.

    Attributes:
        product_index: Catalogue positions; `NO_PRODUCT` where a query has fewer than k results (always at the end).
        score: Higher is better, non-increasing in each row; -inf where `product_index` is `NO_PRODUCT`.
    """

    product_index: Int64[np.ndarray, "queries k"]
    score: Float32[np.ndarray, "queries k"]

    def __post_init__(self) -> None:
        if self.product_index.ndim != 2 or self.product_index.shape != self.score.shape:
            raise ShapeError(
                "product_index and score must both be [queries, k]",
                received={"product_index": self.product_index.shape, "score": self.score.shape},
            )

    @property
    def k(self) -> int:
        """Places per query."""
        return int(self.product_index.shape[1])


@runtime_checkable
class Retriever(Protocol):
    """A system that answers queries from the whole catalogue."""

    @property
    def name(self) -> str:
        """Name in tables and JSON, such as "lexical"."""
        ...

    def retrieve(self, queries: QueryBatch, *, k: int) -> Ranking:
        """Return the k best products of each query.

        Args:
            queries: The queries.
            k: Places per query, at least 1. A catalogue of fewer products fills the rest with `NO_PRODUCT`.

        Raises:
            UsageError: If k is below 1.
        """
        ...


def check_k(k: int, *, most: int | None = None) -> None:
    """Refuse a k that no retriever can serve.

    Raises:
        UsageError: If k is below 1 or above `most`.
    """
    if k < 1 or (most is not None and k > most):
        bound = f"between 1 and {most}" if most is not None else "at least 1"
        raise UsageError(f"k must be {bound}", received={"k": k}, remedy="Ask for another number of results.")
