"""Dynamic hard negatives: what the current model ranks high in a large pool, short of what is likely relevant."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.negatives.masks import mask_above, mask_listed
from aisle.negatives.positives import PositiveSets

__all__ = ["DynamicDraw", "DynamicNegatives", "DynamicPool", "VectorSearch"]


class VectorSearch(Protocol):
    """What finds the nearest vectors; every index of `aisle.index` does."""

    def search(self, queries: Float32[np.ndarray, "queries dim"], *, k: int) -> Ranking:
        """Return the k rows of the largest inner product, best first, then `NO_PRODUCT`."""
        ...


@dataclass(frozen=True, eq=False)
class DynamicPool:
    """A part of the catalogue as the model saw it at a step; frozen until the next refresh.

    The index is derived: a checkpoint that keeps products, vectors and step builds the same pool again.

    Attributes:
        product_index: Distinct products of the pool, such as `UniformNegatives` draws from those on sale.
        vectors: Their vectors at that step.
        step: Step of the refresh.
        index: Search over `vectors`; its results are rows of the pool.
    """

    product_index: Int64[np.ndarray, " pool"]
    vectors: Float32[np.ndarray, "pool dim"]
    step: int
    index: VectorSearch

    @classmethod
    def build(
        cls,
        product_index: Int64[np.ndarray, " pool"],
        vectors: Float32[np.ndarray, "pool dim"],
        *,
        step: int,
        build_index: Callable[[Float32[np.ndarray, "pool dim"]], VectorSearch],
    ) -> DynamicPool:
        """Index the vectors of a pool.

        Args:
            product_index: Distinct products.
            vectors: Vector of each, of the current model.
            step: The current step.
            build_index: Such as `ExactIndex.build`; exact search repeats to the bit when a run is resumed.

        Raises:
            ShapeError: If there is not one vector per product.
        """
        if vectors.ndim != 2 or len(vectors) != len(product_index):
            raise ShapeError(
                "A pool must have one vector per product",
                received={"vectors": vectors.shape, "products": len(product_index)},
            )
        return cls(product_index, vectors, step, build_index(vectors))

    def is_due(self, step: int, *, every: int) -> bool:
        """Tell whether the pool is so old, in steps, that it is to be refreshed."""
        return step - self.step >= every

    def top(self, queries: Float32[np.ndarray, "rows dim"], *, k: int) -> Ranking:
        """Return the k best products of the pool for each query, as indices of the catalogue."""
        found = self.index.search(queries, k=k)
        is_found = found.product_index != NO_PRODUCT
        products = np.full(found.product_index.shape, NO_PRODUCT, np.int64)
        products[is_found] = self.product_index[found.product_index[is_found]]
        return Ranking(products, found.score)


@dataclass(frozen=True, eq=False)
class DynamicDraw:
    """Dynamic negatives of one batch, to be encoded once and shared by its rows.

    Attributes:
        product_index: Distinct products: the columns.
        in_band: Columns that stand in the top ranks which the row skips.
    """

    product_index: Int64[np.ndarray, " columns"]
    in_band: Bool[Tensor, "rows columns"]


class DynamicNegatives:
    """Draws a batch's dynamic negatives from a pool.

    Each row wishes for the best products of the pool below the skipped ranks and below its positive's score minus a
    margin. To bound the encoding, the batch takes at most `num_columns` of the wishes, every row's first before any
    second, and shares them: one row's hard negative is at worst an easy one of another row, and `masked` keeps it from
    rows for which it may be a false one.

    Args:
        depth: Ranks of the pool to look at, above `skip_ranks`.
        skip_ranks: Top ranks to leave out, at least 0. In a pool of n of N products, rank r stands for about rank
            r · N / n of the catalogue.
        margin: Products that score above the positive minus this are left out; in units of the score.
        num_per_row: Wishes of each row, at least 1.
        num_columns: Most products of a batch, at least 1: what the source costs in encoding.

    Raises:
        UsageError: If a number is out of its range.

    Source: Jha et al. 2023 (dynamic hard negatives of the current model in a large pool, Etsy); Xiong et al. 2020,
        "ANCE" (an index of the model's own vectors, refreshed while training); Huang et al. 2020, "Embedding-based
        Retrieval in Facebook Search", section 6.1 (a band below the top ranks serves better than the very top). The
        margin, after Moreira et al. 2024 ("NV-Retriever"), and the columns shared by a batch are our choice.
    """

    def __init__(self, *, depth: int, skip_ranks: int, margin: float, num_per_row: int, num_columns: int) -> None:
        if not 0 <= skip_ranks < depth or min(num_per_row, num_columns) < 1 or not math.isfinite(margin):
            raise UsageError(
                "0 <= skip_ranks < depth, num_per_row and num_columns at least 1 and a finite margin must hold",
                received={
                    "skip_ranks": skip_ranks,
                    "depth": depth,
                    "num_per_row": num_per_row,
                    "num_columns": num_columns,
                    "margin": margin,
                },
                remedy="A weight of 0 switches the source off.",
            )
        self.depth, self.skip_ranks, self.margin = depth, skip_ranks, margin
        self.num_per_row, self.num_columns = num_per_row, num_columns

    def draw(
        self,
        pool: DynamicPool,
        queries: Float32[np.ndarray, "rows dim"],
        *,
        positive_score: Float32[np.ndarray, " rows"],
        row_query: Int64[np.ndarray, " rows"],
        positives: PositiveSets,
        rng: np.random.Generator,
    ) -> DynamicDraw:
        """Choose the columns of a batch.

        Args:
            pool: Where to draw from.
            queries: Vector of each row's query, of the current model.
            positive_score: Score of each row's own product, in the same units as the pool's.
            row_query: Query, or searcher's group, of every row, as `positives` counts them.
            positives: Known positives, which are no row's wish; the row's own product among them.
            rng: Decides between rows where not every wish has room.

        Returns:
            The columns, ascending; none where no row has a wish.

        Raises:
            ShapeError: If a query holds a value that is not finite.
            UsageError: If a row's query has no entry in `positives`.
        """
        ranking = pool.top(queries, k=self.depth)
        excluded = positives.contains(row_query, ranking.product_index)
        wishes = self.wishes(ranking, positive_score=positive_score, excluded=excluded)
        columns = share_columns(wishes, num_columns=self.num_columns, rng=rng)
        in_band = mask_listed(torch.from_numpy(columns), ranking.product_index[:, : self.skip_ranks])
        return DynamicDraw(columns, in_band)

    def wishes(
        self,
        ranking: Ranking,
        *,
        positive_score: Float32[np.ndarray, " rows"],
        excluded: Bool[np.ndarray, "rows depth"],
    ) -> Int64[np.ndarray, "rows num_per_row"]:
        """Return each row's best products below the band and the margin, best first, then `NO_PRODUCT`.

        A score that is NaN, the positive's too, makes no wish.
        """
        is_wish = (ranking.product_index != NO_PRODUCT) & ~excluded
        is_wish &= ranking.score <= (positive_score - self.margin)[:, None]
        is_wish[:, : self.skip_ranks] = False
        place = np.cumsum(is_wish, axis=1) - 1
        row, rank = np.nonzero(is_wish & (place < self.num_per_row))
        wishes = np.full((len(is_wish), self.num_per_row), NO_PRODUCT, np.int64)
        wishes[row, place[row, rank]] = ranking.product_index[row, rank]
        return wishes

    def masked(
        self, draw: DynamicDraw, scores: Float[Tensor, "rows columns"], positive: Float[Tensor, " rows"]
    ) -> Bool[Tensor, "rows columns"]:
        """Mark columns that may answer the row's query: in its skipped ranks, or above its margin by the fresh scores.

        Copies and known positives are masked beside it, as in every source.

        Args:
            draw: The columns.
            scores: Score of each row against each column, as it enters the loss.
            positive: Score of each row's own product.
        """
        return draw.in_band.to(scores.device) | mask_above(scores, positive, margin=self.margin)


def share_columns(
    wishes: Int64[np.ndarray, "rows places"], *, num_columns: int, rng: np.random.Generator
) -> Int64[np.ndarray, " columns"]:
    """Take at most `num_columns` distinct products, first wishes before second ones, at random among equals.

    Returns:
        Products in ascending order; places below 0 are no wish.
    """
    row, place = np.nonzero(wishes >= 0)
    by_place = np.argsort(place, kind="stable")
    products, first = np.unique(wishes[row, place][by_place], return_index=True)
    best_place = place[by_place][first]
    # Not by index or by row, which would favour the same products or rows at every step.
    order = np.lexsort((rng.random(len(products)), best_place))
    return np.sort(products[order[:num_columns]])
