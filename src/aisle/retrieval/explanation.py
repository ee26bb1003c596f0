"""What a score is made of: the parts of a vector's score, and how both sides of a hybrid entered it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking, Retriever

__all__ = [
    "Explained",
    "Explaining",
    "PartScores",
    "PartsOf",
    "Side",
    "SplitScores",
    "WithParts",
    "parts_of_pairs",
    "retrieve_explained",
]

SplitScores = Callable[
    [Float32[np.ndarray, "pairs dim"], Float32[np.ndarray, "pairs dim"]], Mapping[str, Float32[np.ndarray, " pairs"]]
]
"""Splits the inner product of each pair of a query's and a product's vector into signed contributions by name."""

PartScores = dict[str, Float32[np.ndarray, "queries n"]]
"""Contributions of each part to the semantic score of each place; NaN at an empty place."""

PartsOf = Callable[[Int64[np.ndarray, "queries n"]], PartScores]
"""Explains any products for the queries that were answered."""

_PAIRS_AT_ONCE = 1 << 15


@dataclass(frozen=True, eq=False)
class Side:
    """How one list of a hybrid entered the scores.

    Attributes:
        weight: Its share in each query: the setting, or 1 and 0 where one list is empty.
        rank: Place of each product in this list, from 1; 0 where it is not in it.
        score: Its score there; NaN where it is not in it.
        normalised: What the list gives each product before its weight; 0 where it is not in it.
    """

    weight: Float64[np.ndarray, " queries"]
    rank: Int64[np.ndarray, "queries k"]
    score: Float32[np.ndarray, "queries k"]
    normalised: Float64[np.ndarray, "queries k"]

    @property
    def adds(self) -> Float64[np.ndarray, "queries k"]:
        """What this side adds to each fused score; both sides together are the score."""
        return self.weight[:, None] * self.normalised


@dataclass(frozen=True, eq=False)
class Explained:
    """A ranking and what its scores are made of.

    Attributes:
        ranking: As `Retriever.retrieve` gives it.
        parts: Signed contributions that add up to the semantic score of each product; empty where there is none.
        sides: "lexical" and "semantic" of a hybrid; empty for the others.
    """

    ranking: Ranking
    parts: PartScores = field(default_factory=dict)
    sides: Mapping[str, Side] = field(default_factory=dict)

    def kept(self, is_kept: Bool[np.ndarray, "queries n"], *, k: int) -> Explained:
        """Take out what is not kept; what follows moves up, and the first k places stay."""
        order = np.argsort(~is_kept, axis=1, kind="stable")[:, :k]
        there = np.take_along_axis(is_kept, order, axis=1)

        def moved(values: np.ndarray, empty: float) -> np.ndarray:
            return np.where(there, np.take_along_axis(values, order, axis=1), np.asarray(empty, values.dtype))

        return Explained(
            Ranking(moved(self.ranking.product_index, NO_PRODUCT), moved(self.ranking.score, -np.inf)),
            {name: moved(scores, np.nan) for name, scores in self.parts.items()},
            {
                name: Side(side.weight, moved(side.rank, 0), moved(side.score, np.nan), moved(side.normalised, 0))
                for name, side in self.sides.items()
            },
        )

    def of_place(self, row: int, place: int) -> dict[str, Any] | None:
        """Return the explanation of one result as plain JSON values, or None where a score has no parts."""
        if not self.parts and not self.sides:
            return None
        parts = {name: float(scores[row, place]) for name, scores in self.parts.items()}
        sides = {
            name: {
                "weight": float(side.weight[row]),
                "rank": int(side.rank[row, place]) or None,
                "score": float(side.score[row, place]) if side.rank[row, place] else None,
                "normalised": float(side.normalised[row, place]),
                "adds": float(side.adds[row, place]),
            }
            for name, side in self.sides.items()
        }
        return {"semantic_score": sum(parts.values()) if parts else None, "parts": parts, "sides": sides}


@runtime_checkable
class Explaining(Protocol):
    """A retriever that can tell what its scores are made of."""

    def retrieve_explained(self, queries: QueryBatch, *, k: int) -> Explained:
        """Retrieve as `Retriever.retrieve` does, and explain every score."""
        ...


@runtime_checkable
class WithParts(Protocol):
    """A retriever that explains the semantic score of any product, also of one that it did not return."""

    def retrieve_with_parts(self, queries: QueryBatch, *, k: int) -> tuple[Ranking, PartsOf]:
        """Retrieve as `Retriever.retrieve` does, and return what explains products for the same queries."""
        ...


def retrieve_explained(retriever: Retriever, queries: QueryBatch, *, k: int) -> Explained:
    """Retrieve with explanations where the retriever has them."""
    if isinstance(retriever, Explaining):
        return retriever.retrieve_explained(queries, k=k)
    return Explained(retriever.retrieve(queries, k=k))


def parts_of_pairs(
    split: SplitScores,
    queries: Float32[np.ndarray, "queries dim"],
    vectors_of: Callable[[Int64[np.ndarray, " wanted"]], Float32[np.ndarray, "wanted dim"]],
    product_index: Int64[np.ndarray, "queries n"],
) -> PartScores:
    """Split the scores of each query's products, block by block: all vectors at once would take queries · n · dim.

    Args:
        split: Splits the scores of pairs.
        queries: One vector per row of `product_index`.
        vectors_of: Gives products' vectors.
        product_index: Products to explain; `NO_PRODUCT` where there is none.
    """
    row, place = np.nonzero(product_index != NO_PRODUCT)
    # One call at least, so that the names of the parts are known where nothing was found.
    starts = range(0, max(1, len(row)), _PAIRS_AT_ONCE)
    parts: PartScores = {}
    for start in starts:
        rows, places = row[start : start + _PAIRS_AT_ONCE], place[start : start + _PAIRS_AT_ONCE]
        for name, scores in split(queries[rows], vectors_of(product_index[rows, places])).items():
            of_part = parts.setdefault(name, np.full(product_index.shape, np.nan, np.float32))
            of_part[rows, places] = scores
    return parts
