"""From needs to searches: ask, look, and ask again in other words where nothing was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int8, Int64

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.browsing import Actions, Browsing
from aisle.simulation.draws import Draws
from aisle.simulation.needs import Needs
from aisle.simulation.pages import Pages, PageServer, Requests
from aisle.simulation.phrasing import Phrased, Phrasing
from aisle.simulation.rows import join_rows, take_rows
from aisle.simulation.timing import Stamps, Timing

__all__ = ["MAX_ATTEMPTS", "Searches", "Searching"]

MAX_ATTEMPTS = 3
"""Queries that a shopper tries for one need."""
_AGAIN_SHARE, _AGAIN_AFTER_CLICK_SHARE = 0.19, 0.09
"""Share of shoppers who found nothing and ask again in other words: without a click, and with one."""
_READY_FACTOR, _UNREADY_FACTOR = 1.35, 0.5
"""Whoever means to buy now tries harder than whoever looks around."""


@dataclass(frozen=True)
class Searches:
    """Searches with their pages and what was done there, one row each."""

    needs: Needs
    visit: Int64[np.ndarray, " rows"]
    """Number of the visit."""
    attempt: Int8[np.ndarray, " rows"]
    at: Int64[np.ndarray, " rows"]
    phrased: Phrased
    pages: Pages
    actions: Actions
    stamps: Stamps

    def __len__(self) -> int:
        """Return the number of searches."""
        return len(self.at)

    def ordered_product(self) -> Int64[np.ndarray, " rows"]:
        """Return what was ordered on each page on the spot; `NO_PRODUCT` where nothing was."""
        place = self.actions.ordered.argmax(axis=1)
        product = self.pages.product_index[np.arange(len(self)), place]
        return np.where(self.actions.ordered.any(axis=1), product, NO_PRODUCT)


class Searching:
    """Lets shoppers pursue their needs in a shop."""

    def __init__(self, phrasing: Phrasing, browsing: Browsing, timing: Timing, *, seed: int) -> None:
        self._phrasing, self._browsing, self._timing = phrasing, browsing, timing
        self._again = Draws(seed, "searching", "again")

    def pursue(
        self, needs: Needs, server: PageServer, *, visit: Int64[np.ndarray, " rows"], at: Int64[np.ndarray, " rows"]
    ) -> Searches:
        """Search for each need from its second on, up to `MAX_ATTEMPTS` times.

        Returns:
            The searches, sorted by need and attempt.
        """
        rounds = []
        for number in range(MAX_ATTEMPTS):
            attempt = np.full(len(needs), number, np.int8)
            searches = self._search(needs, server, visit=visit, attempt=attempt, at=at)
            rounds.append(searches)
            rows = np.flatnonzero(self._asks_again(searches))
            if not len(rows):
                break
            needs, visit, at = take_rows(needs, rows), visit[rows], searches.stamps.ended_at[rows]
        joined = join_rows(rounds)
        return take_rows(joined, np.lexsort((joined.attempt, joined.needs.need)))

    def _search(
        self,
        needs: Needs,
        server: PageServer,
        *,
        visit: Int64[np.ndarray, " rows"],
        attempt: Int8[np.ndarray, " rows"],
        at: Int64[np.ndarray, " rows"],
    ) -> Searches:
        phrased = self._phrasing.write(needs, attempt)
        key = needs.need * MAX_ATTEMPTS + attempt
        pages = server.serve(Requests(key, phrased.text, needs.user_index, at))
        actions = self._browsing.act(needs, pages.product_index, attempt=attempt)
        stamps = self._timing.stamp(needs, actions, pages.product_index, attempt=attempt, at=at)
        return Searches(needs, visit, attempt, at, phrased, pages, actions, stamps)

    def _asks_again(self, searches: Searches) -> Bool[np.ndarray, " rows"]:
        has_clicked = searches.actions.clicked.any(axis=1)
        share = np.where(has_clicked, _AGAIN_AFTER_CLICK_SHARE, _AGAIN_SHARE)
        share = share * np.where(searches.actions.is_ready, _READY_FACTOR, _UNREADY_FACTOR)
        chance = self._again.uniform(searches.needs.need, searches.attempt)
        return ~searches.actions.is_content & (chance < share)
