"""Blocks of a log as tables of the data contract."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int8, Int64

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.clock import NEVER, SECONDS_PER_DAY, timestamps
from aisle.simulation.marketplace import Marketplace
from aisle.simulation.searching import Searches
from aisle.simulation.shoppers import ShopperKind
from aisle.simulation.strolling import Strolls
from aisle.tables import SPLITS

__all__ = ["SPLIT_SHARE", "LogTables", "client_ids", "search_ids", "user_ids"]

SPLIT_SHARE = 0.1
"""Share of the days that are the test window, the last ones; the same share before them validates."""
_DIGITS = 8
_SLOTS = pa.array(["ranked", "random"])
_NO_TEXT = pa.scalar(None, pa.string())


class LogTables:
    """Turns what happened in a marketplace into Arrow tables."""

    def __init__(self, market: Marketplace, identity: Int8[np.ndarray, " visits"]) -> None:
        self._market, self._identity = market, identity
        products = market.products
        self.product_id = products.column("product_id").combine_chunks()
        """Ids of the catalogue, in index order."""
        self._price = products.column("price").combine_chunks()
        self._locations = pa.array(market.world.truth.vocabulary.wording.locations, pa.string())
        window = max(1, round(market.days * SPLIT_SHARE))
        starts = np.array([market.days - 2 * window, market.days - window])
        self._split_starts: Int64[np.ndarray, " 2"] = starts * SECONDS_PER_DAY

    def users(self) -> pa.Table:
        """Return the users: the shoppers who have an account."""
        user = np.flatnonzero(self._market.shoppers.kind == ShopperKind.SIGNED_IN)
        return pa.table({"user_id": user_ids(user), "location": self._location(user)})

    def is_test(self, at: Int64[np.ndarray, " rows"]) -> np.ndarray:
        """Tell which searches lie in the test window."""
        return np.asarray(at >= self._split_starts[1])

    def searches(self, searches: Searches, *, first: int) -> pa.Table:
        """Return the searches, numbered from `first`."""
        user, identity = searches.needs.user_index, self._identity[searches.visit]
        split = np.searchsorted(self._split_starts, searches.at, side="right")
        return pa.table(
            {
                "search_id": search_ids(first + np.arange(len(searches))),
                "query": searches.phrased.text,
                "searched_at": timestamps(searches.at),
                "user_id": _only(user_ids(user), identity == ShopperKind.SIGNED_IN),
                "client_id": _only(client_ids(user), identity != ShopperKind.ANONYMOUS),
                "session_id": _ids("v", searches.visit),
                "location": self._location(user),
                "split": pa.array(SPLITS, pa.string()).take(pa.array(split)),
            }
        )

    def impressions(self, searches: Searches, *, first: int) -> pa.Table:
        """Return what was shown for searches that are numbered from `first`."""
        pages, stamps = searches.pages, searches.stamps
        row, place = np.nonzero(pages.product_index != NO_PRODUCT)
        product = pa.array(pages.product_index[row, place])
        slot = pa.array(pages.is_random[row, place].astype(np.int8))
        times = {name: timestamps(getattr(stamps, name)[row, place]) for name in _STAGES}
        return pa.table(
            {
                "search_id": search_ids(first + np.arange(len(searches))).take(pa.array(row)),
                "product_id": self.product_id.take(product),
                "position": pa.array((place + 1).astype(np.int32)),
                **times,
                "price": self._price.take(product),
                "propensity": pa.array(pages.propensity[row, place].astype(np.float64)),
                "slot": _SLOTS.take(slot),
            }
        )

    def events(self, strolls: Strolls) -> pa.Table:
        """Return what was done outside of searches, by visit and time."""
        actions = {"view": strolls.viewed_at, "cart": strolls.carted_at, "order": strolls.ordered_at}
        row = np.concatenate([np.flatnonzero(at != NEVER) for at in actions.values()])
        at = np.concatenate([at[at != NEVER] for at in actions.values()])
        name = np.concatenate([np.full((at != NEVER).sum(), i) for i, at in enumerate(actions.values())])
        order = np.lexsort((at, strolls.visit[row]))
        row, at, name = row[order], at[order], name[order]
        return pa.table(
            {
                "actor_id": self._actors(strolls.visit[row], strolls.user_index[row]),
                "at": timestamps(at),
                "action": pa.array(list(actions)).take(pa.array(name)),
                "product_id": self.product_id.take(pa.array(strolls.product_index[row])),
                "query": pa.nulls(len(row), pa.string()),
                "search_id": pa.nulls(len(row), pa.string()),
            }
        )

    def _location(self, user: Int64[np.ndarray, " rows"]) -> pa.Array:
        return self._locations.take(pa.array(self._market.shoppers.location_index[user]))

    def _actors(self, visit: Int64[np.ndarray, " rows"], user: Int64[np.ndarray, " rows"]) -> pa.Array:
        identity = self._identity[visit]
        client = pc.if_else(pa.array(identity == ShopperKind.SIGNED_IN), user_ids(user), client_ids(user))
        return pc.if_else(pa.array(identity == ShopperKind.ANONYMOUS), _ids("v", visit), client)


_STAGES = ("clicked_at", "favorited_at", "carted_at", "ordered_at")


def user_ids(user_index: Int64[np.ndarray, " rows"]) -> pa.Array:
    """Return the ids under which the log knows these shoppers when they are signed in."""
    return _ids("u", user_index)


def client_ids(user_index: Int64[np.ndarray, " rows"]) -> pa.Array:
    """Return the ids of these shoppers' devices."""
    return _ids("c", user_index)


def search_ids(number: Int64[np.ndarray, " rows"]) -> pa.Array:
    """Return the ids of searches with these numbers."""
    return _ids("q", number)


def _ids(prefix: str, numbers: Int64[np.ndarray, " rows"]) -> pa.Array:
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), _DIGITS, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _only(ids: pa.Array, where: np.ndarray) -> pa.Array:
    return pc.if_else(pa.array(where), ids, _NO_TEXT)
