"""A shop in which other retrieval set-ups can be tried on the same shoppers: retrieve, rank, show, watch.

The ranker is one and the same for every set-up, and imperfect: it sees words, stars, popularity, price and the order in
which it was given the candidates, and nothing of tastes or of what shoppers' words mean. So a set-up can only win by
what it brings to the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.compute as pc
from jaxtyping import Bool, Float32, Int64

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.clock import NEVER, SECONDS_PER_DAY
from aisle.simulation.log_tables import SPLIT_SHARE
from aisle.simulation.marketplace import Block, Marketplace
from aisle.simulation.pages import PAGE_SIZE, Pages, Requests
from aisle.simulation.rows import take_rows
from aisle.simulation.visits import draw_visits
from aisle.simulation.word_match import WordMatch

__all__ = ["Environment", "FixedRanker", "Outcome", "RetrievalSetup"]

RetrievalSetup = Callable[[Requests], Int64[np.ndarray, "rows candidates"]]
"""Returns the candidates of each search, best first; `NO_PRODUCT` where it has fewer."""

_WORDS, _ORDER, _STARS, _POPULARITY, _DEAR = 1.0, 0.5, 0.08, 0.25, 0.05
"""Weights of the ranker."""
_NEEDS_PER_BLOCK = 10_000
_RUN_STEP = 1 << 40
"""Numbers of needs that one run may use."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    search_visit: Int64[np.ndarray, " searches"]
    """Position of each search's visit among `visit_user`."""
    search_clicked: Bool[np.ndarray, " searches"]
    search_ordered: Bool[np.ndarray, " searches"]
    """Whether the page led to an order, on the spot or later."""
    visit_user: Int64[np.ndarray, " visits"]
    """Shopper of each visit, also of those that never search."""
    visit_ordered: Bool[np.ndarray, " visits"]

    @property
    def search_purchase_rate(self) -> float:
        """Return the share of searches that led to an order."""
        return float(self.search_ordered.mean())

    @property
    def conversion(self) -> float:
        """Return the share of visits, searching or not, with an order: the site-wide conversion."""
        return float(self.visit_ordered.mean())


class FixedRanker:
    """Scores candidates by what the shop can observe."""

    def __init__(self, market: Marketplace) -> None:
        products = market.products
        title, text = products.column("title"), pc.fill_null(products.column("description"), "")
        self._match = WordMatch(pc.binary_join_element_wise(title, text, " ").combine_chunks())
        self._stock = market.stock

    def score(
        self, requests: Requests, candidates: Int64[np.ndarray, "rows candidates"]
    ) -> Float32[np.ndarray, "rows candidates"]:
        """Return the score of each candidate; -inf where there is none or it is not on sale."""
        order = np.arange(candidates.shape[1], dtype=np.float32) / candidates.shape[1]
        score = _WORDS * self._match.share(requests.text, candidates) - _ORDER * order
        score += _STARS * self._stock.rating[candidates] + _POPULARITY * self._stock.popularity[candidates]
        score -= _DEAR * self._stock.price_level[candidates]
        return np.where(self._stock.on_sale(candidates, requests.at), score, np.float32(-np.inf))


class Environment:
    """The marketplace after its log: the same shoppers come again, for other things, to a shop of one's choice."""

    def __init__(self, market: Marketplace) -> None:
        self._market = market
        self._ranker = FixedRanker(market)

    def run(
        self,
        setup: RetrievalSetup,
        *,
        num_needs: int,
        run: int = 0,
        users: Bool[np.ndarray, " users"] | None = None,
    ) -> Outcome:
        """Let shoppers shop, within the days of the test window.

        Args:
            setup: What retrieves.
            num_needs: Needs of all shoppers together, about.
            run: Number of the run: another one is other visits and other needs. Two set-ups with the same run meet the
                same shoppers with the same needs.
            users: Shoppers who take part; None for all.
        """
        market = self._market
        last = max(1, round(market.days * SPLIT_SHARE))
        visits = draw_visits(market.shoppers, num_needs=num_needs, days=last, seed=market.seed + run + 1)
        if users is not None:
            visits = take_rows(visits, np.flatnonzero(users[visits.user_index]))
        start = (market.days - last) * SECONDS_PER_DAY
        visits = replace(visits, at=visits.at + start)
        first = _RUN_STEP * (run + 1)
        shop = _Shop(setup, self._ranker)
        blocks = list(market.blocks(visits, shop, needs_per_block=_NEEDS_PER_BLOCK, first_number=first))
        return _outcome(blocks, visits.user_index, first)


class _Shop:
    def __init__(self, setup: RetrievalSetup, ranker: FixedRanker) -> None:
        self._setup, self._ranker = setup, ranker

    def serve(self, requests: Requests) -> Pages:
        candidates = self._setup(requests)
        score = self._ranker.score(requests, candidates)
        order = np.argsort(-score, axis=1, kind="stable")[:, :PAGE_SIZE]
        shown = np.isfinite(np.take_along_axis(score, order, axis=1))
        products = np.where(shown, np.take_along_axis(candidates, order, axis=1), NO_PRODUCT)
        return Pages(products, np.ones(products.shape, np.float32), np.zeros(products.shape, bool))


def _outcome(blocks: list[Block], visit_user: Int64[np.ndarray, " visits"], first: int) -> Outcome:
    visit = np.concatenate([block.searches.visit for block in blocks]) - first
    ordered = np.concatenate([(block.searches.stamps.ordered_at != NEVER).any(axis=1) for block in blocks])
    clicked = np.concatenate([block.searches.actions.clicked.any(axis=1) for block in blocks])
    strolled = [block.strolls.visit[block.strolls.ordered_at != NEVER] - first for block in blocks]
    visit_ordered = np.zeros(len(visit_user), bool)
    visit_ordered[np.concatenate([visit[ordered], *strolled])] = True
    return Outcome(visit, clicked, ordered, visit_user, visit_ordered)
