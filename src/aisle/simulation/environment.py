"""A shop in which other retrieval set-ups can be tried on the same shoppers: retrieve, rank, show, watch.

The ranker is one and the same for every set-up, and imperfect: it sees words, stars, popularity, price and the order in
which it was given the candidates, and nothing of tastes or of what shoppers' words mean. So a set-up can only win by
what it brings to the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float32, Int64

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.clock import NEVER, SECONDS_PER_DAY
from aisle.simulation.log_tables import SPLIT_SHARE
from aisle.simulation.marketplace import Block, Marketplace
from aisle.simulation.needs import Needs
from aisle.simulation.pages import PAGE_SIZE, Pages, Requests
from aisle.simulation.rows import join_rows, take_rows
from aisle.simulation.searching import MAX_ATTEMPTS
from aisle.simulation.visits import Visits, draw_visits
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
    search_ordered_at: Int64[np.ndarray, " searches"]
    """Second of its first order; `NEVER` where it led to none."""
    requests: Requests
    """The searches as the shop saw them."""
    needs: Needs
    """What the shoppers wanted, a row per search, which no shop may see."""
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

    def place(self, requests: Requests, candidates: Int64[np.ndarray, "rows candidates"]) -> Pages:
        """Return the page of each search: the `PAGE_SIZE` candidates of the highest score, of those on sale."""
        score = self.score(requests, candidates)
        order = np.argsort(-score, axis=1, kind="stable")[:, :PAGE_SIZE]
        shown = np.isfinite(np.take_along_axis(score, order, axis=1))
        products = np.where(shown, np.take_along_axis(candidates, order, axis=1), NO_PRODUCT)
        return Pages(products, np.ones(products.shape, np.float32), np.zeros(products.shape, bool))


class _Advance(Protocol):
    def __call__(self, num_done: int) -> None: ...


class Environment:
    """The marketplace after its log: the same shoppers come again, for other things, to a shop of one's choice."""

    def __init__(self, market: Marketplace) -> None:
        self._market = market
        self._ranker = FixedRanker(market)

    @property
    def days(self) -> tuple[int, int]:
        """First day of the test window, in which every run takes place, and the day after its last."""
        last = max(1, round(self._market.days * SPLIT_SHARE))
        return self._market.days - last, self._market.days

    def run(
        self,
        setup: RetrievalSetup,
        *,
        num_needs: int,
        run: int = 0,
        users: Bool[np.ndarray, " users"] | None = None,
        num_searches: int | None = None,
        advance: _Advance | None = None,
    ) -> Outcome:
        """Let shoppers shop, within the days of the test window.

        Args:
            setup: What retrieves.
            num_needs: Needs of all shoppers together, about.
            run: Number of the run: another one is other visits and other needs. Two set-ups with the same run meet the
                same shoppers with the same needs.
            users: Shoppers who take part; None for all.
            num_searches: Stop where the shoppers so far made this many searches or more; the later ones stay away.
            advance: Told of every block's searches.
        """
        visits = self._visits(num_needs, run, users)
        first = _RUN_STEP * (run + 1)
        shop = _Shop(setup, self._ranker, visits, first)
        blocks, reached = [], 0
        for block in self._market.blocks(visits, shop, needs_per_block=_NEEDS_PER_BLOCK, first_number=first):
            blocks.append(block)
            reached += len(block.searches)
            if advance is not None:
                advance(len(block.searches))
            if num_searches is not None and reached >= num_searches:
                last_user = block.searches.needs.user_index.max()
                visits = take_rows(visits, np.flatnonzero(visits.user_index <= last_user))
                break
        return _outcome(blocks, visits.user_index, first, shop)

    def _visits(self, num_needs: int, run: int, users: Bool[np.ndarray, " users"] | None) -> Visits:
        market = self._market
        start, end = self.days
        visits = draw_visits(market.shoppers, num_needs=num_needs, days=end - start, seed=market.seed + run + 1)
        if users is not None:
            visits = take_rows(visits, np.flatnonzero(users[visits.user_index]))
        return replace(visits, at=visits.at + start * SECONDS_PER_DAY)


class _Shop:
    def __init__(self, setup: RetrievalSetup, ranker: FixedRanker, visits: Visits, first_need: int) -> None:
        self._setup, self._ranker = setup, ranker
        self._identity_of_need = np.repeat(visits.identity, visits.num_needs)
        self._first_need = first_need

    def serve(self, requests: Requests) -> Pages:
        known = self.known(requests)
        return self._ranker.place(known, self._setup(known))

    def known(self, requests: Requests) -> Requests:
        """Say of each search as whom the shop knows the shopper."""
        need = requests.key // MAX_ATTEMPTS - self._first_need
        return replace(requests, identity=self._identity_of_need[need])


def _outcome(blocks: list[Block], visit_user: Int64[np.ndarray, " visits"], first: int, shop: _Shop) -> Outcome:
    visit = np.concatenate([block.searches.visit for block in blocks]) - first
    ordered_at = np.concatenate([block.searches.stamps.ordered_at.min(axis=1) for block in blocks])
    clicked = np.concatenate([block.searches.actions.clicked.any(axis=1) for block in blocks])
    strolled = np.concatenate([block.strolls.visit[block.strolls.ordered_at != NEVER] - first for block in blocks])
    visit_ordered = np.zeros(len(visit_user), bool)
    visit_ordered[np.concatenate([visit[ordered_at != NEVER], strolled[strolled < len(visit_user)]])] = True
    needs = join_rows([block.searches.needs for block in blocks])
    attempt = np.concatenate([block.searches.attempt for block in blocks])
    requests = Requests(
        needs.need * MAX_ATTEMPTS + attempt,
        pa.concat_arrays([block.searches.phrased.text for block in blocks]),
        needs.user_index,
        np.concatenate([block.searches.at for block in blocks]),
    )
    return Outcome(
        search_visit=visit,
        search_clicked=clicked,
        search_ordered=ordered_at != NEVER,
        search_ordered_at=ordered_at,
        requests=shop.known(requests),
        needs=needs,
        visit_user=visit_user,
        visit_ordered=visit_ordered,
    )
