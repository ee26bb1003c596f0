"""What a boost does to searches that were answered already: their candidates are scored anew, nothing is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.measures import Qrels

__all__ = ["MEASURES", "CandidatePool"]

MEASURES = ("R@100", "nDCG@10")
"""What a pool measures: the candidates for a ranker, and the first page."""

_RECALL_K, _NDCG_K = 100, 10
_SPREAD_AT = 100
_ANY_GRADE = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class CandidatePool:
    """Searches with their candidates and with what was to be found, of which at least one product each.

    Attributes:
        product_index: Candidates of each search, `NO_PRODUCT` at an empty place.
        score: Their scores without a boost; -inf at an empty place.
        row: Search of every product that is to be found.
        place: Its place among the candidates; -1 where it is none, and so out of any boost's reach.
        wanted: Products that are to be found, by search.
    """

    product_index: Int64[np.ndarray, "searches depth"]
    score: Float32[np.ndarray, "searches depth"]
    row: Int64[np.ndarray, " wanted"]
    place: Int64[np.ndarray, " wanted"]
    wanted: Int64[np.ndarray, " searches"]

    @classmethod
    def of_ranking(cls, ranking: Ranking, qrels: Qrels) -> CandidatePool:
        """Keep the searches that have something to be found.

        Args:
            ranking: Candidates without a boost, deeper than what is measured.
            qrels: What is to be found; grades above 0 count alike.
        """
        kept = np.flatnonzero(qrels.has_relevant(_ANY_GRADE))
        row_of = np.full(qrels.num_queries, -1, np.int64)
        row_of[kept] = np.arange(len(kept))
        is_wanted = qrels.grade > 0
        row, product = row_of[qrels.query_index[is_wanted]], qrels.product_index[is_wanted]
        index, score = ranking.product_index[kept], ranking.score[kept]
        is_there = index[row] == product[:, None]
        place = np.where(is_there.any(axis=1), is_there.argmax(axis=1), -1)
        return cls(index, score, row, place, np.bincount(row, minlength=len(kept)).astype(np.int64))

    def __len__(self) -> int:
        """Return the number of searches."""
        return len(self.wanted)

    @property
    def spread(self) -> float:
        """How far the score falls from the first to the hundredth candidate, in the median search; 0 without searches.

        It is the unit in which a boost is large or small.
        """
        last = np.minimum((self.product_index != NO_PRODUCT).sum(axis=1), _SPREAD_AT) - 1
        if not len(self) or not (last > 0).any():
            return 0.0
        falls = self.score[:, 0] - np.take_along_axis(self.score, np.maximum(last, 0)[:, None], axis=1)[:, 0]
        return float(np.median(falls[last > 0]))

    def part(self, searches: Int64[np.ndarray, " chosen"]) -> CandidatePool:
        """Return some of the searches, in the order given."""
        row_of = np.full(len(self), -1, np.int64)
        row_of[searches] = np.arange(len(searches))
        is_kept = row_of[self.row] >= 0
        row = row_of[self.row[is_kept]]
        return CandidatePool(
            self.product_index[searches], self.score[searches], row, self.place[is_kept], self.wanted[searches]
        )

    def measure(self, boost: Float32[np.ndarray, " products"]) -> Float64[np.ndarray, "searches measures"]:
        """Return `MEASURES` of every search where each product's score is raised by its boost.

        Args:
            boost: One value per product of the catalogue.
        """
        # An empty place scores -inf, whatever product it borrows the boost of.
        rank = self._ranks(self.score + boost[self.product_index])
        found = np.bincount(self.row, weights=rank < _RECALL_K, minlength=len(self))
        gain = np.where(rank < _NDCG_K, 1.0 / np.log2(np.minimum(rank, _NDCG_K) + 2.0), 0.0)
        ideal = np.cumsum(1.0 / np.log2(np.arange(_NDCG_K) + 2.0))
        dcg = np.bincount(self.row, weights=gain, minlength=len(self))
        ndcg = dcg / ideal[np.clip(self.wanted, 1, _NDCG_K) - 1]
        return np.column_stack([found / np.maximum(self.wanted, 1), ndcg])

    def _ranks(self, score: Float32[np.ndarray, "searches depth"]) -> Int64[np.ndarray, " wanted"]:
        """Return the rank of each wanted product, from 0; equal scores stand in the order of product index."""
        own = score[self.row, np.maximum(self.place, 0)][:, None]
        scores = score[self.row]
        rank = (scores > own).sum(axis=1) + ((scores == own) & self._stands_before).sum(axis=1)
        return np.where(self.place >= 0, rank, score.shape[1] + _RECALL_K)

    @cached_property
    def _stands_before(self) -> Bool[np.ndarray, "wanted depth"]:
        """Which candidates stand before each wanted product where scores are equal."""
        own = self.product_index[self.row, np.maximum(self.place, 0)][:, None]
        return np.asarray(self.product_index[self.row] < own)
