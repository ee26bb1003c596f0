"""What a retriever is given and what it returns; the protocol that every retrieval system follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.errors import ShapeError, UsageError

__all__ = ["MAX_K", "NO_PRODUCT", "QueryBatch", "Ranking", "Retriever", "check_k"]

NO_PRODUCT = -1
"""Product index of an empty place in a ranking; its score is -inf."""

MAX_K = 1000
"""Most results that one search returns to a client (evaluation may ask for more)."""


@dataclass(frozen=True)
class QueryBatch:
    """Queries to be answered together. Text is raw: each retriever normalises it through `aisle.core.text`.

    User, location and history join here as further optional columns.
    """

    texts: Sequence[str]

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
