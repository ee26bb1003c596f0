"""A marketplace: a world, its shoppers, and how they behave in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Int64

from aisle.core.ragged import expand_slices
from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.browsing import Browsing
from aisle.simulation.clock import SECONDS_PER_DAY
from aisle.simulation.draws import Draws
from aisle.simulation.gifts import Gifts
from aisle.simulation.intents import IntentDrawer
from aisle.simulation.needs import Needs, QueryKind
from aisle.simulation.pages import PageServer
from aisle.simulation.phrasing import Phrasing
from aisle.simulation.rows import join_rows, take_rows
from aisle.simulation.searching import Searches, Searching
from aisle.simulation.shelves import Shelves
from aisle.simulation.shoppers import Shoppers
from aisle.simulation.stock import Stock
from aisle.simulation.strolling import Strolling, Strolls
from aisle.simulation.timing import Timing
from aisle.simulation.utility import Utility
from aisle.simulation.visits import Visits
from aisle.simulation.world import World

__all__ = ["Block", "Marketplace"]

_NEED_GAP_S = 1_200
"""Between the beginnings of two needs of one visit."""
_REPEAT_SHARE = 0.15
"""Share of needs that are for something bought before, where the shopper has bought something of everyday prices."""
_EVERYDAY_PRICE = 60.0
_BY_BRAND_SHARE = 0.5
"""Share of repeated needs in which the shopper remembers the brand."""


@dataclass(frozen=True)
class Block:
    """What the shoppers of one block did over the whole log."""

    searches: Searches
    """Sorted by shopper and time."""
    strolls: Strolls


class Marketplace:
    """Everything that stays the same whichever shop answers the searches.

    Args:
        world: What is sold.
        products: Its products table.
        shoppers: Who buys.
        days: Length of the log.
        seed: Seed of everything that happens.
    """

    def __init__(self, world: World, products: pa.Table, shoppers: Shoppers, *, days: int, seed: int) -> None:
        gifts = Gifts(world.truth.vocabulary)
        self.world, self.products, self.shoppers = world, products, shoppers
        self.days, self.seed = days, seed
        self.stock = Stock.of(world, products)
        self.utility = Utility(world, shoppers, gifts, seed=seed)
        self._intents = IntentDrawer(world, shoppers, gifts, seed=seed)
        browsing = Browsing(self.utility, self.stock, seed=seed)
        timing = Timing(self.stock, log_end=days * SECONDS_PER_DAY, seed=seed)
        self._searching = Searching(Phrasing(world, shoppers, gifts, seed=seed), browsing, timing, seed=seed)
        self._strolling = Strolling(self.utility, Shelves(self.stock), shoppers, seed=seed)
        self._repeats = {name: Draws(seed, "repeats", name) for name in ("may", "which", "brand")}
        self._price_of_type = np.array([kind.median_price for kind in world.truth.vocabulary.types])

    def blocks(
        self, visits: Visits, server: PageServer, *, needs_per_block: int, first_number: int = 0
    ) -> Iterator[Block]:
        """Let the visits take place in a shop, whole shoppers at a time.

        What happens does not depend on the size of the blocks, which only bounds the memory.

        Args:
            visits: Sorted by shopper and time.
            server: The shop.
            needs_per_block: Needs that are simulated at a time.
            first_number: Number of the first visit and of the first need. Other numbers are other draws: the same
                shoppers come for other things.
        """
        if not len(visits):
            return
        first_need = first_number + np.cumsum(visits.num_needs) - visits.num_needs
        # A shopper's needs stay together, as one may repeat another.
        user_start = np.flatnonzero(np.diff(visits.user_index, prepend=-1))
        block = (first_need[user_start] - first_number + np.arange(len(user_start))) // needs_per_block
        starts = user_start[np.flatnonzero(np.diff(block, prepend=-1))]
        for start, end in zip(starts, [*starts[1:], len(visits)], strict=True):
            rows = np.arange(start, end)
            part = take_rows(visits, rows)
            yield self._block(part, server, visit=first_number + rows, first_need=first_need[rows])

    def _block(
        self,
        visits: Visits,
        server: PageServer,
        *,
        visit: Int64[np.ndarray, " visits"],
        first_need: Int64[np.ndarray, " visits"],
    ) -> Block:
        need, offsets = expand_slices(first_need, first_need + visits.num_needs)
        row = np.repeat(np.arange(len(visits)), np.diff(offsets))
        at = visits.at[row] + (need - first_need[row]) * _NEED_GAP_S
        needs = self._intents.draw(need, visits.user_index[row])
        may_repeat = self._may_repeat(needs)
        first = np.flatnonzero(~may_repeat)
        searches = self._searching.pursue(take_rows(needs, first), server, visit=visit[row[first]], at=at[first])
        then = np.flatnonzero(may_repeat)
        if len(then):
            repeated = self._repeat(take_rows(needs, then), searches)
            repeats = self._searching.pursue(repeated, server, visit=visit[row[then]], at=at[then])
            searches = join_rows([searches, repeats])
            searches = take_rows(searches, np.lexsort((searches.attempt, searches.needs.need)))
        return Block(searches, self._strolling.stroll(visits, visit))

    def _may_repeat(self, needs: Needs) -> Bool[np.ndarray, " rows"]:
        """Choose needs that may be for something that the shopper bought before; never a shopper's first."""
        is_first = np.searchsorted(needs.user_index, needs.user_index) == np.arange(len(needs))
        return ~is_first & (self._repeats["may"].uniform(needs.need) < _REPEAT_SHARE)

    def _repeat(self, needs: Needs, searches: Searches) -> Needs:
        """Make needs of what the shoppers bought earlier; those who bought nothing of everyday prices keep theirs."""
        product = searches.ordered_product()
        everyday = self._price_of_type[searches.needs.type_index] <= _EVERYDAY_PRICE
        for_oneself = searches.needs.persona < 0
        bought = np.flatnonzero((product != NO_PRODUCT) & everyday & for_oneself)
        # Both are sorted by need, and a shopper's needs by time: what was bought before is a range.
        start = np.searchsorted(searches.needs.user_index[bought], needs.user_index)
        num_before = np.searchsorted(searches.needs.need[bought], needs.need) - start
        rows = np.flatnonzero(num_before > 0)
        chosen = bought[start[rows] + self._repeats["which"].index(num_before[rows], needs.need[rows])]
        again, brand = take_rows(searches.needs, chosen), self.world.truth.brand_index[product[chosen]]
        by_brand = self._repeats["brand"].uniform(needs.need[rows]) < _BY_BRAND_SHARE
        again = dataclasses.replace(
            again,
            need=needs.need[rows],
            ordered_before=product[chosen],
            brand_index=np.where(by_brand, brand, again.brand_index),
            kind=np.where(by_brand, np.int8(QueryKind.BRAND), again.kind),
        )
        joined = join_rows([take_rows(needs, np.flatnonzero(num_before <= 0)), again])
        return take_rows(joined, np.argsort(joined.need))
