"""A marketplace: a world, its shoppers, and how they behave in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

from aisle.core.ragged import expand_slices
from aisle.simulation.browsing import Browsing
from aisle.simulation.clock import SECONDS_PER_DAY
from aisle.simulation.draws import Draws
from aisle.simulation.gifts import Gifts
from aisle.simulation.intents import IntentDrawer
from aisle.simulation.needs import ANY, Needs
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

_NEED_GAP_S = 900
"""Between the beginnings of two needs of one visit."""
_REPEAT_SHARE = 0.12
"""Share of needs that repeat an earlier one of the shopper, where that was for something of everyday prices."""
_REPEAT_SHARE_DEAR = 0.02
_EVERYDAY_PRICE = 40.0


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
        self._strolling = Strolling(self.utility, self.stock, Shelves(self.stock), shoppers, seed=seed)
        self._repeats = Draws(seed, "repeats")
        self._price_of_type = np.array([kind.median_price for kind in world.truth.vocabulary.types])

    def blocks(self, visits: Visits, server: PageServer, *, needs_per_block: int) -> Iterator[Block]:
        """Let the visits take place in a shop, whole shoppers at a time.

        What happens does not depend on the size of the blocks, which only bounds the memory.
        """
        first_need = np.cumsum(visits.num_needs) - visits.num_needs
        # A shopper's needs stay together, as one may repeat another.
        user_start = np.flatnonzero(np.diff(visits.user_index, prepend=-1))
        block = (first_need[user_start] + np.arange(len(user_start))) // needs_per_block
        starts = user_start[np.flatnonzero(np.diff(block, prepend=-1))]
        for start, end in zip(starts, [*starts[1:], len(visits)], strict=True):
            rows = np.arange(start, end)
            yield self._block(take_rows(visits, rows), rows, first_need[rows], server)

    def _block(
        self, visits: Visits, visit: Int64[np.ndarray, " visits"], first_need: Int64[np.ndarray, " visits"], server: PageServer
    ) -> Block:
        need, offsets = expand_slices(first_need, first_need + visits.num_needs)
        row = np.repeat(np.arange(len(visits)), np.diff(offsets))
        at = visits.at[row] + (need - first_need[row]) * _NEED_GAP_S
        needs = self._intents.draw(need, visits.user_index[row])
        earlier = self._earlier_needs(needs)
        is_fresh = earlier < 0
        fresh, again = np.flatnonzero(is_fresh), np.flatnonzero(~is_fresh)
        searches = self._searching.pursue(take_rows(needs, fresh), server, visit=visit[row[fresh]], at=at[fresh])
        if len(again):
            repeated = _repeat(needs, again, earlier[again], _outcomes(searches, need))
            repeats = self._searching.pursue(repeated, server, visit=visit[row[again]], at=at[again])
            searches = join_rows([searches, repeats])
            searches = take_rows(searches, np.lexsort((searches.attempt, searches.needs.need)))
        return Block(searches, self._strolling.stroll(visits, visit))

    def _earlier_needs(self, needs: Needs) -> Int64[np.ndarray, " rows"]:
        """Choose for some needs an earlier one of the same shopper that they repeat; -1 for the others.

        Only needs that repeat nothing themselves are repeated, so that two rounds settle everything.
        """
        first = np.searchsorted(needs.user_index, needs.user_index)
        row = np.arange(len(needs))
        before = first + self._repeats.index(row - first, needs.need, np.array(0))
        everyday = self._price_of_type[needs.type_index[before]] <= _EVERYDAY_PRICE
        share = np.where(everyday, _REPEAT_SHARE, _REPEAT_SHARE_DEAR)
        repeats = (before < row) & (needs.persona[before] < 0) & (self._repeats.uniform(needs.need, np.array(1)) < share)
        return np.where(repeats & ~repeats[before], before, -1)


def _repeat(
    needs: Needs, rows: Int64[np.ndarray, " some"], earlier: Int64[np.ndarray, " some"], ordered: Int64[np.ndarray, " rows"]
) -> Needs:
    """Return what is needed again, under the numbers of the needs that repeat it."""
    again = take_rows(needs, earlier)
    return dataclasses.replace(again, need=needs.need[rows], ordered_before=ordered[earlier])


def _outcomes(searches: Searches, need: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
    """Return what was ordered for each need; `ANY` where nothing was."""
    product = searches.ordered_product()
    bought = product >= 0
    outcome = np.full(len(need), ANY, np.int64)
    outcome[np.searchsorted(need, searches.needs.need[bought])] = product[bought]
    return outcome
