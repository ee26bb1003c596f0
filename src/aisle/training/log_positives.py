"""Positives of the searches that are learnt from: what each counts, and what is no negative beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from scipy import sparse
from torch import Tensor

from aisle.core.errors import UsageError
from aisle.core.ragged import expand_slices
from aisle.losses import inverse_propensity
from aisle.negatives import (
    PositiveSets,
    mask_copies,
    mask_known_positives,
    mask_matching_products,
    purchase_log_weight,
)
from aisle.tables import STAGE_GRADES, Stage
from aisle.training.beside import BesidePairs
from aisle.training.config import TrainConfig
from aisle.training.judged import POSITIVE_GRADE
from aisle.training.log_data import LogSearches
from aisle.training.loss_config import StageConfig

__all__ = ["LogPositives"]

_FIRST_SNAPSHOT = 1
"""Slice 0 of the training window has no snapshot: it only feeds those of the others."""

_ALWAYS_SHOWN = 1.0


@dataclass(frozen=True, eq=False)
class LogPositives:
    """Positives of the training window, row by row, and behind them pairs that are learnt beside it.

    Those whose stage has weight 0 are left out of the rows.

    Attributes:
        search: Search of each; -1 of a pair beside the log, and so its place and snapshot.
        place: Its outcome.
        query: Query of its search.
        group: Number of the (query, actor).
        product: The product.
        snapshot: Slice of its search.
        weight: What it counts in the retrieval loss: its stage's weight, times its discount.
        discount: 1, or what an assisted positive counts.
        inverse_propensity: What it counts in the ranking loss for having been shown rarely, bounded; 1 where the log
            does not tell or nothing is weighted.
        known: Positives of every (query, actor), those of left-out stages among them: they are no negatives either.
        purchases: What anybody ordered for every query.
        purchase_factor: What a purchase of others counts as a negative.
        words: Words of queries and of products, where there are pairs beside the log.
    """

    search: Int64[np.ndarray, " positives"]
    place: Int64[np.ndarray, " positives"]
    query: Int64[np.ndarray, " positives"]
    group: Int64[np.ndarray, " positives"]
    product: Int64[np.ndarray, " positives"]
    snapshot: Int64[np.ndarray, " positives"]
    weight: Float32[np.ndarray, " positives"]
    discount: Float32[np.ndarray, " positives"]
    inverse_propensity: Float32[np.ndarray, " positives"]
    known: PositiveSets
    purchases: PositiveSets
    purchase_factor: float
    words: tuple[sparse.csr_matrix, sparse.csr_matrix] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.search)

    def with_beside(
        self, pairs: BesidePairs, *, query_words: sparse.csr_matrix, product_words: sparse.csr_matrix
    ) -> LogPositives:
        """Put pairs that are learnt beside the log behind its own rows; each of their queries is a group.

        Args:
            pairs: The pairs.
            query_words: Words of every query.
            product_words: Which of them each product holds: it answers a query as well that it holds all words of.
        """
        none, ones = np.full(len(pairs), -1, np.int64), np.ones(len(pairs), np.float32)
        group = len(self.known) + np.asarray(pairs.query_index)
        row, product = self.known.runs(np.arange(len(self.known)))
        return replace(
            self,
            search=np.concatenate([self.search, none]),
            place=np.concatenate([self.place, none]),
            query=np.concatenate([self.query, pairs.query_index]),
            group=np.concatenate([self.group, group]),
            product=np.concatenate([self.product, pairs.product_index]),
            snapshot=np.concatenate([self.snapshot, none]),
            weight=np.concatenate([self.weight, pairs.weight]),
            discount=np.concatenate([self.discount, ones]),
            inverse_propensity=np.concatenate([self.inverse_propensity, ones]),
            known=PositiveSets.from_pairs(
                np.concatenate([row, group]),
                np.concatenate([product, pairs.product_index]),
                num_queries=len(self.known) + query_words.shape[0],
            ),
            words=(query_words, product_words),
        )

    @classmethod
    def of(cls, searches: LogSearches, config: TrainConfig, *, num_queries: int) -> LogPositives:
        """Gather the positives of all slices but the first.

        Args:
            searches: Searches of the training window.
            config: Weights of the stages, and whether propensities count.
            num_queries: Queries that the searches may have.

        Raises:
            UsageError: If fewer than two positives have a weight, or propensities are to count and the log has none.
        """
        place, search = _outcomes(searches)
        usable = (searches.grade[place] >= POSITIVE_GRADE) & (searches.snapshot[search] >= _FIRST_SNAPSHOT)
        place, search = place[usable], search[usable]
        product, group = np.asarray(searches.product_index[place]), np.asarray(searches.group[search])
        query, bought = np.asarray(searches.query_index[search]), _ordered(searches, place)
        discount = _discount(searches, place, config.stages)
        weight = _stage_weight(searches, place, config.stages) * discount
        drawn = weight > 0
        _check_positives(searches, place, drawn, config.stages)
        inverse = _inverse_propensity(searches, place[drawn], config)
        return cls(
            search=search[drawn],
            place=place[drawn],
            query=query[drawn],
            group=group[drawn],
            product=product[drawn],
            snapshot=np.asarray(searches.snapshot[search[drawn]]),
            weight=weight[drawn],
            discount=discount[drawn],
            inverse_propensity=inverse,
            known=PositiveSets.from_pairs(group, product, num_queries=int(np.max(searches.group, initial=-1)) + 1),
            purchases=PositiveSets.from_pairs(query[bought], product[bought], num_queries=num_queries),
            purchase_factor=config.purchase_factor,
        )

    def against(
        self, rows: Int64[np.ndarray, " rows"], columns: Int64[np.ndarray, " columns"]
    ) -> tuple[Bool[Tensor, "rows columns"], Float32[Tensor, "rows columns"]]:
        """Tell which columns are no negatives of some positives, and the log of what the others count.

        Masked are copies of the row's product and all positives of its (query, actor), and for a pair beside the log
        what holds all words of its query; what others bought for the query counts less.

        Args:
            rows: Positives.
            columns: Products.
        """
        candidates = torch.from_numpy(columns)
        masked = mask_copies(candidates, torch.from_numpy(self.product[rows]))
        masked |= mask_known_positives(candidates, torch.from_numpy(self.group[rows]), self.known)
        beside = np.flatnonzero(self.search[rows] < 0)
        if self.words is not None and len(beside):
            query_words, product_words = self.words
            masked[beside] |= mask_matching_products(query_words[self.query[rows[beside]]], product_words[columns])
        query = torch.from_numpy(self.query[rows])
        return masked, purchase_log_weight(candidates, query, self.purchases, factor=self.purchase_factor)


def _outcomes(searches: LogSearches) -> tuple[Int64[np.ndarray, " outcomes"], Int64[np.ndarray, " outcomes"]]:
    """Return the place of every search's every outcome, and its search."""
    start, end = np.asarray(searches.outcome_start), np.asarray(searches.outcome_end)
    return expand_slices(start, end)[0], np.repeat(np.arange(len(start)), end - start)


def _ordered(searches: LogSearches, place: Int64[np.ndarray, " positives"]) -> Bool[np.ndarray, " positives"]:
    return np.asarray(searches.grade[place] >= STAGE_GRADES[Stage.ORDERED])


def _discount(
    searches: LogSearches, place: Int64[np.ndarray, " positives"], stages: StageConfig
) -> Float32[np.ndarray, " positives"]:
    return np.asarray(searches.weight[place] * np.where(searches.assisted[place], stages.assisted, 1), np.float32)


def _stage_weight(
    searches: LogSearches, place: Int64[np.ndarray, " positives"], stages: StageConfig
) -> Float32[np.ndarray, " positives"]:
    weights = stages.by_stage()
    return np.array([weights[stage] for stage in Stage], np.float32)[searches.stage[place]]


def _check_positives(
    searches: LogSearches,
    place: Int64[np.ndarray, " positives"],
    drawn: Bool[np.ndarray, " positives"],
    stages: StageConfig,
) -> None:
    if np.count_nonzero(drawn) >= 2:
        return
    counts = np.bincount(searches.stage[place], minlength=len(Stage))
    raise UsageError(
        "Learning search by search needs at least 2 positives whose stage has a weight above 0",
        received={
            "positives": {stage.label: int(counts[stage]) for stage in Stage if stage > Stage.SHOWN},
            "assisted": int(np.count_nonzero(searches.assisted[place])),
            "train.stages": stages,
        },
        remedy="Give a stage that the log has a weight, or mine a longer log.",
    )


def _inverse_propensity(
    searches: LogSearches, place: Int64[np.ndarray, " positives"], config: TrainConfig
) -> Float32[np.ndarray, " positives"]:
    if not config.propensity_weighting:
        return np.ones(len(place), np.float32)
    propensity = np.asarray(searches.propensity[place])
    if np.isnan(propensity).all():
        raise UsageError(
            "train.propensity_weighting needs a log that tells propensities of what was acted on",
            received={"positives": len(place), "propensities": 0},
            remedy="Import impressions with a propensity column, or set train.propensity_weighting=false.",
        )
    least = 1 / config.propensity_most
    return inverse_propensity(torch.from_numpy(propensity), least=least, unknown=_ALWAYS_SHOWN).numpy()
